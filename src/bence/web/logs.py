"""The log of the server: a line of JSON for each request, without names, addresses, patients or the words of a form.

A path is logged as its pattern (`/patients/{handle}`), a fault with the places in the code and never with its message.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import note

LOG = logging.getLogger("bence.web")


class AsJson(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The time, the level, and what was said."""
        said = record.msg if isinstance(record.msg, dict) else {"said": record.getMessage()}
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": at, "level": record.levelname.lower(), **said}, ensure_ascii=False)


def configure_logs() -> None:
    """Send the log of the server to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJson())
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(logging.INFO)


class LogRequests:
    """Logs a request once it is answered, and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it went."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        since, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            LOG.error({"fault": type(error).__name__, "places": places(error), "path": pattern(scope)})
            raise
        finally:
            seconds = time.perf_counter() - since
            LOG.info({"method": scope["method"], "path": pattern(scope), "status": status, "ms": round(1000 * seconds, 1)})
            note(scope["method"], pattern(scope), status, seconds)


def pattern(scope: Scope) -> str:
    """The path as its pattern; of a path that is no page nothing is told."""
    route = scope.get("route")
    return getattr(route, "path", "") or "(none)"


def places(error: BaseException) -> list[str]:
    """Where in the code a fault arose, innermost last."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)][-6:]
