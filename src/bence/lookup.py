"""Texts to numbers: a distinct text is looked at once, a row only by the hash of its text.

Polars hashes a column far faster than it compares it. A hash has 64 bits: that two of a million distinct texts share
one has a probability of 3 in 100 million; for patients it is ruled out (`Keys`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int32]
EMPTY = int(np.iinfo(np.int32).min)  # no number of a text


class Table:
    """Numbers by hash, at most a quarter full; a hash whose place is taken has the next one that is free."""

    def __init__(self, hashes: Hashes | None = None, numbers: Numbers | None = None) -> None:
        self.count = 0
        self._make(1024)
        if hashes is not None and numbers is not None:
            self.add(hashes, numbers)

    def _make(self, size: int) -> None:
        self.last = size - 1
        self.hashes = np.zeros(size, np.uint64)
        self.numbers = np.full(size, EMPTY, np.int32)

    def find(self, hashes: Hashes) -> Numbers:
        """The number of every hash, EMPTY for one that is not there."""
        place = (hashes & np.uint64(self.last)).view(np.int64)
        found = self.numbers.take(place, mode="clip")  # no place is outside: clip spares the check
        missed = np.flatnonzero((self.hashes.take(place, mode="clip") != hashes) & (found != EMPTY))
        while missed.size:
            place[missed] = (place[missed] + 1) & self.last
            found[missed] = self.numbers[place[missed]]
            missed = missed[(self.hashes[place[missed]] != hashes[missed]) & (found[missed] != EMPTY)]
        return found

    def add(self, hashes: Hashes, numbers: Numbers) -> None:
        """Enter hashes that are not there, each once."""
        self.count += hashes.size
        if 4 * self.count > self.last:
            there = self.numbers != EMPTY
            hashes = np.concatenate([self.hashes[there], hashes])
            numbers = np.concatenate([self.numbers[there], numbers])
            self._make(1 << (4 * self.count).bit_length())
        place = (hashes & np.uint64(self.last)).view(np.int64)
        left = np.arange(hashes.size)
        while left.size:  # of several that want one place the last has it, and the others go on
            free = left[self.numbers[place[left]] == EMPTY]
            self.hashes[place[free]] = hashes[free]
            self.numbers[place[free]] = numbers[free]
            left = left[self.hashes[place[left]] != hashes[left]]
            place[left] = (place[left] + 1) & self.last


class Keys:
    """The place of every key of a list, by hash; no two keys share a hash."""

    def __init__(self, keys: pl.Series) -> None:
        self.seed = 0
        hashes = keys.hash(self.seed)
        while hashes.n_unique() < keys.len():
            self.seed += 1
            hashes = keys.hash(self.seed)
        self.table = Table(hashes.to_numpy(), np.arange(keys.len(), dtype=np.int32))

    def hash(self, column: str) -> pl.Expr:
        """The hash by which `places` knows a key."""
        return pl.col(column).hash(self.seed)

    def places(self, hashes: pl.Series) -> Numbers:
        """The place of every key, -1 for one that is not in the list."""
        return np.maximum(self.table.find(hashes.to_numpy()), -1)


class Words:
    """What the words of a column mean, as numbers; each distinct word is asked for once."""

    def __init__(self, meaning: Callable[[Any], int]) -> None:
        self.meaning = meaning
        self.table = Table()

    def numbers(self, words: pl.Series) -> Numbers:
        """The number of every word (null is a word too)."""
        return self.of(words.hash().to_numpy(), words.__getitem__)

    def of(self, hashes: Hashes, words: Callable[[NDArray[np.intp]], Iterable[Any]]) -> Numbers:
        """The number of every hash; `words` gives the words of some rows."""
        found = self.table.find(hashes)
        new = np.flatnonzero(found == EMPTY)
        if new.size:
            once, first = np.unique(hashes[new], return_index=True)
            numbers = [self.meaning(word) for word in words(new[first])]
            self.table.add(once, np.array(numbers, np.int32))
            found[new] = self.table.find(hashes[new])
        return found
