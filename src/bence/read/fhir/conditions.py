"""Condition → events: a diagnosis, a toxicity, a complication; and the stage of a myeloma."""

from __future__ import annotations

from typing import Any

from ..units import Refused
from .concepts import HAPPENED
from .documents import Found
from .gathered import Gathered
from .stages import stages
from .terms import GRADE
from .values import days, local_day, note

VERIFIED = {"confirmed": None, "refuted": "none"}  # and what stands in `text`
ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"


def condition(at: Found, gathered: Gathered) -> None:
    """One Condition. Its day is that of onset, else that of assertion, else that of record (which is told)."""
    resource = at.resource
    meaning = gathered.meaning(at, "Condition.code", resource.get("code"), HAPPENED)
    if meaning is None or meaning.code is None:
        return
    verified = _code(resource.get("verificationStatus"))
    if verified not in (None, *VERIFIED):
        gathered.reject(at, "Condition.verificationStatus", verified, Refused("not confirmed", "confirmed or refuted"))
        return
    patient = gathered.patient(at, "Condition")
    if patient is None:
        return
    on, until = days(resource, "onset")
    recorded_on = local_day(resource.get("recordedDate"))
    if on is None:
        on = _asserted(resource)
    if on is None and recorded_on is not None:
        gathered.tally["conditions dated by the day they were recorded, for want of an onset"] += 1
        on = recorded_on
    end, last = days(resource, "abatement")
    severity = resource.get("severity")
    grade = next((each.get("code") for each in _codings(severity) if each.get("system") == GRADE), None)
    text = VERIFIED.get(verified or "") or note(resource)
    gathered.row("events", at, "Condition", (patient, on, last or end or until, meaning.code.code, grade, text, recorded_on))
    stages(at, gathered, patient, "" if verified == "refuted" else meaning.code.code, on, recorded_on)


def _asserted(resource: dict[str, Any]) -> str | None:
    told = [each for each in resource.get("extension") or () if isinstance(each, dict) and each.get("url") == ASSERTED]
    return local_day(told[0].get("valueDateTime")) if told else None


def _codings(concept: Any) -> list[dict[str, Any]]:
    return [each for each in (concept or {}).get("coding") or () if isinstance(each, dict)] if isinstance(concept, dict) else []


def _code(concept: Any) -> str | None:
    return next((each["code"] for each in _codings(concept) if each.get("code")), None)
