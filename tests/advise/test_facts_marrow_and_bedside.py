"""MRD, targets, laboratory, what stands at the bedside, and what is due: small charts, each with its answer."""

from __future__ import annotations

import pytest
from test_facts_chart import each, person, told

INDUCED = "bortezomib 0-120 induction; lenalidomide 0-120 induction"
GRAFTED = INDUCED + "; autologous_transplant 150-150 transplant"
CLAIMS = ("mrd_1e4", "mrd_1e5", "mrd_1e6", "mrd_months")
CLAIMED = [
    (INDUCED, "", (None, None, None, None)),
    (INDUCED, "91 mrd 0 ngs cells=4e6", ("negative", "negative", "negative", 3.0)),
    (INDUCED, "91 mrd 0 ngs cells=400000", ("negative", "negative", "indeterminate", 3.0)),
    (INDUCED, "91 mrd 1e-3 ngs cells=4e6", ("positive", "positive", "positive", 3.0)),
    (INDUCED, "60 mrd 1e-3 ngs cells=4e6; 91 mrd 0 ngs cells=4e6", ("negative", "negative", "negative", 3.0)),
    (INDUCED, "91 mrd 1e-3 ngs cells=4e6; 91 mrd 0 ngf cells=1e7", ("positive", "positive", "positive", 3.0)),
    ("", "91 mrd 0 ngs cells=4e6", (None, None, None, None)),  # not treated: of no line
    ("lenalidomide 0-100 progression; carfilzomib 110-", "91 mrd 0 ngs cells=4e6", (None, None, None, None)),  # of the line before
]


def test_newest_claim_of_the_line() -> None:
    rows = each((person("A", given, seen) for given, seen, _ in CLAIMED), at=182)
    assert [(given, seen, tuple(map(row.get, CLAIMS))) for (given, seen, _), row in zip(CLAIMED, rows, strict=True)] == CLAIMED


def test_blood_is_no_marrow() -> None:
    marrow, blood = (person("A", INDUCED, "91 mrd 0 ngs cells=4e6") for _ in range(2))
    blood["observations"][0]["sample"] = "peripheral blood"
    assert [row["mrd_1e5"] for row in each([marrow, blood])] == ["negative", None]


TIMED = [
    (INDUCED, 60, "induction"),
    (INDUCED, 130, "induction"),
    (GRAFTED, 130, "induction"),
    (GRAFTED, 200, "after_transplant"),
    (GRAFTED + "; lenalidomide 240- maintenance", 300, "maintenance"),
    (GRAFTED + "; lenalidomide 240-280 maintenance", 300, "off_treatment"),
    ("lenalidomide 0-50 progression; carfilzomib 60-", 100, "later"),
]


def test_phase_of_the_test() -> None:
    rows = each((person("A", given, f"{day} mrd 0 ngs cells=4e6") for given, day, _ in TIMED), at=390)
    assert [(given, day, row["mrd_timing"]) for (given, day, _), row in zip(TIMED, rows, strict=True)] == TIMED


POSITIVE, NEGATIVE, FEW = "{} mrd 1e-3 ngs cells=4e6", "{} mrd 0 ngs cells=4e6", "{} mrd 0 ngs cells=1000"
FOLLOWED = [  # given, tests, persistent, converted
    (INDUCED, [], False, None),
    (INDUCED, [(60, POSITIVE)], False, False),
    (INDUCED, [(60, POSITIVE), (139, POSITIVE)], False, False),
    (INDUCED, [(60, POSITIVE), (140, POSITIVE)], True, False),
    (INDUCED, [(60, POSITIVE), (100, NEGATIVE), (160, POSITIVE)], False, False),
    (GRAFTED, [(200, POSITIVE)], True, False),
    (INDUCED, [(60, POSITIVE), (140, NEGATIVE)], False, True),
    (INDUCED, [(140, NEGATIVE)], False, None),
    (INDUCED, [(60, NEGATIVE), (140, NEGATIVE)], False, False),
    (INDUCED, [(60, POSITIVE), (140, FEW)], False, None),
    (GRAFTED, [(200, NEGATIVE), (400, POSITIVE)], False, False),
]


def test_persistent_and_converted() -> None:
    rows = each(person("A", given, "; ".join(text.format(day) for day, text in tests)) for given, tests, *_ in FOLLOWED)
    found = [(*case[:2], row["mrd_persistent"], row["mrd_conversion"]) for case, row in zip(FOLLOWED, rows, strict=True)]
    assert found == FOLLOWED


