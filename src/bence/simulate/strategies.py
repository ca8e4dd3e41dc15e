"""Strategies side by side: what became of the same virtual people under each, and in how many of them one did better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from ..assess.survival import Curve, kaplan_meier
from .causes import CAUSES
from .course import MONTH
from .endpoints import NOT_REACHED, UNIT
from .sequence import Strategies

DEEP = 1e-5
YEARS = (1, 2, 3, 5)
EVENTS = {
    "second_event": ("time to second progression or death", "至第二次进展或死亡的时间"),
    "died": ("survival", "总生存"),
}
ROWS = {
    "switched": ("began the second treatment", "开始第二种治疗"),
    "median": ("median time to second progression or death", "至第二次进展或死亡的中位时间"),
    "second_event": ("free of both after {} years", "{}年无第二次进展且存活"),
    "died": ("alive after {} years", "{}年生存率"),
    "deep": ("MRD <1e-5 at any time (true share)", "曾达MRD<1e-5（真实比例）"),
    "t_cells": ("T-cell fitness at the switch, median (quartiles)", "换药时T细胞适应性，中位（四分位）"),
    "first": ("first relapse, because of: {}", "首次复发原因：{}"),
    "second": ("second relapse, because of: {}", "第二次复发原因：{}"),
}
VERDICT = {
    "en": "{one} or {other}, {what}: the first is better with probability {p:.2f} ± {error:.2f} (of the same {n} people;"
    " {undecided:.0%} undecided, counted half); mean difference within {months:g} months {gain:+.1f} ± {gain_error:.1f} months.",
    "zh": "{one} 对比 {other}，{what}：前者更优的概率 {p:.2f} ± {error:.2f}（同一批 {n} 人；"
    "{undecided:.0%} 未分胜负，按一半计）；{months:g}个月内平均差 {gain:+.1f} ± {gain_error:.1f} 个月。",
}  # fmt: skip


@dataclass(frozen=True)
class Better:
    """Of the same people: the share in whom one strategy does better than another, and the Monte Carlo standard error of it.

    A pair is undecided where the one with the shorter time was only censored; `undecided` counts half in `probability`. `gain`: mean
    difference in days until the event within the time followed.
    """

    probability: float
    error: float
    undecided: float
    gain: float
    gain_error: float


def better(one: pl.DataFrame, other: pl.DataFrame, event: str = "second_event") -> Better:
    """Is `one` better than `other` on the time to an event (`second_event` or `died`)? Both: `outcomes` of the same people."""
    mine, theirs = one[event].is_not_null().to_numpy(), other[event].is_not_null().to_numpy()
    my_time = one[event].fill_null(one["last"]).to_numpy()
    their_time = other[event].fill_null(other["last"]).to_numpy()
    wins = theirs & (my_time > their_time)
    losses = mine & (their_time > my_time)
    score = np.where(wins, 1.0, np.where(losses, 0.0, 0.5))
    gain = my_time - their_time
    root = np.sqrt(len(score))
    undecided = float((~wins & ~losses).mean())
    return Better(float(score.mean()), float(score.std() / root), undecided, float(gain.mean()), float(gain.std() / root))


def summary(found: Strategies, lang: str = "en") -> pl.DataFrame:
    """A table to read: a row a quantity, a column a strategy. Intervals are 95 %; they are those of the simulation, not of the model."""
    columns = [dict(_told(table, found.months, lang)) for table in found.people]
    head = {"en": "of the same people", "zh": "同一批人"}[lang]
    return pl.DataFrame(
        [(row, *(column.get(row, "") for column in columns)) for row in columns[0]],
        schema=dict.fromkeys((head, *found.names), pl.String), orient="row",
    )  # fmt: skip


def _told(people: pl.DataFrame, months: float, lang: str) -> Iterator[tuple[str, str]]:
    zh = lang == "zh"
    yield ROWS["switched"][zh], _percent(people["switch"].is_not_null().mean())
    curves = {name: curve_of(people, name) for name in EVENTS}
    curve = curves["second_event"]
    median = [NOT_REACHED[lang] if day is None else f"{day / MONTH:.1f}" for day in (curve.median, curve.median_low, curve.median_high)]
    unit = "" if curve.median is None else UNIT[lang]["months"]
    yield ROWS["median"][zh], f"{median[0]}{unit} ({median[1]}–{median[2]})"
    for name, each in curves.items():
        for year in (year for year in YEARS if 12 * year <= months):
            value, low, high = each.band_at(12 * year * MONTH)
            yield ROWS[name][zh].format(year), f"{_percent(value)} ({100 * low:.1f}–{100 * high:.1f})"
    yield ROWS["deep"][zh], _percent((people["depth"] < DEEP).mean())
    ends = [people["t_cells"].quantile(at) for at in (0.5, 0.25, 0.75)]
    yield ROWS["t_cells"][zh], "–" if ends[0] is None else "{:.2f} ({:.2f}–{:.2f})".format(*ends)
    for name in ("first", "second"):
        causes = people[f"{name}_cause"].drop_nulls()
        for cause, words in CAUSES.items():
            yield ROWS[name][zh].format(words[zh]), "–" if causes.is_empty() else _percent((causes == cause).mean())


def curve_of(people: pl.DataFrame, event: str) -> Curve:
    """The curve of the time to an event of `sequence.outcomes`; who did not have it counts until the end of follow-up."""
    return kaplan_meier(people[event].fill_null(people["last"]).to_numpy(), people[event].is_not_null().to_numpy())


def _percent(share: object) -> str:
    return f"{100 * float(share):.1f} %" if isinstance(share, (int, float)) else "–"


def verdicts(found: Strategies, lang: str = "en") -> list[str]:
    """For every pair of strategies in how many people the first is better, in words."""
    lines = []
    for one, other in combinations(range(len(found.names)), 2):
        for event, words in EVENTS.items():
            told = better(found.people[one], found.people[other], event)
            lines.append(VERDICT[lang].format(
                one=found.names[one], other=found.names[other], what=words[lang == "zh"], p=told.probability, error=told.error,
                n=f"{found.people[one].height:,}", undecided=told.undecided, months=found.months, gain=told.gain / MONTH,
                gain_error=told.gain_error / MONTH,
            ))  # fmt: skip
    return lines
