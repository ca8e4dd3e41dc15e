"""What is missing: the tests that would settle open answers, those that unblock most first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from .reasons import input_said
from .visits import split
from .words import FINDINGS, PAGE


@dataclass(frozen=True)
class Gap:
    """A test nobody recorded, the answers it helps to settle, and those of them that it settles alone."""

    test: str
    answers: tuple[tuple[str, bool], ...]


def gaps(completeness: pl.DataFrame, shown: Collection[str], last: Mapping[str, Any] | None, lang: str) -> list[Gap]:
    """The gaps of one patient. `shown`: findings on the page; `last`: the latest assessment of the response."""
    wanted: dict[str, list[tuple[str, bool]]] = {}
    for row in completeness.filter(pl.col("finding").is_in(list(shown))).iter_rows(named=True):
        _enter(wanted, split(row["missing"]), FINDINGS[row["finding"]][lang == "zh"])
    if last is not None:
        _enter(wanted, split(last["missing"]), PAGE[lang]["response_of"].format(last["on"]))
    order = list(FINDINGS)
    found = [Gap(input_said(test, lang), tuple(answers)) for test, answers in wanted.items()]
    names = {FINDINGS[name][lang == "zh"]: i for i, name in enumerate(order)}
    return sorted(found, key=lambda gap: (-len(gap.answers), -sum(alone for _, alone in gap.answers),
                                          min(names.get(name, 99) for name, _ in gap.answers)))  # fmt: skip


def _enter(wanted: dict[str, list[tuple[str, bool]]], missing: Sequence[str], answer: str) -> None:
    for test in missing:
        wanted.setdefault(test, []).append((answer, len(missing) == 1))
