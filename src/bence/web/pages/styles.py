"""The style sheet of the printed report, which the pages use too: one look, written once; and the icon."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from ...report.page import DEPTHS, environment

router = APIRouter()


@router.get("/static-report.css", include_in_schema=False)
def report_style() -> Response:
    """The style sheet."""
    return Response(_sheet(), media_type="text/css", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/favicon.ico", include_in_schema=False)
def icon() -> Response:
    """For pages that name no icon: those to be printed."""
    return RedirectResponse("/static/icon.svg", 301)


@cache
def _sheet() -> str:
    return environment().get_template("style.css").render(depths=DEPTHS)
