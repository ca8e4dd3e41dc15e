"""Tables for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import polars as pl

from .assess import Findings
from .assess.active import ACTIVE, may_be

SHORT = {
    "en": ("patient", "diagnosis", "ISS", "R-ISS", "R2-ISS", "risk 2025", "line", "best", "now"),
    "zh": ("患者", "诊断", "ISS", "R-ISS", "R2-ISS", "2025危险度", "线数", "最佳疗效", "目前疗效"),
}
STAGES = ("iss", "r_iss", "r2_iss", "high_risk_2025")
MEANINGLESS = "–"
MOST = 40  # patients printed
LONG = 14  # characters of open answers printed
LONGEST = 200  # characters of a cell printed


def counted(n: int, noun: str, was: bool = False) -> str:
    """A number with its noun: `1 cell`, `2,000 cells`; with `was` also the verb."""
    verb = (" was" if n == 1 else " were") if was else ""
    return f"{n:,} {noun}{'' if n == 1 else 's'}{verb}"


def cohort_table(findings: Findings, lang: str = "en") -> str:
    """The first patients, one row each: an open answer shows what is still possible, with a question mark.

    A dash stands for the stage and the risk of a disease that is not active myeloma.
    """
    table = findings.status.head(MOST)
    stages = (pl.when(may_be(*ACTIVE)).then(_answer(name)).otherwise(pl.lit(MEANINGLESS)).alias(name) for name in STAGES)
    as_they_are = (pl.col(name).cast(pl.String) for name in ("line", "best_response", "response"))
    text = as_text(table.select("patient", _answer("diagnosis"), *stages, *as_they_are), SHORT[lang])
    left = findings.status.height - table.height
    return f"{text}\n… and {left} more" if left else text


def _answer(name: str) -> pl.Expr:
    """An answer, or what is still possible where that is short."""
    possible = pl.col(f"{name}_possible").cast(pl.String)
    short = pl.when(possible.str.len_chars() > LONG).then(pl.lit("?")).otherwise(possible + "?")
    return pl.coalesce(pl.col(name).cast(pl.String), pl.when(possible.is_not_null()).then(short)).alias(name)


def sensitivity_table(rows: pl.DataFrame, lang: str = "en") -> str:
    """Whose lines change with each policy. `rows`: of `bence.assess.sensitivity.line_sensitivity`."""
    heads = ("policy", "value", "instead of", "patients", "rows") if lang == "en" else ("策略", "取值", "原取值", "患者", "治疗记录")
    of = " of " if lang == "en" else "/"
    patients = pl.concat_str("patients_changed", pl.lit(of), "patients")
    return as_text(rows.select("policy", "value", "default", patients, "rows_changed"), heads)


def as_text(frame: pl.DataFrame, headings: Sequence[str] | None = None) -> str:
    """A frame as aligned text; unknown is blank."""
    rows = [list(headings or frame.columns)]
    rows += [["" if cell is None else one_line(str(cell)) for cell in row] for row in frame.iter_rows()]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * max(map(_width, lines)), *lines[1:]])


def one_line(text: str) -> str:
    """A text on one line of a terminal: what is not printable shown as a space, what is too long cut with an ellipsis."""
    line = "".join(char if char.isprintable() else " " for char in text[: LONGEST + 1])
    return line if len(text) <= LONGEST else line[: LONGEST - 1] + "…"


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
