"""Why: the tree of a finding and the story of the response, read as a haematologist would write them."""

import re
from functools import cache

import pytest

import bence
import bence.assess
from bence.assess import wording
from bence.catalogue import codes
from bence.demo import demo_chart

TREES = [("D12", "diagnosis"), ("D24", "diagnosis"), ("D35", "diagnosis"), ("D12", "r2_iss"), ("D27", "frailty_imwg"),
         ("D20", "smm_points_2020"), ("D01", "myeloma_defining_event")]  # fmt: skip
NOTES = {lang: [words[i] for words in wording.HOW.values()] for i, lang in enumerate(("en", "zh"))}


@pytest.fixture(scope="module")
def chart():
    return demo_chart()


@pytest.fixture(scope="module")
def why(chart):
    """Why a patient has a finding, worked out once."""
    return cache(lambda patient, name: bence.why(chart, patient, name))


@pytest.fixture
def assessed_once(chart, monkeypatch):
    """Tables are told of findings that were made once for each patient."""
    assess = bence.assess.assess
    found = cache(lambda patient, day: assess(chart.only(patient), day))
    monkeypatch.setattr(bence.assess, "assess", lambda own, day: found(own.patients["patient"].item(), day))


def told(text):
    """Every line of a tree: how deep, what, what is said of it, notes, remark."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"( *)(.+?) = (.+?)(?:  \[(.*)\])?(?:  [(（](.*)[)）])?", line)
        if match:
            found.append((len(match[1]), match[2], match[3], match[4] or "", match[5] or ""))
    return found


@pytest.mark.parametrize(("patient", "name"), TREES)
def test_what_was_told_once_is_not_told_again(why, patient, name):
    lines = told(why(patient, name).text())
    assert len(lines) < 60
    seen = {}
    for i, (depth, what, says, _, remark) in enumerate(lines):
        opened = i + 1 < len(lines) and lines[i + 1][0] > depth
        if remark == "see above":
            assert seen[what] == says
            assert not opened
        elif opened:
            assert what not in seen
            seen[what] = says


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("patient", "name"), TREES)
def test_every_value_says_where_it_comes_from(why, patient, name, lang):
    """A value is recorded on a day, calculated, assumed or of the patient; what is told again needs no note."""
    seen = set()
    text = why(patient, name).text(lang)
    lines = told(text)
    for i, (depth, what, says, note, remark) in enumerate(lines):
        leaf = not (i + 1 < len(lines) and lines[i + 1][0] > depth)
        known = says not in ("unknown", "未知") and what not in seen and not remark
        seen.add(what)
        if leaf and known and i and not re.search(r"\d{4}-\d{2}-\d{2}", note):
            of_the_patient = what in ("heavy_chain", "light_chain", "重链类型", "轻链类型")
            rule_alone = note and i + 1 < len(lines) and "needed" in text.splitlines()[i + 1]
            assert of_the_patient or rule_alone or any(how in note for how in NOTES[lang]), (what, says, note)


def test_assumed_and_calculated_values_are_marked(why):
    text = why("D12", "diagnosis").text()
    assert "creatinine_clearance = 51.31 mL/min  [calculated: CKD-EPI 2021]" in text
    assert "circulating_plasma_cells = 0 %  [assumed: not recorded]" in text
    assert "corrected_calcium = 2.61 mmol/L  [payne-1973; calculated]" in text
    assert "ionised_calcium_above_limit = 0 mmol/L  [assumed: not recorded]" in text
    assert "marrow_plasma_cells = 46 %  [recorded 2025-08-18" in text
    assert "外周血浆细胞比例 = 0 %  [未记录，按此计]" in why("D12", "diagnosis").text("zh")


@pytest.mark.parametrize(("patient", "name"), TREES)
def test_the_chinese_tree_is_in_chinese(why, patient, name):
    text = why(patient, name).text("zh")
    assert "times the upper limit" not in text
    for _, what, _, _, _ in told(text):
        assert re.search(r"[\u4e00-\u9fff]|^[A-Z]|t\(", what), what


def test_labels_of_what_is_calculated():
    for name in ("involved_flc", "smm_years", "age"):
        assert codes()[name].en != name
        assert re.search(r"[\u4e00-\u9fff]", codes()[name].zh)


def test_stable_disease_needs_no_second_sample(chart):
    text = bence.why(chart, "D09", "response").text()
    assert "best confirmed so far: SD\n" in text
    assert "best confirmed so far: PR, by the sample of 2022-10-10" in text
    assert text.count("best confirmed so far") == 3  # told where it changes: PR, SD, VGPR
    assert "最佳确认疗效：SD\n" in bence.why(chart, "D09", "response").text("zh")


def test_the_story_says_how_far_a_value_is_from_baseline_and_nadir(chart):
    story = bence.why(chart, "D10", "response")
    assert "serum M-protein 17.9 g/L (-52 % from baseline), nadir before 37, baseline 37" in story.text()
    assert "serum M-protein 9.6 g/L (-74 % from baseline, +243 % from nadir), nadir before 2.8, baseline 37" in story.text()
    assert "血清M蛋白 17.9 g/L（较基线-52%），此前最低 37，基线 37" in story.text("zh")
    never_gone = bence.why(chart, "D07", "response")
    for row in never_gone.values.iter_rows(named=True):
        if row["value"] and row["baseline"]:
            assert "-100 %" not in never_gone.text()


def test_nothing_to_compare_with_is_said(chart):
    assert "plasmacytoma SPD 14.2 cm², nothing to compare with" in bence.why(chart, "D09", "response").text()


def test_no_line_is_said_so(chart):
    assert bence.why(chart, "D24", "response").text() == "no line of therapy is recorded"
    assert bence.why(chart, "D24", "response").text("zh") == "无治疗线记录"


TOLD_BESIDE = {"patient", "at", "baseline_on", "flags", "diagnosis_missing", "refractory_definition"}


@pytest.mark.usefixtures("assessed_once")
def test_every_column_of_the_status_can_be_asked_for(chart):
    for name in bence.assess.assess(chart.only("D28"), None).status.columns:
        if name in TOLD_BESIDE or name.endswith("_possible"):
            continue
        told = bence.why(chart, "D28", name)
        assert told.text("en").strip(), name
        assert told.text("zh").strip(), name


@pytest.mark.parametrize("name", ["lines", "exposure", "mrd", "toxicity", "due", "scores", "pfs", "os", "triple_class_refractory"])
def test_a_table_is_told_row_by_row(chart, name):
    assert "cilta" in bence.why(chart, "D28", name).text() or name not in ("lines", "exposure")
    assert bence.why(chart, "D35", name).text("zh").strip()
