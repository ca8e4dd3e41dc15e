"""The garbage collector: held while millions of objects are made that all stay, and seldom at work in a server."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[None]:
    """Look for no cycles meanwhile: going through everything again and again doubles the time, and there are none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def seldom() -> None:
    """Look for cycles seldom, and not among what there is: a look at everything holds up all who ask a server by a fifth of a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
