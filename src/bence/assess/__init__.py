"""Assess a chart: the clinical rules. Chart in, tables of findings out; no input or output here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ..callable import make_callable
from ..catalogue import codes_of
from ..cells import Categories, Column
from ..chart import Chart, last_date, visible
from ..rulebook import rules
from ..solve import Solved
from ..version import __version__
from . import baseline, inputs, status
from .findings import Basis, Findings
from .intake import EPOCH, Observations, dates, take_in
from .lines import first_dose, lines_differ, progression_events, treatment_rows, treatment_table, with_regimens
from .mrd import CODES as MRD_CODES
from .mrd import mrd_status, mrd_table
from .policies import settle
from .response import Cohort, check_profile, respond
from .stand_ins import stand_ins

BESIDE_ANOTHER = ("al_amyloidosis", "poems")  # diagnoses that may stand beside any other

DISCLAIMER = {
    "en": "Bence supports decisions; it does not make them and is not a medical device.",
    "zh": "Bence 仅辅助决策，不代替医生判断，不是医疗器械。",
}


@dataclass(frozen=True)
class Baseline:
    """What staging and diagnosis are told: for each input a column over the patients, and where it comes from."""

    columns: Mapping[str, Column]
    recorded: Mapping[str, Categories]
    rows: pl.DataFrame
    names: tuple[str, ...]
    anchor: np.ndarray


def assess(chart: Chart, at: date | str | None = None, profile: str = "imwg_2016", **policies: Any) -> Findings:
    """Assess every patient of a chart from what was known on a day.

    `at`: that day (None: the last date of the chart). `profile`: the response criteria. `policies`: what the criteria
    leave open, see `bence.assess.policies`. UsageError for an unknown profile, policy or value.
    """
    settled = settle(policies)
    check_profile(profile)
    at = date.fromisoformat(at) if isinstance(at, str) else at
    known = visible(chart, at)
    day = at or last_date(chart)
    observations = take_in(known)
    ids = observations.patients
    people = known.patients.sort("patient")
    drugs = treatment_rows(known, ids)
    response, lines, drugs = respond(Cohort(observations, people, settled), drugs, progression_events(known, ids))
    lines = with_regimens(lines, ids, drugs)
    base = baseline_of(known, observations, people, drugs, day)
    solved, given = status.answers(base.columns, len(ids), base.recorded, settled)
    table = pl.DataFrame({"patient": ids, "at": pl.Series([day], dtype=pl.Date).new_from_index(0, len(ids))})
    table = table.with_columns(
        baseline_on=dates(base.anchor), **status.status_columns(solved, given), flags=_flags(base, solved, drugs, len(ids))
    )
    high_risk = table.filter(pl.col("high_risk_2025").cast(pl.String) == "high")["patient"]
    mrd = mrd_table(_observed(known, observations, MRD_CODES), response, settled, None, high_risk=high_risk)
    table = _with_response(table, response, lines).with_columns(**mrd_status(mrd, ids))
    return Findings(
        response=response,
        treatments=treatment_table(known, drugs),
        mrd=mrd,
        rejected=chart.rejected,
        manifest=_manifest(chart, day, profile, settled),
        basis=Basis(known, day, drugs, table, lines, solved),
    )


def _observed(chart: Chart, observations: Observations, codes: tuple[str, ...]) -> Chart:
    """The chart, without its observations where none is of these codes: then they are not looked for."""
    return chart if observations.has(codes) else Chart(chart.patients, None, chart.scan("treatments"), chart.scan("events"))


def baseline_of(chart: Chart, observations: Observations, people: pl.DataFrame, drugs: pl.DataFrame, at: date | None) -> Baseline:
    """What is known of every patient at diagnosis, as columns for the rules."""
    ids, names = observations.patients, observations.codes
    n = len(ids)
    dosed = first_dose(drugs, n)
    anchor = baseline.anchor_day(observations, baseline.diagnosis_day(chart, ids), dosed)
    rows = baseline.baseline_rows(observations, anchor, dosed)
    columns = inputs.observed_columns(rows, names, n)
    heavy, light = inputs.recorded_clone(people, inputs.ife_bands(rows, names.index("serum_ife"), n))
    columns |= inputs.clone_columns(heavy, light, people)
    columns |= inputs.light_chain_columns(columns, light)
    columns["immunoparesis"] = inputs.immunoparesis_column(columns, heavy)
    columns["age"] = inputs.age_column(people["born_on"], anchor)
    columns["sex"] = Categories.of(
        people["sex"].replace_strict({"female": 0, "male": 1}, default=-1).fill_null(-1).to_numpy(), ("female", "male")
    )
    smouldering = baseline.diagnosis_day(chart, ids, ("smm_diagnosis",))
    today = (at - EPOCH).days if at else 0
    columns["smm_years"] = inputs.years_since(np.where(smouldering < baseline.NEVER, smouldering, anchor), today)
    columns |= stand_ins(columns, n)
    recorded = {name: columns.pop(name) for name in list(columns) if name in rules()}
    stages = {name: _without_flags(column) for name, column in recorded.items() if isinstance(column, Categories)}
    return Baseline(columns, stages, rows, names, anchor)


def _without_flags(column: Categories) -> Categories:
    """A recorded diagnosis without the two that may stand beside any other (they are flags of their own)."""
    bits = sum(1 << i for i, name in enumerate(column.names) if name not in BESIDE_ANOTHER)
    return Categories(column.mask & column.mask.dtype.type(bits), column.names)


def stage(frame: pl.DataFrame, **policies: Any) -> pl.DataFrame:
    """Every rule of stage, risk, diagnosis and frailty for a table of baseline values, one row a patient.

    Columns are inputs of the rules by name (numbers in canonical units, words), null where unknown; columns that
    are not inputs are kept. The answers and, where several are left, `<name>_possible` are added.
    """
    known = codes_of("observation", "patient")
    columns: dict[str, Column] = {}
    for name in frame.columns:
        series = frame[name]
        if series.dtype.is_numeric():
            columns[name] = inputs.number_column(series)
        elif name in known and (known[name].words or known[name].kind == "chains"):
            columns[name] = inputs.word_column(series, known[name])
    light = _light(columns.get("light_chain"), frame.height)
    columns = inputs.light_chain_columns(columns, light) | columns
    columns |= stand_ins(columns, frame.height)
    solved, given = status.answers(columns, frame.height, {}, settle(policies))
    return frame.with_columns(**{
        name: column for name, column in status.status_columns(solved, given).items() if name not in frame.columns
    })  # fmt: skip


def _light(column: Column | None, n: int) -> np.ndarray:
    """The clone's light chain: 0 kappa, 1 lambda, -1 unknown."""
    if not isinstance(column, Categories):
        return np.full(n, -1)
    return np.select([column.mask == 1 << column.names.index(name) for name in inputs.LIGHT], [0, 1], -1)


