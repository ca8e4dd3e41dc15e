"""Bring a laboratory export or a chart in, look first, and take it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, UploadFile
from pydantic import BaseModel, StringConstraints

from ..uploads import received
from ..visit import Visiting
from .answers import Row

router = APIRouter(tags=["imports"])
Text = Annotated[str, Form(max_length=400)]


class Outcome(BaseModel):
    """What an import did, or would do. `change`: its number, to take it back by (null: a dry run)."""

    change: int | None
    counts: dict[str, int]
    rejected: list[Row]


class Undo(BaseModel):
    """Why a change is taken back."""

    why: Annotated[str, StringConstraints(min_length=1, max_length=400)]


class Undone(BaseModel):
    """The change that took an import back."""

    change: int


@router.post("/imports")
def import_files(
    visit: Visiting, files: list[UploadFile], why: Text, centre: Text = "", dry_run: Annotated[bool, Form()] = True
) -> Outcome:
    """Bring files in, whole or not at all; with `dry_run` only say what would happen."""
    with received(files) as folder:
        done = visit.store.import_chart(visit.access, folder, why, centre or None, dry_run)
    return Outcome(change=done.change, counts=done.counts, rejected=done.rejected.rows(named=True))


@router.post("/imports/{change}/undo")
def undo_import(visit: Visiting, change: Annotated[int, Path(ge=1, le=2**62)], undo: Undo) -> Undone:
    """Take a change back; refused if somebody has worked on its rows since."""
    return Undone(change=visit.store.undo(visit.access, change, undo.why))
