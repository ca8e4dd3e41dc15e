"""What is wrong with the data of a chart, cell by cell, and a mapping proposed for what is not understood."""

from __future__ import annotations

from pathlib import Path

from .read import exports_in, read

COLUMNS = ("file", "line", "column", "value", "reason", "expected", "nearest")


def check(path: Path, mapping: Path | None = None) -> tuple[str, bool]:
    """The text of the check, and whether every cell was accepted."""
    from .read.proposal import propose
    from .table import as_text

    chart = read(path, mapping)
    sizes = {name: getattr(chart, name).height for name in ("patients", "observations", "treatments", "events")}
    lines = [", ".join(f"{count} {name}" for name, count in sizes.items())]
    lines += [f"{count} {name.replace('_', ' ')}" for name, count in chart.tally.items() if count]
    if not chart.rejected.height:
        return "\n".join([*lines, "every cell was accepted"]), True
    lines.append(as_text(chart.rejected.select(COLUMNS)))
    lines.append(f"{chart.rejected.height} cells were not accepted")
    exports = exports_in(path)
    proposed = propose(exports, mapping) if exports else ""
    if proposed:
        lines += ["", "A mapping file that would settle what is not understood (complete it, then --mapping FILE):", "", proposed]
    return "\n".join(lines), False
