"""Where each rule comes from: the records of `sources.toml` by key."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def sources() -> dict[str, dict[str, Any]]:
    """Title, place, DOI, tag (V S M O), note of every source that a rule cites."""
    return tomllib.loads(files("bence.assess").joinpath("sources.toml").read_text(encoding="utf-8"))


def cited(key: str) -> str:
    """A source on one line: where it stands, its DOI, how it was checked."""
    record = sources()[key]
    doi = f", doi:{record['doi']}" if record.get("doi") else ""
    return f"{record['where']}{doi} [{record['tag']}]"
