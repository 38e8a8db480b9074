# make demo      set everything up and run the whole system on the local stack (ARGS=--once: run it once and check it)
# make test      set up and run the tests; no torch, Docker or Java (ARGS="--hypothesis-profile=explore": other examples)
# make check     lint, imports and types; make format mends what can be mended
# make reference write docs/reference and topics/schemas from the code
# make coverage  the tests that need no stack, with the share of lines and branches that they run; fails below a limit
# make faults    faults strike while records flow; nothing may be lost or twice (SEEDS=n, SOAK=minutes)
# make fuzz      hostile requests, cookies, frames, files, rules and model folders at random; nothing may break (MINUTES=10)
# make mutants   changes the pure modules at random; the tests must notice (MUTANTS=150, ARGS="--seed 2 --only rules")
# make bench NAME=...   one of the benchmarks
# make audit     hashes, consistency and known vulnerabilities of the dependencies
# make lock      renew requirements/*.txt from pyproject.toml
# make release   sdist, wheel, list of components and checksums of the last commit, in dist/
# make setup     only the environment, .venv; make setup-train: the one with torch, .venv-train; make clean removes all
# make help      this list

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=

SEEDS ?= 3
MUTANTS ?= 150
SOAK ?= 0
MINUTES ?= 10

.PHONY: demo test check coverage reference audit format lock bench faults fuzz mutants release setup setup-train clean help

demo: setup
	@$(BIN)/triage demo $(ARGS)

# One test process more than cores, as many tests wait for processes of their own; four need 3 GB of memory.
WORKERS := $(shell $(PYTHON) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")

test: setup
	@echo "== tests"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not training and not real and not demo and not slow" $(ARGS)

check: setup
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== imports"
	@$(BIN)/lint-imports --no-cache
	@echo "== types"
	@$(BIN)/mypy

coverage: setup
	@$(BIN)/python -m pytest -q --cov --cov-report=term -m "not training and not real and not demo and not stack" $(ARGS)

audit: setup
	@$(BIN)/python .ci/audit

format: setup
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format -q .

reference: setup
	@$(BIN)/python -m triage.reference docs/reference
	@$(BIN)/python -m triage.schemas.json_schema topics/schemas

bench: setup
	@$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

faults: setup
	@$(BIN)/python tests/faults/run.py --seeds $(SEEDS) --soak $(SOAK) $(ARGS)

fuzz: setup
	@$(BIN)/python tests/fuzz/run.py --minutes $(MINUTES) $(ARGS)

mutants: .venv-mutants/ready
	@.venv-mutants/bin/python tests/mutation/run.py --mutants $(MUTANTS) $(ARGS)

.venv-mutants/ready: requirements/mutants.txt pyproject.toml
	@echo "== setting up .venv-mutants (once)"
	@$(PYTHON) -m venv .venv-mutants
	@.venv-mutants/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt -r requirements/mutants.txt
	@.venv-mutants/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/ready

# The lock file's hash is the state of the environment: unchanged, nothing is installed again.
$(VENV)/ready: requirements/dev.txt requirements/cpu.txt requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "triage needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@echo "== setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-train: .venv-train/ready

.venv-train/ready: requirements/train.txt requirements/base.txt pyproject.toml
	@echo "== setting up .venv-train (torch, about 6 GB; once)"
	@$(PYTHON) -m venv .venv-train
	@.venv-train/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/train.txt
	@.venv-train/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

release: .venv-release/ready
	@.venv-release/bin/python .ci/release

.venv-release/ready: requirements/release.txt
	@$(PYTHON) -m venv .venv-release
	@.venv-release/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/release.txt
	@touch $@

lock: setup
	@$(BIN)/python .ci/lock

clean:
	rm -rf $(VENV) .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist *.egg-info

help:
	@sed -n -e '/^#/!q' -e 's/^# //p' $(firstword $(MAKEFILE_LIST))
