# Every target sets up .venv by itself, and only when the lock or the package's own metadata changed.
SHELL := /bin/sh
PYTHON ?= python3
DATA ?= embedded
LOCK := $(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
READY := .venv/.ready-$(LOCK)
BIN := .venv/bin
WORKERS ?= 2
SHOTS ?= _build/look

.PHONY: setup book test test-all check look lab clean

setup: $(READY)

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: set PYTHON=") if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f .venv/.ready-*; touch $@

book: $(READY)  ## run all notebooks and build the book; DATA=real for the published one
	$(BIN)/citylib book book/plans/$(DATA).toml --workers $(WORKERS)

test: $(READY)  ## every test but those marked slow
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --dist worksteal --durations 20

test-all: $(READY)  ## every test, and which lines none of them reached: that takes over twice as long
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered

check: $(READY)  ## lint, format, types, docstrings, notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.architecture.docstrings
	$(BIN)/python -m tests.architecture.notebooks

look: $(READY)  ## crawl the book last built in Chromium, every page, wide and light, narrow and dark
	$(BIN)/python -m tests.book.look $(if $(SHOTS),--shots $(SHOTS))

lab: $(READY)  ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

clean:
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
