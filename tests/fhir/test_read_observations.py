"""Observations and reports of FHIR, each form and each trap made by hand."""

from __future__ import annotations

import pytest
from bundles import LOINC, SNOMED, bundle, coded, observation, quantity, read, refused, values

from bence.catalogue import codes
from bence.read import from_fhir
from bence.read.fhir.concepts import check_digit_holds
from bence.read.mapping import loads

DAY = "2025-01-29"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (observation("1952-1", quantity(6.1, "mg/L")), ("b2m", 6.1, None, None)),
        (observation("36916-5", quantity(12.5, "mg/dL")), ("kappa_flc", 125, None, None)),
        (observation("718-7", quantity(9.4, "g/dL")), ("hemoglobin", 94, None, None)),
        (observation("777-3", quantity(210, "10*3/uL")), ("platelets", 210, None, None)),
        (observation("42482-0", quantity(900, "mg/24 h", "mg/(24.h)")), ("urine_m_protein", 900, None, None)),
        (observation("36916-5", quantity(0.5, "mg/L", comparator="<")), ("kappa_flc", 0.5, "<", None)),
        (observation("48378-4", quantity(1.2, "ratio", "{ratio}")), ("flc_ratio", 1.2, None, None)),
        (observation("89247-1", 2), ("ecog", 2, None, None)),
        (observation("25700-6", "IgG-κ型M蛋白"), ("serum_ife", None, None, "igg_kappa")),
        (observation({"text": "t(4;14)"}, coded("10828004", SNOMED)), ("t_4_14", None, None, "positive")),
        (observation({"text": "t(4;14)"}, coded("LA6577-6")), ("t_4_14", None, None, "negative")),
        (observation({"text": "新发病灶"}, True), ("new_lesion", None, None, "yes")),
        (observation({"text": "血红蛋白(g/L)"}, {"value": 94}), ("hemoglobin", 94, None, None)),
    ],
)
def test_a_value_is_read(resource, expected):
    chart = read(resource)
    assert values(chart) == [(DAY, *expected)], refused(chart)


@pytest.mark.parametrize(
    ("change", "on"),
    [
        ({"effectiveDateTime": "2025-01-29T23:30:00-05:00"}, "2025-01-29"),  # the day of the clinic, not 30 January of Greenwich
        ({"effectiveDateTime": "2025-01-29T00:30:00+08:00"}, "2025-01-29"),
        ({"effectiveInstant": "2025-01-29T08:00:00.123Z"}, "2025-01-29"),
        ({"effectivePeriod": {"start": "2025-01-28T08:00:00+08:00", "end": "2025-01-29T08:00:00+08:00"}}, "2025-01-28"),
        ({"effectivePeriod": {"end": "2025-01-29"}}, "2025-01-29"),
    ],
)
def test_the_day_is_that_of_the_place(change, on):
    assert values(read(observation("1952-1", quantity(6, "mg/L"), None) | change))[0][0] == on


def test_the_specimen_has_the_day_where_the_observation_has_none():
    drawn = {"resourceType": "Specimen", "id": "s", "type": {"text": "serum"}, "collection": {"collectedDateTime": "2025-01-29"}}
    chart = read(observation("1952-1", quantity(6, "mg/L"), None, contained=[drawn], specimen={"reference": "#s"}))
    assert chart.observations.select("on", "sample").cast(str).row(0) == ("2025-01-29", "serum")


