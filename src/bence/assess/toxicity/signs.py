"""What was recorded of each day: one code of the observations as an interval or a set of words, the worst of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from ...catalogue import Code, codes_of
from ...cells import Categories, Column, Numbers
from ..intake import Observations, keyed

OPEN = 1e-6  # how far inside its end an open interval stops; further than two numbers that are the same


@dataclass(frozen=True)
class Track:
    """One code: `place` of the patient, day, and the interval each row leaves. Sorted by patient and day."""

    place: np.ndarray
    day: np.ndarray
    lo: np.ndarray
    hi: np.ndarray

    def of(self, rows: np.ndarray) -> Track:
        """Some of the rows."""
        return Track(self.place[rows], self.day[rows], self.lo[rows], self.hi[rows])

    @cached_property
    def key(self) -> np.ndarray:
        """Patient and day in one number."""
        return keyed(self.place, self.day)


@dataclass(frozen=True)
class Tracks:
    """The codes of a cohort, each looked up once. Spurious rows are left out; every other row of a day counts."""

    observations: Observations
    _kept: dict[str, Track] = field(default_factory=dict)

    @cached_property
    def _places(self) -> np.ndarray:
        offsets = self.observations.offsets
        return np.repeat(np.arange(offsets.size - 1, dtype=np.int32), np.diff(offsets))

    def __getitem__(self, name: str) -> Track:
        """The rows of one code; categories as places in the list of its categories."""
        if name not in self._kept:
            self._kept[name] = self._look_up(name)
        return self._kept[name]

    def _look_up(self, name: str) -> Track:
        seen = self.observations
        if not self.observations.counts.get(name):
            empty = np.zeros(0)
            return Track(empty.astype(np.int32), empty.astype(np.int32), empty, empty)
        rows = np.flatnonzero(seen.code == seen.codes.index(name))
        rows = rows[~seen.spurious[rows]]
        lo, hi = _ends(codes_of("observation")[name], seen.value[rows], seen.bound[rows], seen.label[rows])
        known = ~np.isnan(lo)
        return _in_order(Track(self._places[rows][known], seen.day[rows][known], lo[known], hi[known]))


def _in_order(track: Track) -> Track:
    """Rows of one day from the highest to the lowest, in whatever order they came."""
    key = track.key
    same = np.zeros(key.size, bool)
    same[1:] = key[1:] == key[:-1]
    same[:-1] |= same[1:]
    if not same.any():
        return track
    rows, order = np.flatnonzero(same), np.arange(key.size)
    order[rows] = rows[np.lexsort((-track.hi[rows], -track.lo[rows], key[rows]))]
    return track.of(order)


def _ends(code: Code, value: np.ndarray, bound: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of every row; nan where nothing is known."""
    if code.kind != "number":
        sets = [(i, i) for i in range(len(code.categories))]
        places = [[code.categories.index(name) for name in members] for members in code.sets.values()]
        sets += [(min(members), max(members)) for members in places]
        table = np.array([*sets, (np.nan, np.nan)], float)
        return table[label, 0], table[label, 1]
    if not bound.any() and not (label >= 0).any():
        return value, value
    floor = 0.0 if code.low is not None and code.low >= 0 else -np.inf
    lo, hi = np.where(bound < 0, floor, value + OPEN * (bound > 0)), np.where(bound > 0, np.inf, value - OPEN * (bound < 0))
    for word, (low, high, low_open, high_open) in code.intervals.items():
        said = np.isnan(value) & (label == code.words.index(word))
        lo[said], hi[said] = low + OPEN * low_open, high - OPEN * high_open
    missing = np.isnan(value) & np.isnan(np.where(bound != 0, np.nan, lo))
    return np.where(missing, np.nan, np.minimum(lo, hi)), np.where(missing, np.nan, hi)


LOW_IS_WORSE = ("ice_score", "systolic")


def days_of(tracks: Tracks, names: Sequence[str], within: np.ndarray) -> pl.DataFrame:
    """One row a patient and day on which any of `names` was recorded, with `<name>_lo` and `<name>_hi`, the worst of the day.

    `within`: for every patient whether he is looked at.
    """
    parts = []
    ends = [f"{name}_{end}" for name in names for end in ("lo", "hi")]
    for name in names:
        track = tracks[name]
        own = track.of(np.flatnonzero(within[track.place]))
        if own.day.size:
            own_ends = {f"{name}_lo": own.lo.astype(float), f"{name}_hi": own.hi.astype(float)}
            parts.append(pl.DataFrame({"place": own.place.astype(np.int64), "day": own.day.astype(np.int64), **own_ends}))
    nothing = pl.DataFrame(schema={"place": pl.Int64, "day": pl.Int64, **dict.fromkeys(ends, pl.Float64)})
    if not parts:
        return nothing
    worst = [pl.col(end).min() if end[:-3] in LOW_IS_WORSE else pl.col(end).max() for end in ends]
    return pl.concat([nothing, *parts], how="diagonal").group_by("place", "day").agg(worst).sort("place", "day")


def columns_of(days: pl.DataFrame, names: Sequence[str]) -> dict[str, Column]:
    """The signs of each day as the rules want them."""
    known = codes_of("observation")
    columns: dict[str, Column] = {}
    for name in names:
        lo, hi = (days[f"{name}_{end}"].to_numpy() for end in ("lo", "hi"))
        code = known[name]
        if code.kind == "number":
            columns[name] = Numbers(lo.astype(float), hi.astype(float))
            continue
        first, last = (np.where(np.isnan(end), -1, end).astype(np.int64) for end in (lo, hi))
        bits = np.arange(len(code.categories))
        mask = (((bits >= first[:, None]) & (bits <= last[:, None])) << bits).sum(axis=1).astype(np.uint8)
        columns[name] = Categories(mask, tuple(code.categories))
    return columns


def told(days: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """What was recorded of each day in words: `temperature=39.1|oxygen=low_flow`."""
    known = codes_of("observation")
    parts = []
    for name in names:
        lo, hi = pl.col(f"{name}_lo"), pl.col(f"{name}_hi")
        code = known[name]
        if code.kind == "number":
            one = pl.concat_str(pl.lit(f"{name}="), lo.round(2).cast(pl.String).str.replace(r"\.0$", ""))
            either = pl.concat_str(pl.lit(f"{name}="), lo.round(2).cast(pl.String), pl.lit(".."), hi.round(2).cast(pl.String))
        else:
            words = dict(enumerate(code.categories))
            one = pl.concat_str(pl.lit(f"{name}="), lo.replace_strict(words, default=None, return_dtype=pl.String))
            either = pl.concat_str(one, pl.lit("+"))
        parts.append(pl.when(lo.is_null()).then(None).when(lo == hi).then(one).otherwise(either))
    return days.select(pl.concat_str(*parts, separator="|", ignore_nulls=True).alias("told")).to_series()
