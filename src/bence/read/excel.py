"""Excel workbooks: each sheet read as if it were a CSV file (needs the extra `xlsx`)."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

from ..errors import ChartError, UsageError
from .sheets import Sheet


def workbook(path: Path) -> list[Sheet]:
    """Every sheet of a workbook as rows of text with their lines; blank rows and empty sheets are left out."""
    if path.suffix.lower() == ".xls":
        raise ChartError("the Excel format of before 2007", where=str(path), expected="the workbook saved as .xlsx")
    try:
        import openpyxl
    except ImportError:
        install = "pip install 'bence[xlsx]'"
        raise UsageError("reading Excel needs openpyxl", where=str(path), expected=install) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl passes on what zip and XML raise
        raise ChartError(f"not an Excel workbook: {error}", where=str(path)) from None
    found = [Sheet(f"{path.name}[{sheet.title}]", _rows(sheet), excel=True) for sheet in book.worksheets]
    book.close()
    return [sheet for sheet in found if sheet.rows]


def _rows(sheet) -> list[tuple[int, list[str]]]:
    rows = ((line, [_text(cell) for cell in cells]) for line, cells in enumerate(sheet.iter_rows(), 1))
    return [(line, cells) for line, cells in rows if any(cells)]


def _text(cell) -> str:
    """A cell as a person sees it: 12 and not 12.0, 35% and not 0.35, a day without midnight."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        percent = "%" in (cell.number_format or "")
        return f"{value * 100:.12g}%" if percent else f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat(" ") if isinstance(value, datetime) else _plain(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | time) else str(value).strip()
