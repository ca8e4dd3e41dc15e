"""What an import into a registry costs, beside the floor: the same rows read with Polars and written by the driver alone.

    python bench/registry.py WHERE [--patients 10000] [--rows 150]

WHERE: a new file (SQLite), or the address of an empty PostgreSQL database. Rows of a patient: laboratory values of six codes, drawn.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import sqlalchemy as sa

from bence import Chart, read
from bence.registry import Access, Store
from bence.registry.bulk import insert
from bence.registry.database import Database

LEAD = Access("lead", ["centre_lead", "administrator"], ["WH"])
CODES = {"hemoglobin": ("g/L", 60, 160), "calcium": ("mmol/L", 2, 3), "albumin": ("g/L", 25, 50), "creatinine": ("umol/L", 50, 300),
         "b2m": ("mg/L", 1, 12), "serum_m_protein": ("g/L", 0, 60)}  # fmt: skip


def main() -> None:
    """Write a chart, import it, read it, import it again, take it back; each beside the floor."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("where")
    said.add_argument("--patients", type=int, default=10_000)
    said.add_argument("--rows", type=int, default=150)
    given = said.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        drawn(given.patients, given.rows).write(folder, "parquet")
        rows = given.patients * (given.rows + 1)
        store = Store.create(given.where, {"WH": ("Wuhan", "武汉")}, LEAD)
        with timed("floor: read the files, write one plain table", rows):
            floor(given.where, folder)
        with timed("import", rows):
            done = store.import_chart(LEAD, folder, "bench")
        with timed("import again, nothing new", rows):
            again = store.import_chart(LEAD, folder, "bench")
        assert again.counts["same"] == rows
        with timed("the chart of all", rows):
            store.chart(LEAD)
        with timed("verify, with the content of every change", rows):
            assert store.verify(LEAD).whole
        with timed("take the import back", rows):
            store.undo(LEAD, done.change or 0, "bench")
        store.close()
    print(f"{'memory':48s}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:9.1f} GB")


def drawn(patients: int, rows: int) -> Chart:
    """A chart without any two rows the same."""
    luck = np.random.default_rng(1)
    n = patients * rows
    kinds = luck.integers(0, len(CODES), n)
    units, low, high = (np.array([code[i] for code in CODES.values()]) for i in range(3))
    keys = [f"P{i:06d}" for i in range(patients)]
    people = pl.DataFrame({"patient": keys, "centre": "WH", "sex": "female", "born_on": "1930"})
    lab = {
        "patient": np.repeat(np.array(keys), rows),
        "on": pl.Series(luck.integers(15_000, 20_000, n).astype("i4")).cast(pl.Date),
        "what": np.array(list(CODES))[kinds],
        "value": luck.uniform(low[kinds], high[kinds]),
        "unit": units[kinds],
    }
    return Chart(people, pl.DataFrame(lab).with_columns(source=pl.format("lab.csv:{}", pl.int_range(pl.len()))))


def floor(where: str, folder: Path) -> None:
    """The same files read, and their rows put into a table without keys, guards and history."""
    rows = read(folder).observations
    kinds = {pl.String: sa.Text, pl.Date: sa.Date, pl.Float64: sa.Double}
    columns = [sa.Column(name, kinds[type(dtype)]) for name, dtype in rows.schema.items()]
    table = sa.Table("plain", sa.MetaData(), *columns, prefixes=["temporary"])
    database = Database(where)
    with database.engine.connect().execution_options(bence_write=True) as connection:
        table.create(connection)
        insert(connection, table, rows)
        connection.commit()
    database.close()


@contextmanager
def timed(name: str, rows: int) -> Iterator[None]:
    """Print what is done inside: seconds, and rows a second."""
    start = time.perf_counter()
    yield
    took = time.perf_counter() - start
    print(f"{name:48s}{took:9.1f} s{rows / took:12,.0f} rows/s", flush=True)


if __name__ == "__main__":
    main()
