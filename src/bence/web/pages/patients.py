"""The patients whom a user may see; a patient is found by key or centre."""

from __future__ import annotations

import polars as pl
from fastapi import APIRouter
from fastapi.responses import Response

from ..rendering import page
from ..visit import Visiting

router = APIRouter()
SHOWN = 200


@router.get("/patients")
def show_patients(visit: Visiting, word: str = "") -> Response:
    """The list, narrowed by a word."""
    people = visit.store.listed(visit.access)
    found = people.filter(pl.col("patient").str.contains(word.strip(), literal=True)) if word.strip() else people
    return page(visit, "patients.html", people=found.head(SHOWN).rows(named=True), found=found.height, all=people.height, word=word)
