"""Condition.stage: the stage of a myeloma, with its day, beside what Observations say."""

from __future__ import annotations

import pytest
from bundles import SNOMED, SUBJECT, coded, condition, observation, read, refused, values

from bence.catalogue import code
from bence.fhir import to_fhir
from bence.read.fhir.stages import in_words
from bence.read.measurement import Written, measured

NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
MYELOMA = coded("109989006", SNOMED)
ONSET, ASSESSED = "2025-01-20", "2025-01-29"
ISS_3, R_ISS_2 = coded("C70660", NCIT), coded("C141395", NCIT)


def myeloma(*stages, code=MYELOMA, **more):
    return condition(code, stage=list(stages), **more)


def assessment(code, value, on=ASSESSED, **more):
    return observation(coded(code, NCIT), value, on, id="a", **more)


def stage(summary, kind=None, *to):
    made = {"summary": summary if isinstance(summary, dict) else {"text": summary}}
    made |= {"type": kind if isinstance(kind, dict) else {"text": kind}} if kind else {}
    return made | ({"assessment": [{"reference": each} for each in to]} if to else {})


def told(chart):
    return [(on, what, text) for on, what, _, _, text in values(chart)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (stage(ISS_3), [("iss", "III")]),
        (stage(R_ISS_2, coded("1149163003", SNOMED)), [("r_iss", "II")]),
        (stage("III", coded("1149162008", SNOMED)), [("iss", "III")]),
        (stage("Stage II", "R-ISS"), [("r_iss", "II")]),
        (stage("R2-ISS IV"), [("r2_iss", "IV")]),
        (stage("IIIA", coded("C139006", NCIT)), [("durie_salmon", "IIIA")]),
        (stage("ISS Stage III Plasma Cell Myeloma"), [("iss", "III")]),
        (stage("DS分期IIIA期，ISS Ⅲ期，R-ISS II期"), [("durie_salmon", "IIIA"), ("iss", "III"), ("r_iss", "II")]),
    ],
)
def test_a_stage_is_recorded_as_that_of_an_observation(given, expected):
    chart = read(myeloma(given))
    assert told(chart) == [(ONSET, *each) for each in expected], refused(chart)
    assert chart.observations["source"].to_list() == ["FHIR:2"] * len(expected)
    assert chart.tally["stages dated by their condition, for want of an assessment"] == 1
    assert chart.events.height == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (stage("III"), "not a stage of myeloma that is known"),  # of which scale?
        (stage("IIIA", coded("897275008", SNOMED)), "not a stage of myeloma that is known"),  # AJCC
        (stage("ISS I-II"), "not a stage of myeloma that is known"),
        (stage("ISS I/II"), "not a stage of myeloma that is known"),
        (stage("ISS III, advanced"), "not a stage of myeloma that is known"),
        (stage("Durie-Salmon PLUS III"), "not a stage of myeloma that is known"),
        (stage("R-ISS IV"), "not a stage of myeloma that is known"),
        (stage(ISS_3, "R-ISS"), "its type is r_iss, its stage one of iss"),
        (stage("ISS III", "R-ISS"), "its type is r_iss, its stage one of iss"),
    ],
)
def test_what_is_not_understood_is_told(given, reason):
    chart = read(myeloma(given))
    assert told(chart) == []
    assert [(row[1], row[3]) for row in refused(chart)] == [("Condition.stage[0].summary", reason)]
    assert chart.events.height == 1  # the diagnosis itself stands


def test_the_day_is_that_of_the_assessment_and_one_row_says_it_once():
    chart = read(myeloma(stage(ISS_3, None, "Observation/a")), assessment("C139007", ISS_3, issued="2025-02-03T08:00:00Z"))
    assert told(chart) == [(ASSESSED, "iss", "III")]
    assert chart.observations["source"].to_list() == ["FHIR:3"]
    assert chart.tally["stages of a condition that an Observation says, too"] == 1


def test_an_observation_that_differs_stands_beside_it():
    both = read(myeloma(stage(ISS_3, None, "Observation/a")), assessment("C139007", coded("C70659", NCIT)))
    assert sorted(told(both)) == [(ASSESSED, "iss", "II"), (ASSESSED, "iss", "III")]
    later = read(myeloma(stage(ISS_3)), assessment("C139007", ISS_3))
    assert told(later) == [(ONSET, "iss", "III"), (ASSESSED, "iss", "III")]


