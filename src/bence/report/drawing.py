"""What every picture shares: sizes, colours that colour-blind readers can tell apart, text, and the way to SVG.

Text stays text (the browser chooses the font, so Chinese shows), coordinates are points, and the same drawing gives
the same bytes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from io import StringIO
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED, GRID, BAND = "#1b2733", "#5a6773", "#dfe4e8", "#f3f5f7"
SERUM, URINE, INVOLVED, UNINVOLVED, MARROW, MRD = "#0b62a4", "#7d5200", "#6a3d9a", "#77828c", "#00664b", "#1b2733"
DEPTH = {
    "sCR": "#08306b", "CR": "#1a5599", "VGPR": "#3a88c2", "PR": "#79b4da", "MR": "#b3d3e8", "SD": "#a4adb5",
    "PD": "#c8430d", "NE": "#ffffff",
}  # fmt: skip
EDGE = {"PR": "#3f86b5", "MR": "#5f9cc4", "SD": "#6b757e", "NE": "#8a949d"}  # where the fill is too light for an outline
DARK = {"sCR", "CR", "VGPR", "PD"}  # fills that want white text
SIZE = 6.6  # points of the text in pictures
POINTS = 72
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "bence", "font.family": "DejaVu Sans", "font.size": SIZE,
    "axes.linewidth": 0.6, "lines.solid_capstyle": "butt", "axes.unicode_minus": False,
}  # fmt: skip


def text_width(text: str, size: float = SIZE) -> float:
    """About how wide a text is, in points; a Chinese character is as wide as it is high."""
    return sum(1.0 if east_asian_width(char) in "WF" else 0.56 for char in text) * size


def shortened(text: str, width: float, size: float = SIZE) -> str:
    """A text cut with an ellipsis where it is wider than there is room, in points."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def say(ax: Axes, x: Any, y: Any, text: str, *, dx: float = 0, dy: float = 0, size: float = SIZE, **style: Any) -> None:
    """Text whose middle (by the height of a capital) is at a point; `dx`, `dy` shift it, in points."""
    style = {"color": INK, "ha": "left", "annotation_clip": False} | style
    shift = (dx, dy - 0.36 * size)
    ax.annotate(text, (x, y), xytext=shift, textcoords="offset points", va="baseline", fontsize=size, **style)


def day(on: date) -> float:
    """A date as a place on the time axis."""
    return float(on.toordinal())


def month_ticks(first: float, last: float, most: int = 12) -> list[tuple[float, str]]:
    """Firsts of months between two places, at most about `most`, with their labels (`2024` or `2024-03`)."""
    months = max(1, round((last - first) / 30.4))
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60, 120) if months / s <= most), 240)
    start = date.fromordinal(int(first))
    ticks, at = [], (start.year * 12 // step) * step
    while (on := day(date(at // 12, at % 12 + 1, 1))) <= last:
        if on >= first:
            ticks.append((on, f"{at // 12}" if step >= 12 else f"{at // 12}-{at % 12 + 1:02d}"))
        at += step
    return ticks


def rows_without_overlap(spans: Sequence[tuple[float, float]], gap: float = 2) -> list[int]:
    """For spans in order of their start the first row in which each is clear of those before it."""
    ends: list[float] = []
    found = []
    for start, end in spans:
        row = next((i for i, taken in enumerate(ends) if start >= taken + gap), len(ends))
        ends[row : row + 1] = [end]
        found.append(row)
    return found


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, with a canvas of its own (no global state)."""
    figure = Figure(figsize=(width, height), dpi=POINTS)
    FigureCanvasSVG(figure)
    return figure


def bare(ax: Axes) -> Axes:
    """Axes without frame and ticks."""
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False, which="both")
    ax.patch.set_visible(False)
    return ax


def to_svg(figure: Figure, key: str, title: str, tips: Iterable[tuple[float, float, str]] = ()) -> str:
    """The figure as an SVG element; `key` sets its ids apart on the page.

    `tips` are texts shown where the pointer rests, at (x, y) in points.
    """
    text = StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # glyphs that only the browser has
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    width, height = figure.get_size_inches() * POINTS
    body = re.search(r"<svg[^>]*>(.*)</svg>", text.getvalue(), re.S)
    assert body
    inner = re.sub(r"<(metadata|style)\b.*?</\1>", "", body[1], flags=re.S)
    inner = re.sub(r"<[^>]*>", lambda tag: _shorter(tag[0], key), inner)
    inner = re.sub(r"(?<=>)\s+(?=<)", "", inner)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{height - y:.1f}" r="3.2"><title>{escape(tip)}</title></circle>' for x, y, tip in tips)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{inner}<g class="tips">{marks}</g></svg>'


def _shorter(tag: str, key: str) -> str:
    """A tag of matplotlib without its font, its idle ids and the digits nobody sees."""
    tag = re.sub(r" id=\"(?![mp][0-9a-f]{10}\")[^\"]*\"| font-family: 'DejaVu Sans';| transform=\"rotate\(-0 [^\"]*\"", "", tag)
    tag = re.sub(r"(\d+\.\d{2})\d+", r"\1", re.sub(r"\s+", " ", tag)).replace("xlink:href", "href")
    return re.sub(r'(id="|#)(?=[mp][0-9a-f]{10})', rf"\g<1>{key}", tag)


def drawn() -> Any:
    """The settings under which pictures are drawn, as a context."""
    return mpl.rc_context(STYLE)
