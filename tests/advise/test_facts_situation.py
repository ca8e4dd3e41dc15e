"""Where a patient stands, how old, how fit, and how the myeloma is staged: small charts, each with its answer."""

from __future__ import annotations

import polars as pl
from test_facts_chart import each, each_on, person, told

VRD = "bortezomib 0-120 induction; lenalidomide 0-120 induction; dexamethasone 0-120 induction"
DVRD = VRD + "; daratumumab 0-120 induction"
RISING = "0 serum_m_protein 40; 30 serum_m_protein 12; 60 serum_m_protein 10"


SITUATIONS = [  # given, seen, happened, diagnosis; situation, lines behind
    ("", "", "", "MM", "untreated", 0),
    ("zoledronic_acid 0-0; dexamethasone 0-4; radiotherapy 0-5", "", "", "MM", "untreated", 0),
    ("", "0 circulating_plasma_cells 22; 0 marrow_plasma_cells 70", "", "PCL", "untreated", 0),
    ("", "", "", "SMM", "smouldering", 0),
    ("daratumumab 0-", "", "", "SMM", "smouldering", 1),
    ("", "", "", "MGUS_non_IgM", "precursor", 0),
    (VRD, "", "", "MM", "first_line", 1),
    ("lenalidomide 0-", RISING, "", "MM", "first_line", 1),
    ("lenalidomide 0-", RISING + "; 200 serum_m_protein 20", "", "MM", "relapse_unconfirmed", 1),
    ("lenalidomide 0-", RISING + "; 200 serum_m_protein 20; 230 serum_m_protein 22", "", "MM", "relapse", 1),
    ("lenalidomide 0-200 progression", "", "", "MM", "relapse", 1),
    ("lenalidomide 0-200", "", "210 progression", "MM", "relapse", 1),
    ("lenalidomide 0-200", "", "210 progression text=none", "MM", "first_line", 1),
    ("lenalidomide 0-200 progression; carfilzomib 210-; daratumumab 210-", "", "", "MM", "later_line", 2),
    ("lenalidomide 0-200 progression; carfilzomib 210-300 progression", "", "", "MM", "relapse", 2),
    (VRD, "", "", None, "first_line", 1),
]


def test_situation() -> None:
    rows = each(person("A", *case[:4]) for case in SITUATIONS)
    assert [(*case[:4], row["situation"], row["prior_lines"]) for case, row in zip(SITUATIONS, rows, strict=True)] == SITUATIONS
    assert [row["line_current"] for row in rows] == [behind for *_, behind in SITUATIONS]


def test_other_diseases_of_plasma_cells() -> None:
    bone = "0 plasmacytoma_proven bone; 0 plasmacytoma_count 1; 0 marrow_plasma_cells 2; 0 marrow_clonality negative; 0 calcium 2.3;"
    bone += "0 albumin 40; 0 hemoglobin 140; 0 creatinine 70; 0 lytic_lesions 1; 0 mri_focal_lesions 1; 0 kappa_flc 10; 0 lambda_flc 10;"
    macro = person("L", seen="0 marrow_lpl_infiltration 30; 0 serum_m_protein 30", diagnosis=None, heavy_chain="igm")
    assert told(person("A", seen=bone, diagnosis=None), macro)["situation"].to_list() == ["plasmacytoma", "untreated|other"]


def test_a_situation_that_nobody_knows() -> None:
    row = told(person("A", diagnosis=None)).row(0, named=True)
    assert "untreated" in row["situation"].split("|")
    assert "relapse" not in row["situation"].split("|")
    assert row["prior_lines"] is None
    assert row["exposed_pi"] is None


def test_a_drug_given_nobody_knows_when_is_a_treatment() -> None:
    one = person("A", "lenalidomide 0-10")
    one["treatments"][0] |= {"started_on": None, "stopped_on": None}
    row = told(one).row(0, named=True)
    assert (row["situation"], row["prior_lines"], row["exposed_lenalidomide"], row["exposed_pi"]) == (None, None, True, False)


