# `make` alone lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
STAMP := .venv/.installed

##@ Every day
.PHONY: help
help:  ## List these (the default)
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	/^[a-z-]+:.*##/ {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

.PHONY: install
install: $(STAMP)  ## The virtual environment, with all that a developer needs

.PHONY: fix
fix: install  ## Format, and repair what a tool can repair
	$(BIN)/ruff format src tests examples
	$(BIN)/ruff check --fix src tests examples

.PHONY: check
check: style types layers templates test  ## All that a change must pass

.PHONY: test
test: install  ## Tests with branch coverage (make test ARGS='-k twice')
	$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

##@ One by one
.PHONY: style types layers templates wheel constraints
style: install  ## ruff, over all that is Python
	$(BIN)/ruff check src tests examples

types: install  ## mypy, strict
	$(BIN)/mypy

layers: install  ## Who may import whom
	$(BIN)/lint-imports

templates: install  ## cfn-lint over templates and examples
	$(BIN)/cfn-lint $(wildcard templates/*.yaml) $(wildcard examples/*/template.yaml)

wheel: install  ## Build, and look inside
	rm -rf build/wheel && $(BIN)/python -m build --wheel --outdir build/wheel .
	$(BIN)/python tests/check_wheel.py build/wheel

constraints: install  ## The versions in use, into constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable | grep -v '^pip' > constraints.txt
