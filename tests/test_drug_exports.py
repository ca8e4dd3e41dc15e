"""Exports of drugs whose starts are counted from a day, whose lines are words, and that hold procedures in a second column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from bence.read import hospital, mapping

SITE = mapping.loads(
    """
[date]
fixed = "2000-01-01"

[columns.agent]
what = "what"
replaced_by = "procedure"
values = { "ASCT no. 1" = "autologous_transplant", "Other" = "other_antimyeloma" }

[columns.day_start]
what = "started_on"
after = "days"

[columns.month_end]
what = "stopped_on"
after = "months"

[columns.therapy]
what = "line"
values = { "First line" = "1", "Second line" = "2" }
"""
)
EXPORT = """patient,agent,procedure,day_start,month_end,therapy
A,Bortezomib,,0,2,First line
A,,ASCT no. 1,120,,First line
A,Other,,-3,,Second line
A,Lenalidomide,,,,Second line
A,Lenalidomide,,200,,Third line
A,Daratumumab,,soon,,Second line
"""


def read(tmp_path: Path):
    path = tmp_path / "drugs.csv"
    path.write_text(EXPORT, encoding="utf-8")
    return hospital.read(path, SITE)


def test_days_words_and_procedures(tmp_path: Path):
    rows = read(tmp_path).treatments.sort("source").select("what", "started_on", "stopped_on", "line").rows()
    assert rows == [
        ("bortezomib", date(2000, 1, 1), date(2000, 3, 2), 1),
        ("autologous_transplant", date(2000, 4, 30), None, 1),
        ("other_antimyeloma", date(1999, 12, 29), None, 2),
        ("lenalidomide", None, None, 2),
        ("lenalidomide", date(2000, 7, 19), None, None),
        ("daratumumab", None, None, 2),
    ]


def test_what_is_no_day_and_no_line_is_refused(tmp_path: Path):
    refused = read(tmp_path).rejected.select("line", "column", "value")
    assert set(refused.rows()) == {(6, "therapy", "Third line"), (7, "day_start", "soon")}
    assert refused.schema["value"] == pl.String