PHASES = [
    ("bortezomib 0- induction; lenalidomide 0- induction", 60, "induction"),
    ("bortezomib 0-; lenalidomide 0-", 60, "induction"),
    (VRD, 150, "induction"),
    (VRD, 200, "off_treatment"),
    (VRD + "; autologous_transplant 150-150 transplant", 170, "after_transplant"),
    (VRD + "; autologous_transplant 150-150 transplant", 260, "off_treatment"),
    (VRD + "; autologous_transplant 150-150; bortezomib 230- consolidation; lenalidomide 230- consolidation", 250, "after_transplant"),
    (VRD + "; autologous_transplant 150-150; lenalidomide 230- maintenance", 250, "maintenance"),
    (VRD + "; autologous_transplant 150-150; lenalidomide 230-", 250, "after_transplant|maintenance"),
    (VRD + "; autologous_transplant 150-150; lenalidomide 230-300 maintenance completed", 310, "off_treatment"),
    ("bortezomib 0-200; lenalidomide 0-", 250, "induction|maintenance"),
    ("lenalidomide 0-200 progression", 250, None),
]


def test_phase_of_the_first_line() -> None:
    rows = each_on((person(given=given), at) for given, at, _ in PHASES)
    assert [(given, at, row["first_line_phase"]) for (given, at, _), row in zip(PHASES, rows, strict=True)] == PHASES


INDUCED = [
    ("bortezomib 0-; lenalidomide 0-", 91, 3.0),
    (VRD, 300, 3.935484),  # to the last dose, 30 April
    (VRD + "; autologous_transplant 152-152 transplant", 300, 3.935484),
    ("lenalidomide 0-; autologous_transplant 152-152", 300, 5.0),
    ("bortezomib 0-; lenalidomide 0- induction; lenalidomide 121- maintenance", 300, 4.0),
    ("", 300, None),
]


def test_months_of_induction() -> None:
    rows = each_on((person(given=given), at) for given, at, _ in INDUCED)
    assert [(given, at, row["months_of_induction"]) for (given, at, _), row in zip(INDUCED, rows, strict=True)] == INDUCED


FIT, MIDDLE, FRAIL = ("0 adl 6; 0 iadl 8; 0 charlson 0", "0 adl 6; 0 iadl 8; 0 charlson 3", "0 adl 3; 0 iadl 3; 0 charlson 4")


ELIGIBLE = [  # born, seen, happened, eligible
    ("1960-01-01", "", "", True),  # 65
    ("1960-01-01", MIDDLE, "", True),
    ("1960-01-01", FRAIL, "", False),
    ("1960-01-01", "", "300 declined text=autologous transplant", False),
    ("1960-01-01", "", "300 declined text=拒绝自体造血干细胞移植", False),
    ("1960-01-01", "", "300 declined text=CAR-T", True),
    ("1960-01-01", "", "300 declined", None),
    ("1957-01-01", "", "", None),  # 68
    ("1957-01-01", FIT, "", True),
    ("1957-01-01", MIDDLE, "", False),
    ("1957-01-01", "", "300 transplant_planned", True),
    ("1953-01-01", FIT, "", False),  # 72
    ("1959", "", "", None),  # 65 or 66
    ("1959", FIT, "", True),
    (None, "", "", None),
    (None, "", "300 transplant_planned", True),
    (None, FRAIL, "", False),
]


def test_eligible_for_a_transplant() -> None:
    rows = each(person(seen=seen, happened=happened, born_on=born) for born, seen, happened, _ in ELIGIBLE)
    assert [(*case[:3], row["transplant_eligible"]) for case, row in zip(ELIGIBLE, rows, strict=True)] == ELIGIBLE


def test_age_of_which_only_the_year_is_known() -> None:
    row = told(person("A", born_on="1960"), person("B", born_on="1960-02-04"), person("C", born_on="1960-02-05"), at=400)
    assert row["age"].to_list() == [None, 65.0, 64.0]
    assert row["age_low"].to_list() == [64.0, 65.0, 64.0]
    assert row["age_high"].to_list() == [65.0, 65.0, 64.0]


