"""Observation → abnormalities: genetic variants, FISH panels in words, what a karyotype shows."""

from __future__ import annotations

from ..units import Refused
from .abnormalities import KARYOTYPE, in_karyotype
from .components import READS, Components
from .concepts import OBSERVED, Meaning
from .documents import Found, Json
from .gathered import Gathered
from .statements import in_words, is_panel
from .values import text_of
from .variants import Doubt, Stated, finding, is_region, is_variant

NO_PLACE = Refused("an abnormality that a chart has no place for", "one of the catalogue, or a mapping file that names or ignores it")
Part = tuple[Json, str, Meaning]  # the value as an element of FHIR has it, its FHIRPath, what it is a value of


def genetic(at: Found, gathered: Gathered) -> list[Part] | None:
    """What a genetic variant or a FISH panel in words says; None if the Observation is neither, or the mapping file knows its code."""
    concept = at.resource.get("code")
    known = gathered.concepts.of(concept, OBSERVED)
    if known.code is not None or known.ignored or known.fault is not None:
        return None
    if is_region(at.resource):
        gathered.tally["regions studied, which say what was tested and not what was found"] += 1
        return []
    if is_variant(at.resource):
        said = finding(at.resource)
        if isinstance(said, list) and any(code == READS for _, code, _ in Components(at.resource).nodes()):
            gathered.tally["shares of reads, which are no shares of plasma cells"] += 1
        return _taken(at, gathered, *(([], [said]) if isinstance(said, Doubt) else (said, [])))
    told = not at.resource.get("component") and is_panel(concept)  # where there are components, these are the results
    stated, doubts = in_words(at.resource) if told else ([], [])
    return _taken(at, gathered, stated, doubts) if stated else None


def karyotype(at: Found, gathered: Gathered) -> list[Part]:
    """The abnormalities of myeloma that a karyotype shows, in ISCN or in words. What it does not show may still be there."""
    said = at.resource.get("valueString") or text_of(at.resource.get("valueCodeableConcept"))
    if isinstance(said, str) and KARYOTYPE.match(said.strip()):
        stated = [Stated(name, "positive") for name in in_karyotype(said)]
    else:
        stated = [each for each in in_words(at.resource)[0] if each.value != "negative"]
    return _taken(at, gathered, stated, [])


def _taken(at: Found, gathered: Gathered, stated: list[Stated], doubts: list[Doubt]) -> list[Part]:
    """Abnormalities by their names, as the components of a panel would have them: a mapping file may name others."""
    for doubt in doubts:
        gathered.reject(at, doubt.path, doubt.value, doubt.refused)
    found: list[Part] = []
    for name, value in stated:
        meaning = gathered.concepts.of({"text": name}, OBSERVED)
        if meaning.code is not None:
            found.append(({"valueString": value}, "Observation", meaning))
        elif meaning.ignored:
            gathered.tally["rows that the mapping file leaves out"] += 1
        else:  # no nearest name: KRAS is not TP53
            gathered.reject(at, "Observation.component", name, NO_PLACE)
    return found
