"""What the pages of one patient show: worked out once for each version of the chart, day and language, and kept by the store."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..advise import facts
from ..errors import UsageError
from ..registry import Person
from ..report.advised import section, words
from ..report.page import look, told
from ..report.series import series
from ..report.words import PAGE
from .rendering import text
from .visit import Visit

REGIONS = {"china": ("China", "中国"), "us": ("United States", "美国"), "eu": ("European Union", "欧盟")}
UNSOURCED = {"title": "", "where": "", "doi": "", "tag": "", "read": (), "checked": ""}  # a source of which nothing is known


def day_of(at: str) -> date | None:
    """The day of a field `as of`; None: what is known now. UsageError for what is no day."""
    if not at.strip():
        return None
    try:
        return date.fromisoformat(at.strip())
    except ValueError:
        raise UsageError(f"{at!r} is not a day", expected="a day such as 2026-03-23") from None


def dossier(visit: Visit, who: Person, at: date | None) -> dict[str, Any]:
    """Header, findings with their reasons, response, tables, gaps and the course (`course`) of a patient, as plain data."""

    def make() -> dict[str, Any]:
        chart = visit.store.patient(visit.access, who.patient, who.centre).chart
        seen = look(chart, who.patient, at)
        known = told(seen, chart, visit.lang)
        sources = {key: (number, UNSOURCED | dict(source)) for key, (number, source) in known["sources"].items()}
        return known | {"sources": sources, "unsourced": (0, UNSOURCED), "course": series(seen.own, seen.story, visit.lang)}

    return visit.store.kept(visit.access, who, f"page {visit.lang} {at or ''}", make)


def advice_part(visit: Visit, who: Person, at: date | None, region: str) -> str:
    """The advice of a patient under the approvals of a region, as a part of a page."""
    if region not in REGIONS:
        raise UsageError(f"there is no region {region!r}", expected=", ".join(REGIONS))

    def make() -> str:
        chart = visit.store.patient(visit.access, who.patient, who.centre).chart
        known = section(facts(look(chart, who.patient, at).found, region), who.patient, region, visit.lang)
        return text(visit, "patient_advice.html", w=said(visit.lang), **known)

    return visit.store.kept(visit.access, who, f"advice {visit.lang} {region} {at or ''}", make)


def said(lang: str) -> dict[str, Any]:
    """The words of the printed report, which these pages share."""
    return PAGE[lang] | words(lang)
