"""The trials add up: shares are counts of their denominators, intervals fit their estimates, arms sum to the trial."""

import json
import re
from math import log

import polars as pl
import pytest
from scipy.stats import binomtest

from bence.evidence import records
from bence.evidence.measures import whole_counts
from bence.evidence.outcomes import outcomes, said

TRIALS = records("trials")
WANTED = """
aquila midas perseus master radar drammatic concept gmmg-hd7 cassiopeia iskia cepheus imroz remnant majestec-1 majestec-3
majestec-9 majestec-1-china magnetismm-3 linker-mm1 abbv-383-phase-1 cervino amg-420-phase-1 cc-93269-mm-001 talquetamab-phase-1
monumental-1 monumental-3 forimtamig-phase-1 lbl-034-phase-1-2 cevostamab-phase-1 ro7297089-phase-1 redirectt-1
redirectt-1-phase-2 karmma karmma-3 cartitude-1 cartitude-4 fumanba-1 ct103a-phase-1 lummicar-1 immagine-1 xuzhou-bcma-gprc5d bm38
gprc5d-after-bcma ct071-phase-1 dreamm-7 dreamm-8 tal-bridging bispecific-after-tcr bcma-retreatment keynote-183 keynote-185
""".split()  # noqa: SIM905


def test_every_trial_that_the_platform_leans_on_is_there():
    assert set(WANTED) <= TRIALS.keys()


def test_a_percentage_is_a_whole_number_of_its_patients():
    counted = outcomes().filter(pl.col("percent").is_not_null() & pl.col("n").is_not_null() & pl.col("events").is_null())
    assert counted.height > 80
    impossible = [
        (row["trial"], row["arm"], row["measure"], row["percent"], row["n"])
        for row in counted.iter_rows(named=True)
        if not whole_counts(row["percent"], row["n"], row["digits"])
    ]
    assert impossible == []


def randomised(trial):
    return [each["value"] for each in trial.get("numbers", ()) if each["what"]["en"] == "randomised"]


@pytest.mark.parametrize("key", [key for key, trial in TRIALS.items() if randomised(trial)])
def test_randomised_arms_sum_to_the_randomised(key):
    sizes = [arm.get("n") for arm in TRIALS[key].get("arms", ())]
    if not sizes or None in sizes:
        pytest.skip("the size of an arm is not known")
    assert sum(sizes) == randomised(TRIALS[key])[0]


def test_nobody_is_lost_silently_in_midas():
    flow = {each["what"]["en"]: each["value"] for each in TRIALS["midas"]["numbers"]}
    assert flow["enrolled"] - flow["lost during induction"] == flow["completed induction"]
    assert flow["completed induction"] - flow["completed induction but not randomised"] == flow["randomised"]
    assert flow["MRD below 1e-5 and randomised"] + flow["MRD 1e-5 or more and randomised"] == flow["randomised"]


@pytest.mark.parametrize(
    ("deeper", "wider"),
    [
        ("vgpr_or_better", "orr"), ("cr_or_better", "vgpr_or_better"), ("cr_or_better", "orr"), ("scr", "cr_or_better"), ("scr", "orr"),
        ("crs_3", "crs"), ("icans_3", "icans"), ("infection_3", "infection"), ("ocular_3", "ocular"),
    ],
)  # fmt: skip
def test_a_deeper_response_or_a_graver_effect_is_never_more_frequent(deeper, wider):
    where = ["trial", "arm", "population_en"]
    both = outcomes().filter(measure=deeper).join(outcomes().filter(measure=wider), on=where)
    assert both.filter(pl.col("percent") > pl.col("percent_right")).is_empty()


def test_a_finer_threshold_of_mrd_is_never_met_by_more():
    table = outcomes().filter(pl.col("measure") == "mrd_negative", pl.col("threshold").is_not_null())
    both = table.join(table, on=["trial", "arm", "population_en"]).filter(pl.col("threshold") < pl.col("threshold_right"))
    assert both.height >= 2
    assert both.filter(pl.col("percent") > pl.col("percent_right")).is_empty()


RATIOS = [
    (key, each)
    for key, trial in TRIALS.items()
    for each in trial.get("comparisons", ())
    if each["kind"].endswith("ratio") and "low" in each and "high" in each
]


@pytest.mark.parametrize(("key", "ratio"), RATIOS, ids=[f"{key}-{each['measure']}" for key, each in RATIOS])
def test_a_ratio_lies_in_the_middle_of_its_interval_on_the_logarithm(key, ratio):
    middle = (log(ratio["low"]) + log(ratio["high"])) / 2
    assert log(ratio["value"]) == pytest.approx(middle, abs=0.035)


def test_published_intervals_of_shares_are_those_of_the_binomial():
    published = outcomes().filter(pl.col("percent").is_not_null(), pl.col("low").is_not_null(), pl.col("n").is_not_null())
    assert published.height == 2
    for row in published.iter_rows(named=True):
        exact = binomtest(round(row["percent"] * row["n"] / 100), row["n"]).proportion_ci(method="exact")
        assert (round(100 * exact.low), round(100 * exact.high)) == (row["low"], row["high"])


def test_none_of_117_is_compatible_with_three_in_a_hundred():
    assert 100 * binomtest(0, 117).proportion_ci(method="exact").high == pytest.approx(3.1, abs=0.05)


def test_a_trial_without_a_control_compares_nothing():
    assert [key for key, trial in TRIALS.items() if trial["design"] == "single_arm" and trial.get("comparisons")] == []


def test_an_mrd_result_tells_its_threshold_or_says_that_it_does_not():
    results = outcomes().filter(pl.col("measure").str.contains("mrd_negative"))
    assert results.height > 30
    for row in results.iter_rows(named=True):
        assert row["population_en"] or row["arm"] != "all", row["trial"]
        assert "<1e-" in said(row) or "threshold not stated" in said(row)


def test_the_dose_of_amg_420_is_in_micrograms():
    text = json.dumps(TRIALS["amg-420-phase-1"], ensure_ascii=False)
    assert "400 µg/d" in text
    assert not re.search(r"\d\s*mg/d", text)


def test_what_was_withdrawn_stands_in_the_register_alone():
    withdrawn = [
        r"methyl[a-z]*[^.]{0,80}\b(38|70)\s*%", r"\b(38|70)\s*%[^.]{0,80}methyl",
        r"(38|70)\s*%[^。]{0,40}甲基化", r"甲基化[^。]{0,40}(38|70)\s*%",
        r"1\.8[ -]?(fold|x|times|倍)", r"PD-1[^.。]{0,60}\b40\s*%", r"\b40\s*%[^.。]{0,60}PD-1", r"1\s*pg/mL",
    ]  # fmt: skip
    base = {
        kind: json.dumps(records(kind), ensure_ascii=False, default=str)
        for kind in ("drugs", "trials", "guidelines", "targets", "mechanisms")
    }
    assert [(kind, each) for kind, text in base.items() for each in withdrawn if re.search(each, text)] == []
    register = json.dumps(records("disputed"), ensure_ascii=False)
    assert all(re.search(each, register) for each in (r"methyl[a-z]*[^.]{0,80}\b(38|70)\s*%", r"1\.8[ -]?(fold|x|times|倍)", r"1\s*pg/mL"))


def test_a_result_in_words_names_its_patients_and_how_it_is_known():
    row = outcomes().row(by_predicate=(pl.col("trial") == "majestec-1") & (pl.col("measure") == "orr"), named=True)
    assert said(row) == "63.0 % (n=165) [V]"
    assert said(row, "zh", people=True) == "63.0 % (n=165，全部接受治疗者) [V]"
    perseus = outcomes().row(
        by_predicate=(pl.col("trial") == "perseus") & (pl.col("arm") == "vrd") & (pl.col("threshold") == 1e-6), named=True
    )
    assert said(perseus) == "32.2 % (n=354, <1e-6) [M]", "the share was read, the size of the arm is from memory"
