# The front door. README names these targets; .ci/run calls them.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
  BIN := .venv/Scripts
else
  BIN := .venv/bin
endif
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check

.PHONY: run demo install dev check test test-more bench mutants lock docs

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Nightdesk needs Python 3.11 or newer.')"
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PIP) install -q --require-hashes -r requirements.lock
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.installed
	$(PIP) install -q --require-hashes -r requirements-dev.lock
	@touch $@

install: .venv/.installed

dev: .venv/.dev

run: install
	@$(PY) run_production.py

demo: install
	@$(PY) run_production.py --demo

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy portal
	$(BIN)/lint-imports
	$(PY) -m pytest -q -n 2 tests/house
	$(PY) -m pytest -q -n 2 tests/core -m "not more" --cov=portal.core --cov-branch --cov-fail-under=95 --cov-report=term:skip-covered

test: dev
	$(PY) -m pytest -q -n 3 --dist worksteal -m "not more"

test-more: dev
	$(PY) tools/test_more.py

bench: dev
	$(PY) -m benchmarks

mutants: dev
	$(PY) tools/mutants.py

# Writes docs/config.md and docs/permissions.md from the program.
docs: dev
	$(PY) tools/make_docs.py

# Maintainers only: pins every dependency again. Needs "uv" on the PATH.
lock:
	echo 'setuptools==80.9.0' > build/.build.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml build/.build.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --extra dev -c requirements.lock pyproject.toml build/.build.in -o requirements-dev.lock
