"""One MRD sample: what was found, what so many cells can say, and the claim at each threshold.

A test is one row of code `mrd`. What belongs to its sample (first pull, haemodilution, DNA, events, trackable clone) are rows
of their own of the same patient and day; they are told apart by `method` and `sample` where these are given.
Shares are clonal cells per cell analysed. Rules in words: docs/rules/mrd.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ...chart import Chart
from ..intake import named, place_of
from ..response import bit_names
from ..wide import wide
from . import poisson

THRESHOLDS = {"1e4": 1e-4, "1e5": 1e-5, "1e6": 1e-6}
CLAIMS = ("negative", "positive", "indeterminate")
NEGATIVE, POSITIVE, INDETERMINATE = range(3)
METHODS = ("ngs", "ngf", "flow")
SURE = 0.95
EVENTS = {"finding": (1, 20), "claim": (3.0, 20.0), "quantified": (2.39, 50)}  # sequencing, flow
ATTRIBUTES = {  # code: an order in which the value that speaks against the sample is the greatest
    "mrd_first_pull": pl.col("text") == "no",
    "mrd_haemodiluted": pl.col("text") == "yes",
    "mrd_haemodilution_corrected": pl.col("text") == "no",
    "mrd_dna_mass": -pl.col("value"),
    "mrd_events": pl.col("value"),
}
TRACKABLE = "mrd_clone_trackable"
KEY = ("patient", "on", "method", "sample")
BECAUSE = (
    "none_found", "found", "reported_below", "reported_above", "reported_positive", "no_result", "limit_of_cells",
    "limit_reported", "too_few_cells", "not_first_pull", "haemodiluted", "clone_not_trackable", "too_few_events", "not_sure",
)  # fmt: skip
FLAGS = (
    "first_pull_unknown", "haemodilution_corrected", "clone_trackable_unknown", "method_unknown", "cells_from_dna",
    "cells_from_limit", "limit_optimistic", "below_limit", "not_quantifiable", "near_threshold", "conflict", "spurious",
)  # fmt: skip
MISSING = ("cells", "mrd", "method", "mrd_first_pull")

Columns = dict[str, np.ndarray]


def samples(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """One row a test with all that is recorded of its sample, sorted by patient, day, method and sample.

    `patient` is the place of the patient in `ids`. Of several rows of one test the one recorded last stands, else the worse
    one, flagged `conflict`; rows entered in error are left out, spurious ones are kept.
    """
    wanted = (pl.col("what") == "mrd") | pl.col("what").is_in([*ATTRIBUTES, TRACKABLE])
    rows = (
        chart.scan("observations")
        .filter(wanted & pl.col("on").is_not_null() & pl.col("status").ne_missing("entered_in_error"))
        .select(*KEY, "what", "value", "comparator", "text", "detection_limit", "cells", "status", "recorded_on", "source")
        .with_columns(place_of(ids), pl.col("method").str.to_lowercase(), spurious=pl.col("status").eq_missing("spurious"))
        .collect()
    )
    tests = _one_row_a_test(rows.filter(pl.col("what") == "mrd")).with_row_index("test")
    others = rows.filter((pl.col("what") != "mrd") & ~pl.col("spurious"))
    return _with_trackable(_with_attributes(tests, others), others)


def _one_row_a_test(rows: pl.DataFrame) -> pl.DataFrame:
    again = rows.select(KEY).is_duplicated()
    once, twice = rows.filter(~again).with_columns(conflict=pl.lit(False)), rows.filter(again)
    worse = pl.coalesce("value", (pl.col("text") == "positive").cast(pl.Float64)).fill_null(-1.0)
    said = pl.struct("value", "comparator", "text")
    best = ["spurious", "recorded_on", worse, "cells", "detection_limit", "comparator", "text", "source"]
    twice = twice.sort(*KEY, *best, descending=[False] * 5 + [True, True] + [False] * 5, nulls_last=True)
    newest = pl.struct("spurious", "recorded_on")
    kept = twice.filter(newest == newest.first().over(KEY)).with_columns(conflict=said.n_unique().over(KEY) > 1)
    return pl.concat([once, kept.unique(KEY, keep="first", maintain_order=True)]).sort(KEY, nulls_last=True)


def _with_attributes(tests: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """What is recorded of the sample of each test: text of flags, value of amounts; of several the last, else the worse."""
    own = tests.select("test", *KEY).join(others.drop("cells", "detection_limit"), on=["patient", "on"], suffix="_")
    same = [(pl.col(name) == pl.col(f"{name}_")).fill_null(True) for name in ("method", "sample")]
    against = pl.coalesce(pl.when(pl.col("what") == code).then(order.cast(pl.Float64)) for code, order in ATTRIBUTES.items())
    own = own.filter(*same).sort("test", "recorded_on", against, nulls_last=False)
    told = wide(own.rename({"test": "place"}), tests.height, "what", tuple(ATTRIBUTES), ("text", "value"))
    kind = {code: "value" if code in ("mrd_dna_mass", "mrd_events") else "text" for code in ATTRIBUTES}
    return tests.with_columns(told[f"{code}_{kind[code]}"].alias(code) for code in ATTRIBUTES)


def _with_trackable(tests: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Whether the clone can be followed, as last recorded by the day of the test: it is found once, at diagnosis."""
    told = others.filter(pl.col("what") == TRACKABLE).select("patient", "on", "recorded_on", pl.col("text").alias(TRACKABLE))
    told = told.sort("on", "recorded_on", pl.col(TRACKABLE) == "no").drop("recorded_on").unique(
        ["patient", "on"], keep="last", maintain_order=True
    )  # fmt: skip
    if told.is_empty():
        return tests.with_columns(pl.lit(None, pl.String).alias(TRACKABLE)).drop("test", "what", "status", "recorded_on")
    joined = tests.sort("on", maintain_order=True).join_asof(told, on="on", by="patient", check_sortedness=False)
    return joined.sort("test").drop("test", "what", "status", "recorded_on")


