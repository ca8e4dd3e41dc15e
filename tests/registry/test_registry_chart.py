"""What is brought into the registry is what comes out, now and as of any time; an import says what it does and can be taken back."""

from datetime import date

import polars as pl
import pytest
from homes import ALL, ENTRY, LEAD, OTHER, small, whole, with_rows
from openpyxl import Workbook

from bence.chart import TABLES, join
from bence.demo import demo_chart
from bence.errors import UsageError
from bence.registry import Access, AccessError, ConflictError
from bence.registry import clock as registry_clock


@pytest.fixture(scope="module")
def demo():
    chart = demo_chart()
    return with_rows(chart, patients=chart.patients.with_columns(centre=pl.lit("WH")))


def test_the_demo_cohort_comes_out_as_it_went_in(store, demo, tmp_path):
    done = store.import_chart(LEAD, demo, "first export")
    rows = sum(getattr(demo, table).height for table in TABLES)
    assert done.counts == {"new": rows, "changed": 0, "same": 0, "rejected": 0}
    back = store.chart(LEAD)
    assert whole(back) == whole(demo)
    assert back.observations["source"].sort().to_list() == demo.observations["source"].sort().to_list()
    store.export(LEAD, tmp_path / "parquet", "parquet")
    again = store.import_chart(LEAD, tmp_path / "parquet", "the same once more")
    assert again.counts == {"new": 0, "changed": 0, "same": rows, "rejected": 0}
    now = store.chart(LEAD)
    assert all(getattr(now, table).equals(getattr(back, table)) for table in TABLES)


def test_a_folder_and_a_workbook_come_in_through_the_readers(store, tmp_path):
    small().write(tmp_path / "folder")
    assert store.import_chart(LEAD, tmp_path / "folder", "folder").counts["new"] == 5
    book = Workbook()
    for row in (("patient", "date", "hemoglobin (g/L)"), ("P2", "2025-02-01", 101), ("P2", "2025-02-02", "abc")):
        book.active.append(row)
    book.save(tmp_path / "lab.xlsx")
    done = store.import_chart(LEAD, tmp_path / "lab.xlsx", "workbook")
    assert done.counts == {"new": 2, "changed": 0, "same": 0, "rejected": 1}
    assert store.patient(LEAD, "P2").chart.observations["value"].to_list() == [101.0]


def test_a_dry_run_tells_row_by_row_and_leaves_nothing(store):
    store.import_chart(LEAD, small(hemoglobin=(98, 102)), "first")
    coming = small(hemoglobin=(98, 104, 110))
    plan = store.import_chart(LEAD, coming, "second", dry_run=True)
    told = plan.rows.filter(pl.col("table") == "observations").select("on", "what", "outcome", "differs").rows()
    assert plan.change is None
    assert sorted(told, key=str) == [
        (date(2025, 1, 1), "hemoglobin", "same", None),
        (date(2025, 1, 2), "hemoglobin", "changed", "value: 102.0 → 104.0"),
        (date(2025, 1, 3), "hemoglobin", "new", None),
    ]
    assert whole(store.chart(LEAD)) == whole(small(hemoglobin=(98, 102)))
    done = store.import_chart(LEAD, coming, "second")
    assert done.rows.drop("row").equals(plan.rows.drop("row"))
    assert whole(store.chart(LEAD)) == whole(coming)


def test_a_result_corrected_on_a_later_day_stands_beside_the_first(store):
    store.import_chart(LEAD, small(hemoglobin=(98,)), "first")
    corrected = small(hemoglobin=(108,))
    corrected = with_rows(corrected, observations=corrected.observations.with_columns(recorded_on=date(2025, 1, 9)))
    assert store.import_chart(LEAD, corrected, "corrected").counts["new"] == 1
    assert sorted(store.chart(LEAD).observations["value"]) == [98, 108]


def test_a_blank_never_erases_and_what_becomes_known_later_is_filled_in(store):
    store.import_chart(LEAD, small(died_on=[date(2025, 8, 1)], heavy_chain=["igg"]), "first")
    ended = small()
    ended = with_rows(ended, treatments=ended.treatments.with_columns(stopped_on=date(2025, 3, 1)))
    done = store.import_chart(LEAD, ended, "second")
    assert done.counts["changed"] == 1
    third = store.import_chart(LEAD, small(), "a file without the end of the treatment")
    assert third.counts["changed"] == 0
    chart = store.chart(LEAD)
    assert chart.patients.select("died_on", "heavy_chain", "sex").row(0) == (date(2025, 8, 1), "igg", "female")
    assert chart.treatments["stopped_on"].to_list() == [date(2025, 3, 1)]


def test_two_values_of_one_day_are_two_rows(store):
    store.import_chart(LEAD, small(hemoglobin=(98,)), "first")
    both = small(hemoglobin=(98,))
    both = with_rows(both, observations=pl.concat([both.observations, both.observations.with_columns(value=pl.lit(91.0))]))
    assert store.import_chart(LEAD, both, "with the one of the evening").counts == {"new": 1, "changed": 0, "same": 4, "rejected": 0}
    twice = with_rows(both, observations=pl.concat([both.observations, both.observations]))
    assert store.import_chart(LEAD, twice, "each row twice").counts["new"] == 0


