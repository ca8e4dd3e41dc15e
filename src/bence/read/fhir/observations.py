"""Observation and DiagnosticReport → observations; also what an Observation says of a patient or of an event."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl

from ...catalogue import Code, codes
from ..light_chains import WHAT as LIGHT_CHAINS
from ..measurement import Written
from ..results import LIMITS, beside_chains, of_fluid, worded
from ..units import Refused, canonical, plain
from .concepts import OBSERVED, Meaning
from .documents import Found, Json
from .gathered import Gathered
from .genetics import Part, genetic, karyotype
from .terms import OURS
from .values import answer, beside, days, extension, local_day, note, number_text, text_of, unit_written, written

STATUS = {
    "final": "final", "amended": "final", "corrected": "final", "appended": "final", "entered-in-error": "entered_in_error",
}  # fmt: skip
SETTLED = "final, amended, corrected or entered-in-error"
PANEL = ("component", "hasMember")


def observation(at: Found, gathered: Gathered) -> None:
    """One Observation with its components."""
    resource = at.resource
    if computed(resource):
        gathered.tally["findings that Bence computed, which are no records"] += 1
        return
    found = genetic(at, gathered)
    meaning, parts = (None, found) if found is not None else _measured(at, gathered)
    for i, reference in enumerate(resource.get("hasMember") or ()):
        if gathered.library.get(reference, resource) is None:
            gathered.not_here(at, f"Observation.hasMember[{i}]", reference)
    if meaning is None and not parts:
        return
    status = STATUS.get(resource.get("status") or "")
    if status is None:
        gathered.reject(at, "Observation.status", resource.get("status"), Refused("not a result that stands", SETTLED))
        return
    if resource.get("modifierExtension"):  # any other than ours was refused before
        status = "spurious"
    patient = gathered.patient(at, "Observation")
    if patient is None:
        return
    told = {meaning.code.code: (node, path) for node, path, meaning in parts if meaning.code and "column" in meaning.code.grains}
    row = _Row(at, gathered, patient, status, told)
    if meaning is not None:
        row.take(resource, "Observation", meaning, own=True)
    for node, path, inner in parts:
        if inner.code and inner.code.code not in told:
            row.take(node, path, inner)


def _measured(at: Found, gathered: Gathered) -> tuple[Meaning | None, list[Part]]:
    """What the Observation is, and its components."""
    meaning = _top(at, gathered, any(at.resource.get(name) for name in PANEL))
    parts = _components(at, gathered)
    shown = karyotype(at, gathered) if meaning is not None and meaning.code and meaning.code.code == "karyotype" else []
    return meaning, parts + shown


def computed(resource: Json) -> bool:
    """Was this derived by Bence? A finding read as a record would confirm itself."""
    tags = (resource.get("meta") or {}).get("tag") or () if isinstance(resource.get("meta"), dict) else ()
    return any(isinstance(tag, dict) and tag.get("system") == OURS and tag.get("code") == "derived" for tag in tags)


def _top(at: Found, gathered: Gathered, panel: bool) -> Meaning | None:
    """What the Observation itself is; the unknown code of a panel without a value is no loss."""
    resource = at.resource
    if panel and not any(key.startswith("value") for key in resource):
        found = gathered.concepts.of(resource.get("code"), OBSERVED)
        return found if found.code is not None else None
    return gathered.meaning(at, "Observation.code", resource.get("code"), OBSERVED, _example(resource))


def _example(node: Json) -> str | None:
    quantity = node.get("valueQuantity")
    if isinstance(quantity, dict):
        return " ".join(str(quantity[key]) for key in ("value", "unit") if quantity.get(key) is not None)
    said = node.get("valueString") or text_of(node.get("valueCodeableConcept"))
    return str(said) if said is not None else None


def _components(at: Found, gathered: Gathered) -> list[Part]:
    found = []
    for i, node in enumerate(at.resource.get("component") or ()):
        path = f"Observation.component[{i}]"
        if not isinstance(node, dict):
            gathered.reject(at, path, node, Refused("not a component", "an object"))
            continue
        meaning = gathered.meaning(at, f"{path}.code", node.get("code"), OBSERVED, _example(node))
        if meaning is not None:
            found.append((node, path, meaning))
    return found


class _Row:
    """What the values of one Observation have in common."""

    def __init__(
        self, at: Found, gathered: Gathered, patient: str, status: str, told: dict[str, tuple[Json, str]], value: str = ".value"
    ) -> None:
        resource = at.resource
        self.value = value  # FHIRPath of the value
        self.at, self.gathered, self.patient, self.status, self.told = at, gathered, patient, status, told
        specimen = gathered.library.get(resource["specimen"], resource) if "specimen" in resource else None
        self.sample = text_of(specimen.get("type")) if specimen else None
        if specimen is None and "specimen" in resource and resource["specimen"].get("display"):
            self.sample = resource["specimen"]["display"]
        self.on, self.until = days(resource, "effective")
        if self.on is None and specimen:
            self.on, _ = days(specimen.get("collection") or {}, "collected")
        self.on = self.on or self.until
        self.method = text_of(resource.get("method")) if "method" in resource else None
        self.recorded_on = local_day(resource.get("issued"))

    def take(self, node: Json, path: str, meaning: Meaning, own: bool = False) -> None:
        """One value: of the Observation itself (`own`) or of a component."""
        code, at, gathered = meaning.code, self.at, self.gathered
        assert code is not None
        cells = written(node, code)
        if isinstance(cells, Refused):
            gathered.reject(at, f"{path}.value", _example(node), cells)
            return
        if "observation" not in code.grains:
            self._elsewhere(node, path, code, cells)
            return
        if cells.value is None and cells.text is None and not (own and self.told):
            gathered.tally["blank"] += 1
            return
        spec = meaning.spec
        cells = _worded(cells, meaning, gathered.mapping.values)
        if own and cells.text is None and cells.value is not None and ("note" in node or "interpretation" in node):
            cells = cells._replace(text=beside(node, code))
        unit = cells.unit if cells.unit is not None else meaning.unit
        sample = self.sample or (spec.sample if spec else None)
        what = of_fluid(code.code, sample) if sample else code.code
        if what is None:
            reason = Refused(f"{code.code} is not measured in this sample ({sample})", "a code for this sample, in a mapping file")
            gathered.reject(at, f"{path}.code", meaning.name, reason)
            return
        limit, count = (self._beside(name) if own or code.code == "mrd" else None for name in ("detection_limit", "cells"))
        method = self._beside("method") or self.method or (spec.method if spec else None) or meaning.method
        number = gathered.row("observations", at, path, (
            self.patient, self.on, what, cells.value, cells.comparator, cells.text, unit, method, sample, limit, count,
            self.status, self.recorded_on,
        ), self.value)  # fmt: skip
        if what in LIGHT_CHAINS:
            gathered.light.append((number, cells.value, canonical(unit or "") or "", bool(spec and spec.unit_confirmed)))
        if code.kind == "chains":
            self._beside_chains(path, what, cells.text)
        if "referenceRange" in node:
            self._limits(node, path, what)

    def _beside(self, name: str) -> str | None:
        """A component that is a column of the row: the detection limit, the cells analysed, the method."""
        if name not in self.told:
            return None
        node, _ = self.told[name]
        cells = written(node, codes()[name])
        if isinstance(cells, Refused):
            self.gathered.reject(self.at, self.told[name][1], _example(node), cells)
            return None
        said = cells.text or cells.value
        return f"{said} {cells.unit}" if said and cells.unit and name == "detection_limit" else said

    def _elsewhere(self, node: Json, path: str, code: Code, cells: Written) -> None:
        """A code of another table: it says something of the patient, or that something happened."""
        said = cells.text or cells.value
        if "patient" in code.grains:
            self.gathered.say(self.at, f"{path}.value", self.patient, code.code, said)
        elif "event" in code.grains:
            text = {"yes": None, "no": "none"}.get(said or "", said)
            grade = extension(node, "grade")
            row = (self.patient, self.on, self.until, code.code, grade, text or note(node), self.recorded_on)
            self.gathered.row("events", self.at, path, row)
        else:
            self.gathered.reject(self.at, f"{path}.code", code.code, Refused("belongs to another observation", "a component of it"))

    def _beside_chains(self, path: str, what: str, text: str | None) -> None:
        small, antibody = beside_chains(text) if text else (False, None)
        if small and what == "serum_ife":
            blank = (None,) * 5
            row = (self.patient, self.on, "serum_ife_small", "yes", *blank, None, None, self.status, self.recorded_on)
            self.gathered.row("observations", self.at, path, row)
        if antibody:
            row = (self.patient, self.on, None, "antibody_interference", None, antibody, self.recorded_on)
            self.gathered.row("events", self.at, path, row)

    def _limits(self, node: Json, path: str, what: str) -> None:
        """The limits of the laboratory, where there is one range and the catalogue has a place for them."""
        ranges = [each for each in node["referenceRange"] if isinstance(each, dict)]
        if len(ranges) != 1 or ranges[0].get("appliesTo"):
            return
        for ending, side in LIMITS:
            bound = ranges[0].get(("low", "high")[side])
            if what + ending not in codes() or not isinstance(bound, dict) or bound.get("value") is None:
                continue
            unit = unit_written(bound.get("unit"), bound.get("system"), bound.get("code"))
            place = f".referenceRange[0].{('low', 'high')[side]}"
            if isinstance(unit, Refused):
                self.gathered.reject(self.at, path + place, number_text(bound["value"]), unit)
                continue
            cells = (number_text(bound["value"]), None, None, unit, None, None, None, None)
            row = (self.patient, self.on, what + ending, *cells, self.status, self.recorded_on)
            self.gathered.row("observations", self.at, path, row, place)


def _worded(cells: Written, meaning: Meaning, words: dict[str, str]) -> Written:
    """The spellings of the mapping file, then those that only the code explains."""
    code = meaning.code
    assert code is not None
    if cells.unit is not None:
        return cells
    own = words | meaning.spec.values if meaning.spec else words
    for name in ("value", "text"):
        said = getattr(cells, name)
        if said is not None:
            said = str(own.get(plain(said).lower(), said))
            cells = cells._replace(**{name: said if said[:1].isdigit() else _by_code(code.code, said)})
    return cells


@cache
def _by_code(name: str, text: str) -> str:
    return worded(codes()[name], pl.Series([text], dtype=pl.String))[0]


def report(at: Found, gathered: Gathered) -> None:
    """A DiagnosticReport: its conclusion, where the report is that of one finding. Its results are resources of their own."""
    resource = at.resource
    for i, reference in enumerate(resource.get("result") or ()):
        if gathered.library.get(reference, resource) is None:
            gathered.not_here(at, f"DiagnosticReport.result[{i}]", reference)
    if resource.get("presentedForm"):
        gathered.tally["attached documents, which are not read"] += 1
    said = resource.get("conclusion") or next((answer(each) for each in resource.get("conclusionCode") or ()), None)
    if said is None:
        return
    meaning = gathered.meaning(at, "DiagnosticReport.code", resource.get("code"), OBSERVED, said)
    code = meaning.code if meaning else None
    if meaning is None or code is None or not _finding(at, gathered, code, said):
        return
    status = STATUS.get(resource.get("status") or "")
    if status is None:
        gathered.reject(at, "DiagnosticReport.status", resource.get("status"), Refused("not a report that stands", SETTLED))
        return
    patient = gathered.patient(at, "DiagnosticReport")
    if patient is not None:
        row = _Row(at, gathered, patient, status, {}, ".conclusion")
        node: dict[str, Any] = {"valueString": said}
        row.take(node, "DiagnosticReport", meaning)


def _finding(at: Found, gathered: Gathered, code: Code, said: str) -> bool:
    """Is a conclusion the value of its code? Beside results it is a comment, and so is a sentence on a number."""
    if code.kind in ("chains", "text", "category", "flag") and "observation" in code.grains:
        return True
    reason = Refused("a conclusion in words on a number is not read", "a result, as an Observation")
    gathered.reject(at, "DiagnosticReport.conclusion", said, reason)
    return False
