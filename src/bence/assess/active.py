"""Whom a stage speaks of: stages and genetic risk are those of myeloma that is, or may be, active.

Of MGUS and smouldering myeloma they are worked out as of everybody else, and not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

ACTIVE = ("MM", "PCL")


def may_be(*diagnoses: str) -> pl.Expr:
    """Rows of the status of patients who have, or may have, one of these diagnoses."""
    possible = pl.col("diagnosis_possible").cast(pl.String).str.split("|").list.set_intersection(list(diagnoses)).list.len() > 0
    return pl.col("diagnosis").cast(pl.String).is_in(diagnoses) | (pl.col("diagnosis").is_null() & possible.fill_null(True))


def may_be_active(status: Mapping[str, Any]) -> bool:
    """Whether the disease of one row of the status is, or may be, active myeloma or plasma cell leukaemia."""
    given, possible = status["diagnosis"], status["diagnosis_possible"]
    return given in ACTIVE if given is not None else possible is None or not set(ACTIVE).isdisjoint(possible.split("|"))
