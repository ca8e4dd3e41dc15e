"""Rows of a chart → Patient, Observation, Condition, MedicationStatement, MedicationAdministration and Procedure."""

from __future__ import annotations

from typing import Any

from ..catalogue import codes
from ..read.fhir.terms import GRADE, PATIENT_KEY, SPURIOUS
from .parts import Json, answer, concept, extension, interpretation, number, patient_id, period, quantity, row_id, subject

#: Events that are no conditions: they are written as Observations.
NO_CONDITION = frozenset((
    "mdt_decision", "randomisation", "trial_enrolment", "consent", "consent_withdrawn", "apheresis_planned", "car_t_planned",
    "transplant_planned", "treatment_free_planned", "manufacturing_failure", "antibody_interference", "declined", "no_caregiver",
    "no_access", "vaccination", "influenza_vaccination", "pneumococcal_vaccination", "zoster_vaccination", "rsv_vaccination",
    "covid19_vaccination", "hepatitis_b_vaccination", "live_vaccination", "dental_procedure", "dental_check", "eye_examination",
    "central_venous_catheter", "major_surgery", "hospitalisation", "icu_admission", "palliative_care", "lost_to_follow_up",
))  # fmt: skip
#: Columns of `patients` that FHIR has no element for: each is an Observation without a day.
SAID_OF = ("heavy_chain", "light_chain", "death_cause", "last_seen_on")
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
Row = dict[str, Any]


def patient(row: Row) -> list[Json]:
    """A patient, and what is known of them that a Patient has no element for."""
    key = row["patient"]
    made: Json = {"resourceType": "Patient", "id": patient_id(key), "identifier": [{"system": PATIENT_KEY, "value": key}]}
    if row["sex"]:
        made["gender"] = row["sex"]
    span = "/" in (row["born_on"] or "")
    if row["born_on"] and not span:
        made["birthDate"] = row["born_on"]
    if row["died_on"]:
        made["deceasedDateTime"] = row["died_on"].isoformat()
    if row["centre"]:
        made["managingOrganization"] = {"display": row["centre"]}
    said = {name: row[name] for name in SAID_OF if row[name] is not None} | ({"born_on": row["born_on"]} if span else {})
    return [made, *(_said(key, name, value) for name, value in said.items())]


def _said(key: str, name: str, value: Any) -> Json:
    chain = name in ("heavy_chain", "light_chain")
    made = {"resourceType": "Observation", "id": row_id("patients", (key, name, value)), "status": "final", "code": concept(name)}
    return {**made, "subject": subject(key), **({"valueCodeableConcept": answer(value)} if chain else {"valueString": str(value)})}


def observation(row: Row) -> Json:
    """One observation."""
    code, status = codes()[row["what"]], row["status"]
    made: Json = {"resourceType": "Observation", "id": row["id"]}
    if row["sample"]:
        made["contained"] = [{"resourceType": "Specimen", "id": "specimen", "type": {"text": row["sample"]}}]
    if status == "spurious":
        made["modifierExtension"] = [{"url": SPURIOUS, "valueBoolean": True}]
    made["status"] = "entered-in-error" if status == "entered_in_error" else "final"
    made |= {"code": concept(code.code), "subject": subject(row["patient"]), "effectiveDateTime": row["on"].isoformat()}
    if row["recorded_on"] and row["recorded_on"] != row["on"]:
        made["issued"] = f"{row['recorded_on']}T00:00:00Z"
    text = row["text"]
    if row["value"] is not None:
        made["valueQuantity"] = quantity(row["value"], row["unit"] or code.unit, row["comparator"])
        if text in code.words:
            made["interpretation"] = [interpretation(text)]
        elif text:
            made["note"] = [{"text": text}]
    elif text and code.kind in ("chains", "text"):
        made["valueString"] = text
    elif text:
        made["valueCodeableConcept"] = answer(text)
    if row["method"]:
        made["method"] = {"text": row["method"]}
    if row["sample"]:
        made["specimen"] = {"reference": "#specimen"}
    beside = {"detection_limit": row["unit"] or code.unit, "cells": "cells"}
    parts = [{"code": concept(name), "valueQuantity": quantity(row[name], unit)} for name, unit in beside.items() if row[name] is not None]
    return made | ({"component": parts} if parts else {})


