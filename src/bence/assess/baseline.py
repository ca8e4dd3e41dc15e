"""The values that staging and diagnosis rest on: of every code the one nearest to diagnosis.

Nearest to the diagnosis, else to the first anti-myeloma treatment, else the earliest; within 90 days before and 14 days
after, never after the first dose. Later cytogenetics are findings of relapse and do not stage.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ..chart import Chart
from .intake import NEVER, Observations, days, place_of

BEFORE, AFTER = 90, 14  # days around the diagnosis
DIAGNOSES = ("mm_diagnosis", "smm_diagnosis", "mgus_diagnosis")  # the first one recorded is the diagnosis staged
MARROW = "marrow_plasma_cells"


def diagnosis_day(chart: Chart, ids: pl.Series, what: tuple[str, ...] = DIAGNOSES) -> np.ndarray:
    """Day of the diagnosis of every patient (the first day of the most advanced one recorded), NEVER where none is."""
    found = np.full(len(ids), NEVER, np.int64)
    events = chart.events.filter(pl.col("what").is_in(what) & pl.col("on").is_not_null() & pl.col("text").ne_missing("none"))
    for name in reversed(what):
        rows = events.filter(pl.col("what") == name)
        day = np.full(len(ids), NEVER, np.int64)
        np.minimum.at(day, rows.select(place_of(ids)).to_series().to_numpy(), days(rows["on"]))
        found = np.where(day < NEVER, day, found)
    return found


def anchor_day(observations: Observations, diagnosed: np.ndarray, first_dose: np.ndarray) -> np.ndarray:
    """The day the baseline is looked for around: diagnosis, else first dose, else first observation."""
    start = observations.offsets[:-1]
    earliest = np.full(start.size, NEVER, np.int64)
    seen = np.diff(observations.offsets) > 0
    earliest[seen] = observations.day[start[seen]]
    return np.where(diagnosed < NEVER, diagnosed, np.where(first_dose < NEVER, first_dose, earliest))


def baseline_rows(observations: Observations, anchor: np.ndarray, first_dose: np.ndarray) -> pl.DataFrame:
    """One row a patient and code: `place`, `code`, `day`, `value`, `bound`, `label`, and `conflict` of that day.

    On the chosen day the row recorded last stands; if rows still differ, the lower value. Marrow by aspirate and by
    biopsy are two values, of which the higher counts.
    """
    start = observations.rows_from(anchor - BEFORE)
    count = np.maximum(observations.rows_from(np.minimum(anchor + AFTER, first_dose) + 1) - start, 0)
    patient = np.repeat(np.arange(count.size, dtype=np.int32), count)
    rows = np.repeat(start - np.cumsum(count) + count, count) + np.arange(patient.size)
    says = ~observations.spurious[rows] & (~np.isnan(observations.value[rows]) | (observations.label[rows] >= 0))
    rows, patient = rows[says], patient[says]
    far = observations.day[rows] - anchor[patient]
    frame = pl.DataFrame(
        {
            "place": patient,
            "code": observations.code[rows],
            "day": observations.day[rows],
            "value": observations.value[rows],
            "bound": observations.bound[rows],
            "label": observations.label[rows],
            "recorded": observations.recorded[rows],
            "method": observations.method[rows],
            "far": 2 * np.abs(far) + (far > 0),
        }
    )
    marrow = observations.codes.index(MARROW)
    own = ["place", "code", "method"]
    key = ["place", "code"]
    return (
        frame.with_columns(method=pl.when(pl.col("code") == marrow).then("method").otherwise(0))
        .filter(pl.col("far") == pl.col("far").min().over(key))  # of two equally near the earlier
        .filter(pl.col("recorded") == pl.col("recorded").max().over(own))
        .sort(*own, "value", "bound", "label")
        .group_by(own, maintain_order=True)
        .agg(
            pl.col("day", "value", "bound", "label").first(),
            conflict=(pl.struct("value", "bound", "label").n_unique() > 1),
        )
        .sort(*key, "value", descending=[False, False, True])
        .group_by(key, maintain_order=True)
        .agg(pl.col("day", "value", "bound", "label", "conflict").first())
    )
