"""The model text, read and checked: parameters (`parameters.csv`), terms and states (`model.toml`)."""

from __future__ import annotations

import csv
import keyword
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from re import fullmatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .expressions import FUNCTIONS, Expression, parse

TAGS = ("V", "S", "M", "A", "C")
COLUMNS = ("name", "value", "unit", "log_sd", "low", "high", "use", "tag", "source", "what_en", "what_zh")
USES = {"model": "in the equations", "people": "where people are drawn, and nowhere in the equations"}
TAKEN = {*FUNCTIONS, *keyword.kwlist}


@dataclass(frozen=True)
class Parameter:
    """A number of the model: its typical value, and `log_sd`, how people differ (None: not at all).

    `low` and `high` are the range allowed in a fit (None: never fitted). `use`: see USES.
    """

    name: str
    value: float
    unit: str
    log_sd: float | None
    low: float | None
    high: float | None
    use: str
    tag: str
    source: str
    what_en: str
    what_zh: str


@dataclass(frozen=True)
class Term:
    """A named quantity that follows from states, parameters and other terms at once."""

    name: str
    unit: str
    value: Expression
    what_en: str
    what_zh: str


@dataclass(frozen=True)
class State:
    """A quantity that changes with time: `change` a day in all, of which -`decay` x itself is its own linear loss.

    A `peak` state is also reported as its maximum over each interval of the output.
    """

    name: str
    unit: str
    start: Expression
    decay: Expression
    change: Expression
    peak: bool
    what_en: str
    what_zh: str


