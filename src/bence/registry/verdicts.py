"""Verdicts: what a physician says beside a derived finding, never instead of it.

The last verdict on the same finding, line and visit stands. One without a value withdraws it. All of them stay.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..catalogue import codes_of, nearest, word
from ..errors import UsageError
from . import audit, kept_findings
from .access import Access
from .bulk import frame_of
from .clinical import verdicts
from .database import Database, next_ids
from .scope import lineage, person_of

OF_THE_PATIENT = (
    "diagnosis", "iss", "r_iss", "r2_iss", "durie_salmon", "high_risk_2025", "msmart_3", "double_hit", "functional_high_risk",
    "smm_risk_mayo_2018", "smm_risk_imwg_2020", "smm_risk_china_2024", "frailty_imwg", "frailty_simplified", "relapsed_refractory",
    "triple_class_refractory",
)  # fmt: skip
FINDINGS = {  # what a verdict is about: the patient, a line, a visit, a day
    **dict.fromkeys(OF_THE_PATIENT, ()),
    "best_response": ("line",),
    "response": ("line", "on"),
    "line": ("on",),
}
LINES = range(1, 41)
SAME = ("finding", "line", "on")  # what two verdicts have in common of which the later stands


def judge(
    database: Database, access: Access, patient: str, finding: str, value: str | int | None, why: str, line: int | None, on: date | None,
    centre: str | None,
) -> int:  # fmt: skip
    """Say what a finding is, or withdraw what was said (`value` None); returns the number of the verdict.

    `line`, `on`: the line of therapy and the visit of a response, the day of a line. UsageError for a finding on which no verdict is
    passed, a value that is none of its categories, or no reason; AccessError beyond one's rights.
    """
    access.require("judge")
    said = _settled(finding, value, why, line, on)
    line, derived = _derived(database, access, patient, centre, finding, line, on)
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "judge", patient, centre)
        if said is None and not _stands(connection, person.id, finding, line, on):
            raise UsageError(f"no verdict on {finding} stands that could be withdrawn", expected="a value")
        number = next_ids(connection, "verdicts")
        told = {"finding": finding, "line": line, "value": said, "derived": derived, "why": why.strip()}
        day = on.isoformat() if on else None
        at = audit.append(connection, access, "judge", [person.id], {"verdict": number, "on": day, **told})
        connection.execute(sa.insert(verdicts).values(id=number, person=person.id, who=access.user, at=at, on=on, **told))
    return number


def read_verdicts(database: Database, access: Access, patient: str, centre: str | None) -> pl.DataFrame:
    """Every verdict on a patient, the last first: `stands` marks those that hold now."""
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "findings", patient, centre)
        rows = _of(connection, person.id)
        audit.append(connection, access, "read", [person.id], {"verdicts": rows.height})
    return rows


def _of(connection: sa.Connection, person: int) -> pl.DataFrame:
    """The verdicts on a person and on whom it was before, the last first."""
    names = ("id", "finding", "line", "on", "value", "derived", "why", "who", "at")
    mine = verdicts.c.person.in_(lineage(sa.select(sa.literal(person))))
    rows = frame_of(connection, sa.select(*(verdicts.c[name] for name in names)).where(mine).order_by(verdicts.c.id.desc()))
    last = pl.col("id") == pl.col("id").max().over(SAME)
    return rows.with_columns(stands=last & pl.col("value").is_not_null())


def _stands(connection: sa.Connection, person: int, finding: str, line: int | None, on: date | None) -> bool:
    same = [pl.col(name).eq_missing(pl.lit(value)) for name, value in zip(SAME, (finding, line, on), strict=True)]
    return not _of(connection, person).filter("stands", *same).is_empty()


def _settled(finding: str, value: str | int | None, why: str, line: int | None, on: date | None) -> str | None:
    """The value as the catalogue writes it."""
    if finding not in FINDINGS:
        raise UsageError(f"no verdict is passed on {finding!r}", expected=", ".join(FINDINGS), nearest=nearest(finding, FINDINGS))
    for name, given in (("line", line), ("on", on)):
        if given is not None and name not in FINDINGS[finding]:
            raise UsageError(f"a verdict on {finding} has no {name}", expected="none")
    if line is not None and line not in LINES:
        raise UsageError(f"there is no line {line}", expected=f"{LINES[0]} to {LINES[-1]}")
    if not why.strip():
        raise UsageError("a verdict has a reason", expected="why")
    if value is None:
        return None
    if finding == "line":
        if not str(value).isdecimal() or int(value) not in LINES:
            raise UsageError(f"{value!r} is not a line of therapy", expected=f"{LINES[0]} to {LINES[-1]}")
        return str(int(value))
    code = codes_of("finding")[finding]
    found = word(str(value), code)
    if found is None:
        raise UsageError(f"{finding} is never {value!r}", expected=", ".join(code.words), nearest=nearest(str(value), code.words))
    return found


def _derived(
    database: Database, access: Access, patient: str, centre: str | None, finding: str, line: int | None, on: date | None
) -> tuple[int | None, str | None]:
    """The line of a visit where only one can be meant, and what Bence says now; several possible answers as it gives them, `II|III`."""
    at = on if finding == "line" else None
    found = kept_findings.findings_for(database, access, patient, at, centre, "imwg_2016", {})
    if finding == "response" and on is not None:
        visits = found["response"].filter(pl.col("on") == on)
        lines = sorted(visits["line"].drop_nulls().unique())
        if line is None and len(lines) > 1:
            raise UsageError(f"the visit of {on} counts in several lines", expected=f"the line: {', '.join(map(str, lines))}")
        line = lines[0] if line is None and lines else line
        return line, _first(visits.filter(pl.col("line").eq_missing(pl.lit(line))), "timepoint")
    if line is not None:
        return line, _first(found["lines"].filter(pl.col("line") == line), "best_response")
    return None, _first(found["status"], finding) or _first(found["status"], f"{finding}_possible")


def _first(rows: pl.DataFrame, name: str) -> str | None:
    """The first value of a column as text, None where there is none."""
    value: Any = rows[name][0] if rows.height and name in rows.columns else None
    return None if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
