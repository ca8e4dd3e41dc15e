"""A CodeableConcept → the code of the catalogue it means. The mapping file speaks first, then the standard code systems, then names.

A code of a standard system is taken by itself alone: its display is not trusted, and where it is not known no name
beside it stands in (kappa in urine is not kappa in serum, whatever the text says).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from ...catalogue import Code, codes, codes_of, find, nearest_code
from ..courses import drug
from ..headings import Role, mapped
from ..mapping import Column, Mapping
from ..results import item_role
from ..units import Refused
from .terms import FIELD_OF, ICD10, ICD10_MEANS, LOINC, MEANS, OURS, STANDARD, SYSTEMS

OBSERVED = ("observation", "patient", "event", "column")
GIVEN = ("drug", "procedure")
HAPPENED = ("event",)


class Meaning(NamedTuple):
    """What a concept means. Without `code`: ignored, refused (`fault`) or unknown, and named as a mapping file would name it."""

    name: str = ""
    display: str = ""
    code: Code | None = None
    unit: str | None = None
    method: str | None = None
    spec: Column | None = None
    ignored: bool = False
    fault: Refused | None = None


def check_digit_holds(code: str) -> bool:
    """Is this a LOINC code, by its check digit (Luhn, modulo 10)?

    >>> check_digit_holds("33944-0"), check_digit_holds("33944-8")
    (True, False)
    """
    body, _, digit = code.rpartition("-")
    if not (body.isascii() and body.isdigit() and digit.isascii() and digit.isdigit() and len(digit) == 1):
        return False
    doubled = (int(d) * (2 - i % 2) for i, d in enumerate(reversed(body)))
    return (sum(d - 9 if d > 9 else d for d in doubled) + int(digit)) % 10 == 0


@cache
def _index() -> dict[tuple[str, str], Code]:
    """(system, code) → code of the catalogue."""
    index = {(system, each): code for code in codes().values() for system, name in FIELD_OF.items() for each in getattr(code, name)}
    return index | {key: codes()[name] for key, name in MEANS.items()} | {(OURS, name): code for name, code in codes().items()}


@dataclass
class Concepts:
    """Understands concepts, each distinct one once."""

    mapping: Mapping
    known: dict[tuple, Meaning] = field(default_factory=dict)

    def of(self, concept: Any, grains: tuple[str, ...]) -> Meaning:
        """What a concept means, among the codes of these grains."""
        try:
            codings = concept.get("coding") or ()
            told = tuple([(each.get("system"), each.get("code"), each.get("display")) for each in codings])
            key = (grains, concept.get("text"), told)
            found = self.known.get(key)
        except (AttributeError, TypeError):  # not of the types that FHIR gives them
            return Meaning(fault=Refused("no code", "a CodeableConcept"))
        if found is None:
            if any(part is not None and not isinstance(part, str) for part in (key[1], *(part for each in told for part in each))):
                return Meaning(fault=Refused("no code", "a CodeableConcept"))
            found = self.known[key] = self._understood(key[1], told, grains)
        return found

    def _understood(self, text: str | None, codings: tuple, grains: tuple[str, ...]) -> Meaning:
        names = [name for system, code, display in codings for name in (f"{system}|{code}", code, display) if name]
        names += [text] if text else []
        display = text or next((d for _, _, d in codings if d), "")
        name = next((f"{s}|{c}" if s else c for s, c, _ in codings if c), display)
        here = Meaning(name, display)
        for each in names if self.mapping.columns or self.mapping.ignore else ():
            if (spec := self.mapping.column(each)) is not None:
                return _by_role(here, mapped(spec), grains)
            if self.mapping.ignored(each):
                return here._replace(ignored=True)
        if not names:
            return here._replace(fault=Refused("no code", "a code or a text"))
        standard = [(SYSTEMS.get(system or "", ""), code, d) for system, code, d in codings if system and code]
        found = _by_systems(here, [each for each in standard if each[0] in STANDARD], grains)
        found = found or _by_icd10(here, codings, grains)
        return found or self._by_name(here, [text, *(d for _, _, d in codings), *(c for _, c, _ in codings)], grains)

    def _by_name(self, here: Meaning, names: list[str | None], grains: tuple[str, ...]) -> Meaning:
        """What a name means that stands for itself: as the name of an item, a drug or an event of an export would."""
        for each in filter(None, names):
            if grains == OBSERVED:
                role = item_role(each, self.mapping)
                code = role.code or find(each, "patient")
                if code is not None:
                    return here._replace(code=code, unit=role.unit, method=role.method)
            elif code := (drug(each) if grains == GIVEN else find(each, *grains)):
                return here._replace(code=code)
        return here


def _by_role(here: Meaning, role: Role, grains: tuple[str, ...]) -> Meaning:
    spec = role.spec
    code = role.code or (codes().get(spec.what) if spec else None)
    if code is None or set(grains).isdisjoint(code.grains):
        what = spec.what if spec else ""
        return here._replace(fault=Refused(f"the mapping file says {what}, which cannot stand here", " or ".join(grains)))
    return here._replace(code=code, unit=role.unit, method=role.method, spec=spec)


def _by_systems(here: Meaning, codings: list[tuple], grains: tuple[str, ...]) -> Meaning | None:
    """The meaning by the standard systems; None if there is none of them, or drugs may be known by name."""
    found: list[Code] = []
    for system, code, display in codings:
        if system == LOINC and not check_digit_holds(code):
            return here._replace(fault=_no_loinc(code))
        known = _index().get((system, code))
        if known is None or set(grains).isdisjoint(known.grains):
            continue
        named = find(display, *grains) if display else None
        if named and named is not known and system != OURS:
            reason = f"the code {code} is {known.code}, its display {display!r} is {named.code}"
            return here._replace(fault=Refused(reason, "a code and a display of one thing"))
        found.append(known)
    if len({code.code for code in found}) > 1:
        told = " and ".join(dict.fromkeys(code.code for code in found))
        return here._replace(fault=Refused(f"its codes mean {told}", "codes of one thing"))
    if found:
        return here._replace(code=found[0])
    return here if codings and grains != GIVEN else None


def _no_loinc(code: str) -> Refused:
    """No code is guessed in its place, but the one with the right digit is named with its meaning: often it is another test."""
    others = (f"{code.rpartition('-')[0]}-{digit}" for digit in range(10))
    meant = [f" ({other} is {_index()[LOINC, other].code})" for other in others if (LOINC, other) in _index()]
    return Refused(f"{code} is not a LOINC code: its check digit is wrong", "a code of loinc.org" + "".join(meant))


def _by_icd10(here: Meaning, codings: tuple, grains: tuple[str, ...]) -> Meaning | None:
    if grains != HAPPENED:
        return None
    told = [code.upper() for system, code, _ in codings if code and system in ICD10]
    for code in told:
        for start, event in ICD10_MEANS.items():
            if code.startswith(start):
                return here._replace(code=codes_of(*HAPPENED)[event])
    return here if told else None


def near(meaning: Meaning, grains: tuple[str, ...]) -> str | None:
    """The nearest code of the catalogue for a concept that is not known."""
    return nearest_code(meaning.display or meaning.name, *grains)