def test_the_chart_as_it_was_at_any_time(store):
    before = registry_clock.now()
    states, moments = [], []
    for values in ((98,), (98, 102), (97, 102)):
        store.import_chart(LEAD, small(hemoglobin=values), str(values))
        states.append(whole(store.chart(LEAD)))
        moments.append(registry_clock.now())
    for state, moment in zip(states, moments, strict=True):
        assert whole(store.chart(LEAD, at_store_time=moment)) == state
        assert whole(store.patient(LEAD, "P1", at_store_time=moment).chart) == state
    assert store.chart(LEAD, at_store_time=before).patients.is_empty()
    with pytest.raises(UsageError, match="is not in the registry at that time"):
        store.patient(LEAD, "P1", at_store_time=before)
    with pytest.raises(UsageError, match="time zone"):
        store.chart(LEAD, at_store_time="2025-01-01T10:00:00")


def test_an_import_is_taken_back_whole_and_nothing_is_erased(store):
    store.import_chart(LEAD, small(hemoglobin=(98, 102)), "first")
    wrong = store.import_chart(LEAD, join([small(hemoglobin=(98, 150)), small("P2")]), "wrong file")
    assert wrong.counts == {"new": 5, "changed": 1, "same": 4, "rejected": 0}
    then = registry_clock.now()
    mixed = whole(store.chart(LEAD))
    store.undo(ENTRY, wrong.change, "it was the file of another ward")
    assert whole(store.chart(LEAD)) == whole(small(hemoglobin=(98, 102)))
    assert whole(store.chart(LEAD, at_store_time=then)) == mixed
    row = wrong.rows.filter(pl.col("outcome") == "changed")["row"][0]
    told = store.history(LEAD, "observations", row)
    assert told["value"].to_list() == [102, 150, 102]
    assert told["why"].to_list() == ["first", "wrong file", "it was the file of another ward"]
    assert told["ended_by"].to_list() == ["wang", "chen", None]
    with pytest.raises(UsageError, match="taken back"):
        store.undo(ENTRY, wrong.change, "again")
    with pytest.raises(UsageError, match="cannot be taken back"):
        store.undo(ENTRY, 99, "what?")
    assert store.import_chart(LEAD, small("P2"), "this one is right").counts["new"] == 5
    assert store.chart(LEAD).patients["patient"].to_list() == ["P1", "P2"]


def test_an_import_somebody_has_worked_on_is_not_taken_back(store):
    done = store.import_chart(LEAD, small(), "first")
    row = store.patient(LEAD, "P1").rows["observations"].row(0, named=True)
    store.edit(ENTRY, "observations", row["id"], row["version"], {"value": 99.0}, "read from the paper")
    with pytest.raises(ConflictError, match="chen changed it") as refused:
        store.undo(LEAD, done.change, "wrong")
    assert refused.value.theirs == {"value": (98.0, 99.0)}
    other = store.import_chart(LEAD, small("P2"), "second")
    store.add(ENTRY, "events", "P2", {"on": date(2025, 2, 1), "what": "relapse_clinical"}, "visit")
    with pytest.raises(ConflictError, match="was added to a patient of this change"):
        store.undo(LEAD, other.change, "wrong")
    assert store.chart(LEAD).patients.height == 2


def test_a_key_that_two_centres_use_is_two_patients(store):
    store.import_chart(LEAD, small("001", "WH", (98,)), "Wuhan")
    store.import_chart(OTHER, small("001", "XA", (77,)), "Xi'an")
    chart = store.chart(ALL)
    assert chart.patients["patient"].to_list() == ["WH:001", "XA:001"]
    assert store.chart(ALL, centres=["XA"]).observations.select("patient", "value").rows() == [("001", 77)]
    assert store.chart(LEAD).observations.select("patient", "value").rows() == [("001", 98)]
    assert store.patient(ALL, "001", "XA").chart.observations["value"].to_list() == [77]
    with pytest.raises(UsageError, match="WH, XA"):
        store.patient(ALL, "001")


def test_patients_of_other_centres_and_rows_without_a_patient_are_told_not_dropped(store):
    mixed = join([small("P1", "WH"), small("P2", "XA"), small("P3", None)])
    lost = pl.concat([mixed.observations, small("P9").observations])
    done = store.import_chart(LEAD, with_rows(mixed, observations=lost), "mixed")
    told = done.rejected.select("file", "column", "value", "reason").rows()
    assert told == [
        ("patients", "centre", "XA", "patient P2: not a centre of wang; the patient is left out"),
        ("observations", "patient", "P9", "patient P9: not in the table of patients; its rows are left out"),
    ]
    assert store.chart(LEAD).patients.select("patient", "centre").rows() == [("P1", "WH"), ("P3", "WH")]
    assert store.import_chart(ALL, small("P3", None), "no centre").rejected.height == 1


def test_what_was_not_accepted_stays_with_the_import(store):
    mixed = join([small("P1", "WH"), small("P2", "QQ")])
    done = store.import_chart(LEAD, mixed, "two centres")
    assert store.rejected(LEAD, done.change).rows() == done.rejected.rows() != []
    assert store.imports(LEAD).select("id", "rejected").rows() == [(done.change, 1)]
    both = store.import_chart(ALL, small("P3", "QQ"), "nothing was accepted")
    assert store.imports(ALL).select("id", "rejected").rows() == [(both.change, 1), (done.change, 1)]
    assert store.imports(LEAD)["id"].to_list() == [done.change]
    for access, change in ((OTHER, done.change), (LEAD, both.change), (LEAD, 99), (Access("li", ["physician"], ["WH"]), done.change)):
        with pytest.raises(AccessError):
            store.rejected(access, change)
    again = store.import_chart(LEAD, mixed, "only looked at", dry_run=True)
    assert again.rejected.height == 1
    assert store.imports(LEAD)["id"].to_list() == [done.change]
    assert store.verify(Access("root", ["administrator"], ["WH"])).whole
