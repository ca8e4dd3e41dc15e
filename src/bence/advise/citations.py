"""What a row of the pathway rests on: a record of the evidence base, or a source of the rules of the assessment."""

from __future__ import annotations

from functools import cache

from .. import evidence
from ..assess import sources


@cache
def records() -> frozenset[str]:
    """The keys of every record of the evidence base."""
    return frozenset(key for kind in evidence.KINDS for key in evidence.keys(kind))


def resolves(key: str) -> bool:
    """Is there something of this name?"""
    return key in records() or key in sources.sources()


def cited(key: str) -> str:
    """A source on one line."""
    return evidence.cited(key) if key in records() else sources.cited(key)
