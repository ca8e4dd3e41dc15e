"""NHANES 1999-2004, read through the mapping file that the how-to shows."""

import re
from pathlib import Path

import polars as pl
import pytest

from bence.read import hospital
from bence.read.immunofixation import Finding, parse
from bence.read.mapping import loads

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "nhanes.md"
FILE = "nhanes/nhanes_mgus.csv"


def mapping_text() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def raw(real):
    return pl.read_csv(real(FILE), infer_schema=False)


@pytest.fixture(scope="module")
def chart(real):
    return hospital.read(real(FILE), loads(mapping_text(), "nhanes.toml"))


def of(chart, what: str) -> pl.DataFrame:
    return chart.observations.filter(pl.col("what") == what)


def share(raw: pl.DataFrame, patients: pl.Series) -> float:
    """Percent of the population: the survey's weights of those examined."""
    weights = raw.select("SEQN", weight=pl.col("WTMEC2YR").cast(pl.Float64))
    return 100 * weights.filter(pl.col("SEQN").is_in(patients.to_list()))["weight"].sum() / weights["weight"].sum()


def test_immunofixation_is_positive_in_270_of_5847(chart, raw):
    positive = of(chart, "serum_ife").filter(pl.col("text") != "negative")
    assert (chart.patients.height, positive.height) == (5847, 270)
    assert share(raw, positive["patient"]) == pytest.approx(3.87, abs=0.005)


def test_without_findings_called_small_165_are_left(chart, raw):
    small = of(chart, "serum_ife_small").filter(pl.col("text") == "yes")["patient"]
    positive = of(chart, "serum_ife").filter(pl.col("text") != "negative")
    large = positive.filter(~pl.col("patient").is_in(small.to_list()))
    assert large.height == 165
    assert share(raw, large["patient"]) == pytest.approx(2.26, abs=0.005)


def test_every_spelling_of_a_finding_is_parsed(chart, raw):
    spellings = raw["SSRES"].drop_nulls().unique()
    assert spellings.len() == 65
    assert all(isinstance(parse(text), Finding) for text in spellings)
    assert "SSRES" not in chart.rejected["column"].to_list()


def test_chains_agree_with_those_that_the_survey_recoded(chart, raw):
    """`SSOL_H` and `SSOL_L`: heavy and light chain of the findings that the survey counts as MGUS."""
    named = {"A": "iga", "G": "igg", "M": "igm", "K": "kappa", "L": "lambda"}
    recoded = raw.filter(pl.col("SSOL_H").is_in(["A", "G", "M"]), pl.col("SSOL_L").is_in(["K", "L"]))
    recoded = recoded.select(patient="SEQN", chain=pl.concat_str(
        pl.col("SSOL_H").replace(named), pl.col("SSOL_L").replace(named), separator="_"))  # fmt: skip
    both = recoded.join(of(chart, "serum_ife"), on="patient", how="left")
    assert recoded.height > 100
    differ = both.filter(pl.col("text") != pl.col("chain"))
    assert differ.select("chain", "text").rows() == [("igg_lambda", "igg_lambda+lambda")]  # a second, small band


def test_free_light_chains_are_mg_per_dl(chart):
    medians = [of(chart, what)["value"].median() for what in ("kappa_flc", "lambda_flc")]
    assert medians == pytest.approx([17.2, 17.1], abs=0.2)
    bound = of(chart, "kappa_flc").filter(pl.col("comparator") == "<")
    assert bound.select("patient", "value").rows() == [("25719", 5.34)]


def test_the_unit_of_the_code_book_is_refused(real):
    """The code book cites the normal ranges in mg/L; read so, nobody would have normal light chains."""
    wrong = mapping_text().replace('_flc"\nunit = "mg/dL"', '_flc"\nunit = "mg/L"')
    chart = hospital.read(real(FILE), loads(wrong, "nhanes.toml"))
    assert of(chart, "kappa_flc").is_empty()
    assert of(chart, "lambda_flc").is_empty()
    trapped = chart.rejected.filter(pl.col("reason").str.contains("the unit is not mg/L"))
    assert trapped["column"].value_counts(sort=True).rows() == [("SSK_FLC", 500), ("SSL_FLC", 500)]
    assert trapped["expected"].unique().to_list() == ["mg/dL in the mapping file (or unit_confirmed = true)"]


def test_ratios_that_are_not_kappa_over_lambda_are_refused(chart):
    wrong = chart.rejected.filter(pl.col("column").is_in(["SSK_FLC", "SSL_FLC", "SSKL_R"]))
    assert wrong["line"].n_unique() == 5
    assert wrong.height == 15


def test_nothing_else_is_refused_than_electrophoresis_that_leaves_it_open(chart):
    columns = set(chart.rejected["column"]) - {"SSK_FLC", "SSL_FLC", "SSKL_R"}
    assert columns == {"SSIMP"}
    assert "Small abnormality in gamma fraction." in chart.rejected["value"].to_list()


def test_ages_leave_a_year_of_birth_and_85_leaves_more(chart):
    born = dict(chart.patients.select("patient", "born_on").iter_rows())
    assert born["2"] == "1923"
    assert born["16"] == "1880-01-01/1915-12-31"
