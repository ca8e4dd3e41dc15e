"""The scans, plain for a few patients and compiled by Numba for many.

Nobody waits for a compiler over a small cohort: importing Numba takes two seconds, compiling once half a minute (the
result is kept on disk).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from zlib import crc32

import numpy as np

from . import line_scan, response_scan

SMALL = 50_000  # rows up to which a plain function is the quicker one
MAKES_ARRAYS = "room_for"
Scan = Callable[..., None]


def response_scan_for(rows: int) -> Scan:
    """The scan of response to use for this many observation rows; both give the same results."""
    return response_scan.scan_all if rows <= SMALL else _compiled_response_scan()


def line_scan_for(rows: int) -> Scan:
    """The scan of lines to use for this many treatment rows; both give the same results."""
    return line_scan.derive_all if rows <= SMALL else _compiled_line_scan()


@functools.cache
def _compiled_response_scan() -> Scan:
    return compiled_scan(response_scan.scan_all, response_scan.MODULES)


@functools.cache
def _compiled_line_scan() -> Scan:
    return compiled_scan(line_scan.derive_all, (line_scan,))


def compiled_scan(scan: Scan, modules: tuple[ModuleType, ...]) -> Scan:
    """A scan, compiled; the functions of its modules are compiled into it."""
    from numba.extending import register_jitable

    for module in modules:
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__ and name != MAKES_ARRAYS:
                register_jitable(forceinline=True)(function)
    return compiled(of_this_text(scan, _text_number(modules)))


def owned(argument: Any) -> Any:
    """Compiled code is made for one kind of array; those of Polars can only be read, and would be another."""
    if isinstance(argument, tuple):
        return type(argument)(*map(owned, argument))
    return argument.copy() if isinstance(argument, np.ndarray) and not argument.flags.writeable else argument


def of_this_text(scan: Scan, number: int) -> Scan:
    """The scan, bound to a number of its text.

    What Numba keeps on disk it finds again by the file of one function and by what that function is bound to. A scan may
    be spread over several files: without the number a change of another file would not be noticed.
    """

    def scan_of_this_text(*arguments):
        if number >= 0:
            scan(*arguments)

    return scan_of_this_text


def _text_number(modules: tuple[ModuleType, ...]) -> int:
    """A number that changes with the text of a scan."""
    number = 0
    for module in modules:
        number = crc32(Path(str(module.__file__)).read_bytes(), number)
    return number


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
