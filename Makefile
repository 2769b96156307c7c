# Two commands are enough: `make up` runs it, `make test` proves it.  Each sets itself up.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
# uv is used when it is there and knows dependency groups; `make UV= …` keeps to pip.
UV ?= $(shell uv pip install --help 2>/dev/null | grep -q -e --group && command -v uv)
UV := $(UV)
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PINNED := --constraint constraints.txt --build-constraint constraints.txt
RUNTIME := --editable '.[demo]'
DEVELOPMENT := $(RUNTIME) --group dev
INPUTS := pyproject.toml constraints.txt Makefile

ifneq ($(UV),)
# uv is told to trust the certificates that the system trusts, as pip does (the variable's name has
# changed between versions of uv).  An index set up for pip alone is out of uv's reach: then pip does it.
export UV_NATIVE_TLS ?= true
export UV_SYSTEM_CERTS ?= true
install = $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode $(PINNED) $(1) \
	|| { echo "uv could not install; trying pip"; $(call pip-install,$(1)); }
else
install = $(call pip-install,$(1))
endif
pip-install = { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; } \
	&& $(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip \
	&& $(BIN)/python -m pip install --quiet $(PINNED) $(1)

.PHONY: help up demo test lint types imports unit model failpoints race chaos-vault chaos-aws simulate fuzz format bench bench-tools constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

up: $(VENV)/.runtime ## rotate, publish and show keys on the embedded store, at 127.0.0.1:8700
	@exec $(BIN)/keyvault-jwt up $(ARGS)

demo: $(VENV)/.runtime ## watch a fleet rotate, lose processes and revoke, in less than a minute
	@exec $(BIN)/keyvault-jwt demo $(ARGS)

test: lint types imports ## check style, types and import rules, then run every test
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal --cov --cov-report=term

lint: $(VENV)/.development ## check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.development ## check types, with mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright

imports: $(VENV)/.development ## check the import rules
	$(BIN)/lint-imports --no-logo

unit: $(VENV)/.development ## run the unit tests alone
	$(BIN)/pytest tests/unit

model: $(VENV)/.development ## explore what can happen, within stated bounds, and find every fault put into the code
	PYTHONHASHSEED=0 $(BIN)/python -m tests.model

failpoints: $(VENV)/.development ## kill every command, and fill its disk, at every system call (ARGS="--store vault", aws, aws-separate: at every request)
	$(BIN)/python -m tests.failpoints $(ARGS)

race: $(VENV)/.development ## let 64 processes race for one rotation, 100 times (ARGS="--store vault", "--store aws": there)
	$(BIN)/python -m tests.race $(ARGS)

chaos-vault: $(VENV)/.development ## kill the leader of three Vault nodes 20 times under a fleet at work
	$(BIN)/python -m tests.chaos_vault $(ARGS)

chaos-aws: $(VENV)/.development ## let Secrets Manager throttle, fail, deny, forget and go down under a fleet at work
	$(BIN)/python -m tests.chaos_aws $(ARGS)

format: $(VENV)/.development ## rewrite the sources in the one style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

simulate: $(VENV)/.development ## live through SEEDS random worlds, each of YEARS years if given
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) $(if $(YEARS),--years $(YEARS)) $(ARGS)

fuzz: $(VENV)/.development ## mutate 1,200,000 tokens and key sets, for ten minutes at the most, and ask three libraries too
	$(BIN)/python -m tests.fuzz --mutants 1200000 --seconds 600 --workers 2 $(ARGS)

bench: $(VENV)/.development bench-tools ## measure speed and memory (ARGS="NAME…": these figures alone); the last line is one JSON object
	$(BIN)/python -m benchmarks $(ARGS)

# Only where no systemd would start a web server that nobody asked for; else the figure says what to do.
bench-tools: ## install nginx and wrk, which `bench` measures us against: as root, in a container of Debian's
	@PATH="$$PATH:/usr/sbin"; { command -v nginx && command -v wrk; } >/dev/null && exit; \
	if [ "`id -u`" = 0 ] && command -v apt-get >/dev/null && [ ! -d /run/systemd/system ]; then \
		echo "installing nginx and wrk, which bench measures us against"; \
		{ apt-get update && DEBIAN_FRONTEND=noninteractive \
			apt-get install --yes --no-install-recommends nginx wrk; } >/dev/null 2>&1 && exit; fi; \
	echo "nginx and wrk are not both here; do: as root, apt-get install nginx wrk"

constraints: ## pin again, to the newest versions that pyproject.toml allows (needs uv)
	printf 'hatchling\npip\n' | uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--all-extras --group dev --no-config --no-header --no-annotate --no-emit-index-url \
		--output-file constraints.txt pyproject.toml -

clean: ## remove what the targets made; keys and stores stay
	rm -rf $(VENV) .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "keyvault-jwt needs Python 3.11 or newer, and none was found." >&2; \
		echo "do: install one, or name it: make PYTHON=/path/to/python3.12 …" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "keyvault-jwt needs Python 3.11 or newer; $(PYTHON) is `"$(PYTHON)" --version 2>&1`." >&2; \
		echo "do: name a newer one: make PYTHON=/path/to/python3.12 …" >&2; exit 1; }
	@"$(PYTHON)" -c 'import $(if $(UV),,ensurepip, )venv' 2>/dev/null || { \
		echo "$(PYTHON) can't make virtual environments: its venv module is not complete." >&2; \
		echo "do: install it (on Debian and Ubuntu: apt install python3-venv), then run make again" >&2; exit 1; }
	@echo "setting up $(VENV) (once)"
	@"$(PYTHON)" -m venv --clear $(if $(UV),--without-pip) $(VENV)

$(VENV)/.runtime: $(INPUTS) | $(BIN)/python
	@echo "installing what 'make up' and 'make demo' need (up to a minute)"
	@$(call install,$(RUNTIME))
	@touch $@

$(VENV)/.development: $(INPUTS) | $(BIN)/python
	@echo "installing what the checks need (up to a minute)"
	@$(call install,$(DEVELOPMENT))
	@touch $(VENV)/.runtime $@
