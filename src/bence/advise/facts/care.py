"""What care is due, one column for each thing of the table `due`, and the risk of thrombosis, as they stand on the day."""

from __future__ import annotations

import polars as pl

from ...assess.course.facts import VACCINES
from ...assess.course.words import ITEMS
from ...assess.courses import placed
from .ground import Ground

THINGS = (*ITEMS, *(f"{name}_vaccination" for name in VACCINES))

THROMBOSIS = ("impede_vte", "saved")


def care(ground: Ground) -> pl.DataFrame:
    """`due_<thing>`: due, done or not_due as the table has it (no row: not due; `unknown`: due or done), and the risks of thrombosis."""
    due = ground.findings.due
    rows = due.select("item", "state", place=pl.Series(placed(due, ground.ids), dtype=pl.Int64))
    parts = rows.partition_by("item", as_dict=True)
    none = rows.clear()
    rows = {thing: parts.get((thing,), none).select("place", "state").unique("place", keep="last") for thing in THINGS}
    told = {f"due_{thing}": ground.whole(own)["state"].cast(pl.String) for thing, own in rows.items()}
    told = {name: state.fill_null("not_due").replace("unknown", "due|done") for name, state in told.items()}
    risks = {name: _category(ground, name) for name in THROMBOSIS}
    return pl.DataFrame(told | risks)


def _category(ground: Ground, instrument: str) -> pl.Series:
    """The newest category of a score; null where it cannot be said."""
    scores = ground.findings.scores.filter((pl.col("instrument") == instrument) & (pl.col("scale") == "score"))
    rows = scores.select("on", "category", place=pl.Series(placed(scores, ground.ids), dtype=pl.Int64))
    return ground.whole(rows.sort("on").unique("place", keep="last").drop("on"))["category"]
