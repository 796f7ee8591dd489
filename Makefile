# Each target sets up what it needs; the first one takes a minute or two for that.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= python3

# The tests start hundreds of processes: compiled modules are kept, whatever this machine prefers.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bench faults fuzz torture soak clean

demo: $(READY)
	$(BIN)/streamctl demo

test: lint
	$(BIN)/pytest --numprocesses 5 --dist load --maxschedchunk 1

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint cloudformation/*.yaml

faults: $(READY)
	$(BIN)/python -m tests.e2e.faults

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz

torture: $(READY)
	$(BIN)/pytest -m torture
	$(BIN)/python -m tests.e2e.torture

soak: $(READY)
	STREAMCTL_MODEL_STEPS=1000000 $(BIN)/pytest -s --timeout 1800 tests/model -k nothing_is_killed

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Nothing is compiled ahead: that took a third of the time, and most of it is never imported.
$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "streamctl needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	touch $@
