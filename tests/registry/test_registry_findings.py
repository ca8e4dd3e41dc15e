"""Findings are worked out once for each version of a patient's chart."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from homes import ENTRY, LEAD, PHYSICIAN, small
from polars.testing import assert_frame_equal

from bence.assess import assess
from bence.chart import join
from bence.errors import UsageError
from bence.output import tables_of
from bence.registry import kept_findings


@pytest.fixture
def counted(store, monkeypatch):
    """A registry with two patients, and the patients that were assessed."""
    store.import_chart(LEAD, join([small("P1"), small("P2")]), "first")
    worked = []

    def assess_and_note(chart, *how, **policies):
        worked.append(chart.patients["patient"][0])
        return assess(chart, *how, **policies)

    monkeypatch.setattr(kept_findings, "assess", assess_and_note)
    return store, worked


def test_they_are_those_of_the_chart_and_kept_until_a_row_changes(counted):
    store, worked = counted
    first = store.findings_for(PHYSICIAN, "P1")
    kept = store.findings_for(PHYSICIAN, "P1")
    right = tables_of(assess(store.patient(LEAD, "P1").chart))
    assert set(first) == set(kept) == set(right)
    for name, table in right.items():
        assert_frame_equal(first[name], table)
        assert_frame_equal(kept[name], table)
    assert worked == ["P1"]
    store.add(ENTRY, "observations", "P2", {"on": date(2025, 2, 1), "what": "b2m", "value": 6.0, "unit": "mg/L"}, "visit")
    store.findings_for(PHYSICIAN, "P1")
    assert worked == ["P1"]  # the change was another patient's
    store.add(ENTRY, "observations", "P1", {"on": date(2025, 1, 1), "what": "b2m", "value": 6.0, "unit": "mg/L"}, "visit")
    assert store.findings_for(PHYSICIAN, "P1")["status"]["iss"].cast(str).to_list() == ["III"]
    assert worked == ["P1", "P1"]


def test_another_day_profile_policy_or_version_is_another_question(counted, monkeypatch):
    store, worked = counted
    found = assess(small("P1"))
    monkeypatch.setattr(kept_findings, "assess", lambda chart, *how, **policies: worked.append((*how, policies)) or found)
    store.findings_for(PHYSICIAN, "P1")
    store.findings_for(PHYSICIAN, "P1", at="2025-01-02")
    store.findings_for(PHYSICIAN, "P1", at=date(2025, 1, 2))
    assert worked == [(None, "imwg_2016", {}), ("2025-01-02", "imwg_2016", {})]
    store.findings_for(PHYSICIAN, "P1", nadir="any")
    store.findings_for(PHYSICIAN, "P1", nadir="pairwise")
    store.findings_for(PHYSICIAN, "P1")
    assert worked[2:] == [(None, "imwg_2016", {"nadir": "pairwise"})]  # the other one is the default
    monkeypatch.setattr(kept_findings, "__version__", "9.9.9")
    store.findings_for(PHYSICIAN, "P1")
    assert len(worked) == 4
    with pytest.raises(UsageError, match="no policy"):
        store.findings_for(PHYSICIAN, "P1", nadri="any")


def test_what_is_kept_of_a_patient_is_made_once_for_each_change_and_gives_way_to_the_next(store):
    store.import_chart(LEAD, small(), "first")
    number, made = store.listed(LEAD)["person"][0], []

    def kept():
        return store.kept(LEAD, store.person(LEAD, number), "page", lambda: made.append(1) or len(made))

    assert [kept(), kept()] == [1, 1]
    row = store.patient(LEAD, "P1").rows["observations"]["id"][0]
    store.edit(LEAD, "observations", row, 1, {"value": 99.0}, "typed wrongly")
    assert [kept(), kept()] == [2, 2]


def test_two_who_ask_at_once_do_not_both_work_it_out(store):
    store.import_chart(LEAD, small(), "first")
    who, made = store.person(LEAD, store.listed(LEAD)["person"][0]), []

    def slow():
        made.append(1)
        time.sleep(0.2)
        return len(made)

    with ThreadPoolExecutor(2) as both:
        assert list(both.map(lambda _: store.kept(LEAD, who, "page", slow), range(2))) == [1, 1]


def test_whoever_asked_is_told_whom_a_change_touched_once_it_is_committed(store):
    told = []
    store.on_change(lambda persons: told.append((persons, store.listed(LEAD).height)))
    store.import_chart(LEAD, small(), "first")
    store.import_chart(LEAD, small("P2"), "only looked at", dry_run=True)
    assert told == [({1}, 1)]
