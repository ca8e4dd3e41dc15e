"""Panels of disease markers on log scales: M-protein, light chains, marrow, with numbers at the telling values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from .curves import Point, draw_curve
from .drawing import DEPTH, INVOLVED, SIZE, UNINVOLVED, Tips, day, say
from .labels import Labels, telling
from .timeline import Course

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Level = tuple[date, date, float, str]  # from, to, value, name
OTHER = "#0a7a78"  # the second light chain where nobody recorded which is involved
FLOOR, LEVEL = "#b7c0c8", "#2d6ea3"
LEAST = 12.0  # a scale spans at least so many fold, so that a steady value looks steady


def serum_levels(curve: Sequence[Point], told: Course, measurable: float) -> list[Level]:
    """Where PR and VGPR begin in every line with a measurable baseline: half and a tenth of the baseline."""
    found = []
    good = [point for point in curve if point.kind in ("value", "zero")]
    for _, start, end in told.lines:
        before = [point.value for point in good if point.on <= start]
        if before and before[-1] >= measurable - 1e-9:
            found += [(start, end, before[-1] * 0.5, "PR"), (start, end, before[-1] * 0.1, "VGPR")]
    return found


def log_scale(ax: Axes, values: Iterable[float], zero: str) -> float:
    """Give axes a log scale that holds all values; returns the floor below it where zero and `not found` lie."""
    every = list(values)
    found = [value for value in every if value > 0]
    top = max(found, default=1.0)
    span = max(top / min(found, default=1.0), LEAST)
    high, low = top * span**0.12, top / span**1.07
    floor = low / span**0.12
    sunk = len(found) < len(every)
    ticks = log_ticks(low * span**0.09 if sunk else low, high) if found else []
    names = [f"{y:g}" for y in ticks]
    if sunk:
        ax.axhline(floor, color=FLOOR, linewidth=0.5, linestyle=(0, (4, 3)), zorder=1)
        ticks, names = [*ticks, floor], [*names, zero]
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_yticks(ticks, names)
    ax.set_ylim(floor / span**0.05 if sunk else low, high)
    return floor if sunk else low


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two values; where these are few, their 2- and 5-fold, or 3-fold, too."""
    from matplotlib.ticker import LogLocator

    ticks: list[float] = []
    for steps in ((1,), (1, 3), (1, 2, 5)):
        ticks = [float(y) for y in LogLocator(subs=steps, numticks=20).tick_values(low, high) if low <= y <= high]
        if len(ticks) >= 3:
            break
    return ticks


def one_curve(ax: Axes, curve: Sequence[Point], colour: str, told: Course, levels: Sequence[Level] = ()) -> Tips:
    """A panel of one marker; `levels` are dotted, the last of them by name."""
    floor = log_scale(ax, [*(point.value for point in curve), *(level[2] for level in levels)], told.words["zero"])
    for start, end, y, name in levels:
        ax.plot([day(start), day(end)], [y, y], color=DEPTH[name], linewidth=0.8, linestyle=(0, (1, 1.5)))
    tips = draw_curve(ax, curve, colour, floor)
    labels = _numbers(ax, {colour: _telling(curve, told)}, [curve], told, floor, levels)
    for start, end, y, name in levels[-2:]:
        if end == told.last:
            say(ax, ax.get_xlim()[1], y, name, dx=2, size=SIZE - 1.4, color=LEVEL)
        else:  # wherever on its line there is room
            any(labels.write(day(start) + share * (end - start).days, y, name, LEVEL) for share in (0.5, 0.7, 0.3, 0.85, 0.15))
    return tips


def light_chains(ax: Axes, chains: Mapping[str, Sequence[Point]], involved: str | None, told: Course) -> Tips:
    """Both light chains; the involved one in colour."""
    floor = log_scale(ax, [point.value for curve in chains.values() for point in curve], told.words["zero"])
    tips: Tips = []
    known = involved in chains
    colours = {name: INVOLVED if name == involved or (not known and name == "kappa") else UNINVOLVED if known else OTHER for name in chains}
    for name, curve in chains.items():
        tips += draw_curve(ax, curve, colours[name], floor)
    _name_ends(ax, {told.words[name]: (curve[-1], colours[name]) for name, curve in chains.items() if curve}, floor)
    named = {
        colours[name]: [point for point in _telling(curve, told) if point is not curve[-1]]  # which has its name and number
        for name, curve in chains.items() if name == involved or not known
    }  # fmt: skip
    _numbers(ax, named, list(chains.values()), told, floor)
    return tips


def _telling(curve: Sequence[Point], told: Course) -> list[Point]:
    return telling(curve, told.starts, [each.on for each in told.progressed])


def _numbers(
    ax: Axes, named: Mapping[str, Sequence[Point]], curves: Sequence[Sequence[Point]], told: Course, floor: float,
    levels: Sequence[Level] = (),
) -> Labels:  # fmt: skip
    """Numbers at some points (by colour), clear of all curves, levels, lines, progressions and death."""
    on = [*(each.on for each in told.progressed), *told.starts, *([told.died] if told.died else [])]
    places = [[(day(p.on), max(p.value, floor)) for p in curve if p.kind != "spurious"] for curve in curves]
    upright = [[(day(each), y) for y in ax.get_ylim()] for each in on]
    flat = [[(day(start), y), (day(end), y)] for start, end, y, _ in levels]
    labels = Labels(ax, [place for curve in places for place in curve], [*places, *upright, *flat])
    for colour, points in named.items():
        for point in points:
            labels.write(day(point.on), max(point.value, floor), point.shown, colour)
    return labels


def _name_ends(ax: Axes, ends: Mapping[str, tuple[Point, str]], floor: float) -> None:
    """The name and last value of each curve beside its end, pushed apart where they would meet."""
    ends_at = ax.transData.transform([(day(point.on), max(point.value, floor)) for point, _ in ends.values()])
    placed = sorted((y, x, name, *end) for (x, y), (name, end) in zip(ends_at.tolist(), ends.items(), strict=True))
    if len(placed) == 2 and (lacking := SIZE + 1 - (placed[1][0] - placed[0][0])) > 0:
        shifts = [-lacking / 2, lacking / 2]
    else:
        shifts = [0.0] * len(placed)
    for (_, x, name, point, colour), shift in zip(placed, shifts, strict=True):
        room = ax.bbox.x1 - x
        dx = room + 2 if room < 24 else 5.0  # beyond the end of the course, which may be death
        say(ax, day(point.on), max(point.value, floor), f"{name} {point.shown}", dx, shift, color=colour, weight="bold")
