"""Was it done as decided? For every decision of a board, what was begun after it.

A pure comparison of decisions with treatments. It says nothing of why: a patient may have declined, or worsened.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from ..advise.pathway import Option, pathway
from ..advise.replay import BESIDE, core
from ..catalogue import codes
from ..chart import Chart, last_date

COLUMNS = {
    "decision": pl.Int64, "patient": pl.String, "day": pl.Date, "question": pl.String, "option": pl.String,
    "begun": pl.String, "begun_on": pl.Date, "concordance": pl.String, "because": pl.String,
}  # fmt: skip
WITHIN = 60  # days after a meeting in which its decision is looked for


def concordance(decisions: pl.DataFrame, treatments: pl.DataFrame, until: date, within_days: int = WITHIN) -> pl.DataFrame:
    """One row a decision that stands: its keys, `begun` (drugs), `begun_on`, `concordance`, `because` (`COLUMNS`).

    `decisions`: as `Store.decisions` gives them. `treatments`: of the chart of the same patients, complete until the day `until`.
    `followed`: what was begun on the day of the meeting or within `within_days` after it is part of the option, and with what
    already ran it is the whole of it; CAR-T cells and a transplant whatever is given around them. `other`: something else was begun.
    `nothing_yet`: nothing was begun. `not_comparable`: decided in words only, an option that names no drug or procedure, or the
    treatments are not known for all of these days (`because`: `in_words`, `no_drug`, `too_early`). Steroids and supportive drugs do
    not count.
    """
    standing = decisions.filter("stands") if "stands" in decisions.columns else decisions
    known = {name for name, code in codes().items() if {"drug", "procedure"} & set(code.grains) and code.drug_class not in BESIDE}
    given = treatments.filter(pl.col("what").is_in(known), pl.col("started_on").is_not_null())
    courses = {patient: list(rows.iter_rows(named=True)) for (patient,), rows in given.partition_by("patient", as_dict=True).items()}
    told = [_row(one, courses.get(one["patient"], []), until, within_days) for one in standing.iter_rows(named=True)]
    return pl.DataFrame(told, schema=COLUMNS, orient="row")


def followed_up(decisions: pl.DataFrame, chart: Chart, today: date, within_days: int = WITHIN) -> pl.DataFrame:
    """`concordance`, taking the treatments of each patient as known until the last day there is anything of the patient."""
    parts = [pl.DataFrame(schema=COLUMNS)]
    for (patient,), mine in decisions.partition_by("patient", as_dict=True).items():
        own = chart.only(str(patient))
        parts.append(concordance(mine, own.treatments, min(last_date(own) or today, today), within_days))
    return pl.concat(parts).sort("day", "decision", descending=True)


def _row(decision: dict[str, Any], course: list[dict[str, Any]], until: date, within: int) -> tuple[Any, ...]:
    day, option = decision["day"], pathway().options.get(decision["option"] or "")
    ran = {row["what"] for row in course if row["started_on"] < day and (row["stopped_on"] is None or row["stopped_on"] >= day)}
    after = [row for row in course if 0 <= (row["started_on"] - day).days <= within]
    new = sorted({row["what"] for row in after} - ran)
    first = min((row["started_on"] for row in after if row["what"] in new), default=None)
    wanted = core(option) if option else set()
    early = (until - day).days < within
    because = "in_words" if not option else "no_drug" if not wanted else "too_early" if early else None
    said = "not_comparable" if because or not option else _compared(option, wanted, set(new), ran)
    keys = (decision["id"], decision["patient"], day, decision["question"], decision["option"])
    return (*keys, "+".join(new) or None, first, said, because)


def _compared(option: Option, wanted: set[str], new: set[str], ran: set[str]) -> str:
    if "car_t" in option.tags or option.key in wanted:
        return "followed" if new & wanted else "other" if new else "nothing_yet"
    if new <= wanted <= new | ran:
        return "followed"
    return "other" if new else "nothing_yet"