NONE = ("0 del_17p 0", "0 t_4_14 negative", "0 t_14_16 negative", "0 t_14_20 negative", "0 gain_1q 2")
ABNORMAL = [  # found; exactly, at least, at most
    (NONE, (0, 0, 0)),
    (("0 del_17p 20", *NONE[1:]), (0, 0, 0)),  # more than 20 % counts
    (("0 del_17p 21", "0 t_4_14 positive", *NONE[2:4], "0 gain_1q 3"), (3, 3, 3)),
    (("0 del_17p positive", *NONE[1:]), (None, 0, 1)),  # in how many cells?
    (NONE[:4], (None, 0, 1)),
    ((*NONE[:4], "0 gain_1q positive"), (1, 1, 1)),
    ((), (None, 0, 5)),
]


def test_high_risk_abnormalities_are_counted_within_what_is_known() -> None:
    names = [f"high_risk_abnormalities{end}" for end in ("", "_low", "_high")]
    rows = each(person(seen="; ".join(found)) for found, _ in ABNORMAL)
    assert [(found, tuple(map(row.get, names))) for (found, _), row in zip(ABNORMAL, rows, strict=True)] == ABNORMAL


def test_the_status_is_passed_on_with_what_is_possible() -> None:
    table = told(
        person("A", seen="0 b2m 6; 0 ldh 100; 0 ldh_upper_limit 240; 0 t_11_14 positive"), person("B", seen="0 b2m 3"), person("C")
    )
    assert table["iss"].to_list()[:2] == ["III", "I|II"]
    assert table["ldh_high"].to_list() == [False, None, None]
    assert table["t_11_14"].to_list() == [True, None, None]
    assert table["double_hit"].to_list() == [None] * 3


MODELS = [
    ("0 serum_m_protein 35; 0 kappa_flc 450; 0 lambda_flc 10; 0 marrow_plasma_cells 45", "agree_high"),
    ("0 serum_m_protein 5; 0 kappa_flc 20; 0 lambda_flc 10; 0 marrow_plasma_cells 11; 0 t_4_14 negative; 0 t_14_16 negative;"
     "0 gain_1q 2; 0 del_13q negative", "agree_not_high"),
    ("0 serum_m_protein 20; 0 kappa_flc 200; 0 lambda_flc 10; 0 marrow_plasma_cells 12", "disagree"),  # China takes the limits in
    ("0 serum_m_protein 5", None),
]  # fmt: skip


def test_models_of_smouldering_risk() -> None:
    rows = each(person(seen=seen, diagnosis="SMM") for seen, _ in MODELS)
    assert [(seen, row["smm_models"]) for (seen, _), row in zip(MODELS, rows, strict=True)] == MODELS


def test_kind_of_relapse_is_that_of_the_present_one() -> None:
    seen = RISING + "; 200 serum_m_protein 20; 230 serum_m_protein 22; 195 hemoglobin 120; 200 hemoglobin 118; 200 creatinine 90"
    seen += "; 0 creatinine 85; 200 calcium 2.3"
    row = told(person("A", "lenalidomide 0-240", seen), at=250).row(0, named=True)
    assert (row["relapse_kind"], row["response"], row["significant_paraprotein_relapse"]) == ("biochemical", "PD", True)
    later = told(person("A", "lenalidomide 0-240; carfilzomib 260-", seen), at=300).row(0, named=True)
    assert (later["situation"], later["relapse_kind"]) == ("later_line", None)


def test_months_in_a_response() -> None:
    seen = "0 serum_m_protein 40; 31 serum_m_protein 10; 60 serum_m_protein 3; 91 serum_m_protein 3; 121 serum_m_protein 3"
    seen += "; 0 urine_m_protein 0; 60 urine_m_protein 0; 91 urine_m_protein 0"
    rows = told(person("A", "lenalidomide 0-", seen), person("B", "lenalidomide 0-"), at=182)
    assert rows.select("response", "pr_months", "vgpr_months", "cr_months").row(0) == ("VGPR", 5.0, 4.0, 0.0)
    assert rows.select("pr_months", "cr_months").row(1) == (None, None)


def test_order_of_patients_is_that_of_the_status() -> None:
    rows = told(person("10"), person("9"), person("1"))
    assert rows["patient"].to_list() == ["1", "10", "9"]
    assert rows["at"].dtype == pl.Date
