"""A mapping file proposed for exports: what Bence does not know in them, with the nearest codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ..catalogue import Code, codes_of, fold, spellings
from . import cells, courses, fhir
from .hospital import no_use
from .layout import TITLE_ROWS, Layout, Place, lay_out
from .mapping import Mapping, load, quoted
from .results import RESULT, item_role
from .sheets import Sheet, sheets
from .units import COUNTED, Refused, accepted, convert

HEAD = """\
# Proposed mapping file. Take the # away from what is right, correct it, delete the rest, and read again with it.
# The codes are those of the catalogue (bence codes WORD)."""
EXAMPLES = 3
LIKE = 65  # of 100: spellings less like than this are not proposed
GRAINS = ("observation", "patient")


def propose(paths: Iterable[Path | str] | Path | str, mapping: str | Path | Mapping | None = None) -> str:
    """The text of a mapping file for what is not understood in these files; empty if everything is.

    It is a valid mapping file that changes nothing as long as its lines are comments.
    """
    given = load(mapping)
    blocks: list[str] = []
    unread: list[str] = []
    for path in [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]:
        applies = given if given.speaks_of(path.name) else Mapping()
        if path.suffix.lower() in fhir.SUFFIXES:
            lines = [line for each in fhir.unknown(path, applies) for line in _of_fhir(each, unread)]
            blocks += ["\n".join([f"# {path.name}", *lines])] if lines else []
            continue
        for sheet in sheets(path, applies):
            lines = list(_sheet(sheet, applies, unread))
            if lines:
                blocks.append("\n".join([f"# {sheet.name}", *lines]))
    if not blocks:
        return ""
    ignore = f"# ignore = [{', '.join(map(quoted, dict.fromkeys(unread)))}]    # what shall not be read"
    return "\n\n".join([HEAD, ignore, *blocks]) + "\n"


def _sheet(sheet: Sheet, mapping: Mapping, unread: list[str]) -> Iterator[str]:
    layout = lay_out(sheet, mapping)
    if layout is None:
        headings = max((row for _, row in sheet.rows[:TITLE_ROWS]), key=lambda row: sum(map(bool, row)), default=[])
        headings = [heading.strip() for heading in headings if heading.strip()]
        if len(headings) > 1 and not mapping.patient:
            yield from (
                "# [patient]",
                f"# column = {quoted(headings[0])}    # the key of the patient, or another heading",
            )
            yield from _sheet(sheet, replace(mapping, patient=headings[0]), unread)
        return
    days: list[str] = []
    if layout.on is None and not layout.mapping.date.fixed and layout.part("observation", "unknown", *RESULT, "drugs"):
        days = [p.heading for p in layout.places if _dates(layout.texts(p.at).drop_nulls().head(20).to_list())]
        yield from ("# [date]", f'# column = {quoted(days[0] if days else "…")}    # or fixed = "2000-12-31"')
    for place in layout.places:
        texts = layout.texts(place.at).drop_nulls()
        taken = place in (layout.patient, layout.on) or place.heading in days[:1] or not texts.len()
        if not taken and no_use(layout, place):
            unread.append(place.heading)
            yield from _unknown("columns", place.heading, texts.to_list())
        elif not taken and place.role.code and needs_unit(layout, place):
            yield from _with_unit(place.heading, place.role.code, texts.to_list())
    yield from _items(layout, unread)


def _of_fhir(each: fhir.Unknown, unread: list[str]) -> Iterator[str]:
    """A code of a Bundle that is not known; drugs and diagnoses that are none of myeloma are left to `ignore`."""
    unread.append(each.meaning.name)
    if each.grains == fhir.OBSERVED:
        yield from _unknown("items", each.meaning.name, list(each.examples), each.times, each.meaning.display)


def _dates(texts: list[str]) -> bool:
    return bool(texts) and not any(isinstance(cells.date(text), Refused) for text in texts)


def _items(layout: Layout, unread: list[str]) -> Iterator[str]:
    """The unknown items of a long file."""
    if not (layout.part("what") and layout.part(*RESULT)):
        return
    names = layout.texts(layout.part("what")[0].at)
    results = layout.texts(layout.part(*RESULT)[0].at)
    for name in names.unique(maintain_order=True).drop_nulls():
        if item_role(name, layout.mapping).part == "unknown" and courses.drug(name) is None:
            unread.append(name)
            yield from _unknown("items", name, results.filter(names == name).drop_nulls().to_list())


def _unknown(section: str, heading: str, texts: list[str], count: int | None = None, called: str = "") -> Iterator[str]:
    near = nearest_codes(called or heading)
    such = f"{called + ': ' if called else ''}{len(texts) if count is None else count} cells, such as {_some(texts)}"
    yield f"# [{section}.{quoted(heading)}]    # {such}"
    if not near:
        yield from (f"# what = {quoted('…')}", f"# unit = {quoted('…')}")
        return
    yield f"# what = {quoted(near[0].code)}    # {_choices(near)}"
    if near[0].unit and near[0].numeric:
        yield _unit(near[0], texts)


def _some(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(texts[:EXAMPLES]))


def _choices(near: list[Code]) -> str:
    return "or ".join(f"{code.code} ({code.en}, {code.zh}) " for code in near).strip()


def needs_unit(layout: Layout, place: Place) -> bool:
    """Is this a column of numbers whose unit is written nowhere?"""
    code = place.role.code
    known = place.role.unit or "unit" in place.beside or place.role.part != "observation"
    if code is None or known or not code.numeric or code.unit in COUNTED:
        return False
    numbers = (cells.number(text) for text in layout.texts(place.at).unique().drop_nulls())
    return any(isinstance(number, cells.Number) and not number.unit for number in numbers)


def _with_unit(heading: str, code: Code, texts: list[str]) -> Iterator[str]:
    """A column whose unit is written nowhere, with the units in which its values could be true."""
    yield f"# [columns.{quoted(heading)}]    # no unit is written, such as {_some(texts)}"
    yield f"# what = {quoted(code.code)}"
    yield _unit(code, texts)


def _unit(code: Code, texts: list[str]) -> str:
    """The line of the unit, with all units in which the values could be true."""
    fit = fitting(code, texts)
    possible = ", ".join(fit) or "none of " + ", ".join(accepted(code))
    return f"# unit = {quoted(fit[0] if len(fit) == 1 else '…')}    # possible: {possible}"


def fitting(code: Code, texts: Iterable[str]) -> list[str]:
    """The units of a code in which all of these values could be true."""
    numbers = [n.value for text in texts if isinstance(n := cells.number(text), cells.Number)]
    return [unit for unit in accepted(code) if not any(isinstance(convert(code, n, unit), Refused) for n in numbers)]


@cache
def _spelled() -> dict[str, Code]:
    known = codes_of(*GRAINS).values()
    return {fold(spelling): code for code in known for spelling in reversed(spellings(code)) if len(fold(spelling)) > 1}


def nearest_codes(text: str, count: int = 3) -> list[Code]:
    """The codes whose spellings are most like this one, best first."""
    from rapidfuzz import fuzz, process

    bare = fold(re.sub(r"[(\[【（].*", "", text) or text)
    found = process.extract(bare, list(_spelled()), scorer=fuzz.ratio, limit=5 * count, score_cutoff=LIKE)
    best = {_spelled()[spelling].code: _spelled()[spelling] for spelling, _, _ in found}
    return list(best.values())[:count]
