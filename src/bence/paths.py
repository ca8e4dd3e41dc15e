"""Run a rule along every path that what is known leaves open.

A rule is plain Python for complete data. Here its arguments are stand-ins (`Asked`). A comparison that is
settled by what is known gives its truth; one that is not splits the value, and the rule is run again for
the other half. The half is remembered for the rest of the run, so a second question about the same value is
answered in keeping with the first.

What comes out is a tree of open questions. A question whose replies lead to the same tree is not in it:
whatever else turns out, the reply would not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from .asked import Answered, Asked
from .tree import Answer, Leaf, Start, Test, Tree, join

MOST_PATHS = 1 << 17


@dataclass(frozen=True)
class Plan:
    """What is explored: the target, the rules run on the way, and what is known of their inputs."""

    target: str
    functions: Mapping[str, tuple[Callable[..., Answer], tuple[str, ...]]]
    start: Mapping[str, Start]
    allowed: Mapping[str, Collection[Answer]] = field(default_factory=dict)
    """Recorded answers of rules: a path on which the rule answers otherwise is left out."""
    first: tuple[str, ...] = ()
    """Rules run first on every path."""
    watch: bool = False
    """Whether their answers are kept at its end."""


@dataclass(frozen=True)
class Explored:
    """The tree of all paths (None if every path was left out) and the names that were looked at."""

    tree: Tree | None
    looked: frozenset[str]


def explore(plan: Plan) -> Explored:
    """Follow every path of the target, depth first, by running it again for each reply.

    Raises RecursionError if there are more than `MOST_PATHS` paths.
    """
    run = _Run(plan)
    path, asked, yes = run.path, run.forks, list[Tree | None]()
    known: dict[Any, Tree] = {}
    for _ in range(MOST_PATHS):
        tree = run.once(known)
        while path and not path[-1]:
            path.pop()
            tree = join(*asked.pop(), yes.pop(), tree, known)
        if not path:
            return Explored(tree, frozenset(run.looked))
        path[-1] = False
        yes.append(tree)
    raise RecursionError(f"{plan.target} has more than {MOST_PATHS} paths: give its parts rules of their own")


class _LeftOut(Exception):
    """This path contradicts what is recorded."""


class _Run:
    """The replies given so far, and the stand-ins of this run."""

    __slots__ = ("answers", "asked", "forks", "looked", "path", "plan", "step", "target")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.target = plan.target
        self.path: list[bool] = []
        self.forks: list[tuple[str, Test]] = []
        self.looked: set[str] = set()

    def once(self, known: dict[Any, Tree]) -> Tree | None:
        """One path from start to end; None if it is left out."""
        self.step = 0
        self.asked: dict[str, Asked] = {}
        self.answers: dict[str, Answer] = {}
        plan = self.plan
        try:
            for name in plan.first:
                self.answer(name)
            answer = self.answer(plan.target)
        except _LeftOut:
            return None
        watched = tuple(self.answers[name] for name in plan.first) if plan.watch else ()
        key = (type(answer), answer, watched)
        if key not in known:
            known[key] = Leaf(frozenset((answer,)), watched)
        return known[key]

    def start(self, name: str) -> Start:
        """What is known of an input at the start of every path."""
        return self.plan.start.get(name)

    def reply(self, name: str, op: str, at: Answer) -> bool:
        """The reply on the current path to an open question; yes comes first."""
        step = self.step
        self.step = step + 1
        if step < len(self.path):
            return self.path[step]
        self.path.append(True)
        self.forks.append((name, Test(op, at)))
        return True

    def answer(self, name: str) -> Answer:
        """The answer of a rule on this path, worked out once."""
        answers = self.answers
        if name in answers:
            return answers[name]
        function, needs = self.plan.functions[name]
        answer = function(*[self.argument(need) for need in needs])
        if isinstance(answer, Asked):
            answer = answer.settle()
        if not isinstance(answer, (str, int, float)):
            raise TypeError(f"rule {name} returned {answer!r}; expected text, a truth value or a count on every path")
        allowed = self.plan.allowed.get(name)
        if allowed is not None and answer not in allowed:
            raise _LeftOut
        answers[name] = answer
        return answer

    def argument(self, name: str) -> Asked:
        asked = self.asked.get(name)
        if asked is None:
            kind = Answered if name in self.plan.functions else Asked
            asked = self.asked[name] = kind(self, name)
        return asked
