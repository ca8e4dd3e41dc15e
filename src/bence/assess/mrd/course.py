"""MRD over time: category, sustained negativity, conversion, resurgence, doubling time, and when the next sample is due.

Sources: IMWG 2016 (kumar-2016) for the categories; PERSEUS for sustained negativity without imaging; MASTER for resurgence.
Rules in words: docs/rules/mrd.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ...chart import Chart
from ..intake import APART, keyed
from . import poisson

COMPLETE = ("CR", "sCR")
CATEGORIES = (
    "flow_mrd_negative", "sequencing_mrd_negative", "imaging_mrd_negative", "mrd_negative_not_cr", "mrd_positive",
)  # fmt: skip
COURSE = ("sustained_imwg", "sustained_trial", "conversion")
DEAUVILLE_NEGATIVE = 2  # uptake up to the mediastinal blood pool
YEAR = "12mo"
FOLD = 10.0
MONTHS_DUE, MONTHS_DUE_HIGH_RISK = "12mo", "6mo"


def imaging(chart: Chart) -> pl.DataFrame:
    """PET of each patient and day: `pet` is true where an area is avid, false where none is; of one day the worse counts."""
    rows = chart.scan("observations").filter(
        pl.col("what").is_in(["pet", "pet_lesions"]) & pl.col("on").is_not_null() & (pl.col("status") == "final")
    )
    score = pl.when(pl.col("what") == "pet").then(pl.col("value") > DEAUVILLE_NEGATIVE).otherwise(pl.col("value") > 0)
    said = pl.when(pl.col("text").is_in(["negative", "no"])).then(False).when(pl.col("text").is_not_null()).then(True)
    found = rows.select("patient", "on", pet=pl.coalesce(said, score)).drop_nulls("pet")
    return found.group_by("patient", "on").agg(pl.col("pet").max()).sort("patient", "on").collect()


def nearest_in_time(tests: pl.DataFrame, facts: pl.DataFrame, name: str, before: float, after: float) -> pl.Series:
    """The fact nearest to each test, at most so many days before or after it; of two as near, the one before."""
    own, day = _keys(tests), _keys(facts)
    if not day.size:
        return pl.Series(name, [None], dtype=facts.schema[name]).new_from_index(0, tests.height)
    values = facts[name]
    if np.any(day[1:] < day[:-1]):
        order = np.argsort(day, kind="stable")
        day, values = day[order], values.gather(order)
    place = np.searchsorted(day, own, side="right")
    past, next_ = np.maximum(place - 1, 0), np.minimum(place, day.size - 1)
    since, until = own - day[past], day[next_] - own
    since = np.where((place > 0) & (since <= before), since, APART)
    until = np.where((place < day.size) & (until <= after), until, APART)
    chosen = pl.Series(np.where(until < since, next_, past))
    return pl.select(pl.when(pl.Series(np.minimum(since, until) < APART)).then(values.gather(chosen))).to_series().alias(name)


def _keys(rows: pl.DataFrame) -> np.ndarray:
    """Patient and day in one number; days of two patients are further apart than any reach."""
    return keyed(rows["patient"].to_numpy(), rows["on"].to_physical().to_numpy())


def categorised(tests: pl.DataFrame, response: pl.DataFrame, pets: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """The tests with `complete` (in complete response), `pet` and `category`, and what is missing for it."""
    grade = pl.col("timepoint").cast(pl.String)
    graded = response.filter(grade.ne_missing("NE")).select("patient", "on", complete=grade.is_in(COMPLETE))
    tests = tests.with_columns(
        nearest_in_time(tests, graded.drop_nulls(), "complete", policies["carry_onto_marrow"], policies["carry_biochemistry"]),
        nearest_in_time(tests, pets, "pet", policies["carry_imaging"], policies["carry_imaging"]),
    )
    negative = pl.col("claim_1e5") == "negative"
    assay = pl.when(pl.col("method") == "ngs").then(pl.lit("sequencing_mrd_negative")).when(
        pl.col("method").is_in(["ngf", "flow"])
    ).then(pl.lit("flow_mrd_negative"))  # fmt: skip
    category = (
        pl.when(pl.col("claim_1e5") == "positive").then(pl.lit("mrd_positive"))
        .when(negative & ~pl.col("complete")).then(pl.lit("mrd_negative_not_cr"))
        .when(negative & pl.col("complete") & ~pl.col("pet")).then(pl.lit("imaging_mrd_negative"))
        .when(negative & pl.col("complete")).then(assay)
    )  # fmt: skip
    lacking = [
        pl.when(negative & pl.col("complete").is_null()).then(pl.lit("response")),
        pl.when(negative & pl.col("complete") & pl.col("pet").is_null()).then(pl.lit("pet")),
        pl.when(negative & pl.col("complete") & assay.is_null() & ~pl.col("missing").str.contains("method").fill_null(False))
        .then(pl.lit("method")),
    ]  # fmt: skip
    missing = pl.concat_str("missing", *lacking, separator="|", ignore_nulls=True)
    return tests.with_columns(
        category=category.cast(pl.Enum(CATEGORIES)),
        missing=pl.when(missing != "").then(missing),
    )


def with_course(tests: pl.DataFrame, response: pl.DataFrame, pets: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """The tests, sorted by patient and day, with what they mean together."""
    at = str(policies["mrd_threshold"]).replace("-", "")
    claim = pl.col(f"claim_{at}")
    unsaid = pl.col("found") & pl.col("level").is_null() & (claim == "indeterminate")  # found, at a level nobody wrote down
    tests = tests.with_columns(negative=pl.when((claim == "positive") | unsaid).then(False).when(claim == "negative").then(True))
    progressed = _progressions(response)
    days = _days(tests)
    days = days.with_columns(
        _sustained(days, progressed, "marrow").alias("sustained_trial"),
        _sustained(days, pl.concat([progressed, _avid(pets, days)]), "whole").alias("sustained_imwg"),
        *_turns(days),
    )
    day, unknown = pl.Series(np.searchsorted(_keys(days), _keys(tests))), pl.Series([None], dtype=pl.Boolean)
    told = [pl.concat([days[name], unknown.alias(name)]).gather(day) for name in ("resurgence_threshold", *COURSE)]
    tests = tests.with_columns(told)  # a spurious test may lie after the last day; its place is blanked below
    by_level = policies["mrd_resurgence"] == "log10"
    tests = _with_doubling(tests.with_columns(resurgence=_tenfold() if by_level else pl.col("resurgence_threshold")))
    return tests.with_columns(pl.when(~pl.col("spurious")).then(name).alias(name) for name in ("resurgence", *COURSE))


def _days(tests: pl.DataFrame) -> pl.DataFrame:
    """One row a patient and day: the marrow by all methods (a positive one counts), and marrow, imaging and response together."""
    graded = tests.filter(~pl.col("spurious")).group_by("patient", "on", maintain_order=True)
    days = graded.agg(marrow=pl.col("negative").min(), pet=pl.col("pet").first(), complete=pl.col("complete").first())
    return days.with_columns(whole=pl.col("marrow") & ~pl.col("pet") & pl.col("complete"))


def _progressions(response: pl.DataFrame) -> pl.DataFrame:
    return response.filter(pl.col("progression").cast(pl.String) == "confirmed").select("patient", "on").unique()


def _avid(pets: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Days of an avid PET, and of a positive marrow: either ends the negativity of both together."""
    return pl.concat([
        pets.filter("pet").select("patient", "on"),
        days.filter(pl.col("marrow") == False).select("patient", "on"),  # noqa: E712
    ])  # fmt: skip


