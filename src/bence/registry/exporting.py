"""Take a chart out of the registry, as a folder that any reader of charts reads, with a manifest of what was done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..chart import TABLES, Format
from ..errors import UsageError
from ..version import __version__
from . import clock
from .access import Access
from .database import Database
from .deidentify import deidentify
from .reading import Moment, read_chart


def export(
    database: Database, access: Access, folder: str | Path, format: Format = "csv", key: bytes | None = None,
    at: Moment = None, centres: Sequence[str] | None = None,
) -> Path:  # fmt: skip
    """Write the chart as it stood in the store at a moment, and `manifest.json`; returns the manifest.

    `key`: the secret key of the pseudonyms; with it the chart is de-identified. UsageError if the folder is not empty.
    """
    home = Path(folder)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f"{home} is there already", expected="an empty folder")
    chart = read_chart(database, access, "export" if key is None else "deidentified", at, centres)
    done: dict[str, str] | None = None
    if key is not None:
        chart, done = deidentify(chart, key)
    chart.write(home, format)
    said = {
        "bence": __version__,
        "made_at": clock.now(),
        "as_of": clock.instant(at) if at else None,
        "rows": {table: getattr(chart, table).height for table in TABLES},
        "deidentified": done,
        "by": None if done else access.user,
        "centres": None if done else list(access.within(centres)),
    }
    path = home / "manifest.json"
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return path
