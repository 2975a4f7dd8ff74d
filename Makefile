# All set-up is done by these targets; a fresh clone needs Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
READY_BENCH := $(VENV)/.ready-bench
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

N ?= 10000
PORT ?= 8400
BROWSER ?= yes

.PHONY: help setup demo test check bench lock clean

help: ## List what make can do.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY) ## Make .venv with everything, the command .venv/bin/regulars included.

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Regulars needs Python 3.11 or newer; name one with PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

# The locks pin every package with its hash; `make lock` renews them.
$(READY): $(UV) pyproject.toml requirements.lock
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(READY_BENCH): $(READY_DEV) requirements-bench.lock
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-bench.lock
	@touch $@

lock: $(UV) ## Renew the lock files from pyproject.toml.
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --extra dev --extra bench pyproject.toml -o requirements-bench.lock

demo: $(READY) ## Start a pretend Shopify and the app on it: N=customers PORT=8400 BROWSER=no.
	N=$(N) PORT=$(PORT) BROWSER=$(BROWSER) $(BIN)/regulars demo

check: $(READY_DEV) ## Lint, types and house rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/house

test: check ## Everything: make check, then all tests, real browser included.
	@sh scripts/browser.sh $(BIN)/python
	REGULARS_CHROMIUM="$$(cat $(VENV)/.browser 2>/dev/null)" $(BIN)/pytest --ignore=tests/house $(PYTEST)

bench: $(READY_BENCH) ## Benchmarks beside their peers; writes docs/benchmarks.md.
	$(BIN)/python -m bench

clean: ## Remove what the other targets made.
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
