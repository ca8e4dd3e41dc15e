"""Treatments of a cohort in columns, and the lines of therapy they make up.

A line is derived from what was given and when (`line_scan`). Where every anti-myeloma drug of a patient has a recorded
line, the record drives the response (policy `lines`); the derived line is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import codes_of
from ..chart import Chart
from . import line_scan as scan
from .compiled import line_scan_for, owned
from .intake import NEVER, dates, days, place_of
from .line_scan import ACTIVE, IMMUNOGLOBULIN, OTHER, STEROID
from .regimens import joined_drugs, regimen_names
from .response_scan import Lines, Treatments

KIND = {"steroid": STEROID, "supportive": OTHER, "radiotherapy": OTHER}
ANTIBODIES = ("daratumumab", "isatuximab", "elotuzumab")
BEFORE_THE_LINE = ("bridging", "lymphodepletion")  # phases that never open a line
PLANNED_PHASES = ("transplant", "consolidation", "maintenance")  # parts of a sequence laid down at its start
UNPLANNED_STOPS = ("toxicity", "choice", "other")
PROGRESSIONS = ("progression", "relapse_clinical")  # events after which another treatment is another line
ROLES_BY_CLASS = {
    "CD38_antibody": scan.OF_RELAPSE, "SLAMF7_antibody": scan.OF_RELAPSE, "ADC": scan.OF_RELAPSE, "bispecific": scan.OF_RELAPSE,
    "CELMoD": scan.OF_RELAPSE, "BCL2": scan.OF_RELAPSE, "XPO1": scan.OF_RELAPSE, "HDAC": scan.OF_RELAPSE,
    "CAR_T": scan.OF_RELAPSE | scan.CAR_T, "anthracycline": scan.CONDITIONS, "transplant": scan.TRANSPLANT,
    "radiotherapy": scan.RADIOTHERAPY,
}  # fmt: skip
ROLES = {
    "pomalidomide": scan.OF_RELAPSE, "melflufen": scan.OF_RELAPSE, "bendamustine": scan.OF_RELAPSE | scan.LYMPHODEPLETES,
    "bortezomib": scan.MAINTAINS | scan.FIRST_INHIBITOR, "carfilzomib": scan.LATER_INHIBITOR,
    "lenalidomide": scan.MAINTAINS, "ixazomib": scan.MAINTAINS, "thalidomide": scan.MAINTAINS, "interferon": scan.MAINTAINS,
    "melphalan": scan.CONDITIONS | scan.HIGH_DOSE, "cyclophosphamide": scan.CONDITIONS | scan.LYMPHODEPLETES,
    "fludarabine": scan.CONDITIONS | scan.LYMPHODEPLETES, "busulfan": scan.CONDITIONS,
    "carmustine": scan.CONDITIONS, "etoposide": scan.CONDITIONS,
    "cisplatin": scan.CONDITIONS, "cytarabine": scan.CONDITIONS, "other_antimyeloma": scan.CONDITIONS, "apheresis": scan.APHERESIS,
}  # fmt: skip
BOUNDARIES = (
    "", "first_treatment", "unplanned_change", "new_drug_after_progression", "replaced_after_stop", "second_transplant",
    "restart_after_pause", "drug_of_relapse", "inhibitor_replaced", "new_drug", "drug_resumed", "steroid", "radiotherapy",
)  # fmt: skip
LOOKED_AT = ("place", "line", "row", "started_on", "stopped_on", "what", "kind", "role", "rule", "recorded_drives")
STATED = ("recorded", "first_treatment", "unplanned_change", "new_drug_after_progression", "replaced_after_stop")
"""Boundaries that something recorded tells; the others are inferred from dates and drugs."""


def treatment_rows(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """Treatment rows with a start, sorted by patient and start, with what the scans need to know of each."""
    drugs = codes_of("drug", "procedure")
    kinds = {name: KIND.get(code.drug_class, ACTIVE) for name, code in drugs.items()}
    kinds |= {"immunoglobulin": IMMUNOGLOBULIN, "donor_lymphocytes": OTHER}
    roles = {name: ROLES_BY_CLASS.get(code.drug_class, 0) | ROLES.get(name, 0) for name, code in drugs.items()}
    roles["total_body_irradiation"] = 0  # conditioning, not radiotherapy of the myeloma
    rows = (
        chart.scan("treatments")
        .select("patient", "started_on", "stopped_on", "what", "phase", "line", "planned", "stop_reason")
        .with_row_index("row")
        .filter(pl.col("started_on").is_not_null() & pl.col("what").is_not_null())
        .collect()
        .with_columns(
            place=place_of(ids),
            drug=pl.col("what").replace_strict({name: i for i, name in enumerate(drugs)}, default=len(drugs)),
            kind=pl.col("what").replace_strict(kinds, default=OTHER, return_dtype=pl.Int64),
            role=pl.col("what").replace_strict(roles, default=0, return_dtype=pl.Int64)
            | pl.when(pl.col("phase").is_in(BEFORE_THE_LINE)).then(scan.WAITS).otherwise(0),
            planned=pl.coalesce(pl.col("planned").cast(pl.Int64), pl.when(pl.col("phase").is_in(PLANNED_PHASES)).then(1), pl.lit(-1)),
            unplanned_stop=pl.col("stop_reason").is_in(UNPLANNED_STOPS).fill_null(False),
            antibody=pl.col("what").is_in(ANTIBODIES),
            recorded=pl.col("line").fill_null(0).cast(pl.Int64),
        )
    )
    waits = pl.col("role") & scan.WAITS != 0
    return rows.with_columns(kind=pl.when(waits).then(OTHER).otherwise("kind")).sort("place", "started_on", "drug", "row")


def with_lines(rows: pl.DataFrame, progressed: pl.DataFrame, patients: int, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Treatment rows with `derived` (the derived line), `rule` (by which it began there) and `line`, the one that is used.

    `progressed`: `place` and `day` (from 1970-01-01) on which a progression became known.
    """
    n = rows.height
    offsets = _offsets(rows["place"], patients)
    known = pl.concat([progressed.select(pl.col("place", "day").cast(pl.Int64)), stopped_for_progression(rows)]).sort("place", "day")
    drugs = scan.Drugs(
        days(rows["started_on"]), days(rows["stopped_on"]), rows["kind"].to_numpy(), rows["drug"].cast(pl.Int64).to_numpy(),
        rows["role"].to_numpy(), rows["planned"].to_numpy(), rows["unplanned_stop"].to_numpy(),
    )  # fmt: skip
    most = int(np.diff(offsets).max(initial=0))
    room = scan.LineRoom(np.empty(int(rows["drug"].max() or 0) + 1, np.int64), np.empty(most, np.int64))  # type: ignore[arg-type]
    line, rule = np.zeros(n, np.int64), np.zeros(n, np.int64)
    arguments = (
        offsets, drugs, _offsets(known["place"], patients), known["day"].to_numpy(), line_policy(policies), room, line, rule,
        np.arange(patients),
    )  # fmt: skip
    line_scan_for(n)(*map(owned, arguments))
    table = rows.with_columns(derived=pl.Series(line), rule=pl.Series(rule), recorded_drives=recorded_drives(policies))
    return table.with_columns(
        line=pl.when("recorded_drives").then("recorded").otherwise("derived"),
        kind=pl.when(pl.col("rule") == scan.WAITED).then(OTHER).when(pl.col("rule") == scan.IRRADIATION).then(ACTIVE).otherwise("kind"),
    )


