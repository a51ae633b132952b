# Weighbridge. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCUST := $(BIN)/locust --headless

.DEFAULT_GOAL := help
.PHONY: help setup demo evaluate test golden chaos audit docs site bench bench-quick lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(BIN)/.run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(BIN)/.dev: $(BIN)/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

setup: $(BIN)/.dev ## install what running and testing need into .venv

demo: $(BIN)/.run ## a short evaluation of the embedded simulator, with its report
	$(LOCUST) --simulator --mode full --quick --steps 1,10,50,100

evaluate: $(BIN)/.run ## the whole programme on the gateway of .env (this costs money)
	$(LOCUST) --mode full

test: $(BIN)/.dev ## ruff, mypy and pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 4 --dist worksteal

golden: $(BIN)/.dev ## every mode against the simulator's log, with the errors of its times (half an hour)
	$(BIN)/python -m pytest -m golden -s tests/golden

chaos: $(BIN)/.dev ## crash trials: WEIGHBRIDGE_TRIALS=300 make chaos
	$(BIN)/python -m pytest -n 2 -m chaos tests/chaos

audit: $(BIN)/.run ## look for known weaknesses in what is installed (needs an advisory service)
	test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && .audit/bin/python -m pip install --quiet pip-audit; }
	.audit/bin/pip-audit --progress-spinner off -r requirements.txt

docs: $(BIN)/.dev ## renew the documentation that is made from code
	$(BIN)/python docs/generate.py

site: $(BIN)/.dev ## build docs/ as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(BIN)/.dev ## measure against the peers, an hour or two; needs nginx and wrk
	$(BIN)/python -m benchmarks

bench-quick: $(BIN)/.dev ## the same in short: shows that it runs, claims nothing
	$(BIN)/python -m benchmarks --quick

lock: ## compile requirements.txt and requirements-dev.txt from their .in files
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-options requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-options requirements-dev.in

clean: ## remove .venv and caches (results stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
