"""Why: one finding of one patient, from the same rules that gave it.

For a rule of stage, risk or diagnosis a tree of values, dates and sources; for the response the visits with the values,
nadirs and baselines they were judged by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import inf, isfinite
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import codes, label, nearest
from ..cells import Categories, Column, Numbers
from ..chart import Chart, last_date, visible
from ..errors import UsageError
from ..explain import Value, Why, explain, render
from ..interval import Interval
from ..known import Known
from ..rulebook import rules
from . import response_scan as scan
from . import status, wording
from .intake import Observations, dates, days, take_in, to_date
from .lines import scan_columns, treatment_rows
from .policies import settle
from .response import clone_columns, empty, policy_of, scan_codes
from .unrecorded import ASSUMED, ONE_IMAGING_IS_ENOUGH, UNLESS_RECORDED, USUAL_LIMITS

RESPONSE = ("response", "best_response", "progression")


@dataclass(frozen=True)
class ResponseStory:
    """Why the response is what it is: `visits` (as in `Findings.response`) and `values` (one row a visit and track)."""

    visits: pl.DataFrame
    values: pl.DataFrame
    lines: pl.DataFrame

    def text(self, lang: str = "en") -> str:
        """The course in words, a few lines a visit."""
        return "\n".join(_story(self, lang))

    def __str__(self) -> str:
        return self.text()


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
) -> Explanation | ResponseStory:
    """Why one finding of one patient is what it is.

    `vary` changes thresholds (`{"iss": {"high": 6}}`), `what_if` values (`{"albumin": 30}`): neither is ever kept.
    UsageError for an unknown patient, finding, threshold or policy.
    """
    at = date.fromisoformat(at) if isinstance(at, str) else at
    own = visible(chart.only(patient), at)
    day = at or last_date(chart)
    settled = settle(policies)
    if name in RESPONSE:
        if vary or what_if:
            raise UsageError(f"{name} is explained from what is recorded", expected="a what-if of stage, risk or diagnosis")
        return response_story(own, settled)
    if name not in rules() and name not in status.targets():
        choices = [*RESPONSE, *rules()]
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
    for place, on, value, bound, word in base.rows.select("code", "day", "value", "bound", "label").iter_rows():
        code = base.names[place]
        if code in values:
            values[code] = Value(values[code].known, to_date(on), _source(own, code, to_date(on)), _shown(code, value, bound, word))
    return values


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
            values[code] = Value(value, None, None)
    for code, limits in USUAL_LIMITS.items():
        if code not in values or values[code].known is None:
            sex = own.patients["sex"][0]
            values[code] = Value(limits.get(sex, limits["unknown"]))
    if policies["calcium"] == "total":
        values["albumin"] = Value(40.0)
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
    from .response import respond

    observations = take_in(own)
    drugs = treatment_rows(own, observations.patients)
    visits, lines = respond(observations, own.patients, drugs, policies)
    return ResponseStory(visits, _trace(observations, own.patients, drugs, policies), lines)


def _trace(observations: Observations, patients: pl.DataFrame, drugs: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    size = max(observations.day.size, 1)
    rows, lines = empty(scan.Rows, size, {}), empty(scan.Lines, max(drugs.height, 1), {})
    trace = np.full((size, scan.TRACKS, 7), np.nan)
    heavy, light = clone_columns(patients)
    n, _ = scan.scan_patient(
        observations.day, scan_codes(observations), observations.value, observations.bound, observations.label,
        observations.recorded, observations.spurious, scan_columns(drugs, 1)[1], heavy[0], light[0],
        days(patients["died_on"])[0], policy_of(policies), scan.room_for(size, drugs.height), rows, 0, lines, 0, trace,
    )  # fmt: skip
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


TEXT = {
    "en": {
        "line": "Line {line}: {drugs} from {start}", "best": "best response {best}{on}", "none": "no line of therapy is recorded",
        "visit": "{on}  {timepoint}{state}", "confirmed": "   best confirmed so far: {confirmed} (second sample {on})",
        "value": "   {track} {value} {unit}, nadir before {nadir}, baseline {baseline}{sampled}", "sampled": " (sample of {})",
        "because": "   because: {}", "missing": "   missing: {}", "flag": "   note: {}", "unknown": "unknown",
        "progressed": "progression on {on}, {state}",
    },
    "zh": {
        "line": "第{line}线：{drugs}，自{start}", "best": "最佳疗效 {best}{on}", "none": "未记录治疗",
        "visit": "{on}  {timepoint}{state}", "confirmed": "   迄今最佳确认疗效：{confirmed}（第二次样本 {on}）",
        "value": "   {track} {value} {unit}，此前最低 {nadir}，基线 {baseline}{sampled}", "sampled": "（{} 样本）",
        "because": "   依据：{}", "missing": "   缺：{}", "flag": "   提示：{}", "unknown": "未知",
        "progressed": "进展日期 {on}，{state}",
    },
}  # fmt: skip


def _story(story: ResponseStory, lang: str) -> list[str]:
    lang = "zh" if lang.startswith("zh") else "en"
    words, lines = TEXT[lang], []
    if not story.lines.height:
        return [words["none"]]
    for line in story.lines.iter_rows(named=True):
        drugs = " + ".join(label(drug, lang) for drug in (line["drugs"] or "").split("+"))
        lines.append(words["line"].format(line=line["line"], drugs=drugs, start=line["started_on"]))
        on = f" ({line['best_response_on']})" if line["best_response_on"] else ""
        lines.append("  " + words["best"].format(best=line["best_response"], on=on))
        if line["progressed_on"]:
            state = wording.say(wording.STATES, line["progression_state"], lang)
            lines.append("  " + words["progressed"].format(on=line["progressed_on"], state=state))
        for visit in story.visits.filter(pl.col("line") == line["line"]).iter_rows(named=True):
            lines += _visit(story, visit, words, lang)
    return lines


def _visit(story: ResponseStory, visit: Mapping[str, Any], words: Mapping[str, str], lang: str) -> list[str]:
    state = f" ({wording.say(wording.STATES, visit['progression'], lang)})" if visit["progression"] else ""
    lines = [words["visit"].format(on=visit["on"], timepoint=visit["timepoint"], state=state)]
    own = story.values.filter((pl.col("on") == visit["on"]) & (pl.col("line") == visit["line"]))
    for value in own.iter_rows(named=True):
        en, zh, unit = wording.TRACKS[value["track"]]
        lines.append(
            words["value"].format(
                track=zh if lang == "zh" else en,
                unit=unit,
                sampled="" if value["sampled_on"] == visit["on"] else words["sampled"].format(value["sampled_on"]),
                **{k: words["unknown"] if value[k] is None else f"{value[k]:g}" for k in ("value", "nadir", "baseline")},
            )
        )
    lines += [words["because"].format(wording.say(wording.BECAUSE, name, lang)) for name in _split(visit["because"])]
    if visit["missing"]:
        lines.append(words["missing"].format(", ".join(label(name, lang) for name in _split(visit["missing"]))))
    lines += [words["flag"].format(wording.say(wording.FLAGS, name, lang)) for name in _split(visit["flags"])]
    if visit["confirmed_on"]:
        lines.append(words["confirmed"].format(confirmed=visit["confirmed"], on=visit["confirmed_on"]))
    return lines


def _split(text: str | None) -> list[str]:
    return text.split("|") if text else []
