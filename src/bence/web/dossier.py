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
from .rendering import part
from .visit import Reader

REGIONS = {"china": ("China", "中国"), "us": ("United States", "美国"), "eu": ("European Union", "欧盟")}
UNSOURCED = {"title": "", "where": "", "doi": "", "tag": "", "read": (), "checked": ""}  # a source of which nothing is known
HEAD = ("patient", "at", "header", "now")  # what stands above every page of a patient


def day_of(at: str) -> date | None:
    """The day of a field `as of`; None: what is known now. UsageError for what is no day."""
    if not at.strip():
        return None
    try:
        return date.fromisoformat(at.strip())
    except ValueError:
        raise UsageError(f"{at!r} is not a day", expected="a day such as 2026-03-23") from None


def dossier(reader: Reader, who: Person, at: date | None) -> dict[str, Any]:
    """Header, findings with their reasons, response, tables, gaps and the course (`course`) of a patient, as plain data."""

    def make() -> dict[str, Any]:
        chart = reader.store.patient(reader.access, who.patient, who.centre).chart
        seen = look(chart, who.patient, at)
        known = told(seen, chart, reader.lang)
        sources = {key: (number, UNSOURCED | dict(source)) for key, (number, source) in known["sources"].items()}
        return known | {"sources": sources, "unsourced": (0, UNSOURCED), "course": series(seen.own, seen.story, reader.lang)}

    return reader.store.kept(reader.access, who, f"page {reader.lang} {at or ''}", make)


def course_of(reader: Reader, who: Person, at: date | None) -> Any:
    """The course of a patient as data for the chart."""
    return reader.store.kept(reader.access, who, f"course {reader.lang} {at or ''}", lambda: dossier(reader, who, at)["course"])


def body(reader: Reader, who: Person, at: date | None, region: str) -> dict[str, Any]:
    """What stands above every page of a patient, and the page itself below that as `html`, written once."""

    def make() -> dict[str, Any]:
        known = dossier(reader, who, at)
        here = {"at": at or "", "address": f"/patients/{reader.handles.of(who.number)}", "asked": f"?at={at}" if at else ""}
        html = part(reader, "patient_body.html", w=said(reader.lang), told=known, region=region, regions=REGIONS, **here)
        return {name: known[name] for name in HEAD} | {"html": html}

    return reader.store.kept(reader.access, who, f"body {reader.lang} {_known(region)} {at or ''}", make)


def advice_part(reader: Reader, who: Person, at: date | None, region: str) -> str:
    """The advice of a patient under the approvals of a region, as a part of a page."""

    def make() -> str:
        chart = reader.store.patient(reader.access, who.patient, who.centre).chart
        known = section(facts(look(chart, who.patient, at).found, region), who.patient, region, reader.lang)
        return part(reader, "patient_advice.html", w=said(reader.lang), **known)

    return reader.store.kept(reader.access, who, f"advice {reader.lang} {_known(region)} {at or ''}", make)


def said(lang: str) -> dict[str, Any]:
    """The words of the printed report, which these pages share."""
    return PAGE[lang] | words(lang)


def _known(region: str) -> str:
    if region not in REGIONS:
        raise UsageError(f"there is no region {region!r}", expected=", ".join(REGIONS))
    return region
