# Everything is installed into .venv from the package index; nothing outside this folder is changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := deployments/requirements.lock
TRAIN_LOCK := benchmarks/train.lock
UV_VERSION := 0.13.9

# The orchestrator keeps its own files in the folder too, and tells nobody of them.
PIPELINE := FUZZYJOIN_STORAGE=build/storage FUZZYJOIN_WAREHOUSE_URL=sqlite:///build/warehouse.db \
	PREFECT_HOME=$(CURDIR)/build/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow train lint lock clean

help:
	@echo "make run        install, then run the pipeline on a bundled example and say where to look"
	@echo "make test       install, then lint, type-check and run the tests"
	@echo "make test-slow  install, then run the tests that take longer"
	@echo "make train      install LightGBM too, then train the scorer anew and replace its file"
	@echo "make lint       ruff and mypy"
	@echo "make lock       resolve the dependencies anew into $(LOCK)"
	@echo "make clean      remove all that make made, .venv included"

install: $(VENV)/installed.stamp

# A changed lock starts from an empty environment: pip would leave behind what is no longer locked. The lock is whole:
# without --no-deps pip would ask for a hash of "sqlalchemy[asyncio]" beside that of "sqlalchemy".
$(VENV)/requirements.stamp: $(LOCK)
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 14) or sys.exit("fuzzyjoin runs on Python 3.11 to 3.14, but $(PYTHON) is %d.%d: say for example make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "==> installing the locked dependencies into $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(LOCK)
	@$(BIN)/pip check --quiet --disable-pip-version-check
	@touch $@

# The build backend is among the locked dependencies, so the build needs no isolated environment of its own.
$(VENV)/installed.stamp: $(VENV)/requirements.stamp pyproject.toml
	@echo "==> installing fuzzyjoin into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install
	@echo "==> match_tables on a bundled example; a server is started for it and stopped again"
	@mkdir -p build/prefect
	@$(PIPELINE) $(BIN)/python -m flows match_tables deployments/examples/malls.yaml

lint: install
	@echo "==> ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "run $(BIN)/ruff format ."; exit 1; }
	@echo "==> mypy"
	@$(BIN)/mypy

# Two processes, each with a server of its own; a file's tests stay together, as do their fixtures.
test: lint
	@echo "==> pytest"
	@$(BIN)/pytest --quiet -m "not slow" --numprocesses 2 --dist loadfile

# Two processes here too, because a run spends half its time waiting for its server. Kernels are compared with
# their twins on ten times as many random cases as in `make test`. pytest exits with 5 when no test
# carries the mark.
test-slow: install
	@echo "==> pytest, the slow tests"
	@$(BIN)/pytest --quiet -m "slow or twin" --hypothesis-profile thorough --numprocesses 2 --dist loadfile || { code=$$?; test $$code -eq 5 && echo "no test is marked slow"; }

# LightGBM's wheel needs libgomp from the system.
train: install
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(TRAIN_LOCK)
	$(BIN)/python -m benchmarks.train_scorer

# Needs the package index; uv lives in an environment of its own, because nothing else here uses it.
lock:
	@$(PYTHON) -m venv --clear build/lock-venv
	@build/lock-venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	build/lock-venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--extra pipeline --extra duckdb --extra dask --group build --group test --group lint pyproject.toml --output-file $(LOCK)
	build/lock-venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--constraint $(LOCK) --group pyproject.toml:train --output-file $(TRAIN_LOCK)
	@echo "==> $(LOCK) is resolved anew; make test installs it"

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
