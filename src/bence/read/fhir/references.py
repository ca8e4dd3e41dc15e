"""References between resources: the newest version of each, what a reference points at, the key of a patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .documents import Found, Json
from .terms import PATIENT_KEY

KEPT = frozenset(("Patient", "Medication", "Specimen", "Observation", "MedicationRequest"))  # what others point at


def target(reference: str) -> str:
    """A reference without its version; of a URL on a server, type and id.

    >>> target("https://host/fhir/Patient/7/_history/2"), target("urn:uuid:5")
    ('Patient/7', 'urn:uuid:5')
    """
    bare = reference.partition("/_history/")[0]
    return bare if bare.startswith("urn:") else "/".join(bare.rsplit("/", 2)[-2:])


def name_of(found: Found) -> str | None:
    """By what a resource is known: its type and id, else its fullUrl."""
    if found.resource.get("id"):
        return f"{found.resource.get('resourceType')}/{found.resource['id']}"
    return target(found.url) if found.url else None


def newest(founds: Iterable[Found]) -> tuple[list[Found], int]:
    """Every resource in its newest version, and how many older ones were left out. Without a version all stand."""
    last: dict[str, tuple[tuple, int]] = {}
    kept: list[Found | None] = []
    older = 0
    for found in founds:
        kept.append(found)
        deleted = found.resource.get("resourceType") == "DELETE"
        version = ("~", 0) if deleted else _version(found.resource)
        if version is None:
            continue
        name = target(str(found.resource.get("url") or "")) if deleted else _identity(found)
        if not name:
            continue
        before = last.get(name)
        if before is None or version > before[0]:
            if before is not None and version != before[0]:
                kept[before[1]] = None
                older += 1
            last[name] = (version, len(kept) - 1)
        elif version < before[0]:
            kept[-1] = None
            older += 1
    return [found for found in kept if found is not None and found.resource.get("resourceType") != "DELETE"], older


def _identity(found: Found) -> str | None:
    """By what two versions of one resource are known; servers may use the same ids, so that a full address counts more."""
    url = found.url.partition("/_history/")[0]
    return url if url and not url.startswith("urn:") else name_of(found)


def _version(resource: Json) -> tuple[str, int] | None:
    meta = resource.get("meta")
    if not isinstance(meta, dict) or not (meta.get("lastUpdated") or meta.get("versionId")):
        return None
    number = str(meta.get("versionId") or "")
    return str(meta.get("lastUpdated") or ""), int(number) if number.isdecimal() else 0


class Library:
    """What can be pointed at."""

    def __init__(self, founds: list[Found], identifier: str | None) -> None:
        self.identifier = identifier  # the system whose identifiers are the keys of patients
        self.found: dict[str, Json] = {}
        for found in founds:
            if found.resource.get("resourceType") in KEPT:
                for name in (name_of(found), found.url, target(found.url)):
                    if name:
                        self.found.setdefault(name, found.resource)
        self.keys: dict[str, str | None] = {}

    def get(self, reference: Any, within: Json) -> Json | None:
        """The resource a Reference points at; None if it is not here."""
        told = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(told, str):
            return None
        if told.startswith("#"):
            inside = (each for each in within.get("contained") or () if isinstance(each, dict))
            return next((each for each in inside if each.get("id") == told[1:]), None)
        return self.found.get(told) or self.found.get(target(told))

    def key_of(self, patient: Json, depth: int = 0) -> str | None:
        """The key of a Patient: its identifier in the chosen system, or of Bence, else its id. A replaced record has that of the other."""
        for link in patient.get("link") or ():
            if isinstance(link, dict) and link.get("type") == "replaced-by" and depth < 5:
                other = self.get(link.get("other"), patient)
                return self.key_of(other, depth + 1) if other else None
        wanted = self.identifier or PATIENT_KEY
        for each in patient.get("identifier") or ():
            if isinstance(each, dict) and each.get("system") == wanted and each.get("value"):
                return str(each["value"])
        told = patient.get("id")
        return None if self.identifier or told is None else str(told)

    def patient(self, reference: Any, within: Json) -> str | None:
        """The key of the patient that a subject points at; None if it cannot be known."""
        if not isinstance(reference, dict):
            return None
        told = reference.get("reference")
        if not isinstance(told, str) or told.startswith("#"):
            inside = self.get(reference, within)
            return self.key_of(inside) if inside else self._by_identifier(reference)
        if told not in self.keys:
            known = self.get(reference, within)
            kind, _, key = target(told).rpartition("/")
            alone = key if kind == "Patient" and not self.identifier else None
            self.keys[told] = self.key_of(known) if known else alone
        return self.keys[told] or self._by_identifier(reference)

    def _by_identifier(self, reference: Json) -> str | None:
        identifier = reference.get("identifier")
        if isinstance(identifier, dict) and identifier.get("system") == (self.identifier or PATIENT_KEY):
            return identifier.get("value")
        return None
