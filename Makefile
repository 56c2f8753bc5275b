# `make` alone says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Let Python keep what it has compiled, whatever the environment says: to compile all tests again takes two processes 5 s each.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
IN_PROCESS := 'not slow or further'  # all cases, without real processes, browsers and many rows

.PHONY: help test fast shuffled pythons lint types demo main-job house torture many-grants page-kills first-sync mutants contract bench picture reference lowest newest smoke lock clean fuzz fuzz-import

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Debian splits venv off into a package of its own; --group needs a pip younger than Debian's. The lock holds developers
# and CI to the same versions; `make lock` chooses them anew.
$(READY): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv $(VENV) || { apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev --constraint requirements-dev.lock
	@touch $@

test: lint types $(READY) ## Everything that must hold before a commit: lint, types, all tests
	$(PYTEST) -n auto

fast: $(READY) ## The tests that answer in half a minute
	$(PYTEST) -n auto -m 'not slow'

shuffled: $(READY) ## All tests within one process in random order, in another time zone and locale; SEED= for an order seen before
	TZ=Asia/Kolkata LANG=C LC_ALL=C $(PYTEST) -n auto -m $(IN_PROCESS) -p randomly --verbosity=0 $(if $(SEED),--randomly-seed=$(SEED))

pythons: ## All tests within one process with each Python that is allowed and found here, in an environment of its own; OTHERS=1 leaves out that of `make test`
	$(PYTHON) scripts/pythons.py $(if $(OTHERS),--others)

lint: $(READY) ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Types, strictly
	$(BIN)/mypy

demo: $(READY) ## The whole story on this machine, with real commands and their real output
	$(BIN)/credly demo

main-job: $(READY) ## The main job on a sample, and on the real input where it lies beside this repository; with figures
	$(BIN)/python scripts/main_job.py

house: $(READY) ## Measure the code, as a table; AT=REV beside a revision, SUITE=1 with the time of the fast tests
	$(BIN)/python scripts/house.py $(if $(AT),--at $(AT)) $(if $(SUITE),--suite)

torture: $(READY) ## Kill 200 runs over 1,000 grants, then try 2,000 random histories (about 10 and 40 minutes); KILLS=, GRANTS=, HISTORIES=, WORKERS=, SEED=; 0 leaves out
	$(if $(filter 0,$(KILLS)),,$(BIN)/python -m tests.torture.kills $(if $(KILLS),--kills $(KILLS)) $(if $(GRANTS),--grants $(GRANTS)) $(if $(SEED),--seed $(SEED)))
	$(if $(filter 0,$(HISTORIES)),,$(BIN)/python -m tests.torture.histories $(if $(HISTORIES),--histories $(HISTORIES)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(SEED),--seed $(SEED)))

many-grants: $(READY) ## Issue 100,000 badges in one run, 8 at a time, and count (about 10 minutes); GRANTS=
	$(BIN)/python -m tests.torture.many_grants $(if $(GRANTS),--grants $(GRANTS))

page-kills: $(READY) ## Kill `publish` 50 times at random while learners change, and compare every page (about 2 minutes); KILLS=, LEARNERS=, SEED=
	$(BIN)/python -m tests.torture.page_kills $(if $(KILLS),--kills $(KILLS)) $(if $(LEARNERS),--learners $(LEARNERS)) $(if $(SEED),--seed $(SEED))

first-sync: $(READY) ## Kill the first sync of 200,000 events and 10,000 users of an LMS ten times (about 10 minutes); EVENTS=, USERS=, KILLS=; LMS=xapi: of a record store
	PYTHONPATH=. $(BIN)/python scripts/first_sync_with_kills.py $(if $(LMS),--lms $(LMS)) $(if $(EVENTS),--events $(EVENTS)) $(if $(USERS),--users $(USERS)) $(if $(KILLS),--kills $(KILLS))

mutants: $(READY) ## Break the program in one line at a time, and see the tests notice (about 5 minutes); ONLY=name; RANDOM=200 SEED=7 ONLY=issuing/ for lines drawn by lot (about 30 minutes)
	$(if $(filter command line,$(origin RANDOM)),$(BIN)/python -m tests.torture.random_mutants --count $(RANDOM) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)),$(BIN)/python -m tests.torture.mutants $(ONLY))

fuzz: $(READY) ## Change correct exports in one place, 20,000 times (COUNT=, SEED=): read the same, or loudly otherwise (about a minute)
	$(BIN)/python -m tests.lms.fuzz $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

fuzz-import: $(READY) ## The same through import, into a store and the plan: 2,000 changes (COUNT=, SEED=; about half a minute)
	$(BIN)/python -m tests.lms.fuzz_import $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

contract: $(READY) ## Ask Credly's own sandbox what is not known of it; CREDLY_TOKEN_FILE=, CREDLY_TEST_EMAIL=, CREDLY_TEST_BADGES=
	$(BIN)/python -m tests.contract_with_credly

bench: $(READY) ## How fast it is, beside what it must be; ONLY=reading for a part
	$(BIN)/python -m benchmarks $(ONLY)

reference: $(READY) ## Write docs/reference.md and the man page anew from the program
	PYTHONPATH=. $(BIN)/python scripts/reference.py
	PYTHONPATH=. $(BIN)/python scripts/man_page.py

lowest: ## All tests within one process with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-lowest/bin/python -m pip install --quiet --editable . --group dev --constraint tests/lowest.txt
	.venv-lowest/bin/python -m pytest -n auto -m $(IN_PROCESS)

newest: ## All tests within one process with the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-newest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable . --group dev
	.venv-newest/bin/python -m pytest -n auto -m $(IN_PROCESS)

smoke: ## The wheel, installed alone in an empty environment, tells its story
	rm -rf dist .venv-smoke && $(PYTHON) -m venv .venv-smoke
	.venv-smoke/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	.venv-smoke/bin/python -m pip install --quiet dist/credly_cli-*.whl
	cd / && $(CURDIR)/.venv-smoke/bin/credly --version && $(CURDIR)/.venv-smoke/bin/credly demo --quiet
	test -f .venv-smoke/share/man/man1/credly.1 && test -f .venv-smoke/share/credly-cli/sample_config.toml

lock: ## Choose the versions anew that developers and CI work with
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-lock/bin/python -m pip install --quiet --editable . --group dev
	.venv-lock/bin/python -m pip freeze --exclude-editable > requirements-dev.lock

picture: $(READY) ## Draw the demo's output for the README anew
	$(BIN)/python scripts/picture.py

clean: ## Remove what was made here
	rm -rf $(VENV) .venv-* .ralph .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
