# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint lab clean

help:
	@echo "make run    the main job on drawn faces: baseline, latents, pairs, de-biased classifier, report"
	@echo "            (more: make run ARGS=\"--preset smoke\", ARGS=\"--target Smiling --seeds 3\", ...)"
	@echo "make test   the test suite"
	@echo "make lint   ruff and mypy"
	@echo "make lab    JupyterLab"
	@echo "make clean  remove the environment and caches; data/ is kept"

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("FairLab needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: $(VENV)/.installed
	$(BIN)/fairlab run $(ARGS)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check fairlab tests
	$(BIN)/ruff format --check fairlab tests
	$(BIN)/mypy

lab: $(VENV)/.installed
	$(BIN)/jupyter lab

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find fairlab tests -name __pycache__ -prune -exec rm -rf {} +
