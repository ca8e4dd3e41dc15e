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
