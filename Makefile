# `make run` and `make test` do all the set-up themselves. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KVM := $(VENV)/.kvm
CONSOLE := ui/node_modules/.ready
UI := ui/dist/.built
UI_SOURCES := $(shell find ui/src ui/public) $(wildcard ui/*.html ui/*.ts ui/package.json)
YEARS ?= 1
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test ui kvm console-assets lint bench dst clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(READY) $(UI) ## run the cloud on a simulated datacenter at http://127.0.0.1:8080, kept in ./data (ARGS="--pace max")
	@exec $(BIN)/cloudsim serve --demo $(ARGS)

test: $(KVM) $(UI) ## run the tests, as root also those on real hosts (ARGS="-k volumes")
	@# with Python's caches on: else each of the suite's hundreds of processes compiles all that it imports
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses 3 --dist loadgroup $(ARGS)

ui: $(UI) ## build the web UI, which the server has at /client/ (with npm)

kvm: $(KVM) ## install what real hosts and the lab need: libvirt, QEMU, ... (Debian packages, as root)

console-assets: $(CONSOLE) ## download what the web UI and consoles in the browser are made of (with npm)

lint: $(READY) $(CONSOLE) ## check style, types, the house's floors, the migrations, and the web UI's types and style
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m server.database.migrations_check
	@sh .ci/ui-check

bench: $(READY) ## run the benchmarks and write benchmarks/results.json (ARGS="store w1")
	@$(BIN)/python -m benchmarks $(ARGS)

dst: $(READY) ## test a cloud under random faults for some simulated time (YEARS=1)
	@$(BIN)/python -m tests.dst --years $(YEARS)

clean: ## remove the virtual environment and caches, but not ./data
	rm -rf $(VENV) *.egg-info build ui/dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements.lock
	@PYTHON="$(PYTHON)" sh .ci/python $(VENV)
	@echo "Setting up $(VENV): downloads about 150 MB the first time, and takes a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(CONSOLE): ui/package-lock.json .ci/console
	@if sh .ci/console; then touch $@; fi

$(UI): $(CONSOLE) $(UI_SOURCES) .ci/ui
	@if sh .ci/ui; then touch $@; fi

$(KVM): $(READY) .ci/kvm .ci/kvm-packages
	@if sh .ci/kvm $(BIN); then touch $@; fi
