# seqlab: `make help` lists what can be done.
PYTHON ?= python3
CORES ?= all
VENV := .venv
INSTALLED := $(VENV)/installed

.DEFAULT_GOAL := help
.PHONY: help setup reproduce verify test lint format dashboard dashboard-stop notebook docs lock audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv with every package at its locked version

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; install a newer Python or name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.txt
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

reproduce: setup ## run the default experiment; the result is results/default/report.html
	$(VENV)/bin/snakemake --cores $(CORES) --quiet rules
	@echo "Done. Open results/default/report.html; make dashboard compares the runs."

verify: setup ## compare the finished default experiment with the committed results, or check CRATE=crate.zip
ifdef CRATE
	$(VENV)/bin/seqlab check-crate "$(CRATE)"
else
	$(VENV)/bin/snakemake --cores $(CORES) --quiet rules -- verify
endif

test: setup lint ## check style, types and the workflow, then run every test
	$(VENV)/bin/python -m pytest --numprocesses 2 --no-loadscope-reorder

lint: setup ## check style, types, the workflow and the pages
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check --compact-diff Snakefile workflow
	$(VENV)/bin/mypy
	$(VENV)/bin/snakemake --lint
	$(VENV)/bin/python tools/config_readme.py --check
	$(VENV)/bin/python tools/drawings.py --check
	$(VENV)/bin/python tools/pages.py --check
	$(VENV)/bin/python tools/links.py
	$(VENV)/bin/lint-imports --no-cache

format: setup ## format every file
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/snakefmt Snakefile workflow

dashboard: setup ## compare runs in MLflow's pages, behind a link that only you have
	$(VENV)/bin/seqlab dashboard

dashboard-stop: ## stop the dashboard that runs in another terminal
	$(VENV)/bin/seqlab dashboard --stop

notebook: setup ## run the lecture notebook, as the page results/recurrent_neural_networks.html
	$(VENV)/bin/python -m nbconvert --execute --to html --output-dir results notebooks/recurrent_neural_networks.ipynb

docs: setup ## build site/, the pages and a reference of the API, and write what pages generate from the code
	$(VENV)/bin/python tools/config_readme.py
	$(VENV)/bin/python tools/drawings.py
	$(VENV)/bin/python tools/pages.py
	$(VENV)/bin/sphinx-build --quiet --keep-going --fail-on-warning -c docs -d build/doctrees . site
	@echo "Done. Open site/index.html."

lock: ## write the versions of the packages in .venv to requirements.txt and environment.yml
	$(VENV)/bin/python tools/lock.py

audit: ## look every locked package up among known vulnerabilities; asks the package index
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	$(VENV)/audit/bin/pip-audit --requirement requirements.txt --no-deps --disable-pip --strict

clean: ## remove results, downloaded texts, caches and what was built, not .venv
	find results/ resources/ -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist site
	find benchmarks notebooks src tests tools workflow -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
