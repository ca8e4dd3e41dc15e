"""Charts as they were on a day of every patient's own: cut at that day, and moved so that all these days fall on one.

An assessment depends on spans of time, so that what is assessed after the move is what would have been assessed on the day itself; the
true day, by which approvals go, is put back into the facts afterwards. Spans in months may differ by days at their edges, for months
differ in length.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ..chart import DATED, Chart, birth, known_by, moved

DAY = date(2000, 1, 1)  # where all days are moved to


def before(chart: Chart, turn: pl.DataFrame, day: date = DAY) -> Chart:
    """The chart as it was known on the day of every patient's decision, before anything was given on it, with that day moved to `day`.

    `turn`: patient and `on`, at most one row a patient. Of a birth known by year or month alone the middle is taken.
    """
    days = turn.lazy().select("patient", pl.col("on").alias("decided"))
    return Chart(*(_cut(chart, table, days, pl.lit(day) - pl.col("decided")).collect() for table in ("patients", *DATED)))


def _cut(chart: Chart, table: str, days: pl.LazyFrame, move: pl.Expr) -> pl.LazyFrame:
    rows = chart.scan(table).join(days, on="patient", how="inner", maintain_order="left")
    rows = known_by(rows, table, pl.col("decided"))
    if table == "patients":
        rows = rows.with_columns(_if_dated("died_on", "death_cause"), born_on=(birth() + move).dt.to_string("iso:strict"))
    if table == "treatments":
        earlier = pl.max_horizontal("started_on", "recorded_on") < pl.col("decided")
        rows = rows.filter(earlier.fill_null(True)).with_columns(_if_dated("stopped_on", "stop_reason"))
    return moved(rows, table, move).drop("decided")


def _if_dated(on: str, name: str) -> pl.Expr:
    """What goes with a date, where that date is known: without one it may be of later."""
    return pl.when(pl.col(on).is_not_null()).then(name).alias(name)
