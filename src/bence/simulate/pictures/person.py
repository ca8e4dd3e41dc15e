"""Who a virtual patient is: facts, how it ended, and what makes this one different from the others."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.stats import rankdata

from ...catalogue import label
from ..course import MONTH
from ..courses import Courses
from ..sensitivity import acts, dosed
from ..trial import LEVELS, Trial
from .sankey import endings
from .words import CLONES, PAGE, PICTURE

SHOWN = 12  # parameters
MOST = 6  # patients


def few(courses: Courses, lang: str = "en") -> dict[str, str]:
    """For each way it ended (progression by its clone, death, lost, free) the first patient, with that way in words."""
    words, zh = PICTURE[lang], lang == "zh"
    rows = endings(courses).unique(["event", "clone"], keep="first", maintain_order=True).head(MOST)
    return {
        patient: words[event] + (f" ({CLONES[clone][zh]})" if clone else "")
        for patient, event, clone in rows.select("patient", "event", "clone").iter_rows()
    }


def who(trial: Trial, patient: str, lang: str = "en") -> list[tuple[str, str]]:
    """Facts of a virtual patient and what the trial made of it."""
    assert trial.courses is not None
    words = PAGE[lang]
    row = trial.courses.people.table.row(by_predicate=pl.col("patient") == patient, named=True)
    own = trial.patients.row(by_predicate=pl.col("patient") == patient, named=True)
    flag = {True: words["yes"], False: words["no"]}
    return [
        (words["sex"], label(row["sex"], lang)), (words["age"], f"{row['age']:.0f}"), (words["isotype"], label(row["isotype"], lang)),
        (words["iss"], row["iss"]), (words["prior_lines"], str(row["prior_lines"])),
        (words["extramedullary"], flag[bool(row["extramedullary"])]),
        (words["high_risk"], flag[bool(row["high_risk"])]), (words["arm"], own["arm"] or "–"),
        (words["response"], LEVELS[own["response"] - 1] if own["response"] else PICTURE[lang]["none"]),
        (words["pfs"], f"{words['in_months'].format(own['pfs_days'] / MONTH)} ({words['event' if own['pfs_event'] else 'censored']})"),
    ]  # fmt: skip


def standing_out(courses: Courses, patient: str, lang: str = "en") -> pl.DataFrame:
    """The parameters that differ between people in which this patient lies farthest from the middle of the cohort, and the rank there."""
    words, model = PAGE[lang], courses.people.model
    place = courses.people.table["patient"].to_list().index(patient)
    values = courses.people.parameters
    given = dosed(courses)
    rows = np.flatnonzero([parameter.log_sd is not None and acts(parameter.name, given) for parameter in model.parameters])
    rank = 100 * (rankdata(values[rows], axis=1)[:, place] - 0.5) / values.shape[1]
    order = np.argsort(-np.abs(rank - 50), kind="stable")[:SHOWN]
    told = [(model.parameters[rows[each]], values[rows[each], place], rank[each]) for each in order]
    return pl.DataFrame(
        [(p.what_zh if lang == "zh" else p.what_en, f"{value:.3g}", p.unit, f"{at:.0f}") for p, value, at in told],
        schema=dict.fromkeys((words["parameter"], words["value"], words["unit"], words["rank"]), pl.String), orient="row",
    )  # fmt: skip
