"""The canvas of a picture: Matplotlib draws it to SVG. Imported only when there is something to draw.

Text stays text, its width is an estimate, and the browser chooses its font, so Chinese shows without a font here. The
same drawing gives the same bytes. A point is a pixel.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.dates import DAILY, MONTHLY, AutoDateFormatter, AutoDateLocator
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from .drawing import CAPITAL, GRID, INK, MUTED, RULE, SIZE, text_width

POINTS = 72  # an inch
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "bence", "text.parse_math": False, "text.color": INK,
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": SIZE,
    "axes.spines.left": False, "axes.spines.right": False, "axes.spines.top": False, "axes.spines.bottom": False,
    "axes.facecolor": "none", "figure.facecolor": "none", "axes.axisbelow": True,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": RULE, "grid.linewidth": 0.5,
    "xtick.bottom": False, "xtick.labelbottom": False, "xtick.major.pad": 3, "xtick.labelsize": SIZE - 0.4, "xtick.labelcolor": MUTED,
    "ytick.left": False, "ytick.alignment": "center", "ytick.major.pad": 2, "ytick.labelsize": SIZE - 0.4, "ytick.labelcolor": MUTED,
    "lines.solid_capstyle": "butt", "lines.linewidth": 0.9, "lines.markeredgewidth": 0.9,
}  # fmt: skip


class TextRenderer(RendererSVG):
    """Writes SVG; a text is as wide as `text_width` tells and as high as its capitals."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Width, height and depth of a text, in points."""
        size = float(prop.get_size_in_points())
        return text_width(s, size), CAPITAL * size, 0.0


def styled() -> Any:
    """The settings under which pictures are made and drawn, whatever those of the user are, as a context."""
    return style.context(STYLE, after_reset=True)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in points, without global state."""
    return Figure(figsize=(width / POINTS, height / POINTS), dpi=POINTS)


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float, above: Axes | None = None) -> Axes:
    """Axes at a place of the figure, in points; with the days of those they lie `above`, whose names are not repeated."""
    whole, tall = figure.get_size_inches() * POINTS
    ax = figure.add_axes((left / whole, bottom / tall, width / whole, height / tall), sharex=above)
    if above:
        ax.xaxis.set_visible(False)
    return ax


def mark_time(ax: Axes, first: float, last: float) -> None:
    """Years or months along the foot of axes, with a line for each."""
    locator = AutoDateLocator(minticks=5, maxticks=12)
    locator.intervald[MONTHLY] = [1, 2, 3, 6]
    locator.maxticks[DAILY] = 7  # their names are longer
    ax.set_xlim(first, last)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(AutoDateFormatter(locator))
    ax.tick_params(axis="x", labelbottom=True)
    ax.grid(axis="x", color=GRID)


def to_svg(figure: Figure) -> str:
    """What an SVG element of the figure's size in points holds."""
    text = StringIO()
    width, height = figure.get_size_inches() * POINTS
    renderer = TextRenderer(width, height, text, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    figure.draw(renderer)
    renderer.finalize()
    svg = text.getvalue()
    return svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
