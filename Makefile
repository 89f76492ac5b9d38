# `make` prints the targets. Everything runs in .venv, which scripts/install.sh makes and keeps in step with setup.py and constraints.txt.
# On another Python, in an environment of its own: make test-quick PYTHON=python3.13 VENV=.venv-3.13
.DEFAULT_GOAL := help
.PHONY: help install lint types test test-quick test-slow test-runners test-minio test-thorough bench profile docs constraints clean

VENV := $(or $(REKINDLE_VENV),.venv)
BIN := $(VENV)/bin
PYTEST_WORKERS ?= auto
PYTEST_FLAGS ?=
BENCH_FLAGS ?=
PROFILE_FLAGS ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 16

install: ## .venv with all that developing takes
	@scripts/install.sh demo,test,dev

lint: install ## ruff, then mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

types: install ## mypy alone
	$(BIN)/mypy

test: test-quick test-slow ## all tests that pip's packages are enough for, the quick ones first

test-quick: install ## those of them that are not marked slow
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not slow and not runner" $(PYTEST_FLAGS)

test-slow: install ## those of them that are: whole jobs and processes
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "slow and not runner" $(PYTEST_FLAGS)

test-runners: install ## the tests on Flink, Spark and Prism, and of HEC's clients, all brought into ~/.cache/rekindle
	REKINDLE_RUNNERS=required $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m runner

test-minio: install ## the tests that use S3, on MinIO instead of moto
	REKINDLE_RUNNERS=required $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --s3=minio

test-thorough: install ## the same as test, those of what is killed, random or at once in full numbers: an hour more
	REKINDLE_TESTS=thorough $(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not runner"

bench: ## the reference workloads, 1 GiB each, against the bare loop and the peers; writes benchmarks/RESULTS.md
	@scripts/install.sh demo,bench
	$(BIN)/python -m benchmarks.run $(BENCH_FLAGS)
	$(BIN)/python -m benchmarks.stages
	$(BIN)/python -m benchmarks.pipelines

profile: install ## CPU by step and idle cores by cause, 256 MiB a workload; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.step_profile $(PROFILE_FLAGS)

docs: install ## write the pages of docs/ that are generated from the code
	$(BIN)/python -m scripts.make_docs

constraints: ## renew constraints.txt from setup.py (takes uv; users don't need it)
	uv pip compile setup.py --extra demo --extra service --extra test --extra bench --extra dev --universal --python-version 3.10 --upgrade \
	    --no-annotate --custom-compile-command "make constraints" --output-file constraints.txt

clean: ## remove .venv, caches and the demonstration's hot tier
	rm -rf .venv .venv.lock .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* hot-tier benchmarks/work *.egg-info
