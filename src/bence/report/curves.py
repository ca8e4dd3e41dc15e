"""Laboratory values over time, drawn as they were reported: what was not found lies on a floor of its own, a bound at its bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from ..catalogue import codes, label
from .drawing import MUTED, XY, Tips, day
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOWHERE = (math.nan, math.nan)  # where a line is broken
GAP = 213  # days without a value after which the line between two is dotted, as it is to a bound
MARKERS = {"value": ("o", 2.7), "zero": ("o", 3.2), "below": ("v", 4.2), "above": ("^", 4.2), "spurious": ("x", 4.4)}  # shape, size


@dataclass(frozen=True)
class Point:
    """A value of one day: `kind` is value, zero (or reported as not found), below (`<`), above (`>`) or spurious."""

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
            value, shown = low, PICTURE[lang]["not_found"] if low == 0 else label(shown, lang)
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


def draw_curve(ax: Axes, curve: Sequence[Point], colour: str, floor: float) -> Tips:
    """A line through the values that count, a mark for each; `floor` is where a zero lies on the log scale."""
    good = [point for point in curve if point.kind != "spurious"]
    good = list({point.on: point for point in sorted(good, key=lambda p: (p.on, p.value))}.values())  # of one day the highest
    near, far = [_place(point, floor) for point in good[:1]], []
    for before, after in pairwise(good):
        if (after.on - before.on).days > GAP or not {"below", "above"}.isdisjoint({before.kind, after.kind}):
            far += [_place(before, floor), _place(after, floor), NOWHERE]
            near.append(NOWHERE)
        near.append(_place(after, floor))
    ax.plot(*_columns(far), color=colour, linewidth=0.7, linestyle=(0, (1, 2)), zorder=3)
    ax.plot(*_columns(near), color=colour, zorder=3)
    for kind, (shape, size) in MARKERS.items():
        some = [_place(point, floor) for point in curve if point.kind == kind]
        if some:
            ax.plot(
                *_columns(some), shape, markersize=size, zorder=4, clip_on=False, markeredgewidth=0.8,
                markerfacecolor=colour if kind == "value" else "white", markeredgecolor=MUTED if kind == "spurious" else colour,
            )  # fmt: skip
    return [(*_place(point, floor), point.tip) for point in curve]


def _place(point: Point, floor: float) -> XY:
    return day(point.on), max(point.value, floor)


def _columns(places: Sequence[XY]) -> tuple[list[float], list[float]]:
    return [x for x, _ in places], [y for _, y in places]
