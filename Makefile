# Everything is installed into .venv from the package index; nothing outside this folder is changed but uv's cache.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := deployments/requirements.lock
TEST_LOCK := deployments/test.lock
TRAIN_LOCK := benchmarks/train.lock
INSTALLER_LOCK := deployments/installer.lock

# The uv on the path serves if it is new enough; otherwise pip brings the locked one.
UV_AT_LEAST := 0.8.0
UV_SUFFICES := $(shell printf '%s\n' 'uv $(UV_AT_LEAST)' "$$(uv --version 2>/dev/null)" | sort --version-sort --check=quiet && echo yes)
OWN_UV := $(VENV)/uv/bin/uv
UV := $(if $(UV_SUFFICES),uv,$(OWN_UV))

# The orchestrator keeps its own files in the folder too, and tells nobody of them.
PIPELINE := FUZZYJOIN_STORAGE=build/storage FUZZYJOIN_WAREHOUSE_URL=sqlite:///build/warehouse.db \
	PREFECT_HOME=$(CURDIR)/build/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow test-wheel train lint lock clean

help:
	@echo "make run        install, then run the pipeline on a bundled example and say where to look"
	@echo "make test       install what testing needs too, then lint, type-check and run the tests"
	@echo "make test-slow  install, then run the tests that take longer"
	@echo "make test-wheel install, then run the library's tests against the built wheel"
	@echo "make train      install LightGBM too, then train the scorer anew and replace its file"
	@echo "make lint       ruff and mypy"
	@echo "make lock       resolve the dependencies anew into the locks"
	@echo "make clean      remove all that make made, .venv included"

install: $(VENV)/run.stamp

# Made from scratch where its Python has gone.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 14) or sys.exit("fuzzyjoin runs on Python 3.11 to 3.14, but $(PYTHON) is %d.%d: say for example make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -m venv --clear --without-pip $(VENV)

$(OWN_UV): $(INSTALLER_LOCK) | $(BIN)/python
	@echo "==> installing uv, which installs all else"
	@$(BIN)/python -m venv --clear $(VENV)/uv
	@$(VENV)/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(INSTALLER_LOCK)
	@touch $@

# Leaves exactly what the locks name, which are whole: nothing is resolved. The build backend is among the locked
# dependencies, so the build needs no isolated environment of its own.
define install_exactly
@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode $(1)
@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
@$(UV) pip check --quiet --python $(BIN)/python
@$(BIN)/python -m compileall -q flows fuzzyjoin tasks
@touch $@
endef

$(VENV)/run.stamp: $(LOCK) pyproject.toml | $(BIN)/python $(filter $(OWN_UV),$(UV))
	@echo "==> installing what running needs into $(VENV)"
	$(call install_exactly,$(LOCK))

$(VENV)/test.stamp: $(VENV)/run.stamp $(TEST_LOCK)
	@echo "==> installing what testing needs into $(VENV)"
	$(call install_exactly,$(LOCK) $(TEST_LOCK))

run: install
	@echo "==> match_tables on a bundled example; a server is started for it and stopped again"
	@mkdir -p build/prefect
	@$(PIPELINE) $(BIN)/python -m flows match_tables deployments/examples/malls.yaml

lint: $(VENV)/test.stamp
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
test-slow: $(VENV)/test.stamp
	@echo "==> pytest, the slow tests"
	@$(BIN)/pytest --quiet -m "slow or twin" --hypothesis-profile thorough --numprocesses 2 --dist loadfile || { code=$$?; test $$code -eq 5 && echo "no test is marked slow"; }

# The library's tests once more, on what users install instead of on the checkout.
test-wheel: $(VENV)/test.stamp
	@echo "==> pytest, against the built wheel"
	@$(BIN)/python -m tests.wheel_suite

# LightGBM's wheel needs libgomp from the system.
train: install
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r $(TRAIN_LOCK)
	$(BIN)/python -m benchmarks.train_scorer

# Needs the package index. The further locks agree with the first.
resolve = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: | $(BIN)/python $(filter $(OWN_UV),$(UV))
	$(resolve) --extra pipeline --extra duckdb --extra dask --extra excel --group build pyproject.toml --output-file $(LOCK)
	$(resolve) --constraint $(LOCK) --group pyproject.toml:test --group pyproject.toml:lint --output-file $(TEST_LOCK)
	$(resolve) --constraint $(LOCK) --group pyproject.toml:train --output-file $(TRAIN_LOCK)
	$(resolve) --group pyproject.toml:installer --output-file $(INSTALLER_LOCK)
	@echo "==> the locks are resolved anew; make test installs them"

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
