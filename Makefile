# Every target does its own set-up: a Python of 3.10 or newer is all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all evidence bench-gpu guard lint format types imports check tensorboard upgrade clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed, this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[study,report,export,dev]'
	touch $@

setup: $(STAMP)  ## make .venv and install the tested versions

demo: $(STAMP)  ## the whole main job on text it writes itself, a few minutes on two cores
	$(BIN)/python -m experiments.demo --overwrite=true

test: $(STAMP)  ## the default tests: no network, no GPU, no files from outside
	$(BIN)/python -m pytest -n 2

test-all: $(STAMP)  ## all tests; those on real files need KOBERT_DATA_DIR
	$(BIN)/python -m pytest -n 2 -m "not gpu"

# MAKE variables of the study: folders, the machine's config, and a slice after which it stops, to be started again.
CORPUS := data/corpus
DATA := data
TOKENIZER := data/kobert
TEACHER := exported/adapted
MULTILINGUAL := exported/multilingual
MACHINE := configs/trainer/cpu.yaml
WORKERS := 1
SLICE :=

evidence: $(STAMP)  ## the study of docs/results.md; TEACHER=DIR MULTILINGUAL=DIR CORPUS=DIR DATA=DIR SLICE=9m; start again to resume
	$(if $(SLICE),timeout $(SLICE)) $(BIN)/python -m experiments.study --config configs/study/evidence.yaml \
	  --variables.teacher=$(TEACHER) --variables.multilingual=$(MULTILINGUAL) --variables.corpus=$(CORPUS) \
	  --variables.data=$(DATA) --variables.tokenizer=$(TOKENIZER) '--machine=[-c,$(MACHINE)]' --workers=$(WORKERS) \
	  $(if $(SLICE),|| test $$? = 130 -o $$? = 124)

bench-gpu: $(STAMP)  ## on a machine with a GPU: its tests, its benchmark, and the page of numbers
	$(BIN)/python -m pytest -m gpu tests/gpu
	$(BIN)/python -m experiments.bench gpu --json docs/performance/gpu.json
	$(BIN)/python -m experiments.bench page

guard: $(STAMP)  ## refuse steps that are slower than they were, against naive ones
	$(BIN)/python -m experiments.bench guard

lint: $(STAMP)  ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)  ## apply ruff's fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP)  ## mypy, strict
	$(BIN)/mypy

imports: $(STAMP)  ## the one-way import rule
	$(BIN)/lint-imports

check: lint types imports test  ## all that must be green before a commit

tensorboard: $(STAMP)  ## open TensorBoard on runs/
	$(BIN)/tensorboard --logdir runs

upgrade:  ## newest versions in .venv-upgrade; if the tests pass there, write them to constraints.txt
	test -x .venv-upgrade/bin/python || $(PYTHON) -m venv .venv-upgrade
	.venv-upgrade/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[study,report,export,dev]'
	.venv-upgrade/bin/python -m pytest -n 2
	.venv-upgrade/bin/python .ci/constraints.py

clean:  ## remove the environment and caches, keep runs and data
	rm -rf $(VENV) .venv-upgrade build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
