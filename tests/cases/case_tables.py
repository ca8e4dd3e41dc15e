"""The tables of a page of worked cases, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

BAR = r"(?<!\\)\|"  # between two cells; a bar within a cell is written \|
Case = dict[str, str]


def case_tables(page: Path, divider: str = BAR) -> dict[str, list[Case]]:
    """The tables of a page by their heading; each row as a mapping, with its `line`."""
    found: dict[str, list[Case]] = {}
    heading, heads = "", []
    for line, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(divider, text)]
        if text.startswith("## "):
            heading = text[3:]
        elif len(cells) < 2:
            heads = []
        elif not heads:
            heads = cells
        elif not set(text) <= set("-| "):
            assert len(cells) == len(heads), f"{page.name}:{line}: {len(cells)} cells, {len(heads)} headings"
            found.setdefault(heading, []).append({**dict(zip(heads, cells, strict=True)), "line": str(line)})
    return found


def each_of(cases: list[Case]) -> pytest.MarkDecorator:
    """Run a test with each of some cases as its argument `case`."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case['line']} {case['case']}")


def policy_of(text: str) -> dict[str, Any]:
    """The policy that a cell names: `nadir=pairwise`, or none."""
    return dict([text.split("=")]) if text else {}
