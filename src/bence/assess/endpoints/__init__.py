"""Endpoints of every line of therapy: progression, death, the next treatment, and what was censored, where and why.

`endpoint_columns` is joined to the table `lines`; `endpoint_status` gives the columns of `status`; `explain_endpoint` says why.
Rules in words: docs/rules/endpoints.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ...catalogue import codes_of
from ...chart import Chart, visible
from ..courses import NO_DRUG, UNKNOWN, YES, Courses, courses, joined
from ..intake import NEVER, dates, named
from .early import endpoint_status
from .relapse import relapse_columns
from .rules import REASONS, Endpoint, endpoints
from .timeline import LONG_AGO, Seen, Timeline, timeline
from .words import explain_endpoint

ENDPOINTS = ("pfs", "ttp", "dor", "dfs", "ttnt", "pfs2", "efs", "os")
NOTES = ("randomisation", "recorded_progression", "death_cause_unknown")


def endpoint_columns(
    chart: Chart,
    rows: pl.DataFrame,
    lines: pl.DataFrame,
    response: pl.DataFrame,
    policies: Mapping[str, Any],
    at: date | None,
    *,
    told: Courses | None = None,
) -> pl.DataFrame:
    """One row a line, to be joined to `lines` by `patient` and `line`.

    For each of ENDPOINTS `<name>_days`, `<name>_event` (null: it does not apply), `<name>_reason`; the days they are counted from
    and to; `tfi_days` (last dose to the next line), `refractory_to` of the line, the kind of relapse, `endpoint_notes`.
    `rows`, `lines`, `response` of the same chart (`response.respond`) as of the same day. `told`: the courses of
    drugs, where they are worked out already.
    """
    known = visible(chart, at)
    given = told or courses(known, rows, lines, response, policies)
    course = timeline(known, rows, lines, response, policies)
    columns: dict[str, pl.Series] = {"origin_on": dates(course.origin)}
    for name, endpoint in endpoints(course, policies).items():
        columns |= _columns(name, endpoint)
    calm = Seen.last(course.seen.calm_of_line, np.arange(course.place.size), np.full(course.place.size, NEVER))
    pause = np.where((course.following < NEVER) & (course.stop < NEVER), np.maximum(course.following - course.stop, 0), -1)
    columns |= {
        "tfi_days": _number(pause),
        "progression_on": dates(course.progressed),
        "unconfirmed_on": dates(np.where(course.open_doubt, course.doubted, NEVER)),
        "last_assessed_on": dates(np.where(calm == LONG_AGO, NEVER, calm)),
        "responded_on": dates(course.responded),
        "complete_on": dates(course.complete),
        "transplant_on": dates(course.transplant),
        "endpoint_notes": _notes(course),
    }
    frame = course.key.select("patient", pl.col("line").cast(pl.Int32), pl.Series("_place", course.place)).with_columns(**columns)
    frame = pl.concat([frame, relapse_columns(known, course, response)], how="horizontal")
    refractory = _refractory(given)
    return frame.join(refractory, on=["_place", "line"], how="left", maintain_order="left").drop("_place")


def _columns(name: str, endpoint: Endpoint) -> dict[str, pl.Series]:
    there = endpoint.day < NEVER
    return {
        f"{name}_days": _number(np.where(there, endpoint.day - endpoint.origin, -1)),
        f"{name}_event": pl.Series(np.where(there, endpoint.event, np.nan), nan_to_null=True).cast(pl.Boolean),
        f"{name}_reason": named(np.where(there, endpoint.reason, -1), REASONS),
    }


def _number(values: np.ndarray) -> pl.Series:
    """Days as numbers, null below 0."""
    return pl.Series(np.where(values >= 0, values, np.nan), nan_to_null=True).cast(pl.Int32)


def _notes(told: Timeline) -> pl.Series:
    """What a reader of the endpoints of a line should know, joined by `|`."""
    flags = (told.origin != told.start, told.recorded, (told.died < NEVER) & told.cause_unknown)
    frame = pl.DataFrame(dict(zip(NOTES, flags, strict=True)))
    words = [pl.when(name).then(pl.lit(name)) for name in NOTES]
    return frame.select(pl.concat_str(words, separator="|", ignore_nulls=True).replace("", None)).to_series()


def _refractory(told: Courses) -> pl.DataFrame:
    """The drugs that each line was refractory to; `none` where it was to none for certain, null where that is open."""
    drugs = codes_of("drug", "procedure")
    counts = np.array([code.drug_class not in NO_DRUG for code in drugs.values()])[told.drug] & ~told.aside
    place, line, drug, answer = (values[counts] for values in (told.place, told.line, told.drug, told.refractory))
    _, first, group = np.unique(place * 1024 + line, return_index=True, return_inverse=True)
    open_ = np.zeros(first.size, bool)
    open_[group[answer == UNKNOWN]] = True
    words = joined(group[answer == YES], drug[answer == YES], first.size, list(drugs))
    return pl.DataFrame({"_place": place[first], "line": line[first], "words": words, "open": open_}).select(
        "_place", pl.col("line").cast(pl.Int32), refractory_to=pl.coalesce("words", pl.when(~pl.col("open")).then(pl.lit("none")))
    )


__all__ = ["ENDPOINTS", "endpoint_columns", "endpoint_status", "explain_endpoint"]