@dataclass(frozen=True, eq=False)
class Model:
    """States, terms (each after those it needs) and parameters; `digest` changes with the text."""

    states: tuple[State, ...]
    terms: tuple[Term, ...]
    parameters: tuple[Parameter, ...]
    digest: str

    @cached_property
    def state_index(self) -> dict[str, int]:
        """The row of each state in an array of states."""
        return {state.name: row for row, state in enumerate(self.states)}

    @cached_property
    def parameter_index(self) -> dict[str, int]:
        """The row of each parameter in an array of parameters."""
        return {parameter.name: row for row, parameter in enumerate(self.parameters)}

    @cached_property
    def fixed(self) -> frozenset[str]:
        """Parameters, and the terms that depend on parameters alone."""
        return _fixed(self.parameter_index, self.terms)

    @cached_property
    def peaked(self) -> tuple[str, ...]:
        """The states whose peaks are reported, in the order of `peaks`."""
        return tuple(state.name for state in self.states if state.peak)

    def needed(self, names: Iterable[str]) -> list[Term]:
        """The terms behind these names, each after those it needs."""
        wanted = set(names)
        for term in reversed(self.terms):
            if term.name in wanted:
                wanted |= term.value.names
        return [term for term in self.terms if term.name in wanted]

    def number(self, told: str) -> float:
        """The typical value of the parameter of this name, or the number that is written."""
        return self.parameters[self.parameter_index[told]].value if told in self.parameter_index else float(told)

    def having(self, values: Mapping[str, float]) -> Model:
        """The same equations with other typical values; `log_sd of NAME` is how far people differ."""
        spread = "log_sd of "
        unknown = [name for name in values if name.removeprefix(spread) not in self.parameter_index]
        if unknown:
            raise UsageError(
                f"there is no parameter {unknown[0]!r}", nearest=next(iter(get_close_matches(unknown[0], self.parameter_index, 1)), None)
            )
        return replace(self, parameters=tuple(
            replace(p, value=values.get(p.name, p.value), log_sd=values.get(spread + p.name, p.log_sd)) for p in self.parameters
        ))  # fmt: skip

    def typical(self, patients: int) -> NDArray[np.float64]:
        """Parameters of so many patients who are all typical: [parameter, patient]."""
        return np.repeat([[parameter.value] for parameter in self.parameters], patients, axis=1)

    def start(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """States at the start, [state, patient], of patients with these parameters."""
        known = dict(zip(self.parameter_index, parameters, strict=True))
        for term in self.needed(name for state in self.states for name in state.start.names):
            known[term.name] = term.value.value(known)
        return np.array([np.broadcast_to(state.start.value(known), parameters.shape[1]) for state in self.states], np.float64)

    def values(self, names: Iterable[str], state: NDArray[Any], parameters: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """The named states and terms, from states [..., state, patient] and parameters [parameter, patient]."""
        names = list(names)
        known: dict[str, Any] = dict(zip(self.parameter_index, parameters, strict=True))
        known |= {name: state[..., row, :] for name, row in self.state_index.items()}
        for name in names:
            if name not in known and name not in {term.name for term in self.terms}:
                _unknown(name, [*self.state_index, *(term.name for term in self.terms)], "model")
        for term in self.needed(names):
            known[term.name] = term.value.value(known)
        shape = (*state.shape[:-2], state.shape[-1])
        return {name: np.broadcast_to(known[name], shape) for name in names}


def read_model(folder: Path | None = None) -> Model:
    """Read `model.toml` and `parameters.csv` of a folder, or the model that comes with Bence. Raises UsageError."""
    return _packaged() if folder is None else _read(folder)


@lru_cache(1)
def _packaged() -> Model:
    return _read(Path(__file__).parent)


def _read(folder: Path) -> Model:
    equations, table = folder / "model.toml", folder / "parameters.csv"
    for path in (equations, table):
        if not path.is_file():
            raise UsageError("there is no such file", where=str(path), expected="a model is model.toml and parameters.csv")
    parameters = tuple(_parameters(table))
    try:
        text = tomllib.loads(equations.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(str(error), where=str(equations), expected="TOML") from error
    for key in text.keys() - {"term", "state"}:
        raise UsageError(f"unknown table {key!r}", where=equations.name, expected="[[term]] and [[state]]")
    terms = [_term(entry, f"{equations.name}, term {number}") for number, entry in enumerate(text.get("term", []), 1)]
    states = [_state(entry, f"{equations.name}, state {number}") for number, entry in enumerate(text.get("state", []), 1)]
    if not states:
        raise UsageError("there is no state", where=equations.name, expected="at least one [[state]]")
    _check_names([*parameters, *terms, *states], equations.name)
    ordered = _sorted_terms(terms, {each.name for each in (*parameters, *states)}, equations.name)
    _check_states(states, ordered, parameters, equations.name)
    digest = sha256(equations.read_bytes() + b"\0" + table.read_bytes()).hexdigest()
    return Model(tuple(states), ordered, parameters, digest)


def _parameters(table: Path) -> Iterator[Parameter]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise UsageError(f"the columns are {rows.fieldnames}", where=table.name, expected=", ".join(COLUMNS))
        for row in rows:
            where = f"{table.name}:{rows.line_num}"
            if None in row or None in row.values():
                raise UsageError(f"{row['name']!r} has more or fewer cells than there are columns", where=where)
            yield _parameter(row, where)


def _parameter(row: Mapping[str, str], where: str) -> Parameter:
    for column in ("name", "value", "unit", "use", "tag", "source", "what_en", "what_zh"):
        if not row[column].strip():
            raise UsageError(f"{row['name']!r} has no {column}", where=where)
    if row["tag"] not in TAGS:
        raise UsageError(f"{row['name']!r} has the tag {row['tag']!r}", where=where, expected=f"one of {', '.join(TAGS)}")
    if row["use"] not in USES:
        raise UsageError(f"{row['name']!r} has the use {row['use']!r}", where=where, expected=f"one of {', '.join(USES)}")
    numbers = {column: _number(row[column], f"{where}, {column}") for column in ("value", "log_sd", "low", "high")}
    value, log_sd, low, high = numbers.values()
    if log_sd is not None and (log_sd < 0 or value is None or value <= 0):
        raise UsageError(f"{row['name']!r} varies by a log_sd of {log_sd:g}", where=where, expected="a positive value and log_sd >= 0")
    if (low is None) != (high is None) or (low is not None and high is not None and not low < high):
        raise UsageError(
            f"{row['name']!r} has the range {row['low']} to {row['high']}", where=where, expected="both or none, low below high"
        )
    words = {column: row[column].strip() for column in ("name", "unit", "use", "tag", "source", "what_en", "what_zh")}
    return Parameter(**words, **numbers)  # pyright: ignore[reportArgumentType]


def _number(cell: str, where: str) -> float | None:
    if not cell.strip():
        return None
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{cell!r} is not a number", where=where)
    return number


def _term(entry: Mapping[str, Any], where: str) -> Term:
    words = _words(entry, where, {"value"})
    return Term(words["name"], words["unit"], parse(words["value"], where), words["en"], words["zh"])


def _state(entry: Mapping[str, Any], where: str) -> State:
    words = _words(entry, where, {"start", "decay", "change", "peak"})
    if not isinstance(entry.get("peak", False), bool):
        raise UsageError(f"{words['name']!r}: peak is {entry['peak']!r}", where=where, expected="true or false")
    start, decay, change = (parse(words[key], f"{where}, {words['name']}, {key}") for key in ("start", "decay", "change"))
    return State(words["name"], words["unit"], start, decay, change, entry.get("peak", False), words["en"], words["zh"])


def _words(entry: Mapping[str, Any], where: str, own: set[str]) -> dict[str, str]:
    """The texts of a term or state, after checking that all are there and nothing else is."""
    known = {"name", "unit", "what", *own}
    for key in entry.keys() - known:
        raise UsageError(f"unknown key {key!r}", where=where, nearest=next(iter(get_close_matches(key, known, 1)), None))
    what = entry.get("what")
    words: dict[str, Any] = {"decay": "0", **entry, **(what if isinstance(what, dict) else {})}
    name = words.get("name")
    for key in ("name", "unit", "en", "zh", *sorted(own - {"peak"})):
        if not isinstance(words.get(key), str) or not words[key].strip():
            label = f"what.{key}" if key in ("en", "zh") else key
            raise UsageError(f"{name!r} has no {label}" if name else f"there is no {label}", where=where, expected="a text")
    return words


def _check_names(named: Iterable[Parameter | Term | State], where: str) -> None:
    seen: dict[str, str] = {}
    for each in named:
        kind = type(each).__name__.lower()
        if not fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", each.name) or each.name in TAKEN:
            raise UsageError(
                f"{each.name!r} cannot be the name of a {kind}", where=where, expected="like bcma_free, and no word of the language"
            )
        if each.name in seen:
            raise UsageError(f"{each.name!r} is given twice, as {seen[each.name]} and {kind}", where=where)
        seen[each.name] = kind


def _sorted_terms(terms: list[Term], known: set[str], where: str) -> tuple[Term, ...]:
    by_name = {term.name: term for term in terms}
    for term in terms:
        for name in sorted(term.value.names - known - by_name.keys()):
            _unknown(name, [*known, *by_name], f"{where}, term {term.name}")
    needs = {term.name: sorted(term.value.names & by_name.keys()) for term in terms}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise UsageError(f"terms need each other: {' -> '.join(reversed(error.args[1]))}", where=where) from error


def _check_states(states: list[State], terms: tuple[Term, ...], parameters: tuple[Parameter, ...], where: str) -> None:
    fixed = _fixed((parameter.name for parameter in parameters), terms)
    everything = {*fixed, *(term.name for term in terms), *(state.name for state in states)}
    used = {name for term in terms for name in term.value.names}
    for state in states:
        for part, allowed in (("start", fixed), ("decay", fixed), ("change", everything)):
            expression: Expression = getattr(state, part)
            used |= expression.names
            for name in sorted(expression.names - allowed):
                place = f"{where}, state {state.name}, {part}"
                if name in everything:
                    raise UsageError(f"{name!r} changes with time", where=place, expected="parameters, and terms of parameters alone")
                _unknown(name, everything, place)
    for parameter in parameters:
        if (parameter.use == "model") != (parameter.name in used):
            raise UsageError(f"{parameter.name!r} is said to be used {USES[parameter.use]}, and that is not so", where="parameters.csv")


def _fixed(parameters: Iterable[str], terms: Iterable[Term]) -> frozenset[str]:
    fixed = set(parameters)
    for term in terms:
        if term.value.names <= fixed:
            fixed.add(term.name)
    return frozenset(fixed)


def _unknown(name: str, known: Iterable[str], where: str) -> None:
    near = get_close_matches(name, list(known), 1)
    raise UsageError(f"unknown name {name!r}", where=where, expected="a parameter, term or state", nearest=near[0] if near else None)
