"""FHIR R4 → chart: Bundles, lists of them, single resources, bulk exports (ndjson), in files or in memory.

Codes are understood by the catalogue and the mapping file, cells by the readers of the tables of a chart, so that a
FHIR server and a CSV export are read alike. What cannot be taken is in `rejected` with file, line (of ndjson) or entry (of a
Bundle), FHIRPath and value; resources that hold nothing of a chart are counted in `tally`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ... import collector
from ...chart import Chart
from ...errors import ChartError
from ..mapping import Mapping, load
from ..units import Refused
from .concepts import OBSERVED
from .conditions import condition
from .documents import SUFFIXES, WANTED, Found, all_in, in_memory, resources_of
from .gathered import Gathered, Unknown
from .observations import observation, report
from .persons import person
from .references import Library, newest
from .settle import settled
from .stages import recorded
from .terms import SPURIOUS
from .treatments import medication, orders_carried_out, procedure

READERS = {
    "Patient": person,
    "Observation": observation,
    "DiagnosticReport": report,
    "Condition": condition,
    "Procedure": procedure,
    "MedicationAdministration": medication,
    "MedicationStatement": medication,
    "MedicationRequest": medication,
}
OUR_MODIFIER = {"url": SPURIOUS, "valueBoolean": True}
POINTED_AT = ("Medication", "Specimen")  # read where a resource points at them


def read(paths: Iterable[Path], mapping: str | Path | Mapping | None = None) -> Chart:
    """The chart in files of FHIR. ChartError if a file is not FHIR, or nobody is a patient in it."""
    files, given = [Path(path) for path in paths], load(mapping)
    with collector.held():
        gathered = gather(all_in(files), given if any(given.speaks_of(file.name) for file in files) else Mapping())
    if not gathered.told:
        rejected = gathered.rejected
        told = f" ({rejected[0][4]})" if rejected else ""
        raise ChartError(f"no patient is in it{told}", where=", ".join(file.name for file in files), expected=WANTED)
    return settled(gathered)


def from_fhir(resources: Any, mapping: str | Path | Mapping | None = None) -> Chart:
    """The chart in resources that are already in memory.

    `resources`: a resource or Bundle as a dict, a list of them, or a dict of them by name, such as the prefetch of CDS Hooks
    (None where nothing was found). `rejected` names them as files. An empty chart if there is no patient.

    >>> chart = from_fhir({"patient": {"resourceType": "Patient", "id": "7", "gender": "female"}})
    >>> chart.patients.select("patient", "sex").row(0)
    ('7', 'female')
    """
    return settled(gather(in_memory(resources), load(mapping)))


def unknown(path: Path, mapping: Mapping) -> list[Unknown]:
    """The codes of a file that are not known, for the proposal of a mapping file."""
    return list(gather(resources_of(path), mapping).unknown.values())


def gather(founds: Iterable[Found], mapping: Mapping) -> Gathered:
    """What resources say, in the words of the tables of a chart but not yet settled."""
    kept, older = newest(founds)
    gathered = Gathered(Library(kept, mapping.identifier), mapping)
    if older:
        gathered.tally["older versions of resources"] = older
    done = orders_carried_out(kept)
    for found in kept:
        kind = found.resource.get("resourceType")
        if found.fault:
            gathered.reject(found, "", "", Refused(found.fault, WANTED))
        elif kind == "OperationOutcome":
            _outcome(found, gathered)
        elif kind == "MedicationRequest" and f"MedicationRequest/{found.resource.get('id')}" in done:
            gathered.tally["orders whose administrations are here"] += 1
        elif kind in READERS:
            _taken(READERS[kind], found, gathered)
        elif kind not in POINTED_AT:
            gathered.tally[f"{kind} resources, which hold no facts of a chart"] += 1
    recorded(gathered)
    return gathered


def _taken(reader: Any, found: Found, gathered: Gathered) -> None:
    """Read one resource; one whose elements are not of the types that FHIR gives them is rejected as a whole."""
    before = {table: len(rows) for table, rows in gathered.rows.items()}, len(gathered.light), len(gathered.stages)
    try:
        if _may_be_read(found, gathered):
            reader(found, gathered)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        for table, count in before[0].items():
            del gathered.rows[table][count:]
        del gathered.light[before[1] :]
        del gathered.stages[before[2] :]
        kind = found.resource["resourceType"]
        gathered.reject(found, kind, found.resource.get("id"), Refused(f"not built as FHIR R4 has it ({error})", f"a {kind} of FHIR R4"))


def _may_be_read(found: Found, gathered: Gathered) -> bool:
    """A modifierExtension may turn what is said into its contrary: who does not know it may not read on."""
    for each in found.resource.get("modifierExtension") or ():
        if each != OUR_MODIFIER:
            refused = Refused("an extension that may change the meaning", "none")
            gathered.reject(found, f"{found.resource['resourceType']}.modifierExtension", each.get("url"), refused)
            return False
    return True


def _outcome(found: Found, gathered: Gathered) -> None:
    """What a server says went wrong."""
    for issue in found.resource.get("issue") or ():
        if isinstance(issue, dict) and issue.get("severity") in ("fatal", "error"):
            told = issue.get("diagnostics") or issue.get("code") or ""
            gathered.reject(found, "OperationOutcome.issue", told, Refused("the server reports an error", "resources"))


__all__ = ["OBSERVED", "SUFFIXES", "Unknown", "from_fhir", "gather", "read", "unknown"]
