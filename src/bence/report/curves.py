"""Laboratory values over time, drawn as they were reported: a zero and a value below a limit are open, at that place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from ..catalogue import codes, label
from .drawing import MUTED, POINTS, SIZE, day, say, text_width
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
    rows = observations.filter(
        pl.col("what").is_in(names) & pl.col("on").is_not_null() & pl.col("status").ne_missing("entered_in_error")
    )
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


class Labels:
    """Numbers written beside points where there is room: the more important first, none over another."""

    def __init__(self, ax: Axes, taken: Iterable[tuple[float, float]] = ()) -> None:
        """`taken`: points (in data) that no label may cover."""
        self.ax = ax
        self.boxes = [(x - 2, y - 2, x + 2, y + 2) for x, y in map(self._place, taken)]

    def _place(self, at: tuple[float, float]) -> tuple[float, float]:
        x, y = self.ax.transData.transform(at)
        return float(x) * POINTS / self.ax.figure.dpi, float(y) * POINTS / self.ax.figure.dpi

    def write(self, x: float, y: float, text: str, **style: Any) -> bool:
        """Write a label above, below or beside a point; False if there is no room."""
        at = self._place((x, y))
        width, height = text_width(text, SIZE - 0.6), SIZE
        area = self.ax.get_window_extent()
        for dx, dy in ((0, 6.2), (0, -6.2), (width / 2 + 4, 3), (-width / 2 - 4, 3), (width / 2 + 4, -3), (0, 10)):
            left, low = at[0] + dx - width / 2, at[1] + dy - height / 2
            box = (left, low, left + width, low + height)
            inside = left >= area.x0 - 4 and box[2] <= area.x1 + 4 and low >= area.y0 - 1 and box[3] <= area.y1 + 9
            if inside and not any(_overlap(box, other) for other in self.boxes):
                self.boxes.append(box)
                say(self.ax, x, y, text, dx=dx, dy=dy, size=SIZE - 0.6, ha="center", zorder=6, **style)
                return True
        return False


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def telling(curve: Sequence[Point], starts: Sequence[date], progressed: Iterable[date]) -> list[Point]:
    """The values worth a number: the last, at progression, the baseline and the nadir of each line, the first."""
    good = [point for point in curve if point.kind != "spurious"]
    if not good:
        return []
    found = [good[-1]]
    for on in progressed:
        found += [point for point in good if point.on == on][:1]
    for start, end in zip(starts, [*starts[1:], date.max], strict=False):
        before = [point for point in good if point.on <= start]
        within = [point for point in good if start < point.on <= end]
        found += before[-1:]
        if within:
            found.append(min(within, key=lambda point: point.value))
    return list(dict.fromkeys([*found, good[0]]))


def nice_ticks(highest: float, most: int = 4) -> list[float]:
    """Round numbers from 0 up to a value."""
    step = 10 ** math.floor(math.log10(highest / most)) if highest > 0 else 1
    step = next(step * k for k in (1, 2, 2.5, 5, 10) if highest / (step * k) <= most)
    return [step * i for i in range(int(highest / step + 1e-9) + 1)]
