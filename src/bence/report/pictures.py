"""The course of one patient in one picture: therapy, response and disease markers on a shared time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ..chart import Chart
from ..explain import unit_said
from . import events
from .curves import Point, points, standing
from .drawing import (
    BAND,
    DEPTH,
    INK,
    MARROW,
    MUTED,
    SERUM,
    SIZE,
    URINE,
    Tips,
    day,
    rows_without_overlap,
    say,
    text_width,
)
from .ladder import draw_ladder, progressions, steps
from .markers import light_chains, one_curve, serum_levels
from .mrd import draw_mrd, mrd_tests
from .therapy import draw_lanes, lanes
from .timeline import Course

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, ACROSS, RIGHT = 102.0, 386.0, 45.0  # points: names, time, what is said beyond the end
HEAD, FOOT, GAP = 14.5, 14.5, 8.0  # points: lines of therapy, years, between panels


@dataclass(frozen=True)
class Panel:
    """A part of the picture: its name and unit at the left, its height in points, what draws it."""

    name: str
    unit: str
    height: float
    draw: Callable[[Axes], Tips]


@dataclass(frozen=True)
class Picture:
    """A picture of a width and height in points: what an SVG element holds, and what is said at (x, y) from the upper left."""

    width: float
    height: float
    title: str
    body: str
    tips: tuple[tuple[float, float, str], ...]


def course(
    chart: Chart, visits: pl.DataFrame, values: pl.DataFrame, lines: pl.DataFrame, lang: str = "en",
    serum_measurable: float = 10.0,
) -> Picture | None:  # fmt: skip
    """The course of the one patient of a chart; None if there is nothing to draw.

    `visits`, `values`, `lines`: as in `bence.assess.why.ResponseStory`. `serum_measurable`: g/L.
    """
    dates = _dates(chart)
    if not dates:
        return None
    starts = lines["started_on"].to_list()
    spans = zip(lines["line"].to_list(), starts, [*starts[1:], max(dates)], strict=False)
    told = Course(min(dates), max(dates), tuple(spans), tuple(progressions(visits, values)), chart.patients["died_on"][0], lang)
    panels = _panels(chart, visits, told, serum_measurable)
    return _draw(told, panels) if panels else None


def _dates(chart: Chart) -> list[date]:
    """Every date that is drawn, and those of last contact and death."""
    columns = [chart.observations["on"], chart.treatments["started_on"], chart.treatments["stopped_on"], chart.events["on"]]
    columns += [chart.patients["died_on"], chart.patients["last_seen_on"]]
    return [on for column in columns for on in column.drop_nulls()]


def _panels(chart: Chart, visits: pl.DataFrame, told: Course, serum_measurable: float) -> list[Panel]:
    words, seen = told.words, chart.observations
    found = []
    given = lanes(chart.treatments, told.starts, told.last, told.lang)
    if given:
        least = 0.004 * (told.last - told.first).days + 0.5
        found.append(Panel(words["therapy"], "", 9.7 * len(given) + 3, lambda ax: draw_lanes(ax, given, least, LEFT - 10)))
    marks = events.found(chart, told.lang)
    if marks:
        rows = events.rows(marks, told.first, told.last, _scale(told))
        found.append(Panel(words["events"], "", 9 * max(rows) + 12.5,
                           lambda ax: events.draw(ax, marks, rows, told.last, _scale(told), told.lang)))  # fmt: skip
    if visits.height:
        height = 8.5 * (len(steps(visits)) + 1)
        found.append(Panel(words["response"], words["response_by"], height,
                           lambda ax: draw_ladder(ax, visits, told.lines, told.progressed, told.lang)))  # fmt: skip
    bands = [name for name in ("serum_ife", "serum_ife_shifted", "urine_ife") if standing(seen, name).height]
    if bands:
        found.append(Panel(words["ife"], "", 9 * len(bands) + 3.5, lambda ax: events.draw_bands(ax, seen, bands, told.lang)))
    serum, urine = points(seen, "serum_m_protein", told.lang), points(seen, "urine_m_protein", told.lang)
    log = words["log"]
    if serum:
        levels = serum_levels(serum, told, serum_measurable)
        found.append(Panel(words["serum"], f"g/L, {log}", _height(serum, 79), lambda ax: one_curve(ax, serum, SERUM, told, levels)))
    if urine:
        unit = unit_said("mg/24h", told.lang)
        found.append(Panel(words["urine"], f"{unit}, {log}", _height(urine, 58), lambda ax: one_curve(ax, urine, URINE, told)))
    chains = {name: points(seen, f"{name}_flc", told.lang) for name in ("kappa", "lambda")}
    if any(chains.values()):
        involved, height = chart.patients["light_chain"][0], 79 if max(map(len, chains.values())) > 2 else 50
        found.append(Panel(words["light_chains"], f"mg/L, {log}", height, lambda ax: light_chains(ax, chains, involved, told)))
    marrow = points(seen, "marrow_plasma_cells", told.lang)
    if marrow:
        found.append(Panel(words["marrow"], f"%, {log}", _height(marrow, 50), lambda ax: one_curve(ax, marrow, MARROW, told)))
    tests = mrd_tests(seen, told.lang)
    if tests:
        found.append(Panel(words["mrd"], f"{words['mrd_unit']}, {log}", 52, lambda ax: draw_mrd(ax, tests)))
    return found


def _height(curve: Sequence[Point], usual: float) -> float:
    """The height of a panel in points: low where nothing was ever found."""
    return usual if any(point.value > 0 for point in curve) else 22


def _draw(told: Course, panels: Sequence[Panel]) -> Picture:
    from .figure import add_axes, mark_time, new_figure, styled, to_svg

    head = HEAD + 7 * max(_head_rows(told)[1], default=0)
    wide, tall = LEFT + ACROSS + RIGHT, head + FOOT + sum(panel.height + GAP for panel in panels)
    top, tips = tall - head, []
    with styled():
        figure = new_figure(wide, tall)
        behind = add_axes(figure, LEFT, FOOT, ACROSS, top - FOOT)
        mark_time(behind, day(told.first) - told.margin, day(told.last) + told.margin)
        _behind(behind, told)
        _head(behind, told, head)
        for panel in panels:
            top -= panel.height + GAP
            ax = add_axes(figure, LEFT, top, ACROSS, panel.height, above=behind)
            found = panel.draw(ax)
            up = 8 if panel.name == told.words["therapy"] else 0  # above the lanes, whose names need the room
            figure.text(2 / wide, (ax.bbox.y1 + up - 4) / tall, panel.name, va="center", weight="bold")
            figure.text(2 / wide, (ax.bbox.y1 - 13) / tall, panel.unit, va="center", color=MUTED, size=SIZE - 0.6)
            places = ax.transData.transform([(x, y) for x, y, _ in found]).tolist() if found else []
            tips += [(x, tall - y, tip) for (x, y), (_, _, tip) in zip(places, found, strict=True)]
        return Picture(wide, tall, told.words["title"], to_svg(figure), tuple(tips))


def _scale(told: Course) -> float:
    """Points a day."""
    return ACROSS / ((told.last - told.first).days + 2 * told.margin)


def _behind(ax: Axes, told: Course) -> None:
    """What runs through all panels: bands of lines, progressions, death."""
    ax.set_ylim(0, 1)
    ax.yaxis.set_visible(False)
    for _, start, end in told.lines[::2]:
        ax.axvspan(day(start), day(end), color=BAND, linewidth=0, zorder=0)
    ax.vlines([day(start) for start in told.starts], 0, 1, "#9aa6b0", linewidth=0.6, zorder=1)
    for each in told.progressed:
        dashes = (4, 2) if each.state == "confirmed" else (1, 2)
        ax.axvline(day(each.on), color=DEPTH["PD"], linestyle=(0, dashes), linewidth=0.8, zorder=1)
    if told.died:
        ax.axvline(day(told.died), color=INK, linewidth=1.4)


def _head_rows(told: Course) -> tuple[list[str], list[int]]:
    """The names of the lines, and the row in which each stands clear of the others."""
    names = [told.words["line"].format(number) for number, _, _ in told.lines]
    places = [day(start) * _scale(told) for start in told.starts]
    spans = [(x, x + text_width(name) + 5) for x, name in zip(places, names, strict=True)]
    return names, rows_without_overlap(spans)


def _head(ax: Axes, told: Course, room: float) -> None:
    """The lines of therapy by number, and death, in the `room` above the axes (points)."""
    ax.hlines([1.0] * len(told.lines), [day(on) for _, on, _ in told.lines], [day(on) for _, _, on in told.lines], INK,
              linewidth=1.6, clip_on=False)  # fmt: skip
    for start, name, row in zip(told.starts, *_head_rows(told), strict=True):
        say(ax, day(start), 1, name, 1.5, 6 + 7 * row, weight="bold", size=SIZE + 0.4)
    if told.died:
        say(ax, day(told.died), 1, told.words["died"].format(told.died), RIGHT - 6, room - 4, ha="right")
