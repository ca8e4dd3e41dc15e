"""Dots with intervals, a row each: what an outcome hangs on, published against model, which strategy is better."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from ...report.drawing import GRID, INK, MUTED, SIZE, name_rows, say, shortened
from ...report.pictures import Picture
from ..calibration.score import Scored
from ..course import MONTH
from ..sequence import Strategies
from ..strategies import EVENTS, better
from ..told import ROLES, target_said
from .frame import NOTE_ROOM, drawn, head
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, LEFT, ACROSS, RIGHT = 11.0, 230.0, 250.0, 80.0  # points
HELPS, HARMS, MODEL, OUT, NAIVE = "#0b62a4", "#c8430d", "#0b62a4", "#c8430d", "#7d5200"
SHOWN = 14  # parameters


def _axes(figure: Figure, rows: int, foot: float) -> Axes:
    from ...report.figure import add_axes

    ax = add_axes(figure, LEFT, foot, ACROSS, ROW * rows)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True, color=GRID)
    ax.tick_params(axis="x", labelbottom=True)
    return ax


def _above(ax: Axes, text: str, at: float, ha: str = "left", *, dx: float = 0, colour: str = MUTED, size: float = SIZE - 0.6) -> None:
    """A word over the axes, at a share of their width."""
    ax.annotate(
        text, (at, 1), xycoords="axes fraction", xytext=(dx, 6), textcoords="offset points", ha=ha, va="center", color=colour, size=size
    )


def tornado(table: pl.DataFrame, outcome: str, lang: str = "en") -> Picture | None:
    """The parameters of one arm that matter most to an outcome: bars of the partial rank correlation, else of the plain one.

    `table`: of `sensitivity.sensitivity`. None if it has no such rows.
    """
    own = table.filter(pl.col("outcome") == outcome, pl.coalesce("partial", "rho").is_not_null()).head(SHOWN)
    if not own.height:
        return None
    height = ROW * own.height + NOTE_ROOM + 58
    return drawn(
        LEFT + ACROSS + RIGHT,
        height,
        PICTURE[lang][f"outcome_{outcome}"],
        lang,
        lambda figure: _tornado(figure, own, outcome, lang, height),
    )


def _tornado(figure: Figure, own: pl.DataFrame, outcome: str, lang: str, height: float) -> None:
    words = PICTURE[lang]
    which = "partial" if own["partial"].null_count() < own.height else "rho"
    head(figure, 2, height - 8, words[f"outcome_{outcome}"], f"{words[which]} · n = {own['people'][0]:,}")
    ax = _axes(figure, own.height, NOTE_ROOM + 24)
    for place, row in enumerate(own.iter_rows(named=True)):
        value, low, high = row[which], row[f"{which}_low"], row[f"{which}_high"]
        ax.barh([place], [value], 0.62, color=HELPS if value > 0 else HARMS, linewidth=0, alpha=0.85)
        ax.plot([low, high], [place, place], color=INK, linewidth=0.8)
        say(ax, 1, place, f"{value:+.2f} ({low:+.2f} – {high:+.2f})", dx=-2, size=SIZE - 0.6)
    name_rows(ax, [shortened(row, LEFT - 8) for row in own[f"what_{lang}"]])
    ax.set_xlim(-1, 1)
    ax.axvline(0, color=INK, linewidth=0.6)
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    _above(ax, words["to_worse"], 0, colour=HARMS)
    _above(ax, words["to_better"], 1, "right", colour=HELPS)


def calibration(scored: Sequence[Scored], lang: str = "en") -> Picture | None:
    """Every target with its published interval, the model's share and its draws, and the naive one; None without targets."""
    if not scored:
        return None
    roles = list(dict.fromkeys(one.target.role for one in scored))
    rows: list[Scored | str] = []
    for role in roles:
        rows += [ROLES[role][lang == "zh"], *(one for one in scored if one.target.role == role)]
    height = ROW * len(rows) + NOTE_ROOM + 52
    return drawn(LEFT + ACROSS + RIGHT, height, PICTURE[lang]["calibration"], lang, lambda figure: _calibration(figure, rows, lang, height))


