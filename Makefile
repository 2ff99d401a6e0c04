# The two commands that a user needs are `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# a process a core; on large machines memory is the limit
PARALLEL := -n auto --maxprocesses 4 --dist worksteal
WITHOUT_BROWSER := --ignore tests/browser

# environments of `make test-matrix`: what each is held to besides the extra `test`, and what
# runs in it; `make test-all` runs the same tests, and all others, on the newest of everything
MATRIX := lowest sklearn-1.6 sklearn-newest jax torch
# the lower bounds of pyproject.toml, Python's too
WITH_lowest = $(shell $(PYTHON) tools/lowest_versions.py)
PYTHON_lowest = python$(shell $(PYTHON) tools/lowest_versions.py --python)
RUN_lowest = SCIPY_ARRAY_API=1 $(PYTEST) $(SKLEARN_TESTS) tests/cli tests/images tests/networks \
	tests/persistence tests/training
WITH_sklearn-1.6 := "scikit-learn==1.6.*"
WITH_sklearn-newest := --upgrade scikit-learn
SKLEARN_TESTS := tests/test_estimator_checks.py tests/test_image_checks.py tests/_sklearn \
	tests/augmentation tests/classifiers/test_partners.py \
	tests/classifiers/test_model_selection.py tests/feature_extraction/test_transformer.py \
	tests/persistence/test_safe_file.py
# with SciPy's switch on, scikit-learn skips none of its checks
RUN_sklearn-1.6 = SCIPY_ARRAY_API=1 $(PYTEST) $(SKLEARN_TESTS)
RUN_sklearn-newest = $(RUN_sklearn-1.6)
# Keras' other backends, in one process each, whose tests share what was compiled
WITH_jax := jax
RUN_jax = KERAS_BACKEND=jax $(PYTEST) -n 0 tests/backends
# a plain `torch` for Linux brings CUDA along, some GB; `make test-matrix TORCH=...` names another
TORCH ?= torch
WITH_torch := $(TORCH)
RUN_torch = KERAS_BACKEND=torch $(PYTEST) -n 0 tests/backends

.PHONY: demo test test-all test-browser coverage test-matrix check bench fuzz clean

demo: $(VENV)/installed
	@$(BIN)/python examples/digits_demo.py demo
	@echo "(. $(BIN)/activate puts skvision in reach)"

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL) $(WITHOUT_BROWSER) -m "not slow"

test-all: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL) $(WITHOUT_BROWSER)

# the report in Chromium
test-browser: $(VENV)/installed-browser
	$(BIN)/python -m pytest -n 0 tests/browser

coverage: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PARALLEL) $(WITHOUT_BROWSER) --cov=skvision --cov-branch

test-matrix: $(MATRIX:%=test-matrix-%)

test-matrix-%: PYTEST = .venv-$*/bin/python -m pytest $(PARALLEL)
test-matrix-%: .venv-%/installed
	$(RUN_$*)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml skvision
	$(BIN)/codespell

bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/run.py

# make fuzz FILES=100000 SEED=7
FILES ?= 20000
SEED ?= 0
fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.images.fuzz --files $(FILES) --seed $(SEED)

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

# Chromium by Debian's or Ubuntu's packages, where it isn't installed in another way
$(VENV)/installed-browser: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --editable ".[browser]"
	command -v npm > /dev/null || $(APT) npm
	npm install --silent --no-audit --no-fund --prefix $(VENV)/axe axe-core@4
	command -v chromium > /dev/null || $(APT) chromium
	touch $@
APT := $(if $(filter root,$(shell id -un)),,sudo )sh -c 'apt-get update && apt-get install --yes "$$0"'

.PRECIOUS: .venv-%/installed
.venv-%/installed: pyproject.toml
	$(or $(PYTHON_$*),$(PYTHON)) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --editable ".[test]" $(WITH_$*)
	touch $@

clean:
	rm -rf $(VENV) $(MATRIX:%=.venv-%) demo build *.egg-info
