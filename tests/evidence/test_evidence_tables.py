"""Tables, measures, pages and pictures of the evidence base, against oracles of their own."""

import json
import re
from math import exp, log, sqrt

import polars as pl
import pytest

from bence.catalogue import codes
from bence.errors import UsageError
from bence.evidence import KINDS, approvals, approvals_unknown, record, records
from bence.evidence.measures import nearest_count, risk_difference, risk_ratio, share, whole_counts
from bence.evidence.show import as_blocks, find, headed, listing, record_text, rows, rows_text
from bence.evidence.tables import TABLES, agents, rederived, table
from bence.evidence.words import SHORT_MEASURES, TABLE_TITLES
from bence.report.evidence import evidence_page
from bence.report.forest import WARNING, forest, single_arm_rates
from bence.table import as_text
from bence.tags import TAGS

LANGUAGES = ["en", "zh"]
CHINESE = re.compile("[\u4e00-\u9fff]")


def points(found):
    return tuple(round(100 * each, 1) for each in (found.value, found.low, found.high))


# ----------------------------------------------------------------------------------------------------------
# Measures


def test_midas_is_compatible_with_no_difference_and_with_eight_points():
    assert points(risk_difference(0.86 * 242, 242, 0.84 * 243, 243)) == (2.0, -4.4, 8.4)
    assert points(risk_difference(0.32 * 124, 124, 0.40 * 109, 109)) == (-8.0, -20.3, 4.3)


def test_the_table_of_midas_shows_published_and_crude_side_by_side():
    rows = rederived("midas").to_dicts()
    assert [row["risk_ratio"] for row in rows if row["basis"].startswith("published")] == ["1.02 (0.95–1.10)", "0.82 (0.58–1.15)"]
    percent = [row["difference"] for row in rows if "percentages as printed" in row["basis"]]
    assert percent == ["+2.0 (−4.4 … +8.4), Wald", "−8.0 (−20.3 … +4.3), Wald"]
    whole = [row for row in rows if "whole counts" in row["basis"]]
    assert [row["counts"] for row in whole] == ["208/242 (207–209) / 204/243 (203–205)", "40/124 / 44/109"]
    assert whole[1]["difference"] == "−8.1 (−20.5 … +4.2), Wald"


def test_newcombe_gives_the_intervals_of_his_paper():
    """Newcombe, Stat Med 1998;17:873, table II, examples a, c and h; methods 1 and 10."""
    found = risk_difference(56, 70, 48, 80, "newcombe")
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    found = risk_difference(56, 70, 48, 80)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0575, 0.3425)
    found = risk_difference(10, 10, 0, 10, "newcombe")
    assert (round(found.low, 4), round(found.high, 4)) == (0.6075, 1.0)


def test_a_risk_ratio_is_that_of_the_textbook():
    a, n, b, m = 40, 124, 44, 109
    ratio, error = (a / n) / (b / m), sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    found = risk_ratio(a, n, b, m)
    by_hand = (ratio, exp(log(ratio) - 1.959964 * error), exp(log(ratio) + 1.959964 * error))
    assert (found.value, found.low, found.high) == pytest.approx(by_hand)


def test_wilson_leaves_room_where_nobody_or_everybody_had_the_event():
    z2 = 1.959964**2
    assert share(0, 20).low == 0
    assert share(0, 20).high == pytest.approx(z2 / (20 + z2))
    assert share(20, 20).low == pytest.approx(20 / (20 + z2))


def test_counts_that_cannot_be_are_refused():
    for wrong in ((5, 4, 1, 4), (-1, 4, 1, 4), (1, 0, 1, 4)):
        with pytest.raises(UsageError, match="cannot be"):
            risk_difference(*wrong)
    with pytest.raises(UsageError, match="no risk ratio"):
        risk_ratio(1, 4, 0, 4)
    with pytest.raises(UsageError, match="no interval"):
        risk_difference(1, 4, 1, 4, "exact")
    with pytest.raises(UsageError, match="whole counts"):
        risk_difference(0.5, 4, 1, 4, "newcombe")


