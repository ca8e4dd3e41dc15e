"""The course of one patient in one picture: therapy, response and disease markers on a shared time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from matplotlib.axes import Axes

from ..chart import Chart
from . import events
from .curves import points, standing
from .drawing import (
    BAND,
    DEPTH,
    GRID,
    INK,
    MARROW,
    MUTED,
    POINTS,
    SERUM,
    SIZE,
    URINE,
    bare,
    day,
    drawn,
    month_ticks,
    new_figure,
    rows_without_overlap,
    say,
    text_width,
    to_svg,
)
from .ladder import draw_ladder, progressions, steps
from .markers import Tips, light_chains, linear, serum_levels
from .mrd import draw_mrd, mrd_tests
from .therapy import draw_lanes, lanes
from .timeline import Course

WIDTH, LEFT, RIGHT = 7.4, 1.42, 0.62  # inches
Draw = Callable[[Axes], Tips]


@dataclass(frozen=True)
class Panel:
    """A part of the picture: its name and unit at the left, its height in inches, what draws it."""

    name: str
    unit: str
    height: float
    draw: Draw


def course(
    chart: Chart, visits: pl.DataFrame, values: pl.DataFrame, lines: pl.DataFrame, lang: str = "en",
    serum_measurable: float = 10.0,
) -> str:  # fmt: skip
    """The course of the one patient of a chart as SVG; empty if the chart has no dated observation, drug or event.

    `visits`, `values`, `lines`: as in `bence.assess.why.ResponseStory`. `serum_measurable`: g/L.
    """
    dates = _dates(chart)
    if not dates:
        return ""
    starts = lines["started_on"].to_list()
    spans = zip(lines["line"].to_list(), starts, [*starts[1:], max(dates)], strict=False)
    told = Course(min(dates), max(dates), tuple(spans), tuple(progressions(visits, values)), chart.patients["died_on"][0], lang)
    with drawn():
        return _draw(told, _panels(chart, visits, told, serum_measurable))


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
        found.append(Panel(words["therapy"], "", 0.135 * len(given) + 0.04, lambda ax: draw_lanes(ax, given, least, LEFT * POINTS - 10)))
    marks = events.found(chart, told.lang)
    if marks:
        width = (WIDTH - LEFT - RIGHT) * POINTS / ((told.last - told.first).days + 2 * told.margin)
        rows = events.rows(marks, told.first, told.last, width)
        found.append(Panel(words["events"], "", 0.125 * (max(rows) + 1) + 0.05, lambda ax: events.draw(ax, marks, rows, told.last, width)))
    if visits.height:
        height = 0.118 * (len(steps(visits)) + 1)
        found.append(Panel(words["response"], words["response_by"], height,
                           lambda ax: draw_ladder(ax, visits, told.lines, told.progressed, told.lang)))  # fmt: skip
    bands = [name for name in ("serum_ife", "serum_ife_shifted", "urine_ife") if standing(seen, name).height]
    if bands:
        found.append(Panel(words["ife"], "", 0.125 * len(bands) + 0.05, lambda ax: events.draw_bands(ax, seen, bands, told.lang)))
    serum, urine = points(seen, "serum_m_protein", told.lang), points(seen, "urine_m_protein", told.lang)
    if serum:
        found.append(
            Panel(
                words["serum"],
                "g/L",
                1.1 if any(point.value > 0 for point in serum) else 0.3,
                lambda ax: linear(ax, serum, SERUM, told, serum_levels(serum, told, serum_measurable)),
            )
        )
    if urine:
        found.append(
            Panel(
                words["urine"],
                "mg/24 h",
                0.62 if any(point.value > 0 for point in urine) else 0.3,
                lambda ax: linear(ax, urine, URINE, told),
            )
        )
    chains = {name: points(seen, f"{name}_flc", told.lang) for name in ("kappa", "lambda")}
    if any(chains.values()):
        involved = chart.patients["light_chain"][0]
        found.append(
            Panel(
                words["light_chains"],
                f"mg/L, {words['log']}",
                1.1 if max(map(len, chains.values())) > 2 else 0.7,
                lambda ax: light_chains(ax, chains, involved, told),
            )
        )
    marrow = points(seen, "marrow_plasma_cells", told.lang)
    if marrow:
        found.append(Panel(words["marrow"], "%", 0.62, lambda ax: linear(ax, marrow, MARROW, told)))
    tests = mrd_tests(seen, told.lang)
    if tests:
        found.append(Panel(words["mrd"], f"{words['mrd_unit']}, {words['log']}", 0.72, lambda ax: draw_mrd(ax, tests, told.lang)))
    return found


def _draw(told: Course, panels: Sequence[Panel]) -> str:
    rows = max(_head_rows(told)[1], default=0)
    head, foot, gap = 0.2 + 0.1 * rows, 0.2, 0.09
    height = head + foot + sum(panel.height + gap for panel in panels)
    figure = new_figure(WIDTH, height)
    left, width = LEFT / WIDTH, (WIDTH - LEFT - RIGHT) / WIDTH
    limits = (day(told.first) - told.margin, day(told.last) + told.margin)
    ticks = month_ticks(*limits)
    behind = bare(figure.add_axes((left, foot / height, width, 1 - (head - 0.02 + foot) / height)))
    behind.set_xlim(*limits)
    _behind(behind, told, ticks)
    _head(figure.add_axes((left, 1 - head / height, width, head / height)), limits, told)
    tips, top = [], height - head
    for panel in panels:
        top -= panel.height + gap
        ax = bare(figure.add_axes((left, top / height, width, panel.height / height)))
        ax.set_xlim(*limits)
        found = panel.draw(ax)
        middle = {"x": 0, "xycoords": ax.transAxes, "ha": "left", "dx": -LEFT * POINTS + 2}
        up = 8 if panel.name == told.words["therapy"] else 0  # above the lanes, whose names need the room
        say(ax, y=1, text=panel.name, weight="bold", dy=up - 4, **middle)
        if panel.unit:
            say(ax, y=1, text=panel.unit, dy=-13, color=MUTED, size=SIZE - 0.6, **middle)
        for x, y, tip in found:
            place = ax.transData.transform((x, y))
            tips.append((float(place[0]), float(place[1]), tip))
    return to_svg(figure, "c", told.words["title"], tips)


def _behind(ax: Axes, told: Course, ticks: Sequence[tuple[float, str]]) -> None:
    """What runs through all panels: bands of lines, years, progressions, death."""
    ax.set_ylim(0, 1)
    for i, (_, start, end) in enumerate(told.lines):
        if i % 2 == 0:
            ax.axvspan(day(start), day(end), color=BAND, linewidth=0, zorder=0)
        ax.axvline(day(start), color="#9aa6b0", linewidth=0.6, zorder=1)
    for x, text in ticks:
        ax.axvline(x, color=GRID, linewidth=0.5, zorder=0.5)
        say(ax, x, 0, text, dy=-7, ha="center", color=MUTED, size=SIZE - 0.4)
    for each in told.progressed:
        sure = each.state == "confirmed"
        ax.axvline(day(each.on), color=DEPTH["PD"], linewidth=0.8, linestyle=(0, (4, 2) if sure else (1, 2)), zorder=1)
    if told.died:
        ax.axvline(day(told.died), color=INK, linewidth=1.4, zorder=2)


def _head_rows(told: Course) -> tuple[list[str], list[int]]:
    """The names of the lines, and the row in which each stands clear of the others."""
    scale = (WIDTH - LEFT - RIGHT) * POINTS / ((told.last - told.first).days + 2 * told.margin)
    names = [told.words["line"].format(number) for number, _, _ in told.lines]
    spans = [(day(start) * scale, day(start) * scale + text_width(name) + 5) for (_, start, _), name in zip(told.lines, names, strict=True)]
    return names, rows_without_overlap(spans)


def _head(ax: Axes, limits: tuple[float, float], told: Course) -> None:
    """The lines of therapy by number, and death."""
    bare(ax).set_xlim(*limits)
    ax.set_ylim(0, 1)
    for (_, start, end), name, row in zip(told.lines, *_head_rows(told), strict=True):
        ax.plot([day(start), day(end)], [0.04, 0.04], color=INK, linewidth=1.6, zorder=3)
        say(ax, day(start), 0.04, name, dx=1.5, dy=6 + 7 * row, weight="bold", size=SIZE + 0.4)
    if told.died:
        say(ax, day(told.died), 1, told.words["died"].format(told.died), dy=-4, dx=RIGHT * POINTS - 6, ha="right")
