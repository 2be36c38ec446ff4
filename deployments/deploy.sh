#!/bin/sh
# Registers the work pool, the deployments and, if FUZZYJOIN_NOTIFICATION_BLOCK_ID names a notification block, the
# automations with the server that PREFECT_API_URL names. Doing it again changes nothing but what the files changed.
# A server that was just started is waited for: FUZZYJOIN_SERVER_WAIT_SECONDS long, 120 if it is not set.
set -eu
cd "$(dirname "$0")/.."
export FUZZYJOIN_HOME="${FUZZYJOIN_HOME:-$PWD}"
wait_seconds="${FUZZYJOIN_SERVER_WAIT_SECONDS:-120}"
case $wait_seconds in
    "" | *[!0-9]* | 0)
        echo "FUZZYJOIN_SERVER_WAIT_SECONDS is '$wait_seconds'; give a whole number of seconds, 1 or more" >&2
        exit 2 ;;
esac
said=$(prefect --no-prompt server status --wait --timeout "$wait_seconds" 2>&1) || case $said in
    # Then the commands below start a server of their own.
    *"No API URL configured"*) ;;
    *"Timed out"*)
        echo "no answer from the server at ${PREFECT_API_URL:-the address of the Prefect profile} within $wait_seconds" \
            "seconds; start it (prefect server start), mend PREFECT_API_URL, or set FUZZYJOIN_SERVER_WAIT_SECONDS" >&2
        exit 1 ;;
    *) echo "$said" >&2; exit 1 ;;
esac
prefect --no-prompt work-pool create fuzzyjoin --type process --overwrite
prefect --no-prompt deploy --all --prefect-file deployments/prefect.yaml
if [ -n "${FUZZYJOIN_NOTIFICATION_BLOCK_ID:-}" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    sed "s/NOTIFICATION_BLOCK_ID/$FUZZYJOIN_NOTIFICATION_BLOCK_ID/" deployments/automations.yaml >"$folder/automations.yaml"
    # Made again, because creating one of the same name adds a second.
    sed -n 's/^  - name: //p' deployments/automations.yaml | while read -r name; do
        said=$(prefect --no-prompt automation delete "$name" 2>&1) || case $said in
            *"not found"*) ;;
            *) echo "$said" >&2; exit 1 ;;
        esac
    done
    prefect --no-prompt automation create --from-file "$folder/automations.yaml"
fi
