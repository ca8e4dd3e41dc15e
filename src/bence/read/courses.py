"""Drugs and dated events of an export → treatments and events."""

from __future__ import annotations

import re
from datetime import date as Date

import polars as pl

from ..catalogue import Code, find, nearest_code
from . import cells
from .intake import LINE
from .layout import Layout, Place
from .people import prepared
from .reading import Reading
from .results import same
from .units import Refused, plain

BETWEEN = re.compile(r"[+＋、,，;；/\n]|\s(?:and|with|plus)\s|和|联合")
FORM = re.compile(r"^(?:注射用|重组)|(?:注射液|注射剂|胶囊|片|冻干粉针|粉针|口服液)$")
DOSE = re.compile(r"\s*[(（]?\s*\d+(?:\.\d+)?\s*(?:mg|g|μg|ug|mcg|ml|万?u|iu)(?:/\S+)?.*$", re.IGNORECASE)
DRUGS = ("drug", "procedure")
# Abbreviations with one meaning; PD, PCD and PTD are left out, because P is pomalidomide or bortezomib (PS-341).
REGIMENS = {
    name: drugs.split()
    for names, drugs in (
        ("VRD RVD BRD", "bortezomib lenalidomide dexamethasone"),
        ("VCD BCD CYBORD", "bortezomib cyclophosphamide dexamethasone"),
        ("VTD BTD", "bortezomib thalidomide dexamethasone"),
        ("PAD", "bortezomib doxorubicin dexamethasone"),
        ("VAD", "vincristine doxorubicin dexamethasone"),
        ("VMP", "bortezomib melphalan prednisone"),
        ("VD BD", "bortezomib dexamethasone"),
        ("RD", "lenalidomide dexamethasone"),
        ("RCD", "lenalidomide cyclophosphamide dexamethasone"),
        ("IRD", "ixazomib lenalidomide dexamethasone"),
        ("KRD", "carfilzomib lenalidomide dexamethasone"),
        ("KCD", "carfilzomib cyclophosphamide dexamethasone"),
        ("KD", "carfilzomib dexamethasone"),
        ("DRD DARARD", "daratumumab lenalidomide dexamethasone"),
        ("DARAVD", "daratumumab bortezomib dexamethasone"),
        ("DVRD DARAVRD", "daratumumab bortezomib lenalidomide dexamethasone"),
        ("DVTD DARAVTD", "daratumumab bortezomib thalidomide dexamethasone"),
        ("DVMP DARAVMP", "daratumumab bortezomib melphalan prednisone"),
        ("DKRD DARAKRD", "daratumumab carfilzomib lenalidomide dexamethasone"),
        ("DKD DARAKD", "daratumumab carfilzomib dexamethasone"),
        ("DARAPD", "daratumumab pomalidomide dexamethasone"),
        ("ISAVRD", "isatuximab bortezomib lenalidomide dexamethasone"),
        ("ISAKRD", "isatuximab carfilzomib lenalidomide dexamethasone"),
        ("ISAKD", "isatuximab carfilzomib dexamethasone"),
        ("XVD", "selinexor bortezomib dexamethasone"),
    )
    for name in names.split()
}


def drug(name: str) -> Code | None:
    """The drug or procedure of a name as hospitals write it: 注射用硼替佐米 3.5mg.

    >>> drug("注射用硼替佐米 3.5mg").code, drug("来那度胺胶囊").code, drug("VRd")
    ('bortezomib', 'lenalidomide', None)
    """
    text = plain(name)
    for cut in (text, FORM.sub("", text), DOSE.sub("", text), FORM.sub("", DOSE.sub("", text))):
        found = find(FORM.sub("", cut.strip()), *DRUGS) or find(cut.strip(), *DRUGS)
        if found:
            return found
    return None


def visits(reading: Reading, layout: Layout, place: Place, base: dict[str, pl.Series], people: pl.DataFrame) -> None:
    """A column of drugs taken at each visit → courses: from the first visit that names a drug to the last.

    A course that still runs at the last visit with drugs has no end. Of days between visits nothing is claimed.
    """
    texts = prepared(layout, place)
    on = {text: cells.date(text, excel=layout.sheet.excel) for text in layout.days.unique().drop_nulls()}
    seen: dict[str, dict[Date, tuple[int, set[str]]]] = {}
    for line, patient, day, cell in zip(base[LINE], base["patient"], layout.days, texts, strict=True):
        if patient is None or cells.blank(cell):
            continue
        taken = _drugs(reading, layout, place, line, cell)
        when = on.get(day)
        if isinstance(when, Date) and taken:
            seen.setdefault(patient, {}).setdefault(when, (line, set()))[1].update(taken)
        elif taken:
            why = when if isinstance(when, Refused) else Refused("blank", "every visit needs a day")
            reading.reject(layout, line, layout.on.heading if layout.on else place.heading, day or "", *why)
    rows = [(line, patient, code, start.isoformat(), stop) for patient, days in seen.items() for line, code, start, stop in _runs(days)]
    frame = pl.DataFrame(rows, schema={LINE: pl.Int64, "patient": pl.String, "what": pl.String, "started_on": pl.String,
                                       "stopped_on": pl.String}, orient="row")  # fmt: skip
    if frame.height:
        reading.take(
            "treatments",
            layout,
            frame,
            people,
            {"what": place.heading, "started_on": place.heading},
            place.at,
        )


