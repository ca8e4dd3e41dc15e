"""Tables for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import polars as pl

from .assess import Findings

COLUMNS = ("diagnosis", "iss", "r_iss", "r2_iss", "high_risk_2025", "line", "best_response", "response")
SHORT = {
    "en": ("patient", "diagnosis", "ISS", "R-ISS", "R2-ISS", "risk 2025", "line", "best", "now"),
    "zh": ("患者", "诊断", "ISS", "R-ISS", "R2-ISS", "2025危险度", "线数", "最佳疗效", "目前疗效"),
}
OPEN = {"diagnosis", "iss", "r_iss", "r2_iss", "high_risk_2025"}
MOST = 40  # patients printed
LONGEST = 200  # characters of a cell printed


def counted(n: int, noun: str, was: bool = False) -> str:
    """A number with its noun: `1 cell`, `2,000 cells`; with `was` also the verb."""
    verb = (" was" if n == 1 else " were") if was else ""
    return f"{n:,} {noun}{'' if n == 1 else 's'}{verb}"


def cohort_table(findings: Findings, lang: str = "en") -> str:
    """The first patients, one row each: an open answer shows what is still possible, with a question mark."""
    table = findings.status.head(MOST)
    shown = table.select(
        "patient",
        *(
            pl.coalesce(
                pl.col(name).cast(pl.String),
                pl.when(pl.col(f"{name}_possible").is_null())
                .then(None)
                .when(pl.col(f"{name}_possible").cast(pl.String).str.len_chars() > 14)
                .then(pl.lit("?"))
                .otherwise(pl.col(f"{name}_possible").cast(pl.String) + "?"),
            ).alias(name)
            if name in OPEN
            else pl.col(name).cast(pl.String)
            for name in COLUMNS
        ),
    )
    text = as_text(shown, SHORT[lang])
    left = findings.status.height - table.height
    return f"{text}\n… and {left} more" if left else text


def as_text(frame: pl.DataFrame, headings: Sequence[str] | None = None) -> str:
    """A frame as aligned text; unknown is blank."""
    rows = [list(headings or frame.columns)]
    rows += [["" if cell is None else one_line(str(cell)) for cell in row] for row in frame.iter_rows()]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "─" * max(map(_width, lines)), *lines[1:]])


def one_line(text: str) -> str:
    """A text on one line of a terminal: what is not printable shown as a space, what is too long cut with an ellipsis."""
    line = "".join(char if char.isprintable() else " " for char in text[: LONGEST + 1])
    return line if len(text) <= LONGEST else line[: LONGEST - 1] + "…"


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
