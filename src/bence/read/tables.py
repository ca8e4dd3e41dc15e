"""A folder with the four tables of a chart, as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..catalogue import nearest
from ..chart import DATED, TABLES, Chart, conform
from ..errors import ChartError
from .facts import events, observations, treatments
from .intake import BLANK, LINE, Intake, from_parquet, intake
from .parquet import clean_rows, trusted
from .patients import patients

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")


def files_in(folder: Path) -> dict[str, Path]:
    """The file of each table in a folder; ChartError if a table is there twice."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        table = path.stem.lower()
        if table not in TABLES or path.suffix.lower() not in SUFFIXES:
            continue
        if table in found:
            names = f"{found[table].name} and {path.name}"
            raise ChartError(f"{names} are the same table", where=str(folder), expected="one file a table")
        found[table] = path
    return found


def read(folder: Path) -> Chart:
    """The chart in a folder of `patients`, `observations`, `treatments` and `events` (.csv or .parquet).

    Only `patients` must be there. ChartError for what is wrong with a whole file.
    """
    files = files_in(folder)
    if "patients" not in files:
        near = nearest("patients.csv", [path.name for path in folder.iterdir()])
        raise ChartError(
            "there is no table of patients",
            where=str(folder),
            expected="patients.csv or patients.parquet",
            nearest=near,
        )
    people = intake("patients", files["patients"])
    tables: dict[str, pl.DataFrame | pl.LazyFrame] = {"patients": patients(people)}
    rejected, tally = people.rejected, {"collapsed": people.collapsed, "blank": 0}
    for table in DATED:
        if table in files:
            frame, taken = _table(table, files[table], tables["patients"].lazy().collect())
            tables[table] = frame
            rejected += taken.rejected
            tally["collapsed"] += taken.collapsed
            tally["blank"] += taken.blank
    faults = pl.concat(rejected).sort("file", "line", "column", nulls_last=True) if rejected else None
    return Chart(**tables, rejected=faults, tally=tally)


def _table(table: str, path: Path, people: pl.DataFrame) -> tuple[pl.DataFrame | pl.LazyFrame, Intake]:
    """One of the dated tables. Of a large Parquet file only the faulty rows are read cell by cell."""
    settle = {"observations": observations, "treatments": treatments, "events": events}[table]
    if path.suffix.lower() != ".parquet":
        taken = intake(table, path)
        return settle(taken, people), taken
    if trusted(path):
        return pl.scan_parquet(path), Intake(table, path.name, pl.DataFrame(schema={LINE: pl.Int64}))
    if table == "observations" and (sorted_out := clean_rows(path, people)) is not None:
        clean, faulty = sorted_out
        taken = from_parquet(table, path, faulty)
        mended = settle(taken, people)
        return (pl.concat([conform(clean, table), mended.lazy()]) if mended.height else clean), taken
    taken = from_parquet(table, path)
    return settle(taken, people), taken


__all__ = ["BLANK", "Intake", "events", "files_in", "observations", "patients", "read", "treatments"]
