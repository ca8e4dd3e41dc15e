"""Laboratory grades by CTCAE v5.0, low and high: the worst of every period of treatment.

The thresholds are the table `ctcae.csv`: of each grade what a value must lie beyond, in canonical units; `limit` is the limit of
the laboratory, `baseline` the last value before the period, `=` lets the threshold itself count, `|` is or. `of_baseline`:
multiples of the baseline that stand for the multiples of the limit where the baseline was abnormal. `either`: grades that only
symptoms tell apart. `usual_low`, `usual_high`: where laboratories print a limit that was not sent. Rules in words:
docs/rules/toxicity.md.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from ...interval import TOLERANCE
from ..intake import keyed, place_of
from ..unrecorded import USUAL_LIMITS
from .signs import Track, Tracks

BASELINE_DAYS = 90
UNKNOWN_ALBUMIN = (15.0, 55.0)  # g/L: calcium without albumin is corrected calcium somewhere between
LONG_BEFORE = -1_000_000


@dataclass(frozen=True)
class Beyond:
    """One threshold: so many times the limit, the baseline, or one of what it is told."""

    times: float
    of: str  # "limit", "baseline" or "" for a plain number
    included: bool


@dataclass(frozen=True)
class Term:
    """One term of CTCAE in one direction."""

    code: str
    high: bool
    limit: str
    usual: tuple[float, float]
    grades: Mapping[int, tuple[Beyond, ...]]
    of_baseline: tuple[Beyond, ...]
    either: tuple[int, ...]
    en: str
    zh: str

    @property
    def name(self) -> str:
        """The kind of its rows: `ctcae:platelets:low`."""
        return f"ctcae:{self.code}:{'high' if self.high else 'low'}"

    @property
    def asks_baseline(self) -> bool:
        """Whether a grade depends on the value before treatment."""
        return bool(self.of_baseline) or any(part.of == "baseline" for parts in self.grades.values() for part in parts)


@cache
def terms() -> tuple[Term, ...]:
    """The table of the package."""
    with files("bence.assess.toxicity").joinpath("ctcae.csv").open(encoding="utf-8") as file:
        return tuple(_term(row) for row in csv.DictReader(file))


def _term(row: Mapping[str, str]) -> Term:
    usual = [float(row[name]) if row[name] else np.nan for name in ("usual_low", "usual_high")]
    grades = {g: tuple(map(_beyond, row[f"g{g}"].split("|"))) for g in range(1, 5) if row[f"g{g}"]}
    multiples = [_beyond(part, "baseline") for part in row["of_baseline"].split("|") if part]
    either = tuple(int(grade) for grade in row["either"].split("|") if grade)
    return Term(
        row["code"], row["direction"] == "high", row["limit"], (usual[0], usual[1]), grades, tuple(multiples), either, row["en"], row["zh"]
    )


def _beyond(text: str, of: str = "") -> Beyond:
    included, text = text.startswith("="), text.removeprefix("=")
    times, _, named = text.rpartition("*") if not text.replace(".", "").isdigit() else (text, "", of)
    return Beyond(float(times or 1), named, included)


@dataclass(frozen=True)
class Periods:
    """Treatment of one line, or all treatment of a patient: `place`, first day, line (0: not told by line)."""

    place: np.ndarray
    start: np.ndarray
    line: np.ndarray

    @property
    def key(self) -> np.ndarray:
        """Patient and first day in one number."""
        return keyed(self.place, self.start)


def periods(doses: pl.DataFrame, lines: pl.DataFrame | None, ids: pl.Series) -> Periods:
    """The periods that laboratory grades are told of: lines where they are given, else from the first anti-myeloma dose on.

    Of a patient of whom no treatment is recorded, everything is one period.
    """
    if lines is None:
        active = doses.filter(~pl.col("kind").is_in(["supportive", "radiotherapy"]))
        own = active.group_by("place").agg(pl.col("day").min(), line=pl.lit(0, pl.Int64))
    else:
        own = lines.filter(pl.col("started_on").is_not_null()).select(
            place=place_of(ids),
            day=pl.col("started_on").to_physical().cast(pl.Int64), line=pl.col("line").cast(pl.Int64),
        )  # fmt: skip
    untreated = np.setdiff1d(np.arange(len(ids)), own["place"].to_numpy())
    rest = pl.DataFrame({"place": untreated, "day": np.full(untreated.size, LONG_BEFORE), "line": np.zeros(untreated.size, np.int64)})
    whole = pl.concat([own.select("place", "day", "line"), rest.cast({"place": pl.Int64, "day": pl.Int64})]).sort("place", "day", "line")
    return Periods(whole["place"].to_numpy(), whole["day"].to_numpy(), whole["line"].to_numpy())


def graded(
    term: Term, lo: np.ndarray, hi: np.ndarray, limit: tuple[np.ndarray, np.ndarray], baseline: np.ndarray, require: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest grade that a value between `lo` and `hi` can have, 0 for none.

    `limit`: the limit of the laboratory as an interval; nan where nothing is known of it. `baseline`: nan where there is none; with
    `require` that leaves every grade open, else the baseline counts as normal.
    """
    mild, bad = (lo, hi) if term.high else (hi, lo)  # the end of the value that makes the grade low, and high
    far, near = (limit[1], limit[0]) if term.high else limit  # the limit that is hardest to pass, and easiest
    absent = np.isnan(baseline)
    sure = _reached(term, term.grades, mild, far, baseline, False)
    could = _reached(term, term.grades, bad, near, baseline, require)
    if term.of_baseline:
        own = _against_baseline(term)
        sure_own, could_own = (_reached(term, own, value, far, baseline, False) for value in (mild, bad))
        first = term.grades[1]
        abnormal = _passed(term, first, baseline, far, baseline, False)
        may_be = _passed(term, first, baseline, near, baseline, True) & ~absent
        sure = np.where(abnormal, sure_own, np.where(may_be, np.minimum(sure, sure_own), sure))
        could = np.where(abnormal, could_own, np.where(may_be, np.maximum(could, could_own), could))
        if require:
            sure = np.where(absent, 0, sure)
    return sure, np.maximum(sure, could)


