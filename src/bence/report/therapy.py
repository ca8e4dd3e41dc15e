"""Therapy as swim-lanes: one lane a drug, or a class where there are many; procedures and cells given once as markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from ..catalogue import codes, label
from .drawing import MUTED, Tips, day, name_rows, shortened
from .words import CLASSES, DRUGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = {
    "PI": ("#3a6ea8", ("PI",)),
    "IMiD": ("#1f7a4d", ("IMiD", "CELMoD")),
    "antibody": ("#a0307a", ("CD38_antibody", "SLAMF7_antibody")),
    "T_cells": ("#b8500f", ("ADC", "bispecific", "CAR_T")),
    "chemotherapy": ("#5b6470", ("alkylator", "anthracycline", "transplant", "radiotherapy", "other")),
    "targeted": ("#7f6a00", ("BCL2", "XPO1", "HDAC")),
    "steroid": ("#9aa3ab", ("steroid",)),
    "supportive": ("#b9c0c6", ("supportive",)),
}
COLOUR = {drug_class: colour for colour, classes in GROUPS.values() for drug_class in classes}
PLACE = {drug_class: i for i, (_, classes) in enumerate(GROUPS.values()) for drug_class in classes}
ONCE = ("CAR_T", "transplant")  # given on a day, drawn as a marker
PALE = ("maintenance",)
OUTLINE: Any = {"markeredgecolor": "white", "markeredgewidth": 0.5}
MOST = 16  # lanes; with more drugs a lane is a class


@dataclass(frozen=True)
class Bar:
    """One treatment row: `stop` is None where no stop was recorded and it is drawn up to `until`."""

    start: date
    stop: date | None
    until: date
    pale: bool
    tip: str


@dataclass(frozen=True)
class Lane:
    """A drug or class with what was given of it."""

    label: str
    colour: str
    bars: list[Bar] = field(default_factory=list)
    marks: list[Bar] = field(default_factory=list)


def lanes(treatments: pl.DataFrame, starts: Sequence[date], end: date, lang: str) -> list[Lane]:
    """The lanes of one patient, by class and then by first use. `starts`: first days of the lines."""
    rows = treatments.filter(pl.col("started_on").is_not_null() & pl.col("what").is_not_null())
    rows = rows.sort("started_on", "what", "source", maintain_order=True)
    names = [name for name in rows["what"].unique(maintain_order=True) if _class(name) != "supportive"]
    by_class = len(names) > MOST
    found: dict[str, tuple[tuple[Any, ...], Lane]] = {}
    for row in rows.iter_rows(named=True):
        kind = _class(row["what"])
        merged = kind == "supportive" or (by_class and kind not in ONCE)
        key = kind if merged else row["what"]
        if key not in found:
            name = CLASSES[lang].get(kind, kind) if merged else _name(row["what"], lang)
            found[key] = ((PLACE.get(kind, 4), row["started_on"], key), Lane(name, COLOUR.get(kind, MUTED)))
        bar = _bar(row, starts, end, lang)
        lane = found[key][1]
        procedure = "procedure" in _grains(row["what"]) and row["stopped_on"] in (None, row["started_on"])
        (lane.marks if kind in ONCE or procedure else lane.bars).append(bar)
    return [lane for _, lane in sorted(found.values(), key=lambda each: each[0])]


def _name(name: str, lang: str) -> str:
    """The name of a drug or procedure, short where the catalogue is long."""
    return DRUGS[name][lang == "zh"] if name in DRUGS else label(name, lang)


def _class(name: str) -> str:
    return codes()[name].drug_class if name in codes() else "other"


def _grains(name: str) -> tuple[str, ...]:
    return codes()[name].grains if name in codes() else ()


def _bar(row: Mapping[str, Any], starts: Sequence[date], end: date, lang: str) -> Bar:
    start, stop = row["started_on"], row["stopped_on"]
    until = stop or min((day for day in starts if day > start), default=end)
    parts = [label(row["what"], lang), f"{start} – {stop or '?'}", label(row["phase"] or "", lang), row["source"] or ""]
    return Bar(start, stop, max(until, start), row["phase"] in PALE, " · ".join(part for part in parts if part))


def draw_lanes(ax: Axes, found: Sequence[Lane], least: float, room: float) -> Tips:
    """Draw lanes from the top down; returns tips as (day, lane, text).

    `least`: the shortest bar, in days; `room`: for names, in points.
    """
    name_rows(ax, [shortened(lane.label, room) for lane in found])
    tips: Tips = []
    for y, lane in enumerate(found):
        _draw_bars(ax, y, lane, least)
        if lane.marks:
            days = [day(mark.start) for mark in lane.marks]
            ax.plot(days, [y] * len(days), "D", color=lane.colour, markersize=5.2, zorder=4, clip_on=False, **OUTLINE)
        tips += [(day(bar.start) + _length(bar, least) / 2, y, bar.tip) for bar in lane.bars]
        tips += [(day(mark.start), y, mark.tip) for mark in lane.marks]
    return tips


def _draw_bars(ax: Axes, y: float, lane: Lane, least: float) -> None:
    """What was given over time: pale for maintenance; with an open end, only its beginning in full colour, where no stop is known."""
    spans = [(day(bar.start), _length(bar, least)) for bar in lane.bars]
    shades = [0.28 if bar.stop is None else 0.55 if bar.pale else 1.0 for bar in lane.bars]
    endless = [span for span, bar in zip(spans, lane.bars, strict=True) if bar.stop is None]
    spans += [(start, least) for start, _ in endless]
    shades += [1.0] * len(endless)
    if spans:
        ax.broken_barh(spans, (y - 0.3, 0.6), facecolors=[(lane.colour, shade) for shade in shades], linewidth=0, zorder=2)
    if endless:
        ends = [start + length for start, length in endless]
        ax.plot(ends, [y] * len(ends), ">", color=lane.colour, markersize=3.4, zorder=3, clip_on=False)


def _length(bar: Bar, least: float) -> float:
    return max(day(bar.until) - day(bar.start), least)
