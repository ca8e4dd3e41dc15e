"""What can be done next: options with what speaks for and against them, what blocks them, and what is missing.

    advise(findings, region="china")                     one row a patient, question, option and stance
    advice_of(facts(findings, "china"), "china")         the whole story of one patient

The pathway is data: decision tables in `pathway/`, options in `options.toml`, the facts they ask about in `facts/`. Bence never ranks by
guess and never states a dose that is not quoted from a label; sources that disagree are shown side by side.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from ..assess import Findings, assess
from ..callable import make_callable
from ..catalogue import nearest
from ..chart import Chart
from ..errors import UsageError
from .columns import Columns
from .facts import facts as facts_of
from .pathway import pathway as shipped
from .policies import parted, settled
from .rows import table
from .setting import settle
from .stances import stances
from .story import Story, advice_of

REGIONS = ("china", "us", "eu")


def advise(chart: Chart | Findings, at: date | None = None, region: str = "china", lang: str = "en", **policies: Any) -> pl.DataFrame:
    """Options for every patient, as of a day and under the approvals of a region.

    One row a patient, question, option and stance (`for`, `against`, `blocked`, `unknown`). `because`: what the rows of the
    pathway with this stance say; `contrary`: what others say that hold too; `rules`: their names; `evidence`: keys of the evidence base;
    `grade`: label, A (randomised trial), B (cohort), C (consensus), O (a choice of Bence), `tag` how the row was checked;
    `unlocked_by`: the facts that would settle an unknown; `confirm`: what charts rarely record as absent; `cautions`: what is
    known only from memory or is no reason by itself. A question without an option (`option` null) waits for the facts in
    `unlocked_by`. Policies of the assessment and of the advice are given by name. UsageError for an unknown region or policy.
    """
    mine, others = parted(policies)
    findings = chart if isinstance(chart, Findings) else assess(chart, at, **others)
    return advice(facts(findings, region), region, lang, **mine)


def advice_for(chart: Chart, patient: str, at: date | None = None, region: str = "china", lang: str = "en", **policies: Any) -> Story:
    """The whole advice of one patient of a chart. UsageError for an unknown patient, region or policy."""
    mine, others = parted(policies)
    return advice_of(facts(assess(chart.only(patient), at, **others), region), region, lang, **mine)


def facts(findings: Findings, region: str) -> pl.DataFrame:
    """What the pathway asks about, one row a patient: facts of the findings, the region, and what each label allows.

    UsageError for an unknown region.
    """
    if region not in REGIONS:
        raise UsageError(f"there is no region {region!r}", expected=", ".join(REGIONS), nearest=nearest(region, REGIONS))
    return settle(facts_of(findings), region)


def advice(facts: pl.DataFrame, region: str, lang: str = "en", **policies: str) -> pl.DataFrame:
    """The rows of `advise` from the facts of the patients."""
    found = stances(shipped(), Columns(facts), settled(policies))
    return table(found, facts, region, lang)


__all__ = ["REGIONS", "Story", "advice", "advice_for", "advice_of", "advise", "facts"]

make_callable(__name__)
