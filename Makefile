# Everything a person or a machine does with this repository. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One lock for development, tests and the demo: Airflow included.
LOCK := requirements/dev.txt
STAMP := $(VENV)/.installed
COMPILE = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --exclude-newer "$$(date -u -d '7 days ago' +%F)"

.PHONY: help install demo up test check bench clean lock

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(STAMP) ## make .venv with everything pinned

$(STAMP): $(LOCK) pyproject.toml scripts/install.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" LOCK="$(LOCK)" bash scripts/install.sh
	@touch $@

demo: install ## set up and run the whole pipeline on real flights, then stop (about 2 minutes)
	@$(BIN)/python -m demo

up: install ## the same, and keep it running until Ctrl-C
	@$(BIN)/python -m demo --keep

test: install ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: install ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@! grep -rnE 'https?://|index-url' requirements/ || { echo "requirements/ must not name an address"; exit 1; }

bench: install ## print ratios (a check against a bare read of the same data) and the study of false alarms and power
	@for name in check_against_scan wide learning memory sql spark store scrape report rolling shared false_alarms power; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

lock: ## pin every dependency anew, at least a week old (needs uv)
	@$(COMPILE) pyproject.toml --all-extras --group dev -o $(LOCK)
	@$(COMPILE) pyproject.toml --extra airflow --extra fast --extra notify --extra postgres -o requirements/runtime.txt -c $(LOCK)
	@$(COMPILE) pyproject.toml --extra postgres -o requirements/serve.txt -c $(LOCK)
	@$(COMPILE) pyproject.toml --extra postgres --group demo -o requirements/demo.txt -c $(LOCK)
	@echo 'hatchling>=1.27' | $(COMPILE) - -o requirements/build.txt -c $(LOCK)

clean: ## remove everything that the other targets made
	rm -rf $(VENV) .demo .driftmon dist .coverage .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
