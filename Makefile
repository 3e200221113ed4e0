# make run   fresh checkout -> an embedding, its figures and its picture in out/
# make test  fresh checkout -> passing tests
# Everything is installed into .venv; PYTHON, DATASET, DATA_ROOT and OUT can be given on the command line.

PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
DATASET ?= python-modules
OUT ?= out
# A process for each core and one more (tests/conftest.py). Tests of one file stay together, and share what it fits; the
# longest files come first.
PYTEST_ARGS ?= --numprocesses auto --dist loadscope --no-loadscope-reorder

VENV := .venv
BIN := $(VENV)/bin
# Modules are compiled when they are first imported: most of torch never is, and the installation takes a third.
# Where that is forbidden (as in many images of Docker), every process would compile torch again, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
DATA_OPTION = $(if $(DATA_ROOT),--data-root "$(DATA_ROOT)")
ifdef DATA_ROOT
test bench: export GENURL_DATA = $(DATA_ROOT)
endif

.PHONY: run test docs notebooks lint format format-check typecheck bench clean help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.installed ## embed DATASET (default: the modules of Python itself) into OUT, with a page to explore it
	@mkdir -p "$(OUT)"
	@$(BIN)/genurl-graph embed --dataset "$(DATASET)" $(DATA_OPTION) --seed 0 \
		--output "$(OUT)/$(DATASET).npz" --metrics "$(OUT)/$(DATASET).json" --plot "$(OUT)/$(DATASET).png"
	@$(BIN)/genurl-graph explore "$(OUT)/$(DATASET).npz" --dataset "$(DATASET)" $(DATA_OPTION) \
		--run "$(OUT)/$(DATASET).json" --output "$(OUT)/$(DATASET).html" --quiet
	@printf '%-24s %s\n' "page, by a double click" "$(OUT)/$(DATASET).html"
	@printf '%s\n' "" "How to go on:" \
		"  make run DATASET=digits              images instead of a graph; karate: a tiny graph" \
		"  make run DATASET=cora                papers that cite each other (downloaded; or DATA_ROOT=folder)" \
		"  $(BIN)/genurl-graph datasets         what else there is" \
		"  $(BIN)/genurl-graph embed --input F  your own graph or table"

test: $(VENV)/.installed-test ## run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

docs: $(VENV)/.installed-docs ## write the documentation to site/ (no warnings allowed)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: $(VENV)/.installed-lint ## look for mistakes (ruff) and for imports against the order of the folders
	$(BIN)/ruff check .
	LINT_IMPORTS="$(CURDIR)/$(BIN)/lint-imports" .ci/imports

format: $(VENV)/.installed-lint ## rewrite the sources in the common format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

format-check: $(VENV)/.installed-lint ## is the format right?
	$(BIN)/ruff format --check .

typecheck: $(VENV)/.installed-lint ## mypy --strict on genurl_graph/, cli/ and datasets/
	MYPY=$(BIN)/mypy .ci/typecheck

notebooks: $(VENV)/.installed-notebooks ## run the notebooks and keep what they show (minutes)
	$(BIN)/python notebooks/execute.py

bench: $(VENV)/.installed-test ## run the timed comparisons (minutes)
	@for script in tests/benchmarks/bench_*.py; do \
		echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@echo "installing into $(VENV) (minutes, the first time)"
	$(PYTHON) -m venv $(VENV)

# Installed again only when the requirements change; the package itself is editable.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed
	$(PIP) --editable '.[lint]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable '.[docs]'
	@touch $@

$(VENV)/.installed-notebooks: $(VENV)/.installed
	$(PIP) --editable '.[notebooks]'
	@touch $@
