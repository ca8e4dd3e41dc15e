"""Unknown is an answer: what a rule can still say when only part of the record is there.

>>> def iss(b2m, albumin, *, high=5.5, low=3.5, albumin_low=35):
...     if b2m >= high:
...         return "III"
...     if b2m < low and albumin >= albumin_low:
...         return "I"
...     return "II"
>>> possible(iss, b2m=3.0)
Answers({'I', 'II'}, settled_by={'albumin': 35})
>>> possible(iss, b2m=below(0.5), albumin=46)
Answers({'I'})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

from .interval import TOLERANCE, Interval, above, at_least, at_most, below, between
from .paths import Plan, explore
from .tree import Answer, Start, Tree, forks, in_order

__all__ = [
    "TOLERANCE", "Answer", "Answers", "Interval", "Known", "above", "at_least", "at_most", "below", "between",
    "possible", "start",
]  # fmt: skip

Known = float | str | bool | Interval | Iterable[str] | None
"""What may be recorded of an input: a number, a word, a range, the words that are left, or nothing."""


class Answers(frozenset[Answer]):
    """The answers that no recorded value rules out.

    `settled_by` names the inputs that can still change the answer, each with the threshold or word it is
    asked for first (None for an input of a quantity: the threshold is that of the quantity). `conflicts`
    names the rules whose recorded answer cannot be, given the values; there the derived one stands.
    """

    settled_by: dict[str, Answer | None]
    conflicts: frozenset[str]

    def __new__(
        cls,
        answers: Iterable[Answer] = (),
        settled_by: Mapping[str, Answer | None] | None = None,
        conflicts: Iterable[str] = (),
    ) -> Answers:
        """Answers compare as a plain set."""
        made = super().__new__(cls, answers)
        made.settled_by = dict(settled_by or {})
        made.conflicts = frozenset(conflicts)
        return made

    @property
    def answers(self) -> frozenset[Answer]:
        """The answers as a plain set."""
        return frozenset(self)

    @property
    def answer(self) -> Answer | None:
        """The only answer, or None if several are left."""
        return next(iter(self)) if len(self) == 1 else None

    @property
    def conflict(self) -> bool:
        """True if a recorded answer was overruled."""
        return bool(self.conflicts)

    def __repr__(self) -> str:
        """As it would be typed."""
        said = [f"{{{', '.join(repr(answer) for answer in in_order(self))}}}"]
        if self.settled_by:
            said.append(f"settled_by={self.settled_by}")
        if self.conflicts:
            said.append(f"conflicts={sorted(self.conflicts)}")
        return f"Answers({', '.join(said)})"


def possible(rule: Callable[..., Answer], /, **known: Known) -> Answers:
    """The answers of `rule` that what is known leaves open; an input that is not given or None is unknown.

    `rule` is a rule of a rulebook (then rules among its arguments are worked out too, and a value given for
    one of them, or for the rule itself, is a recorded answer) or any plain function of comparisons. Raises
    TypeError for a name that the rule does not need and for a rule that does more than compare.
    """
    of_rulebook = getattr(rule, "possible", None)
    if of_rulebook is not None:
        return of_rulebook(known)
    needs = arguments(rule)
    for name in known.keys() - set(needs):
        raise TypeError(f"{rule.__name__} does not need {name!r}; it needs {', '.join(needs)}")
    target = rule.__name__ if rule.__name__ not in needs else f"{rule.__name__}()"
    plan = Plan(target, {target: (rule, needs)}, {name: start(name, known.get(name)) for name in needs})
    tree = explore(plan).tree
    return Answers(tree.answers if tree else (), settled_by(tree))


def arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional arguments of a rule: what it needs."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


def start(name: str, known: Known, domain: Start = None) -> Start:
    """What is known of an input as the exploration takes it; `domain` is what it can be at all.

    Raises ValueError for a word that is not among the categories of the domain.
    """
    if known is None or known != known:
        return domain
    if isinstance(known, bool):
        known = "yes" if known else "no"
    if isinstance(known, Real):
        known = Interval(float(known), float(known))
    if isinstance(known, Interval):
        if isinstance(domain, tuple):
            raise ValueError(f"{name}: {known} is a number; expected one of {', '.join(map(str, domain))}")
        return known.within(domain) or known if domain else known
    return _words(name, {known} if isinstance(known, str) else set(known), domain)  # type: ignore[arg-type]


def _words(name: str, words: set[str], domain: Start) -> tuple[Answer, ...]:
    if domain is None:
        return tuple(sorted(words))
    expected = "a number" if isinstance(domain, Interval) else f"one of {', '.join(map(str, domain))}"
    if not words or isinstance(domain, Interval) or not words <= set(domain):
        raise ValueError(f"{name}: {', '.join(sorted(words)) or 'nothing'} is not possible; expected {expected}")
    return tuple(word for word in domain if word in words)


def settled_by(tree: Tree | None) -> dict[str, Answer | None]:
    """The inputs that can still change the answer, from the root on, with what they are asked for first."""
    found: dict[str, Answer | None] = {}
    for fork in forks(tree):
        found.setdefault(fork.name, fork.test.at)
    return found
