# Every target installs what is missing into .venv and then runs. It needs Python 3.11 or later with venv, and pip.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export GADA_CACHE ?= $(CURDIR)/.cache
MAKEFLAGS += --no-print-directory

.PHONY: demo test test-all check audit lowest format bench gpu stress mutants tables docs checkpoints clean

demo: .venv/installed
	$(BIN)/python -m gada synthesize --references data/photos --recipe live --scores proxy --out data/live-like
	$(BIN)/python -m gada fit --config configs/demo.yaml

# The default evaluator, from the data that configs/photos.yaml names; one that fails a check of `gada trust` is not kept.
checkpoints: .venv/installed-dev
	$(BIN)/python -m gada fit --phase 3 --config configs/photos.yaml --run runs/photos
	$(BIN)/python -m gada export --model runs/photos --format gada --precision float16 --out runs/photos/photos-evaluator.safetensors
	$(BIN)/python -m gada trust --model runs/photos/photos-evaluator.safetensors --out runs/photos/trust --require
	cp runs/photos/photos-evaluator.safetensors checkpoints/
	cp runs/photos/results.jsonl docs/results/photos.jsonl
	grep '"CLIVE"' runs/photos/phase3/sets.jsonl > docs/results/photos-clive.jsonl
	grep '"TID2013-R"' runs/photos/phase3/sets.jsonl > docs/results/photos-tid2013-r.jsonl
	cp runs/photos/trust/trust.jsonl docs/results/trust.jsonl
	cp runs/photos/trust/trust.png checkpoints/photos-trust.png
	for set in photos photos-clive photos-tid2013-r; do $(BIN)/python -m gada table docs/results/$$set.jsonl --into checkpoints/photos.md || exit 1; done
	$(BIN)/python -m gada trust --results docs/results/trust.jsonl --into checkpoints/photos.md

# Side by side on all cores. The tests of a file stay together, for they share what was trained; the longest files come first.
test: .venv/installed-dev
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

test-all: .venv/installed-dev
	$(BIN)/python -m pytest -m "not gpu"

check: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive gada
	@$(MAKE) audit

# Known holes in what is installed; the advisories come from the network.
audit: .venv/installed-dev
	@$(BIN)/python tests/audit.py

# The oldest versions that pyproject.toml allows, in an environment of their own; what they warn of in newer ones is let pass.
lowest: .venv/bin/python
	$(BIN)/python tests/lowest.py > .venv/lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --editable '.[dev]' --constraint .venv/lowest.txt
	.venv-lowest/bin/python -m pytest -W default

format: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed-dev
	PYTHONPATH=tests $(BIN)/python -m bench

# Trainings on a GPU, in less than ten minutes; without one it says so.
gpu: .venv/installed-dev
	PYTHONPATH=tests $(BIN)/python -m gpu

# atheris has no wheels for some machines; its stress test then says so.
stress: .venv/installed-dev
	-$(BIN)/python -m pip install --quiet 'atheris>=3,<4'
	PYTHONPATH=tests $(BIN)/python -m stress

# Mutation testing of metrics, losses, splits and crops; fails if a mutant is neither killed nor explained. mutmut
# keeps its verdicts when only tests change, so the old ones go.
mutants: .venv/installed-dev
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8,<4'
	rm -rf mutants
	$(BIN)/mutmut run --max-children 1
	PYTHONPATH=tests $(BIN)/python -m mutants

# Every table of the pages again, from the rows that are kept: runs the commands that stand beside the tables. And the reference.
tables: .venv/installed
	@grep -hE '^python -m gada .* --into ' README.md checkpoints/*.md docs/*.md docs/results/*.md | PATH="$(CURDIR)/$(BIN):$$PATH" sh -ex
	$(BIN)/python tests/api.py

# The pages as a site, in site/index.html. A dead link fails it.
docs: .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	rm -rf .cache/pages && mkdir -p .cache/pages
	tar -cf - *.md CITATION.cff configs checkpoints/*.md checkpoints/*.png data/README.md data/photos/*.md docs | tar -xf - -C .cache/pages
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch .venv/installed $@

clean:
	rm -rf .venv .venv-lowest mutants .cache site runs data/live-like .mypy_cache .ruff_cache .pytest_cache
