"""What a cohort counts of each patient, without key, day or centre: worked out for many patients at once, kept for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from ..advise import advice, facts
from ..assess import Findings, assess
from ..chart import Chart

STAGES = ("iss", "r_iss", "r2_iss", "durie_salmon", "high_risk_2025")
ANSWERS = ("diagnosis", *STAGES)
ENDPOINTS = ("pfs", "os")
BANDS = ((0, 50), (50, 65), (65, 75), (75, 200))  # years, the upper bound is outside


def cases(chart: Chart, at: date, region: str) -> dict[str, list[dict[str, Any]]]:
    """One case for every patient of a chart, in a list of its own: `sex`, `age` (a band), `year` of the diagnosis, answers, `lines`,
    and `advice` of a pathway under the approvals of a `region`.
    """
    findings = assess(chart, at)
    living = chart.patients.filter(pl.col("died_on").is_null()).select("patient")
    lines, told = _lines(findings), _advice(findings, region, living)
    people = chart.patients.select("patient", "sex", "born_on")
    first = findings.lines.group_by("patient").agg(begun=pl.col("started_on").min())
    rows = people.join(findings.status.select("patient", "baseline_on", *ANSWERS), on="patient", how="left").join(
        first, on="patient", how="left"
    )
    return {row["patient"]: [_case(row, lines[row["patient"]], told[row["patient"]])] for row in rows.iter_rows(named=True)}


def _case(row: dict[str, Any], lines: list[dict[str, Any]], told: list[list[str]]) -> dict[str, Any]:
    day = row["baseline_on"] or row["begun"]
    answers = {name: row[name] for name in ANSWERS}
    return {
        "sex": row["sex"],
        "age": age_band(row["born_on"], day),
        "year": day.year if day else None,
        "lines": lines,
        "advice": told,
    } | answers


def age_band(born: str | None, day: date | None) -> str | None:
    """The band of age on a day; None where a birth that is known only in part leaves two bands open.

    >>> age_band("1960", date(2024, 6, 1)), age_band("1959-06-02", date(2024, 6, 1)), age_band("1959", date(2024, 6, 1))
    ('50-64', '50-64', None)
    """
    if not born or day is None:
        return None
    early, late = (f"{born}{end[len(born) :]}" for end in ("0000-01-01", "0000-12-31"))
    years = {day.year - int(text[:4]) - ((day.month, day.day) < (int(text[5:7]), int(text[8:10]))) for text in (early, late)}
    found = {_band(each) for each in years}
    return found.pop() if len(found) == 1 else None


def _band(years: int) -> str | None:
    low, high = next(((low, high) for low, high in BANDS if low <= years < high), (None, None))
    if low is None or high is None:
        return None
    return f"<{high}" if low == 0 else f">={low}" if high >= 200 else f"{low}-{high - 1}"


def _lines(findings: Findings) -> dict[str, list[dict[str, Any]]]:
    """Every line of every patient: number, regimen, best response, and the endpoints counted from its start."""
    ends = [f"{name}_{what}" for name in ENDPOINTS for what in ("days", "event")]
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in findings.lines.select("patient", "line", "regimen", "best_response", *ends).iter_rows(named=True):
        found[row.pop("patient")].append(row)
    return found


def _advice(findings: Findings, region: str, living: pl.DataFrame) -> dict[str, list[list[str]]]:
    """What the pathway says of every patient who lives: question, option, stance."""
    rows = (
        advice(facts(findings, region), region)
        .join(living, on="patient", how="semi")
        .drop_nulls("option")
        .select("patient", "question", "option", "stance")
        .unique()
    )
    found: dict[str, list[list[str]]] = defaultdict(list)
    for patient, *said in _plain(rows):
        found[patient].append(said)
    return found


def _plain(rows: pl.DataFrame) -> Iterable[tuple[str, ...]]:
    return rows.with_columns(pl.all().cast(pl.String)).iter_rows()
