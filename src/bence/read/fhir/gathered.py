"""What resources gave: rows of text for the readers of the chart, the places they came from, what could not be taken."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from ..mapping import Mapping
from ..units import Refused
from .concepts import Concepts, Meaning, near
from .documents import Found
from .references import Library, target

COLUMNS = {
    "observations": (
        "patient", "on", "what", "value", "comparator", "text", "unit", "method", "sample", "detection_limit", "cells", "status",
        "recorded_on",
    ),
    "treatments": (
        "patient", "started_on", "stopped_on", "what", "dose", "dose_unit", "route", "phase", "line", "planned", "stop_reason",
        "recorded_on",
    ),
    "events": ("patient", "on", "until", "what", "grade", "text", "recorded_on"),
}  # fmt: skip
NO_PATIENT = Refused("its patient is not known", "a subject that is a Patient, with the identifier that the mapping file chooses")
EXAMPLES = 3


class Where(NamedTuple):
    """The place of a row: file, line or entry, and the FHIRPath of every column."""

    file: str
    line: int
    path: str
    value: str  # FHIRPath of the value, below `path`


class Unknown(NamedTuple):
    """A concept that is not known: how often, where first, what it is called, some of its values."""

    times: int
    file: str
    line: int
    path: str
    meaning: Meaning
    grains: tuple[str, ...]
    examples: tuple[str, ...]


class Gathered:
    """Everything found in the resources, before it is settled."""

    def __init__(self, library: Library, mapping: Mapping) -> None:
        self.library, self.mapping, self.concepts = library, mapping, Concepts(mapping)
        self.rows: dict[str, list[tuple]] = {table: [] for table in COLUMNS}
        self.where: list[Where] = []
        self.told: dict[str, dict[str, list[tuple[str, Where]]]] = {}  # patient → field → what is said of it, and where
        self.stages: list[Any] = []  # of conditions: see `stages.Stage`
        self.light: list[tuple] = []  # row, cell, unit as written, is the unit confirmed
        self.rejected: list[tuple] = []
        self.unknown: dict[tuple, Unknown] = {}
        self.missing: dict[str, tuple[int, Found, str]] = {}  # type of what references point at in vain
        self.tally: Counter[str] = Counter()

    def reject(self, at: Found, path: str, value: Any, refused: Refused) -> None:
        """Enter something that cannot be taken."""
        told = value if isinstance(value, str) else "" if value is None else str(value)
        self.rejected.append((at.file, at.line, path, told, *refused))

    def row(self, table: str, at: Found, path: str, cells: tuple, value: str = ".value") -> int:
        """Add a row; gives its number."""
        number = len(self.where)
        self.where.append(Where(at.file, at.line, path, value))
        self.rows[table].append((number, *cells))
        return number

    def patient(self, at: Found, path: str) -> str | None:
        """The key of the patient of a resource, who is then in the chart; None (and told) if there is none."""
        subject = at.resource.get("subject") or at.resource.get("patient")
        key = self.library.patient(subject, at.resource)
        if key is None:
            told = subject.get("reference") or subject.get("display") if isinstance(subject, dict) else None
            self.reject(at, f"{path}.subject", told, NO_PATIENT)
            return None
        self.told.setdefault(key, {})
        return key

    def say(self, at: Found, path: str, key: str, field: str, text: Any) -> None:
        """Something is said of a patient."""
        if text is not None:
            place = Where(at.file, at.line, path, "")
            self.told.setdefault(key, {}).setdefault(field, []).append((str(text), place))

    def meaning(self, at: Found, path: str, concept: Any, grains: tuple[str, ...], example: Any = None) -> Meaning | None:
        """What a concept means; None, and told once for each distinct one, if it is not known."""
        found = self.concepts.of(concept, grains)
        if found.code is not None:
            return found
        if found.ignored:
            self.tally["rows that the mapping file leaves out"] += 1
        elif found.fault is not None:
            self.reject(at, path, found.name or found.display, found.fault)
        else:
            kind = at.resource.get("resourceType")
            before = self.unknown.get((kind, grains, found.name))
            said = (str(example),) if example is not None else ()
            first = before or Unknown(0, at.file, at.line, path, found, grains, ())
            examples = first.examples + said if len(first.examples) < EXAMPLES else first.examples
            self.unknown[kind, grains, found.name] = first._replace(times=first.times + 1, examples=examples)
        return None

    def not_here(self, at: Found, path: str, reference: Any) -> None:
        """A reference points at something that was not given."""
        told = reference.get("reference") if isinstance(reference, dict) else None
        kind = target(str(told)).rpartition("/")[0] or "resource"
        count, first, column = self.missing.get(kind, (0, at, path))
        self.missing[kind] = (count + 1, first, column)

    def summed_up(self) -> list[tuple]:
        """Rows of `rejected` for what is told once with its number: unknown codes, references into nothing."""
        rows = []
        for each in self.unknown.values():
            kind = each.path.partition(".")[0]
            name, display = each.meaning.name, each.meaning.display
            named = f"{name} ({display})" if display not in ("", name) else name
            reason = f"unknown code: its {each.times} rows ({kind}) are not read"
            expected = "a code of the catalogue; name or ignore it in a mapping file"
            rows.append((each.file, each.line, each.path, named, reason, expected, near(each.meaning, each.grains)))
        for kind, (count, at, path) in self.missing.items():
            reason = f"{count} references to a {kind} that is not here"
            rows.append((at.file, at.line, path, kind, reason, "the resources that are pointed at", None))
        return rows
