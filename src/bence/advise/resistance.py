"""Why treatment may fail: the mechanisms of resistance that the record supports, refutes, or has not tested, and what follows.

A mechanism is supported where a test that would show it is recorded so, refuted where a test rules it out and none supports it, and
untested otherwise. That is reasoning over a record, not proof of a cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from ..evidence import records
from .columns import Columns
from .conditions import Condition, Truth, read
from .values import Values, value_of

STATES = ("untested", "refuted", "supported")


@dataclass(frozen=True)
class Test:
    """A test of a mechanism: the fact it measures (empty: none of ours), its words, and what it shows."""

    what: str
    words: tuple[str, str]
    supports: Condition | None
    refutes: Condition | None
    tag: str
    source: str


@dataclass(frozen=True)
class Mechanism:
    """A mechanism of resistance with its tests and counter-measures, each with tag and source."""

    key: str
    words: tuple[str, str]
    suspected: tuple[Condition, ...]  # when to think of it: what came before
    tests: tuple[Test, ...]
    counter: tuple[tuple[tuple[str, str], str, str], ...]


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """The mechanisms of the evidence base that a record can tell something of, in the order of their keys."""
    found = (_mechanism(key, told) for key, told in records("mechanisms").items())
    return tuple(one for one in found if one.suspected or any(test.supports or test.refutes for test in one.tests))


def _mechanism(key: str, told: Mapping[str, Any]) -> Mechanism:
    tests = tuple(_test(one) for one in told.get("tests", ()))
    counter = tuple(((one["text"]["en"], one["text"]["zh"]), one["tag"], one["source"]) for one in told.get("counter", ()))
    return Mechanism(key, (told["name"]["en"], told["name"]["zh"]), tuple(map(read, told.get("suspected", ()))), tests, counter)


def _test(told: Mapping[str, Any]) -> Test:
    supports, refutes = (read(told[name]) if name in told else None for name in ("supports", "refutes"))
    return Test(told.get("what", ""), (told["text"]["en"], told["text"]["zh"]), supports, refutes, told["tag"], told["source"])


def states(facts: Columns) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of every mechanism, for every patient: its state (a place in STATES), and whether what came before lets one think of it."""
    return {one.key: _state(one, facts) for one in mechanisms()}


def _state(mechanism: Mechanism, facts: Columns) -> tuple[np.ndarray, np.ndarray]:
    shown = Truth.any((test.supports.truth(facts) for test in mechanism.tests if test.supports), facts.n).yes
    denied = Truth.any((test.refutes.truth(facts) for test in mechanism.tests if test.refutes), facts.n).yes
    suspected = Truth.all((condition.truth(facts) for condition in mechanism.suspected), facts.n).yes
    return np.where(shown, 2, np.where(denied, 1, 0)), suspected


def resistance(facts: pl.DataFrame) -> pl.DataFrame:
    """One row a patient and mechanism that one may think of: patient, at, mechanism, state (supported, refuted, untested)."""
    tables = []
    for key, (state, suspected) in states(Columns(facts)).items():
        place = np.flatnonzero(suspected | (state > 0))
        named = pl.Series(STATES, dtype=pl.Enum(STATES)).gather(state[place])
        tables.append(facts.select("patient", "at")[place].with_columns(mechanism=pl.lit(key), state=named))
    empty = facts.select("patient", "at").clear().with_columns(mechanism=pl.lit(""), state=pl.lit(None, pl.Enum(STATES)))
    return pl.concat([empty, *tables]).sort("patient", "mechanism", maintain_order=True)


@dataclass(frozen=True)
class Suspect:
    """A mechanism to think of in one patient: its words, its state, tests with what was measured, and what follows."""

    words: str
    state: str
    tests: tuple[str, ...]
    counter: tuple[str, ...]


def suspects(facts: Columns, known: Values, lang: str = "en") -> tuple[Suspect, ...]:
    """The mechanisms to think of in one patient: those the record speaks of, and those that what came before suggests.

    `facts` and `known`: the facts of the patient, as columns and by name.
    """
    found = states(facts)
    shown = [(one, int(state[0])) for one in mechanisms() for state, suspected in [found[one.key]] if state[0] or suspected[0]]
    return tuple(_suspect(one, state, known, lang) for one, state in sorted(shown, key=lambda pair: -pair[1]))


def _suspect(mechanism: Mechanism, state: int, known: Values, lang: str) -> Suspect:
    zh = lang == "zh"
    tests = dict.fromkeys(test.words[zh] + _measured(test.what, known, lang) for test in mechanism.tests)
    counter = tuple(f"{told[zh]} [{tag}]" for told, tag, _ in mechanism.counter)
    return Suspect(mechanism.words[zh], STATES[state], tuple(tests), counter)


def _measured(name: str, known: Values, lang: str) -> str:
    return "" if known.get(name) is None else f" [{value_of(name, known, lang)}]"
