"""Endpoints of a virtual trial with their intervals, arm by arm, beside what the trial it is like published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from ..assess.survival import kaplan_meier
from ..evidence.measures import share
from ..evidence.outcomes import measure_said, outcomes, said
from .course import MONTH
from .protocols import Protocol

ENDPOINTS: dict[str, type[pl.DataType]] = {
    "arm": pl.String, "measure": pl.String, "threshold": pl.Float64, "at_months": pl.Float64, "patients": pl.Int64, "events": pl.Int64,
    "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "unit": pl.String, "interval": pl.String,
}  # fmt: skip
SHARES: tuple[tuple[str, float | None, pl.Expr], ...] = (
    ("orr", None, pl.col("response") >= 1),
    ("vgpr_or_better", None, pl.col("response") >= 2),
    ("cr_or_better", None, pl.col("response") >= 3),
    ("mrd_negative", 1e-5, pl.col("mrd_1e5")),
    ("mrd_negative", 1e-6, pl.col("mrd_1e6")),
    ("crs", None, pl.col("crs") >= 1),
    ("crs_3", None, pl.col("crs") >= 3),
    ("icans", None, pl.col("icans") >= 1),
    ("infection_3", None, pl.col("infection") >= 3),
)
MONTHS = (6, 12, 18, 24, 30, 36, 48, 60)
MOST_AHEAD = 0.5  # months: a rate is given up to the end of follow-up, which is a whole number of visits


def endpoints(patients: pl.DataFrame, protocol: Protocol) -> pl.DataFrame:
    """One row an arm and endpoint (`ENDPOINTS`), from a table of patients (`trial.JUDGED`). Shares are of all who were assigned the arm."""
    rows = [row for arm in protocol.arms for row in _arm(arm, patients.filter(pl.col("arm") == arm), protocol.months)]
    return pl.DataFrame(rows, schema=ENDPOINTS)


def _arm(arm: str, people: pl.DataFrame, months: float) -> Iterator[dict[str, Any]]:
    if people.is_empty():
        return
    about = {"arm": arm, "patients": people.height}
    for measure, threshold, holds in SHARES:
        events = int(people.select(holds.sum()).item())
        found = share(events, people.height)
        told = {"value": 100 * found.value, "low": 100 * found.low, "high": 100 * found.high}
        yield about | told | {"measure": measure, "threshold": threshold, "events": events, "unit": "%", "interval": found.method}
    for name in ("pfs", "os"):
        curve = kaplan_meier(people[f"{name}_days"].to_numpy(), people[f"{name}_event"].to_numpy())
        about |= {"events": curve.events, "interval": "log-log"}
        for month in (month for month in MONTHS if month <= months + MOST_AHEAD):
            value, low, high = curve.band_at(month * MONTH)
            told = {"value": 100 * value, "low": 100 * low, "high": 100 * high, "unit": "%"}
            yield about | told | {"measure": f"{name}_rate", "at_months": month}
        median = [None if day is None else day / MONTH for day in (curve.median, curve.median_low, curve.median_high)]
        yield about | {"measure": f"median_{name}", "unit": "months"} | dict(zip(("value", "low", "high"), median, strict=True))


WORDS = {
    "en": ("arm", "endpoint", "patients", "virtual, 95 % interval", "published"),
    "zh": ("组", "终点", "例数", "虚拟患者（95%区间）", "已发表"),
}
AT = {"en": "{} at {:g} months", "zh": "{:g}个月{}"}
UNIT = {"en": {"%": " %", "months": " months"}, "zh": {"%": "%", "months": "个月"}}
NOT_REACHED = {"en": "not reached", "zh": "未达到"}


def told(table: pl.DataFrame, protocol: Protocol, lang: str = "en") -> pl.DataFrame:
    """Endpoints in words: arm, endpoint, patients, value with its interval, and the first result that the trial published of the same."""
    rows = [
        (row["arm"], _named(row, lang), row["patients"], _valued(row, lang), _published(row, protocol, lang))
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(WORDS[lang], pl.String), orient="row", strict=False)


def _named(row: dict[str, Any], lang: str) -> str:
    name = measure_said(row["measure"], lang)
    if row["threshold"] is not None:
        name += f" <{row['threshold']:.0e}".replace("e-0", "e-")
    if row["at_months"] is not None:
        return AT["en"].format(name, row["at_months"]) if lang == "en" else AT["zh"].format(row["at_months"], name)
    return name


def _valued(row: dict[str, Any], lang: str) -> str:
    if row["value"] is None:
        return NOT_REACHED[lang]
    ends = (NOT_REACHED[lang] if end is None else f"{end:.1f}" for end in (row["low"], row["high"]))
    return f"{row['value']:.1f}{UNIT[lang][row['unit']]} ({'–'.join(ends)})"


def _published(row: dict[str, Any], protocol: Protocol, lang: str) -> str | None:
    same = (pl.col("trial") == protocol.trial) & (pl.col("arm") == row["arm"]) & (pl.col("measure") == row["measure"])
    for name in ("threshold", "at_months"):
        same &= pl.col(name).eq_missing(row[name])
    found = outcomes().filter(same)
    return said(found.row(0, named=True), lang) if found.height else None
