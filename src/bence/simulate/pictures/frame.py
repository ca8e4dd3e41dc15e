"""What the pictures of virtual patients share: colours, axes of months, and the words under each that say it is synthetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...report.drawing import INK, MUTED, SIZE, text_width
from ...report.pictures import Picture
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0b62a4", "#c8430d", "#00664b", "#6a3d9a", "#7d5200", "#5a6773")  # of arms and strategies, in their order
CLONES = {
    "ln_sensitive": "#0b62a4", "ln_bcma_low": "#c8430d", "ln_gprc5d_loss": "#00664b", "ln_double_loss": "#6a3d9a",
    "ln_resistant": "#7d5200",
}  # fmt: skip
NOTE_ROOM = 11.0  # points at the foot, for the note
Key = Sequence[tuple[str, str]]  # colour and word


def drawn(width: float, height: float, title: str, lang: str, draw: Callable[[Figure], list[tuple[float, float, str]] | None]) -> Picture:
    """A picture of so many points: `draw` fills the figure above `NOTE_ROOM` and returns tips at (x, y) from the lower left, if any."""
    from ...report.figure import new_figure, styled, to_svg

    with styled():
        figure = new_figure(width, height)
        tips = draw(figure) or []
        figure.text(2 / width, 4 / height, PICTURE[lang]["synthetic"], size=SIZE - 0.6, color="#b23a08", va="center")
        return Picture(width, height, title, to_svg(figure), tuple((x, height - y, tip) for x, y, tip in tips))


def colour(place: int) -> str:
    """The colour of an arm or strategy by its place."""
    return COLOURS[place % len(COLOURS)]


def head(figure: Figure, x: float, y: float, text: str, note: str = "") -> None:
    """The name of a panel in bold with a remark, at a place in points."""
    wide, tall = figure.get_size_inches() * 72
    figure.text(x / wide, y / tall, text, weight="bold", va="center")
    figure.text((x + text_width(text) + 8) / wide, y / tall, note, va="center", color=MUTED, size=SIZE - 0.6)


def key(figure: Figure, x: float, y: float, parts: Key, across: float) -> float:
    """Coloured squares with their words from a place in points on, in rows of a width; returns the height used."""
    from matplotlib.patches import Rectangle

    wide, tall = figure.get_size_inches() * 72
    left, row = x, y
    for fill, word in parts:
        room = text_width(word, SIZE - 0.4) + 18
        if left > x and left + room > x + across:
            left, row = x, row - 9.5
        figure.add_artist(Rectangle((left / wide, (row - 3) / tall), 6 / wide, 6 / tall, facecolor=fill, edgecolor=MUTED, linewidth=0.4))
        figure.text((left + 9) / wide, row / tall, word, size=SIZE - 0.4, va="center", color=INK)
        left += room
    return y - row + 9.5


def months_axis(ax: Axes, months: float, lang: str, name: str | None = None) -> None:
    """An axis of months from 0 on, with a tick at sensible steps."""
    step = next((step for step in (1, 3, 6, 12, 24) if months / step <= 12), 24)
    ax.set_xlim(0, months)
    ax.set_xticks([float(at) for at in range(0, int(months) + 1, step)])
    ax.tick_params(axis="x", labelbottom=True)
    ax.set_xlabel(PICTURE[lang]["months"] if name is None else name, fontsize=SIZE - 0.4, color=MUTED, labelpad=3)


def percent_axis(ax: Axes) -> None:
    """An axis from 0 to 1, named in percent."""
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
