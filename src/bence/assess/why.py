"""Why: one finding of one patient, from the same rules that gave it.

For a rule of stage, risk or diagnosis a tree of values, dates and sources; for the response the visits with the values,
nadirs and baselines they were judged by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import inf, isfinite
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import codes, nearest
from ..cells import Categories, Column, Numbers
from ..chart import Chart, last_date, visible
from ..errors import UsageError
from ..explain import Value, Why, explain, render
from ..interval import Interval
from ..known import Known
from ..rulebook import rules
from . import status, wording
from .intake import dates, take_in, to_date
from .lines import progression_events, treatment_rows
from .policies import settle
from .response import Cohort, respond
from .story import ResponseStory
from .tables import EXPLAINED, RESTS_ON, TableStory, table_story
from .unrecorded import ASSUMED, ONE_IMAGING_IS_ENOUGH, UNLESS_RECORDED, USUAL_LIMITS

RESPONSE = ("response", "best_response", "progression")


@dataclass(frozen=True)
class Explanation:
    """Why a rule has its answer; `tree` is the whole of it."""

    tree: Why

    def text(self, lang: str = "en") -> str:
        """The tree as indented lines."""
        return render(self.tree, lang)

    def __str__(self) -> str:
        return self.text()


def why(
    chart: Chart,
    patient: str,
    name: str,
    at: date | str | None = None,
    *,
    vary: Mapping[str, Mapping[str, Any]] | None = None,
    what_if: Mapping[str, Known] | None = None,
    **policies: Any,
) -> Explanation | ResponseStory | TableStory:
    """Why one finding of one patient is what it is.

    `vary` changes thresholds (`{"iss": {"high": 6}}`), `what_if` values (`{"albumin": 30}`): neither is ever kept.
    UsageError for an unknown patient, finding, threshold or policy.
    """
    at = date.fromisoformat(at) if isinstance(at, str) else at
    own = visible(chart.only(patient), at)
    settled = settle(policies)
    if (name in RESPONSE or name in EXPLAINED or name in RESTS_ON) and (vary or what_if):
        raise UsageError(f"{name} is explained from what is recorded", expected="a what-if of stage, risk or diagnosis")
    if name in RESPONSE:
        return response_story(own, settled)
    day = at or last_date(chart)
    if name in EXPLAINED or name in RESTS_ON:
        from . import assess

        return table_story(assess(own, day, **policies), name)
    if name not in rules() and name not in status.targets():
        choices = [*RESPONSE, *EXPLAINED, *RESTS_ON, *rules()]
        raise UsageError(f"there is no finding {name!r} to explain", nearest=nearest(name, choices))
    vary = {rule: _thresholds(name, rule, changes) for rule, changes in (vary or {}).items()}
    what_if = {code: _what_if(name, code, value) for code, value in (what_if or {}).items()}
    return Explanation(_explain(own, name, _values(own, day), settled, vary, what_if))


def reasons(chart: Chart, patient: str, names: Iterable[str], at: date | str | None = None, **policies: Any) -> dict[str, Why]:
    """The tree of each of several rules for one patient, as `why` gives it; the chart is gone through once."""
    at = date.fromisoformat(at) if isinstance(at, str) else at
    own = visible(chart.only(patient), at)
    settled, values = settle(policies), _values(own, at or last_date(chart))
    return {name: _explain(own, name, values, settled, None, None) for name in names}


def _values(own: Chart, day: date | None) -> dict[str, Value]:
    """What is recorded of every input of the rules at diagnosis, with its date and source."""
    from . import baseline_of

    observations = take_in(own)
    drugs = treatment_rows(own, observations.patients)
    base = baseline_of(own, observations, own.patients, drugs, day)
    values = {code: Value(known_of(column)) for code, column in {**base.columns, **base.recorded}.items()}
    dated: dict[str, Value] = {}
    for place, on, value, bound, word in base.rows.select("code", "day", "value", "bound", "label").iter_rows():
        code, day = base.names[place], to_date(on)
        dated[code] = Value(None, day, _source(own, code, day), _shown(code, value, bound, word))
    return {code: _told(code, value, dated, own.patients.row(0, named=True)) for code, value in values.items()}


def _told(code: str, value: Value, dated: Mapping[str, Value], person: Mapping[str, Any]) -> Value:
    """A value with its date and source; without them with how it came to be known."""
    how = "calculated"
    if code in dated and _stands(dated[code].shown, value.known):
        return replace(dated[code], known=value.known)
    if value.known is None or person.get(code) is not None:
        return value
    if code == "marrow_plasma_cells":
        how = "reactive"
    elif code in ("lytic_lesions", "mri_focal_lesions"):
        how = "clean_imaging"
    elif code in ("heavy_chain", "light_chain"):
        how = "immunofixation"
    elif code == "creatinine_clearance":
        how = "egfr" if "egfr" in dated else "ckd_epi"
    return replace(value, note=wording.HOW[how])


def _stands(shown: str | None, known: Known) -> bool:
    """Whether what is known is what was recorded, not what was derived in its place."""
    try:
        return not isinstance(known, float) or abs(float(shown or known) - known) <= 1e-9 * max(1.0, abs(known))
    except ValueError:
        return True


def _explain(
    own: Chart, name: str, recorded: Mapping[str, Value], policies: Mapping[str, Any],
    vary: Mapping[str, Mapping[str, Any]] | None, what_if: Mapping[str, Known] | None,
) -> Why:  # fmt: skip
    values = dict(recorded)
    assumed: dict[str, Any] = dict(UNLESS_RECORDED)
    if name == "diagnosis" and policies["diagnosis_requires"] == "crab":
        assumed |= {code: 0.0 for code, others in ONE_IMAGING_IS_ENOUGH.items() if _imaged(recorded, others)} | ASSUMED
    for code, value in assumed.items():
        if code not in values or values[code].known is None:
            values[code] = Value(value, note=wording.HOW["other_imaging" if code in ONE_IMAGING_IS_ENOUGH else "assumed"])
    for code, limits in USUAL_LIMITS.items():
        if code not in values or values[code].known is None:
            sex = own.patients["sex"][0]
            values[code] = Value(limits.get(sex, limits["unknown"]), note=wording.HOW["usual_limit"])
    if policies["calcium"] == "total":
        values["albumin"] = Value(40.0, note=wording.HOW["total_calcium"])
    return explain(rules()[name], values, vary=vary, what_if=what_if)


def _imaged(recorded: Mapping[str, Value], others: Mapping[str, float | str | None]) -> bool:
    """Whether one of these other images was recorded, with its result if one is named."""
    seen = {code: recorded[code].known for code in others if code in recorded and recorded[code].known is not None}
    return any(result is None or seen[code] == result for code, result in others.items() if code in seen)


def _thresholds(name: str, rule: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Changed thresholds of a rule; UsageError if the finding does not rest on the rule, or the rule has no such threshold."""
    book = rules()[name].book
    used = [each for each in book.order([name]) if rules()[each].thresholds]
    if rule not in used:
        raise UsageError(f"{name} does not rest on a rule {rule!r}", expected=", ".join(used), nearest=nearest(rule, used))
    known = rules()[rule].thresholds
    for threshold, value in changes.items():
        if threshold not in known:
            near = nearest(threshold, known)
            raise UsageError(f"{rule} has no threshold {threshold!r}", expected=", ".join(known), nearest=near)
        if isinstance(value, float) and not isfinite(value):
            raise UsageError(f"{rule}.{threshold} cannot be {value}", expected="a number")
    return changes