def treatment(row: Row) -> Json:
    """A procedure; a drug of one day as an administration, any other course of a drug as a statement."""
    if "procedure" in codes()[row["what"]].grains:
        return _procedure(row)
    start, stop, dosed = row["started_on"], row["stopped_on"], row["dose"] is not None
    once = start is not None and start == stop
    made: Json = {"resourceType": "MedicationAdministration" if once else "MedicationStatement", "id": row["id"]}
    _extended(made, row, ["phase", "line", "planned", "stop_reason", *(["route"] if once and not dosed else [])])
    _recorded(made, row)
    ended = "completed" if once or row["stop_reason"] in (None, "completed") else "stopped"
    made |= {"status": ended if stop else "unknown", "medicationCodeableConcept": concept(row["what"])}
    made["subject"] = subject(row["patient"])
    if once and start:
        made["effectiveDateTime"] = start.isoformat()
    elif start or stop:
        made["effectivePeriod"] = period(start, stop)
    route = {"route": {"text": row["route"]}} if row["route"] else {}
    if once and dosed:
        made["dosage"] = {**route, "dose": quantity(row["dose"], row["dose_unit"])}
    elif not once and (dosed or route):
        rate = {"doseAndRate": [{"doseQuantity": quantity(row["dose"], row["dose_unit"])}]} if dosed else {}
        made["dosage"] = [{**route, **rate}]
    return made


def _procedure(row: Row) -> Json:
    made: Json = {"resourceType": "Procedure", "id": row["id"]}
    _extended(made, row, ["phase", "line", "planned", "stop_reason", "route"])
    if row["dose"] is not None:
        made.setdefault("extension", []).append(extension("dose", "Quantity", quantity(row["dose"], row["dose_unit"])))
    _recorded(made, row)
    made |= {"status": "completed", "code": concept(row["what"]), "subject": subject(row["patient"])}
    if row["stopped_on"]:
        made["performedPeriod"] = period(row["started_on"], row["stopped_on"])
    elif row["started_on"]:
        made["performedDateTime"] = row["started_on"].isoformat()
    return made


def _extended(made: Json, row: Row, names: list[str]) -> None:
    kinds = {"line": "PositiveInt", "planned": "Boolean", "route": "String"}
    found = [extension(name, kinds.get(name, "Code"), row[name]) for name in names if row[name] is not None]
    if found:
        made["extension"] = found


def _recorded(made: Json, row: Row) -> None:
    if row["recorded_on"] and row["recorded_on"] != row["started_on"]:
        made.setdefault("extension", []).append(extension("recorded_on", "Date", row["recorded_on"].isoformat()))


def event(row: Row) -> Json:
    """A condition; what is none is an observation."""
    if row["what"] in NO_CONDITION:
        return _happening(row)
    absent = row["text"] == "none"
    made: Json = {"resourceType": "Condition", "id": row["id"]}
    if row["until"]:
        made["clinicalStatus"] = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    made["verificationStatus"] = {"coding": [{"system": VERIFICATION, "code": "refuted" if absent else "confirmed"}]}
    if row["grade"] is not None:
        made["severity"] = {"coding": [{"system": GRADE, "code": str(row["grade"])}], "text": f"grade {row['grade']}"}
    made |= {"code": concept(row["what"]), "subject": subject(row["patient"]), "onsetDateTime": row["on"].isoformat()}
    if row["until"]:
        made["abatementDateTime"] = row["until"].isoformat()
    if row["recorded_on"] and row["recorded_on"] != row["on"]:
        made["recordedDate"] = row["recorded_on"].isoformat()
    if row["text"] and not absent:
        made["note"] = [{"text": row["text"]}]
    return made


def _happening(row: Row) -> Json:
    made: Json = {"resourceType": "Observation", "id": row["id"]}
    if row["grade"] is not None:
        made["extension"] = [extension("grade", "Integer", number(float(row["grade"])))]
    made |= {"status": "final", "code": concept(row["what"]), "subject": subject(row["patient"])}
    if row["until"]:
        made["effectivePeriod"] = period(row["on"], row["until"])
    else:
        made["effectiveDateTime"] = row["on"].isoformat()
    if row["recorded_on"] and row["recorded_on"] != row["on"]:
        made["issued"] = f"{row['recorded_on']}T00:00:00Z"
    return made | ({"valueString": row["text"]} if row["text"] not in (None, "none") else {"valueBoolean": row["text"] is None})
