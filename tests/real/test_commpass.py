"""CoMMpass: lines derived from drugs and dates, beside the lines that the study's abstractors recorded.

The tables of section 5 of docs/rules/lines.md are measured here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import bence
from bence.read import hospital

MAPPING = Path(__file__).with_name("commpass.toml")
PAGE = Path(__file__).parents[2] / "docs" / "rules" / "lines.md"
STEROIDS = ("dexamethasone", "prednisone")
TRANSPLANTS = ("autologous_transplant", "allogeneic_transplant")


@pytest.fixture(scope="module")
def chart(real):
    return hospital.read([real("gdc_commpass/patients.csv"), real("gdc_commpass/treatments.csv")], MAPPING)


@pytest.fixture(scope="module")
def rows(chart):
    """Dated rows without duplicates, with the derived line and the recorded one."""
    lined = bence.assess(chart, lines="derived").treatments.select("patient", "source", "line", "line_recorded", "boundary")
    dated = chart.treatments.select("patient", "source", "started_on", "stopped_on", "what").join(lined, on=["patient", "source"])
    dated = dated.drop_nulls("started_on").unique(["patient", "what", "started_on", "stopped_on", "line_recorded"])
    return dated.sort("patient", "started_on", "what", "source")


@pytest.fixture(scope="module")
def patients(rows):
    """The number of lines of every patient, derived and recorded."""
    return rows.group_by("patient").agg(bence=pl.col("line").max(), record=pl.col("line_recorded").max())


def share(true: pl.Series) -> float:
    return float(true.mean())  # pyright: ignore[reportArgumentType]


def test_everything_is_read(chart, rows):
    assert chart.rejected.is_empty()
    assert chart.patients.height == 493
    assert chart.patients["died_on"].count() == 96
    assert chart.treatments.height == 3426  # of 3,632 rows, 206 are there twice
    assert chart.treatments["started_on"].null_count() == 358
    assert chart.treatments["line"].null_count() == 0
    assert chart.treatments.filter(pl.col("what").is_in(TRANSPLANTS)).height == 261
    assert chart.treatments.filter(pl.col("what") == "other_antimyeloma").height > 0
    assert (rows.height, rows["patient"].n_unique()) == (3068, 454)


def test_dates_are_counted_from_the_diagnosis(chart):
    row = chart.treatments.filter(pl.col("patient") == "MMRF_1474", pl.col("what") == "bortezomib").row(0, named=True)
    assert (row["started_on"], row["stopped_on"], row["line"]) == (dt.date(2000, 1, 2), dt.date(2000, 1, 9), 1)


def test_lines_agree_with_the_record(rows, patients):
    agree = rows["line"] == rows["line_recorded"]
    later = agree.filter(rows["line_recorded"] >= 2)
    counted = patients["bence"] == patients["record"]
    print(f"\nrows {share(agree):.1%}, recorded in line 2 or later {share(later):.1%}, patients {share(counted):.1%}")
    assert share(agree) >= 0.88
    assert share(later) >= 0.60
    assert share(counted) >= 0.84
    assert share(counted) > share(patients["record"] == 1) + 0.1  # "everything is line 1"


# ----------------------------------------------------------------------------------------------------------
# The tables of the page


def table_under(words: str) -> dict[str, list[str]]:
    """The rows of the first table after some words of the page."""
    lines = PAGE.read_text(encoding="utf-8").partition(words)[2].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found[name] = cells
    return found


def test_recorded_and_derived_numbers_of_lines_are_those_of_the_page(patients):
    few = patients.with_columns(pl.col("bence", "record").clip(upper_bound=4))
    counted = Counter(few.select("record", "bence").rows())
    measured = {f"{n} recorded" if n < 4 else "4 or more": [str(counted[n, m]) for m in range(1, 5)] for n in range(1, 5)}
    assert table_under("Numbers of lines of the 454 patients") == measured


def kind(own: list[dict]) -> str:
    """What the first row is about on which the two differ, in a patient whose numbers of lines differ."""
    drugs = [row for row in own if row["what"] not in STEROIDS]
    if any(a["line_recorded"] < b["line_recorded"] and a["started_on"] > b["started_on"] for a in drugs for b in drugs):
        return "the record goes back to an earlier line"
    first = next(row for row in own if row["line"] != row["line_recorded"])
    if first["line"] > first["line_recorded"]:
        opened = next(row["boundary"] for row in own if row["line"] == first["line"] and row["boundary"])
        return f"Bence alone opens a line: `{opened}`"
    near = [row["started_on"] - first["started_on"] for row in own if row["what"] in TRANSPLANTS]
    if any(dt.timedelta(-90) <= days <= dt.timedelta(60) for days in near):
        return "the record alone opens a line: around a transplant"
    before = {row["what"] for row in drugs if row["started_on"] < first["started_on"] and row["line"] == first["line"]}
    new = {row["what"] for row in drugs if row["started_on"] == first["started_on"]} - before
    return f"the record alone opens a line: {'a drug of first treatment is new' if new else 'the drugs were given before'}"


def test_kinds_of_disagreement_are_those_of_the_page(rows, patients):
    differ = patients.filter(pl.col("bence") != pl.col("record"))["patient"]
    kinds = Counter(kind(own.to_dicts()) for own in rows.filter(pl.col("patient").is_in(differ.implode())).partition_by("patient"))
    assert table_under("first row on which they differ") == {name: [str(n)] for name, n in kinds.items()}


def sequence(own: pl.DataFrame) -> str:
    """The drugs of a patient in the order they begin; those that begin within 28 days of one another together."""
    groups: list[set[str]] = []
    begun = dt.date.min
    for on, what in own.filter(~pl.col("what").is_in(STEROIDS)).select("started_on", "what").iter_rows():
        if (on - begun).days > 28:
            groups.append(set())
            begun = on
        groups[-1].add(what)
    return " > ".join("+".join(sorted(group)) for group in groups)


def test_the_record_counts_the_same_sequence_differently(rows, patients):
    """At most this share can agree by any rule that looks at drugs and their order alone."""
    sequences = pl.DataFrame([{"patient": own["patient"][0], "sequence": sequence(own)} for own in rows.partition_by("patient")])
    table = patients.join(sequences, on="patient").filter(pl.col("sequence").str.contains(">"))
    shared = table.filter(pl.len().over("sequence") > 1)
    mixed = shared.filter(pl.col("record").n_unique().over("sequence") > 1)
    best = sum(own["record"].value_counts()["count"].max() for own in shared.partition_by("sequence"))
    agree = int((shared["bence"] == shared["record"]).sum())
    print(f"\n{shared['sequence'].n_unique()} sequences, {shared.height} patients; {mixed['sequence'].n_unique()} sequences of "
          f"{mixed.height} patients counted differently; best {best}, Bence {agree}")  # fmt: skip
    assert (shared["sequence"].n_unique(), shared.height) == (27, 103)
    assert (mixed["sequence"].n_unique(), mixed.height, best) == (7, 19, 96)
    assert agree >= 95
