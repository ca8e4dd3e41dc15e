"""The mapping file: one small TOML by which a data manager says what a site calls differently.

[file]                          # optional: how the file is written
name = "export*.csv"            # the files this mapping speaks of (default: all)
encoding = "gb18030"            # default: found out
delimiter = ";"                 # default: found out
sheet = "Sheet1"                # of an .xlsx (default: every sheet)
decimal_comma = true            # 3,5 is three and a half (default: false)

[patient]
column = "SEQN"                 # of FHIR: identifier = "urn:oid:1.2.3", the system whose identifiers are the keys

[date]                          # the day of a row; one of
column = "采样日期"
fixed = "2000-12-31"            # every row is of this day (a survey without dates)
year = "dxyr"                   # the column holds a year: 31 December of it
days_after = { column = "day", of = "2000-01-01" }    # or months_after, years_after

[columns."Kappa FLC"]           # a heading, or a name in the column of items of a long file
what = "kappa_flc"              # a code of the catalogue, or "age"
unit = "mg/dL"

[values]                        # a spelling anywhere → how Bence writes it
"Neg." = "negative"

ignore = ["Race", "Operator"]   # headings that are knowingly not read (stands above the first [section])
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field, fields
from datetime import date as Date
from pathlib import Path
from typing import Any

from ..catalogue import codes, nearest, nearest_code
from ..errors import UsageError
from .units import accepted, canonical, plain

AFTER = ("days", "months", "years")
#: What a column may be besides a code of the catalogue.
OTHER = ("age",)


@dataclass(frozen=True)
class Column:
    """What one heading (or one item of a long file) means."""

    what: str
    unit: str | None = None
    unit_column: str | None = None  # heading of the column with the unit of each row
    unit_confirmed: bool = False  # the unit was checked with the laboratory: do not question it
    method: str | None = None
    sample: str | None = None
    on: str | None = None  # the heading with the day of this column, where it is not that of the row
    after: str | None = None  # `days`, `months` or `years`: the day is counted from that of the row
    replaced_by: str | None = None  # heading of a column that, where filled, stands for this one (`<0.5`)
    values: dict[str, str] = field(default_factory=dict)  # spelling → how Bence writes it


@dataclass(frozen=True)
class Dating:
    """How a row is dated: by a column, by a fixed day, by a year, or counted from a day."""

    column: str | None = None
    fixed: Date | None = None
    year: str | None = None
    after: str | None = None  # `days`, `months`, `years` after `of` stand in `column`
    of: Date | None = None


@dataclass(frozen=True)
class Mapping:
    """One mapping file. An empty mapping changes nothing."""

    path: str = ""
    name: str = "*"
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    decimal_comma: bool = False
    patient: str | None = None
    identifier: str | None = None  # of FHIR: the system of identifiers that are the keys of patients
    date: Dating = Dating()
    columns: dict[str, Column] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()

    def speaks_of(self, file: str) -> bool:
        """Is this the mapping of the file with this name?"""
        return fnmatch.fnmatch(file, self.name)

    def column(self, heading: str) -> Column | None:
        """What the mapping says of a heading; width, case and outer spaces do not matter."""
        return self.columns.get(folded(heading))

    def ignored(self, heading: str) -> bool:
        """Is the heading knowingly not read?"""
        return folded(heading) in self.ignore


def folded(heading: str) -> str:
    """A heading as it is compared: one width, one case, single spaces."""
    return re.sub(r"\s+", " ", plain(heading)).lower()


SECTIONS = ("ignore", "file", "patient", "date", "columns", "items", "values")
KEYS = {
    "file": ("name", "encoding", "delimiter", "sheet", "decimal_comma"),
    "patient": ("column", "identifier"),
    "date": ("column", "fixed", "year", *(f"{unit}_after" for unit in AFTER)),
}
COLUMN_KEYS = tuple(f.name for f in fields(Column))


def load(mapping: str | Path | Mapping | None) -> Mapping:
    """Read a mapping file; UsageError with file and line for what is not understood in it."""
    if mapping is None or isinstance(mapping, Mapping):
        return mapping or Mapping()
    try:
        text = Path(mapping).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError("there is no such mapping file", where=str(mapping)) from None
    except UnicodeDecodeError:
        raise UsageError("not written in UTF-8", where=str(mapping), expected="a TOML file in UTF-8") from None
    return loads(text, str(mapping))


def loads(text: str, path: str = "mapping.toml") -> Mapping:
    """Read the text of a mapping file."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else path
        raise UsageError(f"not a TOML file: {error}", where=where) from None
    return _Reader(text, path).mapping(content)


