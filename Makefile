# make lab     open the course             make test    every check, as in CI
# make quick   lint, unit, contract, sync  make lessons build the notebooks from their sources
.PHONY: help env find-python dev instructor lab lessons lint quick nbval browser test refit site scale binder latest record lock clean
.DEFAULT_GOAL := help
SHELL := /bin/sh

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python

# The first Python from 3.12 to 3.14 on this machine that can make an environment (Debian's needs
# python3-venv for that): PYTHON=..., then by name, then pyenv's and uv's.
FIND_PYTHON = bare=; for candidate in "$(PYTHON)" python3.13 python3.14 python3.12 python3 python \
	$$(ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[234]*/bin/python \
	  "$${UV_PYTHON_INSTALL_DIR:-$$HOME/.local/share/uv/python}"/cpython-3.1[234]*/bin/python3 2>/dev/null); do \
	  [ -n "$$candidate" ] || continue; \
	  "$$candidate" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1 || continue; \
	  "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 || { bare="$$candidate"; continue; }; \
	  echo "$$candidate"; exit 0; done; \
	if [ -n "$$bare" ]; then echo "$$bare cannot make environments: type \"sudo apt-get install python3-venv\", then call make again." >&2; \
	else echo "This course needs Python 3.12, 3.13 or 3.14: install one from python.org, then call make again (or make PYTHON=/path/to/python)." >&2; fi; exit 1

# In a container the learner is often root, whom Jupyter refuses unless told.
AS_ROOT = $$([ "$$(id -u)" = 0 ] && echo --allow-root)

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

env: .venv/.learner  ## make .venv with the locked versions, and nothing else

.venv/.learner: requirements.txt pyproject.toml requirements.in
	@$(PY) -m pip --version >/dev/null 2>&1 || { python=$$($(FIND_PYTHON)) && "$$python" -m venv --clear .venv; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

find-python:
	@$(FIND_PYTHON)

dev: .venv/.dev

.venv/.dev: .venv/.learner requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

instructor: .venv/.instructor  ## add what is needed to hand out and to grade (INSTRUCTORS.md)

.venv/.instructor: .venv/.learner requirements-instructor.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-instructor.txt
	@touch $@

lab: env  ## open JupyterLab on the first lesson (ARGS=--no-browser for a server)
	@$(PY) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(AS_ROOT) $(ARGS)

lessons: dev  ## build both notebooks of every lesson whose source changed
	$(PY) -m utils.authoring

lint: dev  ## ruff, over code and lesson sources
	$(PY) -m tests.run_all lint

quick: dev  ## lint, unit, contract, sync: under two minutes
	$(PY) -m tests.run_all lint sync unit contract

nbval: dev  ## run every notebook and compare the checked cells
	$(PY) -m tests.run_all nbval

browser: dev  ## drive the lessons in a real JupyterLab with Chromium
	$(PY) -m tests.run_all browser

site: dev  ## build/site: all lessons with results, to read; glossary; cheat sheet as HTML and PDF
	$(PY) -m tests.browser.chromium
	$(PY) -m utils.site

test: dev  ## everything, as in CI: also proofs, golden fits, nbval, browser; ends with a count
	$(PY) -m tests.run_all

refit: dev  ## make the stored tables of data/fits anew (minutes)
	$(PY) -m utils.stored

scale: dev  ## time every engine on 1,000 to a million patients (minutes)
	$(PY) -m utils.scale

binder: dev  ## replay what Binder does, on one core: time and memory of every lesson (half an hour)
	$(PY) -m tests.binder

latest: dev  ## everything on today's newest libraries, in an environment of its own; what changed
	$(PY) -m tests.latest

record: dev  ## put the libraries and times of the last whole run into README
	$(PY) -m tests.record

lock: dev  ## write the locks anew, with the newest versions
	$(PY) -m tests.locks

clean:  ## remove the environment and every build product
	rm -rf .venv build .pytest_cache .ruff_cache *.egg-info
