# Every target installs what is missing into .venv and then runs. It needs Python 3.11 or later with venv, and pip.
PYTHON ?= python3.11
BIN := .venv/bin
export GADA_CACHE ?= $(CURDIR)/.cache
MAKEFLAGS += --no-print-directory

.PHONY: demo test test-all check format bench clean

demo: .venv/installed
	$(BIN)/python -m gada synthesize --references data/photos --recipe live --scores proxy --out data/live-like
	$(BIN)/python -m gada fit --config configs/demo.yaml

test: .venv/installed-dev
	$(BIN)/python -m pytest

test-all: .venv/installed-dev
	$(BIN)/python -m pytest -m "not gpu"

check: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed-dev
	PYTHONPATH=tests $(BIN)/python -m bench_training
	PYTHONPATH=tests $(BIN)/python -m bench_scoring

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch .venv/installed $@

clean:
	rm -rf .venv .cache runs data/live-like .mypy_cache .ruff_cache .pytest_cache