def _calibration(figure: Figure, rows: Sequence[Scored | str], lang: str, height: float) -> None:
    words = PICTURE[lang]
    head(figure, 2, height - 8, words["calibration"], "%")
    ax = _axes(figure, len(rows), NOTE_ROOM + 22)
    names = []
    for place, one in enumerate(rows):
        if isinstance(one, str):
            names.append(one)
            ax.axhline(place, color=GRID, linewidth=ROW * 0.8, zorder=0)
            continue
        names.append(shortened(target_said(one.target, lang), LEFT - 8))
        low, high = (100 * end for end in one.target.interval)
        ax.plot([low, high], [place, place], color="#b7c0c8", linewidth=4.6, zorder=1)
        ax.plot(one.target.percent, place, "|", color=INK, markersize=7, markeredgewidth=1.4, zorder=3)
        fill = MODEL if one.hit else OUT
        ax.plot([100 * one.low, 100 * one.high], [place, place], color=fill, linewidth=0.8, zorder=4)
        ax.plot(100 * one.share, place, "o", color=fill, markersize=3.8, zorder=5)
        if one.naive is not None:
            ax.plot(100 * one.naive, place, "D", markerfacecolor="white", markeredgecolor=NAIVE, markersize=3.4, zorder=3)
        say(ax, 100, place, f"{one.target.percent:.0f} | {100 * one.share:.0f}", dx=6, size=SIZE - 0.6, color=INK if one.hit else OUT)
    name_rows(ax, names)
    for label, one in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if isinstance(one, str) else "normal")
    ax.set_xlim(0, 100)
    marks = f"▬ | {words['published']}   ● {words['model']}   ◇ {words['naive']}   [M] {words['memory']}"
    figure.text(2 / (LEFT + ACROSS + RIGHT), (height - 18) / height, marks, size=SIZE - 0.6, color=MUTED, va="center")
    figure.text(
        (LEFT + ACROSS) / (LEFT + ACROSS + RIGHT),
        (height - 27) / height,
        f"● {words['model_out']}",
        size=SIZE - 0.6,
        color=OUT,
        va="center",
        ha="right",
    )


def which_is_better(found: Strategies, lang: str = "en") -> Picture | None:
    """For every pair and event the probability that the first strategy does better, with its Monte Carlo error; None for one strategy."""
    words, zh = PICTURE[lang], lang == "zh"
    pairs = [(one, other, event) for one, other in combinations(range(len(found.names)), 2) for event in EVENTS]
    if not pairs:
        return None
    height = ROW * 2 * len(pairs) + NOTE_ROOM + 46
    told = [
        (f"{found.names[one]}  /  {found.names[other]}", EVENTS[event][zh], better(found.people[one], found.people[other], event))
        for one, other, event in pairs
    ]

    def draw(figure: Figure) -> None:
        head(figure, 2, height - 8, words["better"], words["better_note"])
        ax = _axes(figure, 2 * len(told), NOTE_ROOM + 22)
        names = []
        for place, (pair, event, result) in enumerate(told):
            y = 2 * place + 0.5
            names += [shortened(pair, LEFT - 8), shortened(event, LEFT - 8)]
            ax.plot([result.probability - 2 * result.error, result.probability + 2 * result.error], [y, y], color=INK, linewidth=1.2)
            ax.plot(result.probability, y, "o", color=HELPS if result.probability >= 0.5 else HARMS, markersize=5)
            say(ax, 1, y, f"{result.probability:.2f} ± {result.error:.2f}", dx=6, dy=4, size=SIZE - 0.4)
            say(ax, 1, y, f"{result.gain / MONTH:+.1f} ± {result.gain_error / MONTH:.1f}", dx=6, dy=-5, size=SIZE - 0.8, color=MUTED)
        name_rows(ax, names)
        ax.set_xlim(0, 1)
        ax.axvline(0.5, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
        _above(ax, words["even"], 0.5, "center")
        _above(ax, words["gain"], 1, dx=6, size=SIZE - 0.8)

    return drawn(LEFT + ACROSS + RIGHT, height, words["better"], lang, draw)
