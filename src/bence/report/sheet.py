"""A sheet that an MDT can lay on the table: the course, where the patient stands, what can be done next, and room for the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from ..advise import facts
from ..advise.policies import parted
from ..assess import DISCLAIMER, assess
from ..assess.story import ResponseStory
from ..assess.why import why
from ..chart import Chart, last_date, visible
from .advised import section, words
from .header import header, standing_of
from .page import environment, made
from .pictures import course
from .words import PAGE


def sheet(chart: Chart, patient: str, at: date | None = None, region: str = "china", lang: str = "en", **policies: Any) -> str:
    """One self-contained HTML page of two A4 sheets: the course, where the patient stands, the options, and room for a decision.

    `region`: `china`, `us` or `eu`. UsageError for an unknown patient, region or policy.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    at = at or last_date(chart)
    own = visible(chart.only(patient), at)
    mine, rules = parted(policies)
    found = assess(own, at, **rules)
    response = why(own, patient, "response", at, **rules)
    assert isinstance(response, ResponseStory)
    response = replace(response, lines=found.lines)
    status = found.status.row(0, named=True)
    measurable = float(found.manifest["policies"]["serum_measurable"])
    return environment().get_template("sheet.html").render(
        lang="zh-CN" if lang == "zh" else "en", w=PAGE[lang] | words(lang), patient=patient, at=at,
        header=header(own, status, at, lang), now=standing_of(own, status, response, lang),
        picture=course(own, response.visits, response.values, response.lines, lang, measurable),
        **section(facts(found, region), patient, region, lang, **mine), made=made(found, lang), disclaimer=DISCLAIMER[lang],
    )  # fmt: skip
