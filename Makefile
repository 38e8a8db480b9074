# make demo      set everything up and run the whole system on the local stack (ARGS=--once: run it once and check it)
# make test      set up and run the tests; no torch, Docker or Java
# make check     lint and types
# make lock      renew requirements/*.txt from pyproject.toml
# make bench NAME=...   one of the benchmarks

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=

.PHONY: demo test check format lock bench setup setup-train clean

demo: setup
	@$(BIN)/triage demo $(ARGS)

test: setup
	@echo "== tests"
	@$(BIN)/python -m pytest -q -m "not training and not real" $(ARGS)

check: setup
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy

format: setup
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format -q .

bench: setup
	@$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

setup: $(VENV)/ready

# The lock file's hash is the state of the environment: unchanged, nothing is installed again.
$(VENV)/ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "triage needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@echo "== setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-train: .venv-train/ready

.venv-train/ready: requirements/train.txt pyproject.toml
	@echo "== setting up .venv-train (torch, about 6 GB; once)"
	@$(PYTHON) -m venv .venv-train
	@.venv-train/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/train.txt
	@.venv-train/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock:
	@for extra in cpu gpu openvino; do \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra $$extra --extra local \
	    pyproject.toml -o requirements/$$extra.txt; done
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --extra cpu --extra local --extra dev pyproject.toml -o requirements/dev.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --extra cpu --extra local --extra dev --extra train pyproject.toml -o requirements/train.txt

clean:
	rm -rf $(VENV) .venv-train .mypy_cache .pytest_cache .ruff_cache .hypothesis