def _what_if(name: str, code: str, value: Known) -> Known:
    """A changed value, as a number or a word; UsageError if the finding does not rest on it, or it cannot be."""
    needed = rules()[name].book.inputs(name)
    if code not in needed:
        raise UsageError(f"{name} does not rest on {code!r}", nearest=nearest(code, needed))
    known = codes().get(code)
    words = known.words if known else ()
    if not isinstance(value, str) or value in words:
        return value
    low, high = (known.low, known.high) if known else (0.0, None)
    if known is None or known.numeric:
        try:
            if (low or 0.0) <= float(value) <= (inf if high is None else high) and isfinite(float(value)):
                return float(value)
        except ValueError:
            pass
        limits = "" if low is None or high is None else f" from {low:g} to {high:g} {known.unit if known else ''}"
        words = (*words, "a number" + limits.rstrip())
    raise UsageError(f"{code} cannot be {value!r}", expected=", ".join(words), nearest=nearest(value, words))


def known_of(column: Column, row: int = 0) -> Known:
    """What is known of one patient: a number, an interval, a word or several, or None."""
    if isinstance(column, Categories):
        names = tuple(name for i, name in enumerate(column.names) if int(column.mask[row]) >> i & 1)
        return None if len(names) in (0, len(column.names)) else names[0] if len(names) == 1 else names
    assert isinstance(column, Numbers)
    low = float(column.lo[row])
    high = low if column.hi is None else float(column.hi[row])
    if np.isnan(low):
        return None
    if low == high:
        return low
    opens = [bool(ends[row]) if ends is not None else False for ends in (column.lo_open, column.hi_open)]
    return Interval(low, high, *opens)


def _source(chart: Chart, code: str, on: date | None) -> str | None:
    rows = chart.observations.filter((pl.col("what") == code) & (pl.col("on") == on))
    return "; ".join(dict.fromkeys(rows["source"].drop_nulls())) or None


def _shown(code: str, value: float, bound: int, word: int) -> str | None:
    if value == value:
        return f"{'<' if bound < 0 else '>' if bound > 0 else ''}{value:.10g}"
    kind = codes()[code]
    return kind.words[word] if kind.words and 0 <= word < len(kind.words) else None


def response_story(own: Chart, policies: Mapping[str, Any]) -> ResponseStory:
    """The visits of one patient with the values they were judged by, from the plain scan."""
    observations = take_in(own)
    cohort = Cohort(observations, own.patients, policies, traced=True)
    visits, lines, _ = respond(cohort, treatment_rows(own, observations.patients), progression_events(own, observations.patients))
    undated = own.treatments.filter(pl.col("started_on").is_null())["what"].drop_nulls().unique(maintain_order=True)
    return ResponseStory(visits, _trace(cohort), lines, tuple(undated))


def _trace(cohort: Cohort) -> pl.DataFrame:
    rows, trace, n = cohort.rows, cohort.trace, int(cohort.row_counts[0])
    names = list(wording.TRACKS)
    visit, track = np.nonzero(~np.isnan(trace[:n, :, 1]))
    found = trace[visit, track]
    return pl.DataFrame(
        {
            "line": pl.Series(rows.line[visit], dtype=pl.Int32),
            "on": dates(rows.day[visit]),
            "track": [names[t] for t in track],
            "value": found[:, 1],
            "nadir": found[:, 3],
            "baseline": found[:, 5],
            "sampled_on": dates(found[:, 6].astype(np.int64)),
        },
        schema_overrides={"track": pl.String},
    ).with_columns(pl.col("value", "nadir", "baseline").fill_nan(None).round(6))
