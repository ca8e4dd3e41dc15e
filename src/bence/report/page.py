"""One printable page for one patient: course, stage and risk, response, and what is missing, each with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from ..assess import DISCLAIMER, Findings, assess
from ..assess.policies import POLICIES
from ..assess.sources import sources
from ..assess.why import ResponseStory, why
from ..catalogue import label
from ..chart import Chart, last_date, visible
from .curves import standing
from .drawing import DARK, DEPTH, EDGE
from .gaps import gaps
from .header import header, standing_of
from .pictures import course
from .reasons import cited, groups, input_said, number
from .visits import lines
from .words import PAGE, TAGS

DEPTHS = [(name, colour, name in DARK, EDGE.get(name, colour)) for name, colour in DEPTH.items()]
CORE = ("serum_m_protein", "urine_m_protein", "kappa_flc", "lambda_flc", "marrow_plasma_cells", "mrd")


@cache
def environment() -> Environment:
    """The templates of this package; everything in them is escaped."""
    return Environment(
        loader=PackageLoader("bence.report"), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )


def report(chart: Chart, patient: str, at: date | str | None = None, lang: str = "en", **policies: Any) -> str:
    """One self-contained HTML page for one patient, from what was known on a day (None: the last date of the chart).

    `lang`: `en` or `zh`; `policies` as for `assess`. UsageError for an unknown patient, policy or value. The same chart
    gives the same bytes.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    at = (date.fromisoformat(at) if isinstance(at, str) else at) or last_date(chart)
    own = visible(chart.only(patient), at)
    findings = assess(own, at, **policies)
    story = why(own, patient, "response", at, **policies)
    assert isinstance(story, ResponseStory)
    status = findings.status.row(0, named=True)
    told = groups(own, status, at, policies, lang)
    shown = [row.name for group in told for row in group.rows if not group.note]
    last = story.visits.row(-1, named=True) if story.visits.height else None
    known = sources()
    keys = [*cited(told), *(["kumar-2016"] if story.visits.height else [])]
    measurable = float(findings.manifest["policies"]["serum_measurable"])
    return environment().get_template("patient.html").render(
        depths=DEPTHS,
        lang="zh-CN" if lang == "zh" else "en",
        w=PAGE[lang],
        patient=patient,
        at=at,
        facts=header(own, status, at, lang),
        now=standing_of(own, status, story, lang),
        picture=Markup(course(own, story.visits, story.values, story.lines, lang, measurable)),
        absent=_absent(own, lang),
        groups=told,
        lines=lines(story, lang),
        gaps=gaps(findings.completeness, shown, last, lang),
        flags=_flags(own, status, lang),
        rejected=_rejected(chart, own, lang),
        elsewhere=chart.rejected.height - _mine(chart, own).height,
        sources={key: (i, known.get(key, {})) for i, key in enumerate(dict.fromkeys(keys), 1)},
        tags={tag: words[lang == "zh"] for tag, words in TAGS.items()},
        made=made(findings, lang),
        disclaimer=DISCLAIMER[lang],
    )  # fmt: skip


def _absent(own: Chart, lang: str) -> str:
    """The measures of disease that were never recorded."""
    there = set(own.observations["what"])
    missing = [input_said(name, lang) for name in CORE if name not in there]
    return PAGE[lang]["not_recorded"].format(PAGE[lang]["and"].join(missing)) if missing else ""


def _flags(own: Chart, status: Mapping[str, Any], lang: str) -> list[str]:
    """Contradictions at baseline, and values somebody marked as spurious."""
    words = PAGE[lang]
    names = [flag.removeprefix("conflict:") for flag in (status["flags"] or "").split("|") if flag]
    found = [words["conflict"].format(words["and"].join(input_said(name, lang) for name in names))] if names else []
    rows = standing(own.observations, *own.observations["what"].drop_nulls().unique().sort()).filter(pl.col("status") == "spurious")
    for row in rows.iter_rows(named=True):
        shown = row["text"] if row["value"] is None else f"{row['comparator'] or ''}{number(row['value'])} {row['unit'] or ''}".strip()
        found.append(words["spurious"].format(what=label(row["what"], lang), value=shown, on=row["on"]))
    return found


def _mine(chart: Chart, own: Chart) -> pl.DataFrame:
    """The rejected cells that stand on a line of which other cells were accepted for this patient."""
    places = {source for table in ("observations", "treatments", "events") for source in own.scan(table).collect()["source"].drop_nulls()}
    place = pl.concat_str("file", pl.lit(":"), "line")
    return chart.rejected.filter(place.is_in(sorted(places)).fill_null(False))


def _rejected(chart: Chart, own: Chart, lang: str) -> list[tuple[str, str]]:
    """The rejected cells of this patient in words, with what was expected."""
    words = PAGE[lang]
    return [
        (
            words["rejected"].format(where=f"{row['file']}:{row['line']}", column=row["column"], value=row["value"], reason=row["reason"]),
            words["expected"].format(row["expected"]) if row["expected"] else "",
        )
        for row in _mine(chart, own).iter_rows(named=True)
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
        f"{words['policies']}: {'; '.join(changed)}" if changed else words["default"],
    ]
