"""Numbering what occurs: codes in the smallest type that holds them, and the patterns that rows share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .cells import Cells, Codes, Masks


def smallest(largest: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds a number."""
    return np.min_scalar_type(largest)


def look_up(table: NDArray[Any], codes: Codes) -> NDArray[Any]:
    """The entry of a table for each code, none of which lies outside: `table[codes]`, which takes twice as long."""
    return table.take(codes, mode="clip")


def distinct(mask: Masks, bits: int) -> tuple[Codes, Masks]:
    """Number the masks that occur: the number of each row's mask, and the masks."""
    if bits <= 20:
        codes, seen = compact(mask.astype(np.int32), 1 << bits)
        return codes, seen.astype(np.uint64)
    seen, codes = np.unique(mask, return_inverse=True)
    return codes, seen


def compact(codes: Codes, count: int) -> tuple[Codes, Codes]:
    """Number the codes that occur: the new code of each row, and the old code of each new one."""
    codes = codes.astype(np.intp, copy=False)  # what NumPy would do twice
    if codes.size == 1:
        return np.zeros(1, dtype=np.uint8), codes
    seen = np.zeros(count, dtype=bool)
    seen[codes] = True
    old = np.flatnonzero(seen)
    new = np.zeros(count, dtype=smallest(max(len(old) - 1, 0)))
    new[old] = np.arange(len(old))
    return look_up(new, codes), old


def patterns(inputs: Iterable[Cells], n: int) -> tuple[Codes, list[Codes]]:
    """The pattern of each row, and for each input its code in each pattern."""
    inputs = list(inputs)
    key, count = np.zeros(n, dtype=np.uint8), 1
    steps: list[tuple[int, Codes]] = []  # what was packed into the key: an input (by its place), or -1 and the old keys
    for i, cells in enumerate(inputs):
        if cells.codes is None or cells.count == 1:
            continue
        if count * cells.count > max(4 * n, 1 << 16):
            key, seen = compact(key, count)
            count = len(seen)
            steps.append((-1, seen))
        count *= cells.count
        key = key.astype(smallest(count), copy=False)
        key *= key.dtype.type(cells.count)
        key += cells.codes.astype(key.dtype, copy=False)
        steps.append((i, np.array([cells.count])))
    rows, left = compact(key, count)
    codes = [np.zeros(len(left), dtype=np.intp) for _ in inputs]
    for i, step in reversed(steps):
        if i < 0:
            left = step[left]
        else:
            left, codes[i] = np.divmod(left, step[0])
    return rows, codes
