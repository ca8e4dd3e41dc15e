"""A tree of questions followed for many patterns of what is known at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from .cells import Bools, Cells, Codes, Masks, Rows
from .derive import Kind
from .tree import Answer, Fork, Leaf, Tree, forks

NOTHING = np.uint64(0)
MOST_BITS = 64
AT_ONCE = 1 << 16

Kinds = tuple[int, ...]
"""For each answer of a rule its kind, where only the kind matters."""


class Walk:
    """A tree of all questions, followed for every pattern.

    `allowed` are the answers that are recorded, as masks over `answers`: first those of the target, then
    those of the rules watched. A pattern without a path that agrees with them is a conflict, and they are
    dropped for it.
    """

    def __init__(
        self,
        tree: Tree,
        inputs: Mapping[str, Cells],
        allowed: Sequence[Masks],
        answers: Sequence[Sequence[Answer]],
        n: int,
    ) -> None:
        self.tree, self.inputs, self.allowed, self.answers, self.n = tree, inputs, list(allowed), answers, n
        self.conflict = np.zeros(n, dtype=bool)
        self._missing: dict[Kinds | None, Masks] = {}
        self.possible = self._possible()
        """The answers left for each pattern, as a mask over the answers of the target."""
        for dropped in (slice(0, 1), slice(None)):
            pruned = self.possible == 0
            if not pruned.any():
                break
            self.conflict |= pruned
            self.allowed[dropped] = [np.where(pruned, ~NOTHING, mask) for mask in self.allowed[dropped]]
            self.possible = self._possible()

    def _possible(self) -> Masks:
        possible = np.zeros(self.n, dtype=np.uint64)
        for some in _slices(np.arange(self.n)):
            possible[some] = _Follow(self, some, None).tree(self.tree, {})[0]
        return possible

    def missing(self, kinds: Kinds | None = None) -> Masks:
        """The inputs that can still change the answer (or its kind), as bits of `asked`."""
        if kinds not in self._missing:
            missing = np.zeros(self.n, dtype=np.uint64)
            for some in _slices(np.flatnonzero(self.possible & (self.possible - np.uint64(1)))):
                missing[some] = _Follow(self, some, self.kind(kinds)).tree(self.tree, {})[1]
            self._missing[kinds] = missing
        return self._missing[kinds]

    def what_matters(self, name: str, kinds: Kinds | None, some: Rows) -> tuple[Codes, list[Kinds]]:
        """For some patterns, what matters of the answers of a rule solved apart, as positions in a list."""
        values = self.inputs[name].values
        leads_to = np.empty((len(some), len(values)), dtype=np.uint64)
        for at in _slices(np.arange(len(some))):
            for i in range(len(values)):
                follow = _Follow(self, some[at], self.kind(kinds))
                follow.fix(name, i)
                leads_to[at, i] = follow.tree(self.tree, {})[2]
        first = (leads_to[:, :, None] == leads_to[:, None, :]).argmax(axis=2)
        found, codes = np.unique(first, axis=0, return_inverse=True)
        of = {answer: i for i, same in enumerate(values) for answer in same}
        return codes.reshape(-1), [
            tuple(row[of[answer]] for answer in sorted(of, key=str)) for row in found.tolist()
        ]

    def kind(self, kinds: Kinds | None) -> Kind:
        """The kind of an answer."""
        if kinds is None:
            return lambda answer: answer
        return dict(zip(self.answers[0], kinds, strict=True)).__getitem__

    @cached_property
    def asked(self) -> list[str]:
        """Every input that can matter."""
        asked = list(dict.fromkeys(fork.name for fork in forks(self.tree)))
        if len(asked) > MOST_BITS:
            raise OverflowError(f"more than {MOST_BITS} inputs: give parts of the rule rules of their own")
        return asked


def _slices(patterns: Rows) -> Iterator[Rows]:
    return (patterns[start : start + AT_ONCE] for start in range(0, len(patterns), AT_ONCE))


Followed = tuple[Masks, ...]
"""For each pattern: the answers left and, if asked for, the questions that matter and a fingerprint of what
follows (0: no path)."""


class _Follow:
    """One way through the tree for some patterns.

    Every node is followed once for all of them, even if they do not come there: what follows is then not
    used.
    """

    def __init__(self, walk: Walk, some: Rows, kind: Kind | None) -> None:
        self.walk, self.kind, self.n = walk, kind, len(some)
        self.inputs = {name: cells.part(some) for name, cells in walk.inputs.items()}
        self.allowed = [mask[some] for mask in walk.allowed]
        self.bits = {name: np.uint64(1 << i) for i, name in enumerate(walk.asked)}
        self.salts: dict[Any, np.uint64] = {}
        self.done: dict[Any, Followed] = {}
        self.below: dict[int, frozenset[str]] = {}

    def fix(self, name: str, i: int) -> None:
        """Take class i of a category as known."""
        self.inputs[name] = replace(self.inputs[name], mask=np.full(self.n, 1 << i, dtype=np.uint64))

    def tree(self, tree: Tree, left: Mapping[str, np.uint64]) -> Followed:
        """What follows; `left` are the classes of each category that the questions above have left."""
        names = self.names(tree)
        left = {name: mask for name, mask in left.items() if name in names}
        key = (id(tree), *left.items())
        if key not in self.done:
            self.done[key] = self.fork(tree, left) if isinstance(tree, Fork) else self.leaf(tree)
        return self.done[key]

    def names(self, tree: Tree) -> frozenset[str]:
        """The inputs asked for in a tree."""
        if isinstance(tree, Leaf):
            return frozenset()
        if id(tree) not in self.below:
            self.below[id(tree)] = self.names(tree.yes) | self.names(tree.no) | {tree.name}
        return self.below[id(tree)]

    def leaf(self, leaf: Leaf) -> Followed:
        """One answer, unless another one is recorded."""
        (answer,) = leaf.answers
        said = (answer, *leaf.watched)
        bits = [
            np.uint64(1 << names.index(each)) for names, each in zip(self.walk.answers, said, strict=True)
        ]
        alive = np.ones(self.n, dtype=bool)
        for recorded, bit in zip(self.allowed, bits, strict=True):
            alive &= recorded & bit != 0
        possible = np.where(alive, bits[0], NOTHING)
        if self.kind is None:
            return (possible,)
        salt = self.salt(("leaf", self.kind(answer)))
        return possible, np.zeros(self.n, dtype=np.uint64), np.where(alive, salt, NOTHING)

    def fork(self, fork: Fork, left: Mapping[str, np.uint64]) -> Followed:
        """Both replies, as far as each is possible; the question matters if they lead to different trees."""
        cells = self.inputs[fork.name]
        if cells.mask is None:
            first, last = cells.ends
            cut = cells.cut(fork.test)
            yes, no = (
                _where(last >= cut, self.tree(fork.yes, left)),
                _where(first < cut, self.tree(fork.no, left)),
            )
        else:
            here, classes = left.get(fork.name, ~NOTHING), cells.classes(fork.test)
            yes, no = (
                _where(cells.mask & after != 0, self.tree(tree, {**left, fork.name: after}))
                for tree, after in ((fork.yes, here & classes), (fork.no, here & ~classes))
            )
        if self.kind is None:
            return (yes[0] | no[0],)
        matters = (yes[2] != 0) & (no[2] != 0) & (yes[2] != no[2])
        missing = yes[1] | no[1] | np.where(matters, self.bits[fork.name], NOTHING)
        both = _mix(_mix(yes[2] ^ self.salt((fork.name, fork.test))) + no[2])
        return yes[0] | no[0], missing, np.where(matters, both, np.where(yes[2] == 0, no[2], yes[2]))

    def salt(self, key: Any) -> np.uint64:
        """A number of its own for each question and answer."""
        if key not in self.salts:
            self.salts[key] = _mix(np.array([len(self.salts) + 1], dtype=np.uint64))[0]
        return self.salts[key]


def _where(comes: Bools, followed: Followed) -> Followed:
    return tuple(np.where(comes, each, NOTHING) for each in followed)


def _mix(x: Masks) -> Masks:
    """Scatter the bits (splitmix64), never to 0."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) | np.uint64(1)