def test_sustained_and_resurgent() -> None:
    year = "; ".join([NEGATIVE.format(60), NEGATIVE.format(430)])
    names = ("sustained_mrd_trial", "mrd_resurgence")
    assert told(person("A", INDUCED, year), at=440).select(names).row(0) == (True, False)
    assert told(person("A", INDUCED, year + "; " + POSITIVE.format(500)), at=510).select(names).row(0) == (False, True)


NEWEST = [
    ("370 hemoglobin 90", "hemoglobin", 90.0),
    ("369 hemoglobin 90", "hemoglobin", None),
    ("380 hemoglobin 90; 390 hemoglobin 95", "hemoglobin", 95.0),
    ("390 hemoglobin 90; 390 hemoglobin 95 recorded=395", "hemoglobin", 95.0),
    ("390 hemoglobin 95; 401 hemoglobin 90", "hemoglobin", 95.0),
    ("320 creatinine_clearance 55", "creatinine_clearance", 55.0),
    ("300 creatinine_clearance 55", "creatinine_clearance", None),
    ("320 egfr 48", "creatinine_clearance", 48.0),
    ("40 lvef 55", "lvef", 55.0),
    ("30 lvef 55", "lvef", None),
    ("380 calcium 2.5; 380 albumin 30", "corrected_calcium", pytest.approx(2.7)),
    ("380 calcium 2.5", "corrected_calcium", None),
    ("380 corrected_calcium 2.6", "corrected_calcium", 2.6),
    ("380 igg 12; 380 serum_m_protein 8", "igg_polyclonal", 4.0),
    ("10 tnfrsf17_status biallelic_loss", "tnfrsf17_status", "biallelic_loss"),
    ("10 bcma_expression positive; 300 bcma_expression negative", "bcma_expression", "negative"),
    ("10 hepatitis_b_surface_antigen negative; 10 hepatitis_b_core_antibody negative", "hepatitis_b", "negative"),
    ("10 hepatitis_b_surface_antigen negative; 10 hepatitis_b_core_antibody positive", "hepatitis_b", "core_antibody"),
    ("10 hepatitis_b_surface_antigen positive", "hepatitis_b", "surface_antigen"),
    ("10 hepatitis_b_surface_antigen negative", "hepatitis_b", "negative|core_antibody"),
    ("390 hepatitis_b_dna 100", "hepatitis_b_dna_positive", True),
    ("390 hepatitis_b_dna negative", "hepatitis_b_dna_positive", False),
    ("10 hiv negative", "hiv", False),
    ("10 extramedullary_disease yes", "extramedullary_disease", True),
    ("10 extramedullary_disease yes; 90 extramedullary_disease no", "extramedullary_disease", False),
    ("", "extramedullary_disease", None),
]


def test_newest_value_that_counts() -> None:
    rows = each(person(seen=seen) for seen, *_ in NEWEST)
    assert [(seen, name, row[name]) for (seen, name, _), row in zip(NEWEST, rows, strict=True)] == NEWEST


def test_bounds_and_spurious_values() -> None:
    spurious = person("A", seen="390 hemoglobin 40")
    spurious["observations"][0]["status"] = "spurious"
    bounded = person("A", seen="390 crp <5; 390 ferritin >2000; 390 igg 20")
    row, other, not_true = each([bounded, person("A", seen="390 igg 5", heavy_chain="iga"), spurious])
    assert [row[f"crp{end}"] for end in ("", "_low", "_high")] == [None, 0.0, 5.0]
    assert [row[f"ferritin{end}"] for end in ("", "_low", "_high")] == [None, 2000.0, float("inf")]
    assert [row[f"igg_polyclonal{end}"] for end in ("", "_low", "_high")] == [None, 0.0, 20.0]  # M-protein not known
    assert other["igg_polyclonal"] == 5.0
    assert not_true["hemoglobin"] is None


