"""The first page of a new registry: its centre, its owner, and the synthetic demo patients on request."""

from __future__ import annotations

import hmac
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...chart import Chart
from ...demo import demo_chart
from ...errors import BenceError
from ...registry import Access, AccessError, Store
from ...registry.accounts import check_new
from ..refusals import fault_said
from ..rendering import outside
from ..visit import Registry
from .account import UNEQUAL, with_session

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]
BLANK = {"name": "", "code": "", "en": "", "zh": "", "demo": False}
OWNER = ("administrator", "centre_lead")
LINK = (
    "Open the link that the server printed when it started: it proves that the server is yours.",
    "请打开服务器启动时显示的链接，以证明服务器归您所有。",
)


@router.get("/first")
def show_first(request: Request, token: str = "") -> Response:
    """The form, for who has the link."""
    if request.app.state.registry.store is not None:
        return RedirectResponse("/sign-in", 303)
    if not _is_owner(request, token):
        return outside(request, "first.html", 403, token="", refused=LINK, given=BLANK)
    return outside(request, "first.html", token=token, refused=None, given=BLANK)


@router.post("/first")
def make_registry(
    request: Request, token: Text = "", name: Text = "", password: Text = "", again: Text = "", code: Text = "", en: Text = "",
    zh: Text = "", demo: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Make the registry, enter its owner, and sign the owner in."""
    registry: Registry = request.app.state.registry
    given = {"name": name, "code": code, "en": en, "zh": zh, "demo": demo}
    if registry.store is not None:
        return RedirectResponse("/sign-in", 303)
    if not _is_owner(request, token):
        return outside(request, "first.html", 403, token="", refused=LINK, given=given)
    try:
        if password != again:
            return outside(request, "first.html", 422, token=token, refused=UNEQUAL, given=given)
        check_new(name, password)
        owner = Access(name.strip(), OWNER, [code.strip()])
        database = request.app.state.settings.database
        Store.create(database, {code.strip(): (en.strip() or zh.strip() or code, zh.strip() or en.strip() or code)}, owner).close()
        registry.open(database)
    except BenceError as error:
        return outside(request, "first.html", 422, token=token, refused=(fault_said(error, "en"), fault_said(error, "zh")), given=given)
    request.app.state.first_token = None
    return with_session(RedirectResponse("/", 303), _enter(registry, owner, password, demo), request)


def _enter(registry: Registry, owner: Access, password: str, demo: bool) -> str:
    """Set the owner's password, take the demo patients in, and begin a session."""
    if registry.store is None:
        raise AccessError("there is no registry")
    registry.store.set_password(owner, owner.user, password)
    if demo:
        chart = demo_chart()
        people = chart.patients.with_columns(centre=pl.lit(owner.centres[0]))
        own = Chart(people, chart.observations, chart.treatments, chart.events)
        registry.store.import_chart(owner, own, "synthetic demo patients")
    return registry.store.begin_session(owner, "first page")


def _is_owner(request: Request, token: str) -> bool:
    expected = request.app.state.first_token
    return expected is not None and hmac.compare_digest(token.encode(), expected.encode())
