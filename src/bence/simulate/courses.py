"""What became of a virtual cohort: trajectories, what was given, what happened. Written by `course`, read by `records` and the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .people import People
from .protocols import Protocol

Floats = NDArray[np.float64]

GIVEN = {
    "place": pl.Int64, "arm": pl.String, "step": pl.String, "regimen": pl.String, "drug": pl.String, "phase": pl.String, "line": pl.Int64,
    "started": pl.Int64, "stopped": pl.Int64, "reason": pl.String,
}  # fmt: skip
EVENTS = {"place": pl.Int64, "day": pl.Int64, "what": pl.String, "text": pl.String, "grade": pl.Int64}
MRD = {"place": pl.Int64, "day": pl.Int64, "cells": pl.Float64, "found": pl.Int64}


@dataclass
class Courses:
    """Courses of the people of one protocol; `place` is a person's row in `people`. Days count from enrolment.

    `states[time, state, patient]` at `days[time]`, NaN after the last day a patient was followed; `kept` names the states. `peaks` (the
    highest value since the time before) has the states of `peaked`. `given`: one row a drug and step, `stopped` null where it goes on,
    `reason` a stop reason of the chart. `events`: randomisation, apheresis, infusion, manufacturing_failure, declined, lost_to_follow_up,
    progression (as the investigator judged it), infection (severe, with its grade). `mrd`: samples the protocol drew, `found` cells of
    `cells`. `arm`: "" where none was assigned, else since the day `arm_on`. `died_on`: NaN for who is alive; `last_on`: the last day
    followed; `cause`: of death (infection, myeloma, other). `extinct[clone, patient]`: the day a clone was seen to have died
    out, NaN where it lives (clones as in `blood.CLONES`).
    """

    people: People
    protocol: Protocol
    seed: int
    days: NDArray[np.int64]
    kept: tuple[str, ...]
    states: Floats
    peaked: tuple[str, ...]
    peaks: Floats
    given: pl.DataFrame
    events: pl.DataFrame
    mrd: pl.DataFrame
    arm: NDArray[np.str_]
    arm_on: Floats
    died_on: Floats
    cause: NDArray[np.str_]
    last_on: Floats
    extinct: Floats = field(repr=False)

    def state(self, name: str) -> Floats:
        """One kept state [time, patient]."""
        return self.states[:, self.kept.index(name), :]


class Log:
    """Rows of the tables of courses, gathered array by array."""

    def __init__(self, schema: Mapping[str, type[pl.DataType]]) -> None:
        self.schema = schema
        self.parts: list[tuple[NDArray[np.intp], Mapping[str, Any]]] = []

    def add(self, place: NDArray[np.intp], **columns: Any) -> None:
        """Rows of these patients; a column is one value for all or an array. NaN is null, and so is an empty word."""
        if len(place):
            self.parts.append((place, {"place": place, **columns}))

    def frame(self) -> pl.DataFrame:
        """All rows, by patient, then in the order in which they were added."""
        return pl.DataFrame({name: self._column(name, kind) for name, kind in self.schema.items()}).sort("place", maintain_order=True)

    def _column(self, name: str, kind: type[pl.DataType]) -> pl.Series:
        words = kind is pl.String
        absent = "" if words else np.nan
        parts = [np.broadcast_to(np.asarray(told.get(name, absent)), len(place)) for place, told in self.parts]
        values = np.concatenate(parts) if parts else np.empty(0, str if words else float)
        if words:
            return pl.Series(name, values.astype(object), pl.String).replace("", None)
        return pl.Series(name, values.astype(float), nan_to_null=True).cast(kind)
