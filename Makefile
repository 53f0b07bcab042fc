# make demo: the whole night on calls that it makes itself.   make test: every check but long tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# a lock is complete: nothing is resolved, and nothing is built with tools from outside the lock
# modules are compiled when they are first imported: most never are
INSTALL_LOCKED := $(BIN)/pip install --quiet --no-compile --no-deps --require-hashes --only-binary :all:
COMPILE_LOCK := uv pip compile --quiet --no-header --universal --generate-hashes --no-emit-index-url
# quiet, and never asked for anything
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DO_NOT_TRACK := 1

.PHONY: demo test test-slow coverage setup setup-dev lint lock clean

demo: setup
	@$(BIN)/ser-batch demo --root data/demo

test: setup-dev lint
	$(BIN)/pytest -n auto --dist loadgroup --max-worker-restart 0

test-slow: setup-dev
	$(BIN)/pytest -n auto --dist loadgroup --max-worker-restart 0 -m slow

coverage: setup-dev
	$(BIN)/pytest -n auto --dist loadgroup --max-worker-restart 0 --cov --cov-report term

lint: setup-dev $(VENV)/.sql-linted
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# it keeps no cache of its own, and takes as long as all others together
$(VENV)/.sql-linted: $(wildcard sql/*.sql sql/*/*.sql) pyproject.toml $(VENV)/.installed-dev
	$(BIN)/sqlfluff lint sql
	@touch $@

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what ser-batch needs into $(VENV) (a minute or two, once)"
	@$(INSTALL_LOCKED) -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock tests/warehouse/duckdb-1.lock $(VENV)/.installed
	@echo "Installing what its tests need"
	@$(INSTALL_LOCKED) -r requirements-dev.lock
	@$(INSTALL_LOCKED) -r tests/warehouse/duckdb-1.lock --upgrade --target $(VENV)/duckdb-1
	@$(BIN)/pip check
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

lock:
	$(COMPILE_LOCK) --extra demo --group build pyproject.toml -o requirements.lock
	$(COMPILE_LOCK) --extra demo --group build --extra dev -c requirements.lock pyproject.toml \
		-o requirements-dev.lock
	$(COMPILE_LOCK) tests/warehouse/duckdb-1.in -o tests/warehouse/duckdb-1.lock

clean:
	rm -rf data/demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache
