"""The evidence base is sound, says what it says of each drug, and does not show as checked what was not."""

import datetime
import re
import subprocess
import sys

import polars as pl
import pytest

from bence.catalogue import codes
from bence.errors import UsageError
from bence.evidence import KINDS, approvals, approvals_unknown, cited, faults, keys, kind_of, record, records, weakest


def test_the_base_has_no_fault():
    assert faults() == []


def walk(part, at=""):
    """Every table in a record."""
    if isinstance(part, dict):
        yield at, part
        for name, item in part.items():
            yield from walk(item, f"{at}.{name}")
    elif isinstance(part, list):
        for item in part:
            yield from walk(item, at)


def tables():
    return [(f"{kind}/{key}{at}", table) for kind in KINDS for key, found in records(kind).items() for at, table in walk(found)]


def test_what_was_written_from_memory_is_never_presented_as_verified():
    wrong = [
        (at, table)
        for at, table in tables()
        for tag, source in (("tag", "source"), ("status_tag", "status_source"))
        if "memory" in str(table.get(source, "")) and table.get(tag) not in ("M", "O")
    ]
    assert wrong == []


def test_a_region_is_known_or_unknown_and_a_date_is_read_or_absent():
    assert approvals().filter(pl.col("on").is_null(), pl.col("tag") != "M").is_empty()
    assert set(approvals().filter(drug="bortezomib", region="china")["tag"]) == {"M"}
    both = approvals_unknown().join(approvals(), on=["drug", "region"])
    assert both.is_empty(), "nobody checked, and yet there is an approval"


def test_english_holds_no_chinese_and_chinese_is_chinese():
    chinese = re.compile("[\u4e00-\u9fff]")
    texts = [(at, table) for at, table in tables() if {"en", "zh"} <= table.keys()]
    assert [(at, table["en"]) for at, table in texts if chinese.search(table["en"])] == []
    sentences = [(at, table["zh"]) for at, table in texts if len(table["zh"]) > 20 and not at.endswith(".name")]
    assert [(at, text) for at, text in sentences if not chinese.search(text)] == []


def test_no_text_tells_where_the_facts_were_collected():
    assert [
        at
        for at, table in tables()
        for value in table.values()
        if isinstance(value, str) and re.search(r"clinical\.md|/work|shared/", value)
    ] == []


KNOWN = [  # drug, region, on, given with, prior lines, kind
    ("teclistamab", "eu", (2022, 8, 23), [], 3, "conditional"),
    ("teclistamab", "us", (2022, 10, 25), [], 4, "accelerated"),
    ("teclistamab", "us", (2026, 3, 5), [], 4, "full"),
    ("teclistamab", "us", (2026, 3, 5), ["daratumumab"], 1, "full"),
    ("teclistamab", "china", (2024, 6, 1), [], 3, "conditional"),
    ("elranatamab", "us", (2023, 8, 14), [], 4, "accelerated"),
    ("linvoseltamab", "eu", (2025, 4, 28), [], 3, "conditional"),
    ("linvoseltamab", "us", (2025, 7, 2), [], 4, "accelerated"),
    ("talquetamab", "us", (2023, 8, 9), [], 4, "accelerated"),
    ("ide_cel", "us", (2021, 3, 26), [], 4, "full"),
    ("ide_cel", "us", (2024, 4, 1), [], 2, "full"),
    ("cilta_cel", "us", (2022, 2, 28), [], 4, "full"),
    ("cilta_cel", "us", (2024, 4, 1), [], 1, "full"),
    ("cilta_cel", "china", (2024, 8, 27), [], 3, None),
    ("eque_cel", "china", (2023, 6, 30), [], 3, None),
    ("zevor_cel", "china", (2024, 2, 23), [], 3, None),
    ("belantamab_mafodotin", "us", (2025, 10, 23), ["bortezomib", "dexamethasone"], 2, "full"),
    ("daratumumab", "us", (2025, 11, 6), [], None, "full"),
    ("daratumumab", "eu", (2025, 7, 23), [], None, "full"),
]


