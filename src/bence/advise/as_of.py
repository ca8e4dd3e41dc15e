"""Charts as they were on a day of every patient's own: cut at that day, and moved so that all these days fall on one.

An assessment depends on spans of time, so that what is assessed after the move is what would have been assessed on the day itself; the
true day, by which approvals go, is put back into the facts afterwards. Spans in months may differ by days at their edges, for months
differ in length.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ..chart import DATED, LATER, Chart

DAY = date(2000, 1, 1)  # where all days are moved to


def before(chart: Chart, turn: pl.DataFrame) -> Chart:
    """The chart as it was known on the day of every patient's decision, before anything was given on it, with that day moved to `DAY`.

    `turn`: patient and `on`, at most one row a patient. Of a birth known by year or month alone the middle is taken.
    """
    days = turn.select("patient", pl.col("on").alias("decided"))
    return Chart(_people(chart, days), *(_cut(chart, table, days) for table in DATED))


def _people(chart: Chart, days: pl.DataFrame) -> pl.DataFrame:
    people = chart.patients.join(days, on="patient", how="inner", maintain_order="left")
    born = pl.col("born_on").str.strip_chars()
    whole = pl.when(born.str.len_chars() == 4).then(born + "-07-01").when(born.str.len_chars() == 7).then(born + "-15").otherwise(born)
    moved = _moved(whole.str.to_date("%Y-%m-%d", strict=False)).dt.to_string("iso:strict")
    later = [pl.when(pl.col(name) <= pl.col("decided")).then(_moved(pl.col(name))).alias(name) for name in LATER["patients"]]
    known = pl.when(pl.col("died_on").is_not_null()).then("death_cause").alias("death_cause")
    return people.with_columns(born_on=moved).with_columns(later).with_columns(known).drop("decided")


def _cut(chart: Chart, table: str, days: pl.DataFrame) -> pl.DataFrame:
    on = DATED[table]
    rows = chart.scan(table).join(days.lazy(), on="patient", how="inner", maintain_order="left")
    known, decided = pl.max_horizontal(on, "recorded_on"), pl.col("decided")
    rows = rows.filter((known < decided if table == "treatments" else known <= decided).fill_null(True))
    later = LATER.get(table, ())
    ended = [pl.when(pl.col(name) <= pl.col("decided")).then(name).alias(name) for name in later]
    reason = [pl.when(pl.col("stopped_on").is_not_null()).then("stop_reason").alias("stop_reason")] if table == "treatments" else []
    dated = [_moved(pl.col(name)).alias(name) for name in (on, "recorded_on", *later)]
    return rows.with_columns(ended).with_columns(reason).with_columns(dated).drop("decided").collect()


def _moved(day: pl.Expr) -> pl.Expr:
    """A date as far from `DAY` as it is from the decision."""
    return day + (pl.lit(DAY) - pl.col("decided"))
