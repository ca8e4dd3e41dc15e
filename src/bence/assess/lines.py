"""Treatments of a cohort in columns, and the lines of therapy they make up.

For now a line is the recorded one; where a patient has none recorded, the response scan opens a new line with the first
new non-steroid drug after a confirmed progression.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ..catalogue import codes_of
from ..chart import Chart
from .intake import NEVER, dates, days
from .response_scan import ACTIVE, IMMUNOGLOBULIN, OTHER, STEROID, Lines, Treatments

KIND = {"steroid": STEROID, "supportive": OTHER, "radiotherapy": OTHER}
ANTIBODIES = ("daratumumab", "isatuximab", "elotuzumab")
BEFORE_THE_LINE = ("bridging", "lymphodepletion")  # phases that never open a line


def treatment_rows(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """Treatment rows with a start, sorted by patient and start, with what the scan needs to know of each."""
    drugs = codes_of("drug", "procedure")
    kinds = {name: KIND.get(code.drug_class, ACTIVE) for name, code in drugs.items()}
    kinds["immunoglobulin"] = IMMUNOGLOBULIN
    rows = (
        chart.treatments.with_row_index("row")
        .filter(pl.col("started_on").is_not_null() & pl.col("what").is_not_null())
        .with_columns(
            place=pl.col("patient").cast(pl.Enum(ids)).to_physical().cast(pl.Int64),
            drug=pl.col("what").replace_strict({name: i for i, name in enumerate(drugs)}, default=-1),
            kind=pl.col("what").replace_strict(kinds, default=OTHER, return_dtype=pl.Int64),
            antibody=pl.col("what").is_in(ANTIBODIES),
            recorded=pl.col("line").fill_null(0),
        )
    )
    dose = pl.col("kind") <= ACTIVE
    opens = dose & pl.col("phase").is_in(BEFORE_THE_LINE).fill_null(False).not_()
    return rows.with_columns(
        kind=pl.when(dose & ~opens & opens.any().over("place", "recorded")).then(OTHER).otherwise(pl.col("kind"))
    ).sort("place", "started_on", "drug", "row")


def scan_columns(rows: pl.DataFrame, patients: int) -> tuple[np.ndarray, Treatments]:
    """Offsets of the patients in the treatment rows, and their columns for the scan."""
    counts = np.bincount(rows["place"].to_numpy(), minlength=patients)
    return np.concatenate([[0], np.cumsum(counts)]), Treatments(
        days(rows["started_on"]), days(rows["stopped_on"]), rows["kind"].to_numpy(), rows["drug"].cast(pl.Int64).to_numpy(),
        rows["recorded"].cast(pl.Int64).to_numpy(), rows["antibody"].to_numpy(),
    )  # fmt: skip


def line_frame(ids: pl.Series, places: np.ndarray, lines: Lines, rows: pl.DataFrame) -> pl.DataFrame:
    """One row a line: when, what was given, and by what it began."""
    frame = pl.DataFrame(
        {"place": places, "line": lines.line, "started_on": dates(lines.start), "_end": dates(lines.end)}
    )
    frame = frame.cast({"place": pl.Int64, "line": pl.Int32})
    starts = frame.select("place", "started_on", derived="line").sort("started_on")
    given = rows.filter(pl.col("kind") <= ACTIVE).sort("started_on")
    given = given.join_asof(starts, on="started_on", by="place", check_sortedness=False).sort(
        "place", "started_on", "row"
    )
    own = pl.when(pl.col("recorded") > 0).then("recorded").otherwise("derived").cast(pl.Int32)
    summary = given.group_by("place", own.alias("line"), maintain_order=True).agg(
        drugs=pl.col("what").unique(maintain_order=True).str.join("+"),
        stopped_on=pl.when(pl.col("stopped_on").is_null().any()).then(None).otherwise(pl.col("stopped_on").max()),
        was_recorded=(pl.col("recorded") > 0).any(),
    )
    return (
        frame.join(summary, on=["place", "line"], how="left", maintain_order="left")
        .with_columns(
            patient=ids.gather(places),
            boundary=pl.when("was_recorded")
            .then(pl.lit("recorded"))
            .when(pl.col("line") == 1)
            .then(pl.lit("first_treatment"))
            .otherwise(pl.lit("new_drug_after_progression")),
            stopped_on=pl.min_horizontal("stopped_on", "_end"),
        )
        .select("patient", "line", "started_on", "stopped_on", "drugs", "boundary")
    )


def first_dose(rows: pl.DataFrame, patients: int) -> np.ndarray:
    """Day of the first anti-myeloma treatment of every patient, NEVER where there is none."""
    first = np.full(patients, NEVER, np.int64)
    for kind in (STEROID, ACTIVE):  # a drug other than a steroid decides where there is one
        given = rows.filter(pl.col("kind") == kind)
        start = np.full(patients, NEVER, np.int64)
        np.minimum.at(start, given["place"].to_numpy(), days(given["started_on"]))
        first = np.where(start < NEVER, start, first)
    return first
