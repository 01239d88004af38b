# Everything a contributor runs. Needs Python 3.11 or later, make and git; the rest is put into
# .venv, from hashed requirements. A second run installs nothing unless a requirement changed.

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
TOYS_INSTALL = $(subst $(BIN)/,$(TOYS)/bin/,$(INSTALL))
COMPILE := uv pip compile pyproject.toml --quiet --generate-hashes --python-version 3.11 --universal

# Stamps: what is in .venv. Each stands on the one before, so that `make -j` never runs two pips.
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime
PACKAGE := $(VENV)/.package
DEV := $(VENV)/.dev
# A Python of its own for the tests with torch, which is heavy and has opinions of its own.
TOYS := $(VENV)/transformers
TRANSFORMERS := $(TOYS)/.transformers
CUDA := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
	nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver \
	nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 \
	nvidia-nvtx triton
TORCH_BESIDE := filelock fsspec jinja2 markupsafe mpmath networkx setuptools sympy typing-extensions

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-transformers check format lint types imports fresh bench docs lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 \2/p' Makefile \
		| while read -r make target help; do printf '%s %-7s %s\n' "$$make" "$$target" "$$help"; done

demo: $(PACKAGE) ## Show what Headway does, on this machine, in under a minute
	@$(BIN)/headway demo

test: $(DEV) ## Run the tests; ARGS="-k cancel" narrows them
	@$(BIN)/pytest -q $(ARGS)

test-transformers: $(DEV) $(TRANSFORMERS) ## Run the tests with Hugging Face transformers, in a Python of its own
	@CI=true $(BIN)/pytest -q -n0 tests/compat/test_transformers.py $(ARGS)

check: format lint types imports fresh ## Check format, lint, types, layers and generated pages

format: $(DEV)
	@$(BIN)/ruff format --check --quiet . \
		|| { echo "format: run $(BIN)/ruff format on the files above" >&2; exit 1; }

lint: $(DEV)
	@$(BIN)/ruff check --quiet .

types: $(DEV)
	@$(BIN)/basedpyright --level error

imports: $(DEV)
	@output=$$($(BIN)/lint-imports --no-cache 2>&1) || { printf '%s\n' "$$output" >&2; exit 1; }

fresh: $(PACKAGE)
	@$(BIN)/python docs/generate.py --check

bench: $(DEV) ## Measure Headway and its peers, print the figures, write docs/benchmarks.md
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(PACKAGE) ## Make the generated pages and blocks under docs/ again
	@$(BIN)/python docs/generate.py

lock: ## Pin the newest versions that pyproject.toml allows (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH" >&2; exit 1; }
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --upgrade --group build -o requirements/runtime.txt
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --upgrade --group dev \
		-c requirements/runtime.txt -o requirements/dev.txt
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --upgrade --group transformers \
		-c requirements/runtime.txt $(CUDA:%=--no-emit-package %) --no-emit-package torch \
		-o requirements/transformers.txt
	@sed -n 's/^\(torch==[0-9.]*\).*/\1/p' requirements/torch-cpu.txt \
		| UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile - --quiet --upgrade --generate-hashes \
		--python-version 3.11 --universal $(TORCH_BESIDE:%=--no-emit-package %) \
		-o requirements/torch-cuda.txt

clean: ## Remove .venv, caches and build output
	@rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# PYTHON=/path/to/python chooses the interpreter. Each candidate is run, not only looked up: a
# version manager may leave a python3.13 on the PATH that starts nothing.
$(MADE):
	@if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; \
	else set -- python3.13 python3.12 python3.11 python3 python; fi; \
	for python; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "make: no Python 3.11 or later among: $$*; install one, or name one: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "make: $$found cannot make virtual environments; on Debian or Ubuntu: apt install python$$version-venv" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV)
	@touch $@

$(RUNTIME): requirements/runtime.txt $(MADE)
	@echo "Installing requirements/runtime.txt"
	@$(INSTALL) --require-hashes -r requirements/runtime.txt
	@touch $@

$(PACKAGE): pyproject.toml compat/azureml/pyproject.toml $(RUNTIME)
	@$(INSTALL) --no-build-isolation --no-deps -e . -e compat/azureml
	@touch $@

$(DEV): requirements/dev.txt $(PACKAGE)
	@echo "Installing requirements/dev.txt"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# PyPI's torch for Linux needs gigabytes of CUDA to be imported, so a build without is tried first.
$(TRANSFORMERS): requirements/transformers.txt requirements/torch-cpu.txt requirements/torch-cuda.txt \
		$(PACKAGE)
	@echo "Installing requirements/transformers.txt and torch into $(TOYS)"
	@$(BIN)/python -m venv --clear $(TOYS)
	@$(TOYS_INSTALL) --require-hashes -r requirements/transformers.txt --no-deps
	@$(TOYS_INSTALL) --require-hashes -r requirements/torch-cpu.txt --no-deps 2>/dev/null \
		|| $(TOYS_INSTALL) --require-hashes -r requirements/torch-cuda.txt --no-deps
	@$(TOYS_INSTALL) --no-build-isolation --no-deps -e . -e compat/azureml
	@touch $@
