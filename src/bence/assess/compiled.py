"""The response scan, plain for a few patients and compiled by Numba for many.

Nobody waits for a compiler over a small cohort: importing Numba takes two seconds, compiling once half a minute (the
result is kept on disk).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from . import response_scan

SMALL = 50_000  # rows up to which a plain function is the quicker one
MAKES_ARRAYS = "room_for"


@functools.cache
def compiled_scan() -> Callable[..., None]:
    """`response_scan.scan_all`, compiled; the functions that it calls are compiled into it."""
    from numba.extending import register_jitable

    for name, function in vars(response_scan).items():
        if isinstance(function, FunctionType) and name not in ("scan_all", MAKES_ARRAYS):
            register_jitable(forceinline=True)(function)
    return compiled(response_scan.scan_all)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function compiled by Numba, the result kept on disk where there is a place for it.

    The function may fill arrays and not make any: then Numba need not count who holds them, which takes more time
    than the work itself.
    """
    from numba import njit

    try:
        return njit(nogil=True, _nrt=False, cache=True)(function)  # pyright: ignore[reportCallIssue]
    except RuntimeError:  # nowhere to keep it
        return njit(nogil=True, _nrt=False)(function)  # pyright: ignore[reportCallIssue]


def scan_for(rows: int) -> Callable[..., Any]:
    """The scan to use for this many observation rows; both give the same results."""
    return response_scan.scan_all if rows <= SMALL else compiled_scan()
