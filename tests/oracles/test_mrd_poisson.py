"""MRD against the arithmetic it rests on: printed tables, SciPy's distributions, and simulated samples of known level."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from bence.assess.mrd import mrd_table, poisson
from bence.assess.policies import settle
from bence.chart import Chart

RESPONSE = pl.DataFrame(schema={"patient": pl.String, "on": pl.Date, "timepoint": pl.String, "progression": pl.String})

# events, expected events for a chance of 95 %, cells needed at 1e-4, 1e-5, 1e-6
TABLE = [
    (1, "2.996", "3.0e+04", "3.0e+05", "3.0e+06"),
    (2, "4.744", "4.7e+04", "4.7e+05", "4.7e+06"),
    (3, "6.296", "6.3e+04", "6.3e+05", "6.3e+06"),
    (20, "27.88", "2.8e+05", "2.8e+06", "2.8e+07"),
    (50, "62.17", "6.2e+05", "6.2e+06", "6.2e+07"),
]


@pytest.mark.parametrize(("events", "expected", "at_1e4", "at_1e5", "at_1e6"), TABLE)
def test_cells_needed_to_see_a_clone_nineteen_times_in_twenty(events, expected, at_1e4, at_1e5, at_1e6):
    assert f"{poisson.cells_needed(1, events):.{len(expected) - expected.index('.') - 1}f}" == expected
    assert [f"{poisson.cells_needed(level, events):.1e}" for level in (1e-4, 1e-5, 1e-6)] == [at_1e4, at_1e5, at_1e6]


def test_the_numbers_beside_the_table():
    assert round(-np.log(0.05), 1) == 3.0  # one-sided bound of none found
    assert round(float(poisson.garwood(0)[1]), 2) == 3.69  # two-sided
    assert f"{poisson.cells_of_dna(1e-6):.2e}" == "1.54e+05"
    assert f"{poisson.cells_of_dna(20e-6):.1e}" == "3.1e+06"
    assert round(poisson.chance_to_see(2e-6, 1e7, events=20), 2) == 0.53
    assert f"{poisson.cells_needed(1, 20) / 1e7:.1e}" == "2.8e-06"


def test_intervals_are_those_of_scipy():
    events = np.array([0, 1, 2, 5, 20, 1000])
    low, high = poisson.garwood(events)
    np.testing.assert_allclose(low, np.nan_to_num(stats.chi2.ppf(0.025, 2 * events) / 2))
    np.testing.assert_allclose(high, stats.chi2.ppf(0.975, 2 * events + 2) / 2)
    np.testing.assert_allclose(poisson.below(events, 7.5), stats.poisson.sf(events, 7.5))
    assert np.isnan(poisson.garwood([np.nan])[1]).all()


@pytest.mark.parametrize(("before", "after"), [(10, 40), (0, 3), (7, 0), (1, 1), (200, 900)])
def test_the_ratio_of_two_counts_is_the_exact_interval_of_a_binomial(before, after):
    low, high = poisson.ratio(before, after, 2e6, 1e6)
    share = stats.binomtest(after, before + after).proportion_ci(0.95, method="exact")
    odds = [end / (1 - end) * 2 if end < 1 else np.inf for end in (share.low, share.high)]
    np.testing.assert_allclose([float(low), float(high)], odds)


def simulated(level: float, cells: float, method: str, samples: int, seed: int, **known: Any) -> pl.DataFrame:
    """The MRD table of many samples of one level."""
    return simulations([(level, cells, seed)], method, samples, **known)[0]


def simulations(
    drawn: list[tuple[float, float, int]], method: str, samples: int, *, hidden_below: int = 0, **policies: str
) -> list[pl.DataFrame]:
    """The MRD tables of many samples of each level, number of cells and seed, all judged in one chart.

    Fewer than `hidden_below` events are reported as negative, without a number. Samples with as many events are the same sample: each
    count is judged once and stands as often as it was drawn.
    """
    people, tests = [], []
    for place, (level, cells, seed) in enumerate(drawn):
        events, often = np.unique(np.random.default_rng(seed).poisson(level * cells, samples), return_counts=True)
        ids = [f"{place:03d}-{count:07d}" for count in events]
        seen = events >= hidden_below
        people.append(pl.DataFrame({"patient": np.repeat(ids, often), "place": place}))
        tests.append(pl.DataFrame({
            "patient": ids, "on": date(2025, 1, 1), "what": "mrd", "method": method, "cells": cells,
            "value": np.where(seen, events / cells, np.nan), "text": np.where(seen, None, "negative").tolist(),
        }, strict=False).with_columns(pl.col("value").fill_nan(None), pl.col("text").cast(pl.String)))  # fmt: skip
    judged = pl.concat(tests)
    table = mrd_table(Chart(judged.select("patient"), judged), RESPONSE, settle(policies), None)
    found = pl.concat(people).join(table, on="patient", how="left", validate="m:1")
    return found.partition_by("place", maintain_order=True, include_key=False)


LEVELS = (2e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3)
CELLS = (2e5, 1e6, 3e6, 1e7)


def test_intervals_cover_at_least_93_percent_of_simulated_samples():
    """Garwood's intervals are exact: they cover 95 % or more, whatever the level."""
    drawn = [(level, cells, place) for place, level in enumerate(LEVELS) for cells in CELLS]
    for (level, cells, _), table in zip(drawn, simulations(drawn, "ngs", 2000), strict=True):
        covered = ((table["low"] <= level) & (table["high"] >= level)).mean()
        assert covered >= 0.93, (level, cells, covered)


