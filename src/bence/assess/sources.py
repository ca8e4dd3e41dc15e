"""Where each rule comes from: the records of `sources.toml` by key."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ..evidence import record


@cache
def sources() -> dict[str, dict[str, Any]]:
    """Title, place, DOI, tag (V S M O), note of every source that a rule cites."""
    told = tomllib.loads(files("bence.assess").joinpath("sources.toml").read_text(encoding="utf-8"))
    return {key: _published(source) for key, source in told.items()}


def _published(source: dict[str, Any]) -> dict[str, Any]:
    """The source with its place and DOI, which stand in the evidence base alone where that holds the same publication."""
    if "record" not in source:
        return source
    found = record(source["record"])
    place = found.get("publication", found)
    return source | {name: place[name] for name in ("where", "doi") if name in place}


def cited(key: str) -> str:
    """A source on one line: where it stands, its DOI, how it was checked."""
    source = sources()[key]
    doi = f", doi:{source['doi']}" if source.get("doi") else ""
    return f"{source['where']}{doi} [{source['tag']}]"
