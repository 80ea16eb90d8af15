# The two commands of the README are `make seed` and `make test`; each sets itself up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PAIRS ?= pairs/train.jsonl.gz
DEV ?= pairs/dev.jsonl.gz
CLEAN ?= $(wildcard clean/*.txt.gz)

.PHONY: setup seed test check lint types bench golden lexicon model ranker neural mutation commands docs dist licences floors pythons release-check clean

setup: $(READY)

build:
	mkdir -p build

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

seed: setup | build  ## Repair the seed article; its cleaned text and diff go to build/
	$(BIN)/unspin clean seeds/seed.txt --diff words
	$(BIN)/unspin clean seeds/seed.txt -o build --diff html --force

test: setup  ## Run all tests, on all processors
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

check: lint types  ## Everything that needs no data, but the tests
	$(BIN)/unspin lexicon check en-autoblog en-autoblog.curated

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup  ## Speed; and, given DEV and CLEAN, quality
	$(BIN)/python benchmarks/speed.py
	$(if $(wildcard $(DEV)),$(BIN)/python benchmarks/quality.py --pairs $(DEV) $(addprefix --clean ,$(CLEAN)))
	$(if $(wildcard $(DEV)),$(BIN)/python benchmarks/calibration.py --pairs $(DEV))

golden: setup | build  ## Write the seed's golden files anew; look at what git shows
	$(BIN)/unspin clean seeds/seed.txt > build/seed.cleaned.txt && mv build/seed.cleaned.txt seeds/
	$(BIN)/unspin clean seeds/seed.txt --diff unified > build/seed.diff && mv build/seed.diff seeds/

lexicon: setup | build  ## Learn the shipped lexicon again from PAIRS, and merge the curated entries
	$(BIN)/unspin learn $(PAIRS) -o build/learned.tsv --force
	$(BIN)/unspin lexicon merge lexicons/en-autoblog.curated.tsv build/learned.tsv -o lexicons/en-autoblog.tsv --force

model: setup  ## Compile the shipped language model again from CLEAN
	$(BIN)/unspin language compile $(CLEAN) --until 0.95 --held-out $(DEV) -o src/unspin/models/en.ngrams --force

ranker: setup  ## Train the shipped context ranker again from CLEAN
	$(BIN)/unspin train $(CLEAN) --held-out $(DEV) -o src/unspin/models/en.vectors --force

neural: setup  ## Train the shipped neural ranker again from CLEAN, PAIRS and the encoder in START; on a GPU: DEVICE=cuda
	$(BIN)/python -m pip install --quiet --editable '.[neural-train]'
	$(BIN)/unspin train --ranker neural $(CLEAN) --pairs $(PAIRS) --held-out $(DEV) --tune $(DEV) --start $(START) \
	  --device $(or $(DEVICE),cpu) --budget $(or $(BUDGET),12000000) -o src/unspin/models/en.onnx --force

dist: setup  ## Wheel and source distribution, in dist/; the same bytes for the same commit
	rm -rf dist
	SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || echo 1700000000)) \
	  $(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python -m twine check --strict dist/*

commands: setup  ## Write docs/commands.md anew
	$(BIN)/python release/commands.py

docs: setup  ## The documentation site, in build/site; any warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

licences: setup  ## The licences of all that comes with us; fails on one that is not on the list
	$(BIN)/python release/licences.py

floors: setup  ## A part of the tests with the oldest versions that pyproject.toml allows
	$(BIN)/python release/floors.py

pythons: setup  ## The same tests with the newest versions on every Python that is supported; PYTHONS="3.12 3.13" chooses
	$(BIN)/python release/pythons.py $(PYTHONS)

release-check: check test docs dist licences floors pythons  ## All that docs/release.md asks for
	$(BIN)/python benchmarks/package.py --wheel dist/*.whl

mutation: setup  ## Change the heart of the program in some 1,600 ways, one at a time: do its tests notice? An hour
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8'
	$(BIN)/python release/mutation.py $(MUTANTS)

clean:
	rm -rf mutants $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