@pytest.mark.parametrize(
    ("resource", "path", "reason"),
    [
        (observation("1952-1", quantity(6, "mg/L"), "2025-01"), "Observation.effective", "a date without its day"),
        (observation("1952-1", quantity(6, "mg/L"), "2025"), "Observation.effective", "a date without its day"),
        (observation("1952-1", quantity(6, "mg/L"), "2025-02-30"), "Observation.effective", "there is no such day"),
        (observation("1952-1", quantity(6, "mg/L"), None), "Observation.effective", "blank"),
        (observation("36916-5", {"value": 12}), "Observation.value", "kappa_flc needs a unit"),
        (observation("36916-5", quantity(12, "mg/L", "mg/dL")), "Observation.value", "the unit says mg/L, its UCUM code mg/dL"),
        (observation("718-7", quantity(9, "mmol/mol")), "Observation.value.unit", "unknown unit 'mmol/mol'"),
        (observation("33944-8", quantity(12, "mg/L")), "Observation.code", "33944-8 is not a LOINC code: its check digit is wrong"),
        (observation("26098-4", quantity(30, "%")), "Observation.code", "unknown code: its 1 rows (Observation) are not read"),
        (
            observation(coded("36916-5", display="lambda FLC"), quantity(12, "mg/L")),
            "Observation.code",
            "the code 36916-5 is kappa_flc, its display 'lambda FLC' is lambda_flc",
        ),
        (
            observation({"coding": [*coded("36916-5")["coding"], *coded("33944-0")["coding"]]}, quantity(12, "mg/L")),
            "Observation.code",
            "its codes mean kappa_flc and lambda_flc",
        ),
        (observation("1952-1", quantity(6, "mg/L"), status="preliminary"), "Observation.status", "not a result that stands"),
        (observation("1952-1", quantity(6, "mg/L"), status="cancelled"), "Observation.status", "not a result that stands"),
        (
            observation("1952-1", quantity(6, "mg/L"), modifierExtension=[{"url": "urn:x"}]),
            "Observation.modifierExtension",
            "an extension that may change the meaning",
        ),
        (observation("1952-1", None, valueRange={}), "Observation.value", "a valueRange cannot be taken"),
        (
            observation("1751-7", quantity(40, "g/L"), specimen={"display": "urine"}),
            "Observation.code",
            "albumin is not measured in this sample (urine)",
        ),
        (observation("1952-1", quantity(6, "mg/L"), subject={"reference": "Group/g"}), "Observation.subject", "its patient is not known"),
        (observation("25700-6", "可疑"), "Observation.value", None),
        (observation("1952-1", quantity(6, "mg/L")) | {"code": 7}, "Observation.code", "no code"),
        (observation("1952-1", quantity(6, "mg/L"), effectiveDateTime=None, effectivePeriod=3), "Observation.effective", "blank"),
    ],
)
def test_what_cannot_be_taken_is_told_with_its_place(resource, path, reason):
    chart = read(resource)
    assert not chart.observations.height
    (line, column, _, why) = refused(chart)[0]
    assert (line, column) == (2, path)
    assert reason is None or why == reason


def test_an_unknown_standard_code_is_not_read_by_its_text():
    """Kappa chains in urine, with a text that says only kappa: the code speaks, and it is not known."""
    concept = {"coding": [{"system": LOINC, "code": "33945-7"}], "text": "kappa free light chain"}
    assert not read(observation(concept, quantity(12, "mg/L"))).observations.height


def test_check_digits():
    assert all(check_digit_holds(each) for code in codes().values() for each in code.loinc)
    assert not any(map(check_digit_holds, ("33944-8", "36916-6", "1952", "", "a-b", "1-²")))


def test_components_and_panels():
    light = [
        {"code": coded("36916-5"), "valueQuantity": quantity(19, "mg/L")},
        {"code": coded("33944-0"), "valueQuantity": quantity(9.5, "mg/L")},
    ]
    panel = observation("104543-4", component=light)
    assert values(read(panel)) == [(DAY, "kappa_flc", 19, None, None), (DAY, "lambda_flc", 9.5, None, None)]
    assert refused(read(panel)) == []  # the panel itself has no value to lose


def test_a_member_that_is_not_here_is_told():
    panel = observation("104543-4", hasMember=[{"reference": "Observation/gone"}])
    assert [row[1:4:2] for row in refused(read(panel))] == [("Observation.hasMember[0]", "1 references to a Observation that is not here")]


def test_mrd_has_its_cells_and_its_limit():
    parts = [
        {"code": coded("detection_limit", "urn:bence:codes"), "valueQuantity": quantity("0.000001", "", "1")},
        {"code": coded("cells", "urn:bence:codes"), "valueQuantity": quantity(4200000, "cells", "{cells}")},
    ]
    chart = read(observation({"text": "MRD"}, quantity("0.00001", "", "1"), component=parts, method={"text": "NGF"}))
    assert chart.observations.select("what", "value", "method", "cells", "detection_limit").row(0) == ("mrd", 1e-5, "ngf", 4.2e6, 1e-6)


