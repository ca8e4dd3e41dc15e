"""The whole course: bone, kidneys, thrombosis, infection and vaccines, quality of life, and what is due next.

`due_table` gives one row a patient and item, with its state and why; `scores_table` the scores of quality of life, thrombosis and
renal response. Nothing here decides on treatment and no dose is given. Rules in words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
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
from .questionnaires import answers, quality_of_life
from .renal import renal_response
from .vaccination import vaccinations
from .vte import vte_scores
from .words import explain_due, explain_score

DUE_SCHEMA: dict[str, Any] = dict.fromkeys(DUE_COLUMNS, pl.String) | {"on": pl.Date, "due_on": pl.Date, "overdue_days": pl.Int32}


def due_table(chart: Chart, lines: pl.DataFrame, response: pl.DataFrame, policies: Mapping[str, Any], at: date | None) -> pl.DataFrame:
    """What is due, done, not due or unknown for every living patient who was treated; sorted by patient, kind and item.

    `kind`: `prophylaxis`, `vaccination`, `screening`, `bone`, `follow_up`. `on`: when it was done; `due_on`: from when it is due;
    `overdue_days` from then to the day; `tag` V, M, S or O: how the rule was checked. `lines`, `response`: the tables of that name for
    the same chart and day. A patient without any anti-myeloma treatment has no rows.
    """
    known = visible(chart, at)
    day = at or last_date(known)
    courses = known_facts.courses(known)
    if day is None or courses.is_empty():
        return pl.DataFrame(schema=DUE_SCHEMA)
    events = known_facts.happened(known)
    people = _told(known, courses, events, day)
    people = phases(reviewed(known, people, lines, response, answers(known)), courses, day)
    parts = [
        *prevention(people, events, policies, day), *vaccinations(people, events, policies, day), *bone(people, courses, policies, day),
        *follow_up(people, policies, day),
    ]  # fmt: skip
    return ordered(parts, day)


def scores_table(chart: Chart, policies: Mapping[str, Any], at: date | None) -> pl.DataFrame:
    """Scores, sorted by patient, day, instrument and scale.

    `instrument`: `qlq_c30`, `qlq_my20`, `eq5d_5l`, `impede_vte`, `saved`, `renal_response`. `value` is null where it is not settled; it
    lies between `low` and `high`. `answered`: items or factors that are known; `missing`: the others. `change`: from the first.
    """
    known = visible(chart, at)
    day = at or last_date(known)
    parts = [quality_of_life(known, policies)]
    courses = known_facts.courses(known)
    if day is not None and courses.height:
        events = known_facts.happened(known)
        people = _told(known, courses, events, day)
        parts += [vte_scores(people, courses, events, policies, day), renal_response(known, courses, day)]
    table = pl.concat([part.select(SCORE_COLUMNS) for part in parts]).sort("patient", "on", "instrument", "scale")
    return table.with_columns(pl.col("patient").cast(pl.String))


def _told(chart: Chart, courses: pl.DataFrame, events: pl.DataFrame, at: date) -> pl.DataFrame:
    """One row a living patient with what was given, what was last measured, and when the teeth were looked at."""
    teeth = (
        events.filter((pl.col("what") == "dental_check") & ~pl.col("absent")).group_by("patient").agg(dental_check_on=pl.col("on").max())
    )
    people = known_facts.people(chart, at)
    people = people.join(courses.select("patient").unique(), on="patient", how="semi", maintain_order="left")
    return known_facts.joined(people, known_facts.given(courses, at), known_facts.latest(known_facts.measured(chart)), teeth)


__all__ = ["DUE_COLUMNS", "QUESTIONNAIRE_CODES", "SCORE_COLUMNS", "due_table", "explain_due", "explain_score", "scores_table"]
