# Weighbridge. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCUST := $(BIN)/locust --headless
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

UNIT := tests/recording tests/rules tests/settings tests/loadshapes
IN_PROCESS := $(UNIT) tests/engine tests/tasks tests/analysis tests/simulator $(wildcard tests/compat) tests/estimates

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
# A .venv that is broken or too old is made anew; what stands in it then says nothing.
ifneq ($(shell $(BIN)/python $(NEW_ENOUGH) >/dev/null 2>&1 && echo sound),sound)
.PHONY: $(BIN)/.run
endif

.DEFAULT_GOAL := help
.PHONY: help setup dev demo demo-full evaluate lint unit test property coverage golden long chaos audit statistics docs outputs pictures site bench bench-quick lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(BIN)/.run: requirements.txt
	@$(BIN)/python $(NEW_ENOUGH) 2>/dev/null || $(PYTHON) $(NEW_ENOUGH) 2>/dev/null || { \
	  newer=$$(for minor in 14 13 12 11; do command -v python3.$$minor >/dev/null && python3.$$minor -V >/dev/null 2>&1 && echo python3.$$minor && break; done); \
	  echo "Weighbridge needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1 || true). Say which to use: make $(or $(MAKECMDGOALS),setup) PYTHON=$${newer:-python3.12}" >&2; exit 1; }
	@$(BIN)/python $(NEW_ENOUGH) 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 || { \
	  echo "$(VENV) has no pip, and its Python cannot make one: install python3-venv (Debian, Ubuntu), or make the environment with uv venv --seed, then try again." >&2; exit 1; }
	@echo "Installing into $(VENV) with $$($(BIN)/python -V): half a minute or so." >&2
	@$(PIP) install -r requirements.txt
	@printf '%s\n' '#!/bin/sh' 'bin=$$(CDPATH= cd -- "$$(dirname -- "$$0")" && pwd)' \
	  'exec "$$bin/python" "$${bin%/$(BIN)}/weighbridge" "$$@"' > $(BIN)/weighbridge
	@chmod +x $(BIN)/weighbridge
	@touch $@

$(BIN)/.dev: $(BIN)/.run requirements-dev.txt
	$(PIP) install -r requirements-dev.txt
	touch $@

setup: $(BIN)/.run ## install what running needs into .venv, and the command .venv/bin/weighbridge

dev: $(BIN)/.dev ## install what testing and building the documentation need as well

demo: $(BIN)/.run ## a short evaluation of the embedded simulator, with its report (a minute)
	@$(BIN)/weighbridge demo

demo-full: $(BIN)/.run ## the whole programme in short on the embedded simulator (four minutes)
	$(LOCUST) --simulator --mode full --quick --steps 1,10,50,100

evaluate: $(BIN)/.run ## the whole programme on the gateway of .env (this costs money)
	$(LOCUST) --mode full

lint: $(BIN)/.dev ## ruff, mypy and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(BIN)/.dev ## the quick and pure tests alone (a minute)
	$(BIN)/python -m pytest -n 2 $(UNIT)

test: $(BIN)/.dev ## ruff, mypy and every test (about twelve minutes)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 4 --dist worksteal

property: $(BIN)/.dev ## the property tests with examples drawn anew (make test tries the same ones each time)
	HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -n 4 -m "hypothesis and not slow" tests

coverage: $(BIN)/.dev ## lines and branches that tests of this process run (not those of runs they start)
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered $(IN_PROCESS)

golden: $(BIN)/.dev ## every mode and gateway against the server's log, with the errors of its times (45 minutes)
	$(BIN)/python -m pytest -m golden -s tests/golden tests/interop

long: $(BIN)/.dev ## the tests that are left out of `make test` for their length (five minutes)
	$(BIN)/python -m pytest -n 4 -m long tests

chaos: $(BIN)/.dev ## crash trials: WEIGHBRIDGE_TRIALS=300 make chaos
	$(BIN)/python -m pytest -n 2 -m chaos tests/chaos

audit: $(BIN)/.run ## look for known weaknesses in what is installed (needs an advisory service)
	test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && .audit/bin/python -m pip install --quiet pip-audit; }
	.audit/bin/pip-audit --progress-spinner off -r requirements.txt

statistics: $(BIN)/.dev ## false alarms and coverage of the statistics, at length (half an hour)
	$(BIN)/python -m pytest -n 2 -m slow tests

docs: $(BIN)/.dev ## renew the documentation that is made from code
	$(BIN)/python docs/generate.py

outputs: $(BIN)/.dev ## run the commands that the pages show once more, and put in what they print (forty minutes)
	@failed=0; for script in outputs behind_litellm relays notebook; do \
	  $(BIN)/python docs/$$script.py || failed=1; done; exit $$failed

pictures: $(BIN)/.run ## take the pictures of the report and of the web UI anew (two minutes; needs chromium)
	$(BIN)/python docs/pictures.py

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
