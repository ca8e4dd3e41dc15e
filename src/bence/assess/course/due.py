"""The shape of a row of the table of what is due, and the words its rules share."""

from __future__ import annotations

from datetime import date

import polars as pl

COLUMNS = (
    "patient", "item", "kind", "state", "on", "due_on", "overdue_days", "because", "source", "tag",
)  # fmt: skip
DUE, DONE, NOT_DUE, UNKNOWN = (pl.lit(word) for word in ("due", "done", "not_due", "unknown"))
DAY = pl.lit(None, pl.Date)
SCHEMA = {
    "item": pl.String, "kind": pl.String, "state": pl.String, "on": pl.Date, "due_on": pl.Date, "because": pl.String, "source": pl.String,
    "tag": pl.String,
}  # fmt: skip


def rows(
    facts: pl.DataFrame, item: str | pl.Expr, kind: str, state: pl.Expr, *, because: list[pl.Expr], source: str | pl.Expr,
    tag: str | pl.Expr, on: pl.Expr = DAY, due_on: pl.Expr = DAY,
) -> pl.DataFrame:  # fmt: skip
    """One row for everyone of `facts`; `state` is null where nothing is said. `because`: parts that are joined where they are known."""
    if facts.is_empty():
        return pl.DataFrame(schema={"patient": facts["patient"].dtype, **SCHEMA})
    item, source, tag = (pl.lit(word) if isinstance(word, str) else word for word in (item, source, tag))
    return facts.select(
        "patient", item=item, kind=pl.lit(kind), state=state, on=on.cast(pl.Date), due_on=due_on.cast(pl.Date),
        because=pl.concat_str(because, separator="|", ignore_nulls=True), source=source, tag=tag,
    )  # fmt: skip


def note(word: str, when: pl.Expr) -> pl.Expr:
    """A word of `because` where a condition holds."""
    return pl.when(when).then(pl.lit(word))


def noted(word: str, value: pl.Expr) -> pl.Expr:
    """`word=value` where there is a value."""
    return pl.concat_str(pl.lit(f"{word}="), value.cast(pl.String), ignore_nulls=False)


def after(day: pl.Expr, offset: str) -> pl.Expr:
    """A day so much later (`6mo`, `28d`)."""
    return day.dt.offset_by(offset)


def ordered(parts: list[pl.DataFrame], at: date) -> pl.DataFrame:
    """All rows that have a `state` as one table, sorted, with the days by which a due one is late."""
    late = pl.when((pl.col("state") == "due") & (pl.col("due_on") <= at)).then((pl.lit(at) - pl.col("due_on")).dt.total_days())
    said = pl.when(pl.col("because") != "").then("because")
    table = pl.concat(parts).filter(pl.col("state").is_not_null()).with_columns(overdue_days=late.cast(pl.Int32), because=said)
    return table.select(COLUMNS).sort("patient", "kind", "item").with_columns(pl.col("patient").cast(pl.String))