def _against_baseline(term: Term) -> dict[int, tuple[Beyond, ...]]:
    """The thresholds of a patient whose baseline was abnormal: multiples of it, and whatever is a plain number."""
    multiples = dict(zip(term.grades, term.of_baseline, strict=True))
    return {g: (multiples[g], *(part for part in parts if not part.of)) for g, parts in term.grades.items()}


def _reached(
    term: Term, grades: Mapping[int, tuple[Beyond, ...]], value: np.ndarray, limit: np.ndarray, baseline: np.ndarray, unknown: bool
) -> np.ndarray:
    grade = np.zeros(value.size, np.int8)
    for g, parts in grades.items():
        grade[_passed(term, parts, value, limit, baseline, unknown)] = g
    return grade


def _passed(term: Term, parts: tuple[Beyond, ...], value: np.ndarray, limit: np.ndarray, baseline: np.ndarray, unknown: bool) -> np.ndarray:
    """Whether a value lies beyond any of the thresholds; `unknown`: what is said where the threshold is not known."""
    found = np.zeros(value.size, bool)
    for part in parts:
        at = part.times * {"limit": limit, "baseline": baseline, "": np.ones(1)}[part.of]
        slack = TOLERANCE if part.included else -TOLERANCE
        found |= value > at - slack if term.high else value < at + slack
        if unknown and part.of:
            found |= np.isnan(at)
    return found