def recorded_drives(policies: Mapping[str, Any]) -> pl.Expr:
    """Whether the recorded lines of a patient are used: every anti-myeloma drug has one (policy `lines`)."""
    told = (pl.col("recorded") > 0) | (pl.col("kind") != ACTIVE) | (pl.col("role") & scan.TRANSPLANT != 0)
    complete = told.all().over("place") & ((pl.col("recorded") > 0) & (pl.col("kind") <= ACTIVE)).any().over("place")
    return pl.lit(False) if policies["lines"] == "derived" else complete


def line_policy(policies: Mapping[str, Any]) -> scan.LinePolicy:
    """Named policies as the numbers of the scan."""
    kinds = scan.LinePolicy.__annotations__
    return scan.LinePolicy(**{name: kinds[name](policies[f"lines_{name}"]) for name in scan.LinePolicy._fields})


def stopped_for_progression(rows: pl.DataFrame) -> pl.DataFrame:
    """`place` and `day` of drugs that were stopped for progression."""
    stopped = rows.filter((pl.col("stop_reason") == "progression") & pl.col("stopped_on").is_not_null())
    return stopped.select("place", day=pl.col("stopped_on").to_physical().cast(pl.Int64))


def progression_events(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """Recorded events of progression: `place` and `day`."""
    events = chart.scan("events").filter(
        pl.col("what").is_in(PROGRESSIONS) & pl.col("on").is_not_null() & pl.col("text").ne_missing("none")
    )
    return events.select(place=place_of(ids), day=pl.col("on").to_physical().cast(pl.Int64)).collect()


def _offsets(place: pl.Series, patients: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(place.to_numpy(), minlength=patients))])


