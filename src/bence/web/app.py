"""The application: its parts, and the order in which a request passes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from ..version import __version__
from . import cds, operations
from .api import create_api
from .cds.caller import Callers, CallsFromElsewhere
from .cds.together import Together
from .faults import add_faults
from .incoming import Waiting
from .logs import LogRequests
from .pages import ROUTERS
from .security import AddHeaders
from .settings import Settings
from .tries import Tries
from .visit import Registry
from .warming import Warmer

HERE = Path(__file__).parent


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over the registry of the settings (None: those of the environment)."""
    settings = settings or Settings()
    app = FastAPI(title="Bence", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_living)
    app.state.settings = settings
    app.state.warmer = Warmer(lambda lang: app.state.registry.everybody(lang))
    app.state.registry = Registry(settings, app.state.warmer.changed)
    app.state.first_token = None
    app.state.tries = Tries()
    app.state.waiting = Waiting()
    app.mount("/api", create_api(app))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for router in (*ROUTERS, operations.router, cds.router):
        app.include_router(router)
    add_faults(app)
    app.state.callers = Callers(settings)
    app.state.together = Together(settings.region)
    app.add_middleware(CallsFromElsewhere, origins=settings.cds_origins)
    app.add_middleware(AddHeaders, secure=settings.secure)
    app.add_middleware(LogRequests)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.waiting.close()
    app.state.warmer.close()
    app.state.registry.close()
