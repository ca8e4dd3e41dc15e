"""A virtual trial: a cohort through a protocol, its records as a chart, judged by the rules that judge real patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ..assess import assess
from ..assess.findings import Findings
from ..chart import Chart
from ..errors import UsageError
from .course import run
from .courses import Courses
from .investigator import MEASURABLE_FLC, MEASURABLE_M
from .model import Model
from .people import People, draw_people
from .position import ALLOCATED_TOGETHER, BATCH
from .protocols import Protocol
from .records import records
from .visits import visits

LEVELS = ("PR", "VGPR", "CR", "sCR")
JUDGED: dict[str, type[pl.DataType]] = {
    "patient": pl.String, "arm": pl.String, "response": pl.Int64, "mrd_1e5": pl.Boolean, "mrd_1e6": pl.Boolean, "pfs_days": pl.Float64,
    "pfs_event": pl.Boolean, "os_days": pl.Float64, "os_event": pl.Boolean, "crs": pl.Int64, "icans": pl.Int64, "infection": pl.Int64,
}  # fmt: skip
"""One row a patient: best response in the line of the trial (0 none, 1 PR to 4 sCR), MRD below a threshold before progression, times from
the day the arm was assigned, worst grades (0: none was recorded)."""


@dataclass(frozen=True)
class Trial:
    """A virtual trial: `patients` has a row a patient (`JUDGED`); chart, findings and courses are there where it was one batch."""

    protocol: Protocol
    seed: int
    patients: pl.DataFrame
    courses: Courses | None = None
    chart: Chart | None = None
    findings: Findings | None = None


def run_trial(protocol: Protocol, patients: int | None = None, seed: int = 1, *, model: Model | None = None) -> Trial:
    """Run a protocol in so many people (None: as many as the trial had), the first ones of the population who may enter.

    `model`: other typical values than those of the text. More than a batch (5,000 drawn) are streamed: their trajectories and charts
    are not kept. UsageError for no patients.
    """
    number = protocol.patients if patients is None else patients
    if number < 1:
        raise UsageError(f"{number} patients", expected="at least one")
    done = []
    for people in enrolled(protocol, number, seed, model):
        courses = run(people, protocol, seed)
        chart = records(courses)
        findings = assess(chart)
        trial = Trial(protocol, seed, judged(courses, counted(protocol, findings)), courses, chart, findings)
        done.append(trial if number <= BATCH else Trial(protocol, seed, trial.patients))
    if len(done) == 1:
        return done[0]
    return Trial(protocol, seed, pl.concat([each.patients for each in done]))


def enrolled(protocol: Protocol, number: int, seed: int, model: Model | None = None, *, first: int = 0) -> Iterator[People]:
    """People of the protocol's population who may enter, from number `first` on, batch by batch, until there are so many.

    Where a protocol asks for measurable disease: serum M-protein of 10 g/L, or 100 mg/L of the involved light chain.
    """
    missing = number
    while missing > 0:
        size = BATCH if number > BATCH else -(-number // ALLOCATED_TOGETHER) * ALLOCATED_TOGETHER
        people = draw_people(protocol.population, size, seed, first=first, model=model)
        may = people.table.select((pl.col("m_protein") >= MEASURABLE_M) | (pl.col("involved_flc") >= MEASURABLE_FLC)).to_series().to_numpy()
        rows = np.flatnonzero(may | (not protocol.measurable))[:missing]
        yield replace(people, table=people.table[rows], parameters=people.parameters[:, rows])
        first, missing = first + size, missing - rows.size


def judged(courses: Courses, findings: Findings) -> pl.DataFrame:
    """The endpoints of every patient, from the findings (`counted`) of the chart; `JUDGED` says what they are."""
    plan = visits(courses)
    table = pl.DataFrame({
        "patient": plan.ids, "arm": courses.arm, "entry": plan.entry, "since": plan.entry + np.nan_to_num(courses.arm_on),
        "over": plan.entry + courses.last_on, "os_event": ~np.isnan(courses.died_on),
    }).with_columns(pl.col("arm").replace("", None))  # fmt: skip
    table = table.join(_progression(courses, findings, table), on="patient", how="left", maintain_order="left")
    table = table.with_columns(end=pl.col("end").fill_null(pl.col("over")), pfs_event=pl.col("pfs_event").fill_null(pl.col("os_event")))
    for part in (_mrd(findings, table), _toxicity(findings, table)):
        table = table.join(part, on="patient", how="left", maintain_order="left")
    return table.with_columns(
        pl.col("response", "crs", "icans", "infection").fill_null(0), pl.col("mrd_1e5", "mrd_1e6").fill_null(False),
        pfs_days=(pl.col("end") - pl.col("since")).clip(0), os_days=(pl.col("over") - pl.col("since")).clip(0),
    ).select(pl.col(name).cast(kind) for name, kind in JUDGED.items())  # fmt: skip


def counted(protocol: Protocol, findings: Findings) -> Findings:
    """The findings by which a trial counts: where cells are waited for, the line begins with what bridges to them."""
    bridged = any(step.phase == "bridging" for step in protocol.steps)
    return assess(_from_entry(findings.basis.known)) if bridged else findings


def _from_entry(chart: Chart) -> Chart:
    """The chart with bridging as treatment, so that the line of the trial begins at entry and not with the cells it waits for."""
    treatments = chart.treatments.filter(pl.col("what") != "apheresis")
    waiting = pl.col("phase").is_in(["bridging", "lymphodepletion"])
    return Chart(
        chart.patients, chart.observations, treatments.with_columns(phase=pl.when(~waiting).then("phase").otherwise(pl.lit("treatment"))),
        chart.events,
    )  # fmt: skip


def _progression(courses: Courses, findings: Findings, table: pl.DataFrame) -> pl.DataFrame:
    """Best response and the end of PFS (days since 1970) of the first line that began in the trial.

    Where the event is active myeloma: its diagnosis, and no response of a line that began after it.
    """
    lines = findings.lines.join(table.select("patient", "entry"), on="patient").filter(_number("started_on") >= pl.col("entry"))
    level = pl.col("best_response").cast(pl.String).replace_strict({name: i for i, name in enumerate(LEVELS, 1)}, default=0)
    end = (_number("origin_on") + pl.col("pfs_days")).alias("end")
    first = lines.sort("line").unique("patient", keep="first", maintain_order=True).select(
        "patient", end, "pfs_event", response=level, started=_number("started_on")
    )  # fmt: skip
    if courses.protocol.progression != "active":
        return first
    diagnosed = findings.basis.known.events.filter(pl.col("what") == "mm_diagnosis")
    active = diagnosed.select("patient", end=_number("on"), pfs_event=pl.lit(True))
    both = table.select("patient").join(first.drop("end", "pfs_event"), on="patient", how="left").join(active, on="patient", how="left")
    return both.with_columns(response=pl.when((pl.col("started") < pl.col("end")).fill_null(True)).then("response"))


def _mrd(findings: Findings, table: pl.DataFrame) -> pl.DataFrame:
    """Was a sample negative at 1e-5 and 1e-6, from the assignment of the arm to progression?"""
    own = findings.mrd.join(table.select("patient", "since", "end"), on="patient")
    counted = own.filter(_number("on").is_between("since", "end"))
    claims = {f"mrd_{name}": (pl.col(f"claim_{name}").cast(pl.String) == "negative").any() for name in ("1e5", "1e6")}
    return counted.group_by("patient").agg(**claims)


def _toxicity(findings: Findings, table: pl.DataFrame) -> pl.DataFrame:
    """The worst grade of CRS, ICANS and infection since the arm was assigned."""
    own = findings.toxicity.join(table.select("patient", "since"), on="patient").filter(_number("started_on") >= pl.col("since"))
    return own.group_by("patient").agg(**{
        kind: pl.col("worst_grade").filter(pl.col("kind") == kind).max() for kind in ("crs", "icans", "infection")
    })  # fmt: skip


def _number(day: str) -> pl.Expr:
    """A date as days since 1970."""
    return pl.col(day).cast(pl.Date).cast(pl.Int32)
