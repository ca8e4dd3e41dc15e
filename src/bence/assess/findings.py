"""The findings of an assessment: one table each. What rests on response and lines is worked out when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from ..chart import Chart
from ..solve import Solved
from . import status
from .course import Course, course_of, due_table, scores_table, thrombosis
from .courses import Courses, courses
from .endpoints import endpoint_columns, endpoint_status
from .exposure import exposure_status, exposure_table
from .toxicity import toxicity_table


@dataclass(frozen=True)
class Basis:
    """What the later tables rest on: the chart as it was known, its treatment rows with their lines, and what came first."""

    known: Chart
    at: date | None
    drugs: pl.DataFrame
    status: pl.DataFrame
    lines: pl.DataFrame
    solved: Mapping[str, Solved]


@dataclass(frozen=True)
class Findings:
    """What an assessment found; each table is a Polars frame.

    `status`: one row a patient. `response`: one row a patient, line and assessment. `lines`: one row a line, with its endpoints.
    `treatments`: the line of every treatment row. `exposure`: one row a patient and drug. `mrd`: one row an MRD test.
    `toxicity`: one row an episode. `due`: what care is due or done. `scores`: quality of life, thrombosis, renal response.
    `completeness`: which missing test leaves which answer open. `rejected`: every cell the reader did not accept.
    `basis`: what these tables rest on, for those who derive others from it.
    """

    response: pl.DataFrame
    treatments: pl.DataFrame
    mrd: pl.DataFrame
    rejected: pl.DataFrame
    manifest: Mapping[str, Any]
    basis: Basis = field(repr=False)

    @property
    def _policies(self) -> Mapping[str, Any]:
        return self.manifest["policies"]

    @cached_property
    def _courses(self) -> Courses:
        basis = self.basis
        return courses(basis.known, basis.drugs, basis.lines, self.response, self._policies)

    @cached_property
    def lines(self) -> pl.DataFrame:
        """One row a line of therapy: regimen, boundary, best response, progression, endpoints."""
        basis = self.basis
        ends = endpoint_columns(
            basis.known, basis.drugs, basis.lines, self.response, self._policies, None, told=self._courses
        )  # fmt: skip
        return basis.lines.join(ends, on=["patient", "line"], how="left", maintain_order="left")

    @cached_property
    def exposure(self) -> pl.DataFrame:
        """One row a patient and drug: when, in which lines, and whether the myeloma is refractory to it."""
        basis = self.basis
        return exposure_table(basis.known, basis.drugs, basis.lines, self.response, self._policies, told=self._courses)

    @cached_property
    def status(self) -> pl.DataFrame:
        """One row a patient: diagnosis, stage, risk, line, response, MRD, exposure and refractoriness."""
        table = self.basis.status
        given = exposure_status(self.exposure, table["patient"], self._policies)
        early = endpoint_status(self.lines, table["patient"], self._policies)
        return table.with_columns(**given, **early)

    @cached_property
    def toxicity(self) -> pl.DataFrame:
        """One row an episode of toxicity, or a grade of a laboratory value."""
        return toxicity_table(self.basis.known, self._policies, None, lines=self.basis.lines)

    @cached_property
    def due(self) -> pl.DataFrame:
        """One row a patient and thing to be done: prophylaxis, vaccination, bone care, follow-up; due, done, not due or unknown."""
        basis = self.basis
        return due_table(basis.known, basis.lines, self.response, self._policies, basis.at, own=self._course)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """One row a patient, day, instrument and scale: quality of life, risk of thrombosis, renal response."""
        return scores_table(self.basis.known, self._policies, self.basis.at, own=self._course)

    @cached_property
    def thrombosis(self) -> pl.DataFrame:
        """The rows of `scores` of the risk of thrombosis."""
        return thrombosis(self._course)

    @cached_property
    def _course(self) -> Course:
        return course_of(self.basis.known, self.basis.at, self._policies)

    @cached_property
    def completeness(self) -> pl.DataFrame:
        """One row a patient and open answer: what is possible, and the tests that would settle it."""
        return status.completeness(self.basis.solved, self.basis.status["patient"])
