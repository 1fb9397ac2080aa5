# Everything starts from two commands on a fresh Debian or Ubuntu with python3 and make:
#   make run    a demonstration in the browser
#   make test   all tests, real components included
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
DESK_SOURCES := hatch_build.py $(shell find desk widget -path desk/node_modules -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run demo setup setup-dev check lint types imports desk-check test test-unit test-all nightly bench lock types-ts schema clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: setup  ## sets everything up and starts the demonstration
	@$(BIN)/perezvon demo

setup: .venv/.ready  ## the service and its desk in .venv

setup-dev: .venv/.ready-dev  ## what developers and tests need besides

check: setup-dev lint types imports desk-check  ## style, types, imports: seconds

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup-dev
	@$(BIN)/mypy

imports: setup-dev
	@$(BIN)/lint-imports --no-cache

desk-check: setup-dev
	@$(BIN)/python hatch_build.py check

test: setup-dev  ## everything a change can break, real components included
	@$(BIN)/python -m tests.lab.prepare
	@$(PYTEST) -m "not long" --dist loadgroup -n 2

test-unit: setup-dev  ## what needs no server
	@$(PYTEST) tests/unit

test-all: setup-dev  ## the long fault, race and fuzz runs as well
	@$(BIN)/python -m tests.lab.prepare
	@PEREZVON_LONG=1 $(PYTEST) --dist loadgroup -n 2 --timeout 900
	@for v in 3.12 3.13; do \
	  if command -v python$$v >/dev/null; then \
	    python$$v -m venv .cache/venv-$$v && .cache/venv-$$v/bin/pip install -q --require-hashes -r requirements-dev.lock \
	    && .cache/venv-$$v/bin/python -m pytest tests/unit || exit 1; \
	  else echo "python$$v is not here: not tried"; fi; done

nightly: setup-dev  ## storms and long fuzzing
	@PEREZVON_LONG=1 PEREZVON_FUZZ_S=600 $(PYTEST) -m long --timeout 3600

bench: setup-dev  ## the figures of bench/README.md
	@$(BIN)/pip install -q --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m bench

types-ts: setup-dev  ## the desk's types from the API's description
	@$(BIN)/python -m gateway.web.typescript > desk/src/api/types.ts

schema: setup-dev  ## the first migration again from the models (before the first release only)
	@$(BIN)/python -m tests.store.regenerate

lock: setup-dev  ## locks dependencies anew, with hashes
	@$(BIN)/python tools/lock.py

# --- set-up -------------------------------------------------------------------------------------------

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: apt-get install python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.packages: .venv/bin/python requirements.lock
	@echo "Installing the locked packages ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.ready: .venv/.packages pyproject.toml $(DESK_SOURCES)
	@echo "Building the desk and installing perezvon ..."
	@$(BIN)/python hatch_build.py
	@PEREZVON_SKIP_DESK=1 $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	@echo "Installing the locked packages for tests ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean:  ## takes away what was built
	@rm -rf .venv .cache dist build gateway/web/static desk/node_modules var