def test_whole_counts_of_a_percentage():
    assert whole_counts(32, 124) == [40]
    assert whole_counts(84, 243) == [203, 204, 205]
    assert whole_counts(17.1, 296, 1) == [], "no count of 296 prints as 17.1"
    assert nearest_count(31, 42) == 13


# ----------------------------------------------------------------------------------------------------------
# Tables


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_the_same_in_both_languages(name):
    english, chinese = table(name, "en"), table(name, "zh")
    assert english.shape == chinese.shape
    assert english.height
    assert english.with_columns(pl.all().is_null()).sum().equals(chinese.with_columns(pl.all().is_null()).sum())
    assert not CHINESE.search(" ".join(str(cell) for row in english.iter_rows() for cell in row))
    assert CHINESE.search(" ".join(headed(chinese, "zh").columns))
    assert all(TABLE_TITLES[name])


RESULTS = ("orr", "cr_or_better", "median_pfs", "mrd", "crs", "crs_3", "icans", "icans_3", "infection", "infection_3")


@pytest.mark.parametrize("target", ["bcma", "gprc5d", "fcrh5"])
def test_a_cell_of_agents_tells_its_patients_and_its_tag(target):
    found = agents(target)
    for row in found.iter_rows(named=True):
        for cell in (row[name] for name in RESULTS if row[name]):
            for result in cell.split("; "):
                assert re.search(r"\[[VSMOC](, E\d\d)*\]$", result), result
                assert "%" not in result or re.search(r"n=\d+|n not stated", result), result
        assert not row["mrd"] or "<1e-" in row["mrd"] or "threshold not stated" in row["mrd"]


def test_a_drug_without_a_result_is_there_and_empty():
    row = agents("bcma").row(by_predicate=pl.col("drug") == "IBI379", named=True)
    assert [row[name] for name in RESULTS] == [None] * len(RESULTS)


def test_mrd_of_all_treated_is_told_from_mrd_of_those_in_cr():
    cells = dict(agents("bcma").filter(pl.col("trial").is_in(["MajesTEC-1", "MagnetisMM-3, cohort A"])).select("trial", "mrd").iter_rows())
    assert "n=165, all treated" in cells["MajesTEC-1"]
    assert "of those in CR" in cells["MagnetisMM-3, cohort A"]
    assert "n=29" in cells["MagnetisMM-3, cohort A"]


def test_a_control_arm_is_no_agent():
    assert not agents("bcma")["arm"].str.contains("DPd or DVd").any()
    assert agents("gprc5d")["drug"].str.contains("teclistamab + talquetamab", literal=True).any()


def test_approvals_show_every_approval_and_every_region_nobody_checked():
    found = table("approvals")
    assert found.height == approvals().height + approvals_unknown().height
    assert found.filter(whom_for="not checked").height == approvals_unknown().height
    unchecked = found.filter(whom_for="not checked")
    assert unchecked["on"].null_count() == unchecked.height


def test_the_register_holds_38_statements_each_with_a_correction():
    found = table("disputed")
    assert found["id"].to_list() == [f"E{number:02}" for number in range(1, 39)]
    assert found.select("statement", "problem", "instead").null_count().row(0) == (0, 0, 0)


def test_mrd_trials_say_whether_mrd_directed_the_treatment():
    told = dict(table("mrd-trials").select("trial", "lessons").iter_rows())
    assert "MRD did not direct the treatment" in told["CEPHEUS"]
    assert "not proof of equivalence" in told["MIDAS (IFM 2020-02)"]


def test_an_unknown_table_or_target_is_told_the_nearest():
    with pytest.raises(UsageError, match="resistance"):
        table("resistence")
    with pytest.raises(UsageError, match="bcma"):
        agents("bmca")


# ----------------------------------------------------------------------------------------------------------
# Mechanisms


MECHANISMS = records("mechanisms")


@pytest.mark.parametrize("key", MECHANISMS)
def test_a_mechanism_has_evidence_and_a_test_and_a_counter_measure_or_says_there_is_none(key):
    assert all(MECHANISMS[key].get(field) for field in ("effects", "evidence", "tests", "counter"))