def test_entered_in_error_is_kept_and_marked():
    chart = read(observation("1952-1", quantity(6, "mg/L"), status="entered-in-error"))
    assert chart.observations["status"].to_list() == ["entered_in_error"]


def test_a_value_that_is_absent_is_a_blank_and_no_zero():
    chart = read(observation("1952-1", dataAbsentReason=coded("not-performed", "urn:x")))
    assert chart.observations.height == 0
    assert chart.rejected.height == 0
    assert chart.tally["blank"] == 1


def test_limits_of_the_laboratory():
    chart = read(observation("2532-0", quantity(240, "U/L"), referenceRange=[{"low": quantity(120, "U/L"), "high": quantity(250, "U/L")}]))
    assert [(row[1], row[2]) for row in values(chart)] == [("ldh", 240), ("ldh_upper_limit", 250)]


def test_light_chains_whose_ratio_contradicts_them():
    chart = read(
        observation("36916-5", quantity(38, "mg/L")), observation("33944-0", quantity(79, "mg/L")),
        observation("48378-4", quantity(0.05, "ratio", "{ratio}")),
    )  # fmt: skip
    assert not chart.observations.height
    assert {row[0] for row in refused(chart)} == {2, 3, 4}


def test_a_report_in_words():
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": coded("25700-6"), "effectiveDateTime": DAY}
    her = {"subject": {"reference": "Patient/p1"}}
    assert values(read({**report, **her, "conclusion": "IgA λ (+)"})) == [(DAY, "serum_ife", None, None, "iga_lambda")]
    told = refused(read({**report, **her, "conclusion": "见附件"}))
    assert told[0][:3] == (2, "DiagnosticReport.conclusion", "见附件")
    gone = read({**report, **her, "result": [{"reference": "Observation/1"}], "presentedForm": [{}]})
    assert gone.tally["attached documents, which are not read"] == 1
    assert gone.rejected["column"].to_list() == ["DiagnosticReport.result[0]"]


def test_local_codes_through_the_mapping_file():
    local = observation({"coding": [{"system": "urn:lab", "code": "K1", "display": "KAP"}]}, {"value": 1.25})
    mapping = loads('[items."urn:lab|K1"]\nwhat = "kappa_flc"\nunit = "mg/dL"\n')
    assert values(read(local, mapping=mapping)) == [(DAY, "kappa_flc", 12.5, None, None)]
    assert values(read(local)) == []
    assert refused(read(local))[0][2] == "urn:lab|K1 (KAP)"
    ignored = read(local, mapping=loads('ignore = ["KAP"]'))
    assert not ignored.rejected.height
    assert ignored.tally["rows that the mapping file leaves out"] == 1


def test_a_code_of_another_kind_in_the_mapping_file():
    local = observation({"text": "X"}, {"value": 1})
    told = refused(read(local, mapping=loads('[items."X"]\nwhat = "bortezomib"\n')))
    assert told[0][3] == "the mapping file says bortezomib, which cannot stand here"


def test_a_bundle_of_nothing_and_a_prefetch_of_null():
    assert from_fhir(bundle()).patients.height == 0
    assert from_fhir({"patient": None, "labs": None}).patients.height == 0
    assert (
        from_fhir(
            {"patient": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "down"}]}}
        ).rejected.height
        == 1
    )


def test_ucum_is_needed_by_no_reader_but_honoured():
    """A code under another system is not UCUM: the text of the unit counts."""
    assert values(read(observation("1952-1", {"value": 6, "unit": "mg/L", "system": "urn:units", "code": "g"})))[0][2] == 6


@pytest.mark.parametrize(
    "change",
    [
        {"status": ["final"]},
        {"specimen": "serum"},
        {"referenceRange": 5},
        {"valueQuantity": {"value": 3, "unit": ["mg/L"]}},
        {"code": {"coding": [None]}},
    ],
)
def test_an_element_of_the_wrong_type_leaves_the_whole_resource_out(change):
    chart = read(observation("1952-1", quantity(6, "mg/L")) | change)
    assert not chart.observations.height
    assert chart.rejected.height == 1