@pytest.mark.parametrize("method", ["ngs", "ngf", "flow"])
def test_false_negative_claims_are_under_5_percent(method):
    thresholds = {"1e4": 1e-4, "1e5": 1e-5, "1e6": 1e-6}
    each = list(product(thresholds, (1, 1.3, 3), (2e5, 3e5, 1e6, 2e6, 3.1e6, 2.1e7)))
    tables = simulations([(thresholds[name] * above, cells, 7) for name, above, cells in each], method, 4000)
    for (name, above, cells), table in zip(each, tables, strict=True):
        false = (table[f"claim_{name}"] == "negative").mean()
        assert false < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000), (name, above, cells, false)
        # the exact chance of the claim, without the noise of a simulation
        most = stats.poisson.cdf(_most_events(table, name), thresholds[name] * above * cells)
        assert most <= 0.05, (name, above, cells, most)


def _most_events(table: pl.DataFrame, name: str) -> float:
    """The most events with which a negative claim was made; -1 if there was none."""
    claimed = table.filter(pl.col(f"claim_{name}") == "negative")["events"].round().max()
    return -1 if claimed is None else float(claimed)  # type: ignore[arg-type]


def test_a_negative_word_of_flow_claims_no_more_than_its_twenty_events_allow_where_that_is_what_it_means():
    drawn = [(1e-5 * above, cells, 3) for cells in (2e6, 2.5e6, 2.9e6, 1e7) for above in (1, 1.3)]
    for table in simulations(drawn, "ngf", 4000, hidden_below=20, mrd_flow_negative="below_limit"):
        assert (table["claim_1e5"] == "negative").mean() < 0.06
    at_a_tenth = simulated(1e-6, 1e7, "ngf", 500, seed=3, hidden_below=20, mrd_flow_negative="below_limit")
    assert (at_a_tenth["claim_1e5"] == "negative").mean() > 0.99


def test_a_clear_negative_and_a_clear_positive_are_called():
    """Caution is not silence: far from the threshold the claim is nearly always made."""
    assert (simulated(1e-7, 5e6, "ngs", 1000, seed=1)["claim_1e5"] == "negative").mean() > 0.99
    assert (simulated(5e-5, 5e6, "ngs", 1000, seed=1)["claim_1e5"] == "positive").mean() > 0.99


def test_doubling_times_of_simulated_pairs_are_covered():
    samples, cells, days = 1500, 3e6, 180
    generator = np.random.default_rng(5)
    first, second = (generator.poisson(level * cells, samples) for level in (5e-6, 2e-5))
    ids = [f"{place:05d}" for place in range(samples)]
    tests = pl.concat([
        pl.DataFrame({"patient": ids, "on": on, "what": "mrd", "method": "ngs", "cells": cells, "value": seen / cells})
        for on, seen in ((date(2024, 1, 1), first), (date(2024, 6, 29), second))
    ])  # fmt: skip
    table = mrd_table(Chart(pl.DataFrame({"patient": ids}), tests), RESPONSE, settle({}), None)
    rose = table.filter(pl.col("on") == date(2024, 6, 29))
    true = days / 2  # four-fold in 180 days
    covered = ((rose["doubling_low"] <= true) & (rose["doubling_high"].fill_null(np.inf) >= true)).fill_null(False)
    assert covered.mean() >= 0.93
