"""What every picture shares: sizes, colours that colour-blind readers can tell apart, text, days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

XY = tuple[float, float]
Tips = list[tuple[float, float, str]]  # day, value, what is said there
INK, MUTED, GRID, RULE, BAND = "#1b2733", "#5a6773", "#dfe4e8", "#e4e9ed", "#f3f5f7"
SERUM, URINE, INVOLVED, UNINVOLVED, MARROW, MRD = "#0b62a4", "#7d5200", "#6a3d9a", "#77828c", "#00664b", "#1b2733"
DEPTH = {
    "sCR": "#08306b", "CR": "#1a5599", "VGPR": "#3a88c2", "PR": "#79b4da", "MR": "#b3d3e8", "SD": "#a4adb5",
    "PD": "#c8430d", "NE": "#ffffff",
}  # fmt: skip
EDGE = {"PR": "#3f86b5", "MR": "#5f9cc4", "SD": "#6b757e", "NE": "#8a949d"}  # where the fill is too light for an outline
DARK = {"sCR", "CR", "VGPR", "PD"}  # fills that want white text
SIZE = 6.6  # points of the text in pictures
CAPITAL = 0.72  # the height of a capital, as a share of the size
EPOCH = date(1970, 1, 1).toordinal()  # from which Matplotlib counts days


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


def day(on: date) -> float:
    """A date as a place on the time axis."""
    return float(on.toordinal() - EPOCH)


def say(ax: Axes, x: float, y: float, text: str, dx: float = 0, dy: float = 0, **style: Any) -> None:
    """Text whose middle (by the height of a capital) is at a place, shifted by `dx` and `dy` points."""
    ax.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", va="center", annotation_clip=False, **style)


def name_rows(ax: Axes, names: Sequence[str], size: float = SIZE, above: float = 0.6) -> None:
    """Rows from the top down, named at their left; `above` is the room over the first, in rows."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelsize=size, labelcolor=INK)
    ax.set_ylim(max(len(names), 1) - 0.4, -above)


def rows_without_overlap(spans: Sequence[tuple[float, float]], gap: float = 2) -> list[int]:
    """For spans in order of their start the first row in which each is clear of those before it."""
    ends: list[float] = []
    found = []
    for start, end in spans:
        row = next((i for i, taken in enumerate(ends) if start >= taken + gap), len(ends))
        ends[row : row + 1] = [end]
        found.append(row)
    return found
