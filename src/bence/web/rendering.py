"""Templates become pages. Both languages stand side by side in a template: `{{ t("Patients", "患者") }}`."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from ..catalogue import label
from ..explain import unit_said
from ..registry import ROLES
from ..report.page import environment as report_environment
from ..report.page import whole_dates
from ..version import __version__
from .visit import Reader, Visit, lang_of

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """The templates of the pages; those of the printed report are there as `report/…`. Everything in them is escaped."""
    printed = report_environment().loader
    assert printed
    pages = PrefixLoader({"report": printed, "web": FileSystemLoader(HERE / "templates")})
    loader = ChoiceLoader([pages, printed])  # the templates of the report name each other without a prefix
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    made.filters["dates"] = whole_dates
    made.filters["tips"] = tips
    return made


def tips(panel: dict[str, Any]) -> list[str]:
    """What a panel of a course says, point by point."""
    parts = [panel, *panel.get("lanes", ()), *panel.get("curves", ()), *panel.get("rows", ())]
    held = ("bars", "once", "marks", "visits", "points", "tests")
    return [point["tip"] for part in parts for name in held for point in part.get(name, ())]


def page(visit: Visit, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, or the part of one, for a user who is signed in."""
    return HTMLResponse(text(visit, template, **context), status)


def part(reader: Reader, template: str, **context: Any) -> str:
    """The text of a template that is the same for all who read this language."""
    return _text(reader.lang, template, {"handle": reader.handles.of} | context)


def text(visit: Visit, template: str, **context: Any) -> str:
    """The text of a template for a visit."""
    own = {"visit": visit, "csrf": visit.csrf, "handle": visit.handles.of, "path": visit.request.url.path}
    return _text(visit.lang, template, own | context)


def outside(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for somebody who is not signed in."""
    return HTMLResponse(_text(lang_of(request), template, {"visit": None, "path": request.url.path} | context), status)


def _text(lang: str, template: str, context: dict[str, Any]) -> str:
    said: dict[str, Any] = {
        "t": partial(chosen, lang),
        "lang": "zh-CN" if lang == "zh" else "en",
        "zh": lang == "zh",
        "label": lambda code: label(code, lang),
        "unit": lambda unit: unit_said(unit, lang),
        "role": lambda name: ROLES[name][lang == "zh"],
        "version": __version__,
    }
    return environment().get_template(f"web/{template}").render(said | context)


def chosen(lang: str, en: str, zh: str) -> str:
    """The words in the language of the reader."""
    return zh if lang == "zh" else en
