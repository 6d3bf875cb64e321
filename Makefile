# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test bench robustness lint docs lab clean

help:
	@echo "make run    the main job on drawn faces: baseline, latents, pairs, de-biased classifier, report"
	@echo "            (more: make run ARGS=\"--preset smoke\", ARGS=\"--target Smiling --seeds 5\", ...)"
	@echo "make test   the test suite, a worker for each core (about 20 minutes on two)"
	@echo "make bench  the benchmarks, which the suite leaves out"
	@echo "make robustness  kills, damaged files, odd inputs, full disks, in numbers (about half an hour)"
	@echo "make lint   ruff and mypy"
	@echo "make docs   the documentation, into site/"
	@echo "make lab    JupyterLab, at the first notebook"
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

# The browser tests drive JupyterLab in Chromium; where none can be had, they are skipped and say so.
$(VENV)/.browser: $(VENV)/.installed-dev
	command -v chromium || command -v chromium-browser || command -v google-chrome || $(BIN)/playwright install chromium \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } \
	  || echo "No Chromium could be installed: the browser tests will be skipped."
	touch $@

test: $(VENV)/.browser
	$(BIN)/python -m pytest -m "not benchmark and not robustness" -n auto --dist loadfile $(ARGS)

bench: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m benchmark -s tests/benchmarks tests/browser $(ARGS)

robustness: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m robustness -s tests/robustness $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check fairlab tests notebooks examples docs/hooks.py
	$(BIN)/ruff format --check fairlab tests notebooks examples docs/hooks.py
	$(BIN)/mypy

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build $(ARGS)

lab: $(VENV)/.installed
	$(BIN)/jupyter lab --ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/00_biased_faces.ipynb $(ARGS)

clean:
	rm -rf $(VENV) build site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find fairlab tests -name __pycache__ -prune -exec rm -rf {} +
