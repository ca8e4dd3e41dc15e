"""The demo: every synthetic patient truly shows what its title says."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bence.assess import assess
from bence.demo import HOME, demo_chart, index, lessons, run_demo, table, write_pages
from bence.errors import UsageError
from bence.read import read

DOCS = Path(__file__).parents[1] / "docs"
SYNTHETIC = ("synthetic", "合成")


@pytest.fixture(scope="module")
def chart():
    return demo_chart()


@pytest.fixture(scope="module")
def findings(chart):
    return assess(chart)


@pytest.fixture(scope="module")
def status(findings):
    return {row["patient"]: row for row in findings.status.to_dicts()}


@pytest.fixture(scope="module")
def visits(findings):
    def of(patient, line=None):
        rows = findings.response.filter(pl.col("patient") == patient)
        return (rows if line is None else rows.filter(pl.col("line") == line)).to_dicts()

    return of


@pytest.fixture(scope="module")
def lines(findings):
    def of(patient, line=1):
        return findings.lines.filter((pl.col("patient") == patient) & (pl.col("line") == line)).row(0, named=True)

    return of


@pytest.fixture(scope="module")
def gaps(findings):
    def of(patient, finding):
        row = findings.completeness.filter((pl.col("patient") == patient) & (pl.col("finding") == finding)).row(0, named=True)
        return set(row["possible"].split("|")), set(row["missing"].split("|"))

    return of


def flagged(rows, flag):
    return [row["on"] for row in rows if flag in (row["flags"] or "").split("|")]


def confirmed(rows):
    """The best confirmed categories in the order in which they were reached."""
    return list(dict.fromkeys(row["confirmed"] for row in rows))


# ---- Response -----------------------------------------------------------------------------------------------


def test_d01_climbs_the_staircase(visits, lines):
    assert confirmed(visits("D01")) == ["PR", "VGPR", "CR", "sCR"]
    assert lines("D01")["best_response_on"] == date(2023, 12, 18)


def test_d07_cr_is_hidden_by_daratumumab(visits, lines):
    assert lines("D07")["best_response"] == "VGPR"
    last = [row for row in visits("D07") if row["on"] in flagged(visits("D07"), "CR_blocked_mAb")]
    assert last
    assert {row["missing"] for row in last} == {"serum_ife_shifted"}


def test_d08_the_shifted_immunofixation_makes_it_cr(visits, lines):
    assert lines("D08")["best_response"] == "CR"
    assert not flagged(visits("D08"), "CR_blocked_mAb")


def test_d33_cr_waits_for_a_marrow(visits, lines):
    assert lines("D33")["best_response"] == "VGPR"
    last = visits("D33")[-1]
    assert (last["flags"], last["missing"]) == ("CR_pending_marrow", "marrow_plasma_cells")


# ---- What can be measured -----------------------------------------------------------------------------------


def test_d02_light_chains_only_reach_cr(visits, lines):
    assert lines("D02")["best_response"] == "CR"
    assert {row["because"] for row in visits("D02") if row["timepoint"] in ("PR", "VGPR")} == {"level_light_chains"}


def test_d03_an_abnormal_ratio_keeps_vgpr(visits, lines):
    assert lines("D03")["best_response"] == "VGPR"
    assert date(2024, 9, 16) in flagged(visits("D03"), "oligoclonal_band")


def test_d15_total_iga_stands_for_the_spike(visits, lines):
    assert lines("D15")["best_response"] == "VGPR"
    assert len(flagged(visits("D15"), "total_immunoglobulin")) == len(visits("D15"))


def test_d16_is_not_measurable_unless_the_threshold_is_lower(chart, status, visits):
    assert {row["timepoint"] for row in visits("D16")} == {"NE"}
    assert status["D16"]["diagnosis_subtype"] == "oligosecretory"
    lower = assess(chart.only("D16"), serum_measurable=5)
    assert lower.lines["best_response"].to_list() == ["VGPR"]


def test_d17_is_judged_by_the_marrow(status, visits):
    assert (status["D17"]["diagnosis"], status["D17"]["diagnosis_subtype"]) == ("MM", "non_secretory")
    assert visits("D17")[0]["because"] == "level_marrow"
    assert confirmed(visits("D17")) == ["PR", "CR"]


def test_d18_is_judged_by_the_urine(visits):
    assert {row["because"] for row in visits("D18")} == {"level_urine"}
    assert confirmed(visits("D18")) == ["SD", "PR", "VGPR"]


# ---- Progression --------------------------------------------------------------------------------------------


def test_d04_light_chains_escape_without_pd(visits, lines):
    assert len(flagged(visits("D04"), "light_chain_escape")) >= 3
    assert lines("D04")["progression_state"] is None
    assert lines("D04")["best_response"] == "VGPR"


def test_d05_the_last_rise_is_unconfirmed(visits, lines):
    last = visits("D05")[-1]
    assert (last["timepoint"], last["progression"], last["because"]) == ("PD", "unconfirmed", "P1")
    assert (lines("D05")["progression_state"], lines("D05")["progressed_on"]) == ("unconfirmed", None)


def test_d06_the_next_sample_refutes(visits, lines):
    assert [row["on"] for row in visits("D06") if row["progression"] == "refuted"] == [date(2025, 5, 12)]
    assert lines("D06")["progression_state"] is None


def test_d09_new_plasmacytomas_while_the_protein_falls(chart, visits, lines):
    protein = chart.only("D09").observations.filter((pl.col("what") == "serum_m_protein") & (pl.col("on") <= date(2025, 3, 17)))
    assert protein.sort("on")["value"].is_sorted(descending=True)
    assert lines("D09")["progressed_on"] == date(2025, 3, 17)
    assert visits("D09", 1)[-1]["because"] == "P6"
    assert visits("D09", 2)[-1]["because"] == "P6"


def test_d10_opens_line_2_with_a_new_drug_and_reaches_mr(chart, lines):
    assert chart.only("D10").treatments["line"].null_count() == chart.only("D10").treatments.height
    assert lines("D10")["progression_state"] == "confirmed"
    assert (lines("D10", 2)["started_on"], lines("D10", 2)["best_response"]) == (date(2025, 3, 3), "MR")


def test_d11_is_refractory_from_the_start(status, lines):
    assert (lines("D11")["best_response"], lines("D11")["progression_state"]) == ("PD", "confirmed")
    assert status["D11"]["r2_iss"] == "IV"


def test_d30_death_confirms_unless_the_policy_says_otherwise(chart, visits, lines):
    assert sum(row["timepoint"] == "PD" for row in visits("D30", 3)) == 1
    assert lines("D30", 3)["progression_state"] == "confirmed"
    alive = assess(chart.only("D30"), death_confirms=False).lines.filter(pl.col("line") == 3)
    assert alive["progression_state"].to_list() == ["unconfirmed"]


# ---- Stage, risk, frailty -----------------------------------------------------------------------------------


def test_d12_without_fish_the_possible_stages_and_the_probes(status, gaps):
    assert (status["D12"]["iss"], status["D12"]["r_iss"], status["D12"]["r2_iss"]) == ("III", None, None)
    possible, missing = gaps("D12", "r_iss")
    assert possible == {"II", "III"}
    assert {"del_17p", "t_4_14", "t_14_16"} <= missing
    assert gaps("D12", "r2_iss")[0] == {"III", "IV"}
    assert "t_14_16" not in gaps("D12", "r2_iss")[1]


def test_d13_b2m_alone_gives_iss_iii(chart, status):
    assert chart.only("D13").observations["what"].to_list() == ["b2m"]
    assert (status["D13"]["iss"], status["D13"]["r_iss"]) == ("III", None)


def test_d23_is_plasma_cell_leukaemia(status):
    assert status["D23"]["diagnosis"] == "PCL"


def test_d25_and_d26_are_high_risk_each_by_its_own_criterion(status):
    assert {status[patient]["high_risk_2025"] for patient in ("D25", "D26")} == {"high"}
    assert status["D01"]["high_risk_2025"] == "standard"


def test_d27_is_frail_by_both_scores(status):
    assert (status["D27"]["frailty_imwg"], status["D27"]["frailty_simplified"]) == ("frail", "frail")


def test_d36_the_derived_stage_stands_and_the_recorded_one_is_flagged(status, lines):
    assert status["D36"]["iss"] == "III"
    assert "recorded:iss" in status["D36"]["flags"]
    assert lines("D36")["progressed_on"] < date(2025, 11, 25)


# ---- Before myeloma -----------------------------------------------------------------------------------------


def test_d19_was_smouldering_with_two_opinions(chart, status):
    then = assess(chart.only("D19"), at=date(2024, 3, 1)).status.row(0, named=True)
    assert (then["diagnosis"], then["smm_risk_mayo_2018"], then["aquila_eligible"]) == ("SMM", "low", "yes")
    assert status["D19"]["diagnosis"] == "MM"


def test_d20_is_high_risk_smouldering(status, lines):
    own = status["D20"]
    assert own["diagnosis"] == "SMM"
    assert {own[f"smm_risk_{name}"] for name in ("mayo_2018", "imwg_2020", "china_2024")} == {"high"}
    assert lines("D20")["best_response"] == "PR"


@pytest.mark.parametrize(("patient", "diagnosis"), [("D21", "MGUS_non_IgM"), ("D22", "MGUS_light_chain"), ("D24", "solitary_plasmacytoma")])
def test_the_precursors(status, patient, diagnosis):
    assert status[patient]["diagnosis"] == diagnosis


def test_d24_radiotherapy_opens_no_line(findings):
    assert "D24" not in findings.lines["patient"]


# ---- Cellular and bispecific therapy ------------------------------------------------------------------------


def test_d28_the_infusion_opens_line_4(lines, status):
    assert (lines("D28", 4)["started_on"], lines("D28", 4)["best_response"]) == (date(2024, 10, 25), "sCR")
    assert status["D28"]["line"] == 4


def test_d29_steps_up_and_is_spaced_out_in_cr(chart, lines):
    given = chart.only("D29").treatments.filter(pl.col("what") == "teclistamab").sort("started_on")
    assert given["phase"].to_list() == ["step_up", "step_up", "treatment", "treatment"]
    assert lines("D29", 5)["best_response"] == "sCR"
    spaced = given["started_on"][-1]
    assert (spaced - lines("D29", 5)["best_response_on"]).days > 180


# ---- Data as they are ---------------------------------------------------------------------------------------


def test_d14_a_bound_is_enough(chart, status, visits):
    b2m = chart.only("D14").observations.filter(pl.col("what") == "b2m").row(0, named=True)
    assert (b2m["comparator"], b2m["value"], status["D14"]["iss"]) == ("<", 0.5, "I")
    assert [row["on"] for row in visits("D14") if row["timepoint"] == "NE"] == [date(2025, 4, 29)]


def test_d31_the_spurious_value_is_no_nadir(chart, visits):
    spurious = chart.only("D31").observations.filter(pl.col("status") == "spurious")
    assert spurious["value"].to_list() == [0.4]
    assert "PD" not in {row["timepoint"] for row in visits("D31")}


def test_d32_two_values_of_one_day(status, visits):
    assert "conflict:serum_m_protein" in status["D32"]["flags"]
    level = {row["on"]: (row["timepoint"], row["flags"]) for row in visits("D32")}
    assert level[date(2025, 6, 2)] == ("SD", "conflict")
    assert level[date(2025, 6, 30)] == ("PR", None)


def test_d34_the_year_of_birth_leaves_two_answers(gaps):
    assert gaps("D34", "frailty_imwg")[0] == {"fit", "intermediate"}


def test_d35_everything_stays_open(status):
    own = status["D35"]
    assert [own[name] for name in ("diagnosis", "iss", "r_iss", "high_risk_2025", "line")] == [None] * 5


# ---- The cohort as a whole ----------------------------------------------------------------------------------


def test_nothing_is_rejected_but_the_one_wrong_unit(chart):
    assert read(HOME / "chart").rejected.is_empty()
    assert chart.rejected.select("line", "value").rows() == [(4, "12.4%")]


def test_every_patient_is_taught_and_every_lesson_has_a_patient(chart):
    for lang in ("en", "zh"):
        told = lessons(lang)
        assert [lesson.patient for lesson in told] == chart.patients["patient"].sort().to_list()
        assert all(lesson.title and lesson.look for lesson in told)


def test_everything_says_synthetic(chart, findings):
    assert all(any(word in centre.lower() for word in SYNTHETIC) for centre in chart.patients["centre"])
    assert all("synthetic" in path.name for path in (HOME / "export").iterdir())
    assert "synthetic" in (HOME / "README.md").read_text(encoding="utf-8")
    for lang, word in zip(("en", "zh"), SYNTHETIC, strict=True):
        assert word in table(findings, lessons(lang), lang).splitlines()[0]
        assert word in index(findings, lessons(lang), lang)


def test_no_line_of_the_printed_table_is_wide(findings):
    assert max(map(len, table(findings, lessons()).splitlines())) <= 150


def test_the_page_of_the_documentation_tells_every_lesson():
    page = (DOCS / "demo.md").read_text(encoding="utf-8")
    for lesson, of_china in zip(lessons("en"), lessons("zh"), strict=True):
        row = f"| {lesson.patient} | {lesson.title}<br>{of_china.title} | {lesson.look}<br>{of_china.look} |"
        assert row in page


def test_run_demo_writes_a_page_to_open(tmp_path, monkeypatch):
    monkeypatch.setattr("bence.report.figure.to_svg", lambda figure: "")  # what is laid out is written as SVG by the tests of pages
    text = run_demo(tmp_path, "en")
    page = Path(text.splitlines()[-1].removeprefix("Open: "))
    assert page.is_file()
    assert "All patients are synthetic" in text
    for lesson in lessons():
        own = (tmp_path / lesson.page).read_text(encoding="utf-8")
        assert "Synthetic patient." in own
        assert f'href="{lesson.page}"' in page.read_text(encoding="utf-8")
    for name in ("cohort.html", "status.csv", "manifest.json", "README.md", "chart/patients.csv", "virtual.html", "virtual/status.csv"):
        assert (tmp_path / name).is_file()
    assert "synthetic" in (tmp_path / "cohort.html").read_text(encoding="utf-8").lower()


def test_the_pages_are_there_in_chinese_too(tmp_path, chart, findings):
    write_pages(tmp_path, chart, findings, lessons("zh")[6:7], "zh")
    page = (tmp_path / "D07.html").read_text(encoding="utf-8")
    assert "合成患者。" in page
    assert "达雷妥尤单抗" in page


def test_the_demo_never_writes_over_a_chart_of_your_own(tmp_path):
    (tmp_path / "chart").mkdir()
    with pytest.raises(UsageError, match="there already"):
        run_demo(tmp_path)
