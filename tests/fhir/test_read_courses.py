"""Drugs, procedures, conditions, patients and versions of FHIR, made by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest
from bundles import ATC, HER, SNOMED, SUBJECT, bundle, coded, condition, given, observation, quantity, read, refused, values

import bence
from bence.errors import ChartError
from bence.read import from_fhir
from bence.read.mapping import loads

BORTEZOMIB = coded("L01XG01", ATC)
ICD = "http://hl7.org/fhir/sid/icd-10"


def courses(chart):
    return chart.treatments.select("what", "started_on", "stopped_on", "dose", "dose_unit", "route").rows()


def test_an_administration_is_of_its_day():
    dosage = {"dose": quantity(1.3, "mg/m2"), "route": {"text": "SC"}}
    chart = read(given("MedicationAdministration", BORTEZOMIB, effectiveDateTime="2025-02-03T10:00:00+08:00", dosage=dosage))
    day = date(2025, 2, 3)
    assert courses(chart) == [("bortezomib", day, day, 1.3, "mg/m2", "SC")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"effectivePeriod": {"start": "2025-02-03", "end": "2025-05-01"}}, (date(2025, 2, 3), date(2025, 5, 1))),
        ({"effectivePeriod": {"start": "2025-02-03"}, "status": "active"}, (date(2025, 2, 3), None)),
        ({}, (None, None)),  # the exposure is known, its day is not
    ],
)
def test_a_statement_is_a_course(change, expected):
    assert courses(read(given("MedicationStatement", BORTEZOMIB, **change)))[0][1:3] == expected


def test_the_drug_may_stand_in_a_medication_elsewhere_or_inside():
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "来那度胺胶囊 25mg"}}
    statement = {"resourceType": "MedicationStatement", "status": "active", "subject": SUBJECT, "effectiveDateTime": "2025-02-03"}
    inside = {**statement, "contained": [drug], "medicationReference": {"reference": "#m"}}
    outside = {**statement, "medicationReference": {"reference": "https://host/fhir/Medication/m/_history/2"}}
    assert [row[0] for row in courses(read(inside))] == ["lenalidomide"]
    assert [row[0] for row in courses(read(drug, outside))] == ["lenalidomide"]
    assert "references to a Medication that is not here" in refused(read(outside))[0][3]


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (given("MedicationAdministration", BORTEZOMIB, status="not-done"), "MedicationAdministration.status"),
        (given("MedicationStatement", BORTEZOMIB, status="intended"), "MedicationStatement.status"),
        (given("MedicationStatement", BORTEZOMIB, status="not-taken"), "MedicationStatement.status"),
        (given("MedicationRequest", BORTEZOMIB, status="draft"), "MedicationRequest.status"),
        (given("MedicationRequest", BORTEZOMIB, intent="plan"), "MedicationRequest.intent"),
        (given("MedicationStatement", coded("A10BA02", ATC)), "MedicationStatement.medication"),
        (given("MedicationStatement", BORTEZOMIB, effectivePeriod={"start": "2025-13"}), "MedicationStatement.effective.start"),
        (
            {"resourceType": "Procedure", "status": "preparation", "code": {"text": "自体造血干细胞移植"}, "subject": SUBJECT},
            "Procedure.status",
        ),
    ],
)
def test_what_was_not_given_is_told(resource, path):
    chart = read(resource)
    assert path in chart.rejected["column"].to_list()


def test_an_order_counts_unless_what_was_given_is_here():
    order = given("MedicationRequest", BORTEZOMIB, id="r", authoredOn="2025-02-01", status="active")
    done = given("MedicationAdministration", BORTEZOMIB, request={"reference": "MedicationRequest/r"}, effectiveDateTime="2025-02-03")
    assert courses(read(order))[0][1] == date(2025, 2, 1)
    both = read(order, done)
    assert [row[1] for row in courses(both)] == [date(2025, 2, 3)]
    assert both.tally["orders whose administrations are here"] == 1


@pytest.mark.parametrize(
    ("code", "what"),
    [(coded("709115004", SNOMED), "autologous_transplant"), ({"text": "放疗"}, "radiotherapy"), ({"text": "cilta-cel"}, "cilta_cel")],
)
def test_procedures(code, what):
    made = {"resourceType": "Procedure", "status": "completed", "code": code, "subject": SUBJECT, "performedDateTime": "2025-06-01"}
    assert courses(read(made))[0][:2] == (what, date(2025, 6, 1))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (condition(coded("C90.00", ICD + "-cm")), ("mm_diagnosis", "2025-01-20", None)),
        (condition(coded("109989006", SNOMED)), ("mm_diagnosis", "2025-01-20", None)),
        (condition(coded("C90.1", ICD), verificationStatus=coded("confirmed", "urn:x")), ("pcl_diagnosis", "2025-01-20", None)),
        (condition({"text": "带状疱疹"}, verificationStatus=coded("refuted", "urn:x")), ("herpes_zoster", "2025-01-20", "none")),
        (condition(coded("C90.0", ICD), onsetDateTime=None, recordedDate="2025-02-01"), ("mm_diagnosis", "2025-02-01", None)),
    ],
)
def test_conditions(resource, expected):
    chart = read(resource)
    assert chart.events.select("what", "on", "text").cast(str).row(0) == expected, refused(chart)


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (condition(coded("C90.0", ICD), verificationStatus=coded("provisional", "urn:x")), "Condition.verificationStatus"),
        (condition(coded("C90.0", ICD), onsetDateTime="2025"), "Condition.onset"),
        (condition(coded("D47.2", ICD)), "Condition.code"),  # MGUS and smouldering myeloma share it
        (condition(coded("I10", ICD)), "Condition.code"),
    ],
)
def test_conditions_that_say_nothing_certain(resource, path):
    chart = read(resource)
    assert not chart.events.height
    assert chart.rejected["column"].to_list() == [path]


def test_the_key_of_a_patient():
    numbered = {**HER, "identifier": [{"system": "urn:mrn", "value": "0071"}, {"system": "urn:other", "value": "9"}]}
    beta = observation("1952-1", quantity(6, "mg/L"))
    mapping = loads('[patient]\nidentifier = "urn:mrn"\n')
    assert from_fhir(bundle(numbered, beta)).patients["patient"].to_list() == ["p1"]
    chosen = from_fhir(bundle(numbered, beta), mapping)
    assert chosen.observations["patient"].to_list() == ["0071"]
    without = from_fhir(bundle(HER, beta), mapping)
    assert without.patients.height == 0
    assert without.rejected["column"].to_list() == ["Patient.identifier", "Observation.subject"]


def test_a_patient_who_is_only_pointed_at():
    chart = from_fhir([observation("1952-1", quantity(6, "mg/L"))])
    assert chart.patients.select("patient", "sex").rows() == [("p1", None)]


def test_a_replaced_record_is_the_other_patient():
    old = {"resourceType": "Patient", "id": "old", "link": [{"type": "replaced-by", "other": {"reference": "Patient/p1"}}]}
    chart = read(old, observation("1952-1", quantity(6, "mg/L"), subject={"reference": "Patient/old"}))
    assert chart.patients["patient"].to_list() == ["p1"]
    assert chart.observations["patient"].to_list() == ["p1"]


def test_full_addresses_and_uuids():
    uuid = "urn:uuid:11111111-1111-4111-8111-111111111111"
    beta = observation("1952-1", quantity(6, "mg/L"), subject={"reference": uuid})
    entries = [{"fullUrl": uuid, "resource": HER}, {"resource": beta}]
    assert from_fhir({"resourceType": "Bundle", "type": "transaction", "entry": entries}).observations["patient"].to_list() == ["p1"]


def test_contradictions_about_a_patient_are_told():
    chart = read({**HER, "gender": "male"}, {**HER, "birthDate": "1958"})
    assert chart.patients["sex"].to_list() == ["female"]
    assert [row[1:3] for row in refused(chart)] == [("Patient.gender", "male"), ("Patient.birthDate", "1958")]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"gender": "other"}, "Patient.gender"),
        ({"deceasedBoolean": True}, "Patient.deceased"),
        ({"birthDate": "1958-13"}, "Patient.birthDate"),
    ],
)
def test_a_patient_cell_that_is_refused(change, path):
    chart = from_fhir({**HER, **change})
    assert chart.rejected["column"].to_list() == [path]
    assert chart.patients.height == 1


def test_only_the_newest_version_counts():
    def version(number, value):
        return observation("1952-1", quantity(value, "mg/L"), id="o", meta={"versionId": str(number)})

    chart = from_fhir(bundle(HER, version(2, 6.2), version(1, 61), version(10, 6.3), type="history"))
    assert [row[2] for row in values(chart)] == [6.3]
    assert chart.tally["older versions of resources"] == 2


def test_a_deleted_resource_is_gone():
    entry = {"request": {"method": "DELETE", "url": "Observation/o"}}
    made = bundle(HER, observation("1952-1", quantity(6, "mg/L"), id="o", meta={"versionId": "1"}), type="history")
    made["entry"].insert(1, entry)
    assert not from_fhir(made).observations.height


def test_other_resources_are_counted_once_a_type():
    chart = read({"resourceType": "Encounter"}, {"resourceType": "Encounter"}, {"resourceType": "CarePlan"})
    assert chart.tally["Encounter resources, which hold no facts of a chart"] == 2
    assert chart.tally["CarePlan resources, which hold no facts of a chart"] == 1


def test_files(tmp_path):
    beta = observation("1952-1", quantity(6, "mg/L"))
    (tmp_path / "Patient.ndjson").write_text(json.dumps(HER) + "\n", encoding="utf-8")
    lines = [json.dumps(beta), "", "{broken", json.dumps({**beta, "effectiveDateTime": "2025-03"})]
    (tmp_path / "Observation.ndjson").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "package.json").write_text('{"name": "no FHIR"}', encoding="utf-8")
    chart = bence.read(tmp_path)
    assert chart.observations["source"].to_list() == ["Observation.ndjson:1"]
    assert [row[0] for row in refused(chart)] == [3, 4]
    (tmp_path / "two.json").write_text(json.dumps([bundle(HER), bundle(beta, {**beta, "effectiveDateTime": "2025-03"})]), encoding="utf-8")
    assert [row[0] for row in refused(bence.read(tmp_path / "two.json"))] == [3]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", '{"resourceType": "Bundle", "entry": 3}', "[" * 100_000])
def test_a_file_that_is_no_fhir(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(ChartError, match=r"x\.json"):
        bence.read(tmp_path / "x.json")


def test_fhir_beside_a_chart_is_told_and_not_merged(tmp_path):
    bence.Chart(bence.read.from_fhir(HER).patients).write(tmp_path)
    (tmp_path / "more.json").write_text(json.dumps(bundle(HER)), encoding="utf-8")
    assert bence.read(tmp_path).rejected["file"].to_list() == ["more.json"]
