"""Sign in and out, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, StringConstraints

from ..visit import Arriving, Registry, SignedOut, token_of

router = APIRouter(tags=["session"])
Text = Annotated[str, StringConstraints(max_length=400)]


class Credentials(BaseModel):
    """Who signs in."""

    name: Text
    password: Text


class Token(BaseModel):
    """A session: send it as `Authorization: Bearer …`."""

    token: str


class Whoami(BaseModel):
    """The user of a session."""

    user: str
    roles: list[str]
    centres: list[str]


@router.post("/sign-in")
def sign_in(request: Request, credentials: Credentials) -> Token:
    """Begin a session with name and password."""
    registry: Registry = request.app.state.registry
    if registry.store is None:
        raise SignedOut
    whence = request.client.host if request.client else ""
    return Token(token=registry.store.sign_in(credentials.name, credentials.password, whence))


@router.get("/session")
def show_session(visit: Arriving) -> Whoami:
    """Who is signed in."""
    return Whoami(user=visit.access.user, roles=list(visit.access.roles), centres=list(visit.access.centres))


@router.delete("/session", status_code=204)
def sign_out(visit: Arriving) -> None:
    """End the session."""
    visit.store.sign_out(token_of(visit.request)[0])