@pytest.mark.parametrize(("drug", "region", "on", "combination", "lines", "kind"), KNOWN)
def test_the_known_approvals_are_there(drug, region, on, combination, lines, kind):
    rows = approvals().filter(drug=drug, region=region, on=datetime.date(*on)).rows(named=True)
    assert (combination, lines, kind) in [(row["combination"], row["min_prior_lines"], row["kind"]) for row in rows]


def test_cilta_cel_after_one_line_asks_for_resistance_to_lenalidomide():
    row = approvals().filter(drug="cilta_cel", region="us", min_prior_lines=1).row(0, named=True)
    assert (row["exposed"], row["refractory"], row["tag"]) == (["PI", "IMiD"], ["lenalidomide"], "V")


def test_a_withdrawn_approval_says_when_it_ended():
    ended = approvals().filter(pl.col("ends").is_not_null()).select("drug", "ends").rows()
    assert ("melflufen", datetime.date(2024, 2, 23)) in ended


def test_clearance_for_a_trial_is_not_an_approval():
    assert approvals().filter(drug="lbl_034").is_empty()
    assert record("lbl_034")["status"] == "trial"


@pytest.mark.parametrize(
    ("drug", "needs"),
    [
        ("teclistamab", [{"response": "CR", "held_months": 6}]),
        ("elranatamab", [{"response": "PR", "held_months": 2, "on_drug_weeks": 24}, {"response": "PR", "on_schedule_weeks": 24}]),
        ("linvoseltamab", [{"response": "VGPR", "on_drug_weeks": 24, "doses": 17}]),
    ],
)
def test_what_the_label_asks_before_the_interval_is_lengthened(drug, needs):
    steps = [dosing for dosing in record(drug)["dosing"] if dosing["step"] == "de-escalation"]
    assert [dosing["needs"] for dosing in steps] == needs
    assert {dosing["tag"] for dosing in steps} == {"V"}


@pytest.mark.parametrize("key", [key for key in keys("drugs") if key in codes()])
def test_a_drug_agrees_with_the_catalogue(key):
    drug, code = record(key), codes()[key]
    assert drug["code"] == key
    assert (drug["name"]["en"], drug["name"]["zh"]) == (code.en, code.zh)
    assert code.drug_class in (drug["class"], "other", "supportive")
    assert {target.lower() for target in code.target} <= {*drug["targets"]} or code.drug_class == "supportive"


def test_every_target_belongs_to_a_drug_or_is_named_with_a_reason():
    used = {target for drug in records("drugs").values() for target in drug["targets"]}
    assert set(keys("targets")) - used == {"pd-l1"}


def test_the_sequencing_rules_are_complete_and_say_what_they_rest_on():
    statements = record("sequencing-rules")["statements"]
    assert [statement["id"] for statement in statements] == [f"S{number}" for number in range(1, 26)]
    hard = {statement["id"] for statement in statements if "strength" not in statement}
    assert hard == {"S22"}


def test_a_record_is_found_by_its_key_and_a_wrong_key_gets_the_nearest():
    assert kind_of("emn-2025") == "guidelines"
    assert record("teclistamab")["name"]["zh"] == "特立妥单抗"
    with pytest.raises(UsageError, match="there is no evidence record 'teclistmab'; did you mean 'teclistamab'"):
        record("teclistmab")
    with pytest.raises(UsageError, match="did you mean 'drugs'"):
        records("drug")


def test_any_record_can_be_cited_on_one_line():
    assert cited("emn-2025") == "Lancet Haematol 2025;12:e635-49, doi:10.1016/S2352-3026(25)00117-6 [V]"
    assert cited("talquetamab") == "talquetamab, drugs.com talquetamab-tgvs monograph [V]"
    assert cited("mezigdomide") == "mezigdomide, from memory, unchecked [M]"
    lines = [cited(key) for kind in KINDS for key in keys(kind)]
    assert all(re.fullmatch(r"[^\n]+ \[[VSMOC]\]", line) for line in lines)


def test_the_weakest_tag_of_a_record_is_the_least_sure():
    assert weakest({"tag": "V", "parts": [{"tag": "S"}, {"tag": "V"}]}) == "S"
    assert weakest({"status_tag": "V", "parts": {"tag": "M"}}) == "M"
    assert weakest({}) == ""


def test_help_does_not_read_the_evidence():
    code = "import sys, bence.cli; sys.exit('bence.evidence' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
