"""MRD tests, each against the detection limit of its own sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ..catalogue import label
from .curves import standing
from .drawing import MRD, MUTED, Tips, day
from .labels import Labels
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEGATIVE, POSITIVE, BELOW = "negative", "positive", "below"


@dataclass(frozen=True)
class Test:
    """One MRD test: the share of cells found (None if only the word was reported) and the limit of its sample."""

    on: date
    result: str
    share: float | None
    limit: float | None
    method: str
    tip: str


def mrd_tests(observations: pl.DataFrame, lang: str) -> list[Test]:
    """The MRD tests that stand, by date."""
    found = []
    for row in standing(observations, "mrd").filter(pl.col("status") == "final").iter_rows(named=True):
        share, word = row["value"], row["text"]
        if share is None and word not in (NEGATIVE, POSITIVE):
            continue
        below = (row["comparator"] or "").startswith("<")
        negative = share == 0 or (share is None and word == NEGATIVE)
        result = NEGATIVE if negative else BELOW if below else POSITIVE
        shown = label(NEGATIVE if negative else POSITIVE, lang) if share in (None, 0) else f"{row['comparator'] or ''}{share:.1e}"
        limit = row["detection_limit"]
        words = [
            f"MRD {shown}",
            str(row["on"]),
            row["method"] or "",
            PICTURE[lang]["limit"].format(f"{limit:.1e}") if limit else "",
        ]
        tip = " · ".join(word for word in [*words, row["source"] or ""] if word)
        found.append(Test(row["on"], result, share, limit if limit and limit > 0 else None, (row["method"] or "").upper(), tip))
    return found


def draw_mrd(ax: Axes, tests: Sequence[Test]) -> Tips:
    """Found: filled, at its share. None found: open, at the limit of the sample. The limit itself is a short bar."""
    known = [x for test in tests for x in (test.share, test.limit) if x and x > 0]
    low, high = min([*known, 1e-6]) / 2.5, max([*known, 1e-4]) * 3
    powers = [k for k in range(-8, 1) if low < 10.0**k < high]
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_yticks([10.0**k for k in powers], [f"10{_superscript(k)}" for k in powers])
    ax.set_ylim(low, high)
    places = [(day(test.on), test.share if test.share and test.share > 0 else test.limit or low) for test in tests]
    limits = [(day(test.on), test.limit) for test in tests if test.limit]
    if limits:
        ax.plot(*zip(*limits, strict=True), "_", color=MUTED, markersize=7, markeredgewidth=1.1, zorder=3, clip_on=False)
    for test, (x, y) in zip(tests, places, strict=True):
        amount = test.share is not None or test.result != POSITIVE
        shape = ("o" if amount else "^") if test.result == POSITIVE else "v"
        fill = MRD if test.result == POSITIVE and amount else "white"
        ax.plot([x], [y], shape, markersize=4.2, markerfacecolor=fill, markeredgecolor=MRD, zorder=4, clip_on=False)
    labels = Labels(ax, places)
    for test, (x, y) in reversed(list(zip(tests, places, strict=True))):
        sign = {POSITIVE: "+", NEGATIVE: "–", BELOW: "<"}[test.result]
        labels.write(x, y, f"{sign} {test.method}".strip(), MRD)
    return [(x, y, test.tip) for test, (x, y) in zip(tests, places, strict=True)]


def _superscript(k: int) -> str:
    return str(k).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
