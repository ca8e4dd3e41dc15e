"""Laboratory values over time, drawn as they were reported: a zero and a value below a limit are open, at that place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from ..catalogue import codes, label
from .drawing import MUTED, day
from .words import PICTURE

GAP = 213  # days without a value after which the line between two is dotted
MARKERS = {"value": "o", "zero": "o", "below": "v", "above": "^", "spurious": "x"}


@dataclass(frozen=True)
class Point:
    """A value of one day: `kind` is value, zero, below (`<`), above (`>`) or spurious."""

    on: date
    value: float
    kind: str
    shown: str
    tip: str


def standing(observations: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The rows of some codes that stand: nothing entered in error, of one day and method those recorded last."""
    rows = observations.filter(pl.col("what").is_in(names) & pl.col("on").is_not_null() & pl.col("status").ne_missing("entered_in_error"))
    own = ["on", "what", "method", "status"]
    rows = rows.filter(pl.col("recorded_on").max().over(own) == pl.col("recorded_on"))
    return rows.unique(maintain_order=True).sort("on", "what", "method", "value", "source", maintain_order=True)


def points(observations: pl.DataFrame, name: str, lang: str) -> list[Point]:
    """The values of one code, in order of date; a word that means a number (`negative`) is that number."""
    found = []
    for row in standing(observations, name).iter_rows(named=True):
        value, shown = row["value"], row["text"] or ""
        if value is None:
            low, high = codes()[name].intervals.get(shown, (math.nan, math.nan, False, False))[:2]
            if low != high:
                continue
            value = low
        else:
            shown = f"{row['comparator'] or ''}{value:.5g}"
        found.append(Point(row["on"], value, _kind(row, value), shown, _tip(row, name, shown, lang)))
    return found


def _kind(row: Mapping[str, Any], value: float) -> str:
    if row["status"] == "spurious":
        return "spurious"
    comparator = (row["comparator"] or " ")[0]
    return {"<": "below", ">": "above"}.get(comparator, "value" if value > 0 else "zero")


def _tip(row: Mapping[str, Any], name: str, shown: str, lang: str) -> str:
    words = [f"{label(name, lang)} {shown} {row['unit'] or codes()[name].unit}".rstrip(), str(row["on"])]
    words += [row["method"] or "", row["source"] or ""]
    if row["status"] == "spurious":
        words.append(PICTURE[lang]["spurious"])
    return " · ".join(word for word in words if word)


def draw_curve(ax: Axes, curve: Sequence[Point], colour: str, floor: float = 0.0) -> list[tuple[float, float, str]]:
    """A line through the values that count, a mark for each; `floor` is where a zero lies on a log axis."""
    good = [point for point in curve if point.kind != "spurious"]
    good = list({point.on: point for point in sorted(good, key=lambda p: (p.on, p.value))}.values())  # of one day the highest
    near: list[tuple[float, float]] = []
    for before, after in zip([None, *good[:-1]], good, strict=True):
        if before and (after.on - before.on).days > GAP:
            ends = [max(before.value, floor), max(after.value, floor)]
            ax.plot([day(before.on), day(after.on)], ends, color=colour, linewidth=0.7, linestyle=(0, (1, 2)), zorder=3)
            near.append((math.nan, math.nan))
        near.append((day(after.on), max(after.value, floor)))
    ax.plot([x for x, _ in near], [y for _, y in near], color=colour, linewidth=0.9, zorder=3)
    for kind, shape in MARKERS.items():
        some = [point for point in curve if point.kind == kind]
        fill = colour if kind == "value" else "white"
        ax.plot(
            [day(p.on) for p in some], [max(p.value, floor) for p in some], linestyle="", marker=shape, zorder=4,
            markersize=2.7 if kind == "value" else 3.9 if kind in ("below", "above") else 3.2 if kind == "zero" else 4.4,
            markerfacecolor=fill, markeredgecolor=MUTED if kind == "spurious" else colour, markeredgewidth=0.8, clip_on=False,
        )  # fmt: skip
    return [(day(p.on), max(p.value, floor), p.tip) for p in curve]
