"""The records of the evidence base: TOML, one file a thing, its key the name of the file.

Folders drugs, trials, guidelines, targets, mechanisms, and the register of disputed statements, `disputed.toml`. Keys are unique over
all of them. What a record may hold is in `fields`; `faults` checks it.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ..catalogue import nearest
from ..errors import ChartError, UsageError

Record = dict[str, Any]
FOLDERS = ("drugs", "trials", "guidelines", "targets", "mechanisms")
REGISTER = "disputed"
KINDS = (*FOLDERS, REGISTER)
WEAKEST_FIRST = "MOSCV"


@cache
def keys(kind: str) -> tuple[str, ...]:
    """The keys of one kind of record, sorted; UsageError if there is no such kind. Reads the folder, not the files in it."""
    if kind not in KINDS:
        raise UsageError(f"there is no kind of record {kind!r}", expected=" or ".join(KINDS), nearest=nearest(kind, KINDS))
    if kind == REGISTER:
        return tuple(_register())
    folder = files("bence.evidence") / kind
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(file.name.removesuffix(".toml") for file in found if file.name.endswith(".toml")))


def records(kind: str) -> dict[str, Record]:
    """Every record of one kind (`KINDS`) by key; UsageError if there is no such kind."""
    if kind == REGISTER:
        return _register()
    return {key: _file(kind, key) for key in keys(kind)}


def kind_of(key: str) -> str:
    """The kind of the record with this key; UsageError with the nearest key if there is none."""
    for kind in KINDS:
        if key in keys(kind):
            return kind
    known = [name for kind in KINDS for name in keys(kind)]
    raise UsageError(f"there is no evidence record {key!r}", nearest=nearest(key, known))


def record(key: str) -> Record:
    """The record with this key, of whatever kind; UsageError with the nearest key if there is none."""
    kind = kind_of(key)
    return _register()[key] if kind == REGISTER else _file(kind, key)


def weakest(record: Record) -> str:
    """The weakest tag anywhere in a record: M from memory, O a choice, S from a source text, C computed, V verified; "" if it has none."""
    return min(_tags(record), key=WEAKEST_FIRST.index, default="")


def cited(key: str) -> str:
    """A record on one line: where it is published (else its name, and for a drug where its status was read), its DOI, the tag.

    A guideline and a trial carry the tag of their publication, a drug that of its status, the others the weakest tag they hold.
    UsageError with the nearest key if there is none.
    """
    found = record(key)
    place = found.get("publication", found)
    name = found["name"]["en"] if isinstance(found.get("name"), dict) else key
    where = place.get("where") or ", ".join(part for part in (name, found.get("status_source")) if part)
    doi = f", doi:{place['doi']}" if place.get("doi") else ""
    return f"{where}{doi} [{place.get('tag') or found.get('status_tag') or weakest(found)}]"


def _tags(part: Any) -> list[str]:
    if isinstance(part, list):
        return [tag for item in part for tag in _tags(item)]
    if not isinstance(part, dict):
        return []
    own = [part[name] for name in ("tag", "status_tag") if name in part]
    return own + [tag for item in part.values() for tag in _tags(item)]


@cache
def _file(kind: str, key: str) -> Record:
    return tomllib.loads((files("bence.evidence") / kind / f"{key}.toml").read_text(encoding="utf-8"))


@cache
def _register() -> dict[str, Record]:
    file = files("bence.evidence") / f"{REGISTER}.toml"
    if not file.is_file():
        return {}
    statements = tomllib.loads(file.read_text(encoding="utf-8"))["statement"]
    register = {statement["id"]: statement for statement in statements}
    if len(register) < len(statements):
        raise ChartError("two statements have the same id", where=file.name, expected="one [[statement]] an id")
    return register
