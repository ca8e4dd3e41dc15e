"""The patients of hospital exports: sex, birth, type of M-protein … are repeated on many rows and may contradict."""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import timedelta

import polars as pl

from ..chart import SCHEMA
from . import cells
from .intake import BLANK, LINE, Intake
from .layout import Layout, Place
from .patients import patients as read_patients
from .units import Refused, plain

FIELDS = tuple(name for name in SCHEMA["patients"] if name != "patient")
YEAR = 365.25
OLDEST = 120  # years: the upper end of an age that is only known to be above a limit
AGE = re.compile(r"^(?P<bound>>=?|≥)?\s*(?P<years>\d{1,3}(?:\.\d+)?)\s*(?:岁|周岁|y|yr|yrs|years?)?$", re.IGNORECASE)


@dataclass
class People:
    """What the sheets tell of each patient; the first statement stands, a later one that differs is rejected."""

    known: dict[str, dict[str, object]] = field(default_factory=dict)
    where: dict[tuple[str, str], str] = field(default_factory=dict)  # patient, field → file:line
    ages: dict[str, tuple[Date, Date]] = field(default_factory=dict)  # first and last possible day of birth
    rejected: list[tuple] = field(default_factory=list)

    def add(self, layout: Layout, patients: pl.Series) -> None:
        """Take in the patients of a sheet."""
        for patient in patients.unique(maintain_order=True).drop_nulls():
            self.known.setdefault(patient, {})
        for place in layout.part("field"):
            self._field(layout, patients, place)
        for place in layout.part("age"):
            self._age(layout, patients, place)

    def _field(self, layout: Layout, patients: pl.Series, place: Place) -> None:
        """One column: read by the reader of the table of patients, every row as a patient of its own."""
        name = place.role.code.code if place.role.code else ""
        texts = _dated(layout, place) if place.role.spec else prepared(layout, place)
        rows = pl.DataFrame({LINE: layout.frame[LINE], name: texts, "key": patients}).drop_nulls()
        rows = rows.with_columns(patient=pl.int_range(rows.height).cast(pl.String).str.zfill(12))
        taken = Intake("patients", layout.sheet.name, rows.drop("key"), excel=layout.sheet.excel)
        read = read_patients(taken).sort("patient")
        originals = dict(zip(layout.frame[LINE], layout.texts(place.at), strict=True))
        for frame in taken.rejected:
            for file, line, _, _, reason, expected, near in frame.iter_rows():
                why = reason.removesuffix(BLANK)
                self.rejected.append((file, line, place.heading, originals.get(line), why, expected, near))
        both = (name, "light_chain") if name == "heavy_chain" else (name,)
        for each in both:
            for patient, line, value in zip(rows["key"], rows[LINE], read[each], strict=True):
                if value is not None:
                    self._say(layout, place, each, patient, line, value, originals.get(line))

    def _say(
        self,
        layout: Layout,
        place: Place,
        name: str,
        patient: str,
        line: int,
        value: object,
        cell: str | None,
    ) -> None:
        told = self.known[patient].setdefault(name, value)
        here = f"{layout.sheet.name}:{line}"
        before = self.where.setdefault((patient, name), here)
        if name == "last_seen_on" and isinstance(told, Date) and isinstance(value, Date):
            self.known[patient][name] = max(told, value)
        elif told != value:
            reason = f"patient {patient}: {name} is {told} on {before}"
            self.rejected.append((layout.sheet.name, line, place.heading, cell, reason, str(told), None))

    def _age(self, layout: Layout, patients: pl.Series, place: Place) -> None:
        days, _ = layout.day_of(place)
        rows = zip(patients, layout.frame[LINE], days, layout.texts(place.at), prepared(layout, place), strict=True)
        for patient, line, day, original, cell in rows:
            if patient is None or cells.blank(cell):
                continue
            span = born(cell or "", cells.date(day, excel=layout.sheet.excel))
            if span is None:
                continue  # no day: the age says nothing; the day is rejected where it is needed
            if isinstance(span, Refused):
                self.rejected.append((layout.sheet.name, line, place.heading, original, *span))
                continue
            first, last = self.ages.get(patient, span)
            both = max(first, span[0]), min(last, span[1])
            if both[0] > both[1]:
                reason = f"patient {patient}: does not go with an age on another row"
                expected = f"born from {first} to {last}"
                self.rejected.append((layout.sheet.name, line, place.heading, original, reason, expected, None))
                continue
            self.ages[patient] = both

    def frame(self) -> pl.DataFrame:
        """The table of patients."""
        for patient, (first, last) in self.ages.items():
            self.known[patient].setdefault("born_on", span_of_birth(first, last))
        rows = [(patient, *(told.get(name) for name in FIELDS)) for patient, told in self.known.items()]
        return pl.DataFrame(rows, schema=SCHEMA["patients"], orient="row")