def scan_columns(rows: pl.DataFrame, patients: int) -> tuple[np.ndarray, Treatments]:
    """Offsets of the patients in the treatment rows, and their columns for the response scan."""
    return _offsets(rows["place"], patients), Treatments(
        days(rows["started_on"]), days(rows["stopped_on"]), rows["kind"].to_numpy(), rows["drug"].cast(pl.Int64).to_numpy(),
        rows["line"].cast(pl.Int64).to_numpy(), rows["antibody"].to_numpy(),
    )  # fmt: skip


def line_frame(ids: pl.Series, places: np.ndarray, lines: Lines, rows: pl.DataFrame) -> pl.DataFrame:
    """One row a line: when, what was given, and by what it began."""
    frame = pl.DataFrame({"place": places, "line": lines.line, "started_on": dates(lines.start), "_end": dates(lines.end)}).cast(
        {"place": pl.Int64, "line": pl.Int64}
    )
    given = _given_in_lines(rows)
    summary = given.group_by("place", "line", maintain_order=True).agg(
        stopped_on=pl.when(pl.col("stopped_on").is_null().any()).then(None).otherwise(pl.col("stopped_on").max()),
        rule=pl.col("rule").filter(pl.col("rule").is_between(1, scan.WAITED - 1)).first(),
        recorded_drives=pl.col("recorded_drives").first(),
    )
    boundary = pl.col("rule").replace_strict(dict(enumerate(BOUNDARIES)), default=None, return_dtype=pl.String)
    return (
        frame.join(summary, on=["place", "line"], how="left", maintain_order="left")
        .join(joined_drugs(given), on=["place", "line"], how="left", maintain_order="left")
        .with_columns(
            patient=ids.gather(places),
            boundary=pl.when("recorded_drives").then(pl.lit("recorded")).otherwise(boundary),
            stopped_on=pl.min_horizontal("stopped_on", "_end"),
        )
        .select("patient", pl.col("line").cast(pl.Int32), "started_on", "stopped_on", "drugs", "boundary")
    )


def with_regimens(lines: pl.DataFrame, ids: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """The lines (`line_frame`) with the name of their `regimen`, before `drugs`."""
    names = regimen_names(_given_in_lines(rows)).cast({"line": pl.Int32})
    place = lines.select("line", place=place_of(ids))
    regimen = place.join(names, on=["place", "line"], how="left", maintain_order="left")["regimen"]
    return lines.clone().insert_column(lines.columns.index("drugs"), regimen)


def _given_in_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """The treatment rows that belong to a line, with what is looked at, by patient and start."""
    of_a_line = (pl.col("kind") <= ACTIVE) | (pl.col("role") & (scan.WAITS | scan.APHERESIS) == scan.WAITS)
    return rows.filter(of_a_line).select(LOOKED_AT).sort("place", "started_on", "row")


def treatment_table(chart: Chart, rows: pl.DataFrame) -> pl.DataFrame:
    """The line every treatment row belongs to: derived, as recorded, and at the first drugs of a line what opened it."""
    boundary = pl.col("rule").replace_strict(dict(enumerate(BOUNDARIES)), default=None, return_dtype=pl.String).replace("", None)
    derived = rows.select("row", line=pl.col("derived").cast(pl.Int32), boundary=boundary)
    given = chart.scan("treatments").select("patient", "source", "what", "started_on", line_recorded="line")
    return (
        given.with_row_index("row")
        .collect()
        .join(derived, on="row", how="left")
        .select("patient", "source", "what", "started_on", "line", "line_recorded", "boundary")
        .sort("patient", "started_on", "what", "source")
    )


def lines_differ(rows: pl.DataFrame) -> pl.Series:
    """The places of the patients in whom a drug has another line by its date than by the record."""
    other = (pl.col("kind") == ACTIVE) & (pl.col("recorded") > 0) & (pl.col("recorded") != pl.col("derived"))
    return rows.filter(other)["place"].unique().sort()


def first_dose(rows: pl.DataFrame, patients: int) -> np.ndarray:
    """Day of the first anti-myeloma treatment of every patient, NEVER where there is none."""
    first = np.full(patients, NEVER, np.int64)
    for kind in (STEROID, ACTIVE):  # a drug other than a steroid decides where there is one
        given = rows.filter(pl.col("kind") == kind)
        start = np.full(patients, NEVER, np.int64)
        np.minimum.at(start, given["place"].to_numpy(), days(given["started_on"]))
        first = np.where(start < NEVER, start, first)
    return first