def judged(tests: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """The tests with level, interval, probabilities and claims, and why: `because`, `flags`, `missing`."""
    seen = _seen(tests, policies)
    gates = _gates(tests, seen, policies)
    claims = {name: _claim(seen, gates["open"], at) for name, at in THRESHOLDS.items()}
    unsure = np.any([claim == INDETERMINATE for claim in claims.values()], axis=0)
    threshold = float(policies["mrd_threshold"])
    spurious = seen["spurious"]
    columns = {
        name: pl.Series(seen[name], nan_to_null=True) for name in ("level", "low", "high", "cells", "events", "detection_limit", "looked")
    }
    return tests.select(KEY).with_columns(
        **columns,
        **{f"claim_{name}": named(np.where(spurious, -1, claim), CLAIMS) for name, claim in claims.items()},
        **{f"p_below_{name}": pl.Series(_below(seen, THRESHOLDS[name]), nan_to_null=True) for name in ("1e5", "1e6")},
        flags=_named(_flags(tests, seen, gates, threshold), FLAGS),
        because=_named(_because(seen, gates, claims[str(policies["mrd_threshold"]).replace("-", "")], threshold), BECAUSE),
        missing=_named(_missing(seen, gates, unsure & ~spurious), MISSING),
        source=tests["source"],
        found=pl.Series(seen["found"] | seen["word"] | seen["above"]),
        spurious=pl.Series(spurious),
    )


def _numbers(column: pl.Series, *, positive: bool = False) -> np.ndarray:
    values = column.cast(pl.Float64).to_numpy()
    return np.where(values > 0, values, np.nan) if positive else values


def _is(column: pl.Series, word: str) -> np.ndarray:
    return column.eq_missing(word).to_numpy()


def _seen(tests: pl.DataFrame, policies: Mapping[str, Any]) -> Columns:
    """What was seen: result, cells, events, the limit of this sample, level and interval."""
    value, told = _numbers(tests["value"]), _numbers(tests["mrd_events"])
    sign = tests["comparator"].fill_null("").str.head(1)
    sequencing, known = _is(tests["method"], "ngs"), tests["method"].is_in(METHODS).fill_null(False).to_numpy()
    finding, claim, quantified = (np.where(sequencing, *EVENTS[name]) for name in ("finding", "claim", "quantified"))
    recorded, dna = _numbers(tests["cells"], positive=True), _numbers(tests["mrd_dna_mass"], positive=True)
    from_dna = np.isnan(recorded) & ~np.isnan(dna) & (sequencing | ~known)
    cells = np.where(from_dna, poisson.cells_of_dna(1e-6) * dna, recorded)
    value = np.where(np.isnan(value) & (told > 0), told / cells, value)
    below, above = _is(sign, "<"), _is(sign, ">") & (value > 0)
    positive = _is(tests["text"], "positive")
    found = (value > 0) & ~below & ~above
    word = positive & ~(value > 0)
    none = ~word & (below | (value == 0) | (np.isnan(value) & _is(tests["text"], "negative")))
    reported = _numbers(tests["detection_limit"], positive=True)
    bound = np.fmax(reported, np.where(below & (value > 0), value, np.nan))
    from_limit = np.isnan(cells) & ~np.isnan(bound)
    limit = np.fmax(claim / cells, bound)
    unseen = np.where(~sequencing & (policies["mrd_flow_negative"] == "below_limit"), finding - 1, 0.0)
    looked = np.where(none | np.isnan(cells), claim / limit, cells)  # cells as good as the limit of the sample
    events = np.where(found, value * looked, np.where(none, unseen, np.nan))
    events = np.where(~np.isnan(told) & (found | none), told, events)
    low, high = (end / looked for end in poisson.garwood(events))
    return {
        "value": value, "found": found, "word": word, "none": none, "below": below & none, "above": above,
        "positive": positive, "sequencing": sequencing, "known": known, "cells": cells, "from_dna": from_dna,
        "from_limit": from_limit, "reported": reported, "bound": bound, "detection_limit": limit, "looked": looked,
        "events": events, "claim_events": claim, "finding": finding, "quantified": quantified,
        "level": np.where(found, value, np.where(none & ~below, 0.0, np.nan)),
        "low": np.where(above, value, np.where(below & none, 0.0, low)),
        "high": np.where(below & none, np.fmax(high, value), high),
        "spurious": tests["spurious"].to_numpy(),
    }  # fmt: skip


def _below(seen: Columns, at: float) -> np.ndarray:
    """P(level below a threshold); 0 where a bound says that it is not, nan where nothing is known."""
    chance = poisson.below(seen["events"], at * seen["looked"])
    return np.where(seen["above"], np.where(seen["value"] >= at * (1 - 1e-9), 0.0, np.nan), chance)


def _gates(tests: pl.DataFrame, seen: Columns, policies: Mapping[str, Any]) -> Columns:
    """What about the sample forbids the claim of negativity."""
    first, trackable = tests["mrd_first_pull"], tests[TRACKABLE]
    corrected = _is(tests["mrd_haemodilution_corrected"], "yes")
    unknown = ~first.is_in(["yes", "no"]).fill_null(False).to_numpy() & ~corrected
    gates = {
        "not_first_pull": _is(first, "no") & ~corrected,
        "haemodiluted": _is(tests["mrd_haemodiluted"], "yes") & ~corrected,
        "clone_not_trackable": _is(trackable, "no") & seen["sequencing"],
        "first_pull_unknown": unknown,
        "first_pull_required": unknown & (policies["mrd_first_pull"] == "require"),
        "corrected": corrected,
        "trackable_unknown": seen["sequencing"] & ~trackable.is_in(["yes", "no"]).fill_null(False).to_numpy(),
    }
    shut = ("not_first_pull", "haemodiluted", "clone_not_trackable", "first_pull_required")
    barred = np.any([gates[name] for name in shut[:3]], axis=0)
    return {**gates, "barred": barred, "open": ~barred & ~gates["first_pull_required"]}


def _too_few_events(seen: Columns) -> np.ndarray:
    """Fewer events than a flow population has, or less than the limit the laboratory gave: no finding by itself."""
    few = (seen["events"] < seen["finding"] * (1 - 1e-9)) | (seen["value"] < seen["reported"] * (1 - 1e-9))
    return seen["found"] & few & ~seen["sequencing"] & ~seen["positive"]


def _claim(seen: Columns, open_: np.ndarray, at: float) -> np.ndarray:
    """Negative, positive or indeterminate at one threshold.

    Negative: the limit of the sample reaches the threshold, the level is below it with 95 % certainty, and nothing about
    the sample forbids it. Positive: the level found is at or above it. A positive word without a level is at least at the
    limit of the sample, and at 1e-6, below which nobody sees.
    """
    upper, lower = at * (1 + 1e-9), at * (1 - 1e-9)
    able = (seen["detection_limit"] <= upper) & (_below(seen, at) >= SURE - 1e-9) & open_
    negative = (seen["none"] | (seen["found"] & (seen["value"] < lower))) & able
    at_least = (seen["found"] & ~_too_few_events(seen)) | seen["above"]
    word = seen["word"] & ((at <= 1e-6) | (~seen["sequencing"] & (seen["detection_limit"] >= lower)))
    positive = (at_least & (seen["value"] >= lower)) | word
    return np.select([negative, positive], [NEGATIVE, POSITIVE], INDETERMINATE)


def _because(seen: Columns, gates: Columns, claim: np.ndarray, threshold: float) -> list[np.ndarray]:
    nothing = ~(seen["none"] | seen["found"] | seen["word"] | seen["above"])
    reported = np.isnan(seen["cells"]) | (seen["bound"] > seen["claim_events"] / seen["cells"])
    limited = ~np.isnan(seen["detection_limit"])
    held, unsure = ~seen["word"] & ~seen["above"], claim == INDETERMINATE
    few = held & (seen["detection_limit"] > threshold * (1 + 1e-9))
    too_few_events = _too_few_events(seen)
    shut = [gates[name] & (seen["none"] | seen["found"]) for name in ("not_first_pull", "haemodiluted", "clone_not_trackable")]
    not_sure = unsure & (seen["found"] | seen["none"]) & limited & ~few & gates["open"] & ~too_few_events
    return [
        seen["none"] & ~seen["below"], seen["found"], seen["below"], seen["above"], seen["word"], nothing,
        limited & ~reported, limited & reported, few, *shut, too_few_events, not_sure,
    ]  # fmt: skip


def _flags(tests: pl.DataFrame, seen: Columns, gates: Columns, threshold: float) -> list[np.ndarray]:
    found, value = seen["found"], seen["value"]
    small = found & ((value < seen["reported"]) | (seen["events"] < seen["finding"] * (1 - 1e-9)))
    return [
        gates["first_pull_unknown"], gates["corrected"], gates["trackable_unknown"], ~seen["known"], seen["from_dna"],
        seen["from_limit"], seen["reported"] < seen["claim_events"] / seen["cells"] * (1 - 1e-9), small,
        found & ~small & (seen["events"] < seen["quantified"]),
        found & (seen["low"] < threshold) & (seen["high"] >= threshold),
        tests["conflict"].to_numpy(), seen["spurious"],
    ]  # fmt: skip


def _missing(seen: Columns, gates: Columns, unsure: np.ndarray) -> list[np.ndarray]:
    """What, if it were known, could change a claim that is not given."""
    result = seen["none"] | seen["found"]
    unlimited = np.isnan(seen["detection_limit"])
    fewer = ~seen["known"] & ~unlimited
    return [
        unsure & result & unlimited & ~gates["barred"],
        unsure & ~result & ~seen["above"],
        unsure & result & fewer & ~gates["barred"],
        unsure & result & gates["first_pull_required"] & ~gates["barred"],
    ]


def _named(masks: list[np.ndarray], words: tuple[str, ...]) -> pl.Series:
    """Booleans, one an entry of `words`, as the words that are true, joined by `|`."""
    bits = np.zeros(masks[0].size, np.int32)
    for place, mask in enumerate(masks):
        bits |= mask.astype(np.int32) << place
    return bit_names(bits, words).cast(pl.String)
