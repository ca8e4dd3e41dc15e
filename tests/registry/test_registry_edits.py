"""Rows are edited one by one: by the version that was read, never over the work of another, and the history keeps all of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import polars as pl
import pytest
from homes import ENTRY, LEAD, PHYSICIAN, small, whole

from bence.errors import ChartError, UsageError
from bence.registry import AccessError, ConflictError


@pytest.fixture
def row(store):
    """The id of the first haemoglobin of P1."""
    store.import_chart(LEAD, small(), "first")
    return store.patient(LEAD, "P1").rows["observations"].sort("on")["id"][0]


def values(store):
    return sorted(store.chart(LEAD).observations["value"])


def test_a_row_is_changed_and_the_history_says_who_when_and_why(store, row):
    assert store.edit(PHYSICIAN, "observations", row, 1, {"value": 88.0}, "read wrongly") == 2
    told = store.history(LEAD, "observations", row)
    assert told.select("version", "value", "who", "why", "ended_by").rows() == [
        (1, 98, "wang", "first", "li"), (2, 88, "li", "read wrongly", None),
    ]  # fmt: skip
    assert told["until_at"][0] == told["at"][1]
    assert values(store) == [88, 102]
    assert store.patient(LEAD, "P1").rows["observations"].sort("on").select("id", "version", "who").row(0) == (row, 2, "li")


def test_whoever_comes_second_is_told_who_changed_what_and_overwrites_nothing(store, row):
    store.edit(PHYSICIAN, "observations", row, 1, {"value": 88.0, "method": "flow"}, "read wrongly")
    with pytest.raises(ConflictError, match=r"li changed it .*read wrongly.*value: 98.0 → 88.0") as refused:
        store.edit(ENTRY, "observations", row, 1, {"value": 89.0}, "mine")
    assert (refused.value.who, refused.value.theirs) == ("li", {"value": (98.0, 88.0), "method": (None, "flow")})
    with pytest.raises(ConflictError):
        store.remove(ENTRY, "observations", row, 1, "mine")
    store.remove(ENTRY, "observations", row, 2, "not of this patient")
    with pytest.raises(ConflictError, match="was removed meanwhile: chen"):
        store.edit(PHYSICIAN, "observations", row, 2, {"value": 90.0}, "again")
    assert values(store) == [102]


def test_of_many_at_once_one_succeeds_each_time(store, row):
    def attempt(value):
        try:
            return store.edit(ENTRY, "observations", row, 1, {"value": value}, f"to {value}")
        except ConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(attempt, [90.0 + i for i in range(8)]))
    assert sorted(done, key=str) == [2] + [None] * 7
    assert store.history(LEAD, "observations", row).height == 2
    assert values(store) == [90.0 + done.index(2), 102]


def test_rows_are_added_and_patients_entered(store, row):
    store.add_patient(ENTRY, "P2", "WH", {"sex": "male", "born_on": "1955"}, "new")
    added = store.add(PHYSICIAN, "events", "P2", {"on": date(2025, 3, 1), "what": "mm_diagnosis"}, "visit")
    record = store.patient(LEAD, "P2")
    assert record.chart.patients.select("sex", "born_on", "centre").row(0) == ("male", "1955", "WH")
    assert record.chart.events.select("what", "source").row(0) == ("mm_diagnosis", f"registry:events/{added}")
    with pytest.raises(UsageError, match="already"):
        store.add_patient(ENTRY, "P2", "WH", {}, "twice")
    with pytest.raises(UsageError, match="still has rows in events"):
        store.remove(ENTRY, "patients", record.rows["patients"]["id"][0], 1, "twice")
    store.remove(ENTRY, "events", added, 1, "twice")
    store.remove(ENTRY, "patients", record.rows["patients"]["id"][0], 1, "twice")
    assert store.chart(LEAD).patients["patient"].to_list() == ["P1"]
    store.add_patient(ENTRY, "P2", "WH", {"sex": "male"}, "after all")
    assert store.patient(LEAD, "P2").rows["patients"]["version"].to_list() == [2]


BAD = [
    ("observations", {"on": date(2025, 1, 1), "what": "hemoglobn", "value": 90.0, "unit": "g/L"}, "did you mean 'hemoglobin'"),
    ("observations", {"on": date(2025, 1, 1), "what": "hemoglobin", "value": 9000.0, "unit": "g/L"}, "observations: value"),
    ("observations", {"on": date(2025, 1, 1), "what": "hemoglobin", "value": 90.0}, "unit"),
    ("observations", {"on": date(2025, 1, 1), "what": "hemoglobin", "value": "much", "unit": "g/L"}, "much"),
    ("observations", {"on": date(2025, 1, 1), "what": "hemoglobin"}, "says nothing"),
    ("events", {"on": date(1950, 1, 1), "what": "mm_diagnosis"}, "before birth"),
    ("treatments", {"started_on": date(2025, 1, 1), "what": "bortezomib", "stop_reason": "whim"}, "stop_reason"),
]


def test_what_no_reader_would_accept_is_refused(store, row):
    before = whole(store.chart(LEAD))
    for table, given, said in BAD:
        with pytest.raises(ChartError, match=said):
            store.add(ENTRY, table, "P1", given, "visit")
    assert whole(store.chart(LEAD)) == before


def test_units_and_spellings_are_settled_at_the_door(store, row):
    given = {"on": date(2025, 1, 7), "what": "血红蛋白", "value": 9.5, "unit": "g/dL"}
    added = store.add(ENTRY, "observations", "P1", given, "from the paper")
    told = store.history(LEAD, "observations", added).select("what", "value", "unit", "status").row(0)
    assert told == ("hemoglobin", 95.0, "g/L", "final")
    store.edit(ENTRY, "observations", added, 1, {"value": "96"}, "typed")
    assert store.history(LEAD, "observations", added)["value"].to_list() == [95.0, 96.0]


def test_wrong_names_are_told(store, row):
    with pytest.raises(UsageError, match="did you mean 'value'"):
        store.edit(ENTRY, "observations", row, 1, {"valu": 1.0}, "slip")
    with pytest.raises(UsageError, match="did you mean 'observations'"):
        store.edit(ENTRY, "observation", row, 1, {"value": 1.0}, "slip")
    with pytest.raises(AccessError, match="no row 99"):
        store.edit(ENTRY, "observations", 99, 1, {"value": 1.0}, "slip")
    with pytest.raises(AccessError, match="no patient 'P7'"):
        store.add(ENTRY, "events", "P7", {"on": date(2025, 1, 1), "what": "mm_diagnosis"}, "slip")


def test_rows_of_one_visit_are_entered_together_or_not_at_all(store):
    store.import_chart(LEAD, small(), "first")
    day = date(2026, 1, 5)
    good = {"on": day, "what": "calcium", "value": 2.4, "unit": "mmol/L"}
    with pytest.raises(ChartError):
        store.add_all(LEAD, "observations", "P1", [good, {"on": day, "what": "calcum", "value": 2.4, "unit": "mmol/L"}], "visit")
    assert day not in store.chart(LEAD).observations["on"].to_list()
    ids = store.add_all(LEAD, "observations", "P1", [good, good | {"what": "albumin", "value": 40.0, "unit": "g/L"}], "visit")
    written = store.patient(LEAD, "P1").rows["observations"].filter(pl.col("id").is_in(ids))
    assert sorted(written["what"]) == ["albumin", "calcium"]
    assert written["from_change"].n_unique() == 1
