"""The chart: its form, what was known on a day, and that what is written is what is read."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bence.catalogue import codes_of
from bence.chart import DATED, ORDER, SCHEMA, TABLES, TRUST, Chart, join, last_date, visible
from bence.errors import ChartError, UsageError
from bence.read import read

START = date(2025, 1, 1)
NUMBERS = [code for code in codes_of("observation").values() if code.kind == "number" and not code.words]
GIVEN, HAPPENED = sorted(codes_of("drug", "procedure")), sorted(codes_of("event"))
WORDS = [code for code in codes_of("observation").values() if code.kind in ("category", "flag")]
days = st.dates(START, START + timedelta(days=400))
maybe_days = st.none() | days
free_text = st.none() | st.text("abcXYZ ,;\"'\n中文κ", min_size=3, max_size=12).map(str.strip).filter(lambda text: len(text) > 2)


@st.composite
def observation(draw, patients):
    row = {
        "patient": draw(st.sampled_from(patients)),
        "on": draw(days),
        "method": draw(free_text),
        "source": draw(free_text),
    }
    row["recorded_on"] = draw(st.none() | st.just(row["on"]) | st.just(row["on"] + timedelta(days=3)))
    row["status"] = draw(st.sampled_from([None, "final", "spurious", "entered_in_error"]))
    if draw(st.booleans()):
        code = draw(st.sampled_from(WORDS))
        return row | {"what": code.code, "text": draw(st.sampled_from(code.words))}
    code = draw(st.sampled_from(NUMBERS))
    value = draw(st.floats(code.low, code.high, allow_subnormal=False))
    return row | {
        "what": code.code,
        "value": value,
        "unit": code.unit or None,
        "comparator": draw(st.sampled_from([None, "<", ">"])),
    }


@st.composite
def treatment(draw, patients):
    started = draw(maybe_days)
    return {
        "patient": draw(st.sampled_from(patients)),
        "what": draw(st.sampled_from(GIVEN)),
        "started_on": started,
        "stopped_on": draw(st.none() | st.dates(started or START, date(2027, 1, 1))),
        "dose": draw(st.none() | st.floats(0, 1e6)),
        "dose_unit": draw(st.none() | st.sampled_from(["mg", "mg/m2", "mg/kg"])),
        "phase": draw(st.sampled_from([None, "induction", "step_up"])),
        "line": draw(st.none() | st.integers(1, 40)),
        "planned": draw(st.none() | st.booleans()),
        "stop_reason": draw(st.sampled_from([None, "toxicity", "completed"])),
        "recorded_on": draw(maybe_days),
    }


@st.composite
def event(draw, patients):
    on = draw(days)
    return {
        "patient": draw(st.sampled_from(patients)),
        "what": draw(st.sampled_from(HAPPENED)),
        "on": on,
        "until": draw(st.none() | st.dates(on, date(2027, 1, 1))),
        "grade": draw(st.none() | st.integers(0, 5)),
        "text": draw(st.sampled_from([None, "none"]) | free_text),
        "recorded_on": draw(maybe_days),
    }


@st.composite
def charts(draw):
    keys = draw(
        st.lists(
            st.text("0123456789PÄ-", min_size=2, max_size=6).filter(lambda key: key.strip("-")),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    people = [
        {
            "patient": key,
            "sex": draw(st.sampled_from([None, "female", "male"])),
            "born_on": draw(st.sampled_from([None, "1960", "1960-05", "1960-05-03"])),
            "light_chain": draw(st.sampled_from([None, "kappa", "none"])),
            "died_on": draw(st.none() | st.dates(date(2027, 1, 1), date(2028, 1, 1))),
            "death_cause": draw(free_text),
            "last_seen_on": draw(st.none() | st.dates(date(2026, 6, 1), date(2026, 12, 31))),
        }
        for key in keys
    ]
    rows = {
        "patients": people,
        "observations": draw(st.lists(observation(keys), max_size=6)),
        "treatments": draw(st.lists(treatment(keys), max_size=4)),
        "events": draw(st.lists(event(keys), max_size=4)),
    }
    return Chart(**{table: pl.DataFrame(listed, schema=SCHEMA[table]) for table, listed in rows.items()})


def tidy(frame, table):
    """The rows without their order, identical ones once."""
    names = [name for name in frame.columns if name != "source"]
    return frame.select(names).unique().sort([*ORDER[table], *names], nulls_last=True)


def assert_same(one, other):
    for table in TABLES:
        assert_frame_equal(tidy(getattr(one, table), table), tidy(getattr(other, table), table), check_exact=True)


@settings(max_examples=25, deadline=None)
@given(charts(), st.sampled_from(["csv", "parquet"]))
def test_what_is_written_is_what_is_read(tmp_path_factory, chart, format):
    folder = tmp_path_factory.mktemp("chart")
    chart.write(folder, format)
    again = read(folder)
    assert again.rejected.height == 0
    assert_same(again, chart)


@settings(max_examples=12, deadline=None)
@given(charts(), st.randoms())
def test_the_order_of_rows_does_not_matter(tmp_path_factory, chart, random):
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    chart.write(first)
    second.mkdir(exist_ok=True)
    for path in first.iterdir():
        frame = pl.read_csv(path, infer_schema=False)
        order = list(range(frame.height))
        random.shuffle(order)
        frame[order].write_csv(second / path.name)
    one, other = read(first), read(second)
    for table in TABLES:
        assert_frame_equal(*(getattr(each, table).drop("source", strict=False) for each in (one, other)))


@settings(max_examples=40, deadline=None)
@given(charts(), days, days)
def test_what_was_visible_is_visible_within_what_is_visible_later(chart, one, other):
    early, late = min(one, other), max(one, other)
    assert_same(visible(visible(chart, late), early), visible(chart, early))


@settings(max_examples=40, deadline=None)
@given(charts(), days)
def test_nothing_visible_is_later_than_the_day(chart, at):
    seen = visible(chart, at)
    for table in TABLES:
        for name, dtype in SCHEMA[table].items():
            if dtype == pl.Date:
                assert (getattr(seen, table)[name].drop_nulls() <= at).all()
    assert seen.patients.height == chart.patients.height
    known = last_date(seen)
    assert known is None or known <= at


@settings(max_examples=40, deadline=None)
@given(charts())
def test_at_the_last_date_everything_is_visible(chart):
    last = last_date(chart)
    assert_same(visible(chart, last), chart)
    assert visible(chart, None) is chart


def small():
    return Chart(
        pl.DataFrame({"patient": ["002", "001"], "died_on": [None, "2025-06-01"], "death_cause": [None, "x"]}),
        pl.DataFrame({"patient": ["001"], "on": [START], "what": ["b2m"], "value": [3.0], "unit": ["mg/L"]}),
        pl.DataFrame({
            "patient": ["001"], "started_on": [START], "stopped_on": [date(2025, 3, 1)],
            "what": ["bortezomib"], "planned": [True], "stop_reason": ["toxicity"],
        }),
    )  # fmt: skip


def test_absent_tables_and_columns_are_unknown():
    chart = small()
    assert chart.events.height == 0
    assert list(chart.events.columns) == list(SCHEMA["events"])
    assert chart.patients["sex"].to_list() == [None, None]
    assert chart.observations["status"].to_list() == ["final"]
    assert chart.observations["recorded_on"].to_list() == [START]


def test_a_stop_is_not_known_before_it_happened():
    row = visible(small(), date(2025, 2, 1)).treatments.row(0, named=True)
    assert row["stopped_on"] is None
    assert row["stop_reason"] is None
    assert visible(small(), date(2025, 5, 31)).patients["death_cause"].null_count() == 2
    assert visible(small(), date(2025, 6, 1)).patients["death_cause"].null_count() == 1


def test_what_became_known_later_is_not_visible():
    late = pl.DataFrame(
        {
            "patient": ["001"],
            "on": [START],
            "what": ["t_4_14"],
            "text": ["positive"],
            "recorded_on": ["2025-02-01"],
        }
    )
    chart = Chart(small().patients, late)
    assert visible(chart, date(2025, 1, 31)).observations.height == 0
    assert visible(chart, date(2025, 2, 1)).observations.height == 1


def test_keys_are_text(tmp_path):
    small().write(tmp_path)
    assert read(tmp_path).patients["patient"].to_list() == ["001", "002"]


def test_one_patient():
    assert small().only("001").patients.height == 1
    assert small().only("002").observations.height == 0
    with pytest.raises(UsageError, match=r"no patient '01'.*did you mean '001'"):
        small().only("01")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chart(pl.DataFrame({"patient": ["a", "a"]})), "patient 'a' is there twice"),
        (lambda: Chart(pl.DataFrame({"patient": ["a", None]})), "a patient without a key"),
        (lambda: Chart(pl.DataFrame({"patient": ["a"], "sexx": ["male"]})), "did you mean 'sex'"),
        (lambda: Chart(pl.DataFrame({"patient": ["a"], "died_on": ["soon"]})), "died_on"),
    ],
)
def test_faults_of_structure(make, message):
    with pytest.raises(ChartError, match=message):
        make()


def test_unknown_tables_and_formats_are_named(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'events'"):
        small().scan("event")
    with pytest.raises(UsageError, match="csv or parquet"):
        small().write(tmp_path, "xml")


def test_a_table_of_the_other_format_is_not_left_beside(tmp_path):
    small().write(tmp_path)
    with pytest.raises(ChartError, match="already there in another format"):
        small().write(tmp_path, "parquet")
    small().write(tmp_path, "parquet", replace=True)
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}
    assert TRUST.items() <= pl.read_parquet_metadata(tmp_path / "events.parquet").items()


def test_csv_is_plain(tmp_path):
    small().write(tmp_path)
    text = (tmp_path / "treatments.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == "001,2025-01-01,2025-03-01,bortezomib,,,,,,yes,toxicity,2025-01-01,"


def test_a_large_chart_stays_on_disk(tmp_path):
    small().write(tmp_path, "parquet")
    plan = read(tmp_path).scan("observations").select("value").explain()
    assert "PROJECT 1/" in plan


def test_joining_fills_blanks_and_lists_what_disagrees():
    one = Chart(pl.DataFrame({"patient": ["a"], "sex": ["male"]}))
    other = Chart(pl.DataFrame({"patient": ["a", "b"], "sex": ["female", "female"], "centre": ["X", "X"]}))
    both = join([one, other])
    assert both.patients.sort("patient").select("patient", "sex", "centre").rows() == [
        ("a", "male", "X"),
        ("b", "female", "X"),
    ]
    assert both.rejected.select("column", "value", "expected").rows() == [("sex", "female", "male")]


def test_no_dates_at_all():
    assert last_date(Chart(pl.DataFrame({"patient": ["a"]}))) is None


def test_every_dated_table_has_its_date_first_after_the_patient():
    assert all(list(SCHEMA[table])[1] == on for table, on in DATED.items())
