"""Strategies against each other in the same virtual people: one treatment after another, in any order, with any interval.

The same person meets the same chance under every strategy (common random numbers), so that a difference is the strategy's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UsageError
from .blood import CLONES, cells
from .causes import USED, causes, state_on
from .course import run
from .courses import Courses
from .measurement import marrow_share
from .people import draw_people
from .position import BATCH
from .protocols import OFF, Lost, Protocol, Step
from .regimens import Regimen, regimen

Floats = NDArray[np.float64]
ARROW = re.compile(r"\s*(?:->|→|—>|=>|＞)\s*")
FOR_DAYS = re.compile(r"^(.*\S)\s+(\d+)\s*(?:d|days|天)$")
MANUFACTURE, SPREAD, FAILED = 42.0, 0.25, 0.03  # days from apheresis to lymphodepletion, its log spread, share that fails: assumed
POPULATION = "rrmm_triple_class_exposed"
LYMPHODEPLETION = ("Flu-Cy", 5.0)


def strategy(text: str, *, gap: int = 0, months: float = 60, population: str = POPULATION) -> Protocol:
    """The protocol of a sequence such as `cilta-cel -> teclistamab` or `Kd 84d -> 特立妥单抗 + 达雷妥尤单抗`.

    Each treatment goes on until progression, or for the days written behind it; then nothing is given for `gap` days, and the next one
    begins. CAR-T cells come after apheresis, manufacture without bridging, and lymphodepletion; until then no progression is looked for.
    UsageError for a name that is not known.
    """
    parts = ARROW.split(text.strip())
    if not all(parts):
        raise UsageError(f"{text!r} is no sequence", expected="treatments joined by ->, such as 'cilta-cel -> teclistamab'")
    blocks: list[list[Step]] = []
    for place, part in enumerate(parts):
        timed = FOR_DAYS.match(part)
        given = regimen(timed[1] if timed else part)
        again = sum(part == other for other in parts[:place])
        blocks.append(_block(given, f"{given.name}{' again' * again}", float(timed[2]) if timed else None, gap if place else 0))
    steps: list[Step] = []
    for place, block in enumerate(blocks):
        onward = blocks[place + 1][0].key if place + 1 < len(blocks) else OFF
        for number, step in enumerate(block):
            following = block[number + 1].key if number + 1 < len(block) else onward if step.days is not None else OFF
            lost = replace(step.lost, to=onward) if step.lost else None
            steps.append(replace(step, next=following, after_progression=onward, lost=lost, line=place > 0 and number == 0))
    name = " → ".join(parts)
    return Protocol(text, {"en": name, "zh": name}, population, 0, months, (*steps, Step(OFF)))


def _block(given: Regimen, key: str, days: float | None, gap: int) -> list[Step]:
    wait = [Step(f"before {key}", days=float(gap), judged=False)] if gap else []
    if not given.is_cells:
        return [*wait, Step(key, regimen=given, days=days)]
    lost = Lost(FAILED, OFF, "manufacturing_failure")
    name, length = LYMPHODEPLETION
    return [
        *wait,
        Step(f"making {key}", days=MANUFACTURE, spread=SPREAD, phase="bridging", event="apheresis", lost=lost, judged=False),
        Step(f"lymphodepletion {key}", regimen=regimen(name), days=length, phase="lymphodepletion", judged=False),
        Step(key, regimen=given, event="infusion", days=days),
    ]


def outcomes(courses: Courses) -> pl.DataFrame:
    """One row a person: first and second progression, death, end of follow-up (days), depth, causes of relapse, T cells at the switch.

    `second_event` is the second progression, or death before it. Null: it did not happen while the person was followed. `depth` is the
    lowest share of the marrow that myeloma cells were. T cells: their fitness on the first day of the second treatment.
    """
    seen = courses.events.filter(pl.col("what") == "progression").with_columns(nth=pl.int_range(pl.len()).over("place"))
    at = [_day(courses, seen.filter(pl.col("nth") == nth)) for nth in (0, 1)]
    second = courses.given.filter((pl.col("line") == 1) & (pl.col("phase") == "treatment"))
    switch = _day(courses, second.group_by("place").agg(day=pl.col("started").min()))
    share = marrow_share(cells({name: courses.state(name) for name in CLONES}))
    return pl.DataFrame({
        "number": courses.people.numbers, "first": at[0], "second": at[1], "died": courses.died_on, "last": courses.last_on,
        "second_event": np.fmin(at[1], courses.died_on), "depth": np.nanmin(share[1:], axis=0, initial=1.0),
        "first_cause": causes(courses, at[0]), "second_cause": causes(courses, at[1]), "switch": switch,
        "t_cells": state_on(courses, "fitness", switch),
    }, nan_to_null=True).with_columns(pl.col("first_cause", "second_cause").replace("", None))  # fmt: skip


def _day(courses: Courses, rows: pl.DataFrame) -> Floats:
    found = np.full(len(courses.people), np.nan)
    found[rows["place"].to_numpy()] = rows["day"].to_numpy()
    return found


@dataclass(frozen=True)
class Strategies:
    """Strategies compared: for each the outcomes of the same people in the same order."""

    names: tuple[str, ...]
    people: tuple[pl.DataFrame, ...]
    months: float
    gap: int
    population: str
    seed: int


def compare(
    texts: Sequence[str], *, gap: int = 0, patients: int = 5000, months: float = 60, population: str = POPULATION, seed: int = 1
) -> Strategies:
    """Run every strategy in the same people; UsageError for a strategy that cannot be read or numbers that make no sense."""
    if patients < 1 or months <= 0 or gap < 0:
        raise UsageError(f"{patients} patients, {months:g} months, an interval of {gap} days", expected="more than none")
    protocols = [strategy(text, gap=gap, months=months, population=population) for text in texts]
    found: list[list[pl.DataFrame]] = [[] for _ in protocols]
    for first in range(0, patients, BATCH):
        people = draw_people(population, min(BATCH, patients - first), seed, first=first)
        for rows, protocol in zip(found, protocols, strict=True):
            rows.append(outcomes(run(people, protocol, seed, every=28, keep=USED)))
    return Strategies(tuple(p.name["en"] for p in protocols), tuple(map(pl.concat, found)), months, gap, population, seed)
