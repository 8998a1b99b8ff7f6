# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
BIN = .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-slow learner instructor auditor bench format constraints
.DELETE_ON_ERROR:

demo: .venv/grading
	@counterside demo

test: .venv/test
	@sh tests/prepare.sh
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	counterside lint
	counterside build --check
	python -m pytest

test-slow: .venv/test
	python -m pytest -m slow

learner instructor auditor: .venv/grading
	@counterside open $@

bench: .venv/grading
	@counterside bench player

format: .venv/test
	ruff format .
	ruff check --fix .

constraints: .venv/test
	( sed -n '/^#/p' constraints.txt; pip freeze --exclude-editable | sort -f ) > constraints.new && mv constraints.new constraints.txt

# Jupyter's own files are copied on installing, so a change of them means installing again.
LAB = $(shell find curriculum/lab -type f)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing; as root: apt-get install python3-venv" >&2; exit 1; }

.venv/grading: pyproject.toml constraints.txt $(LAB) | .venv/bin/python
	@echo "Installing what Counterside needs into .venv (once)"
	@pip install --quiet --constraint constraints.txt --editable '.[grading]'
	@touch $@

.venv/test: pyproject.toml constraints.txt $(LAB) | .venv/bin/python
	@echo "Installing what Counterside and its tests need into .venv (once)"
	@pip install --quiet --constraint constraints.txt --editable '.[grading,postgres,dask,test]'
	@touch $@ .venv/grading
