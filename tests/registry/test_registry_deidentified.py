"""A de-identified chart tells nobody's name, and means what the chart means."""

import json
from datetime import date

import polars as pl
import pytest
from homes import ALL, ANALYST, LEAD, PHYSICIAN, small, whole, with_rows

from bence.assess import assess
from bence.demo import demo_chart
from bence.errors import UsageError
from bence.read import read
from bence.registry import Access, AccessError, deidentify

KEY = b"a secret of the tests only"
OTHER_KEY = b"another secret of the tests"
DATES = {
    "observations": ("on", "recorded_on"),
    "treatments": ("started_on", "stopped_on", "recorded_on"),
    "events": ("on", "until", "recorded_on"),
}


@pytest.fixture(scope="module")
def demo():
    return demo_chart()


@pytest.fixture(scope="module")
def bare(demo):
    return deidentify(demo, KEY)[0]


def test_the_findings_are_the_same(demo, bare):
    """Ages apart (a year of birth is left) nothing that is found changes."""
    columns = ["diagnosis", "iss", "r_iss", "r2_iss", "line", "best_response", "response"]
    found = [assess(chart).status.select(columns).cast(pl.String).rows() for chart in (demo, bare)]
    assert sorted(found[0], key=repr) == sorted(found[1], key=repr)
    lines = [assess(chart).lines.select("regimen", "best_response", "pfs_days").cast(pl.String).rows() for chart in (demo, bare)]
    assert sorted(lines[0], key=repr) == sorted(lines[1], key=repr)


def test_dates_of_a_patient_move_together_and_those_of_patients_apart(demo, bare):
    def spans(chart):
        """Of each patient the days from the first date to every other, and that first date."""
        days = [
            getattr(chart, table).select("patient", on=pl.concat_list(names)).explode("on").drop_nulls() for table, names in DATES.items()
        ]
        by = pl.concat(days).unique().sort("patient", "on").group_by("patient", maintain_order=True).agg(first=pl.col("on").min(), all="on")
        gaps = [tuple((day - first).days for day in all_days) for first, all_days in by.select("first", "all").iter_rows()]
        return sorted(zip(gaps, by["first"].to_list(), strict=True))

    before, after = spans(demo), spans(bare)
    assert [gaps for gaps, _ in before] == [gaps for gaps, _ in after]
    moved = [(old - new).days for (_, old), (_, new) in zip(before, after, strict=True)]
    assert len(set(moved)) > 10
    assert all(1 <= days <= 364 for days in moved)


def test_nothing_is_left_that_names_anybody(demo, bare, tmp_path):
    chart = with_rows(
        demo,
        patients=demo.patients.with_columns(death_cause=pl.lit("Zhang San fell")),
        observations=demo.observations.with_columns(
            sample=pl.lit("accession 778"), method=pl.lit("by Dr Li"), text=pl.col("text").fill_null("Zhang San")
        ),
        treatments=demo.treatments.with_columns(route=pl.lit("at home, 5 Mill Lane"), dose_unit=pl.lit("for Zhang San")),
        events=demo.events.with_columns(text=pl.lit("Zhang San said")),
    )
    deidentify(chart, KEY)[0].write(tmp_path)
    told = "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv"))
    for word in ("Zhang", "Mill Lane", "Dr Li", "778", "Synthetic", ".csv:", *demo.patients["patient"]):
        assert word not in told
    assert set(bare.patients["centre"]) == {None}


def test_events_that_did_not_happen_still_did_not_happen(demo, bare):
    assert (bare.events["text"] == "none").sum() == (demo.events["text"] == "none").sum() > 0


@pytest.mark.parametrize(("born", "last", "years"), [("1934-05-01", 2025, 90), ("1930", 2025, 90), ("1970-02", 2025, 55)])
def test_nobody_is_older_than_ninety(born, last, years):
    chart, _ = deidentify(small(born_on=[born], last_seen_on=[date(last, 12, 31)]), KEY)
    left, seen = chart.patients.select("born_on", "last_seen_on").row(0)
    assert len(left) == 4
    assert abs(seen.year - int(left) - years) <= (0 if years == 90 else 1)


def test_pseudonyms_follow_the_key_and_the_centre():
    def name(patient, centre, key):
        return deidentify(small(patient, centre), key)[0].patients["patient"][0]

    assert name("P1", "WH", KEY) == name("P1", "WH", KEY)
    assert len({name("P1", "WH", KEY), name("P1", "WH", OTHER_KEY), name("P1", "XA", KEY), name("P2", "WH", KEY)}) == 4
    with pytest.raises(UsageError, match="too short"):
        deidentify(small(), b"short")


def test_an_export_says_what_was_done(store, demo, tmp_path):
    chart = with_rows(demo, patients=demo.patients.with_columns(centre=pl.lit("WH")))
    store.import_chart(LEAD, chart, "first")
    said = json.loads(store.export(ANALYST, tmp_path / "bare", "parquet", KEY).read_text(encoding="utf-8"))
    assert "90+" in said["deidentified"]["born_on"]
    assert (said["by"], said["centres"], said["rows"]["patients"]) == (None, None, demo.patients.height)
    assert read(tmp_path / "bare").patients["patient"].to_list() == store.deidentified(ANALYST, KEY).patients["patient"].to_list()
    plain = json.loads(store.export(LEAD, tmp_path / "plain").read_text(encoding="utf-8"))
    assert (plain["deidentified"], plain["by"], plain["centres"]) == (None, "wang", ["WH"])
    with pytest.raises(AccessError, match="sun may not export"):
        store.export(ANALYST, tmp_path / "another")
    with pytest.raises(UsageError, match="an empty folder"):
        store.export(LEAD, tmp_path / "plain")


def test_one_patient_is_de_identified_as_in_the_chart_of_all(store):
    """Also where two centres use the same key."""
    both = Access("qian", ["analyst"], ["WH", "XA"])
    store.import_chart(ALL, small("001", "WH"), "Wuhan")
    store.import_chart(ALL, small("001", "XA", (77.0,), sex=["male"]), "Xi'an")
    store.import_chart(ALL, small("002", "YC"), "Yichang")
    everybody = store.deidentified(both, KEY)
    assert store.treated(both, KEY).rows() == [(patient, 1) for patient in sorted(everybody.patients["patient"])]
    for patient in everybody.patients["patient"]:
        assert whole(store.deidentified_one(both, KEY, patient)) == whole(everybody.only(patient))
    elsewhere = store.treated(Access("qian", ["analyst"], ["YC"]), KEY)["patient"][0]
    for access, patient in ((both, "001"), (both, elsewhere), (LEAD, "0" * 16)):
        with pytest.raises(AccessError):
            store.deidentified_one(access, KEY, patient)
    with pytest.raises(AccessError):
        store.treated(PHYSICIAN, KEY)
