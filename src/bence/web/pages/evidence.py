"""The evidence base: search, records with every fact, tag and source, tables, the forest plot and the network of mechanisms."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from ...catalogue import codes
from ...errors import UsageError
from ...evidence import KINDS, kind_of, record, records
from ...evidence.links import holding, named_in, naming
from ...evidence.show import find, listing, rows, sections
from ...evidence.tables import TABLES
from ...evidence.words import KINDS as KIND_WORDS
from ...evidence.words import TABLE_TITLES, WORDS, value_said
from ...registry import AccessError
from ...report.forest import WARNING, forest
from ...tags import TAGS
from ..network import ON, SHAPES, STROKES, network
from ..rendering import page
from ..svg import presented
from ..visit import Visit, Visiting

router = APIRouter(prefix="/evidence")
LINKED = ("drug", "trial", "mechanism", "id", "from", "to")  # columns whose words are names of records


@router.get("")
def show_list(visit: Visiting, word: str = "", kind: str = "") -> Response:
    """The records, narrowed by a word or a kind."""
    if kind and kind not in KINDS:
        raise AccessError(f"there is no kind of record {kind!r}")
    found = holding(word, kind or None, visit.lang)
    counts = {each: len(records(each)) for each in KINDS}
    return _page(
        visit, "evidence.html", found=found.rows(named=True), word=word, kind=kind, counts=counts, shown=bool(word.strip() or kind)
    )


@router.get("/tables/{name}")
def show_table(visit: Visiting, name: str) -> Response:
    """A table, with the forest plot where it is of agents."""
    if name not in TABLES:
        raise AccessError(f"there is no table {name!r}")
    frame = rows(None, name, visit.lang)
    names = TABLES[name](visit.lang).columns
    target = name.removeprefix("agents-") if name.startswith("agents-") else None
    picture = forest(target, visit.lang) if target else None
    warning = WARNING[visit.lang] if picture else WORDS[visit.lang]["not_comparable"] if target else ""
    return _page(
        visit, "evidence_table.html", name=name, columns=frame.columns, rows=frame.rows(), linked=[each in LINKED for each in names],
        addresses=_addresses(visit.lang), picture=picture, body=presented(picture.body) if picture else "", warning=warning,
    )  # fmt: skip


@router.get("/network")
def show_network(visit: Visiting, on: str = "car_t") -> Response:
    """How the mechanisms act on each other, and on one format of treatment."""
    if on not in ON:
        raise AccessError(f"there is no format {on!r}")
    frame = rows(None, "network", visit.lang)
    return _page(
        visit, "evidence_network.html", on=on, formats=ON, drawn=network(on, visit.lang), shapes=SHAPES, strokes=STROKES,
        said=lambda word: value_said(word, visit.lang), columns=frame.columns, rows=frame.rows(), addresses=_addresses(visit.lang),
    )  # fmt: skip


@router.get("/{key}")
def show_record(visit: Visiting, key: str) -> Response:
    """A record, by its key or its name."""
    try:
        known = find(key)
    except UsageError as error:
        raise AccessError(error.what) from None
    if known != key:
        return RedirectResponse(f"/evidence/{known}", 303)
    names = {row["key"]: row["name"] for row in listing(None, visit.lang).iter_rows(named=True)}
    return _page(
        visit, "evidence_record.html", key=key, record=record(key), kind=kind_of(key), name=names[key], sections=sections(key, visit.lang),
        related=[(kind, [(each, names[each]) for each in keys]) for kind, keys in _related(key)],
    )  # fmt: skip


def _related(key: str) -> list[tuple[str, list[str]]]:
    """The records that this one names or that name it, by kind."""
    both = dict.fromkeys((*named_in(key), *naming(key)))
    return [(kind, keys) for kind in KINDS if (keys := [each for each in both if kind_of(each) == kind])]


@cache
def _addresses(lang: str) -> dict[str, str]:
    """The names of records in a language, and their keys: where two have one name, that of the trial or the drug."""
    found: dict[str, str] = {}
    for kind in ("disputed", "mechanisms", "targets", "guidelines", "trials", "drugs"):
        for key, each in records(kind).items():
            name = each.get("name", key)
            found[name[lang] if isinstance(name, dict) else name] = key
            if key in codes():
                found[codes()[key].label(lang)] = key
    return found


def _page(visit: Visit, template: str, **context: Any) -> Response:
    tags = {tag: meaning[visit.lang == "zh"] for tag, meaning in TAGS.items()}
    return page(visit, template, tags=tags, kinds=KIND_WORDS, tables=TABLE_TITLES, **context)
