"""Sign in, sign out, choose a language, change the password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ...errors import UsageError
from ...registry import AccessError, SignInError
from ...registry.sessions import LONGEST
from ..rendering import outside, page
from ..visit import COOKIE, Arriving, Registry, token_of

router = APIRouter()
Text = Annotated[str, Form(max_length=400)]
REFUSED = ("Name and password do not fit, or there were too many attempts.", "用户名与密码不符，或尝试次数过多。")
POOR = ("Not accepted: the old password is wrong, or the new one is too short or not new.", "未接受：原密码有误，或新密码过短、未更换。")
UNEQUAL = ("The new password was typed in two ways.", "两次输入的新密码不一致。")


@router.get("/sign-in")
def show_sign_in(request: Request) -> Response:
    """The form; the first page instead if there is no registry yet."""
    if request.app.state.registry.store is None:
        return RedirectResponse("/first", 303)
    return outside(request, "sign_in.html", refused=None, oidc=bool(request.app.state.settings.oidc_issuer))


@router.post("/sign-in")
def sign_in(request: Request, name: Text = "", password: Text = "") -> Response:
    """Begin a session."""
    registry: Registry = request.app.state.registry
    if registry.store is None:
        return RedirectResponse("/first", 303)
    if not _from_here(request):
        return outside(request, "sign_in.html", 403, refused=REFUSED, oidc=False)
    try:
        token = registry.store.sign_in(name.strip(), password, request.client.host if request.client else "")
    except SignInError:
        return outside(request, "sign_in.html", 401, refused=REFUSED, oidc=bool(request.app.state.settings.oidc_issuer))
    return with_session(RedirectResponse("/", 303), token, request)


@router.post("/sign-out")
def sign_out(visit: Arriving) -> Response:
    """End the session."""
    visit.store.sign_out(token_of(visit.request)[0])
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/password")
def show_password(visit: Arriving) -> Response:
    """The form for a new password."""
    return page(visit, "password.html", refused=None, must=visit.request.state.must_change)


@router.post("/password")
def set_password(visit: Arriving, old: Text = "", new: Text = "", again: Text = "") -> Response:
    """Change the password; every other session of the user ends."""
    refused = UNEQUAL if new != again else None
    try:
        if not refused:
            visit.store.set_password(visit.access, visit.access.user, new, old)
    except (UsageError, SignInError, AccessError):
        refused = POOR
    if refused:
        return page(visit, "password.html", 422, refused=refused, must=visit.request.state.must_change)
    visit.store.end_sessions(visit.access, visit.access.user)
    return with_session(RedirectResponse("/", 303), visit.store.begin_session(visit.access, "new password"), visit.request)


@router.get("/lang/{lang}")
def choose_lang(request: Request, lang: str, back: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """Keep the language, and go back to where one was; never to another server."""
    inside = back.startswith("/") and not back.startswith("//") and "\\" not in back
    answer = RedirectResponse(back if inside else "/", 303)
    answer.set_cookie("lang", "zh" if lang == "zh" else "en", max_age=31536000, samesite="lax", secure=request.app.state.settings.secure)
    return answer


def with_session(answer: Response, token: str, request: Request) -> Response:
    """The answer with the cookie of a session."""
    answer.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=request.app.state.settings.secure,
        max_age=int(LONGEST.total_seconds()),
    )
    return answer


def _from_here(request: Request) -> bool:
    """Does the form come from a page of this server? A browser always says."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
