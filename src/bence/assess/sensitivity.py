"""How much the lines of a cohort hang on what was chosen to derive them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from ..chart import Chart
from .intake import take_in
from .lines import progression_events, treatment_rows, treatment_table
from .policies import Value, settle
from .response import Cohort, respond

OTHER_VALUES: dict[str, tuple[Value, ...]] = {
    "lines_window": (180.0, 270.0, 730.0),
    "lines_early": (14.0, 42.0, 60.0),
    "lines_switch": (60.0, 120.0, 180.0),
    "lines_gap": (90.0, 180.0, 365.0),
    "lines_resumed": (90.0, 365.0),
    "lines_tandem": (120.0, 240.0, 365.0),
    "lines_steroids": (True, False),
    "lines_radiotherapy": (True, False),
}
"""Other values of each policy that a reasonable reader might choose."""
ROW = ("patient", "started_on", "what", "source", "line")


def line_sensitivity(chart: Chart, **policies: Any) -> pl.DataFrame:
    """For each policy of lines and other sensible values of it: whose derived lines change.

    `policies`: what the other values are compared with (default: the defaults of `bence.assess.policies`). One row a policy and
    value: `policy`, `value`, `default` (the value it is compared with), `patients_changed`, `rows_changed` (treatment rows with
    another derived line), `patients` (with a treatment that has a start). For every row the lines of the whole chart are derived anew.
    UsageError for an unknown policy or value.
    """
    settled, lines = settle(policies), _lines(chart)
    base = lines(policies)
    rows = [
        {"policy": name, "value": _said(value), "default": _said(settled[name]), **_changes(base, lines({**policies, name: value}))}
        for name, values in OTHER_VALUES.items()
        for value in values
        if value != settled[name]
    ]
    patients = base.filter(pl.col("line").is_not_null())["patient"].n_unique()
    return pl.DataFrame(rows).with_columns(patients=pl.lit(patients, dtype=pl.Int64))


def _lines(chart: Chart) -> Callable[[dict[str, Any]], pl.DataFrame]:
    """What gives the derived line of every treatment row, in an order that does not hang on the rows, under some policies."""
    observations, people = take_in(chart), chart.patients.sort("patient")
    rows, events = (of(chart, observations.patients) for of in (treatment_rows, progression_events))

    def lines(policies: dict[str, Any]) -> pl.DataFrame:
        drugs = respond(Cohort(observations, people, settle(policies)), rows, events)[2]
        return treatment_table(chart, drugs).select(ROW).sort(ROW)

    return lines


def _changes(base: pl.DataFrame, other: pl.DataFrame) -> dict[str, int]:
    changed = base.filter(base["line"].ne_missing(other["line"]))
    return {"patients_changed": changed["patient"].n_unique(), "rows_changed": changed.height}


def _said(value: Value) -> str:
    """A value as it is written on the command line."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
