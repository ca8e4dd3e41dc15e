"""Numbers beside points: the telling ones, where there is room, none over another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from .curves import Point
from .drawing import SIZE, XY, say, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]
STEP = 3.0  # points between the places along a line that a label should leave free


class Labels:
    """Room for labels in one panel: no label lies over another or over a point, and rather not over a line."""

    def __init__(self, ax: Axes, points: Iterable[XY], lines: Iterable[Sequence[XY]] = ()) -> None:
        """All in data: `points` are kept free, `lines` (through several points each) if possible."""
        self.ax = ax
        self.taken = [_around(x, y, 2) for x, y in self._places(points)]
        self.lines = [_around(x, y, 1) for line in lines for pair in pairwise(self._places(line)) for x, y in _between(*pair)]

    def write(self, x: float, y: float, text: str, colour: str) -> bool:
        """Write a label above, below or beside a point; False if there is no room."""
        (at,) = self._places([(x, y)])
        width, height = text_width(text, SIZE - 0.6), SIZE
        side = width / 2 + 3.5
        shifts = [(0, 6), (0, -6), (-side, 3), (side, 3), (-side, -3), (side, -3), (-side, 0), (side, 0), (0, 10)]
        boxes = [_around(at[0] + dx, at[1] + dy, width / 2, height / 2) for dx, dy in shifts]
        for kept in ([*self.taken, *self.lines], self.taken):
            for (dx, dy), box in zip(shifts, boxes, strict=True):
                if self._inside(box) and not any(_overlap(box, other) for other in kept):
                    self.taken.append(box)
                    say(self.ax, x, y, text, dx, dy, size=SIZE - 0.6, ha="center", color=colour, zorder=6)
                    return True
        return False

    def _places(self, points: Iterable[XY]) -> list[XY]:
        """Where points of the data lie on the page, in points."""
        known = list(points)
        return self.ax.transData.transform(known).tolist() if known else []

    def _inside(self, box: Box) -> bool:
        area = self.ax.bbox
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
    """The values worth a number: the last, at progression, the baseline and the nadir of each line, the first, the first bound."""
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
    bounds = [point for point in good if point.kind in ("below", "above")]
    return list(dict.fromkeys([*found, good[0], *bounds[:1]]))
