"""The brief of a patient for a meeting: one page with the course, where the patient stands, the options, and what is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..advise import facts
from ..registry import Person
from ..report.advised import section
from ..report.page import look, told
from ..report.pictures import course
from .dossier import said
from .rendering import part
from .svg import presented
from .visit import Reader

MOST_GAPS = 8  # tests that would settle something, those that settle most first


def brief(visit: Reader, who: Person, at: date | None) -> dict[str, Any]:
    """The brief as a part of a page (`html`), and the questions that the pathway asks of the patient (`asked`)."""
    region = visit.settings.region

    def make() -> dict[str, Any]:
        seen = look(chart := visit.store.patient(visit.access, who.patient, who.centre).chart, who.patient, at)
        known = told(seen, chart, visit.lang)
        measurable = float(seen.found.manifest["policies"]["serum_measurable"])
        picture = course(seen.own, seen.story.visits, seen.story.values, seen.story.lines, visit.lang, measurable)
        advice = section(facts(seen.found, region), who.patient, region, visit.lang)
        html = part(
            visit, "mdt_brief.html", w=said(visit.lang), picture=picture, body=presented(picture.body) if picture else "",
            told=known, gaps=known["gaps"][:MOST_GAPS], more=len(known["gaps"]) - MOST_GAPS, **advice,
        )  # fmt: skip
        return {"html": html, "asked": [asked.key for asked in advice["advised"]]}

    return visit.store.kept(visit.access, who, f"brief {visit.lang} {region} {at or ''}", make)


def known_on(day: date) -> date | None:
    """As of which day a meeting sees a patient: that of the meeting, once it is past; None: as known now."""
    return day if day < date.today() else None
