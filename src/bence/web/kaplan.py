"""Survival curves as a drawing: where every line goes, in the units of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..assess.survival import Curve
from ..registry.cohort import MONTH, Survival

WIDE, HIGH = 720, 300  # of the picture
LEFT, RIGHT, TOP, FOOT = 46, 14, 10, 34
COLOURS = ("#0b62a4", "#b23a08", "#00664b", "#6a3d9a", "#5a6773")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4")
STEPS = (3, 6, 12, 24, 36, 60)
TICKS = 9


@dataclass(frozen=True)
class Drawn:
    """One curve: its path, its band, the marks of who was censored."""

    name: str
    path: str
    band: str
    marks: tuple[tuple[float, float], ...]
    colour: str
    dash: str


@dataclass(frozen=True)
class Picture:
    """The drawing: ticks are (place, words)."""

    curves: tuple[Drawn, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]


def ticks(longest: float) -> tuple[int, ...]:
    """The months at which an axis is marked, for a follow-up of so many days."""
    months = max(longest / MONTH, 1)
    step = next((each for each in STEPS if months / each <= TICKS), STEPS[-1])
    return tuple(range(0, int(-(-months // step)) * step + 1, step))


def draw(groups: Sequence[Survival], months: Sequence[int]) -> Picture:
    """The curves over these months."""
    end = months[-1] * MONTH
    curves = tuple(_drawn(each, end, place % len(COLOURS), len(groups) == 1) for place, each in enumerate(groups))
    across = tuple((round(_x(month * MONTH, end), 1), str(month)) for month in months)
    return Picture(curves, across, tuple((round(_y(share), 1), f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)))


def _drawn(group: Survival, end: float, style: int, band: bool) -> Drawn:
    curve = group.curve
    stop = curve.follow_up[0] if curve.follow_up else 0.0
    marks = tuple((round(_x(day, end), 1), round(_y(curve.free_at(day)), 1)) for day in dict.fromkeys(curve.censored))
    path = _steps(curve.days, curve.free, stop, end)
    return Drawn(group.name, path, _band(curve, stop, end) if band else "", marks, COLOURS[style], DASHES[style])


def _steps(days: Sequence[float], shares: Sequence[float], stop: float, end: float) -> str:
    parts = [f"M{_x(0, end):.1f} {_y(1):.1f}"]
    parts += [f"H{_x(day, end):.1f}V{_y(share):.1f}" for day, share in zip(days, shares, strict=True)]
    return "".join([*parts, f"H{_x(stop, end):.1f}"])


def _band(curve: Curve, stop: float, end: float) -> str:
    """The interval: along its upper end, and back along its lower one."""
    corners = [(0.0, 1.0)]
    for day, low in zip(curve.days, curve.low, strict=True):
        corners += [(day, corners[-1][1]), (day, low)]
    back = "".join(f"L{_x(day, end):.1f} {_y(share):.1f}" for day, share in reversed([*corners, (stop, corners[-1][1])]))
    return f"{_steps(curve.days, curve.high, stop, end)}{back}Z" if curve.days else ""


def _x(day: float, end: float) -> float:
    return LEFT + (WIDE - LEFT - RIGHT) * min(day / end, 1)


def _y(share: float) -> float:
    return TOP + (HIGH - TOP - FOOT) * (1 - share)
