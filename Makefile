# Every developer command. `make demo` and `make test` need only Python >= 3.11, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# two more than there are cores: browsers, databases and servers are waited for
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')

unexport PYTHONDONTWRITEBYTECODE  # tests start many interpreters: each compiles only what is new

# the lock files name all that is installed, and `pip check` says if they do not; Python compiles what it imports, and nothing else
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install -q --no-compile --no-deps --require-hashes
OWN := $(PIP) install -q --no-compile --no-deps --no-build-isolation -e . && $(PIP) check

.PHONY: demo test tests types imports docs bench lint lock clean

demo: $(VENV)/demo.stamp          ## set up, assess the synthetic demo cohort, print a table and the page to open
	$(BIN)/bence demo --out demo-out

test: $(VENV)/test.stamp          ## the whole test suite: style; then types, import arrows and documentation beside the tests
	$(BIN)/ruff check src tests bench
	$(MAKE) --no-print-directory -j2 tests types imports docs

tests: $(VENV)/test.stamp         # the tests of a file in one process, as they share what is set up
	POLARS_MAX_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

types: $(VENV)/test.stamp
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/test.stamp
	$(BIN)/lint-imports

docs: $(VENV)/test.stamp
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

bench: $(VENV)/bench.stamp        ## timings beside the floor and beside what people use now; not a test (half an hour, 20 GB of memory)
	$(BIN)/python bench/run.py

lint: $(VENV)/test.stamp
	$(BIN)/ruff check --fix src tests bench
	$(BIN)/ruff format src tests bench

lock:                             ## re-resolve the hash-locked requirement files (needs uv)
	uv pip compile -q --universal --no-emit-index-url --generate-hashes --python-version 3.11 --extra report --extra xlsx pyproject.toml -o requirements/demo.txt
	uv pip compile -q --universal --no-emit-index-url --generate-hashes --python-version 3.11 --extra test --extra docs pyproject.toml -o requirements/test.txt
	uv pip compile -q --universal --no-emit-index-url --generate-hashes --python-version 3.11 --extra bench pyproject.toml -o requirements/bench.txt
	echo "hatchling" | uv pip compile -q --universal --no-emit-index-url --generate-hashes --python-version 3.11 - -o requirements/build.txt

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: $(BIN)/python requirements/demo.txt requirements/build.txt pyproject.toml
	$(LOCKED) -r requirements/build.txt -r requirements/demo.txt
	$(OWN)
	touch $@

# has all that the demo needs
$(VENV)/test.stamp: $(BIN)/python requirements/test.txt requirements/build.txt pyproject.toml
	$(LOCKED) -r requirements/build.txt -r requirements/test.txt
	$(OWN)
	touch $(VENV)/demo.stamp $@

$(VENV)/bench.stamp: $(VENV)/demo.stamp requirements/bench.txt
	$(LOCKED) -r requirements/bench.txt
	touch $@

clean:
	rm -rf $(VENV) demo-out docs/_build .pytest_cache .ruff_cache .hypothesis
