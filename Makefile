# Every target makes what it needs: on a fresh machine with CPython 3.11+ nothing else has to be typed.
PYTHON ?= python3
VENV   ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test prove check format bench clean

demo: $(VENV)/.run  ## run the first scenario with its own solution and print the verdict
	$(BIN)/labsim demo

test: $(VENV)/.dev  ## run all tests; whole scenarios last and by themselves, since they judge timing
	$(BIN)/pytest -n 3 -m "not scenario"
	$(BIN)/pytest -n 3 --dist loadfile -m scenario
	$(BIN)/labsim test scenarios --seeds 3

prove: $(VENV)/.dev  ## prove all scenarios: nobody, the solution and every wrong answer, three seeds each
	$(BIN)/labsim test scenarios --seeds 3

check: $(VENV)/.dev  ## format, lint, types, import contracts, scenarios: everything but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/labsim lint scenarios

format: $(VENV)/.dev  ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## compare with the stock libraries, side by side
	$(BIN)/python benchmarks/opcua_start.py

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.run: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@
	touch $(VENV)/.run
