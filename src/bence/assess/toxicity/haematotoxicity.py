"""Haematotoxicity after CAR-T cells: ICAHT, early and late.

Source: Rejeski K et al., Blood 2023;142:865-77, written from memory and still to be checked against the paper: every row says so.
Rules in words: docs/rules/toxicity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ...cells import Categories, Numbers
from ...solve import solve
from ..intake import keyed
from .astct import BOOK
from .episodes import around, filled, joined, mask_of, none, shaped
from .exposure import given
from .signs import Track, Tracks

EARLY, LATE = 30, 100  # days after the infusion
FROM_MEMORY = pl.lit("from_memory")


@BOOK.rule("rejeski-2023", zh="早期ICAHT分级（第0–30天）")
def icaht_early(neutropenia_days, profound_neutropenia_days, ever_above, *, week=7, fortnight=14):
    """Early ICAHT: days with neutrophils at 0.5 and at 0.1 x 10^9/L or less, from the infusion to day 30."""
    if neutropenia_days < 1:
        return 0
    if ever_above == "no" or profound_neutropenia_days >= fortnight:
        return 4
    if neutropenia_days >= fortnight or profound_neutropenia_days >= week:
        return 3
    return 2 if neutropenia_days >= week else 1


@BOOK.rule("rejeski-2023", zh="晚期ICAHT分级（第30天后）")
def icaht_late(neutrophils, *, mild=1.5, moderate=1.0, severe=0.5, profound=0.1):
    """Late ICAHT: neutrophils after day 30 that two counts in a row do not exceed."""
    if neutrophils <= profound:
        return 4
    if neutrophils <= severe:
        return 3
    if neutrophils <= moderate:
        return 2
    return 1 if neutrophils <= mild else 0


def icaht(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, people: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Early and late ICAHT of every infusion of CAR-T cells."""
    infusions = given(doses, kinds=("CAR_T",)).select("place", "what", "day", "first").filter(pl.col("day") == pl.col("first"))
    own = events.filter(pl.col("kind") == "icaht")
    if infusions.is_empty() and own.is_empty():
        return none()
    ends = _ends(infusions, doses, people)
    counts = _lowest_of_day(tracks["neutrophils"])
    tables = [_early(counts, ends, policies), _late(counts, ends)]
    derived = shaped(pl.concat([shaped(table) for table in tables]))
    infused = own.join_asof(
        infusions.select("place", "first").sort("first"), left_on="on", right_on="first", by="place", check_sortedness=False
    ) if own.height else own.with_columns(first=pl.lit(None, pl.Int64))  # fmt: skip
    late = (pl.col("on") - pl.col("first") > EARLY).fill_null(False)
    parts = []
    for kind, which in (("icaht_early", ~late), ("icaht_late", late)):
        whole = filled(derived.filter(pl.col("kind") == kind), infused.filter(which).drop("first"), policies["episode_gap"])
        whole = around(whole.drop("after", "last", "first", "treated_with"), infusions, doses, kind)
        parts.append(shaped(whole.with_columns(kind=pl.lit(kind), source=pl.lit("rejeski-2023"))))
    return pl.concat(parts).with_columns(flags=joined(pl.col("flags"), FROM_MEMORY))


def _lowest_of_day(counts: Track) -> Track:
    """One count a day, the lowest; two in a row are of two days."""
    return counts.of(np.flatnonzero(np.diff(counts.key, append=-1)))


