# Every developer command. `make demo` and `make test` need only Python >= 3.11, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# one more than there are cores: browsers, databases and servers are waited for
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

unexport PYTHONDONTWRITEBYTECODE  # tests start many interpreters: each compiles only what is new

.PHONY: demo test bench docs lint lock clean

demo: $(VENV)/demo.stamp          ## set up, assess the synthetic demo cohort, print a table and the page to open
	$(BIN)/bence demo --out demo-out

test: $(VENV)/test.stamp          ## the whole test suite: style, types, import arrows, tests, documentation
	$(BIN)/ruff check src tests bench
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	POLARS_MAX_THREADS=1 $(BIN)/pytest -n $(WORKERS)
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

bench: $(VENV)/bench.stamp        ## timings beside the floor and beside what people use now; not a test (half an hour, 20 GB of memory)
	$(BIN)/python bench/run.py

docs: $(VENV)/test.stamp
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

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
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/demo.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/test.stamp: $(VENV)/demo.stamp requirements/test.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt
	touch $@

$(VENV)/bench.stamp: $(VENV)/demo.stamp requirements/bench.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

clean:
	rm -rf $(VENV) demo-out docs/_build .pytest_cache .ruff_cache .hypothesis
