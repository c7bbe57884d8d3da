# Everything here sets itself up in .venv; nothing is installed outside this folder, save Chromium for the browser tests.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup browser demo test lint integration bench soak screenshot clean

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT  ?= 8050
# One process of tests per core, each with a server and a browser of its own for the browser tests; the files that take
# longest come first. ARGS may say otherwise, as in make test ARGS="-n0 -k zoom".
TOGETHER := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
APT   := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
ARGS  ?=

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(STAMP) ## Make .venv with the app and what its tests need

$(STAMP): pyproject.toml
	@python=""; for name in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "tft_dash needs Python 3.11, 3.12 or 3.13 on the PATH (or make PYTHON=/path/to/python)." >&2; exit 1; fi; \
	if [ ! -x $(BIN)/python ] || ! $(BIN)/python -c '' 2>/dev/null; then \
	  rm -rf $(VENV); $$python -m venv $(VENV) || { echo "Making .venv failed. On Debian: apt-get install python3-venv" >&2; exit 1; }; fi
	@echo "Installing tft_dash and its tests' tools into $(VENV); the first time takes a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: setup ## Play the default drill: make demo [PORT=8050] [ARGS="--seed 7"]
	@exec $(BIN)/tft-dash demo --port $(PORT) $(ARGS)

browser: # Chromium for the browser tests, where this user may install it; without its window it takes a third less time
	@if ! command -v chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "Installing chromium for the browser tests."; \
	    { apt-get update -qq && { $(APT) chromium-headless-shell || $(APT) chromium; }; } >/dev/null \
	      || echo "Installing chromium failed: the browser tests will be skipped." >&2; fi; fi

lint: setup ## Linters, types and the arrows between layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

test: lint browser ## Linters, types, unit, property, app and browser tests
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

integration: setup ## Tests against real servers, started on the loopback
	@$(BIN)/python -m pytest tests/integration $(TOGETHER) $(ARGS)

bench: setup ## Benchmarks: ratios measured side by side in one run
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

soak: setup ## The long fault and load runs
	@$(BIN)/python -m pytest tests/load $(ARGS)
	@OUTAGE_SECONDS=300 $(BIN)/python -m pytest tests/integration/test_live_fleet.py -k killed $(ARGS)

screenshot: setup browser ## Make the README's picture anew
	@$(BIN)/python docs/screenshot.py

clean: ## Remove .venv and what tools left behind
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
