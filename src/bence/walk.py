"""A tree of questions followed for many patterns of what is known at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .cells import Bools, Cells, Codes, Masks, Rows
from .derive import Kind
from .tree import Answer, Fork, Leaf, Tree, in_order

NOTHING = np.uint64(0)
MOST_BITS = 64
AT_ONCE = 1 << 14

Kinds = tuple[int, ...]
"""For each answer of a rule its kind, where only the kind matters."""


class Walk:
    """The questions of a rule, followed for every pattern of what is known.

    `trees` are the paths of the rule when nothing is known, each with the rules that are run first; `tree_of` tells
    which is meant for each pattern; `asked` is every input that can matter. `allowed` are the recorded answers, as
    masks over `answers`, of the target (first) and of the rules run first. A pattern without a path that agrees with
    them is a conflict, and they are dropped for it.
    """

    def __init__(
        self,
        trees: Sequence[tuple[tuple[str, ...], Tree]],
        tree_of: Codes,
        inputs: Mapping[str, Cells],
        allowed: Mapping[str, Masks],
        answers: Mapping[str, Sequence[Answer]],
        asked: Sequence[str],
    ) -> None:
        self.trees, self.tree_of, self.inputs = trees, tree_of, inputs
        self.allowed, self.answers = dict(allowed), answers
        if len(asked) > MOST_BITS:
            raise OverflowError(f"more than {MOST_BITS} inputs: give parts of the rule rules of their own")
        self.asked, self.target = asked, next(iter(answers))
        self.conflict = np.zeros(len(tree_of), dtype=bool)
        self._missing: dict[Kinds | None, Masks] = {}
        self._salts: dict[Any, np.uint64] = {}
        self.possible = self._possible()
        """The answers left for each pattern, as a mask over the answers of the target."""
        for dropped in ([self.target], list(allowed)):
            pruned = self.possible == 0
            if not pruned.any():
                break
            self.conflict |= pruned
            self.allowed |= {name: np.where(pruned, ~NOTHING, self.allowed[name]) for name in dropped}
            self.possible = self._possible()

    def _possible(self) -> Masks:
        possible = np.zeros(len(self.tree_of), dtype=np.uint64)
        for which, some in self._at_once(np.arange(len(possible))):
            possible[some] = _Follow(self, which, some, None).all()[0]
        return possible

    def missing(self, kinds: Kinds | None = None) -> Masks:
        """The inputs that can still change the answer (or its kind), as bits of `asked`."""
        if kinds not in self._missing:
            missing = np.zeros(len(self.tree_of), dtype=np.uint64)
            several = np.flatnonzero(self.possible & (self.possible - np.uint64(1)))
            for which, some in self._at_once(several):
                missing[some] = _Follow(self, which, some, self.kind(kinds)).all()[1]
            self._missing[kinds] = missing
        return self._missing[kinds]

    def what_matters(self, name: str, kinds: Kinds | None, patterns: Rows) -> tuple[Codes, list[Kinds]]:
        """For some patterns, what matters of the answers of a rule solved apart, as positions in a list."""
        values = self.inputs[name].values
        of = {answer: i for i, same in enumerate(values) for answer in same}
        answers = in_order(of)
        if len(values) == 2:
            return np.zeros(len(patterns), dtype=np.intp), [tuple(of[answer] for answer in answers)]
        leads_to = np.zeros((len(self.tree_of), len(values)), dtype=np.uint64)
        for which, some in self._at_once(patterns):
            for i in range(len(values)):
                leads_to[some, i] = _Follow(self, which, some, self.kind(kinds), {name: i}).all()[2]
        leads_to = leads_to[patterns]
        first = (leads_to[:, :, None] == leads_to[:, None, :]).argmax(axis=2)
        found, codes = np.unique(first, axis=0, return_inverse=True)
        return codes.reshape(-1), [tuple(row[of[answer]] for answer in answers) for row in found.tolist()]

    def kind(self, kinds: Kinds | None) -> Kind:
        """The kind of an answer."""
        if kinds is None:
            return lambda answer: answer
        return dict(zip(self.answers[self.target], kinds, strict=True)).__getitem__

    def salt(self, key: Any) -> np.uint64:
        """A number of its own for each question and answer: the same on every way through, for fingerprints are compared."""
        if key not in self._salts:
            self._salts[key] = _mix(np.array([len(self._salts) + 1], dtype=np.uint64))[0]
        return self._salts[key]

    def _at_once(self, patterns: Rows) -> Iterator[tuple[int, Rows]]:
        for which in range(len(self.trees)):
            these = patterns[self.tree_of[patterns] == which]
            for start in range(0, len(these), AT_ONCE):
                yield which, these[start : start + AT_ONCE]


Followed = tuple[Masks, ...]
"""For each pattern: the answers left and, if asked for, the questions that matter and a fingerprint of what
follows (0: no path)."""


class _Follow:
    """One way through a tree for some patterns.

    A node is followed once for all of them, also for those who do not come there: what follows is then not used. Where none of
    them comes it is not followed at all, which for one patient is most of the tree.
    `kind` is what matters of an answer if the questions that matter are asked for; `fixed` the class taken as known
    of some categories.
    """

    def __init__(self, walk: Walk, which: int, some: Rows, kind: Kind | None, fixed: Mapping[str, int] | None = None) -> None:
        first, self.root = walk.trees[which]
        self.n, self.kind = len(some), kind
        everybody = self.n == len(walk.tree_of)
        self.inputs = {name: cells if everybody else cells.part(some) for name, cells in walk.inputs.items()}
        for name, i in (fixed or {}).items():
            mask = np.full(self.n, 1 << i, dtype=np.uint64)
            self.inputs[name] = replace(self.inputs[name], mask=mask)
        self.said = [(walk.answers[name], walk.allowed[name][some]) for name in (walk.target, *first)]
        self.bits = {name: np.uint64(1 << i) for i, name in enumerate(walk.asked)}
        self.salt = walk.salt
        self.done: dict[Any, Followed] = {}

    def all(self) -> Followed:
        """What follows from the root on."""
        return self.tree(self.root, {})

    def tree(self, tree: Tree, left: Mapping[str, np.uint64]) -> Followed:
        """What follows; `left` are the classes of each category that the questions above have left."""
        left = {name: mask for name, mask in left.items() if name in tree.asked}
        key = (id(tree), *left.items())
        if key not in self.done:
            self.done[key] = self.fork(tree, left) if isinstance(tree, Fork) else self.leaf(tree)
        return self.done[key]

    def leaf(self, leaf: Leaf) -> Followed:
        """One answer, unless another one is recorded."""
        (answer,) = leaf.answers
        alive = np.ones(self.n, dtype=bool)
        bits = []
        for (answers, allowed), said in zip(self.said, (answer, *leaf.watched), strict=True):
            bits.append(np.uint64(1 << answers.index(said)))
            alive &= allowed & bits[-1] != 0
        possible = np.where(alive, bits[0], NOTHING)
        if self.kind is None:
            return (possible,)
        salt = self.salt(("leaf", self.kind(answer)))
        return possible, np.zeros(self.n, dtype=np.uint64), np.where(alive, salt, NOTHING)

    def fork(self, fork: Fork, left: Mapping[str, np.uint64]) -> Followed:
        """Both replies, as far as each is possible; the question matters if they lead to different trees."""
        cells = self.inputs[fork.name]
        left_by = [left, left]
        if cells.mask is None:
            first, last = cells.ends
            cut = cells.cut(fork.test)
            comes = [last >= cut, first < cut]
        else:
            here, classes = left.get(fork.name, ~NOTHING), cells.classes(fork.test)
            left_by = [{**left, fork.name: after} for after in (here & classes, here & ~classes)]
            comes = [cells.mask & after[fork.name] != 0 for after in left_by]
        ways = list(zip(comes, (fork.yes, fork.no), left_by, strict=True))
        if not (comes[0].any() and comes[1].any()):
            return self.where(*ways[int(comes[1].any())])
        yes, no = (self.where(*way) for way in ways)
        if self.kind is None:
            return (yes[0] | no[0],)
        matters = (yes[2] != 0) & (no[2] != 0) & (yes[2] != no[2])
        missing = yes[1] | no[1] | np.where(matters, self.bits[fork.name], NOTHING)
        both = _mix(_mix(yes[2] ^ self.salt((fork.name, fork.test))) + no[2])
        return yes[0] | no[0], missing, np.where(matters, both, np.where(yes[2] == 0, no[2], yes[2]))

    def where(self, comes: Bools, tree: Tree, left: Mapping[str, np.uint64]) -> Followed:
        """What follows for the patterns that come to a tree, nothing for the others."""
        if not comes.any():
            return (np.zeros(self.n, dtype=np.uint64),) * (1 if self.kind is None else 3)
        found = self.tree(tree, left)
        return found if comes.all() else tuple(np.where(comes, each, NOTHING) for each in found)


def _mix(x: Masks) -> Masks:
    """Scatter the bits (splitmix64), never to 0."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) | np.uint64(1)