def test_clearance_is_worked_out_from_creatinine_age_and_sex() -> None:
    people = (("A", "1965-01-01", "male"), ("B", None, "male"), ("C", "1965", "male"), ("D", "1965-01-01", None))
    row = told(*(person(name, seen="390 creatinine 88.4", born_on=born, sex=sex) for name, born, sex in people))
    young, old = (142 * (1 / 0.9) ** -1.2 * 0.9938**age for age in (59, 60))  # CKD-EPI 2021, a man with 1.0 mg/dL
    assert row["creatinine_clearance"].to_list() == [pytest.approx(old), None, None, None]
    assert row["creatinine_clearance_low"].to_list() == [pytest.approx(old), None, pytest.approx(old), None]
    assert row["creatinine_clearance_high"].to_list() == [pytest.approx(old), None, pytest.approx(young), None]


INFECTED = [  # happened, infected, grade
    ("", False, 0.0),
    ("390 infection grade=2", True, 2.0),
    ("370 infection grade=2", True, 2.0),
    ("369 infection grade=2", False, 0.0),  # no end recorded, but long ago
    ("300 infection grade=3 until=400", True, 3.0),
    ("300 infection grade=3 until=399", False, 0.0),
    ("390 pneumocystis grade=3; 395 cmv_reactivation grade=2", True, 3.0),
    ("390 infection", True, None),
    ("390 infection grade=3; 396 infection text=none", False, 0.0),
    ("401 infection grade=3", False, 0.0),
    ("390 herpes_zoster grade=2", False, 0.0),
]


def test_active_infection() -> None:
    rows = each(person("A", happened=happened) for happened, *_ in INFECTED)
    found = [(case[0], row["active_infection"], row["active_infection_grade"]) for case, row in zip(INFECTED, rows, strict=True)]
    assert found == INFECTED


BESIDE = [
    ("390 pregnancy", "pregnancy", True),
    ("50 pregnancy", "pregnancy", False),
    ("300 pregnancy until=350", "pregnancy", False),
    ("10 no_caregiver", "no_caregiver", True),
    ("10 no_caregiver; 300 no_caregiver text=none", "no_caregiver", False),
    ("10 heart_failure", "heart_failure", True),
    ("10 heart_failure until=60", "heart_failure", False),
    ("10 vte", "prior_vte", True),
    ("10 vte text=none", "prior_vte", False),
    ("380 spinal_cord_compression", "spinal_cord_compression", True),
    ("300 spinal_cord_compression", "spinal_cord_compression", False),
    ("380 hypercalcaemia_episode", "hypercalcaemia", True),
    ("398 crs grade=2", "crs_now", 2.0),
    ("398 crs grade=2 until=399", "crs_now", 0.0),
    ("398 icans", "icans_now", None),
    ("100 declined text=refuses CAR-T", "declined_car_t", True),
    ("100 declined text=患者拒绝西达基奥仑赛", "declined_car_t", True),
    ("100 declined text=拒绝双抗治疗", "declined_bispecific", True),
    ("100 declined text=teclistamab", "declined_bispecific", True),
    ("100 declined text=teclistamab", "declined_car_t", False),
    ("100 declined text=移植", "declined_transplant", True),
    ("100 declined until=200 text=移植", "declined_transplant", False),
    ("100 declined", "declined_bispecific", None),
    ("100 infection grade=3; 200 pneumocystis grade=4; 300 infection grade=2", "severe_infections_12m", 2.0),
    ("20 infection grade=3", "severe_infections_12m", 0.0),
    ("100 infection grade=3; 200 infection", "severe_infections_12m", None),
]


def test_at_the_bedside() -> None:
    rows = each(person(happened=happened) for happened, *_ in BESIDE)
    assert [(happened, name, row[name]) for (happened, name, _), row in zip(BESIDE, rows, strict=True)] == BESIDE


def test_a_new_plasmacytoma_is_extramedullary_disease_of_the_relapse_it_belongs_to() -> None:
    given = "lenalidomide 0-300 progression"
    rows = each([
        person("A", given, happened="300 plasmacytoma_new"),
        person("A", given, happened="100 plasmacytoma_new", seen="5 extramedullary_disease no"),
        person("A", given + "; carfilzomib 320-", happened="300 plasmacytoma_new"),
    ])  # fmt: skip
    assert [row["extramedullary_disease"] for row in rows] == [True, True, None]


def test_what_is_due_is_the_state_of_the_table() -> None:
    row = told(person("A", "bortezomib 0-"), person("B")).select("due_herpes_prophylaxis", "due_hepatitis_b_screening", "due_igg")
    assert row.row(1) == ("not_due", "not_due", "not_due")
    assert row["due_hepatitis_b_screening"][0] in ("due", "due|done")
    assert row["due_igg"][0] == "not_due"