def limits(term: Term, tracks: Tracks, place: np.ndarray, day: np.ndarray, male: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The limit of the laboratory for each row: the last one sent by then, else the first sent later, else where they usually lie."""
    low, high = (np.full(place.size, end) for end in term.usual)
    by_sex = USUAL_LIMITS.get(term.limit, {})
    for sex, name in enumerate(("female", "male")):
        if name in by_sex:
            own = male[place] == sex
            low[own], high[own] = by_sex[name].lo, by_sex[name].hi
    sent = tracks[term.limit] if term.limit else None
    if sent is None or not sent.day.size:
        return low, high
    own = np.searchsorted(sent.key, keyed(place, day), side="right") - 1
    by_then = (own >= 0) & (sent.place[own] == place)
    at = np.where(by_then, own, np.minimum(own + 1, sent.day.size - 1))
    here = sent.place[at] == place
    low[here], high[here] = sent.lo[at[here]], sent.hi[at[here]]
    return low, high


def before(track: Track, spans: Periods) -> np.ndarray:
    """The last value of each patient on or before the first day of a period, not older than 90 days; nan where there is none."""
    value = np.full(spans.start.size, np.nan)
    if track.day.size:
        at = np.searchsorted(track.key, spans.key, side="right") - 1
        here = (at >= 0) & (track.place[at] == spans.place) & (spans.start - track.day[at] <= BASELINE_DAYS)
        exact = here & (track.lo[at] == track.hi[at])
        value[exact] = track.lo[at[exact]]
    return value


def values(term: Term, tracks: Tracks, policies: Mapping[str, Any]) -> Track:
    """The values a term grades; calcium is corrected for the albumin of the same day, or of the days it is carried."""
    track = tracks[term.code]
    return _with_corrected(track, tracks, policies) if term.code == "corrected_calcium" else track


def _with_corrected(reported: Track, tracks: Tracks, policies: Mapping[str, Any]) -> Track:
    calcium, albumin = tracks["calcium"], tracks["albumin"]
    low, high = calcium.lo, calcium.hi
    if policies["calcium"] == "corrected":
        ends = [np.full(calcium.day.size, end) for end in UNKNOWN_ALBUMIN]
        if albumin.day.size:
            at = np.searchsorted(albumin.key, calcium.key, side="right") - 1
            here = (at >= 0) & (albumin.place[at] == calcium.place) & (calcium.day - albumin.day[at] <= policies["carry_biochemistry"])
            ends[0][here], ends[1][here] = albumin.lo[at[here]], albumin.hi[at[here]]
        low, high = calcium.lo + 0.02 * (40 - ends[1]), calcium.hi + 0.02 * (40 - ends[0])
    fresh = ~np.isin(calcium.key, reported.key)  # the laboratory's own correction stands on its day
    parts = [np.concatenate([getattr(reported, name), column[fresh]]) for name, column in
             (("place", calcium.place), ("day", calcium.day), ("lo", low), ("hi", high))]  # fmt: skip
    order = np.argsort(keyed(parts[0], parts[1]), kind="stable")
    return Track(*(part[order] for part in parts))


def laboratory(tracks: Tracks, spans: Periods, male: np.ndarray, policies: Mapping[str, Any]) -> pl.DataFrame:
    """One row a period and term with a grade of 1 or more: the worst grade, its day, and its episodes taken together."""
    tables = [_worst(term, tracks, spans, male, policies) for term in terms()]
    return pl.concat([table for table in tables if table is not None] or [pl.DataFrame(schema={"place": pl.Int64})])


def _worst(term: Term, tracks: Tracks, spans: Periods, male: np.ndarray, policies: Mapping[str, Any]) -> pl.DataFrame | None:
    track = values(term, tracks, policies)
    if not track.day.size:
        return None
    require = policies["ctcae_baseline"] == "require"
    base = before(track, spans)
    period = np.searchsorted(spans.key, track.key, side="left") - 1  # a sample of the first day was drawn before the dose
    inside = (period >= 0) & (spans.place[np.maximum(period, 0)] == track.place)
    own, period = track.of(np.flatnonzero(inside)), period[inside]
    if not period.size:
        return None
    limit = limits(term, tracks, own.place, own.day, male)
    sure, could = graded(term, own.lo, own.hi, limit, base[period], require)
    own, period, sure, could = _by_day(own, period, sure, could)
    first = np.flatnonzero(np.diff(period, prepend=-1))
    worst = np.maximum.reduceat(sure, first)
    kept = worst >= 1
    if not kept.any():
        return None
    group = np.cumsum(np.diff(period, prepend=-1) != 0) - 1
    row, hit = np.arange(sure.size), sure >= 1
    last_row = np.append(first[1:], sure.size) - 1

    def place_of(where: np.ndarray, last: bool = False) -> np.ndarray:
        reduce, none = (np.maximum, -1) if last else (np.minimum, sure.size)
        return reduce.reduceat(np.where(where, row, none), first)[kept]

    begin, at, end = place_of(hit), place_of(sure == worst[group]), place_of(hit, last=True)
    follows = np.concatenate([[False], hit[1:] & hit[:-1] & (group[1:] == group[:-1])])
    lasted = np.add.reduceat(np.where(follows, np.diff(own.day, prepend=0), hit.astype(np.int64)), first)[kept]
    spells = np.add.reduceat((hit & ~follows).astype(np.int64), first)[kept]
    of = period[first][kept]
    at_base, _ = graded(term, base, base, limits(term, tracks, spans.place, spans.start, male), np.full(base.size, np.nan), False)
    return pl.DataFrame(
        {
            "place": spans.place[of], "kind": term.name, "line": spans.line[of], "start": spans.start[of], "from": own.day[begin],
            "to": own.day[end], "worst": own.day[at], "days": lasted, "spells": spells,
            "mask": _mask(term, worst[kept], np.maximum.reduceat(could, first)[kept]),
            "value": (own.lo if not term.high else own.hi)[at], "first_grade": sure[begin], "last_grade": sure[end],
            "worst_grade": worst[kept], "ongoing": hit[last_row[kept]], "baseline": at_base[of],
            "no_baseline": np.isnan(base[of]) & term.asks_baseline,
        }
    )  # fmt: skip


def _by_day(own: Track, period: np.ndarray, sure: np.ndarray, could: np.ndarray) -> tuple[Track, np.ndarray, np.ndarray, np.ndarray]:
    """One row a day: the one with the worst grade."""
    first = np.flatnonzero(np.diff(own.key, prepend=-1))
    if first.size == own.day.size:
        return own, period, sure, could
    day = np.cumsum(np.diff(own.key, prepend=-1) != 0) - 1
    worst, most = np.maximum.reduceat(sure, first), np.maximum.reduceat(could, first)
    kept = np.minimum.reduceat(np.where(sure == worst[day], np.arange(sure.size), sure.size), first)
    return own.of(kept), period[first], worst, most


def _mask(term: Term, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The grades from the lowest to the highest, as far as the term has them, and those that symptoms tell apart."""
    mask = np.zeros(low.size, np.uint8)
    for g in term.grades:
        mask |= np.where((low <= g) & (g <= high), 1 << g, 0).astype(np.uint8)
    if term.either:
        band, other = term.either
        mask |= np.where(mask & (1 << band) != 0, 1 << other, 0).astype(np.uint8)
    return mask
