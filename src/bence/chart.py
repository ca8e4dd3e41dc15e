"""The chart: four tables, the only form in which patient data moves inside Bence. One row is one fact.

Only `patients` must be there. Tables and columns that are absent are unknown, never false.
A chart is sorted, typed and in canonical units; the readers see to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl

from .catalogue import nearest
from .errors import ChartError, UsageError

Frame = pl.DataFrame | pl.LazyFrame
Format = Literal["csv", "parquet"]
TABLES = ("patients", "observations", "treatments", "events")
S, D, F, I, B = pl.String(), pl.Date(), pl.Float64(), pl.Int32(), pl.Boolean()  # noqa: E741
SCHEMA: dict[str, dict[str, pl.DataType]] = {
    "patients": {
        "patient": S, "centre": S, "sex": S, "born_on": S, "heavy_chain": S, "light_chain": S,
        "died_on": D, "death_cause": S, "last_seen_on": D,
    },
    "observations": {
        "patient": S, "on": D, "what": S, "value": F, "comparator": S, "text": S,
        "unit": S, "method": S, "sample": S, "detection_limit": F, "cells": F,
        "status": S, "recorded_on": D, "source": S,
    },
    "treatments": {
        "patient": S, "started_on": D, "stopped_on": D, "what": S, "dose": F, "dose_unit": S,
        "route": S, "phase": S, "line": I, "planned": B, "stop_reason": S, "recorded_on": D, "source": S,
    },
    "events": {
        "patient": S, "on": D, "until": D, "what": S, "grade": I, "text": S, "recorded_on": D, "source": S,
    },
    "rejected": {
        "file": S, "line": pl.Int64(), "column": S, "value": S, "reason": S, "expected": S, "nearest": S,
    },
}  # fmt: skip
DATED = {"observations": "on", "treatments": "started_on", "events": "on"}
LATER = {"patients": ("died_on", "last_seen_on"), "treatments": ("stopped_on",), "events": ("until",)}
GOES_WITH = {"death_cause": "died_on", "stop_reason": "stopped_on"}  # known only once that date has come
ORDER = {"patients": ["patient"], **{table: ["patient", on, "what"] for table, on in DATED.items()}}
TRUST = {"bence": "chart 1"}  # Parquet metadata of a file that Bence wrote: its reader need not check it
ROWS_A_GROUP = 250_000
YES_NO = pl.col(pl.Boolean).replace_strict([True, False], ["yes", "no"], default=None, return_dtype=pl.String)  # as files have it


class Chart:
    """Patients with what was observed, given and happened.

    Takes frames or lazy frames; `chart.observations` is a frame, `chart.scan("observations")` stays lazy.
    `rejected` lists every cell a reader did not accept; `tally` counts what it left out without fault.

    >>> chart = Chart(pl.DataFrame({"patient": ["001"], "sex": ["female"]}))
    >>> chart.patients["born_on"].to_list(), chart.observations.height
    ([None], 0)
    """

    def __init__(
        self,
        patients: Frame,
        observations: Frame | None = None,
        treatments: Frame | None = None,
        events: Frame | None = None,
        rejected: Frame | None = None,
        *,
        tally: Mapping[str, int] | None = None,
    ) -> None:
        given = {
            "patients": patients,
            "observations": observations,
            "treatments": treatments,
            "events": events,
        }
        self._lazy = {table: conform(frame, table) for table, frame in given.items()}
        self.rejected = conform(rejected, "rejected").collect()
        self.tally = dict(tally or {})
        _check_keys(self.patients)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a lazy frame: of a large chart, only what is used is read."""
        if table not in self._lazy:
            raise UsageError(f"there is no table {table!r}", expected=", ".join(TABLES), nearest=nearest(table, TABLES))
        return self._lazy[table]

    def _frame(self, table: str) -> pl.DataFrame:
        frame = self._lazy[table].collect()
        self._lazy[table] = frame.lazy()
        return frame

    @cached_property
    def patients(self) -> pl.DataFrame:
        """One row a patient."""
        return self._frame("patients")

    @cached_property
    def observations(self) -> pl.DataFrame:
        """One row an observation: a laboratory value, a finding of imaging, a score."""
        return self._frame("observations")

    @cached_property
    def treatments(self) -> pl.DataFrame:
        """One row a drug or procedure given."""
        return self._frame("treatments")

    @cached_property
    def events(self) -> pl.DataFrame:
        """One row a thing that happened, or whose absence was recorded (`text` is `none`)."""
        return self._frame("events")

    def only(self, patient: str) -> Chart:
        """The chart of one patient; UsageError if there is no such patient."""
        known = self.patients["patient"]
        if patient not in known:
            raise UsageError(f"there is no patient {patient!r}", nearest=nearest(patient, known.head(10_000)))
        return Chart(*(self.scan(table).filter(pl.col("patient") == patient) for table in TABLES))

    def write(self, folder: str | Path, format: Format = "csv", *, replace: bool = False) -> None:
        """Write the four tables, sorted by patient, date and code.

        ChartError if a table is already there in the other format, unless `replace`, which removes it.
        """
        home = Path(folder)
        twins = _other_format(home, format, replace)
        home.mkdir(parents=True, exist_ok=True)
        for table, frame in self._lazy.items():
            target, draft = home / f"{table}.{format}", home / f".{table}.{format}.part"
            _write(ordered(frame, table), draft, format)
            draft.replace(target)
        for twin in twins:
            twin.unlink()

    def __repr__(self) -> str:
        return f"<Chart of {self.patients.height} patients>"


