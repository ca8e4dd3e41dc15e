"""Conditions of a decision table over the facts of patients, in three-valued logic.

A condition is one line of text: atoms `fact op words` joined by ` or `. It holds, does not hold, or is open where a
fact is missing; what is missing never counts as no.

>>> import polars as pl
>>> from bence.advise.columns import Columns
>>> facts = pl.DataFrame({"age": [54.0, None], "iss": ["II|III", "I"]})
>>> read("age <= 65").truth(Columns(facts)).open.tolist()
[False, True]
>>> read("iss = II|III").truth(Columns(facts)).yes.tolist()
[True, False]
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import NamedTuple, Self

import numpy as np

from ..errors import UsageError
from .columns import Column, Source, number

ATOM = re.compile(r"\s*([\w.]+)\s*(=|!=|<=|>=|<|>)\s*(.+?)\s*")
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
Bound = float | date


class Truth(NamedTuple):
    """Where a statement holds and where it does not; elsewhere it is open. Boolean arrays, one place a patient."""

    yes: np.ndarray
    no: np.ndarray

    @property
    def open(self) -> np.ndarray:
        """Where it is neither: something is missing."""
        return ~(self.yes | self.no)

    @classmethod
    def all(cls, parts: Iterable[Self], n: int) -> Self:
        """Every part holds; nothing asked always holds."""
        first, *others = list(parts) or [cls(np.ones(n, bool), np.zeros(n, bool))]
        if not others:
            return first
        yes, no = first
        for part in others:
            yes, no = yes & part.yes, no | part.no
        return cls(yes, no)

    @classmethod
    def any(cls, parts: Iterable[Self], n: int) -> Self:
        """At least one part holds; nothing given never holds."""
        first, *others = list(parts) or [cls(np.zeros(n, bool), np.ones(n, bool))]
        if not others:
            return first
        yes, no = first
        for part in others:
            yes, no = yes | part.yes, no & part.no
        return cls(yes, no)


@dataclass(frozen=True)
class Atom:
    """One comparison: a fact with words (`=`, `!=`) or with a bound (`<`, `<=`, `>`, `>=`)."""

    fact: str
    op: str
    words: tuple[str, ...] = ()
    bound: Bound | None = None
    _hash: int = field(init=False, repr=False, compare=False)  # kept: answers are looked up by atom hundreds of times a patient

    def __post_init__(self) -> None:
        """Keep the hash."""
        object.__setattr__(self, "_hash", hash((self.fact, self.op, self.words, self.bound)))

    def __hash__(self) -> int:
        """As kept."""
        return self._hash

    def truth(self, facts: Source) -> Truth:
        """Where it holds; a fact that nobody has is unknown for everybody."""
        fact = facts[self.fact]
        if fact is None:
            return Truth(np.zeros(facts.n, bool), np.zeros(facts.n, bool))
        yes, no = self._compared(fact, facts) if self.bound is not None else self._among(fact, facts)
        return Truth(no, yes) if self.op == "!=" else Truth(yes, no)

    def _compared(self, fact: Column, facts: Source) -> tuple[np.ndarray, np.ndarray]:
        """A number decides by its bounds: `x_low`, `x_high` where the exact value is not known."""
        assert self.bound is not None
        compare, bound = ORDER[self.op], number(self.bound)
        unknown = np.isnan(fact.values)
        holds, fails = ~unknown, ~unknown
        for end in ("_low", "_high"):
            side = facts[self.fact + end]
            value = fact.values if side is None else np.where(unknown, side.values, fact.values)
            told = compare(value, bound)
            known = ~unknown if side is None else ~np.isnan(value)
            holds, fails = (told, known & ~told) if end == "_low" else (holds & told, fails & known & ~told)
        return holds, fails

    def _among(self, fact: Column, facts: Source) -> tuple[np.ndarray, np.ndarray]:
        """A set of possible words decides where all or none of it is asked for."""
        unknown = np.isnan(fact.values)
        if fact.flag and not set(self.words) <= {"yes", "no"}:
            raise UsageError(f"{self.fact} cannot be {'|'.join(self.words)}", expected="yes or no")
        if fact.words is None:
            wanted = [float(word == "yes") if fact.flag else float(word) for word in self.words]
            held = np.isin(fact.values, wanted) if len(wanted) > 1 else fact.values == wanted[0]
            return held, ~(held | unknown) | (unknown & self._outside(wanted, facts))
        sets, asked = [possible(words) for words in fact.words], set(self.words)
        place = np.where(unknown, len(sets), fact.values).astype(np.intp)
        yes = np.array([words <= asked for words in sets] + [False])
        no = np.array([not words & asked for words in sets] + [False])
        return yes[place], no[place]

    def _outside(self, wanted: list[float], facts: Source) -> np.ndarray | bool:
        """Where the bounds of a number leave none of the values."""
        low, high = (facts[self.fact + end] for end in ("_low", "_high"))
        if low is None or high is None:
            return False
        known = ~np.isnan(low.values) & ~np.isnan(high.values)
        return known & ~np.any([(low.values <= value) & (value <= high.values) for value in wanted], axis=0)

    def __str__(self) -> str:
        """As it is written in a table."""
        return f"{self.fact} {self.op} {'|'.join(self.words) if self.bound is None else self.bound}"


@cache
def possible(words: str) -> frozenset[str]:
    """The words that remain possible."""
    return frozenset(words.split("|"))


@dataclass(frozen=True)
class Condition:
    """Atoms of which at least one must hold."""

    atoms: tuple[Atom, ...]

    def truth(self, facts: Source) -> Truth:
        """Where it holds."""
        return Truth.any((atom.truth(facts) for atom in self.atoms), facts.n)

    def __str__(self) -> str:
        """As it is written in a table."""
        return " or ".join(map(str, self.atoms))


@cache
def read(text: str) -> Condition:
    """The condition of a line of text; UsageError where it cannot be read."""
    return Condition(tuple(_atom(part, text) for part in text.split(" or ")))


def _atom(part: str, text: str) -> Atom:
    found = ATOM.fullmatch(part)
    if not found:
        raise UsageError(f"{part!r} is not a condition", where=text, expected="FACT = WORD|WORD, FACT <= NUMBER, joined by ' or '")
    fact, op, value = found.groups()
    if op in ORDER:
        return Atom(fact, op, bound=_bound(value, text))
    return Atom(fact, op, tuple(word.strip() for word in value.split("|")))


def _bound(value: str, text: str) -> Bound:
    for made in (float, date.fromisoformat):
        try:
            return made(value)
        except ValueError:
            continue
    raise UsageError(f"{value!r} is neither a number nor a date", where=text)


@dataclass
class Answers:
    """The truth of every atom over the same facts, worked out once each."""

    facts: Source
    _known: dict[Atom, Truth] = field(default_factory=dict)

    def __getitem__(self, atom: Atom) -> Truth:
        """The truth of an atom."""
        known = self._known.get(atom)
        if known is None:
            known = self._known[atom] = atom.truth(self.facts)
        return known

    def of(self, conditions: Iterable[Condition]) -> Truth:
        """Where all conditions hold."""
        n = self.facts.n
        return Truth.all([Truth.any([self[atom] for atom in condition.atoms], n) for condition in conditions], n)
