"""The response of one patient told visit by visit, as a haematologist would write it; English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ..catalogue import label
from ..explain import number, unit_said
from . import wording


@dataclass(frozen=True)
class ResponseStory:
    """Why the response is what it is: `visits` (as in `Findings.response`) and `values` (one row a visit and track).

    `undated`: what was given without a start date, so that it belongs to no line.
    """

    visits: pl.DataFrame
    values: pl.DataFrame
    lines: pl.DataFrame
    undated: tuple[str, ...] = ()

    def text(self, lang: str = "en") -> str:
        """The course in words, a few lines a visit."""
        return "\n".join(_story(self, lang))

    def __str__(self) -> str:
        return self.text()


TEXT = {
    "en": {
        "line": "Line {line}, from {start}: {drugs}", "best": "best response: {best}{on}", "none": "no line of therapy is recorded",
        "undated": "no start date is recorded for {}; it belongs to no line", "visit": "{on}  {timepoint}{state}",
        "confirmed": "   best confirmed so far: {confirmed}{by}", "by": ", by the sample of {}",
        "value": "   {track} {value} {unit}{changes}, nadir before {nadir}, baseline {baseline}{sampled}",
        "first": "   {track} {value} {unit}, nothing to compare with{sampled}", "sampled": " (sample of {})",
        "baseline": "{:+.0f} % from baseline", "nadir": "{:+.0f} % from nadir", "because": "   because: {}",
        "missing": "   missing: {}", "flag": "   note: {}", "unknown": "unknown", "progressed": "progression: {on}, {state}",
        "doubt": "progression: {state}", "and": ", ", "open": " (", "close": ")",
    },
    "zh": {
        "line": "第{line}线，自{start}：{drugs}", "best": "最佳疗效：{best}{on}", "none": "无治疗线记录",
        "undated": "{}未记录开始日期，未归入任何治疗线", "visit": "{on}  {timepoint}{state}",
        "confirmed": "   迄今最佳确认疗效：{confirmed}{by}", "by": "，由{}的样本确认",
        "value": "   {track} {value} {unit}{changes}，此前最低 {nadir}，基线 {baseline}{sampled}",
        "first": "   {track} {value} {unit}，无既往值可比{sampled}", "sampled": "（{} 样本）",
        "baseline": "较基线{:+.0f}%", "nadir": "较最低值{:+.0f}%", "because": "   依据：{}",
        "missing": "   缺：{}", "flag": "   提示：{}", "unknown": "未知", "progressed": "疾病进展：{on}，{state}",
        "doubt": "疾病进展：{state}", "and": "、", "open": "（", "close": "）",
    },
}  # fmt: skip


def _story(story: ResponseStory, lang: str) -> list[str]:
    lang = "zh" if lang.startswith("zh") else "en"
    words, lines = TEXT[lang], []
    if not story.lines.height:
        lines.append(words["none"])
    for line in story.lines.iter_rows(named=True):
        lines += _line(line, words, lang)
        before = None
        for visit in story.visits.filter(pl.col("line") == line["line"]).iter_rows(named=True):
            lines += _visit(story, visit, before, words, lang)
            before = visit["confirmed"]
    if story.undated:
        lines.append(words["undated"].format(words["and"].join(label(drug, lang) for drug in story.undated)))
    return lines


def _line(line: Mapping[str, Any], words: Mapping[str, str], lang: str) -> list[str]:
    """What a line of therapy is, its best response, its progression."""
    drugs = " + ".join(label(drug, lang) for drug in (line["drugs"] or "").split("+"))
    lines = [words["line"].format(line=line["line"], drugs=drugs, start=line["started_on"])]
    if line["best_response"]:
        on = f"{words['open']}{line['best_response_on']}{words['close']}" if line["best_response_on"] else ""
        lines.append("  " + words["best"].format(best=line["best_response"], on=on))
    if line["progression_state"] in ("confirmed", "unconfirmed"):
        state = wording.say(wording.STATES, line["progression_state"], lang)
        lines.append("  " + words["progressed" if line["progressed_on"] else "doubt"].format(on=line["progressed_on"], state=state))
    return lines


def _visit(story: ResponseStory, visit: Mapping[str, Any], before: str | None, words: Mapping[str, str], lang: str) -> list[str]:
    """One assessment; the best confirmed response where it is another than `before`."""
    state = f"{words['open']}{wording.say(wording.STATES, visit['progression'], lang)}{words['close']}" if visit["progression"] else ""
    lines = [words["visit"].format(on=visit["on"], timepoint=visit["timepoint"], state=state)]
    own = story.values.filter((pl.col("on") == visit["on"]) & (pl.col("line") == visit["line"]))
    lines += [_value(value, visit["on"], words, lang) for value in own.iter_rows(named=True)]
    lines += [words["because"].format(wording.say(wording.BECAUSE, name, lang)) for name in _split(visit["because"])]
    if visit["missing"]:
        lines.append(words["missing"].format(words["and"].join(label(name, lang) for name in _split(visit["missing"]))))
    lines += [words["flag"].format(wording.say(wording.FLAGS, name, lang)) for name in _split(visit["flags"])]
    if visit["confirmed"] not in (before, "PD", "NE", None):
        by = words["by"].format(visit["confirmed_on"]) if wording.second_sample(visit) else ""
        lines.append(words["confirmed"].format(confirmed=visit["confirmed"], by=by))
    return lines


def _value(value: Mapping[str, Any], on: date, words: Mapping[str, str], lang: str) -> str:
    """A value with its baseline and nadir, and how far it is from them."""
    en, zh, unit = wording.TRACKS[value["track"]]
    said = {k: words["unknown"] if value[k] is None else number(value[k]) for k in ("value", "nadir", "baseline")}
    return words["first" if value["nadir"] is None and value["baseline"] is None else "value"].format(
        track=zh if lang == "zh" else en,
        unit=unit_said(unit, lang),
        changes=changed(value, lang),
        sampled="" if value["sampled_on"] == on else words["sampled"].format(value["sampled_on"]),
        **said,
    )


def changed(value: Mapping[str, Any], lang: str) -> str:
    """How far a value is from its baseline and, where it rose again, from its nadir: ` (-52 % from baseline)`."""
    words, now, nadir, baseline = TEXT[lang], value["value"], value["nadir"], value["baseline"]
    changes = [words["baseline"].format(_percent(now, baseline))] if baseline and now != baseline else []
    if nadir and baseline and now > nadir and nadir != baseline:
        changes.append(words["nadir"].format(_percent(now, nadir)))
    return f"{words['open']}{words['and'].join(changes)}{words['close']}" if changes else ""


def _percent(now: float, before: float) -> float:
    """The change in percent; what is still there never reads as gone."""
    change = 100 * (now / before - 1)
    return max(change, -99.0) if now > 0 else change


def _split(text: str | None) -> list[str]:
    return text.split("|") if text else []