def _sustained(days: pl.DataFrame, breaks: pl.DataFrame, name: str) -> pl.Series:
    """Negative on this day and on one at least a year before, with nothing between that ends it.

    `name`: a column that is true (negative), false or null (unknown). A positive marrow ends it, and so do the days of
    `breaks`. Null where an unknown day would have to be negative.
    """
    state = days[name].cast(pl.Int8).fill_null(-1).to_numpy()
    own, other = _keys(days), _keys(breaks)
    key = np.concatenate([other, own])
    rank = np.argsort(key, kind="stable")  # of one day the break comes first
    ends = np.concatenate([np.ones(other.size, bool), state == 0 if name == "marrow" else np.zeros(own.size, bool)])[rank]
    sorted_key = key[rank]
    ends[1:] |= sorted_key[1:] // APART != sorted_key[:-1] // APART
    run = np.empty(key.size, np.int64)
    run[rank] = np.cumsum(ends)
    run = run[other.size :]
    year_ago = _keys(days.select("patient", pl.col("on").dt.offset_by(f"-{YEAR}")))
    sure = (state == 1) & (_first(run, own, state == 1) <= year_ago)
    possible = (state != 0) & (_first(run, own, state != 0) <= year_ago)
    return pl.select(pl.when(pl.Series(sure)).then(True).when(pl.Series(~possible)).then(False)).to_series()


