# All set-up is done by these targets; a fresh clone needs Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

N ?= 10000
PORT ?= 8400
BROWSER ?= yes

.PHONY: help setup demo test check bench prove clean

help: ## List what make can do.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY) ## Make .venv with everything, the command .venv/bin/regulars included.

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Regulars needs Python 3.11 or newer; name one with PYTHON=python3.12"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Start a pretend Shopify and the app on it: N=customers PORT=8400 BROWSER=no.
	N=$(N) PORT=$(PORT) BROWSER=$(BROWSER) $(BIN)/regulars demo

check: $(READY) ## Lint, types and house rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/house

test: check ## Everything: make check, then all tests, real browser included.
	@sh scripts/browser.sh $(BIN)/python
	REGULARS_CHROMIUM="$$(cat $(VENV)/.browser 2>/dev/null)" $(BIN)/pytest --ignore=tests/house $(PYTEST)

bench: $(READY) ## Benchmarks beside their peers; writes docs/benchmarks.md.
	$(BIN)/python -m bench

clean: ## Remove what the other targets made.
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
