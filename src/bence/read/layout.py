"""A sheet with its headings understood: which column holds what, and on which day each row was made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from functools import cached_property

import polars as pl

from ..catalogue import codes, fold
from ..errors import ChartError
from . import cells
from .headings import Role, role, unit_of
from .intake import LINE
from .mapping import Mapping, folded
from .sheets import Sheet
from .units import Refused, plain

DAYS = {"days": 1.0, "months": 30.4375, "years": 365.25}
TITLE_ROWS = 15  # how far down the headings may stand
BESIDE = ("unit", "reference", "method", "comparator")  # a column of these belongs to the one on its left


@dataclass(frozen=True)
class Place:
    """One column: its number, heading and role, and the columns that belong to it (`unit` → number)."""

    at: int
    heading: str
    role: Role
    beside: dict[str, int]


@dataclass(frozen=True)
class Layout:
    """A sheet whose headings are understood. `frame`: the cells as text, columns `0`, `1` …, and LINE."""

    sheet: Sheet
    mapping: Mapping
    header_line: int
    places: list[Place]
    frame: pl.DataFrame
    ragged: list[tuple[int, list[str]]]

    def part(self, *parts: str) -> list[Place]:
        """The columns with one of these roles."""
        return [place for place in self.places if place.role.part in parts]

    def texts(self, at: int | None) -> pl.Series:
        """The cells of a column, null where empty."""
        if at is None:
            return pl.repeat(None, self.frame.height, dtype=pl.String, eager=True)
        return self.frame[str(at)]

    @cached_property
    def helpers(self) -> set[str]:
        """Headings that the mapping file names for the sake of another column (its day, its unit, its bounds)."""
        specs = [place.role.spec for place in self.places if place.role.spec]
        return {folded(name) for spec in specs for name in (spec.on, spec.replaced_by, spec.unit_column) if name}

    def named_parts(self) -> dict[str, str]:
        """The heading of every part of the row: what `recorded_on`, `unit` … are called here."""
        named = {place.role.part: place.heading for place in reversed(self.places)}
        return named | {"patient": self.patient.heading, "on": self.on.heading if self.on else ""}

    def headed(self, heading: str) -> Place:
        """The column with this heading; ChartError if there is none (a mapping file speaks of it)."""
        for place in self.places:
            if folded(place.heading) == folded(heading):
                return place
        raise self.missing(heading)

    def missing(self, heading: str) -> ChartError:
        """No column has a heading that the mapping file names."""
        from ..catalogue import nearest

        near = nearest(heading, [place.heading for place in self.places])
        where = f"{self.sheet.name}:{self.header_line}"
        return ChartError(f"there is no column {heading!r}, which {self.mapping.path} names", where=where, nearest=near)

    @cached_property
    def patient(self) -> Place:
        """The column with the key of the patient."""
        if self.mapping.patient:
            return self.headed(self.mapping.patient)
        order = {fold(name): i for i, name in enumerate(codes()["patient"].aliases)}
        return min(self.part("patient"), key=lambda place: order.get(fold(place.heading), -1))

    @cached_property
    def on(self) -> Place | None:
        """The column with the day of each row, if there is one."""
        dating = self.mapping.date
        if dating.fixed:
            return None
        if dating.column or dating.year:
            return self.headed(dating.column or dating.year or "")
        found = self.part("on")
        sampled = [place for place in found if re.search(r"采|样|collect|sampl|draw", place.heading.lower())]
        return next(iter(sampled + found), None)

    @cached_property
    def days(self) -> pl.Series:
        """The day of each row as text: as written, or in ISO form where the mapping counts or fixes it."""
        dating = self.mapping.date
        if dating.fixed:
            return pl.repeat(dating.fixed.isoformat(), self.frame.height, dtype=pl.String, eager=True)
        texts = self.texts(self.on.at if self.on else None)
        if dating.year:
            return texts.str.replace(r"^\s*(\d{4})(\.0)?\s*$", "$1-12-31")
        if dating.after and dating.of:
            origin = pl.repeat(dating.of.isoformat(), self.frame.height, dtype=pl.String, eager=True)
            return self.counted(origin, texts, dating.after)
        return texts

    def counted(self, start: pl.Series, texts: pl.Series, unit: str) -> pl.Series:
        """The days that lie so many days, months or years after `start`, as ISO text; what is no number stays."""
        return pl.Series(
            [_later(day, text, unit, self.sheet.excel) for day, text in zip(start, texts, strict=True)],
            dtype=pl.String,
        )

    def day_of(self, place: Place) -> tuple[pl.Series, str]:
        """The days of one column as text, and the heading they stand under."""
        spec = place.role.spec
        heading = self.on.heading if self.on else ""
        if spec is None or not spec.on:
            return self.days, heading
        other = self.headed(spec.on)
        texts = self.texts(other.at)
        return (self.counted(self.days, texts, spec.after) if spec.after else texts), other.heading


def _later(start: str | None, text: str | None, unit: str, excel: bool) -> str | None:
    day, count = cells.date(start, excel=excel), cells.number(text)
    if not isinstance(day, Date) or not isinstance(count, cells.Number) or count.comparator:
        return text
    return (day + timedelta(days=round(count.value * DAYS[unit]))).isoformat()


def lay_out(sheet: Sheet, mapping: Mapping) -> Layout | None:
    """Find the headings of a sheet and what they mean; None if no column holds the key of the patient."""
    for at, (line, heads) in enumerate(sheet.rows[:TITLE_ROWS]):
        headings = [plain(head.strip("\ufeff")) for head in heads]
        roles = [role(heading, mapping) for heading in headings]
        keyed = [folded(h) == folded(mapping.patient) for h in headings] if mapping.patient else None
        if any(keyed) if keyed is not None else any(r.part == "patient" for r in roles):
            rows = sheet.rows[at + 1 :]
            width = len(headings)
            good = [row for row in rows if len(row[1]) <= width or not any(cell.strip() for cell in row[1][width:])]
            ragged = [row for row in rows if len(row[1]) > width and any(cell.strip() for cell in row[1][width:])]
            return Layout(sheet, mapping, line, _places(headings, roles), _frame(good, len(headings)), ragged)
    return None


def _frame(rows: list[tuple[int, list[str]]], width: int) -> pl.DataFrame:
    """The rows as text columns; short rows are blank at their end."""
    full = [row + [""] * (width - len(row)) for _, row in rows]
    columns: dict[str, pl.Series] = {LINE: pl.Series([line for line, _ in rows], dtype=pl.Int64)}
    for i in range(width):
        columns[str(i)] = pl.Series([row[i].strip() or None for row in full], dtype=pl.String)
    return pl.DataFrame(columns)


def _places(headings: list[str], roles: list[Role]) -> list[Place]:
    """The columns; a column of units, methods or reference ranges is put beside the one it belongs to."""
    places = [Place(at, heading, r, {}) for at, (heading, r) in enumerate(zip(headings, roles, strict=True))]
    owner: Place | None = None
    for i, place in enumerate(places):
        named = unit_of(place.heading) if place.role.part == "unknown" else None
        spec = place.role.spec
        if place.role.part in ("observation", "value"):
            owner = place
            if spec and spec.unit_column:
                _beside(places, place, "unit", spec.unit_column)
        elif place.role.part in BESIDE and owner:
            owner.beside.setdefault(place.role.part, place.at)
        elif named:
            mine = next((p for p in places if p.role.part == "observation" and p.role.code is named), None)
            if mine:
                mine.beside["unit"] = place.at
                places[i] = Place(place.at, place.heading, Role("unit"), {})
    return places


def _beside(places: list[Place], owner: Place, part: str, heading: str) -> None:
    other = next((p for p in places if folded(p.heading) == folded(heading)), None)
    if other is None:
        raise ChartError(f"there is no column {heading!r} with the unit of {owner.heading!r}")
    owner.beside[part] = other.at


def reference(text: str | None) -> tuple[float | None, float | None]:
    """Lower and upper limit of a reference range: `3.3-19.4`, `120～250`, `<250`, `≥130 g/L`.

    >>> reference("3.30--19.40 mg/L"), reference("≤250"), reference("阴性")
    ((3.3, 19.4), (None, 250.0), (None, None))
    """
    if text is None:
        return None, None
    both = re.match(r"^[\[(]?\s*(\d+(?:\.\d+)?)\s*(?:-{1,3}|~|–|—|至|到|to)\s*(\d+(?:\.\d+)?)", plain(text).lower())
    if both:
        return float(both[1]), float(both[2])
    bound = cells.number(text)
    if isinstance(bound, Refused | str) or bound is None or not bound.comparator:
        return None, None
    return (None, bound.value) if bound.comparator == "<" else (bound.value, None)