def test_the_network_hangs_together():
    links = {key: [each["to"] for each in found.get("links", ())] for key, found in MECHANISMS.items()}
    assert {to for ends in links.values() for to in ends} <= MECHANISMS.keys()
    assert all(key not in ends for key, ends in links.items()), "nothing acts on itself"
    niche = {key for key, found in MECHANISMS.items() if found["kind"] == "microenvironment"}
    assert len(niche) >= 12
    ends = {to for each in links.values() for to in each}
    assert [key for key in niche if not links[key] and key not in ends] == []


CONDITIONS = [
    (key, test["what"], test[side])
    for key, found in MECHANISMS.items()
    for test in found["tests"]
    for side in ("supports", "refutes")
    if side in test
]


@pytest.mark.parametrize(("key", "what", "condition"), CONDITIONS)
def test_a_condition_can_be_asked_of_a_chart(key, what, condition):
    name, operator, value = re.fullmatch(r"(\w+) (=|>=) (\S+)", condition).groups()
    assert name == what
    if operator == "=":
        code = codes()[name]  # a code that is positive or negative is a fact that is yes or no
        assert value in code.words or (value in ("yes", "no") and code.words == ("negative", "positive"))
    else:
        assert codes()[name].low <= float(value) <= codes()[name].high


# ----------------------------------------------------------------------------------------------------------
# What a reader sees


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_record_can_be_read_with_its_tags_explained(lang):
    for key in listing()["key"]:
        text = record_text(key, lang)
        assert not re.search(r"[:(：] ?None\b", text)
        assert "{'" not in text, key
        assert all(f"[{tag}] {meaning[lang == 'zh']}" in text for tag, meaning in TAGS.items())


def test_a_record_shows_every_source_it_names():
    for key in ("midas", "teclistamab", "treg"):
        flat = "".join(record_text(key).split())
        named = re.findall(r'"(?:status_)?source": "([^"]+)"', json.dumps(record(key), default=str, ensure_ascii=False))
        assert [each for each in named if "".join(each.split()) not in flat] == []


def test_a_record_is_found_by_any_of_its_names():
    assert find("Tecvayli") == find("特立妥单抗") == find("TECLISTAMAB") == "teclistamab"
    assert find("MajesTEC 3") == find("majestec-3") == "majestec-3"
    assert find("cilta-cel") == "cilta_cel"
    assert find("e04") == "E04"


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'teclistamab'"):
        record_text("teclistmab")


def test_the_list_of_records_is_whole():
    assert listing().height == sum(len(records(kind)) for kind in KINDS)
    assert listing("mechanisms", "zh")["name"].str.contains("[\u4e00-\u9fff]").any()


def test_every_measure_has_words():
    used = {
        each["measure"] for trial in records("trials").values() for field in ("outcomes", "comparisons") for each in trial.get(field, ())
    }
    assert used - SHORT_MEASURES.keys() == set()


def test_agents_are_printed_with_the_warning_and_a_narrow_table_is_aligned():
    text = rows_text(rows(table_name="agents-gprc5d", lang="zh"), as_text, "zh", agents=True)
    assert text.startswith("单臂试验之间不可比较")
    assert "■" in text
    assert "■" not in rows_text(rows("mechanisms"), as_text)


def test_blocks_leave_out_what_is_not_known():
    text = as_blocks(headed(agents("bcma").filter(pl.col("drug") == "IBI379")))
    assert text.startswith("■ IBI379")
    assert "ORR" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_forest_carries_its_warning_and_is_not_sorted_by_result(lang):
    picture = forest("bcma", lang)
    assert WARNING[lang] in picture.body
    rates, left = single_arm_rates(target="bcma")
    assert rates.height > 15
    assert left > 0
    assert rates["percent"].to_list() != sorted(rates["percent"].to_list())
    assert rates.filter(~pl.col("percent").is_between(pl.col("low") - 0.5, pl.col("high") + 0.5)).is_empty()
    assert "MajesTEC-3" not in rates["name"], "randomised"
    assert forest("gprc5d", lang).body != picture.body
    assert forest("dna", lang) is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_one_file_and_says_how_things_are_known(lang):
    page = evidence_page(table_name="agents-bcma", lang=lang)
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert WARNING[lang] in page
    assert all(meaning[lang == "zh"] in page for meaning in TAGS.values())
    assert "MIDAS" in evidence_page("midas", lang=lang)
