"""A visit: who asks, in which language, of which registry. Every page and every call of the API begins with one."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from ..errors import UsageError
from ..registry import Access, AccessError, Person, Store
from .handles import Handles
from .settings import Settings

COOKIE = "bence_session"
SERVER = "bence serve"  # who reads, in the audit, where the server does so by itself
SAFE = ("GET", "HEAD", "OPTIONS")


class SignedOut(Exception):
    """Nobody is signed in, or the session is over."""


class MustChange(Exception):
    """The user must set a password of the own before anything else."""


class Forged(Exception):
    """A form came from somewhere else, or from a session that is over."""


class Registry:
    """The store that a server serves, and the handles of its patients; `store` is None until there is one."""

    def __init__(self, settings: Settings, changed: Callable[[set[int]], None]) -> None:
        """`changed`: who is told whom a change touched, once it is committed."""
        self._settings, self._changed = settings, changed
        self.store: Store | None = None
        self.handles: Handles | None = None
        if "://" in settings.database or _is_file(settings.database):
            self.open(settings.database)

    def open(self, database: str) -> None:
        """Open the store at an address."""
        self.store = Store(database, self._settings.questionnaires)
        self.handles = Handles(self.store.secret("handles"))
        self.store.on_change(self._changed)

    def everybody(self, lang: str) -> Reader:
        """The server itself as a reader of all centres. SignedOut if there is no registry."""
        if self.store is None or self.handles is None:
            raise SignedOut
        access = Access(SERVER, ["physician"], self.store.centres())
        return Reader(self.store, self.handles, self._settings, access, lang)

    def close(self) -> None:
        """Close the connections of the store."""
        if self.store is not None:
            self.store.close()


@dataclass(frozen=True)
class Reader:
    """Who reads a registry, in which language: a user who is signed in, or the server itself before anybody asks."""

    store: Store
    handles: Handles
    settings: Settings
    access: Access
    lang: str

    def may(self, action: str) -> bool:
        """May the user do this anywhere?"""
        return self.access.reach(action) is not None

    def person(self, handle: str) -> Person:
        """The patient of a handle; AccessError if there is none within reach."""
        number = self.handles.number(handle)
        if number is None:
            raise AccessError("there is no such patient")
        return self.store.person(self.access, number)


@dataclass(frozen=True)
class Visit(Reader):
    """One request of a user who is signed in."""

    request: Request
    csrf: str


def lang_of(request: Request) -> str:
    """`zh` or `en`: as chosen, else as the browser prefers."""
    chosen = request.cookies.get("lang") or request.headers.get("accept-language", "")
    return "zh" if chosen.strip().lower().startswith("zh") else "en"


def token_of(request: Request) -> tuple[str, bool]:
    """The token of the session, and whether a browser sends it by itself."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip(), False
    return request.cookies.get(COOKIE, ""), True


async def visit(request: Request) -> Visit:
    """The visit of a request; SignedOut, MustChange or Forged instead where it is none."""
    found = await arriving(request)
    if request.state.must_change:
        raise MustChange
    return found


async def arriving(request: Request) -> Visit:
    """A visit, even of somebody who must change the password first."""
    registry: Registry = request.app.state.registry
    token, by_browser = token_of(request)
    if registry.store is None or registry.handles is None or not token:
        raise SignedOut
    try:
        session = await run_in_threadpool(registry.store.session, token)
    except AccessError:
        raise SignedOut from None
    if by_browser and request.method not in SAFE and not await _has_token(request, session.csrf):
        raise Forged
    request.state.must_change = session.must_change
    settings = request.app.state.settings
    return Visit(registry.store, registry.handles, settings, session.access, lang_of(request), request, session.csrf)


async def _has_token(request: Request, csrf: str) -> bool:
    """Does the form, or the header of a script, bring the token of the session?"""
    given: Any = request.headers.get("x-csrf", "")
    if not given and request.headers.get("content-type", "").partition(";")[0] in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        given = (await request.form()).get("csrf", "")
    return hmac.compare_digest(str(given).encode(), csrf.encode())


def _is_file(path: str) -> bool:
    if Path(path).is_dir():
        raise UsageError(f"{path!r} is a folder", expected="the file of a registry, or postgresql://…")
    return Path(path).is_file()


Visiting = Annotated[Visit, Depends(visit)]
Arriving = Annotated[Visit, Depends(arriving)]
