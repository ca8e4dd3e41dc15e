"""Medication resources and Procedure → treatments: what was given, not what was thought of."""

from __future__ import annotations

from typing import Any

from ..units import Refused
from .concepts import GIVEN, Meaning
from .documents import Found, Json
from .gathered import Gathered
from .values import days, extension, local_day, number_text, text_of, unit_written

GIVEN_STATUS = {
    "MedicationAdministration": ("completed", "in-progress", "stopped", "unknown"),
    "MedicationStatement": ("active", "completed", "stopped", "on-hold", "unknown"),
    "MedicationRequest": ("active", "completed", "stopped", "on-hold", "unknown"),
    "Procedure": ("completed", "in-progress", "stopped", "unknown"),
}
ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
DAY = {"MedicationAdministration": "effective", "MedicationStatement": "effective", "Procedure": "performed"}


def medication(at: Found, gathered: Gathered) -> None:
    """One administration, statement or order of a drug."""
    resource, kind = at.resource, at.resource["resourceType"]
    concept, path = _drug(at, gathered)
    meaning = gathered.meaning(at, path, concept, GIVEN) if concept is not None else None
    if meaning is None or not _given(at, gathered):
        return
    if kind == "MedicationRequest" and resource.get("intent") not in ORDERS:
        gathered.reject(at, f"{kind}.intent", resource.get("intent"), Refused("not an order", ", ".join(ORDERS)))
        return
    dosages = resource.get({"MedicationRequest": "dosageInstruction"}.get(kind, "dosage"))
    dosage = dosages if isinstance(dosages, dict) else next((each for each in dosages or () if isinstance(each, dict)), {})
    if isinstance(dosages, list) and len(dosages) > 1:
        gathered.reject(at, f"{kind}.dosage[1]", "", Refused("a second dosage: the first is taken", "one dosage"))
    started, stopped = _ordered(resource, dosage) if kind == "MedicationRequest" else days(resource, DAY[kind])
    if kind == "MedicationAdministration" and "effectivePeriod" not in resource:
        stopped = started
    route = text_of(dosage.get("route")) or extension(resource, "route")
    _take(at, gathered, meaning, (started, stopped), _dose(at, gathered, dosage), route)


def _drug(at: Found, gathered: Gathered) -> tuple[Any, str]:
    """The concept of the drug: in the resource, or in the Medication that it points at."""
    resource, kind = at.resource, at.resource["resourceType"]
    concept = resource.get("medicationCodeableConcept")
    if concept is not None:
        return concept, f"{kind}.medication"
    path, reference = f"{kind}.medication", resource.get("medicationReference")
    found = gathered.library.get(reference, resource)
    if found is not None:
        return found.get("code") or {}, f"{path}.code"
    if isinstance(reference, dict) and reference.get("display"):
        return {"text": reference["display"]}, f"{path}.display"
    gathered.not_here(at, path, reference)
    return None, path


def _given(at: Found, gathered: Gathered) -> bool:
    resource, kind = at.resource, at.resource["resourceType"]
    allowed = GIVEN_STATUS[kind]
    if resource.get("status") not in allowed:
        gathered.reject(at, f"{kind}.status", resource.get("status"), Refused("not given", " or ".join(allowed)))
        return False
    return True


def _ordered(resource: Json, dosage: Json) -> tuple[str | None, str | None]:
    """The days for which a drug was ordered: of the timing, else of the prescription, else from the day it was written."""
    timing = dosage.get("timing")
    repeat = (timing.get("repeat") or {}) if isinstance(timing, dict) else {}
    if isinstance(repeat.get("boundsPeriod"), dict):
        return days(repeat, "bounds")
    dispense = resource.get("dispenseRequest")
    if isinstance(dispense, dict) and isinstance(dispense.get("validityPeriod"), dict):
        return days(dispense, "validity")
    return local_day(resource.get("authoredOn")), None


def _dose(at: Found, gathered: Gathered, dosage: Json) -> tuple[str | None, str | None]:
    """The dose and its unit; a range has no one dose."""
    quantity = dosage.get("dose")  # MedicationAdministration
    for each in dosage.get("doseAndRate") or ():
        quantity = quantity or (each.get("doseQuantity") if isinstance(each, dict) else None)
    if not isinstance(quantity, dict) or quantity.get("value") is None:
        return None, None
    unit = unit_written(quantity.get("unit"), quantity.get("system"), quantity.get("code"))
    value = number_text(quantity["value"])
    if isinstance(unit, Refused):
        gathered.reject(at, f"{at.resource['resourceType']}.dosage.dose", value, unit)
        return None, None
    return value, unit or None


def procedure(at: Found, gathered: Gathered) -> None:
    """A transplant, CAR T cells, radiotherapy …"""
    meaning = gathered.meaning(at, "Procedure.code", at.resource.get("code"), GIVEN)
    if meaning is None or not _given(at, gathered):
        return
    started, stopped = days(at.resource, "performed")
    quantity = extension(at.resource, "dose")
    dose = _dose(at, gathered, {"dose": quantity}) if quantity else (None, None)
    _take(at, gathered, meaning, (started, stopped), dose, extension(at.resource, "route"))


def _take(
    at: Found, gathered: Gathered, meaning: Meaning, when: tuple[str | None, str | None], dose: tuple[str | None, str | None],
    route: str | None,
) -> None:  # fmt: skip
    resource, kind = at.resource, at.resource["resourceType"]
    patient = gathered.patient(at, kind)
    if patient is None or meaning.code is None:
        return
    planned = extension(resource, "planned")
    told = [extension(resource, name) for name in ("phase", "line")]
    recorded_on = local_day(extension(resource, "recorded_on") or resource.get("dateAsserted"))
    gathered.row("treatments", at, kind, (
        patient, *when, meaning.code.code, *dose, route, told[0], _text(told[1]),
        None if planned is None else "yes" if planned else "no", extension(resource, "stop_reason"), recorded_on,
    ))  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def orders_carried_out(founds: list[Found]) -> set[str]:
    """The orders whose administrations are here: what was given counts, not what was ordered beside it."""
    orders = set()
    for found in founds:
        if found.resource.get("resourceType") == "MedicationAdministration":
            told = found.resource.get("request")
            if isinstance(told, dict) and isinstance(told.get("reference"), str):
                orders.add(told["reference"].partition("/_history/")[0])
    return orders
