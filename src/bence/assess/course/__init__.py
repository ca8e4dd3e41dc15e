"""The whole course: bone, kidneys, thrombosis, infection and vaccines, quality of life, and what is due next.

`due_table` gives one row a patient and item, with its state and why; `scores_table` the scores of quality of life, thrombosis and
renal response. Nothing here decides on treatment and no dose is given. Rules in words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from ...chart import Chart, last_date, visible
from . import facts as known_facts
from .bone import bone
from .due import COLUMNS as DUE_COLUMNS
from .due import ordered
from .follow_up import follow_up, phases, reviewed
from .prevention import prevention
from .questionnaires import CODES as QUESTIONNAIRE_CODES
from .questionnaires import SHAPE as SCORE_COLUMNS
from .questionnaires import answers, no_score, quality_of_life
from .renal import renal_response
from .vaccination import vaccinations
from .vte import vte_scores
from .words import explain_due, explain_score

DUE_SCHEMA: dict[str, Any] = dict.fromkeys(DUE_COLUMNS, pl.String) | {"on": pl.Date, "due_on": pl.Date, "overdue_days": pl.Int32}


@dataclass(frozen=True)
class Course:
    """What the tables of the whole course rest on, each worked out once: the chart as it is known on the `day` (null: no date in it), under
    some policies."""

    known: Chart
    day: date | None
    policies: Mapping[str, Any]

    @cached_property
    def courses(self) -> pl.DataFrame:
        """What was given, one row a treatment row."""
        return known_facts.courses(self.known)

    @cached_property
    def events(self) -> pl.DataFrame:
        """What happened."""
        return known_facts.happened(self.known)

    @cached_property
    def questionnaires(self) -> pl.DataFrame:
        """What was answered in questionnaires."""
        return answers(self.known)

    @cached_property
    def people(self) -> pl.DataFrame:
        """One row a living patient with what was given, what was last measured, and when the teeth were looked at."""
        assert self.day
        looked = (pl.col("what") == "dental_check") & ~pl.col("absent")
        teeth = self.events.filter(looked).group_by("patient").agg(dental_check_on=pl.col("on").max())
        treated = self.courses.select("patient").unique()
        people = known_facts.people(self.known, self.day).join(treated, on="patient", how="semi", maintain_order="left")
        measured = known_facts.latest(known_facts.measured(self.known))
        return known_facts.joined(people, known_facts.given(self.courses, self.day), measured, teeth)

    @cached_property
    def thrombosis(self) -> list[pl.DataFrame]:
        """The scores of thrombosis, IMPEDE-VTE and SAVED, of everyone on treatment; no frame where nothing was given."""
        if self.day is None or self.courses.is_empty():
            return []
        return [vte_scores(self.people, self.courses, self.events, self.policies, self.day)]


def course_of(chart: Chart, at: date | None, policies: Mapping[str, Any]) -> Course:
    """The whole course of a chart as of a day (null: its last)."""
    known = visible(chart, at)
    return Course(known, at or last_date(known), policies)


def due_table(
    chart: Chart, lines: pl.DataFrame, response: pl.DataFrame, policies: Mapping[str, Any], at: date | None, own: Course | None = None
) -> pl.DataFrame:
    """What is due, done, not due or unknown for every living patient who was treated; sorted by patient, kind and item.

    `kind`: `prophylaxis`, `vaccination`, `screening`, `bone`, `follow_up`. `on`: when it was done; `due_on`: from when it is due;
    `overdue_days` from then to the day; `tag` V, M, S or O: how the rule was checked. `lines`, `response`: the tables of that name for
    the same chart and day, `own` its course if that is at hand. A patient without any anti-myeloma treatment has no rows.
    """
    own = own or course_of(chart, at, policies)
    day, courses = own.day, own.courses
    if day is None or courses.is_empty():
        return pl.DataFrame(schema=DUE_SCHEMA)
    events, people = own.events, phases(reviewed(own.known, own.people, lines, response, own.questionnaires), courses, day)
    parts = [
        *prevention(people, events, policies, day), *vaccinations(people, events, policies, day), *bone(people, courses, policies, day),
        *follow_up(people, policies, day),
    ]  # fmt: skip
    return ordered(parts, day)


def scores_table(chart: Chart, policies: Mapping[str, Any], at: date | None, own: Course | None = None) -> pl.DataFrame:
    """Scores, sorted by patient, day, instrument and scale.

    `instrument`: `qlq_c30`, `qlq_my20`, `eq5d_5l`, `impede_vte`, `saved`, `renal_response`. `value` is null where it is not settled; it
    lies between `low` and `high`. `answered`: items or factors that are known; `missing`: the others. `change`: from the first.
    """
    own = own or course_of(chart, at, policies)
    parts = [quality_of_life(own.questionnaires, policies), *own.thrombosis]
    if own.day is not None and own.courses.height:
        parts.append(renal_response(own.known, own.courses, own.day))
    return _sorted(parts)


def thrombosis(own: Course) -> pl.DataFrame:
    """The rows of `scores_table` of the scores of thrombosis, IMPEDE-VTE and SAVED."""
    return _sorted([no_score(own.known), *own.thrombosis])


def _sorted(parts: list[pl.DataFrame]) -> pl.DataFrame:
    table = pl.concat([part.select(SCORE_COLUMNS) for part in parts]).sort("patient", "on", "instrument", "scale")
    return table.with_columns(pl.col("patient").cast(pl.String))


__all__ = [
    "DUE_COLUMNS", "QUESTIONNAIRE_CODES", "SCORE_COLUMNS", "Course", "course_of", "due_table", "explain_due", "explain_score",
    "scores_table", "thrombosis",
]  # fmt: skip
