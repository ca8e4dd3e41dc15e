"""Questions and the tree of them: what a rule asks of what is not known, and what follows from each reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from .interval import TOLERANCE, Interval

Answer = str | bool | int | float
Start = Interval | tuple[Answer, ...] | None
"""What is known of an input: a range of a number, the values that are left, or nothing, not even its kind."""


def in_order(answers: Iterable[Answer]) -> list[Answer]:
    """Numbers by size, then words by the alphabet."""
    return sorted(answers, key=lambda answer: (isinstance(answer, str), answer))


class Test(NamedTuple):
    """One question: is the value `op` (`>=`, `>` or `=`) `at`?"""

    op: str
    at: Answer

    def passes(self, value: Answer) -> bool:
        """The truth of the question for a single value."""
        if self.op == "=":
            return value == self.at
        return value >= self.at - TOLERANCE if self.op == ">=" else value > self.at + TOLERANCE  # type: ignore[operator]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """The end of a path: its answer, and the answers of the watched rules on the way."""

    answers: frozenset[Answer]
    watched: tuple[Answer, ...]
    asked = frozenset[str]()


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """A question that what is known leaves open, and what follows from either reply. `asked`: the inputs of all questions from here on."""

    answers: frozenset[Answer]
    name: str
    test: Test
    yes: Tree
    no: Tree
    asked: frozenset[str]


Tree = Leaf | Fork


def join(name: str, test: Test, yes: Tree | None, no: Tree | None, known: dict[Any, Tree]) -> Tree | None:
    """A fork, or what follows if both replies lead to the same. Equal trees are one object in `known`."""
    if yes is None or no is None or yes is no:
        return yes or no
    key = (name, test, id(yes), id(no))
    if key not in known:
        answers = yes.answers if yes.answers == no.answers else yes.answers | no.answers
        known[key] = Fork(answers, name, test, yes, no, yes.asked | no.asked | {name})
    return known[key]


def forks(tree: Tree | None) -> Iterator[Fork]:
    """Every fork of a tree once, from the root on."""
    ahead, seen = [tree], set[int]()
    while ahead:
        tree = ahead.pop()
        if isinstance(tree, Fork) and id(tree) not in seen:
            seen.add(id(tree))
            yield tree
            ahead += (tree.no, tree.yes)


def questions(trees: Iterable[Tree]) -> dict[str, dict[Test, None]]:
    """Every question of some trees by the input it asks for, each once, in the order in which they are met."""
    found: dict[str, dict[Test, None]] = {}
    for name, test in (question for tree in trees for question in _questions(tree)):
        found.setdefault(name, {})[test] = None
    return found


@cache
def _questions(tree: Tree) -> tuple[tuple[str, Test], ...]:
    """The questions of a tree, which is as lasting as its rulebook."""
    return tuple(dict.fromkeys((fork.name, fork.test) for fork in forks(tree)))
