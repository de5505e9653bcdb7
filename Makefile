# Every target makes .venv by itself; nothing but Python (3.11 or newer) and make is needed.
PYTHON ?= python3
BIN := .venv/bin
USE := .venv/.use
DEV := .venv/.dev
WORKERS ?= 2

.PHONY: help certify test lint types unit emulate bench browser clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

certify: $(USE) ## Set up, then run the whole suite against the embedded emulator and write its certificate
	$(BIN)/telnyx-conformance certify $(ARGS)

emulate: $(USE) ## Serve the emulator on http://127.0.0.1:12111/v2
	$(BIN)/telnyx-conformance emulate $(ARGS)

test: lint types unit ## Lint, types, all tests, a sample of planted faults, and a certification of the embedded target
	$(BIN)/telnyx-conformance mutants run --sample 100 --seed 1 --at-least 98
	$(BIN)/telnyx-conformance certify --out reports/out/test

lint: $(DEV) ## Style and contract files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/telnyx-conformance contract lint

types: $(DEV) ## Static types
	$(BIN)/mypy src tests suites benchmarks

unit: $(DEV) browser ## The engine's own tests
	$(BIN)/python -m pytest -n $(WORKERS) tests $(ARGS)

bench: $(DEV) ## Measure speed beside the peers that can be installed
	$(BIN)/python benchmarks/run.py $(ARGS)

browser: ## Install Chromium where the package manager allows; tests say what they could not run without it
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	 || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	 || echo "no Chromium, and no package manager that may install it: the browser tests will be counted as not run"

$(USE): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with PYTHON=python3.x")'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): $(USE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean: ## Remove what was made
	rm -rf .venv reports/out .pytest_cache .mypy_cache .ruff_cache .hypothesis
