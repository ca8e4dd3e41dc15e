"""The rulebook: every clinical rule by name, what it needs, and the order in which they are worked out.

A rule is one plain function. Its argument names are what it needs: catalogue codes, patient fields,
quantities or other rules. Its keyword-only arguments are the thresholds of that edition. The first line of
its docstring is its label.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from .derive import derive
from .interval import NOT_NEGATIVE, PERCENT, TOLERANCE, Interval
from .known import Answer, Answers, Known, arguments
from .quantity import Quantity
from .tree import Start, Tree

Vary = Mapping[str, Mapping[str, Any]]
"""Changed thresholds by the name of the rule: `{"iss": {"high": 6}}`."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of one edition. Called with complete data it is the plain function, comparing to 1e-9."""

    name: str
    function: Callable[..., Answer]
    needs: tuple[str, ...]
    thresholds: Mapping[str, Any]
    source: str
    label: str
    zh: str
    book: Rulebook = field(repr=False)

    def __call__(self, *known: Any, **named: Any) -> Answer:
        """The answer for complete data; thresholds may be given by name."""
        tolerant = {name: _Tolerant(value) if isinstance(value, float) else value for name, value in named.items()}
        thresholds = {name: named.get(name, at) for name, at in self.thresholds.items()}
        values = [_Tolerant(value) if isinstance(value, float) else value for value in known]
        return self.function(*values, **(tolerant | thresholds))

    def __str__(self) -> str:
        """Its name, as in the id of a test."""
        return self.name

    @property
    def plain(self) -> Callable[..., Answer]:
        """The function of the needs alone, with the thresholds of this rule."""
        if self.thresholds == _thresholds(self.function):
            return self.function
        return functools.partial(self.function, **self.thresholds)

    def vary(self, **thresholds: Any) -> Rule:
        """The same rule with other thresholds, for a what-if. Raises TypeError for a threshold it lacks."""
        for name in thresholds.keys() - self.thresholds.keys():
            raise TypeError(f"{self.name} has no threshold {name!r}; it has {', '.join(self.thresholds) or 'none'}")
        return replace(self, thresholds={**self.thresholds, **thresholds})

    def possible(self, known: Mapping[str, Known], vary: Vary | None = None) -> Answers:
        """The answers left open; see `bence.known.possible`."""
        for name in known.keys() - self.book.inputs(self.name):
            raise TypeError(f"{self.name} does not need {name!r}; it needs {', '.join(self.book.leaves(self.name))}")
        derived = derive(self, known, vary)
        return Answers(derived.answers, derived.settled_by(), derived.conflicts)


@dataclass(frozen=True)
class Shape:
    """How a rule is explored: rules run inside it, rules solved apart before it, and the inputs left.

    A rule is solved apart if nothing else in the target looks at its inputs: then only its answers matter. `rests_on`: all inputs,
    those of its parts too, and what its quantities are made of.
    """

    inside: tuple[str, ...]
    apart: tuple[str, ...]
    leaves: tuple[str, ...]
    rests_on: tuple[str, ...]


