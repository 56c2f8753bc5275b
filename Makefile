# `make` alone says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help test fast lint types demo main-job bench picture reference clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Debian splits venv off into a package of its own; --group needs a pip younger than Debian's.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV) || { apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

test: lint types $(READY) ## Everything that must hold before a commit: lint, types, all tests
	$(BIN)/python -m pytest -n auto

fast: $(READY) ## The tests that answer in seconds
	$(BIN)/python -m pytest -n auto -m 'not slow'

lint: $(READY) ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Types, strictly
	$(BIN)/mypy

demo: $(READY) ## The whole story on this machine, with real commands and their real output
	$(BIN)/credly demo

main-job: $(READY) ## The main job on the real input beside this repository, with its figures
	$(BIN)/python scripts/main_job.py

bench: $(READY) ## How fast it is, beside what it must be; ONLY=reading for a part
	$(BIN)/python -m benchmarks $(ONLY)

reference: $(READY) ## Write docs/reference.md anew from the program
	PYTHONPATH=. $(BIN)/python scripts/reference.py

picture: $(READY) ## Draw the demo's output for the README anew
	$(BIN)/python scripts/picture.py

clean: ## Remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
