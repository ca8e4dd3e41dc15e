"""Panels of disease markers: M-protein, light chains, marrow, with numbers at the telling values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from matplotlib.axes import Axes

from .curves import Point, draw_curve
from .drawing import DEPTH, INVOLVED, MUTED, SIZE, UNINVOLVED, day, say
from .labels import Labels, telling
from .timeline import Course

Level = tuple[date, date, float, str]  # from, to, value, name
Tips = list[tuple[float, float, str]]
OTHER = "#0a7a78"  # the second light chain where nobody recorded which is involved


def serum_levels(curve: Sequence[Point], told: Course, measurable: float) -> list[Level]:
    """Where PR and VGPR begin in every line with a measurable baseline: half and a tenth of the baseline."""
    found = []
    good = [point for point in curve if point.kind in ("value", "zero")]
    for _, start, end in told.lines:
        before = [point.value for point in good if point.on <= start]
        if before and before[-1] >= measurable - 1e-9:
            found += [(start, end, before[-1] * 0.5, "PR"), (start, end, before[-1] * 0.1, "VGPR")]
    return found


def linear(ax: Axes, curve: Sequence[Point], colour: str, told: Course, levels: Sequence[Level] = ()) -> Tips:
    """A panel that starts at 0; `levels` are dotted, the last of them by name."""
    top = max(point.value for point in curve) or 1.0
    ax.set_ylim(-0.03 * top, top * 1.06)
    _ticks(ax, [(y, f"{y:g}") for y in nice_ticks(top)] if any(point.value for point in curve) else [(0, "0")])
    for start, end, y, name in levels:
        ax.plot([day(start), day(end)], [y, y], color=DEPTH[name], linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=2)
    for _, end, y, name in levels[-2:]:
        style = {"color": "#2d6ea3", "size": SIZE - 1.4}
        if end == told.last:
            say(ax, 1, y, name, dx=2, xycoords=ax.get_yaxis_transform(), **style)
        else:
            say(ax, day(end), y, name, dx=2, dy=-3, **style)
    tips = draw_curve(ax, curve, colour)
    _numbers(ax, {colour: curve}, [curve], told, levels=levels)
    return tips


def light_chains(ax: Axes, chains: Mapping[str, Sequence[Point]], involved: str | None, told: Course) -> Tips:
    """Both light chains on a log axis; the involved one in colour, a zero on the floor."""
    every = [point.value for curve in chains.values() for point in curve if point.value > 0] or [1.0]
    floor = min(every) / (2.2 if any(p.value <= 0 for curve in chains.values() for p in curve) else 1.25)
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_ylim(floor / 1.15, max(max(every), floor * 30) * 1.5)
    _ticks(ax, [(10.0**k, f"{10.0**k:g}") for k in range(-3, 7) if floor * 1.3 < 10.0**k < ax.get_ylim()[1]])
    tips: Tips = []
    known = involved in chains
    colours = {name: INVOLVED if name == involved or (not known and name == "kappa") else UNINVOLVED if known else OTHER for name in chains}
    for name, curve in chains.items():
        if any(point.value <= 0 for point in curve):
            _ticks(ax, [(floor, told.words["zero"])])
        tips += draw_curve(ax, curve, colours[name], floor)
    _name_ends(ax, {told.words[name]: (curve[-1], colours[name]) for name, curve in chains.items() if curve}, floor)
    named = {colours[name]: curve[:-1] for name, curve in chains.items() if name == involved or not known}
    _numbers(ax, named, list(chains.values()), told, floor)
    return tips


def _numbers(
    ax: Axes, named: Mapping[str, Sequence[Point]], curves: Sequence[Sequence[Point]], told: Course, floor: float = 0.0,
    levels: Sequence[Level] = (),
) -> None:  # fmt: skip
    """Numbers at the telling values of some curves (by colour), clear of all curves, levels, progressions and death."""
    on = [each.on for each in told.progressed]
    places = [[(day(p.on), max(p.value, floor)) for p in curve if p.kind != "spurious"] for curve in curves]
    upright = [[(day(each), y) for y in ax.get_ylim()] for each in [*on, *told.starts, *([told.died] if told.died else [])]]
    flat = [[(day(start), y), (day(end), y)] for start, end, y, _ in levels]
    labels = Labels(ax, [place for curve in places for place in curve], [*places, *upright, *flat])
    for colour, curve in named.items():
        for point in telling(curve, told.starts, on):
            labels.write(day(point.on), max(point.value, floor), point.shown, color=colour)


def _name_ends(ax: Axes, ends: Mapping[str, tuple[Point, str]], floor: float) -> None:
    """The name and last value of each curve beside its end, pushed apart where they would meet."""
    placed = sorted(
        (float(ax.transData.transform((0, max(point.value, floor)))[1]), name, point, colour) for name, (point, colour) in ends.items()
    )
    if len(placed) == 2 and (short := SIZE + 1 - (placed[1][0] - placed[0][0])) > 0:
        shifts = [-short / 2, short / 2]
    else:
        shifts = [0.0] * len(placed)
    edge = ax.transAxes.transform((1, 0))[0]
    for (_, name, point, colour), shift in zip(placed, shifts, strict=True):
        room = edge - ax.transData.transform((day(point.on), 1))[0]
        dx = room + 2 if room < 24 else 5.0  # beyond the end of the course, which may be death
        say(ax, day(point.on), max(point.value, floor), f"{name} {point.shown}", dx=dx, dy=shift, color=colour, weight="bold")


def _ticks(ax: Axes, ticks: Sequence[tuple[float, str]]) -> None:
    """Numbers at the left of a panel, each with a faint line."""
    for y, text in ticks:
        ax.axhline(y, color="#e4e9ed", linewidth=0.5, zorder=0)
        say(ax, 0, y, text, dx=-5, ha="right", xycoords=ax.get_yaxis_transform(), color=MUTED, size=SIZE - 0.4)


def nice_ticks(highest: float, most: int = 4) -> list[float]:
    """Round numbers from 0 up to a value."""
    step = 10 ** math.floor(math.log10(highest / most)) if highest > 0 else 1
    step = next(step * k for k in (1, 2, 2.5, 5, 10) if highest / (step * k) <= most)
    return [step * i for i in range(int(highest / step + 1e-9) + 1)]
