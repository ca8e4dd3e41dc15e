"""One printable page for one patient: course, stage and risk, response, and what is missing, each with its reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup, escape

from ..advise import facts as facts_of
from ..assess import DISCLAIMER, Findings, assess
from ..assess.policies import POLICIES, settle
from ..assess.sources import sources
from ..assess.story import ResponseStory
from ..assess.why import why
from ..catalogue import label
from ..chart import Chart, last_date, visible
from ..errors import UsageError
from ..explain import number
from ..tags import TAGS
from .advised import section, words
from .curves import standing
from .drawing import DARK, DEPTH, EDGE
from .gaps import gaps
from .header import header, standing_of
from .pictures import course
from .reasons import cited, groups, input_said, may_be_active, said
from .tables import tables
from .visits import lines
from .words import PAGE

DEPTHS = [(name, colour, name in DARK, EDGE.get(name, colour)) for name, colour in DEPTH.items()]
CORE = ("serum_m_protein", "urine_m_protein", "kappa_flc", "lambda_flc", "marrow_plasma_cells", "mrd")


@cache
def environment() -> Environment:
    """The templates of this package; everything in them is escaped."""
    made = Environment(
        loader=PackageLoader("bence.report"), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
    made.filters["dates"] = whole_dates
    return made


def whole_dates(text: str) -> Markup:
    """A text, escaped, whose dates are never broken at the end of a line."""
    return Markup(re.sub(r"\d{4}-\d\d-\d\d", lambda found: f'<span class="once">{found[0]}</span>', str(escape(text))))


def report(
    chart: Chart, patient: str, at: date | str | None = None, lang: str = "en", findings: Findings | None = None,
    region: str = "china", facts: pl.DataFrame | None = None, **policies: Any,
) -> str:  # fmt: skip
    """One self-contained HTML page for one patient, from what was known on a day (None: the last date of the chart).

    `lang`: `en` or `zh`; `policies` as for `assess`. `findings`: those of the whole chart on that day by those policies,
    where there are any, so that many pages need one assessment. `region`: whose approvals the advice goes by, `facts`: those of the
    findings there (`bence.advise.facts`), where they are known already. UsageError for an unknown patient,
    policy or value, and for findings of another day or other policies. The same chart gives the same bytes.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    seen = look(chart, patient, at, findings, **policies)
    measurable = float(seen.found.manifest["policies"]["serum_measurable"])
    return environment().get_template("patient.html").render(
        depths=DEPTHS,
        **section(facts_of(seen.found, region) if facts is None else facts, patient, region, lang),
        w=PAGE[lang] | words(lang),
        picture=course(seen.own, seen.story.visits, seen.story.values, seen.story.lines, lang, measurable),
        **told(seen, chart, lang),
    )  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What is known of one patient on a day, and what was found: what every page about the patient rests on."""

    patient: str
    at: date | None
    own: Chart
    found: Findings
    story: ResponseStory
    status: Mapping[str, Any]
    policies: Mapping[str, Any]


def look(chart: Chart, patient: str, at: date | str | None = None, findings: Findings | None = None, **policies: Any) -> Look:
    """One patient of a chart as known on a day (None: the last date of the chart); arguments and errors as of `report`."""
    at = (date.fromisoformat(at) if isinstance(at, str) else at) or last_date(chart)
    own = visible(chart.only(patient), at)
    found = assess(own, at, **policies) if findings is None else _same(findings, at, policies)
    story = why(own, patient, "response", at, **policies)
    assert isinstance(story, ResponseStory)
    story = replace(story, lines=found.lines.filter(pl.col("patient") == patient))  # with their regimens
    return Look(patient, at, own, found, story, found.status.row(by_predicate=pl.col("patient") == patient, named=True), policies)


def told(seen: Look, chart: Chart, lang: str) -> dict[str, Any]:
    """What a page says of a patient beside the course and the advice, in words. `chart`: the one that was looked at."""
    own, status, story, found, at = seen.own, seen.status, seen.story, seen.found, seen.at
    findings = groups(own, status, at, seen.policies, lang)
    shown = [row.name for group in findings for row in group.rows if not group.note]
    last = story.visits.row(-1, named=True) if story.visits.height else None
    known = sources()
    keys = [*cited(findings), *(["kumar-2016"] if story.visits.height else [])]
    mine = _mine(chart, own)
    return {
        "lang": "zh-CN" if lang == "zh" else "en",
        "patient": seen.patient,
        "at": at,
        "header": header(own, status, at, lang),
        "now": standing_of(own, status, story, lang),
        "absent": _absent(own, story, lang),
        "groups": findings,
        "active": may_be_active(status),
        "lines": lines(story, lang),
        "tables": tables(found, seen.patient, lang),
        "gaps": gaps(found.completeness.filter(pl.col("patient") == seen.patient), shown, last, lang),
        "flags": _flags(own, status, lang),
        "rejected": _rejected(mine, lang),
        "elsewhere": chart.rejected.height - mine.height,
        "sources": {key: (i, known.get(key, {})) for i, key in enumerate(dict.fromkeys(keys), 1)},
        "tags": {tag: words[lang == "zh"] for tag, words in TAGS.items()},
        "made": made(found, lang),
        "disclaimer": DISCLAIMER[lang],
    }


def _same(findings: Findings, at: date | None, policies: Mapping[str, Any]) -> Findings:
    """The findings, if they are of this day and these policies."""
    day = at.isoformat() if at else None
    if (findings.manifest["at"], findings.manifest["policies"]) != (day, dict(settle(policies))):
        raise UsageError("the findings are of another day or other policies", expected=f"those of assess(chart, at={day})")
    return findings


def _absent(own: Chart, story: ResponseStory, lang: str) -> list[str]:
    """The measures of disease that were never recorded, and what was given on no known day."""
    words = PAGE[lang]
    there = set(own.observations["what"])
    missing = [input_said(name, lang) for name in CORE if name not in there]
    undated = [label(drug, lang) for drug in story.undated]
    told = {"not_recorded": missing, "undated": undated}
    return [words[name].format(words["and"].join(names)) for name, names in told.items() if names]


def _flags(own: Chart, status: Mapping[str, Any], lang: str) -> list[str]:
    """Contradictions at baseline, recorded answers that were overruled, and values somebody marked as spurious."""
    words = PAGE[lang]
    flags = [flag.partition(":") for flag in (status["flags"] or "").split("|") if flag]
    names = [name for kind, _, name in flags if kind == "conflict"]
    found = [words["conflict"].format(words["and"].join(input_said(name, lang) for name in names))] if names else []
    found += [_contradicted(own, name, status, lang) for kind, _, name in flags if kind == "recorded"]
    found += [words["lines_differ"] for kind, _, _ in flags if kind == "lines_differ"]
    rows = standing(own.observations, *own.observations["what"].drop_nulls().unique().sort()).filter(pl.col("status") == "spurious")
    for row in rows.iter_rows(named=True):
        shown = row["text"] if row["value"] is None else f"{row['comparator'] or ''}{number(row['value'])} {row['unit'] or ''}".strip()
        found.append(words["spurious"].format(what=label(row["what"], lang), value=shown, on=row["on"]))
    return found


def _contradicted(own: Chart, name: str, status: Mapping[str, Any], lang: str) -> str:
    """A recorded answer that the values rule out, and what they give."""
    words = PAGE[lang]
    told = standing(own.observations, name)["text"].drop_nulls().unique(maintain_order=True)
    recorded = words["or"].join(said(name, each, lang) for each in told) or words["unknown"]
    derived = said(name, status[name], lang) if status[name] is not None else ""
    how = "contradicted" if derived else "contradicted_open"
    return words[how].format(what=input_said(name, lang), recorded=recorded, derived=derived)


def _mine(chart: Chart, own: Chart) -> pl.DataFrame:
    """The rejected cells that stand on a line of which other cells were accepted for this patient."""
    places = {source for table in ("observations", "treatments", "events") for source in own.scan(table).collect()["source"].drop_nulls()}
    place = pl.concat_str("file", pl.lit(":"), "line")
    return chart.rejected.filter(place.is_in(sorted(places)).fill_null(False))


def _rejected(mine: pl.DataFrame, lang: str) -> list[tuple[str, str]]:
    """The rejected cells of this patient in words, with what was expected."""
    words = PAGE[lang]
    return [
        (
            words["rejected"].format(where=f"{row['file']}:{row['line']}", column=row["column"], value=row["value"], reason=row["reason"]),
            words["expected"].format(row["expected"]) if row["expected"] else "",
        )
        for row in mine.iter_rows(named=True)
    ]


def made(findings: Findings, lang: str) -> list[str]:
    """With what the page was made: version, profile, policies that are not at their default."""
    words, manifest = PAGE[lang], findings.manifest
    changed = [
        words["instead"].format(name=name, value=value, default=POLICIES[name].default)
        for name, value in manifest["policies"].items()
        if value != POLICIES[name].default
    ]
    return [
        words["made"].format(version=manifest["bence"], profile=manifest["profile"]),
        f"{words['policies']}{words['colon']}{words['semicolon'].join(changed)}" if changed else words["default"],
    ]
