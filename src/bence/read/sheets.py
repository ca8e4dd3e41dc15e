"""A sheet: what a CSV file or one sheet of a workbook holds, as rows of text with the lines they stand on."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from ..errors import ChartError
from .delimited import DELIMITERS, text_of
from .mapping import Mapping

EXCEL = (".xlsx", ".xlsm", ".xls")


@dataclass(frozen=True)
class Sheet:
    """Rows of text. `name` is the file, or `file.xlsx[sheet]`; `excel`: numbers may be days."""

    name: str
    rows: list[tuple[int, list[str]]]  # line, cells
    excel: bool = False
    decimal_comma: bool = False  # 1,234 may be one and a bit: it has two readings


def sheets(path: Path, mapping: Mapping | None = None) -> list[Sheet]:
    """Every sheet of a file; ChartError if the file cannot be read."""
    mapping = mapping or Mapping()
    if path.suffix.lower() in EXCEL:
        from .excel import workbook

        return [s for s in workbook(path) if mapping.sheet in (None, s.name.partition("[")[2].rstrip("]"))]
    text = _text(path, mapping.encoding)
    delimiter = mapping.delimiter or _delimiter(text)
    return [Sheet(path.name, _rows(path, text, delimiter), decimal_comma=mapping.decimal_comma or delimiter == ";")]


def _text(path: Path, encoding: str | None) -> str:
    if encoding is None:
        return text_of(path)
    try:
        return path.read_bytes().decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ChartError(f"the letters are not {encoding}", where=path.name, expected="another encoding") from None


def _delimiter(text: str) -> str:
    """The delimiter most frequent in the first lines (a title may stand above the headings)."""
    head = "\n".join(text.splitlines()[:5])
    return max(DELIMITERS, key=head.count)


def _rows(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    line = 1  # where a row begins: a quoted cell may run over several lines
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ChartError(f"cannot be read: {error}", where=f"{path.name}:{line}") from None
    return rows
