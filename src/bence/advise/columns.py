"""The facts of patients as arrays: numbers, flags and dates as floats, words as places in a list; NaN where a fact is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from ..assess.intake import EPOCH


class Column(NamedTuple):
    """One fact. `words`: of a category, the words (several possible ones joined by `|`) that the values are places in."""

    values: np.ndarray
    words: tuple[str, ...] | None = None
    flag: bool = False


@dataclass(frozen=True)
class Columns:
    """The facts of patients by name, each made an array when it is first asked for. `place`: of some patients only."""

    facts: pl.DataFrame
    place: np.ndarray | None = None
    _made: dict[str, Column] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many patients."""
        return self.facts.height if self.place is None else self.place.size

    def __getitem__(self, name: str) -> Column | None:
        """The column of a fact; None if there is none."""
        if name not in self._made:
            if name not in self._names:
                return None
            fact = self.facts[name]
            self._made[name] = _column(fact if self.place is None else fact[self.place])
        return self._made[name]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.facts.columns)

    def only(self, place: np.ndarray) -> Columns:
        """Some of the patients."""
        return self if place.size == self.n else Columns(self.facts, place if self.place is None else self.place[place])


@dataclass(frozen=True)
class Cases:
    """One patient many times, each time with one fact changed. `follows`: what is otherwise because of that, a value for each case."""

    whole: Columns
    changed: Sequence[tuple[str, bool | float | str | date]]
    follows: Mapping[str, Column] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many cases."""
        return len(self.changed)

    def __getitem__(self, name: str) -> Column | None:
        """The column of a fact; None if there is none and no case changes it."""
        if name in self.follows:
            return self.follows[name]
        column, mine = self.whole[name], {i: value for i, (fact, value) in enumerate(self.changed) if fact == name}
        if not mine:
            return column and column._replace(values=np.repeat(column.values, self.n))
        words = tuple(value for value in mine.values() if isinstance(value, str))
        before = column or Column(np.array([np.nan]), () if words else None, isinstance(next(iter(mine.values())), bool))
        values = np.repeat(before.values, self.n)
        for i, value in mine.items():
            values[i] = number(value) if not isinstance(value, str) else len(before.words or ()) + words.index(value)
        return before._replace(values=values, words=(*(before.words or ()), *words) if words else before.words)

    def only(self, place: np.ndarray) -> Cases:
        """Some of the cases."""
        follows = {name: column._replace(values=column.values[place]) for name, column in self.follows.items()}
        return Cases(self.whole, [self.changed[i] for i in place], follows)


Source = Columns | Cases


def number(value: bool | float | date) -> float:
    """A value as it stands in a column: days since 1970 for a date."""
    return float((value - EPOCH).days if isinstance(value, date) else value)


def _column(fact: pl.Series) -> Column:
    if fact.len() == 1:
        return _of_one(fact)
    if fact.dtype == pl.String:
        fact = fact.cast(pl.Enum(fact.drop_nulls().unique()))
    if isinstance(fact.dtype, pl.Enum):
        return Column(fact.to_physical().cast(pl.Float64).to_numpy(), tuple(fact.dtype.categories))
    days = fact.cast(pl.Int32) if fact.dtype == pl.Date else fact
    return Column(days.cast(pl.Float64).to_numpy(), flag=fact.dtype == pl.Boolean)


def _of_one(fact: pl.Series) -> Column:
    """The column of one patient, without asking Polars for a type or a physical column where the value tells: that took most of a story."""
    value = fact.item()
    if isinstance(value, str):
        return Column(np.zeros(1), (value,))
    if value is not None:
        return Column(np.array([number(value)]), flag=isinstance(value, bool))
    words = () if isinstance(fact.dtype, pl.String | pl.Enum) else None
    return Column(np.array([np.nan]), words, flag=fact.dtype == pl.Boolean)


__all__ = ["Cases", "Column", "Columns", "Source", "number"]
