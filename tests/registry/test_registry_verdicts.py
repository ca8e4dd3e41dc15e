"""A verdict stands beside the derived finding; the last one stands, all stay."""

from datetime import date

import polars as pl
import pytest
from homes import ADMIN, ENTRY, LEAD, OTHER, PHYSICIAN, small, with_rows

from bence.assess import assess
from bence.errors import UsageError
from bence.registry import AccessError, kept_findings

VISIT = date(2025, 3, 1)


@pytest.fixture(scope="module")
def chart():
    """P1 at Wuhan: beta-2 microglobulin says ISS III; M-protein falls under bortezomib."""
    chart = small()
    days = [date(2025, 1, 2), date(2025, 1, 2), date(2025, 2, 1), VISIT]
    said = {"what": ["b2m", *["serum_m_protein"] * 3], "value": [6.0, 40.0, 18.0, 17.0], "unit": ["mg/L", *["g/L"] * 3]}
    more = pl.DataFrame({"patient": "P1", "on": days, **said})
    return with_rows(chart, observations=pl.concat([chart.observations, more], how="diagonal"))


@pytest.fixture(scope="module")
def found(chart):
    """What is found of P1, worked out once: no test here changes a row or asks for another day."""
    return assess(chart)


@pytest.fixture
def ward(store, chart, found, monkeypatch):
    def as_of_now(chart, day, profile):
        assert (chart.observations.height, day) == (6, None)
        return found

    monkeypatch.setattr(kept_findings, "assess", as_of_now)
    store.import_chart(LEAD, chart, "first")
    return store


def said(store, **only):
    rows = store.verdicts(PHYSICIAN, "P1")
    return rows.select("finding", "line", "on", "value", "derived", "who", "stands").rows()


def test_the_last_verdict_stands_and_all_stay(ward):
    ward.judge(PHYSICIAN, "P1", "iss", "II", "the sample was haemolysed")
    ward.judge(LEAD, "P1", "iss", "III", "repeated")
    ward.judge(PHYSICIAN, "P1", "frailty_imwg", "frail", "seen at the bedside")
    assert said(ward) == [
        ("frailty_imwg", None, None, "frail", "fit|frail|intermediate", "li", True),
        ("iss", None, None, "III", "III", "wang", True),
        ("iss", None, None, "II", "III", "li", False),
    ]
    assert ward.findings_for(PHYSICIAN, "P1")["status"]["iss"].to_list() == ["III"]  # beside it, not instead of it


def test_a_verdict_is_withdrawn_with_a_reason(ward):
    with pytest.raises(UsageError, match="no verdict on iss stands"):
        ward.judge(PHYSICIAN, "P1", "iss", None, "nothing there")
    ward.judge(PHYSICIAN, "P1", "iss", "II", "the sample was haemolysed")
    ward.judge(PHYSICIAN, "P1", "iss", None, "it was not")
    assert [(row[3], row[-1]) for row in said(ward)] == [(None, False), ("II", False)]
    with pytest.raises(UsageError, match="no verdict on iss stands"):
        ward.judge(PHYSICIAN, "P1", "iss", None, "twice")


def test_the_response_of_a_visit_is_judged_with_its_line(ward):
    derived = ward.findings_for(PHYSICIAN, "P1")["response"].filter(pl.col("on") == VISIT).row(0, named=True)
    ward.judge(PHYSICIAN, "P1", "response", "VGPR", "read by the board", on=VISIT)
    assert said(ward) == [("response", derived["line"], VISIT, "VGPR", derived["timepoint"], "li", True)]
    assert (derived["line"], derived["timepoint"]) == (1, "PR")
    ward.judge(PHYSICIAN, "P1", "response", "PR", "read again", line=1, on=VISIT)
    ward.judge(PHYSICIAN, "P1", "response", "SD", "another visit", on=date(2025, 2, 1))
    assert [(row[3], row[-1]) for row in said(ward)] == [("SD", True), ("PR", True), ("VGPR", False)]
    ward.judge(PHYSICIAN, "P1", "line", 2, "the change was for progression")
    assert said(ward)[0][:5] == ("line", None, None, "2", "1")


WRONG = [
    ({"finding": "is", "value": "II"}, "did you mean 'iss'"),
    ({"finding": "age", "value": "70"}, "no verdict is passed on 'age'"),
    ({"finding": "iss", "value": "IV"}, "iss is never 'IV'"),
    ({"finding": "high_risk_2025", "value": "hihg"}, "did you mean 'high'"),
    ({"finding": "iss", "value": "II", "why": "  "}, "has a reason"),
    ({"finding": "iss", "value": "II", "line": 1}, "has no line"),
    ({"finding": "diagnosis", "value": "MM", "on": VISIT}, "has no on"),
    ({"finding": "line", "value": "first"}, "not a line"),
    ({"finding": "line", "value": 41}, "not a line"),
    ({"finding": "response", "value": "PR", "line": 0}, "no line 0"),
]


def test_what_is_no_verdict_is_told(ward):
    for given, told in WRONG:
        with pytest.raises(UsageError, match=told):
            ward.judge(PHYSICIAN, "P1", **({"why": "because"} | given))
    assert said(ward) == []
    for access in (ENTRY, ADMIN):
        with pytest.raises(AccessError, match="may not judge"):
            ward.judge(access, "P1", "iss", "II", "because")
    with pytest.raises(AccessError):
        ward.judge(OTHER, "P1", "iss", "II", "because")


def test_a_spelling_of_the_catalogue_is_settled(ward):
    ward.judge(PHYSICIAN, "P1", "triple_class_refractory", "是", "上级医师意见")
    ward.judge(PHYSICIAN, "P1", "response", "非常好的部分缓解", "上级医师意见")
    assert [row[3] for row in said(ward)] == ["VGPR", "yes"]
