"""How the headings of exports are read, one by one, so that a person can look at it and correct it; and the mapping file of that."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalogue import Code
from . import courses, fhir
from .hospital import no_use
from .layout import TITLE_ROWS, Layout, lay_out
from .mapping import Mapping as MappingFile
from .mapping import folded, load, quoted
from .proposal import EXAMPLES, fitting, nearest_codes, needs_unit
from .results import RESULT, item_role
from .sheets import Sheet, sheets

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Heading:
    """A heading, or an item of a long file, as it is read.

    `part`: its role (`headings.Role.part`; `unknown`: not read). `code`: what it is, `unit` in which. `asks_unit`: the unit is
    written nowhere. `near`: codes proposed for what is unknown. `units`: those in which its values could be true.
    """

    file: str
    section: str
    name: str
    part: str
    code: str
    unit: str
    cells: int
    examples: tuple[str, ...]
    near: tuple[Code, ...]
    units: tuple[str, ...]
    asks_unit: bool


@dataclass(frozen=True)
class Headed:
    """The headings of all exports; `unkeyed`: sheets without a column of patients, `undated`: without days, each with its headings."""

    headings: tuple[Heading, ...]
    unkeyed: Mapping[str, tuple[str, ...]]
    undated: Mapping[str, tuple[str, ...]]


def headed(paths: Iterable[Path], mapping: str | Path | MappingFile | None = None) -> Headed:
    """How the headings of exports are read under a mapping file. ChartError for a file that cannot be read."""
    given = load(mapping)
    found: list[Heading] = []
    unkeyed: dict[str, tuple[str, ...]] = {}
    undated: dict[str, tuple[str, ...]] = {}
    for path in paths:
        applies = given if given.speaks_of(path.name) else MappingFile()
        if path.suffix.lower() in fhir.SUFFIXES:
            found += [_of_fhir(path.name, each) for each in fhir.unknown(path, applies) if each.grains == fhir.OBSERVED]
            continue
        for sheet in sheets(path, applies):
            layout = lay_out(sheet, applies)
            if layout is None:
                unkeyed[sheet.name] = _headings_of(sheet)
                continue
            if layout.on is None and not layout.mapping.date.fixed and layout.part("observation", UNKNOWN, *RESULT, "drugs"):
                undated[sheet.name] = tuple(place.heading for place in layout.places if place.heading)
            found += [*_columns(layout), *_items(layout)]
    return Headed(tuple(found), unkeyed, undated)


def _headings_of(sheet: Sheet) -> tuple[str, ...]:
    """The row of a sheet that looks most like headings."""
    row = max((row for _, row in sheet.rows[:TITLE_ROWS]), key=lambda row: sum(map(bool, row)), default=[])
    return tuple(each.strip() for each in row if each.strip())


def _columns(layout: Layout) -> Iterator[Heading]:
    for place in layout.places:
        texts = layout.texts(place.at).drop_nulls().to_list()
        if not texts or not place.heading or place.role.part == "private":
            continue
        lost = no_use(layout, place) and place is not layout.patient and place is not layout.on
        part = UNKNOWN if lost else place.role.part
        code = place.role.code.code if place.role.code else place.role.spec.what if place.role.spec else ""
        asks = place.role.code is not None and needs_unit(layout, place)
        yield _heading(layout, "columns", place.heading, part, code, place.role.unit, texts, place.role.code, asks)


def _items(layout: Layout) -> Iterator[Heading]:
    """The items of a long file."""
    if not (layout.part("what") and layout.part(*RESULT)):
        return
    names = layout.texts(layout.part("what")[0].at)
    results = layout.texts(layout.part(*RESULT)[0].at)
    for name in names.unique(maintain_order=True).drop_nulls():
        role = item_role(name, layout.mapping)
        part = "drugs" if role.part == UNKNOWN and courses.drug(name) is not None else role.part
        texts = results.filter(names == name).drop_nulls().to_list()
        yield _heading(layout, "items", name, part, role.code.code if role.code else "", role.unit, texts, role.code, False)


def _heading(
    layout: Layout, section: str, name: str, part: str, code: str, unit: str | None, texts: list[str], known: Code | None, asks: bool
) -> Heading:
    near = tuple(nearest_codes(name)) if part == UNKNOWN else ()
    of = known or (near[0] if near else None)
    units = tuple(fitting(of, texts)) if of is not None and of.numeric and (asks or part == UNKNOWN) else ()
    some = tuple(dict.fromkeys(texts))[:EXAMPLES]
    return Heading(layout.sheet.name, section, name, part, code, unit or "", len(texts), some, near, units, asks)


def _of_fhir(file: str, each: fhir.Unknown) -> Heading:
    near = tuple(nearest_codes(each.meaning.display or each.meaning.name))
    return Heading(file, "items", each.meaning.name, UNKNOWN, "", "", each.times, tuple(each.examples)[:EXAMPLES], near, (), False)


def with_choices(text: str, patient: str, day: str, columns: Mapping[str, Mapping[str, str]], ignore: Iterable[str]) -> str:
    """The text of a mapping file with choices made in it: the heading of the patient, of the day, of columns, and what is ignored.

    `text`: the mapping file before (empty: none). `columns`: heading → `what`, `unit`; a heading that is ignored is no column. The
    rest of the file stays as it is, its comments do not.
    """
    content = tomllib.loads(text)
    left_out = {folded(each) for each in ignore}
    chosen = {folded(name) for name in columns}
    kept = [each for each in content.pop("ignore", []) if folded(each) not in chosen]
    sections = {name: dict(content.pop(name, {})) for name in ("columns", "items")}
    for section in sections.values():
        for name in [name for name in section if folded(name) in left_out | chosen]:
            chosen_as = columns.get(name)
            section.pop(name) if chosen_as is None else section.update({name: section[name] | chosen_as})
    there = {folded(name) for section in sections.values() for name in section}
    sections["columns"] |= {name: dict(spec) for name, spec in columns.items() if folded(name) not in there}
    if patient:
        content["patient"] = content.get("patient", {}) | {"column": patient}
    if day:
        content["date"] = {"column": day}
    listed = list(dict.fromkeys([*kept, *ignore]))
    return _toml(({"ignore": listed} if listed else {}) | content | {name: part for name, part in sections.items() if part})


def _toml(content: Mapping[str, Any], above: str = "") -> str:
    """A nested mapping as TOML: plain values first, then the sections."""
    plain = [f"{quoted(key)} = {_value(value)}" for key, value in content.items() if not isinstance(value, dict)]
    deeper = [(f"{above}.{quoted(key)}" if above else key, value) for key, value in content.items() if isinstance(value, dict)]
    blocks = ["\n".join(([f"[{above}]"] if above and plain else []) + plain)] if plain else []
    return "\n\n".join([*blocks, *(block for key, value in deeper if (block := _toml(value, key).strip()))]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return quoted(value) if isinstance(value, str) else str(value)
