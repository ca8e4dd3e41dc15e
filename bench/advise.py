"""The jobs of the advice, run as those of `jobs.py` are: `python bench/advise.py JOB PATH`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs import main, timed

PATIENTS, UNKNOWN = 1_000_000, 0.25
PERSON = {"diagnosis": "MM", "situation": "relapse", "died": False}


def advise(_: Path, result: dict[str, Any]) -> None:
    """The table of options of many patients, from facts drawn at random: any diagnosis, any situation, a quarter of the facts missing."""
    from bence.advise import advice
    from bence.advise.checks import drawn

    facts = drawn(PATIENTS, missing=UNKNOWN)
    advice(facts.head(100), "china")  # the tables are read once in a process
    with timed(result):
        rows = advice(facts, "china")
    result |= {"patients": facts.height, "rows": rows.height}


def advise_relapsed(_: Path, result: dict[str, Any]) -> None:
    """The same of patients who all have a relapse, of whom the most questions are asked."""
    import polars as pl

    from bence.advise import advice
    from bence.advise.checks import drawn

    facts = drawn(PATIENTS // 5, missing=UNKNOWN)
    facts = facts.with_columns(pl.lit(value).cast(facts.schema[name]).alias(name) for name, value in PERSON.items())
    advice(facts.head(100), "china")
    with timed(result):
        rows = advice(facts, "china")
    result |= {"patients": facts.height, "rows": rows.height}


def advise_one(_: Path, result: dict[str, Any]) -> None:
    """One patient of the synthetic cohort, the slowest, with all reasons and what each missing test would mean, warm."""
    from bence.advise import advice_of
    from bence.advise import facts as facts_of
    from bence.assess import assess
    from bence.demo import demo_chart

    everybody = facts_of(assess(demo_chart()), "us")
    worst: dict[str, Any] = {"cpu": 0.0, "wall": 0.0}
    for place in range(everybody.height):
        advice_of(everybody[place], "us")
        once: dict[str, Any] = {}
        with timed(once):
            advice_of(everybody[place], "us")
        worst = max(worst, once, key=lambda each: each["cpu"])
    result |= worst


def facts(folder: Path, result: dict[str, Any]) -> None:
    """What the pathway asks about of every patient of the chart that Bence wrote, the findings being there."""
    import bence
    from bence.advise import facts as facts_of

    found = bence.assess(bence.read(folder))
    found.status, found.lines, found.mrd  # noqa: B018  worked out when first asked for
    with timed(result):
        told = facts_of(found, "china")
    result["patients"] = told.height


JOBS: dict[str, Callable[[Path, dict[str, Any]], None]] = {job.__name__: job for job in (advise, advise_relapsed, advise_one, facts)}

if __name__ == "__main__":
    main(JOBS)
