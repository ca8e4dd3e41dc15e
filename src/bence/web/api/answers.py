"""How the API answers: tables as lists of rows, faults as one object."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi import Response
from pydantic import BaseModel

Row = dict[str, Any]
Rows = list[Row]
Tables = dict[str, Rows]


class Fault(BaseModel):
    """Why something was not done."""

    error: str
    detail: str


FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": Fault, "description": said}
    for code, said in {
        400: "the request could not be read",
        401: "nobody is signed in, or the password must be changed",
        403: "the request came from another page",
        404: "not there, or not for this user",
        409: "somebody else was faster",
        422: "not accepted",
    }.items()
}


def rows(frame: pl.DataFrame) -> Response:
    """A table as a list of rows: dates as ISO, unknown as null."""
    return Response(_json(frame), media_type="application/json")


def tables(frames: Mapping[str, pl.DataFrame]) -> Response:
    """Tables by name."""
    parts = ",".join(f'"{name}":{_json(frame)}' for name, frame in frames.items())
    return Response(f"{{{parts}}}", media_type="application/json")


def _json(frame: pl.DataFrame) -> str:
    text = io.StringIO()
    frame.write_json(text)
    return text.getvalue() or "[]"
