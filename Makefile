# STEDI Lakehouse. `make` alone prints this help.
SHELL := /bin/sh
PYTHON ?= python3
UV_VERSION := 0.13.9

UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-sync
# The tests that share a lake go to one of the two workers. Each has a Spark of its own, which mostly waits.
PYTEST := pytest -n 2 --dist loadgroup
# A project of its own: LocalStack and this project need different versions of the same libraries.
LOCALSTACK := $(UV) run --frozen --no-sync --directory localstack
# So is checkov's.
CHECKS := $(UV) run --frozen --no-sync --directory terraform/checks
# So is the site's.
SITE := NO_MKDOCS_2_WARNING=1 $(UV) run --frozen --no-sync --directory site
# An environment of its own: the Spark of Glue 6.0.
SPARK4 := UV_PROJECT_ENVIRONMENT=.venv-spark4 $(UV)
TERRAFORM := $(shell command -v terraform)

.DEFAULT_GOAL := help
LANDING ?=
LAKE ?= lake
ENGINE ?= auto
CONSENT ?= as-of
PAIRING ?= owner
REBUILD ?=
GLUE ?= 5.1
PLATFORM ?= aws
PROJECT ?=

.PHONY: help demo install install-dev install-spark4 install-localstack install-checks install-fast install-docs up down logs lint format hooks test test-fast test-localstack test-terraform test-spark4 test-beside test-engines test-deployment test-long docs build artifacts clean

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: Python 3.11 or newer is needed; get it from python.org, or name yours: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .tools || \
		{ rm -rf .tools; echo "error: Python's venv module is needed; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

demo: install ## Raw drops to training pairs: LANDING=dir LAKE=dir ENGINE=auto|embedded|spark CONSENT=as-of|ever PAIRING=owner|timestamp REBUILD=1
	@$(if $(filter spark,$(ENGINE)),$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --extra spark --group java,:)
	@$(RUN) stedi demo $(if $(LANDING),--landing '$(LANDING)') --lake '$(LAKE)' --engine '$(ENGINE)' \
		--consent '$(CONSENT)' --pairing '$(PAIRING)' $(if $(REBUILD),--rebuild)

install: $(UV) ## Install the embedded engine and the command line into .venv
	@$(UV) sync --quiet --frozen --inexact --compile-bytecode --python $(PYTHON)

install-dev: $(UV) ## Install everything the tests need into .venv, Spark and a Java 17 included
	@$(UV) sync --quiet --frozen --compile-bytecode --python $(PYTHON) --extra spark --group dev --group java

install-spark4: $(UV)
	@$(SPARK4) sync --quiet --frozen --compile-bytecode --python $(PYTHON) --extra spark4 --group dev --group java

install-localstack: $(UV)
	@$(UV) sync --quiet --frozen --compile-bytecode --directory localstack --group test --group lint

install-checks: $(UV)
	@$(UV) sync --quiet --frozen --compile-bytecode --directory terraform/checks

# What `make test-fast` needs: no Spark, no Java.
install-fast: $(UV)
	@$(UV) sync --quiet --frozen --inexact --compile-bytecode --python $(PYTHON) --group dev

install-docs: $(UV)
	@$(UV) sync --quiet --frozen --compile-bytecode --directory site

up: install-localstack ## Start LocalStack with Glue, Athena and Lake Formation: LAKEHOUSE_PORT=4566 LAKEHOUSE_STATE=dir
	@$(LOCALSTACK) localstack-lakehouse up

down: install-localstack ## Stop LocalStack and the jobs it runs
	@$(LOCALSTACK) localstack-lakehouse down

logs: install-localstack ## Print what LocalStack printed
	@$(LOCALSTACK) localstack-lakehouse logs

lint: install-dev install-localstack ## Check format, style and types
	@$(RUN) ruff format --check --quiet .
	@$(RUN) ruff check --quiet .
	@found=$$($(RUN) lint-imports --no-logo) || { echo "$$found"; exit 1; }
	@$(RUN) mypy
	@$(LOCALSTACK) mypy
	@$(if $(TERRAFORM),terraform fmt -check -recursive terraform,echo 'terraform is not installed, what needs it is skipped; get it from https://developer.hashicorp.com/terraform/install')

format: install-dev ## Format the code
	@$(if $(TERRAFORM),terraform fmt -recursive terraform,:)
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

hooks: install-fast ## Check format and style before each commit, types before each push
	@$(RUN) pre-commit install --install-hooks --hook-type pre-commit --hook-type pre-push

# -m replaces the default `not long`.
test-fast: install-fast ## The laws of each rule on the embedded engine, in less than 3 minutes; no Spark, no LocalStack
	@$(RUN) $(PYTEST) --engine embedded -m "rule and not long"

test: lint ## Lint, types and tests: the deployed lakehouse beside LocalStack's plugin, Terraform and both engines
	@$(MAKE) --no-print-directory -j2 test-deployment test-beside

# One after the other: each has two workers.
test-beside:
	@$(MAKE) --no-print-directory test-localstack
	@$(MAKE) --no-print-directory test-terraform
	@$(MAKE) --no-print-directory test-spark4
	@$(MAKE) --no-print-directory test-engines

test-engines: install-dev ## Only both engines
	@$(RUN) $(PYTEST) --ignore tests/deployment --ignore tests/remote

test-spark4: install-spark4 ## Only what shows that the Spark of Glue 6.0 does the same
	@$(SPARK4) run --frozen --no-sync pytest -q -k spark tests/engines/test_days.py tests/engines/test_scratch.py tests/rules/test_reference.py tests/runs/test_withdrawals.py

test-deployment: install-dev install-localstack ## Only what needs LocalStack: lakes in S3, and the lakehouse as Terraform deploys it
	@$(RUN) pytest -q tests/remote tests/deployment

test-localstack: install-localstack ## Only the tests of the plugin of LocalStack
	@$(LOCALSTACK) pytest -q

test-terraform: install-checks install-localstack ## Only Terraform: hygiene, the modules' promises, checkov on prod
	@$(CHECKS) pytest -q

test-long: lint install-checks install-spark4 ## Everything, with the slow tests, on the Spark of both Glue generations
	@$(CHECKS) pytest -q -m "long or not long"
	@$(LOCALSTACK) pytest -q -m "long or not long"
	@$(RUN) pytest -q tests/remote tests/deployment -m "long or not long"
	@$(RUN) $(PYTEST) -m "long or not long" --ignore tests/deployment --ignore tests/remote
	@$(SPARK4) run --frozen --no-sync $(PYTEST) -m "long or not long" --ignore tests/deployment --ignore tests/remote

# Not --quiet: then warnings are not counted, and --strict never fails.
docs: install-docs ## Build the documentation into build/site; a broken link or anchor is an error
	@$(SITE) mkdocs build --strict
	@echo 'docs: build/site/index.html'

build: $(UV) ## Build the wheel, for pip and for Glue
	@$(UV) build --quiet --wheel

artifacts: $(UV) ## Build what Terraform uploads for Glue's jobs to install: GLUE=5.1|6.0 PLATFORM=aws|local PROJECT=dir
	@.tools/bin/python terraform/modules/artifacts/build.py --glue '$(GLUE)' --platform '$(PLATFORM)'
	@$(if $(PROJECT),.tools/bin/python terraform/modules/artifacts/project.py '$(PROJECT)',:)

clean: ## Remove what the targets made, the lake and the drops excepted
	rm -rf .venv .venv-* localstack/.venv terraform/checks/.venv site/.venv .tools .cache build dist .pytest_cache .mypy_cache .import_linter_cache .ruff_cache .hypothesis