def _ends(infusions: pl.DataFrame, doses: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Each infusion with the last day that counts: the day before the next anti-myeloma treatment, death, or day 100."""
    active = doses.filter(~pl.col("kind").is_in(["supportive", "radiotherapy", "steroid"])).select("place", next="day")
    later = infusions.join(active, on="place").filter(pl.col("next") > pl.col("day"))
    next_ = later.group_by("place", "day").agg(stopped=pl.col("next").min() - 1)
    told = infusions.unique(["place", "day"], keep="last", maintain_order=True).join(next_, on=["place", "day"], how="left")
    told = told.join(people.select("place", "died"), on="place", how="left")
    return told.with_columns(end=pl.min_horizontal("stopped", "died", pl.col("day") + LATE)).sort("place", "day")


def _early(counts: Track, infusions: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    gap = float(policies["count_gap"])
    rows = [_days_low(counts, place, day, end, gap) for place, day, end in infusions.select("place", "day", "end").iter_rows()]
    told = pl.DataFrame(rows, schema=EARLY_SCHEMA, orient="row")
    n = told.height
    columns = {
        "neutropenia_days": Numbers(*(told[name].to_numpy().astype(float) for name in ("low_sure", "low_could"))),
        "profound_neutropenia_days": Numbers(*(told[name].to_numpy().astype(float) for name in ("deep_sure", "deep_could"))),
        "ever_above": Categories(told["above"].to_numpy().astype(np.uint8), ("no", "yes")),
    }
    grade = solve(["icaht_early"], columns, n, book=BOOK)["icaht_early"]
    mask = pl.Series(mask_of(grade.answers, grade.possible))
    days = pl.concat_str(pl.lit("neutropenia_days="), _span("low"), pl.lit("|profound_neutropenia_days="), _span("deep"))
    told = told.with_columns(
        kind=pl.lit("icaht_early"), mask=mask, because=days, days=pl.col("low_sure"),
        missing=pl.when(mask & (mask - 1) > 0).then(pl.lit("neutrophils")),
    )  # fmt: skip
    return told.filter(pl.col("low_sure") >= 1).filter(pl.col("mask") % 2 == 0)


EARLY_SCHEMA = {
    "place": pl.Int64, "from": pl.Int64, "to": pl.Int64, "worst": pl.Int64, "low_sure": pl.Int64, "low_could": pl.Int64,
    "deep_sure": pl.Int64, "deep_could": pl.Int64, "above": pl.Int64, "course": pl.String,
}  # fmt: skip


LATE_SCHEMA = {
    "place": pl.Int64, "from": pl.Int64, "to": pl.Int64, "worst": pl.Int64, "lo": pl.Float64, "hi": pl.Float64, "course": pl.String,
}  # fmt: skip


def _span(name: str) -> pl.Expr:
    low, high = (pl.col(f"{name}_{end}").cast(pl.String) for end in ("sure", "could"))
    return pl.when(low == high).then(low).otherwise(pl.concat_str(low, pl.lit(".."), high))


def _days_low(counts: Track, place: int, infused: int, end: int, gap: float) -> tuple[Any, ...]:
    """Days at or below 0.5 and 0.1 from the infusion to day 30: those certain and those possible, and whether it was ever above 0.5.

    A day without a count lies on the same side as the counts before and after it, if these are no more than `gap` days apart.
    """
    first, after = np.searchsorted(counts.key, [place_day(place, infused), place_day(place, infused + EARLY + 1)])
    kept = counts.day[first:after] <= end
    day, lo, hi = counts.day[first:after][kept], counts.lo[first:after][kept], counts.hi[first:after][kept]
    found: list[int] = []
    span = np.arange(infused, min(infused + EARLY, end) + 1)
    for limit in (0.5, 0.1):
        sure, could = _state(span, day, hi <= limit + 1e-9, gap), ~_state(span, day, lo > limit + 1e-9, gap)
        found += [int(sure.sum()), int(could.sum())]
    above = 0b10 if (lo > 0.5).any() else 0b01 if found[0] == span.size else 0b11
    low = day[hi <= 0.5 + 1e-9]
    grades = " ".join(f"{int(d) - infused}:{v:g}" for d, v in zip(day.tolist(), lo.tolist(), strict=True))
    edges = (int(low[0]), int(low[-1]), int(day[int(np.argmin(lo))])) if low.size else (None, None, None)
    return place, *edges, *found, above, grades


def place_day(place: int, day: int) -> int:
    """Patient and day in one number."""
    return int(keyed(np.array([place]), np.array([day]))[0])


def _state(span: np.ndarray, day: np.ndarray, true: np.ndarray, gap: float) -> np.ndarray:
    """For each day of a span whether something is true of it, by the counts on it or close enough on both sides."""
    if not day.size:
        return np.zeros(span.size, bool)
    before, next_ = np.searchsorted(day, span, side="right") - 1, np.searchsorted(day, span, side="left")
    known = (before >= 0) & (next_ < day.size)
    left, right = np.maximum(before, 0), np.minimum(next_, day.size - 1)
    exact = known & (day[left] == span)
    near = (day[right] - day[left] <= gap) & true[left] & true[right]
    return known & np.where(exact, true[left], near)


def _late(counts: Track, infusions: pl.DataFrame) -> pl.DataFrame:
    """The level that two counts in a row, after day 30, do not exceed; of the last count it is not yet known whether it lasts."""
    rows = []
    for place, infused, end in infusions.select("place", "day", "end").iter_rows():
        first, after = np.searchsorted(counts.key, [place_day(place, infused + EARLY + 1), place_day(place, infused + LATE + 1)])
        kept = counts.day[first:after] <= end
        day, lo, hi = counts.day[first:after][kept], counts.lo[first:after][kept], counts.hi[first:after][kept]
        if day.size:
            pairs = np.maximum(hi[1:], hi[:-1])
            held = float(pairs.min(initial=np.inf))
            last = float(lo[-1]) if day[-1] < end else np.inf  # the next count may be as low
            possible = min(float(np.maximum(lo[1:], lo[:-1]).min(initial=np.inf)), last)
            low = day[lo <= 1.5 + 1e-9]
            course = " ".join(f"{int(d) - infused}:{v:g}" for d, v in zip(day.tolist(), lo.tolist(), strict=True))
            worst = int(day[int(np.argmin(lo))])
            rows.append((place, int(low[0]) if low.size else None, int(low[-1]) if low.size else None, worst, possible, held, course))
    told = pl.DataFrame(rows, schema=LATE_SCHEMA, orient="row").filter(pl.col("hi") <= 1.5 + 1e-9)
    lo, hi = (np.minimum(told[name].to_numpy(), 1e6) for name in ("lo", "hi"))
    grade = solve(["icaht_late"], {"neutrophils": Numbers(np.minimum(lo, hi), hi)}, told.height, book=BOOK)["icaht_late"]
    mask = pl.Series(mask_of(grade.answers, grade.possible))
    because = pl.concat_str(pl.lit("neutrophils="), pl.col("hi").cast(pl.String))
    return told.with_columns(
        kind=pl.lit("icaht_late"), mask=mask, because=because, days=pl.col("to") - pl.col("from") + 1,
        missing=pl.when(mask & (mask - 1) > 0).then(pl.lit("neutrophils")),
    )  # fmt: skip
