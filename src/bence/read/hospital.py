"""Exports of hospital systems → chart: one row a visit (wide) or one row a result (long), Chinese or English.

Headings are understood by `headings` and a mapping file, cells by the readers of the tables of a chart, so that an
export and a chart are read alike. Names, identity cards, telephones and addresses are never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ..catalogue import nearest_code
from ..chart import Chart
from ..errors import ChartError
from . import courses, results
from .intake import LINE
from .layout import Layout, Place, lay_out
from .mapping import Mapping, folded, load
from .reading import Reading
from .results import RESULT
from .sheets import sheets


def read(paths: Iterable[Path | str] | Path | str, mapping: str | Path | Mapping | None = None) -> Chart:
    """The chart in one or more exports (CSV, TSV, xlsx).

    `mapping`: a mapping file (`bence.read.mapping`) for what a site calls differently. ChartError if no column holds
    the key of the patient or the day; single cells that are not accepted are in `chart.rejected`.
    """
    return examine(paths, mapping).chart


def examine(paths: Iterable[Path | str] | Path | str, mapping: str | Path | Mapping | None = None) -> Reading:
    """Read exports and keep what was found on the way: the headings not read, the notes."""
    given = load(mapping)
    reading = Reading()
    layouts, unkeyed = _layouts(paths, given)
    if not layouts:
        where = ", ".join(unkeyed)
        expected = "a heading such as patient or 病历号, or [patient] column in a mapping file"
        raise ChartError("no column holds the key of the patient", where=where, expected=expected)
    for name in unkeyed:
        reason = "no column holds the key of the patient: the sheet is not read"
        reading.rejected.append((name, None, "", "", reason, "a heading such as patient or 病历号", None))
    keys = [layout.texts(layout.patient.at) for layout in layouts]
    for layout, patients in zip(layouts, keys, strict=True):
        reading.people.add(layout, patients)
    people = reading.people.frame()
    for layout, patients in zip(layouts, keys, strict=True):
        _unread(reading, layout)
        _sheet(reading, layout, patients, people)
    reading.finish()
    return reading


def _layouts(paths: Iterable[Path | str] | Path | str, given: Mapping) -> tuple[list[Layout], list[str]]:
    """The sheets with a key of the patient, and the names of the others."""
    layouts: list[Layout] = []
    unkeyed: list[str] = []
    for path in [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]:
        mapping = given if given.speaks_of(path.name) else Mapping()
        for sheet in sheets(path, mapping):
            layout = lay_out(sheet, mapping)
            if layout:
                layouts.append(layout)
            else:
                unkeyed.append(sheet.name)
    return layouts, unkeyed


def _sheet(reading: Reading, layout: Layout, patients: pl.Series, people: pl.DataFrame) -> None:
    """Everything in one sheet but the patients themselves."""
    for line, row in layout.ragged:
        reading.reject(
            layout,
            line,
            "",
            ",".join(row),
            "more cells than headings: the row is not read",
            "one cell a heading",
        )
    has_items = bool(layout.part("what") and layout.part(*RESULT))
    _needs_a_day(layout, has_items)
    base = {LINE: layout.frame[LINE], "patient": patients}
    if has_items:
        results.long(reading, layout, base, people)
    elif layout.part("what") and layout.part("started_on"):
        courses.file_of_drugs(reading, layout, base, people)
    for place in layout.part("observation"):
        results.wide(reading, layout, place, base, people)
    for place in layout.part("dated"):
        courses.dated(reading, layout, place, base, people)
    of_visits = [] if has_items or layout.part("started_on") else layout.part("what")
    for place in layout.part("drugs") + of_visits:
        courses.visits(reading, layout, place, base, people)


def _needs_a_day(layout: Layout, has_items: bool) -> None:
    if layout.on or layout.mapping.date.fixed or not (layout.part("observation", "drugs") or has_items):
        return
    near = next((place.heading for place in layout.part("recorded_on", "started_on")), None)
    expected = "a heading such as 采样日期 or date, or [date] in a mapping file"
    where = f"{layout.sheet.name}:{layout.header_line}"
    raise ChartError("no column holds the day of collection", where=where, expected=expected, nearest=near)


def _unread(reading: Reading, layout: Layout) -> None:
    """Enter the headings that are not read, once each, where anything stands below them."""
    used = {layout.patient.at, layout.on.at if layout.on else -1}
    for place in layout.places:
        filled = layout.texts(place.at).count()
        if not filled or place.at in used:
            continue
        if place.role.part == "private":
            reading.tally["private columns"] += 1
            reading.notes.append(f"{layout.sheet.name}: {place.heading!r} is personal and was not read")
        elif no_use(layout, place):
            near = nearest_code(place.heading, "observation", "patient") if place.heading else None
            reading.unread.append((layout.sheet.name, place.heading, filled, near))
            known = "a second column of this kind" if place.role.part in ("patient", "on") else "unknown heading"
            reason = f"{known}: its {filled} cells are not read"
            expected = "a code of the catalogue; name or ignore it in a mapping file"
            reading.reject(layout, layout.header_line, place.heading, "", reason, expected, near)


def no_use(layout: Layout, place: Place) -> bool:
    """Has this column no place in the chart?"""
    if folded(place.heading) in layout.helpers:
        return False
    if place.role.part in ("unknown", "patient", "on"):
        return True
    return not layout.part("what") and place.role.part in (*RESULT, "grade", "line", "planned", "source")
