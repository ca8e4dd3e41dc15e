"""What a row of the pathway rests on: a record of the evidence base, or a source of the rules of the assessment."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from .. import evidence
from ..assess import sources

LATER = ("published later than this day", "发表晚于此日")


@cache
def records() -> frozenset[str]:
    """The keys of every record of the evidence base."""
    return frozenset(key for kind in evidence.KINDS for key in evidence.keys(kind))


def resolves(key: str) -> bool:
    """Is there something of this name?"""
    return key in records() or key in sources.sources()


def cited(key: str, at: date | None = None, lang: str = "en") -> str:
    """A source on one line; one that was published in a year after `at` says so: the practice is older than what is cited for it."""
    told = evidence.cited(key) if key in records() else sources.cited(key)
    years = [int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", told.partition("doi:")[0])]
    if at is None or not years or min(years) <= at.year:
        return told
    return f"{told} ({LATER[lang == 'zh']})"
