"""What is wrong with the data of a chart, cell by cell, and a mapping proposed for what is not understood."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from .chart import DATED
from .errors import ChartError
from .read import exports_in, read
from .read.proposal import propose
from .table import as_text, counted

COLUMNS = ("file", "line", "column", "value", "reason", "expected", "nearest")
LEFT_OUT = {"collapsed": "rows that say the same again", "blank": "rows without a result"}
INTRODUCED = "A mapping file that would settle what is not understood (complete it, then --mapping FILE):"


def check(path: Path, mapping: Path | None = None) -> tuple[str, bool]:
    """The text of the check, and whether every cell was accepted."""
    try:
        chart = read(path, mapping)
    except ChartError as error:
        proposed = _proposed(path, mapping)
        if not proposed:
            raise
        return f"bence: {error}\n{proposed}", False
    sizes = {name: getattr(chart, name).height for name in ("patients", "observations", "treatments", "events")}
    lines = [", ".join(counted(count, name.removesuffix("s")) for name, count in sizes.items())]
    days = [day for table, on in DATED.items() for day in getattr(chart, table).select(pl.col(on).min(), max=pl.col(on).max()).row(0)]
    if dated := [day for day in days if day]:
        lines.append(f"from {min(dated)} to {max(dated)}")
    if path.is_dir() and (exports := exports_in(path, mapping)):
        lines.append(f"read as exports: {', '.join(each.name for each in exports)}")
    lines += [f"{LEFT_OUT.get(name, name)}: {count}" for name, count in chart.tally.items() if count]
    if not chart.rejected.height:
        return "\n".join([*lines, "every cell was accepted"]), True
    lines += [as_text(chart.rejected.select(COLUMNS)), f"{counted(chart.rejected.height, 'cell', was=True)} not accepted"]
    return "\n".join(lines) + _proposed(path, mapping), False


def _proposed(path: Path, mapping: Path | None) -> str:
    """A mapping file proposed for the exports at a path, with a line to introduce it; empty if nothing is to be mapped."""
    exports = exports_in(path, mapping)
    try:
        proposed = propose(exports, mapping) if exports else ""
    except ChartError:  # told where the chart is read
        proposed = ""
    return f"\n\n{INTRODUCED}\n\n{proposed}" if proposed else ""
