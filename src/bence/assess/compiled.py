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

SMALL = 50_000  # observation rows up to which the plain function is the quicker one


@functools.cache
def compiled_scan() -> Callable[..., None]:
    """`response_scan.scan_all`, compiled; the functions that it calls are compiled with it."""
    from numba import njit
    from numba.extending import register_jitable

    for name, function in vars(response_scan).items():
        if isinstance(function, FunctionType) and name != "scan_all":
            register_jitable(function)
    return njit(nogil=True, cache=True)(response_scan.scan_all)


def scan_for(rows: int) -> Callable[..., Any]:
    """The scan to use for this many observation rows; both give the same results."""
    return response_scan.scan_all if rows <= SMALL else compiled_scan()
