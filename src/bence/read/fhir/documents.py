"""Files of FHIR → resources, each with the place it stands: a Bundle, a list of them, one resource, or bulk ndjson."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import ChartError

SUFFIXES = (".json", ".ndjson")
HEAD = 4096
DECODER = json.JSONDecoder(parse_float=str)  # decimals as they are written: 5.50 has two
WANTED = "a FHIR R4 Bundle or resource (.json), or one resource a line (.ndjson)"
Json = dict[str, Any]


class Found(NamedTuple):
    """A resource, or what stands in place of one; `fault`: why it is none."""

    file: str
    line: int  # line of ndjson, entry of a Bundle (from 1)
    resource: Json
    url: str = ""  # fullUrl
    fault: str = ""


def is_fhir(path: Path) -> bool:
    """Is this a file of FHIR, by its name and its first letters?"""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"resourceType"' in file.read(HEAD)


def resources_of(path: Path) -> Iterator[Found]:
    """The resources of a file; ChartError if it is not JSON."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ChartError("not written in UTF-8", where=path.name, expected=WANTED) from None
    if not text.strip():
        raise ChartError("the file is empty", where=path.name, expected=WANTED)
    if path.suffix.lower() != ".ndjson":
        yield from _unfolded(_parsed(text, path.name), path.name, 1)
        return
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            try:
                yield from _unfolded(_parsed(row, f"{path.name}:{line}"), path.name, line, counted=False)
            except ChartError as error:  # one broken line of a bulk export does not spoil the others
                yield Found(path.name, line, {}, fault=error.what)


def _parsed(text: str, where: str) -> Any:
    """What a text of JSON says; ChartError with its place if it is none."""
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = f"{where}:{error.lineno}" if "\n" in text else where
        raise ChartError(f"not JSON: {error.msg} (column {error.colno})", where=at, expected=WANTED) from None
    except RecursionError:
        raise ChartError("nested too deeply", where=where, expected=WANTED) from None


def in_memory(given: Any, name: str = "") -> Iterator[Found]:
    """The resources of what a service holds: a resource or Bundle, a list of them, or a dict of them by name (a prefetch)."""
    if isinstance(given, dict) and "resourceType" not in given:
        for key, each in given.items():
            if each is not None:  # a prefetch that was not answered
                yield from _unfolded(each, str(key), 1)
        return
    yield from _unfolded(given, name or "FHIR", 1)


def _unfolded(given: Any, file: str, line: int, *, counted: bool = True) -> Iterator[Found]:
    """A resource as it is; a Bundle or a list as its members, counted from 1."""
    if isinstance(given, list):
        at = 0
        for each in given:
            for found in _unfolded(each, file, at + 1):
                at += 1
                yield found._replace(line=at)
    elif not isinstance(given, dict) or not isinstance(given.get("resourceType"), str):
        yield Found(file, line, {}, fault="not a FHIR resource")
    elif given["resourceType"] == "Bundle":
        yield from _entries(given, file, line, counted)
    else:
        yield Found(file, line, given)


def _entries(bundle: Json, file: str, line: int, counted: bool) -> Iterator[Found]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        yield Found(file, line, {}, fault="Bundle.entry is not a list")
        return
    for i, entry in enumerate(entries, 1):
        at = i if counted else line
        if not isinstance(entry, dict):
            yield Found(file, at, {}, fault="Bundle.entry is not an object")
            continue
        resource, url = entry.get("resource"), entry.get("fullUrl")
        request = entry.get("request")
        if resource is None and isinstance(request, dict) and request.get("method") == "DELETE":
            yield Found(file, at, {"resourceType": "DELETE", "url": request.get("url")}, url or "")
            continue
        for found in _unfolded(resource, file, at, counted=False):
            yield found._replace(url=found.url or (url if isinstance(url, str) else ""))


def all_in(paths: Iterable[Path]) -> Iterator[Found]:
    """The resources of several files, in order."""
    for path in paths:
        yield from resources_of(path)