def conform(frame: Frame | None, table: str) -> pl.LazyFrame:
    """A table with exactly the columns and types of the schema; absent columns are null."""
    schema = SCHEMA[table]
    if frame is None:
        return pl.LazyFrame(schema=schema)
    lazy = frame.lazy()
    present = lazy.collect_schema()
    for column in present:
        if column not in schema:
            raise ChartError(f"{table} has an unknown column {column!r}", nearest=nearest(column, schema))
    columns = {name: _cast(name, present.get(name), dtype) for name, dtype in schema.items()}
    if table in DATED:
        columns["recorded_on"] = pl.coalesce(columns["recorded_on"], columns[DATED[table]])
    if "status" in columns:
        columns["status"] = columns["status"].fill_null("final")
    lazy = lazy.select(column.alias(name) for name, column in columns.items())
    return _typed(lazy, table) if isinstance(frame, pl.DataFrame) else lazy


def _cast(name: str, given: pl.DataType | None, wanted: pl.DataType) -> pl.Expr:
    if given is None:
        return pl.lit(None, wanted)
    if wanted == pl.Date and given == pl.String:
        return pl.col(name).str.to_date("%Y-%m-%d")
    return pl.col(name) if given == wanted else pl.col(name).cast(wanted)


def _typed(lazy: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Do the casts now, so that a wrong type is an error of the table it is in."""
    try:
        return lazy.collect().lazy()
    except pl.exceptions.PolarsError as error:
        raise ChartError(f"{table}: {error}", expected="dates as ISO text or dates, values as numbers") from None


def _check_keys(patients: pl.DataFrame) -> None:
    if patients["patient"].null_count():
        raise ChartError("a patient without a key", where="patients")
    twice = patients.filter(patients["patient"].is_duplicated())["patient"]
    if twice.len():
        raise ChartError(f"patient {twice[0]!r} is there twice", where="patients", expected="one row a patient")


def ordered(frame: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """The rows in an order of their own: by patient, date, code, then all other columns."""
    first = ORDER[table]
    return frame.sort([*first, *(name for name in SCHEMA[table] if name not in first)], nulls_last=True)


def _other_format(home: Path, format: str, replace: bool) -> list[Path]:
    """The same tables in the other format; ChartError if there are any and they may not be replaced."""
    other = {"csv": "parquet", "parquet": "csv"}
    if format not in other:
        raise UsageError(f"unknown format {format!r}", expected="csv or parquet", nearest=nearest(format, other))
    twins = [twin for table in TABLES if (twin := home / f"{table}.{other[format]}").exists()]
    if twins and not replace:
        what = "the table is already there in another format"
        raise ChartError(what, where=str(twins[0]), expected="an empty folder")
    return twins


def _write(frame: pl.LazyFrame, path: Path, format: str) -> None:
    if format == "parquet":
        frame.sink_parquet(path, compression="zstd", row_group_size=ROWS_A_GROUP, metadata=TRUST)
        return
    frame.with_columns(YES_NO).sink_csv(path)


def visible(chart: Chart, at: date | None) -> Chart:
    """The chart as it was known on a day: nothing later than `at`. None: the chart as it is.

    Rows dated or recorded later are gone. What had not yet happened (a stop and its reason, the end of an
    event, death, a later visit) is blank. A row without a date stays.
    """
    if at is None:
        return chart
    return Chart(*(known_by(chart.scan(table), table, at) for table in TABLES))


def known_by(frame: pl.LazyFrame, table: str, at: date | pl.Expr) -> pl.LazyFrame:
    """A table as it was known on a day, or on the day that each row names."""
    if table in DATED:
        frame = frame.filter(pl.max_horizontal(DATED[table], "recorded_on").le(at).fill_null(True))
    dates = LATER.get(table, ())
    blanked = [pl.when(pl.col(name) <= at).then(name).alias(name) for name in dates]
    blanked += [pl.when(pl.col(on).is_null() | (pl.col(on) <= at)).then(name).alias(name)
                for name, on in GOES_WITH.items() if on in dates]  # fmt: skip
    return frame.with_columns(blanked) if blanked else frame


def moved(frame: pl.LazyFrame, table: str, by: pl.Expr) -> pl.LazyFrame:
    """A table with all its dates moved by a duration; a birth is text, and moved by itself (`birth`)."""
    dates = [name for name, dtype in SCHEMA[table].items() if dtype == pl.Date]
    return frame.with_columns((pl.col(name) + by).cast(pl.Date).alias(name) for name in dates)


def birth() -> pl.Expr:
    """The date of birth; known to the year or the month alone, the middle of it."""
    told = pl.col("born_on").str.strip_chars()
    whole = pl.when(told.str.len_chars() == 4).then(told + "-07-01").when(told.str.len_chars() == 7).then(told + "-15").otherwise(told)
    return whole.str.to_date("%Y-%m-%d", strict=False)


def last_date(chart: Chart) -> date | None:
    """The last date in the chart: what `at=None` means. None if the chart has no dates at all."""
    dates = {table: [name for name, dtype in SCHEMA[table].items() if dtype == pl.Date] for table in TABLES}
    latest = pl.collect_all([chart.scan(table).select(pl.col(names).max()) for table, names in dates.items()])
    return max((day for table in latest for day in table.row(0) if day is not None), default=None)


def join(charts: list[Chart]) -> Chart:
    """Several charts as one. Of a patient in more than one, blanks are filled and the first chart wins."""
    if len(charts) == 1:
        return charts[0]
    filled = [pl.col(name).drop_nulls().first() for name in SCHEMA["patients"] if name != "patient"]
    people = pl.concat([chart.patients for chart in charts])
    others = {table: pl.concat([chart.scan(table) for chart in charts]) for table in TABLES if table != "patients"}
    rejected = pl.concat([_disagreements(people), *(chart.rejected for chart in charts)])
    tally: dict[str, int] = {}
    for chart in charts:
        for name, count in chart.tally.items():
            tally[name] = tally.get(name, 0) + count
    patients = people.group_by("patient", maintain_order=True).agg(filled)
    return Chart(patients, **others, rejected=rejected, tally=tally)


def _disagreements(people: pl.DataFrame) -> pl.DataFrame:
    """A row of `rejected` for every patient field in which the charts that are joined differ."""
    rows = []
    for name in people.columns[1:]:
        told = people.select("patient", said=pl.col(name).cast(pl.String)).drop_nulls().unique(maintain_order=True)
        for patient, said in told.group_by("patient", maintain_order=True).agg("said").iter_rows():
            reason = f"patient {patient}: {name} is {said[0]} elsewhere"
            rows += [("patients", None, name, value, reason, said[0], None) for value in said[1:]]
    return pl.DataFrame(rows, schema=SCHEMA["rejected"], orient="row")
