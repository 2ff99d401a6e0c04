# The two commands that a user needs are `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FAST := -m "not slow"
# a process a core; on large machines memory is the limit
PARALLEL := -n auto --maxprocesses 4 --dist worksteal

.PHONY: demo test check bench clean

demo: $(VENV)/installed
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/digits_demo.py demo

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml skvision
	$(BIN)/python -m pytest $(PARALLEL) $(FAST)

bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/run.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

$(VENV)/installed-dev: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
