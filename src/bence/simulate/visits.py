"""When virtual people are seen, and what becomes a row: dates a little off, missed visits, items nobody measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .courses import Courses
from .draws import uniform
from .measurement import Assay, measurement

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Visits:
    """The visits of a cohort: `seen[visit, person]`, planned on `days`, dated a few days before (never after, so that a decision of
    that day knows them). `gaps` multiplies what is missed and missing; 0: complete records.
    """

    courses: Courses
    gaps: float
    rows: NDArray[np.intp] = field(repr=False)  # of the trajectories

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """The planned days."""
        return self.courses.days[self.rows]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers that address the draws of each person."""
        return self.courses.people.numbers

    def drawn(self, purpose: str, day: int) -> Array:
        """One number from 0 to 1 a person."""
        return uniform(self.courses.seed, f"visit.{purpose}", self.numbers, int(day))

    @cached_property
    def followed(self) -> Flags:
        """Was the person still followed?"""
        return self.days[:, None] <= self.courses.last_on

    @cached_property
    def seen(self) -> Flags:
        """Did the person come? Everybody comes to the first visit."""
        came = [self.drawn("missed", day) >= self.gaps * measurement()["visits"]["missed"] for day in self.days]
        came[0][:] = True
        return self.followed & np.array(came)

    @cached_property
    def entry(self) -> NDArray[np.int64]:
        """The calendar day of entry, counted from 1970."""
        told = measurement()["visits"]
        first = (told["first_entry"] - date(1970, 1, 1)).days
        return first + np.floor(uniform(self.courses.people.seed, "visit.entry", self.numbers, 0) * told["entry_days"]).astype(np.int64)

    @cached_property
    def dated(self) -> NDArray[np.int64]:
        """The calendar day of each visit [visit, person]."""
        told = measurement()["visits"]
        early = [np.floor(self.drawn("early", day) * (told["early_days"] + 1)) for day in self.days]
        early[0] = 1 + np.floor(self.drawn("early", 0) * told["baseline_days"])
        return self.entry + self.days[:, None] - np.array(early).astype(np.int64)

    @cached_property
    def ids(self) -> pl.Series:
        """The identifiers of the people."""
        return self.courses.people.table["patient"]

    def on(self, what: str, missing: float, due: Flags | None = None) -> Flags:
        """Where an item is there: at a visit that took place, where it was due, unless nobody measured it."""
        there = [self.drawn(f"missing.{what}", day) >= self.gaps * missing for day in self.days]
        return self.seen & np.array(there) & (True if due is None else due)

    def frame(self, there: Flags, **columns: NDArray[Any] | str | float) -> pl.DataFrame:
        """Rows of the chart for the visits marked in `there`; a column is one value for all, or an array [person] or [visit, person]."""
        visit, person = np.nonzero(there)
        series = {name: pl.Series(np.broadcast_to(value, there.shape)[visit, person]) if isinstance(value, np.ndarray) else pl.lit(value)
                  for name, value in columns.items()}  # fmt: skip
        return pl.DataFrame({"patient": self.ids.gather(person), "on": day(self.dated[visit, person])}).with_columns(**series)

    def laboratory(self, assay: Assay, truth: Array, noise: float, due: Flags | None = None) -> pl.DataFrame:
        """The rows of one assay, `<limit` below and `>upper` above its range. `due` goes before the rhythm of the assay."""
        at = np.arange(len(self.days)) % assay.every == 0
        there = self.on(assay.what, assay.missing, np.broadcast_to(at[:, None], truth.shape) if due is None else due)
        told = self.measured(assay, truth, noise)
        beyond = (told > assay.upper).astype(int) - (told < assay.limit)
        rows = self.frame(there, what=assay.what, value=np.clip(told, assay.limit, assay.upper), unit=assay.unit, beyond=beyond)
        return rows.with_columns(comparator=pl.col("beyond").replace_strict({-1: "<", 1: ">"}, default=None, return_dtype=pl.String)).drop(
            "beyond"
        )

    def measured(self, assay: Assay, truth: Array, noise: float) -> Array:
        """What the laboratory finds at every visit, whether it took place or not."""
        return np.array([assay.measured(row, self.courses.seed, self.numbers, int(day), noise)
                         for row, day in zip(truth, self.days, strict=True)])  # fmt: skip


def day(since_1970: NDArray[np.integer[Any]]) -> pl.Series:
    """Days since 1970 as dates."""
    return pl.Series(since_1970.astype(np.int32)).cast(pl.Date)


def visits(courses: Courses, gaps: float = 1.0) -> Visits:
    """The visits of a cohort, every four weeks."""
    return Visits(courses, gaps, np.flatnonzero(courses.days % measurement()["visits"]["every_days"] == 0))
