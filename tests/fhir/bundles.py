"""Small resources to test with: one patient, and what is said of her."""

from __future__ import annotations

from typing import Any

import polars as pl

from bence.chart import Chart
from bence.read import from_fhir

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
Json = dict[str, Any]
HER: Json = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1958-03-02"}
SUBJECT: Json = {"reference": "Patient/p1"}


def coded(code: str, system: str = LOINC, display: str | None = None) -> Json:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def quantity(value: float | str, unit: str, code: str | None = None, **more: Any) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit, **more}


def observation(code: str | Json, value: Any = None, on: str | None = "2025-01-29", **more: Any) -> Json:
    made: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": coded(code) if isinstance(code, str) else code,
        "subject": SUBJECT,
    }
    if on:
        made["effectiveDateTime"] = on
    if isinstance(value, dict):
        made["valueQuantity" if "value" in value else "valueCodeableConcept"] = value
    elif isinstance(value, bool):
        made["valueBoolean"] = value
    elif isinstance(value, int):
        made["valueInteger"] = value
    elif value is not None:
        made["valueString"] = value
    return made | more


def condition(code: Json, **more: Any) -> Json:
    return {"resourceType": "Condition", "code": code, "subject": SUBJECT, "onsetDateTime": "2025-01-20", **more}


def given(kind: str, code: Json, **more: Any) -> Json:
    made = {"resourceType": kind, "medicationCodeableConcept": code, "subject": SUBJECT, "status": "completed"}
    return made | ({"intent": "order"} if kind == "MedicationRequest" else {}) | more


def bundle(*resources: Json, type: str = "collection") -> Json:
    return {"resourceType": "Bundle", "type": type, "entry": [{"resource": each} for each in resources]}


def read(*resources: Json, mapping: Any = None) -> Chart:
    """The chart of her and of these; entry 1 is she."""
    return from_fhir(bundle(HER, *resources), mapping)


def values(chart: Chart) -> list[tuple[Any, ...]]:
    return chart.observations.select("on", "what", "value", "comparator", "text").with_columns(pl.col("on").cast(pl.String)).rows()


def refused(chart: Chart) -> list[tuple[Any, ...]]:
    """Entry, FHIRPath, value and reason of what was not taken."""
    return chart.rejected.select("line", "column", "value", "reason").rows()