def test_the_order_of_resources_does_not_matter():
    resources = [assessment("C139007", ISS_3, ONSET), myeloma(stage(ISS_3))]
    assert told(read(*resources)) == told(read(*reversed(resources))) == [(ONSET, "iss", "III")]


def test_two_conditions_of_one_stage_are_one_row():
    assert told(read(myeloma(stage(ISS_3)), myeloma(stage("ISS III")))) == [(ONSET, "iss", "III")]


@pytest.mark.parametrize(
    ("change", "on"),
    [
        ({"onsetDateTime": None, "recordedDate": "2025-02-01"}, "2025-02-01"),  # as the condition itself is dated
        ({"onsetDateTime": None, "onsetPeriod": {"start": "2025-01-18"}}, "2025-01-18"),
    ],
)
def test_without_an_onset_the_day_is_that_of_the_condition(change, on):
    chart = read(myeloma(stage(ISS_3)) | change)
    assert told(chart) == [(on, "iss", "III")]
    assert chart.events["on"].cast(str).to_list() == [on]


def test_no_day_is_invented():
    no_day = read(myeloma(stage(ISS_3)) | {"onsetDateTime": None})
    assert told(no_day) == []
    assert ("Condition.stage[0].summary", "the stage has no day") in [(row[1], row[3]) for row in refused(no_day)]
    month = read(myeloma(stage(ISS_3), onsetDateTime="2025-01"))
    assert told(month) == []
    assert {row[3] for row in refused(month)} == {"a date without its day"}
    gone = read(myeloma(stage(ISS_3, None, "Observation/gone")))
    assert told(gone) == []
    assert [(row[1], row[3]) for row in refused(gone)] == [
        ("Condition.stage[0].assessment[0]", "1 references to a Observation that is not here"),
        ("Condition.stage[0].summary", "its assessment, which has its day, is not here"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "preliminary"},
        {"effectiveDateTime": "2025-01"},
        {"subject": {"reference": "Patient/other"}},
    ],
)
def test_an_assessment_that_does_not_stand_gives_no_day(change):
    chart = read(myeloma(stage(ISS_3, None, "Observation/a")), assessment("C139007", R_ISS_2) | change)
    assert ("Condition.stage[0].summary", "its assessments do not have one day") in [(row[1], row[3]) for row in refused(chart)]
    assert "iss" not in chart.observations["what"].to_list()


def test_what_bence_computed_does_not_confirm_itself():
    derived = {"tag": [{"system": "urn:bence:codes", "code": "derived"}]}
    chart = read(myeloma(stage(ISS_3, None, "Observation/a")), assessment("C139007", ISS_3, meta=derived))
    assert told(chart) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": coded("413587002", SNOMED)}, "a stage of smm_diagnosis is not read"),
        ({"verificationStatus": coded("refuted", "urn:v")}, "a stage of what is refuted is not read"),
    ],
)
def test_only_a_myeloma_has_a_stage(change, reason):
    chart = read(myeloma(stage(ISS_3)) | change)
    assert told(chart) == []
    assert [row[3] for row in refused(chart)] == [reason]


def test_a_stage_of_another_scale_in_an_observation():
    chart = read(assessment("C141392", ISS_3))
    assert told(chart) == []
    assert [row[3] for row in refused(chart)] == ["its code is r_iss, its value a stage of iss"]


def test_a_stage_in_words_is_a_word_of_the_catalogue():
    for text in ("ISS 2", "R-ISS Ⅱ期", "R2-ISS stage IV", "Durie/Salmon stage IIB", "国际分期 III期"):
        ((scale, found),) = in_words(text).items()
        assert measured(code(scale), Written(text=found)).text == found


def test_a_stage_that_was_read_is_written_and_read_again():
    chart = read(myeloma(stage(ISS_3)))
    again = read(*[entry["resource"] for entry in to_fhir(chart)["entry"]][1:])
    assert told(again) == told(chart)
    assert SUBJECT["reference"] == "Patient/p1"
