"""The JSON API, described by OpenAPI at `/api/openapi.json`: the same functions as the pages, under the same rights.

A program signs in at `POST /api/sign-in` and sends the token as `Authorization: Bearer …`.
"""

from __future__ import annotations

from fastapi import FastAPI

from ...version import __version__
from ..faults import add_faults
from . import findings, imports, patients, reference, rows, session
from .answers import FAULTS

ROUTERS = (session.router, patients.router, rows.router, findings.router, imports.router, reference.router)


def create_api(of: FastAPI) -> FastAPI:
    """The API over the registry of an application."""
    api = FastAPI(title="Bence", version=__version__, description=__doc__ or "", docs_url=None, redoc_url=None, responses=FAULTS)
    api.state = of.state
    for router in ROUTERS:
        api.include_router(router)
    add_faults(api)
    return api