def _drugs(reading: Reading, layout: Layout, place: Place, line: int, cell: str) -> set[str]:
    regimen = REGIMENS.get(re.sub(r"[\s\-]|方案$", "", plain(cell)).upper())
    if regimen:
        return set(regimen)
    found: set[str] = set()
    whole = drug(cell)
    for name in [cell] if whole else filter(None, (part.strip() for part in BETWEEN.split(cell))):
        code = whole or drug(name)
        if code:
            found.add(code.code)
        else:
            reason = f"unknown drug {name!r}"
            reading.reject(
                layout,
                line,
                place.heading,
                cell,
                reason,
                "names of drugs joined by +, or a regimen such as VRd",
                nearest_code(name, *DRUGS),
            )
    return found


def _runs(days: dict[Date, tuple[int, set[str]]]) -> list[tuple[int, str, Date, str | None]]:
    """Line, drug, first day and last day of every course; a course at the last visit has no last day."""
    order = sorted(days)
    runs: list[tuple[int, str, Date, str | None]] = []
    for name in sorted(set().union(*(names for _, names in days.values()))):
        start: Date | None = None
        first = 0
        for i, day in enumerate(order):
            line, names = days[day]
            if name in names and start is None:
                start, first = day, line
            if start is not None and name not in names:
                runs.append((first, name, start, order[i - 1].isoformat()))
                start = None
        if start is not None:
            runs.append((first, name, start, None))
    return runs


def file_of_drugs(reading: Reading, layout: Layout, base: dict[str, pl.Series], people: pl.DataFrame) -> None:
    """One row a drug: name, start, stop, dose … (orders of a ward, a table of treatment)."""
    place = layout.part("what")[0]
    texts = prepared(layout, place)
    names = {text: code.code for text in texts.unique().drop_nulls() if (code := drug(text))}
    columns = {p.role.part: _told(layout, p) for p in reversed(layout.places) if p.role.part in TREATMENT}
    frame = pl.DataFrame({**base, **columns, "what": texts.replace(names)})
    headings = layout.named_parts() | {"what": place.heading}
    reading.take("treatments", layout, frame, people, headings, place.at)


def _told(layout: Layout, place: Place) -> pl.Series:
    """The cells of a column as the mapping file has them: respelled, counted from the day of the row."""
    texts, spec = prepared(layout, place), place.role.spec
    return layout.counted(layout.days, texts, spec.after) if spec and spec.after else texts


TREATMENT = (
    "started_on",
    "stopped_on",
    "dose",
    "dose_unit",
    "route",
    "phase",
    "line",
    "planned",
    "stop_reason",
    "recorded_on",
)


def dated(reading: Reading, layout: Layout, place: Place, base: dict[str, pl.Series], people: pl.DataFrame) -> None:
    """A column of an event or procedure: the cell is its day, or says yes and the day is in another column."""
    code, spec = place.role.code, place.role.spec
    if code is None:
        return
    texts = prepared(layout, place)
    if spec and spec.on:
        days, heading = layout.day_of(place)
        happened = texts.str.to_lowercase().is_in(["yes", "1", "1.0", "是", "有", "true"]).fill_null(False)
    else:
        days, heading = (
            (layout.counted(layout.days, texts, spec.after) if spec and spec.after else texts),
            place.heading,
        )
        happened = texts.is_not_null()
    table, day = ("events", "on") if "event" in code.grains else ("treatments", "started_on")
    frame = pl.DataFrame({**base, day: days, "what": same(code.code, texts)}).filter(happened)
    frame = frame.filter(~pl.col(day).map_elements(cells.blank, return_dtype=pl.Boolean).fill_null(True))
    if frame.height:
        reading.take(table, layout, frame, people, {day: heading, "patient": layout.patient.heading}, place.at)
