"""Users and centres, for the administrator."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from ...registry import ROLES
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]
Names = Annotated[list[str] | None, Form()]


@router.get("/people")
def show_people(visit: Visiting) -> Response:
    """Every user with roles and centres, and the forms to enter one."""
    return _people(visit)


@router.post("/people")
def set_user(visit: Visiting, name: Text, roles: Names = None, centres: Names = None, active: Annotated[bool, Form()] = False) -> Response:
    """Enter a user, or change what the user may do."""
    visit.store.set_user(visit.access, name.strip(), roles or [], centres or [], active)
    if not active:
        visit.store.end_sessions(visit.access, name.strip())
    return RedirectResponse("/people", 303)


@router.post("/people/password")
def give_password(visit: Visiting, name: Text) -> Response:
    """Draw a password that the user must change at the first sign-in; it is shown once."""
    drawn = secrets.token_urlsafe(12)
    visit.store.set_password(visit.access, name, drawn)
    visit.store.end_sessions(visit.access, name)
    return _people(visit, drawn=(name, drawn))


@router.post("/people/centre")
def add_centre(visit: Visiting, code: Text, en: Text, zh: Text) -> Response:
    """Enter a centre."""
    visit.store.add_centre(visit.access, code.strip(), (en.strip(), zh.strip()))
    return RedirectResponse("/people", 303)


def _people(visit: Visit, drawn: tuple[str, str] | None = None) -> Response:
    users = visit.store.users(visit.access)
    return page(visit, "people.html", users=users, centres=visit.store.centres(), roles=ROLES, drawn=drawn)
