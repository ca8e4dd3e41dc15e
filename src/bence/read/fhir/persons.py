"""Patient → patients; what several resources say of one person is put together, and what contradicts is told."""

from __future__ import annotations

import polars as pl

from ...chart import SCHEMA
from ..intake import BLANK, LINE, Intake
from ..patients import patients as read_patients
from ..units import Refused
from .documents import Found
from .gathered import Gathered, Where
from .values import local_day

FIELDS = tuple(name for name in SCHEMA["patients"] if name != "patient")
NO_KEY = Refused("a patient without a key", "an id, or an identifier in the system that the mapping file chooses")
LATEST = "last_seen_on"  # what is said last of it stands; of everything else what is said first


def person(at: Found, gathered: Gathered) -> None:
    """One Patient. Name, address and telephone are not read."""
    resource = at.resource
    key = gathered.library.key_of(resource)
    if key is None:
        gathered.reject(at, "Patient.identifier", resource.get("id"), NO_KEY)
        return
    gathered.told.setdefault(key, {})
    gender = resource.get("gender")
    gathered.say(at, "Patient.gender", key, "sex", None if gender == "unknown" else gender)
    gathered.say(at, "Patient.birthDate", key, "born_on", resource.get("birthDate"))
    gathered.say(at, "Patient.deceased", key, "died_on", local_day(resource.get("deceasedDateTime")))
    if resource.get("deceasedBoolean"):
        gathered.reject(at, "Patient.deceased", "true", Refused("dead, but no day is told", "deceasedDateTime"))
    centre = resource.get("managingOrganization")
    gathered.say(at, "Patient.managingOrganization", key, "centre", centre.get("display") if isinstance(centre, dict) else None)


def table(gathered: Gathered) -> pl.DataFrame:
    """The table of patients: of each field the first statement; a later one that differs is rejected."""
    rows = [
        (i, key, *(_one(gathered, key, name, said.get(name)) for name in FIELDS)) for i, (key, said) in enumerate(gathered.told.items())
    ]
    schema = {LINE: pl.Int64(), "patient": pl.String(), **dict.fromkeys(FIELDS, pl.String())}
    taken = Intake("patients", "", pl.DataFrame(rows, schema=schema, orient="row"))
    frame = read_patients(taken)
    keys = list(gathered.told)
    for part in taken.rejected:
        for _, line, column, value, reason, expected, near in part.iter_rows():
            said = gathered.told[keys[line]].get(column)
            place = said[0][1] if said else Where("", 0, column, "")
            why = reason.removesuffix(BLANK)
            gathered.rejected.append((place.file, place.line, place.path, value, why, expected, near))
    return frame


def _one(gathered: Gathered, key: str, name: str, said: list[tuple[str, Where]] | None) -> str | None:
    if not said:
        return None
    texts = {text for text, _ in said}
    if len(texts) == 1:
        return said[0][0]
    if name == LATEST:
        return max(texts)
    first, where = said[0]
    told = {text: _meant(name, text) for text in texts}
    for text, place in said[1:]:
        if told[text] != told[first]:
            reason = f"patient {key}: {name} is {first} on {where.file}:{where.line}"
            gathered.rejected.append((place.file, place.line, place.path, text, reason, first, None))
    return first


def _meant(name: str, text: str) -> str:
    """What a statement means, so that igg and IgG do not contradict."""
    taken = Intake("patients", "", pl.DataFrame({LINE: [0], "patient": ["1"], name: [text]}))
    return str(read_patients(taken)[name][0])
