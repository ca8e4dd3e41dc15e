"""The parts resources are made of: codings, quantities, references, ids."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Any

from ..catalogue import Code, codes
from ..read.fhir.terms import ANSWERS, ATC, INTERPRETATION, LOINC, OUR_EXTENSION, OURS, RXNORM, SNOMED, SNOMED_OF, UCUM, WRITTEN
from ..read.fhir.ucum import ucum

Json = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
WORDS = {word: code for (system, code), word in reversed(ANSWERS.items()) if system == SNOMED}


@cache
def concept(name: str) -> Json:
    """A code of the catalogue as a CodeableConcept: standard codes first, then our own; its label as text."""
    code = codes()[name]
    codings = [{"system": system, "code": each} for system, each in _standard(code)]
    return {"coding": [*codings, {"system": OURS, "code": name, "display": code.en}], "text": code.en}


def _standard(code: Code) -> list[tuple[str, str]]:
    loinc = WRITTEN.get(code.code) or next(iter(code.loinc), None)
    found = [(LOINC, loinc)] if loinc else []
    found += [(SNOMED, SNOMED_OF[code.code])] if code.code in SNOMED_OF else [(SNOMED, each) for each in code.snomed[:1]]
    return found + [(ATC, each) for each in code.atc[:1]] + [(RXNORM, each) for each in code.rxnorm[:1]]


@cache
def answer(word: str) -> Json:
    """A category as a CodeableConcept."""
    known = codes().get(word)
    codings = [{"system": SNOMED, "code": WORDS[word]}] if word in WORDS else []
    return {"coding": [*codings, {"system": OURS, "code": word}], "text": known.en if known else word}


@cache
def interpretation(word: str) -> Json:
    """A category that stands beside a number."""
    flag = {"positive": "POS", "negative": "NEG"}.get(word)
    codings = [{"system": INTERPRETATION, "code": flag}] if flag else []
    return {"coding": [*codings, {"system": OURS, "code": word}], "text": word}


def number(value: float) -> int | float:
    """6.0 as 6, as a laboratory writes it."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def quantity(value: float, unit: str | None, comparator: str | None = None) -> Json:
    """A Quantity with its UCUM unit."""
    told: Json = {"value": number(value)}
    if comparator:
        told["comparator"] = comparator
    if unit:
        told["unit"] = unit
    return {**told, "system": UCUM, "code": ucum(unit)}


def extension(name: str, kind: str, value: Any) -> Json:
    """One of our own extensions: a column of a chart that FHIR has no element for."""
    return {"url": OUR_EXTENSION + name, f"value{kind}": value}


def patient_id(key: str) -> str:
    """The id of a patient: the key, where FHIR allows it as an id."""
    return key if ID.fullmatch(key) else f"p-{_digest(key)}"


def subject(key: str) -> Json:
    """A reference to a patient."""
    return {"reference": f"Patient/{patient_id(key)}"}


def row_id(table: str, cells: tuple[Any, ...]) -> str:
    """The id of a row: the same row has the same id in every chart."""
    return _digest(table, *cells)


def _digest(*cells: Any) -> str:
    return hashlib.sha256("\x1f".join("" if cell is None else str(cell) for cell in cells).encode()).hexdigest()[:32]


def period(start: Any, end: Any) -> Json:
    """A Period of what is known of it."""
    told = {"start": start, "end": end}
    return {name: day.isoformat() for name, day in told.items() if day is not None}
