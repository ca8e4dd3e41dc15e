"""Condition.stage → recorded stages: ISS, R-ISS, R2-ISS, Durie–Salmon.

Each is an observation like the stage that an Observation gives (mCODE STU4: `mcode-primary-cancer-condition` holds the stage,
`mcode-myeloma-iss-stage` and `-riss-stage` are the Observations its `assessment` points at). A stage has no day of its own in FHIR R4:
the day is that of its assessment, else that of the condition.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from ...catalogue import codes, fold, spellings, word
from ..units import Refused
from .concepts import OBSERVED
from .documents import Found, Json
from .gathered import Gathered
from .observations import STATUS, computed
from .values import answer, days, staged, text_of

SCALES = ("iss", "r_iss", "r2_iss", "durie_salmon")
STAGED = ("mm_diagnosis", "pcl_diagnosis")  # smouldering myeloma and MGUS have no stage
EXPECTED = "ISS, R-ISS, R2-ISS or Durie-Salmon of multiple myeloma, as 'ISS III'"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DISEASE = re.compile(r"(plasma cell|multiple)?\s*myeloma|多发性骨髓瘤", re.IGNORECASE)
BETWEEN = re.compile(r"(?<![A-Za-z])[IVⅠ-Ⅻ\d]+[ABab]?[-/–—~～至到\s]+[IVⅠ-Ⅻ\d]+[ABab]?(?![A-Za-z])")
SEVERAL = re.compile(r"[,;，；、]|\s/\s|\s+and\s+|和|及", re.IGNORECASE)
Said = dict[str, str]  # scale → stage


class Stage(NamedTuple):
    """A stage of a condition, until it is known what the Observations say."""

    at: Found
    path: str
    patient: str
    scale: str
    stage: str
    on: str
    recorded_on: str | None


def stages(at: Found, gathered: Gathered, patient: str, event: str, on: str | None, recorded_on: str | None) -> None:
    """The stages of one condition; `event`: what the condition is, "" if it is refuted; `on`: its day."""
    for i, told in enumerate(at.resource.get("stage") or ()):
        path = f"Condition.stage[{i}]"
        summary = told.get("summary")
        if summary is None:  # the assessments say it all
            _assessments(at, gathered, path, told)
            continue
        said = _said(gathered, summary, told.get("type"))
        if event not in STAGED:
            said = Refused(f"a stage of {event or 'what is refuted'} is not read", EXPECTED)
        if isinstance(said, Refused):
            gathered.reject(at, f"{path}.summary", text_of(summary), said)
            continue
        day = _day(at, gathered, path, told, patient, on)
        if isinstance(day, Refused):
            gathered.reject(at, f"{path}.summary", text_of(summary), day)
        elif day is not None:
            gathered.stages += [Stage(at, path, patient, scale, stage, day, recorded_on) for scale, stage in said.items()]


def recorded(gathered: Gathered) -> None:
    """Add the stages of conditions that no Observation says of the same day; one that differs stands beside it."""
    rows = gathered.rows["observations"]
    known = {
        (patient, on, what, word(text or value, codes()[what]))
        for _, patient, on, what, value, _, text, *_, status, _ in rows
        if what in SCALES and status == "final" and (text or value)
    }
    for at, path, patient, scale, stage, on, recorded_on in gathered.stages:
        if (patient, on, scale, stage) in known:
            gathered.tally["stages of a condition that an Observation says, too"] += 1
            continue
        blank = (None,) * 5
        gathered.row("observations", at, path, (patient, on, scale, None, None, stage, *blank, "final", recorded_on))


def _said(gathered: Gathered, summary: Any, kind: Any) -> Said | Refused:
    """Scale and stage: by the codes of NCI Thesaurus, else in words; where the type names another scale, neither."""
    code = gathered.concepts.of(kind, OBSERVED).code if kind is not None else None
    scale = code.code if code is not None and code.code in SCALES else None
    said = staged(summary)
    for text in () if said else (answer(summary), text_of(summary)):
        said = said or (in_words(text, scale) if text else {})
    if not said:
        return Refused("not a stage of myeloma that is known", EXPECTED)
    if scale is not None and scale not in said:
        return Refused(f"its type is {scale}, its stage one of {' and '.join(said)}", "a type and a stage of one scale")
    return said


@cache
def _spelled() -> list[tuple[str, str]]:
    """The spellings of the scales, the longest first."""
    found = {fold(each): scale for scale in SCALES for each in spellings(codes()[scale])} | {"ds": "durie_salmon"}
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def in_words(text: str, scale: str | None = None) -> Said:
    """The stages that a text names; nothing if a part of it is not understood. `scale`: of a text that names none.

    >>> in_words("ISS Stage III Plasma Cell Myeloma"), in_words("II", "r_iss"), in_words("DS分期IIIA期，ISS Ⅱ期"), in_words("stage III")
    ({'iss': 'III'}, {'r_iss': 'II'}, {'durie_salmon': 'IIIA', 'iss': 'II'}, {})
    """
    found: Said = {}
    for part in filter(str.strip, SEVERAL.split(DISEASE.sub(" ", text))):
        one = None if BETWEEN.search(part) else _one(fold(part), scale)  # I-II is not III
        if one is None or found.get(one[0], one[1]) != one[1]:
            return {}
        found[one[0]] = one[1]
    return found


def _one(folded: str, scale: str | None) -> tuple[str, str] | None:
    for spelled, name in _spelled():
        rest = folded.removeprefix(spelled) if folded.startswith(spelled) else folded.removesuffix(spelled)
        if rest != folded and (stage := _stage(rest, name)) is not None:
            return name, stage
    stage = _stage(folded, scale) if scale is not None else None
    return (scale, stage) if scale is not None and stage is not None else None


def _stage(folded: str, scale: str) -> str | None:
    return word(re.sub(r"^(分期|stage)|期$", "", folded), codes()[scale])


def _assessments(at: Found, gathered: Gathered, path: str, told: Json) -> list[Json] | None:
    """The Observations behind a stage; None (and told) if one is not here."""
    found = []
    for i, reference in enumerate(told.get("assessment") or ()):
        each = gathered.library.get(reference, at.resource)
        if each is None:
            gathered.not_here(at, f"{path}.assessment[{i}]", reference)
            return None
        found.append(each)
    return found


def _day(at: Found, gathered: Gathered, path: str, told: Json, patient: str, on: str | None) -> str | Refused | None:
    """The day of a stage; None if Bence computed it."""
    assessed = _assessments(at, gathered, path, told)
    if assessed is None:
        return Refused("its assessment, which has its day, is not here", "the Observation of the stage")
    if any(map(computed, assessed)):
        gathered.tally["findings that Bence computed, which are no records"] += 1
        return None
    if assessed:
        found = {_assessed_on(each) for each in assessed if STATUS.get(each.get("status") or "") == "final"}
        same = all(gathered.library.patient(each.get("subject"), each) == patient for each in assessed)
        day = found.pop() if same and len(found) == 1 else None
        return day if day and DAY.fullmatch(day) else Refused("its assessments do not have one day", "a final Observation with its day")
    if on is None:
        return Refused("the stage has no day", "an assessment, or the onset of the condition")
    gathered.tally["stages dated by their condition, for want of an assessment"] += 1
    return on


def _assessed_on(assessment: Json) -> str | None:
    first, last = days(assessment, "effective")
    return first or last
