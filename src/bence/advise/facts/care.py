"""What care is due, one column for each thing of the table `due`, and the risk of thrombosis, as they stand on the day."""

from __future__ import annotations

import polars as pl

from ...assess.course.facts import VACCINES
from ...assess.course.words import ITEMS
from ...assess.intake import place_of
from ...assess.wide import wide
from .ground import Ground

THINGS = (*ITEMS, *(f"{name}_vaccination" for name in VACCINES))

THROMBOSIS = ("impede_vte", "saved")


def care(ground: Ground) -> pl.DataFrame:
    """`due_<thing>`: due, done or not_due as the table has it (no row: not due; `unknown`: due or done), and the risks of thrombosis."""
    due = ground.findings.due.select("item", place=place_of(ground.ids), state=pl.col("state").replace("unknown", "due|done"))
    told = wide(due, ground.n, "item", THINGS, ("state",)).fill_null("not_due")
    return told.rename(lambda name: f"due_{name.removesuffix('_state')}").hstack(_thrombosis(ground))


def _thrombosis(ground: Ground) -> list[pl.Series]:
    """The newest category of each score; null where it cannot be said."""
    scores = ground.findings.thrombosis.filter(pl.col("scale") == "score").sort("on")
    told = wide(scores.select("instrument", "category", place=place_of(ground.ids)), ground.n, "instrument", THROMBOSIS, ("category",))
    return [told[f"{name}_category"].alias(name) for name in THROMBOSIS]
