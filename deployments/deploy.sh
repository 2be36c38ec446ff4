#!/bin/sh
# Registers the work pool, the deployments and, if FUZZYJOIN_NOTIFICATION_BLOCK_ID names a notification block, the
# automations with the server that PREFECT_API_URL names. Doing it again changes nothing but what the files changed.
set -eu
cd "$(dirname "$0")/.."
export FUZZYJOIN_HOME="${FUZZYJOIN_HOME:-$PWD}"
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