class _Reader:
    """Checks the content of one mapping file and knows on which line a thing stands."""

    def __init__(self, text: str, path: str):
        self.lines, self.path = text.splitlines(), path

    def wrong(self, what: str, *keys: str, expected: str = "", near: str | None = None) -> UsageError:
        return UsageError(what, where=f"{self.path}:{self.line(*keys)}", expected=expected, nearest=near)

    def line(self, *keys: str) -> int:
        """The line of the deepest of these keys, searched from the line of the key before it."""
        at = 0
        for key in keys:
            word = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")
            at = next((i for i in range(at, len(self.lines)) if word.search(self.lines[i])), at)
        return at + 1

    def mapping(self, content: dict[str, Any]) -> Mapping:
        self.only(content, SECTIONS)
        file = self.section(content, "file")
        return Mapping(
            path=self.path,
            name=self.text(file, "file", "name") or "*",
            encoding=self.encoding(file),
            delimiter=self.delimiter(file),
            sheet=self.text(file, "file", "sheet"),
            decimal_comma=self.yes(file, "file", "decimal_comma"),
            patient=self.text(self.section(content, "patient"), "patient", "column"),
            identifier=self.text(self.section(content, "patient"), "patient", "identifier"),
            date=self.dating(self.section(content, "date")),
            columns=self.columns(content, "columns") | self.columns(content, "items"),
            values=self.words(content.get("values", {}), "values"),
            ignore=frozenset(map(folded, self.list(content, "ignore"))),
        )

    def only(self, table: dict[str, Any], allowed: tuple[str, ...], *above: str) -> None:
        for key in table:
            if key not in allowed:
                raise self.wrong(
                    f"unknown key {key!r}",
                    *above,
                    key,
                    expected=" or ".join(allowed),
                    near=nearest(key, allowed),
                )

    def section(self, content: dict[str, Any], name: str) -> dict[str, Any]:
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise self.wrong(f"{name!r} is not a section", name, expected=f"[{name}]")
        self.only(table, KEYS[name], name)
        return table

    def text(self, table: dict[str, Any], *keys: str) -> str | None:
        value = table.get(keys[-1])
        if value is not None and not isinstance(value, str):
            raise self.wrong(f"{keys[-1]!r} is not a text", *keys, expected="a text in quotes")
        return value

    def yes(self, table: dict[str, Any], *keys: str) -> bool:
        value = table.get(keys[-1], False)
        if not isinstance(value, bool):
            raise self.wrong(f"{keys[-1]!r} is true or false", *keys)
        return value

    def delimiter(self, file: dict[str, Any]) -> str | None:
        mark = self.text(file, "file", "delimiter")
        if mark is not None and len(mark) != 1:
            raise self.wrong(f"the delimiter cannot be {mark!r}", "file", "delimiter", expected="one character")
        return mark

    def list(self, content: dict[str, Any], name: str) -> list[str]:
        value = content.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.wrong(f"{name!r} is not a list of headings", name, expected=f'{name} = ["…", "…"]')
        return value

    def encoding(self, file: dict[str, Any]) -> str | None:
        name = self.text(file, "file", "encoding")
        try:
            return (name and "".encode(name) and name) or name
        except LookupError:
            raise self.wrong(f"unknown encoding {name!r}", "file", "encoding", expected="utf-8 or gb18030") from None

    def day(self, value: Any, *keys: str) -> Date:
        try:
            return value if isinstance(value, Date) else Date.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.wrong(f"{value!r} is not a day", *keys, expected="a date such as 2000-12-31") from None

    def dating(self, table: dict[str, Any]) -> Dating:
        if len(table) > 1:
            raise self.wrong("a row is dated in one way", "date", expected="one of " + ", ".join(KEYS["date"]))
        if "fixed" in table:
            return Dating(fixed=self.day(table["fixed"], "date", "fixed"))
        for unit in AFTER:
            key = f"{unit}_after"
            if key in table:
                counted = table[key]
                if not isinstance(counted, dict) or set(counted) != {"column", "of"}:
                    raise self.wrong(
                        f"{key!r} is not complete",
                        "date",
                        key,
                        expected='{ column = "…", of = "2000-01-01" }',
                    )
                self.text(counted, "date", key, "column")
                return Dating(counted["column"], after=unit, of=self.day(counted["of"], "date", key))
        return Dating(column=self.text(table, "date", "column"), year=self.text(table, "date", "year"))

    def words(self, table: Any, *keys: str) -> dict[str, str]:
        if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
            raise self.wrong("not a list of spellings", *keys, expected='"spelling" = "how Bence writes it"')
        return {plain(spelling).lower(): word for spelling, word in table.items()}

    def columns(self, content: dict[str, Any], section: str) -> dict[str, Column]:
        table = content.get(section, {})
        if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
            raise self.wrong(f"{section!r} is not a section of headings", section, expected=f'[{section}."heading"]')
        return {folded(heading): self.column(heading, spec, section) for heading, spec in table.items()}

    def column(self, heading: str, spec: dict[str, Any], section: str) -> Column:
        self.only(spec, COLUMN_KEYS, section, heading)
        what = self.text(spec, section, heading, "what")
        if not what:
            raise self.wrong(f"{heading!r} does not say what it is", section, heading, expected='what = "a catalogue code"')
        if what not in OTHER and what not in codes():
            raise self.wrong(f"there is no code {what!r}", section, heading, what, near=nearest_code(what))
        self.check_unit(heading, spec, section)
        after = self.text(spec, section, heading, "after")
        if after and after not in AFTER:
            raise self.wrong(f"'after' cannot be {after!r}", section, heading, "after", expected=" or ".join(AFTER))
        self.yes(spec, section, heading, "unit_confirmed")
        return Column(**{**spec, "values": self.words(spec.get("values", {}), section, heading, "values")})

    def check_unit(self, heading: str, spec: dict[str, Any], section: str) -> None:
        for key in ("unit", "unit_column", "method", "sample", "on", "replaced_by"):
            self.text(spec, section, heading, key)
        unit, code = spec.get("unit"), codes().get(spec["what"])
        if unit is None or code is None:
            return
        if canonical(unit) not in ("", *accepted(code)):
            units = accepted(code)
            expected = " or ".join(units) or "no unit"
            raise self.wrong(f"{code.code} is not measured in {unit!r}", section, heading, "unit",
                             expected=expected, near=nearest(unit, units))  # fmt: skip


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
