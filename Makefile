# make lab     open the course             make test    every check, as in CI
# make quick   lint, unit, contract, sync  make lessons build the notebooks from their sources
.PHONY: help env dev lab lessons lint quick nbval browser test lock clean
.DEFAULT_GOAL := help
SHELL := /bin/sh

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python

# The first Python from 3.12 to 3.14 on this machine: PYTHON=..., then by name, then pyenv's.
FIND_PYTHON = for candidate in "$(PYTHON)" python3.13 python3.14 python3.12 python3 python \
	$$(ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[234]*/bin/python 2>/dev/null); do \
	  [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	  && { echo "$$candidate"; exit 0; }; done; \
	echo "This course needs Python 3.12, 3.13 or 3.14: install one from python.org, then call make again (or make PYTHON=/path/to/python)." >&2; exit 1

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

env: .venv/.learner  ## make .venv with the locked versions, and nothing else

.venv/.learner: requirements.txt pyproject.toml requirements.in
	@python=$$($(FIND_PYTHON)) && { [ -x $(PY) ] || "$$python" -m venv .venv; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

dev: .venv/.dev

.venv/.dev: .venv/.learner requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lab: env  ## open JupyterLab on the first lesson (ARGS=--no-browser for a server)
	$(PY) -m jupyterlab notebooks/00_start_here.ipynb $(ARGS)

lessons: dev  ## build both notebooks of every lesson whose source changed
	$(PY) -m utils.authoring

lint: dev  ## ruff, over code and lesson sources
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

quick: lint  ## lint, unit, contract, sync: under two minutes
	$(PY) -m utils.authoring --check
	$(PY) -m pytest tests/unit tests/contract -q

nbval: dev  ## run every notebook and compare the checked cells
	$(PY) -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 120 notebooks solutions

browser: dev  ## drive the lessons in a real JupyterLab with Chromium
	$(PY) -m tests.browser.chromium
	$(PY) -m pytest tests/browser -q

test: dev  ## everything: lint, unit, contract, sync, nbval, browser; ends with a count
	$(PY) -m tests.run_all

lock: dev  ## write the locks anew from requirements.in and requirements-dev.in
	$(PY) -m uv pip compile -q --universal --python-version 3.12 --fork-strategy fewest --no-header \
	  --no-annotate --no-emit-index-url --upgrade -o requirements.txt requirements.in
	$(PY) -m uv pip compile -q --universal --python-version 3.12 --fork-strategy fewest --no-header \
	  --no-annotate --no-emit-index-url --upgrade -c requirements.txt -o requirements-dev.txt requirements-dev.in

clean:  ## remove the environment and every build product
	rm -rf .venv build .pytest_cache .ruff_cache *.egg-info
