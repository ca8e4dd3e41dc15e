"""Work out one rule for one patient: rules it needs first, recorded answers, and what would settle it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .interval import Interval
from .known import Answer, Known, start
from .paths import Plan, explore
from .tree import Fork, Start, Tree, forks, in_order, join

if TYPE_CHECKING:
    from .rulebook import Rule, Rulebook, Vary

Kind = Callable[[Answer], Hashable]
"""What matters of an answer."""


@dataclass(frozen=True)
class Derived:
    """The paths of a rule that are left, the rules solved apart before it, and what was looked at."""

    rule: Rule
    tree: Tree
    parts: Mapping[str, Derived]
    looked: frozenset[str]
    conflicts: frozenset[str]
    unsure: Callable[[str], Sequence[str]] = field(repr=False)
    """Of a quantity, the inputs that are not known exactly; of any other input, itself."""

    @property
    def answers(self) -> frozenset[Answer]:
        """The answers that are left."""
        return self.tree.answers

    def settled_by(self, kind: Kind | None = None) -> dict[str, Answer | None]:
        """The inputs that can still change the answer (or its kind), with what they are asked for first.

        A rule solved apart is asked only for what matters of its answers. The inputs of a quantity are not
        asked for a threshold of their own: None.
        """
        return dict(self._settled) if kind is None else self._settled_by(kind)

    @cached_property
    def _settled(self) -> dict[str, Answer | None]:
        return self._settled_by(None)

    def _settled_by(self, kind: Kind | None) -> dict[str, Answer | None]:
        tree = self.tree if kind is None else sort(self.tree, kind)
        asked: dict[str, Answer] = {}
        for fork in forks(tree):
            asked.setdefault(fork.name, fork.test.at)
        settled: dict[str, Answer | None] = {}
        for name, at in asked.items():
            part = self.parts.get(name)
            if part is not None:
                settled |= part.settled_by(what_matters(tree, name, part.answers).get)
            else:
                settled |= {need: at if need == name else None for need in self.unsure(name)}
        return settled


def what_matters(tree: Tree | None, name: str, answers: Iterable[Answer]) -> dict[Answer, Hashable]:
    """For each answer of a rule what it leads to in the tree: the same object if it is the same."""
    known: dict[Any, Tree] = {}
    return {answer: _fixed(tree, name, answer, known, {}) for answer in answers}


def _fixed(tree: Tree | None, name: str, answer: Answer, known: dict[Any, Tree], done: dict[int, Tree | None]) -> Tree | None:
    """The tree if the answer of one rule is known; `done` are its nodes, followed once each."""
    if not isinstance(tree, Fork):
        return tree
    if id(tree) not in done:
        if tree.name == name:
            reply = tree.yes if tree.test.passes(answer) else tree.no
            done[id(tree)] = _fixed(reply, name, answer, known, done)
        else:
            yes, no = (_fixed(reply, name, answer, known, done) for reply in (tree.yes, tree.no))
            done[id(tree)] = join(tree.name, tree.test, yes, no, known)
    return done[id(tree)]


def sort(tree: Tree, kind: Kind) -> Tree | None:
    """The tree of the same questions that asks for the kind of the answer alone."""
    ends: dict[Hashable, Tree] = {}
    known: dict[Any, Tree] = {}
    done: dict[int, Tree | None] = {}

    def sorted_tree(tree: Tree) -> Tree | None:
        if not isinstance(tree, Fork):
            (answer,) = tree.answers
            return ends.setdefault(kind(answer), tree)
        if id(tree) not in done:
            done[id(tree)] = join(tree.name, tree.test, sorted_tree(tree.yes), sorted_tree(tree.no), known)
        return done[id(tree)]

    return sorted_tree(tree)


def derive(
    rule: Rule, known: Mapping[str, Known], vary: Vary | None = None, done: dict[str, Derived] | None = None
) -> Derived:  # fmt: skip
    """Explore `rule` on what is known, with the thresholds of some rules changed if wished.

    `done`: what was derived before of the same patient, with the same thresholds; it is added to.
    """
    rules = {**rule.book.vary(vary), rule.name: rule.vary(**(vary or {}).get(rule.name, {}))}
    return _derive(rule.name, known, rules, rule.book, {} if done is None else done)


def _derive(name: str, known: Mapping[str, Known], rules: Mapping[str, Rule], book: Rulebook, done: dict[str, Derived]) -> Derived:
    if name in done:
        return done[name]
    shape = book.shape(name)
    parts = {part: _derive(part, known, rules, book, done) for part in shape.apart}
    inside = {part: _derive(part, known, rules, book, done) for part in shape.inside if known.get(part) is not None}
    conflicts = frozenset[str]().union(*(part.conflicts for part in (*parts.values(), *inside.values())))
    recorded = {part: allowed(known[part]) for part in inside if part not in conflicts}
    own = {name: allowed(known[name])} if known.get(name) is not None else {}
    start = {leaf: begin(book, leaf, known) for leaf in shape.leaves}
    start |= {part: tuple(in_order(derived.answers)) for part, derived in parts.items()}
    functions = {each: (rules[each].plain, rules[each].needs) for each in (name, *shape.inside)}
    for respected in ({**recorded, **own}, recorded, {}):
        explored = explore(Plan(name, functions, start, respected, tuple(recorded)))
        if explored.tree is not None:
            break
    else:
        raise AssertionError(f"{name} has no path at all")
    overruled = {**recorded, **own}.keys() - respected.keys()
    tree = explored.tree

    def unsure(leaf: str) -> Sequence[str]:
        return book.made_of(leaf, lambda need: not exactly(begin(book, need, known))) or (leaf,)

    done[name] = Derived(rules[name], tree, parts, explored.looked, conflicts | overruled, unsure)
    return done[name]


def exactly(known: Start) -> bool:
    """True if one value is left."""
    return known.exact if isinstance(known, Interval) else known is not None and len(known) == 1


def allowed(recorded: Known) -> Collection[Answer]:
    """The answers that a recorded value stands for; yes and no stand for True and False too."""
    if isinstance(recorded, Interval):
        return recorded  # type: ignore[return-value]  # all that is asked of it is whether it holds an answer
    words = {recorded} if isinstance(recorded, (str, int, float)) else set(recorded or ())
    return frozenset(words | {word == "yes" for word in words if word in ("yes", "no")})


def begin(book: Rulebook, name: str, known: Mapping[str, Known]) -> Start:
    """What is known of an input of a rule.

    A quantity whose inputs are known exactly stands; else what is recorded of it narrows it.
    """
    value: Any = known.get(name)
    if isinstance(value, str):
        value = book.words(name).get(value, value)
    quantity = book.quantities.get(name)
    if quantity is None:
        return start(name, value, book.domain(name))
    recorded = start(name, value, quantity.domain)
    derived = quantity.interval([_number(need, begin(book, need, known)) for need in quantity.needs])
    narrowed = derived.within(recorded) if isinstance(recorded, Interval) else None
    return derived if derived.exact else narrowed or derived


def _number(name: str, known: Start) -> Interval:
    if isinstance(known, tuple):
        raise TypeError(f"{name} is {' or '.join(map(str, known))}; a quantity is made of numbers")
    return known or Interval()