def _first(run: np.ndarray, day: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The first wanted day of the run that each day belongs to; days come in order."""
    first = np.full(int(run.max(initial=0)) + 1, np.iinfo(np.int64).max)
    first[run[wanted][::-1]] = day[wanted][::-1]
    return first[run]


def _turns(days: pl.DataFrame) -> list[pl.Series]:
    """Positive to negative (`conversion`) and negative to positive (`resurgence`), each against the last day that was certain."""
    state, patient = days["marrow"].cast(pl.Int8).fill_null(-1).to_numpy(), days["patient"].to_numpy()
    certain = np.where(state >= 0, np.arange(state.size), -1)
    last = np.concatenate([[-1], np.maximum.accumulate(certain)[:-1]]) if state.size else certain
    before = np.where((last >= 0) & (patient[last] == patient), state[last], -1) if state.size else certain
    columns = []
    for name, was, now in (("conversion", 0, 1), ("resurgence_threshold", 1, 0)):
        turned, unknown = (before == was) & (state == now), (before == was) & (state < 0)
        columns.append(pl.select(pl.when(~pl.Series(unknown)).then(pl.Series(turned)).alias(name)).to_series())
    return columns


def _tracks(tests: pl.DataFrame) -> np.ndarray:
    """The row of the test before, of the same patient and method, -1 if there is none; spurious results stand apart."""
    method = tests["method"].fill_null("").cast(pl.Categorical).to_physical().cast(pl.Int64).to_numpy()
    track = (tests["patient"].cast(pl.Int64).to_numpy() * APART + method) * 2 + tests["spurious"].to_numpy()
    order = np.argsort(track, kind="stable")
    same = track[order][1:] == track[order][:-1]
    before = np.full(track.size, -1)
    before[order[1:][same]] = order[:-1][same]
    return before


def _tenfold() -> pl.Expr:
    """Tenfold above the lowest level so far of the same method, and the next test again; null while no test has said so."""
    level = pl.when(pl.col("level") > 0).then("level")
    floor = pl.coalesce(level, pl.when(~pl.col("found")).then("detection_limit"))
    goal = FOLD * floor.cum_min().forward_fill().shift(1) * (1 - 1e-9)
    risen = (level >= goal).fill_null(False)
    again = pl.when(level.shift(-1) >= goal).then(True).when(floor.shift(-1) < goal).then(False)
    first = ~risen.shift(1).fill_null(False)
    return pl.when(risen & first).then(again).otherwise(False).over("patient", "method", "spurious")


def _with_doubling(tests: pl.DataFrame) -> pl.DataFrame:
    """Days in which the level doubled since the test before of the same method, where it rose, with its 95 % interval.

    The interval is that of two Poisson counts; `doubling_high` is null where no rise is certain.
    """
    days, level, events, looked = (tests[name].to_physical().cast(pl.Float64).to_numpy() for name in ("on", "level", "events", "looked"))
    before = _tracks(tests)
    rose = np.flatnonzero((before >= 0) & (level > level[before]) & (days > days[before]))
    past = before[rose]
    growth = np.log(2) * (days[rose] - days[past])
    least, most = poisson.ratio(events[past], events[rose], looked[past], looked[rose])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "doubling_days": np.where(level[past] > 0, growth / np.log(level[rose] / level[past]), np.nan),
            "doubling_low": np.where(np.isfinite(most), growth / np.log(most), np.nan),
            "doubling_high": np.where(least > 1, growth / np.log(least), np.nan),
        }
    columns = {name: np.full(days.size, np.nan) for name in found}
    for name, values in found.items():
        columns[name][rose] = values
    return tests.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())


def next_due(tests: pl.DataFrame, response: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """When the next marrow is due, on the last test of each patient; null after death.

    Twelve months after the last test, six in high risk, or as soon as a complete response is reached after a test that was
    not made in one; after a confirmed progression only then. Our own choice (O), after the usual schedule of trials.
    """
    complete = response.filter(pl.col("timepoint").cast(pl.String).is_in(COMPLETE)).select("patient", reached="on")
    progressed = _progressions(response).group_by("patient").agg(progressed=pl.col("on").max())
    since = tests.group_by("patient").agg(since=pl.col("on").max()).join(progressed, on="patient", how="left")
    since = since.select("patient", since=pl.max_horizontal("since", "progressed"))
    reached = complete.join(since, on="patient").filter(pl.col("reached") > pl.col("since"))
    reached = reached.group_by("patient").agg(pl.col("reached").min())
    rows = tests.select("patient", "on", "complete", "spurious", test=pl.int_range(pl.len()))
    for facts in (progressed, reached, people):
        rows = rows.join(facts, on="patient", how="left", maintain_order="left")
    due = pl.when("high_risk").then(pl.col("on").dt.offset_by(MONTHS_DUE_HIGH_RISK)).otherwise(pl.col("on").dt.offset_by(MONTHS_DUE))
    sooner = pl.when(pl.col("complete").ne_missing(True)).then("reached")
    last = ~pl.col("spurious") & (pl.col("on") == pl.col("on").filter(~pl.col("spurious")).max().over("patient"))
    progressing = (pl.col("progressed") >= pl.col("on")).fill_null(False)
    wanted = pl.when(progressing).then("reached").otherwise(pl.min_horizontal(due, sooner))
    return rows.select(next_due=pl.when(last & pl.col("died_on").is_null()).then(wanted)).to_series()
