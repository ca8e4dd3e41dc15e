"""A folder with the four tables of a chart, as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..catalogue import nearest
from ..chart import DATED, SCHEMA, TABLES, Chart, conform
from ..errors import ChartError
from .facts import events, observations, treatments
from .intake import BLANK, LINE, Intake, as_text, from_parquet, intake
from .parquet import clean_rows, trusted
from .patients import patients

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
SETTLE = {
    "patients": lambda taken, people: patients(taken),
    "observations": observations,
    "treatments": treatments,
    "events": events,
}


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
        near = nearest("patients", [path.stem for path in folder.iterdir() if path.suffix.lower() in SUFFIXES])
        raise ChartError(
            "there is no table of patients",
            where=str(folder),
            expected="patients.csv or patients.parquet",
            nearest=near,
        )
    people = intake("patients", files["patients"])
    if people.raw.is_empty():
        raise ChartError("there are no patients in it", where=files["patients"].name, expected="one row a patient")
    tables: dict[str, pl.DataFrame | pl.LazyFrame] = {"patients": patients(people)}
    rejected, tally = people.rejected, {"collapsed": people.collapsed, "blank": 0}
    whole = all(path.suffix.lower() == ".parquet" and trusted(path) for path in files.values())
    for table in DATED:
        if table in files:
            frame, taken = _table(table, files[table], tables["patients"].lazy().collect(), whole)
            tables[table] = frame
            rejected += taken.rejected
            tally["collapsed"] += taken.collapsed
            tally["blank"] += taken.blank
    faults = pl.concat(rejected).sort("file", "line", "column", nulls_last=True) if rejected else None
    return Chart(**tables, rejected=faults, tally=tally)


def faults(chart: Chart) -> pl.DataFrame:
    """What a reader would refuse in a chart that was made by a program: rows as in `chart.rejected`."""
    rejected: list[pl.DataFrame] = []
    for table, settle in SETTLE.items():
        frame = getattr(chart, table)
        lines = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(LINE)
        taken = Intake(table, table, pl.DataFrame([lines, *(as_text(column) for column in frame)]))
        settle(taken, chart.patients)
        rejected += taken.rejected
    return pl.concat([pl.DataFrame(schema=SCHEMA["rejected"]), *rejected])


def _table(table: str, path: Path, people: pl.DataFrame, whole: bool) -> tuple[pl.DataFrame | pl.LazyFrame, Intake]:
    """One of the dated tables. Of a large Parquet file only the faulty rows are read cell by cell.

    `whole`: Bence wrote all tables of the folder, so that they go together.
    """
    settle = SETTLE[table]
    if path.suffix.lower() != ".parquet":
        taken = intake(table, path)
        return settle(taken, people), taken
    if whole:
        return pl.scan_parquet(path), Intake(table, path.name, pl.DataFrame(schema={LINE: pl.Int64}))
    if table == "observations" and (sorted_out := clean_rows(path, people)) is not None:
        clean, faulty = sorted_out
        taken = from_parquet(table, path, faulty)
        mended = settle(taken, people)
        return (pl.concat([conform(clean, table), mended.lazy()]) if mended.height else clean), taken
    taken = from_parquet(table, path)
    return settle(taken, people), taken


__all__ = ["BLANK", "Intake", "events", "faults", "files_in", "observations", "patients", "read", "treatments"]
