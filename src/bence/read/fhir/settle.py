"""What was gathered → chart, through the readers of the tables of a chart (`read.tables.SETTLE`)."""

from __future__ import annotations

import polars as pl

from ...chart import DATED, SCHEMA, Chart, ordered
from .. import light_chains
from ..intake import BLANK, LINE, OUT, Intake
from ..tables import SETTLE
from .gathered import COLUMNS, Gathered, Where
from .persons import table as patients_of

#: Column of a chart → FHIRPath below that of the row, where it is not that of the value.
PATHS = {
    "patient": ".subject", "what": ".code", "on": ".effective", "until": ".abatement", "recorded_on": ".issued", "status": ".status",
    "unit": ".unit", "comparator": ".comparator", "method": ".method", "sample": ".specimen", "started_on": ".effective.start",
    "stopped_on": ".effective.end", "dose": ".dosage.dose", "dose_unit": ".dosage.dose.unit", "route": ".dosage.route",
    "grade": ".severity", "cells": ".component", "detection_limit": ".component",
}  # fmt: skip
OF_VALUE = ("unit", "comparator")
OF_RESOURCE = {
    ("Condition", "on"): ".onset", ("Condition", "recorded_on"): ".recordedDate", ("Procedure", "started_on"): ".performed.start",
    ("Procedure", "stopped_on"): ".performed.end",
}  # fmt: skip


def settled(gathered: Gathered) -> Chart:
    """The chart of what was gathered."""
    people = patients_of(gathered)
    tables = {table: _table(gathered, table, people) for table in DATED}
    tables["observations"] = _true_light_chains(gathered, tables["observations"])
    gathered.rejected += gathered.summed_up()
    for table in tables:
        tables[table] = ordered(_sourced(gathered, tables[table]).lazy(), table).collect()
    rejected = pl.DataFrame(gathered.rejected, schema=SCHEMA["rejected"], orient="row")
    rejected = rejected.unique(maintain_order=True).sort("file", "line", "column", nulls_last=True, maintain_order=True)
    return Chart(people, **tables, rejected=rejected, tally=gathered.tally)


def _table(gathered: Gathered, table: str, people: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table that stand; `source` holds their numbers."""
    rows = gathered.rows[table]
    if not rows:
        return pl.DataFrame(schema=SCHEMA[table])
    names = (LINE, *COLUMNS[table])
    columns = [
        pl.Series(name, cells, dtype=pl.Int64 if name == LINE else pl.String, strict=False)
        for name, cells in zip(names, zip(*rows, strict=True), strict=True)
    ]
    raw = pl.DataFrame(columns)
    taken = Intake(table, "", raw.with_columns(source=pl.col(LINE).cast(pl.String)))
    found = SETTLE[table](taken, people)
    gathered.tally["blank"] += taken.blank
    gathered.tally["collapsed"] += taken.collapsed
    cells = {row[0]: row for row in rows} if taken.rejected else {}
    at = names.index("value") if "value" in names else None
    for part in taken.rejected:
        for _, number, column, value, reason, expected, near in part.iter_rows():
            if column == "unit" and not value and at is not None:  # no unit is a fault of the value
                column, value = "value", cells[number][at] or ""
            where = gathered.where[number]
            why = reason.removesuffix(OUT).removesuffix(BLANK)
            gathered.rejected.append((where.file, where.line, _path(where, column), value, why, expected, near))
    return found


def _path(where: Where, column: str) -> str:
    kind = where.path.partition(".")[0]
    if column in OF_VALUE:
        return f"{where.path}{where.value}.{column}"
    if column in ("value", "text"):
        return where.path + (where.value if kind in ("Observation", "DiagnosticReport") else ".note")
    tail = OF_RESOURCE.get((kind, column)) or PATHS.get(column) or f".extension({column})"
    return (kind if column in ("patient", "on", "status", "recorded_on") else where.path) + tail


def _true_light_chains(gathered: Gathered, found: pl.DataFrame) -> pl.DataFrame:
    """The observations without the light chains whose unit cannot be true."""
    if not gathered.light:
        return found
    schema = {"source": pl.String, "cell": pl.String, "said": pl.String, "confirmed": pl.Boolean}
    told = pl.DataFrame([(str(row), *rest) for row, *rest in gathered.light], schema=schema, orient="row")
    chains = found.drop("unit", "sample").join(told, on="source", maintain_order="left").with_columns(
        file=pl.lit(""), line=pl.col("source").cast(pl.Int64), column=pl.lit(""),
        sample=pl.int_range(pl.len()).over("patient", "on", "what"),
    )  # fmt: skip
    values = chains.select(*light_chains.SCHEMA)
    bad = light_chains.contradicted(values)
    trapped = light_chains.out_of_band(values.join(bad, on=["line", "what"], how="anti"))
    wrong = pl.concat([bad, trapped])
    for number, cell, reason, expected in wrong.select("line", "cell", "reason", "expected").iter_rows():
        where = gathered.where[number]
        gathered.rejected.append((where.file, where.line, _path(where, "value"), cell, reason, expected, None))
    return found.join(wrong.select(source=pl.col("line").cast(pl.String)), on="source", how="anti", maintain_order="left")


def _sourced(gathered: Gathered, found: pl.DataFrame) -> pl.DataFrame:
    """The rows with the place they came from, file and line (or entry), in place of their numbers."""
    places = [f"{where.file}:{where.line}" for where in (gathered.where[int(number)] for number in found["source"])]
    return found.with_columns(source=pl.Series(places, dtype=pl.String))
