"""Run the server until it is stopped; requests under way are finished first."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import uvicorn

from .. import collector
from .app import create_app
from .logs import configure_logs
from .settings import Settings

PATIENCE = 20  # seconds for requests under way, once told to stop


def serve(settings: Settings) -> None:
    """Serve the registry of the settings. A registry that is not there yet is made on the first page, by who holds the printed link."""
    configure_logs()
    app = create_app(settings)
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    if app.state.registry.store is None:
        app.state.first_token = secrets.token_urlsafe(24)
        print(f"There is no registry at {Path(settings.database)} yet. Make it here (the link works once):")
        print(f"  {address}/first?token={app.state.first_token}")
    else:
        print(f"Bence serves {address}")
    collector.seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        proxy_headers=settings.behind_proxy,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
