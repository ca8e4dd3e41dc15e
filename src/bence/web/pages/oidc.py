"""Sign in with the account of the hospital: out to the issuer, and back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...registry import AccessError, SignInError
from ..oidc import Errand, address, name_of
from ..rendering import outside
from ..visit import Registry
from .account import with_session

router = APIRouter()
COOKIE = "bence_oidc"
MINUTES = 10
ABSENT = ("The sign-in of the hospital cannot be reached.", "无法连接医院的统一身份认证。")
UNKNOWN = ("The hospital has not confirmed you, or this registry does not know you.", "医院未能确认您的身份，或您尚不是本登记库的用户。")


@router.get("/oidc")
def leave(request: Request) -> Response:
    """Send the browser to the issuer."""
    settings = request.app.state.settings
    if not settings.oidc_issuer:
        return RedirectResponse("/sign-in", 303)
    errand = Errand.new()
    try:
        answer = RedirectResponse(address(settings, errand, _back(request)), 303)
    except SignInError:
        return outside(request, "sign_in.html", 503, refused=ABSENT, oidc=True)
    answer.set_cookie(COOKIE, errand.cookie, max_age=60 * MINUTES, path="/oidc", httponly=True, samesite="lax", secure=settings.secure)
    return answer


@router.get("/oidc/back")
def come_back(request: Request) -> Response:
    """Begin the session of the user whom the issuer names, if the registry knows such a user."""
    registry: Registry = request.app.state.registry
    settings = request.app.state.settings
    try:
        if registry.store is None or not settings.oidc_issuer:
            raise SignInError
        name = name_of(settings, Errand.kept(request.cookies.get(COOKIE, "")), _back(request), str(request.url))
        token = registry.store.begin_session(registry.store.access(name), "OpenID Connect")
    except (SignInError, AccessError):
        return outside(request, "sign_in.html", 401, refused=UNKNOWN, oidc=True)
    answer = with_session(outside(request, "welcome.html"), token, request)  # a redirect from elsewhere would not carry the strict cookie
    answer.delete_cookie(COOKIE, path="/oidc")
    return answer


def _back(request: Request) -> str:
    settings = request.app.state.settings
    return f"{(settings.public_url or str(request.base_url)).rstrip('/')}/oidc/back"