def _with_response(table: pl.DataFrame, response: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The current line of every patient, its best response, and the response it is in now."""
    last = lines.sort("patient", "started_on", maintain_order=True).group_by("patient", maintain_order=True).last()
    now = response.group_by("patient", "line", maintain_order=True).agg(confirmed=pl.col("confirmed").last())
    last = last.join(now, on=["patient", "line"], how="left").select(
        "patient",
        "line",
        "best_response",
        response=pl.when(pl.col("progression_state").cast(pl.String) == "confirmed")
        .then(pl.lit("PD"))
        .otherwise(pl.col("confirmed").cast(pl.String)),
    )
    return table.join(last, on="patient", how="left", maintain_order="left")


def _flags(base: Baseline, solved: Mapping[str, Solved], drugs: pl.DataFrame, n: int) -> pl.Series:
    """Contradictions: values of one day at baseline (`conflict:albumin`), recorded answers overruled (`recorded:iss`), lines
    derived from the drugs that are not the recorded ones (`lines_differ`)."""
    notes: dict[int, list[str]] = {}
    for place, code in base.rows.filter("conflict").sort("place", "code").select("place", "code").iter_rows():
        notes.setdefault(place, []).append(f"conflict:{base.names[code]}")
    for name in base.recorded:
        if name in solved:
            for place in np.flatnonzero(solved[name].conflict).tolist():
                notes.setdefault(place, []).append(f"recorded:{name}")
    for place in lines_differ(drugs).to_list():
        notes.setdefault(place, []).append("lines_differ")
    words = {place: "|".join(found) for place, found in notes.items()}
    return pl.Series(range(n), dtype=pl.Int64).replace_strict(words, default=None, return_dtype=pl.String)


def _manifest(chart: Chart, at: date | None, profile: str, policies: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "bence": __version__,
        "note": DISCLAIMER["en"],
        "at": at.isoformat() if at else None,
        "profile": profile,
        "policies": dict(policies),
        "patients": chart.patients.height,
        "rejected": chart.rejected.height,
    }


make_callable(__name__)
