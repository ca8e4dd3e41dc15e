"""Numbers beside points: the telling ones, where there is room, none over another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from .curves import Point
from .drawing import POINTS, SIZE, say, text_width

XY = tuple[float, float]
Box = tuple[float, float, float, float]
STEP = 3.0  # points between the places along a line that a label should leave free


class Labels:
    """Room for labels in one panel: no label lies over another or over a point, and rather not over a line."""

    def __init__(self, ax: Axes, points: Iterable[XY], lines: Iterable[Sequence[XY]] = ()) -> None:
        """All in data: `points` are kept free, `lines` (through several points each) if possible."""
        self.ax = ax
        self.taken = [_around(*self._place(point), 2) for point in points]
        self.lines = [_around(x, y, 1) for line in lines for pair in pairwise(map(self._place, line)) for x, y in _between(*pair)]

    def _place(self, at: XY) -> XY:
        x, y = self.ax.transData.transform(at)
        return float(x) * POINTS / self.ax.figure.dpi, float(y) * POINTS / self.ax.figure.dpi

    def write(self, x: float, y: float, text: str, **style: Any) -> bool:
        """Write a label above, below or beside a point; False if there is no room."""
        at = self._place((x, y))
        width, height = text_width(text, SIZE - 0.6), SIZE
        side = width / 2 + 3.5
        shifts = [(0, 6), (0, -6), (-side, 3), (side, 3), (-side, -3), (side, -3), (-side, 0), (side, 0), (0, 10)]
        boxes = [_around(at[0] + dx, at[1] + dy, width / 2, height / 2) for dx, dy in shifts]
        for kept in ([*self.taken, *self.lines], self.taken):
            for (dx, dy), box in zip(shifts, boxes, strict=True):
                if self._inside(box) and not any(_overlap(box, other) for other in kept):
                    self.taken.append(box)
                    say(self.ax, x, y, text, dx=dx, dy=dy, size=SIZE - 0.6, ha="center", zorder=6, **style)
                    return True
        return False

    def _inside(self, box: Box) -> bool:
        area = self.ax.get_window_extent()
        return box[0] >= area.x0 - 4 and box[2] <= area.x1 + 4 and box[1] >= area.y0 - 1 and box[3] <= area.y1 + 9


def _around(x: float, y: float, width: float, height: float | None = None) -> Box:
    height = width if height is None else height
    return x - width, y - height, x + width, y + height


def _between(a: XY, b: XY) -> list[XY]:
    """Places along the line from one point to another."""
    n = int(max(abs(b[0] - a[0]), abs(b[1] - a[1])) // STEP)
    return [(a[0] + (b[0] - a[0]) * i / (n + 1), a[1] + (b[1] - a[1]) * i / (n + 1)) for i in range(1, n + 1)]


def _overlap(a: Box, b: Box) -> bool:
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
