"""What happened beside the curves: diagnoses, relapses, imaging, severe adverse events; immunofixation as a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ..catalogue import label
from ..chart import Chart
from .curves import standing
from .drawing import DEPTH, INK, MUTED, SIZE, Tips, day, name_rows, rows_without_overlap, say, text_width
from .words import EVENTS, PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEVERE = 3  # grade from which any other event is shown
GRADED = ("crs", "icans")
BAD = ("relapse_clinical", "relapse_biochemical", "plasmacytoma_new", "new_lesion")
TOLD = ("mdt_decision",)  # whose words are worth reading
MOST_ROWS = 6


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day, in a word or two."""

    on: date
    text: str
    colour: str
    tip: str


def found(chart: Chart, lang: str) -> list[Mark]:
    """The events and imaging results worth a word, by date."""
    marks = []
    zh = lang == "zh"
    for row in chart.events.filter(pl.col("on").is_not_null() & pl.col("text").ne_missing("none")).iter_rows(named=True):
        name, grade = row["what"], row["grade"]
        if name not in EVENTS and (grade or 0) < SEVERE:
            continue
        text = EVENTS[name][zh] if name in EVENTS else label(name, lang)
        if grade:
            text += f" {grade}" if name in GRADED and not zh else f"{'' if zh else ' '}{PICTURE[lang]['grade'].format(grade)}"
        tip = f"{text}{'：' if zh else ': '}{row['text']}" if name in TOLD and row["text"] else text
        marks.append(Mark(row["on"], text, DEPTH["PD"] if name in BAD else INK, _tip(row, tip)))
    for row in standing(chart.observations, "pet", "new_lesion").iter_rows(named=True):
        if row["text"] not in ("positive", "negative", "yes") or row["status"] != "final":
            continue
        bad = row["text"] in ("positive", "yes")
        text = EVENTS[row["what"]][zh] + ("" if row["what"] == "new_lesion" else " +" if bad else " –")
        tip = _tip(row, text + (f" Deauville {row['value']:g}" if row["value"] and row["what"] == "pet" else ""))
        marks.append(Mark(row["on"], text, DEPTH["PD"] if bad else INK, tip))
    return sorted(dict.fromkeys(marks), key=lambda mark: (mark.on, mark.text))


def _tip(row: dict[str, object], text: str) -> str:
    return " · ".join(str(part) for part in (text, row["on"], row["source"]) if part)


def rows(marks: Sequence[Mark], first: date, last: date, scale: float) -> list[int]:
    """The row of each mark, so that no text meets another; `scale` in points a day. Rows beyond the most are left out."""
    spans = []
    for mark in marks:
        x, width = (mark.on - first).days * scale, text_width(mark.text, SIZE - 0.4) + 7
        spans.append((x - 3, x + width) if _fits(mark, last, scale) else (x - width, x + 3))
    order = sorted(range(len(spans)), key=lambda i: spans[i])
    placed = dict(zip(order, rows_without_overlap([spans[i] for i in order]), strict=True))
    return [min(placed[i], MOST_ROWS) for i in range(len(marks))]


def _fits(mark: Mark, last: date, scale: float) -> bool:
    """Whether there is room for the text at the right of its day."""
    return (last - mark.on).days * scale + 34 > text_width(mark.text, SIZE - 0.4) + 7


def draw(ax: Axes, marks: Sequence[Mark], placed: Sequence[int], last: date, scale: float, lang: str) -> Tips:
    """Draw a tick and a word for each mark; what finds no row is counted in the last one."""
    ax.set_ylim(max(placed) + 0.6, -0.6)
    ax.yaxis.set_visible(False)
    drawn = [(mark, row) for mark, row in zip(marks, placed, strict=True) if row < MOST_ROWS]
    for colour in dict.fromkeys(mark.colour for mark, _ in drawn):
        own = [(day(mark.on), row) for mark, row in drawn if mark.colour == colour]
        ax.plot(*zip(*own, strict=True), "|", color=colour, markersize=5, markeredgewidth=1.2, clip_on=False)
    for mark, row in drawn:
        dx, ha = (3, "left") if _fits(mark, last, scale) else (-3, "right")
        say(ax, day(mark.on), row, mark.text, dx, ha=ha, size=SIZE - 0.4, color=mark.colour)
    if len(drawn) < len(marks):
        more = PICTURE[lang]["and_more"].format(len(marks) - len(drawn))
        say(ax, ax.get_xlim()[1], MOST_ROWS, more, ha="right", size=SIZE - 0.4, color=MUTED)
    return [(day(mark.on), row, mark.tip) for mark, row in drawn]


def draw_bands(ax: Axes, observations: pl.DataFrame, names: Sequence[str], lang: str) -> Tips:
    """Immunofixation: filled where a band was found, open where it was negative."""
    tips: Tips = []
    short = {"serum_ife": "ife_serum", "urine_ife": "ife_urine", "serum_ife_shifted": "ife_shifted"}
    name_rows(ax, [PICTURE[lang][short[name]] for name in names])
    for y, name in enumerate(names):
        rows = standing(observations, name).filter(pl.col("text").is_not_null() & (pl.col("status") == "final"))
        for negative in (True, False):
            days = [day(on) for on in rows.filter((pl.col("text") == "negative") == negative)["on"]]
            if days:
                ax.plot(
                    days, [y] * len(days), "s", markersize=3, clip_on=False, zorder=4,
                    markerfacecolor="white" if negative else INK, markeredgecolor=INK, markeredgewidth=0.7,
                )  # fmt: skip
        tips += [(day(row["on"]), y, _tip(row, f"{label(name, lang)}: {row['text']}")) for row in rows.iter_rows(named=True)]
    return tips