def prepared(layout: Layout, place: Place) -> pl.Series:
    """The cells of a column with the spellings of the mapping file replaced."""
    texts = layout.texts(place.at)
    spec = place.role.spec
    if spec and spec.replaced_by:
        texts = pl.select(pl.coalesce(layout.texts(layout.headed(spec.replaced_by).at), texts)).to_series()
    return respelled(texts, layout.mapping.values | (spec.values if spec else {}))


def respelled(texts: pl.Series, words: dict[str, str]) -> pl.Series:
    """The cells with the spellings of a mapping file replaced; width and case do not matter."""
    if not words:
        return texts
    swaps = {text: words[plain(text).lower()] for text in texts.unique().drop_nulls() if plain(text).lower() in words}
    return texts.replace(swaps) if swaps else texts


def _dated(layout: Layout, place: Place) -> pl.Series:
    """A date of a patient: the cell, or where it says yes, the day in another column or so long after the row."""
    spec, texts = place.role.spec, prepared(layout, place)
    if spec is None or not (spec.on or spec.after):
        return texts
    if not spec.on:
        return layout.counted(layout.days, texts, spec.after or "days")
    days, _ = layout.day_of(place)
    yes = texts.str.to_lowercase().is_in(["yes", "1", "1.0", "是", "死亡", "dead", "died", "true"])
    return pl.select(pl.when(yes).then(days)).to_series()


def born(age: str, day: Date | Refused | None) -> tuple[Date, Date] | Refused | None:
    """The first and last day of birth of someone of this age on a day; None without a day.

    An age in whole years leaves a year, `≥85` more, 53.36 a few days.

    >>> born("77", Date(2000, 12, 31)), span_of_birth(*born("53.36", Date(2000, 12, 31)))
    ((datetime.date(1923, 1, 1), datetime.date(1923, 12, 31)), '1947-08')
    """
    if not isinstance(day, Date):
        return None
    match = AGE.match(plain(age))
    years = float(match["years"]) if match else -1.0
    if match is None or years > OLDEST:
        return Refused("not an age", "an age in years such as 65, 65岁 or >=85")
    if match["bound"]:
        return _birthday(day, OLDEST + 1) + timedelta(days=1), _birthday(day, int(years))
    if years != int(years):
        middle = day - timedelta(days=years * YEAR)
        return middle - timedelta(days=2), middle + timedelta(days=2)
    return _birthday(day, int(years) + 1) + timedelta(days=1), _birthday(day, int(years))


def _birthday(day: Date, years: int) -> Date:
    year = day.year - years
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) and not isleap(year) else day.replace(year=year)


def span_of_birth(first: Date, last: Date) -> str:
    """A day, month or year where the days leave just one; else first and last day, `1949-06-02/1950-06-01`."""
    if first == last:
        return first.isoformat()
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.year}-{first.month:02}"
    whole = (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
    return str(first.year) if whole and first.year == last.year else f"{first}/{last}"
