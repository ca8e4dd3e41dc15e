"""The registry in a browser: `bence serve`.

Server-rendered pages in English and Chinese, a JSON API, CDS Hooks, health and metrics. Every page calls one function of the
library; nothing is loaded from elsewhere. Needs the extra `web`: `pip install "bence[web]"`.
"""

from __future__ import annotations

from ..errors import UsageError

try:
    from .app import create_app
    from .serve import serve
    from .settings import Settings
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] == "bence":
        raise
    raise UsageError(f"the pages of the registry need {error.name}", expected='pip install "bence[web]"') from None

__all__ = ["Settings", "create_app", "serve"]
