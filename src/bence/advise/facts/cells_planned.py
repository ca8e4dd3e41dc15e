"""On the way to CAR-T cells: planned, collected, bridged, or failed in the making. Not recorded counts as no."""

from __future__ import annotations

import numpy as np
import polars as pl

from ...assess.wide import having
from .ground import Ground

EVENTS = ("car_t_planned", "apheresis_planned", "manufacturing_failure")


def cells_planned(ground: Ground) -> pl.DataFrame:
    """`car_t_planned`, `apheresis_planned`, `apheresis_done`, `days_since_apheresis`, `bridging`, `manufacturing_failure`.

    Only what came after the last relapse and after the last cells counts.
    """
    doses, said = ground.doses, ground.happened(*EVENTS)
    marked = doses.filter((pl.col("what") == "apheresis") | (pl.col("phase") == "bridging"))
    if marked.is_empty() and said.is_empty():
        no, unknown = np.zeros(ground.n, bool), np.full(ground.n, np.nan)
        days = pl.Series(unknown, nan_to_null=True)
        return pl.DataFrame({**dict.fromkeys(EVENTS, no), "apheresis_done": no, "days_since_apheresis": days, "bridging": no})
    infused = doses.filter(pl.col("drug_class") == "CAR_T").group_by("place").agg(infused=pl.col("start").max())
    relapsed = ground.lines.group_by("place").agg(relapsed=pl.col("progression_on").max())
    apart = ground.whole(infused).with_columns(*ground.whole(relapsed)).with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    collected = marked.filter(pl.col("what") == "apheresis").join(apart, on="place").filter(_after("start", "infused", "relapsed"))
    collected = collected.group_by("place").agg(collected=pl.col("start").max())
    done = ground.whole(collected)["collected"]
    bridging = marked.filter((pl.col("phase") == "bridging") & pl.col("running")).join(apart, on="place").filter(_after("start", "infused"))
    apart = apart.with_columns(collected=done)
    return pl.DataFrame({
        **_events(ground, said, apart), "apheresis_done": done.is_not_null(), "days_since_apheresis": (ground.day - done).cast(pl.Float64),
        "bridging": ground.has(bridging["place"]),
    })  # fmt: skip


def _after(day: str, *marks: str) -> pl.Expr:
    """A day that is not before any of these, where they are known."""
    return pl.all_horizontal((pl.col(day) >= pl.col(mark)).fill_null(True) for mark in marks)


def _events(ground: Ground, said: pl.DataFrame, apart: pl.DataFrame) -> dict[str, np.ndarray]:
    """Whether the newest event of each kind, after the days of `apart`, was not denied."""
    newest = said.group_by("place", "kind", maintain_order=True).last().filter(~pl.col("absent"))
    open_ = (pl.col("kind") != "apheresis_planned") | _after("on", "collected")
    rows = newest.join(apart, on="place").filter(_after("on", "infused", "relapsed") & open_)
    return having(rows, ground.n, "kind", EVENTS)
