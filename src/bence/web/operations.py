"""For those who run the server: is it well, and how busy is it."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from ..errors import BenceError
from ..version import __version__
from .visit import Registry

router = APIRouter(include_in_schema=False)
LOCAL = ("127.0.0.1", "::1")


@router.get("/health")
def show_health(request: Request) -> Response:
    """200 if the registry can be read, 503 if not, or if there is none yet."""
    registry: Registry = request.app.state.registry
    try:
        well = registry.store is not None and bool(registry.store.centres())
    except (BenceError, OSError, SQLAlchemyError):
        well = False
    return JSONResponse({"status": "ok" if well else "no registry", "version": __version__}, 200 if well else 503)


@router.get("/metrics")
def show_metrics(request: Request) -> Response:
    """Counts and times for Prometheus: to this machine, or to who brings the token of the settings."""
    token = request.app.state.settings.metrics_token.get_secret_value()
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    local = not token and request.client is not None and request.client.host in LOCAL
    if not local and not (token and hmac.compare_digest(given.encode(), token.encode())):
        raise HTTPException(404)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