class Rulebook:
    """Rules and quantities by name."""

    def __init__(
        self,
        domain: Callable[[str], Start] = lambda name: None,
        words: Callable[[str], Mapping[str, Start]] = lambda name: {},
    ) -> None:
        """An empty rulebook.

        `domain` tells what an input can be at all (None: not known); `words` what a word stands for: numbers
        (`positive` of a percentage) or several categories.
        """
        self.rules: dict[str, Rule] = {}
        self.quantities: dict[str, Quantity] = {}
        self.domain = domain
        self.words = words
        self._shapes: dict[str, Shape] = {}
        self.trees: dict[Any, Tree] = {}

    def rule(self, source: str, *, zh: str = "") -> Callable[[Callable[..., Answer]], Rule]:
        """Enter a function as a rule; `source` is a key of the sources, `zh` the Chinese label."""

        def enter(function: Callable[..., Answer]) -> Rule:
            name = function.__name__
            made = Rule(name, function, arguments(function), _thresholds(function), source, _label(function), zh, self)
            self.rules[self._new(name, function)] = made
            return made

        return enter

    def quantity(
        self, unit: str, source: str = "", *, zh: str = "", low: float = -inf, high: float = inf
    ) -> Callable[[Callable[..., Any]], Quantity]:
        """Enter arithmetic that is monotone in every argument, in `unit`, between `low` and `high`."""

        def enter(function: Callable[..., Any]) -> Quantity:
            name, domain = function.__name__, Interval(low, high)
            made = Quantity(name, function, arguments(function), unit, source, _label(function), zh, domain, self)
            self.quantities[self._new(name, function)] = made
            return made

        return enter

    def _new(self, name: str, function: Callable[..., Any]) -> str:
        if name in self.rules or name in self.quantities:
            raise ValueError(f"{name} is in the rulebook already (second time in {function.__module__})")
        self._shapes.clear()
        self.trees.clear()
        return name

    def vary(self, changes: Vary | None) -> Mapping[str, Rule]:
        """The rules, with some thresholds changed."""
        for name in (changes or {}).keys() - self.rules.keys():
            raise KeyError(f"there is no rule {name!r} to vary")
        return {
            **self.rules,
            **{name: self.rules[name].vary(**change) for name, change in (changes or {}).items()},
        }

    def needs(self, name: str) -> tuple[str, ...]:
        """What a rule or quantity looks at itself; nothing for an input."""
        entry = self.rules.get(name) or self.quantities.get(name)
        return entry.needs if entry else ()

    def order(self, names: Iterable[str]) -> tuple[str, ...]:
        """These rules and all they need, the needed first. Raises ValueError for a circle."""
        done: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise ValueError(f"rules need each other in a circle: {' → '.join((*above, name))}")
            if name not in done:
                for need in self.needs(name):
                    visit(need, (*above, name))
                done[name] = None

        for name in names:
            visit(name, ())
        return tuple(name for name in done if name in self.rules)

    def leaves(self, target: str | Rule) -> tuple[str, ...]:
        """The inputs a rule rests on, through all it needs: codes, patient fields and quantities."""
        self.order([str(target)])
        return tuple(self._reached(str(target)))

    def inputs(self, target: str) -> set[str]:
        """All that may be known for a rule: leaves, what quantities are made of, and recorded answers."""
        self.order([target])
        return self._inputs(target)

    def _inputs(self, target: str) -> set[str]:
        return {target}.union(*(self._inputs(need) for need in self.needs(target)))

    def made_of(self, name: str, wanted: Callable[[str], bool] = lambda name: True) -> tuple[str, ...]:
        """The inputs that a quantity is made of, through all needs that are wanted; of any other input, itself."""
        quantity = self.quantities.get(name)
        if quantity is None:
            return (name,)
        needs = [need for need in quantity.needs if wanted(need)]
        return tuple(dict.fromkeys(each for need in needs for each in self.made_of(need, wanted)))

    def shape(self, target: str) -> Shape:
        """How a rule is explored (kept until the rulebook changes)."""
        if target not in self._shapes:
            self.order([target])
            self._shapes[target] = self._find_shape(target)
        return self._shapes[target]

    def _reached(self, target: str, without: str = "") -> dict[str, None]:
        found: dict[str, None] = {}
        for need in self.needs(target):
            if need != without:
                found |= self._reached(need, without) if need in self.rules else {need: None}
        return found

    def _find_shape(self, target: str) -> Shape:
        inside: dict[str, None] = {}
        apart: dict[str, None] = {}
        leaves: dict[str, None] = {}

        def visit(name: str) -> None:
            for need in self.needs(name):
                if need not in self.rules:
                    leaves[need] = None
                elif self._reached(need).keys().isdisjoint(self._reached(target, without=need)):
                    apart[need] = None
                else:
                    inside[need] = None
                    visit(need)

        visit(target)
        rests_on = dict.fromkeys(each for leaf in self._reached(target) for each in (*self.made_of(leaf), leaf))
        return Shape(tuple(inside), tuple(apart), tuple(leaves), tuple(rests_on))


def _thresholds(function: Callable[..., Any]) -> dict[str, Any]:
    return dict(function.__kwdefaults__ or {})


def _label(function: Callable[..., Any]) -> str:
    lines = (function.__doc__ or "").strip().splitlines()
    return lines[0].rstrip(".") if lines else function.__name__


class _Tolerant(float):
    """A number that compares to 1e-9."""

    __slots__ = ()

    def __ge__(self, other: float) -> bool:
        return float(self) >= other - TOLERANCE

    def __gt__(self, other: float) -> bool:
        return float(self) > other + TOLERANCE

    def __lt__(self, other: float) -> bool:
        return not self >= other

    def __le__(self, other: float) -> bool:
        return not self > other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (int, float)) and self >= other and self <= other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = float.__hash__


@functools.cache
def catalogue_domain(name: str) -> Start:
    """What an input can be, from the catalogue: its categories, or any number that physics allows."""
    from .catalogue import codes

    code = codes().get(name)
    if code is None:
        return NOT_NEGATIVE if name == "age" else None
    if code.kind == "flag":
        return ("yes", "no")
    if code.kind != "number":
        return tuple(code.categories) or None
    if code.low is None or code.low < 0:
        return Interval()
    return PERCENT if code.unit == "%" else NOT_NEGATIVE


def catalogue_words(name: str) -> Mapping[str, Start]:
    """The numbers or categories that a word stands for, from the catalogue."""
    from .catalogue import codes

    code = codes().get(name)
    if code is None:
        return {}
    return {**{word: Interval(*ends) for word, ends in code.intervals.items()}, **code.sets}


BOOK = Rulebook(catalogue_domain, catalogue_words)
"""The rulebook of the package; the modules of `bence.assess` enter their rules here."""

rule = BOOK.rule
quantity = BOOK.quantity


def rules() -> Mapping[str, Rule]:
    """Every rule of the package by name, as far as its modules have been imported."""
    return dict(BOOK.rules)


def leaves(target: str | Rule) -> tuple[str, ...]:
    """The inputs a rule of the package rests on."""
    return BOOK.leaves(target)
