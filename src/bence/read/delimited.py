"""A delimited text file as rows of text with their line numbers: its encoding and delimiter are found out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import ChartError

DELIMITERS = ",;\t|"
NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
}
WANTED = "a text table (CSV): UTF-8, UTF-16 or GBK/GB18030"


LINE = "line of file"  # no column of a chart has this name


@dataclass(frozen=True)
class Rows:
    """The cells of a file as text: a column for each heading (named by its place: "0", "1" …), and LINE.

    Cells left out at the end of a row are blank. `ragged`, with their lines: rows with more cells than
    headings, and a last row that breaks off.
    """

    file: str
    header: list[str]
    header_line: int
    cells: pl.DataFrame
    ragged: list[tuple[int, list[str]]]
    delimiter: str


def text_of(path: Path) -> str:
    """The text of a file: UTF-8 with or without mark, UTF-16 with its mark, else GB18030; else ChartError."""
    data = path.read_bytes()
    for start, what in NOT_TEXT.items():
        if data.startswith(start):
            raise ChartError(f"this is {what}, not a text table", where=path.name, expected=WANTED)
    if not data.strip():
        raise ChartError("the file is empty", where=path.name, expected="a header line and rows")
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\x00" in data and not utf16:
        raise ChartError("this is a binary file", where=path.name, expected=WANTED)
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ChartError("the encoding is unknown", where=path.name, expected=WANTED)


def delimiter_of(header: str, known: Callable[[str], bool] = lambda heading: False) -> str:
    """The delimiter that makes most headings known; if no heading is known, the one that occurs most."""

    def merit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return sum(known(cell.strip()) for cell in cells), len(cells)

    return max(DELIMITERS, key=merit)


def rows_of(path: Path, known: Callable[[str], bool] = lambda heading: False) -> Rows:
    """Read a delimited file; `known` says whether a heading is known and helps to find the delimiter."""
    text = text_of(path).replace("\r\n", "\n")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = delimiter_of(first, known)
    return _plain_rows(path.name, text, delimiter) or _quoted_rows(path.name, text, delimiter)


def _plain_rows(file: str, text: str, delimiter: str) -> Rows | None:
    """A file without quotes, blank lines or rows of odd length: fast. None: it has to be read row by row."""
    if any(odd in text for odd in ('"', "\r", "\n\n")) or text.startswith("\n") or not text.endswith("\n"):
        return None
    header = [cell.strip() for cell in text[: text.index("\n")].split(delimiter)]
    body = text[text.index("\n") + 1 :]
    places = [str(i) for i in range(len(header))]
    if not body:
        return Rows(file, header, 1, _frame([], [], len(header)), [], delimiter)
    try:
        cells = pl.read_csv(
            body.encode(), has_header=False, new_columns=places, separator=delimiter, quote_char=None,
            infer_schema=False,
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    if cells.height != body.count("\n") or cells.columns != places:
        return None
    lines = pl.int_range(2, cells.height + 2, dtype=pl.Int64, eager=True).alias(LINE)
    blank = pl.concat_str(places).str.strip_chars() == ""
    return Rows(file, header, 1, cells.fill_null("").with_columns(lines).filter(~blank), [], delimiter)


def _frame(rows: list[list[str]], lines: list[int], width: int) -> pl.DataFrame:
    schema = {str(i): pl.String for i in range(width)}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.Series(LINE, lines, dtype=pl.Int64))


def _quoted_rows(file: str, text: str, delimiter: str) -> Rows:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    ragged: list[tuple[int, list[str]]] = []
    line = header_line = 1
    short = False
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header, header_line = [cell.strip() for cell in cells], begins
            elif any(cell.strip() for cell in cells[len(header) :]):
                ragged.append((begins, cells))
            else:
                short = len(cells) < len(header)
                rows.append([*cells[: len(header)], *[""] * (len(header) - len(cells))])
                lines.append(begins)
    except csv.Error as error:
        raise ChartError(f"cannot be read: {error}", where=f"{file}:{line}", expected=WANTED) from None
    if rows and short and not text.endswith("\n"):  # the file breaks off in its last row
        ragged.append((lines.pop(), rows.pop()))
    header = header or []
    return Rows(file, header, header_line, _frame(rows, lines, len(header)), ragged, delimiter)
