"""Which records name which: by a field that holds a key, or in the words of a source. And the records in which a word stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl

from .records import KINDS, keys, kind_of, records
from .show import listing

KEY = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")


def named_in(key: str) -> tuple[str, ...]:
    """The records that a record names; UsageError for an unknown key."""
    kind_of(key)
    return _named()[key]


def naming(key: str) -> tuple[str, ...]:
    """The records that name a record; UsageError for an unknown key."""
    kind_of(key)
    return tuple(other for other, named in _named().items() if key in named)


def holding(word: str, kind: str | None = None, lang: str = "en") -> pl.DataFrame:
    """The records in which a word stands, as `listing` gives them, those with it in key or name first. UsageError for an unknown kind."""
    table, asked = listing(kind, lang), word.strip().casefold()
    if not asked:
        return table
    texts = {key: text for each in KINDS for key, text in _texts(each).items()}
    own = pl.format("{} {}", "key", "name").str.to_lowercase().str.contains(asked, literal=True)
    there = pl.Series([asked in texts[key] for key in table["key"]], dtype=pl.Boolean)
    return table.with_columns(first=~own).filter(there | table.select(own).to_series()).sort("first", maintain_order=True).drop("first")


@cache
def _texts(kind: str) -> dict[str, str]:
    return {key: json.dumps([key, record], ensure_ascii=False, default=str).casefold() for key, record in records(kind).items()}


@cache
def _named() -> dict[str, tuple[str, ...]]:
    known = {key for kind in KINDS for key in keys(kind)}
    every = {key: record for kind in KINDS for key, record in records(kind).items()}
    return {key: tuple(dict.fromkeys(one for one in _words(record, known) if one != key)) for key, record in every.items()}


def _words(part: Any, known: set[str], field: str = "") -> Iterator[str]:
    """The keys in a part of a record: whole values, and words of a source."""
    if isinstance(part, dict):
        for name, each in part.items():
            yield from _words(each, known, name)
    elif isinstance(part, list):
        for each in part:
            yield from _words(each, known, field)
    elif isinstance(part, str) and part in known:
        yield part
    elif isinstance(part, str) and field.endswith("source"):
        yield from (word for word in KEY.findall(part) if word in known and ("-" in word or "_" in word))
