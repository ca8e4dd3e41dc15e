"""A cohort in numbers: counts, responses, survival, completeness and what the pathway offered; small cells masked for whom they must be.

Who may read no identified patient sees no number of fewer than five, nothing of a choice of patients that is smaller or leaves fewer than
five out, and of a survival curve only the part in which at least five are at risk, in whole months and without marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from ..assess.survival import Curve, kaplan_meier
from .cases import ANSWERS, STAGES
from .counting import SMALLEST, mask
from .worklist import Entry

LAST_LINE = 5  # from this line on, lines are counted together
REGIMENS = 12  # the most frequent ones are told apart
MONTH = 30.4375  # days
PEOPLE = {
    "person": pl.Int64,
    "centre": pl.String,
    "sex": pl.String,
    "age": pl.String,
    "year": pl.Int64,
    **dict.fromkeys(ANSWERS, pl.String),
}
LINES = {
    "person": pl.Int64, "line": pl.Int64, "regimen": pl.String, "best_response": pl.String, "pfs_days": pl.Int64, "pfs_event": pl.Boolean,
    "os_days": pl.Int64, "os_event": pl.Boolean,
}  # fmt: skip
ADVICE = {"person": pl.Int64, "question": pl.String, "option": pl.String, "stance": pl.String}
CHOICES = ("centre", "diagnosis", "stage", "sex", "age", "since", "until", "line", "regimen")


@dataclass(frozen=True)
class Cohort:
    """Patients, their lines of therapy, and what the pathway said of them; `outstanding`: who is not worked out yet."""

    people: pl.DataFrame
    lines: pl.DataFrame
    advice: pl.DataFrame
    outstanding: int = 0


def gathered(entries: Sequence[Entry], outstanding: int = 0) -> Cohort:
    """The cases of many patients as tables."""
    cases = [(entry.person, entry.centre, case) for entry in entries for case in entry.told]
    people = [
        {"person": person, "centre": centre, **{k: case.get(k) for k in PEOPLE if k not in ("person", "centre")}}
        for person, centre, case in cases
    ]
    lines = [{"person": person, **line} for person, _, case in cases for line in case["lines"]]
    advice = [(person, *said) for person, _, case in cases for said in case["advice"]]
    return Cohort(
        pl.DataFrame(people, schema=PEOPLE),
        pl.DataFrame(lines, schema=LINES),
        pl.DataFrame(advice, schema=ADVICE, orient="row"),
        outstanding,
    )


def narrowed(cohort: Cohort, chosen: Mapping[str, str]) -> Cohort:
    """The patients of a choice; what is not known of a patient fits no choice. A line or a regimen chooses lines and who had them."""
    people, lines = cohort.people, cohort.lines
    for name in ("centre", "diagnosis", "sex", "age"):
        if chosen.get(name):
            people = people.filter(pl.col(name) == chosen[name])
    stage, _, answer = chosen.get("stage", "").partition(":")
    if stage in STAGES:
        people = people.filter(pl.col(stage) == answer)
    for name, fits in (("since", pl.col("year").ge), ("until", pl.col("year").le)):
        if chosen.get(name, "").isdecimal():
            people = people.filter(fits(int(chosen[name])))
    if chosen.get("line", "").isdecimal():
        line = int(chosen["line"])
        lines = lines.filter(pl.col("line") >= line if line == LAST_LINE else pl.col("line") == line)
    if chosen.get("regimen"):
        lines = lines.filter(pl.col("regimen") == chosen["regimen"])
    if lines is not cohort.lines:
        people = people.join(lines.select("person").unique(), on="person", how="semi")
    mine = people.select("person")
    return replace(
        cohort, people=people, lines=lines.join(mine, on="person", how="semi"), advice=cohort.advice.join(mine, on="person", how="semi")
    )


def is_withheld(all_: Cohort, chosen: Cohort, smallest: int) -> bool:
    """Is a choice of patients too small, or does it leave too few out, for somebody who may see no single patient?"""
    inside, outside = chosen.people.height, all_.people.height - chosen.people.height
    return inside < smallest or 0 < outside < smallest


def counted(people: pl.DataFrame, by: str, smallest: int = 0) -> pl.DataFrame:
    """Patients by a column: it, `patients`, `masked`; what is not known stands last."""
    return mask(people.group_by(by).len("patients").sort(by, nulls_last=True), smallest)


def responses(lines: pl.DataFrame, by: str, smallest: int = 0) -> pl.DataFrame:
    """Best responses of lines by line or regimen: `group`, `of` (lines), `best_response`, `patients` (lines), `masked`; null: not assessed.

    Regimens that are rare are left out, and groups of fewer than `smallest`.
    """
    group = pl.col("line").clip(upper_bound=LAST_LINE).cast(pl.String) if by == "line" else pl.col(by)
    lines = lines.with_columns(group=group).drop_nulls("group")
    sizes = lines.group_by("group").len("of").filter(pl.col("of") >= max(smallest, 1))
    sizes = sizes.sort("group") if by == "line" else sizes.sort(["of", "group"], descending=[True, False]).head(REGIMENS)
    tables = [
        mask(lines.filter(group=name).group_by("best_response").len("patients").sort("best_response"), smallest).with_columns(
            group=pl.lit(name), of=pl.lit(of)
        )
        for name, of in sizes.iter_rows()
    ]
    order = ["group", "of", "best_response", "patients", "masked"]
    return pl.concat(tables).select(order) if tables else pl.DataFrame(schema=dict.fromkeys(order, pl.String))


@dataclass(frozen=True)
class Survival:
    """A curve of a group as it may be shown. `risk`: months → at risk (None: masked); `events` None: masked."""

    name: str
    curve: Curve
    events: int | None
    risk: Mapping[int, int | None]


def survival(lines: pl.DataFrame, endpoint: str, months: Sequence[int], smallest: int = 0) -> list[Survival]:
    """PFS of lines by line, or OS from the first line: one curve a group, for groups of at least `smallest`."""
    known = lines.drop_nulls([f"{endpoint}_days", f"{endpoint}_event"])
    known = known.filter(pl.col("line") == 1) if endpoint == "os" else known.with_columns(pl.col("line").clip(upper_bound=LAST_LINE))
    found = []
    for (line,), group in sorted(known.group_by("line"), key=lambda each: each[0]):
        if group.height < max(smallest, 1):
            continue
        curve = kaplan_meier(group[f"{endpoint}_days"].to_numpy(), group[f"{endpoint}_event"].to_numpy())
        risk = {month: curve.at_risk(month * MONTH) for month in months}
        shown = {month: number if number >= smallest else None for month, number in risk.items()}
        rare = 0 < min(curve.events or smallest, curve.patients - curve.events or smallest) < smallest
        found.append(Survival(str(line), blurred(curve, smallest) if smallest else curve, None if rare else curve.events, shown))
    return found


def blurred(curve: Curve, smallest: int) -> Curve:
    """A curve as far as `smallest` are at risk, in whole months, without the marks of who was censored."""
    kept = [place for place, day in enumerate(curve.days) if curve.at_risk(day) >= smallest]
    month = {place: -(-curve.days[place] // MONTH) for place in kept}
    last = [place for place in kept if month.get(place + 1) != month[place]]  # of a month, the share at its end
    end = max((day for day in curve.follow_up if curve.at_risk(day) >= smallest), default=0.0)
    median, low, high = (_shown(day, end) for day in (curve.median, curve.median_low, curve.median_high))
    told = {name: tuple(getattr(curve, name)[place] for place in last) for name in ("free", "low", "high")}
    days = tuple(month[place] * MONTH for place in last)
    follow_up = (-(-end // MONTH) * MONTH,) if end else ()
    return replace(curve, days=days, censored=(), median=median, median_low=low, median_high=high, follow_up=follow_up, **told)


def _shown(day: float | None, end: float) -> float | None:
    return None if day is None or day > end else -(-day // MONTH) * MONTH


def completeness(people: pl.DataFrame, smallest: int = 0) -> pl.DataFrame:
    """For how many patients of each centre a finding is settled: `centre`, `finding`, `settled` (null: masked), `patients`."""
    sizes = people.group_by("centre").agg(pl.len().alias("patients"), *(pl.col(name).count() for name in ANSWERS))
    long = sizes.filter(pl.col("patients") >= smallest).unpivot(
        ANSWERS, index=["centre", "patients"], variable_name="finding", value_name="settled"
    )
    few = pl.min_horizontal("settled", pl.col("patients") - pl.col("settled"))
    return long.with_columns(settled=pl.when((few == 0) | (few >= smallest)).then("settled")).sort("centre", maintain_order=True)


def offered(advice: pl.DataFrame, smallest: int = 0) -> pl.DataFrame:
    """Patients by question, option and stance: `patients`, `masked`."""
    keys = ["question", "option", "stance"]
    rows = advice.group_by(keys).agg(pl.col("person").n_unique().alias("patients")).sort(keys)
    parts = [mask(part, smallest) for part in rows.partition_by("question", "option", maintain_order=True)]
    return pl.concat(parts) if parts else rows.with_columns(masked=pl.lit(False))


def offers(people: pl.DataFrame, name: str, smallest: int = 0) -> list[Any]:
    """What may be chosen of a column: what at least `smallest` patients have."""
    rows = people.drop_nulls(name).group_by(name).len().filter(pl.col("len") >= smallest)
    return rows[name].sort().to_list()


def smallest_for(reads: bool) -> int:
    """The smallest number that may be shown to who reads patients (any), and to who does not."""
    return 0 if reads else SMALLEST
