"""A genetic variant of mCODE → the abnormality it is, and what is said of it.

GenomicVariant of mCODE STU4 (hl7.org/fhir/us/mcode/StructureDefinition/mcode-genomic-variant) and its parent, Variant of Genomics
Reporting (hl7.org/fhir/uv/genomics-reporting/StructureDefinition/variant): LOINC 69548-6; the value says whether what the components
describe is present (LOINC LL1971-2). Two things differ from other results of a laboratory:

* Absent is the variant that is described. One absent change of TP53 does not make the gene unmutated.
* 81258-6 is a share of reads. It is no share of plasma cells, and no del(17p) has its value from it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..units import Refused
from . import components as of
from .abnormalities import GAIN, KARYOTYPE, LOSS, MOVED, PLACE, REGION, abnormality, in_karyotype, is_amplification, known, moved, region
from .components import DELETION, SMALL, Components
from .documents import Json
from .terms import LOINC, OF_VARIANT, PRESENCE, REGION_CODE, SYSTEMS, VARIANT_CODE
from .values import text_of

PROFILES = ("/mcode-genomic-variant", "/mcode-cancer-genetic-variant", "/genomics-reporting/StructureDefinition/variant")
REGION_PROFILES = ("/mcode-genomic-region-studied", "/genomics-reporting/StructureDefinition/region-studied")
CHANGED = re.compile(r"\b[cg]\.[-*]?(\d+)(?:[+-]\d+)?(?:_[-*]?(\d+)(?:[+-]\d+)?)?(?:[ACGT]>[ACGT]|delins|del|ins|dup|inv)")
PROTEIN = re.compile(r"\bp\.\(?[A-Z][a-z]{0,2}\d+[A-Za-z*_]")
SILENT = re.compile(r"\bp\.\(?(?:[A-Z][a-z]{0,2}\d+)?=|(?<!non)(?<!non-)synonymous|silent|同义", re.IGNORECASE)
POLYMORPHISM = re.compile(r"p\.\(?(?:Pro72Arg|P72R)\b|\bc\.215C>G")  # of TP53, in most people
HARMLESS = re.compile(r"benign|uncertain|unknown|良性|不明", re.IGNORECASE)
GERMLINE = re.compile(r"germline|胚系|LA6683-2", re.IGNORECASE)
BOTH_LOST = re.compile(r"homozyg|biallel|LA6705-3|纯合|双等位", re.IGNORECASE)
ONE_LOST = re.compile(r"heterozyg|hemizyg|monoallel|LA6706-1|LA6707-9|杂合|单等位", re.IGNORECASE)
SMALL_BASES = 50  # a longer change is a structural variant, as Genomics Reporting has it
ONE = "one abnormality: gene or location with the kind of change, ISCN, or HGVS"


class Stated(NamedTuple):
    """What is said of one abnormality: its name, and the value as a text."""

    name: str
    value: str


class Doubt(NamedTuple):
    """Why nothing can be said: FHIRPath, value, reason."""

    path: str
    value: str
    refused: Refused


def is_variant(resource: Json) -> bool:
    """Is this a variant, by its code, its profile or the components that only a variant has?"""
    return _is(resource, VARIANT_CODE, PROFILES) or any(code in OF_VARIANT for _, code, _ in Components(resource).nodes())


def is_region(resource: Json) -> bool:
    """Does this say what was tested (LOINC 53041-0, GenomicRegionStudied of mCODE) and not what was found?"""
    studied = _is(resource, REGION_CODE, REGION_PROFILES)
    return studied and not any(key.startswith("value") for key in resource)


def _is(resource: Json, code: str, profiles: tuple[str, ...]) -> bool:
    concept, meta = resource.get("code"), resource.get("meta")
    codings = (concept.get("coding") or ()) if isinstance(concept, dict) else ()
    if any(isinstance(each, dict) and each.get("code") == code and SYSTEMS.get(each.get("system") or "") == LOINC for each in codings):
        return True
    given = (meta.get("profile") or ()) if isinstance(meta, dict) else ()
    return any(str(each).partition("|")[0].endswith(profiles) for each in given)


def finding(resource: Json) -> list[Stated] | Doubt:
    """What a variant says, in the words of the catalogue; a Doubt where that cannot be told."""
    parts, present = Components(resource), _present(resource)
    if isinstance(present, Doubt):
        return present
    if any(map(GERMLINE.search, parts.told[of.ORIGIN])):
        refused = Refused("a germline variant says nothing of the plasma cells", "a somatic variant")
        return Doubt(parts.path(of.ORIGIN), parts.told[of.ORIGIN][-1], refused)
    karyotype = next((text for text in parts.told[of.ISCN] if KARYOTYPE.match(text)), None)
    if karyotype is None:
        name = _named(parts, present)
        return name if isinstance(name, Doubt) else _valued(name, parts, present)
    if not present:
        return Doubt(parts.path(of.ISCN), karyotype, Refused("a karyotype that is absent says nothing", "the karyotype that was found"))
    return [Stated("karyotype", karyotype), *(Stated(name, "positive") for name in in_karyotype(karyotype))]


def _present(resource: Json) -> bool | Doubt:
    """Is the variant there? Indeterminate and no call are no answers."""
    concept = resource.get("valueCodeableConcept")
    codings = (concept.get("coding") or ()) if isinstance(concept, dict) else ()
    text = text_of(concept) or resource.get("valueString") or ""
    said = {PRESENCE.get(str(each.get("code")).upper()) for each in codings if isinstance(each, dict)} - {None}
    said = said or {PRESENCE.get(str(text).strip().upper())} - {None}
    if isinstance(resource.get("valueBoolean"), bool):
        said = {"present" if resource["valueBoolean"] else "absent"}
    if said in ({"present"}, {"absent"}):
        return said == {"present"}
    reason = "not called, or indeterminate" if said == {"open"} else "not said whether the variant is present"
    return Doubt("Observation.value", str(text), Refused(reason, "present or absent (LOINC LA9633-4, LA9634-2)"))


def _named(parts: Components, present: bool) -> str | Doubt:
    """The one abnormality that all components together describe."""
    if _is_small(parts) or SMALL in parts.changes:
        return _mutation(parts, present)
    texts = [text for code in (of.ISCN, of.VARIATION, of.LOCATION, of.TESTED_FOR) for text in parts.told[code]]
    texts = [text for text in texts if not REGION.fullmatch(text) and text.upper() not in PLACE]
    fused = moved(parts.genes) if parts.changes <= {MOVED} else None
    found = {name for name in (fused, _rearranged(parts), _of_place(parts), *map(abnormality, texts)) if name}
    if not found and not present and parts.sequenced and len(parts.genes) == 1 and not parts.changes:
        return f"{parts.genes[0]} mutation"
    meant = {known(name) or name for name in found}
    if len(meant) == 1:
        return min(found)
    reason = f"its components mean {' and '.join(sorted(meant))}" if meant else "not said which change of which gene or region it is"
    return Doubt("Observation.component", ", ".join(parts.genes or texts), Refused(reason, ONE))


def _is_small(parts: Components) -> bool:
    """Is one small change described: by its name in HGVS, its alleles, its start and end?"""
    spans = [(int(start), int(end or start)) for text in parts.exact for start, end in CHANGED.findall(text)]
    bases = [abs(end - start) + 1 for start, end in spans] + ([parts.bases] if parts.bases is not None else [])
    return any(each < SMALL_BASES for each in bases) or any(map(PROTEIN.search, parts.exact))


def _mutation(parts: Components, present: bool) -> str | Doubt:
    """A small change within a gene."""
    exact, path = parts.exact, parts.path(of.CODING, of.GENOMIC, of.PROTEIN, of.VARIATION)
    value = exact[-1] if exact else ", ".join(parts.genes)
    if len(parts.genes) != 1 or parts.changes & {LOSS, MOVED}:
        return Doubt(path, value, Refused("not said which change of which gene or region it is", ONE))
    gene = parts.genes[0]
    if not present and _is_small(parts):
        return Doubt(path, value, Refused(f"one change of {gene} is absent, others may be there", f"absent for every change of {gene}"))
    silent = [*exact, *parts.told[of.PROTEIN_CHANGE], *parts.told["molecular-consequence"]]
    if any(map(SILENT.search, silent)) or any(map(POLYMORPHISM.search, exact)) or any(map(HARMLESS.search, parts.told[of.SIGNIFICANCE])):
        return Doubt(path, value, Refused("a variant that is not known to matter is no mutation", "a pathogenic change"))
    return f"{gene} mutation"


def _rearranged(parts: Components) -> str | None:
    if MOVED not in parts.changes:
        return None
    chromosomes = sorted({place[0] for place in parts.places}, key=int)
    if len(chromosomes) == 2:
        return f"t({';'.join(chromosomes)})"
    return "MYC rearrangement" if parts.genes == ["MYC"] else None


def _of_place(parts: Components) -> str | None:
    """A loss or gain of one region, or of a whole chromosome."""
    changes = {LOSS if each == DELETION else each for each in parts.changes}
    if changes not in ({LOSS}, {GAIN}):
        return None
    if len(parts.places) == 1:
        return region(*parts.places.pop(), change=changes.pop())
    alone = parts.chromosomes if not parts.places and not parts.genes and changes == {LOSS} else set()
    return f"monosomy {alone.pop()}" if len(alone) == 1 else None


def _valued(name: str, parts: Components, present: bool) -> list[Stated] | Doubt:
    """The value of the abnormality, where the catalogue has more than present and absent."""
    code, copies = known(name), parts.copies
    word: str | None = "positive" if present else "negative"
    if code == "gain_1q":
        word = _gained(present, copies, any(is_amplification(text) for text in (*parts.told[of.CHANGE], *parts.told[of.ISCN])))
    elif code == "del_1p32":
        word = _lost(present, copies, " ".join(parts.told[of.ALLELES]))
    elif code in ("del_17p", "del_13q") and present:
        word = None if copies and copies[0] >= 2 else parts.share if parts.share and code == "del_17p" else word
    if word is None:
        reason = f"{name} is said to be {'present' if present else 'absent'}, but its copies or alleles leave that open"
        return Doubt(parts.path(of.COPIES, of.ALLELES, of.CHANGE), "" if copies is None else f"{copies[0]:g}", Refused(reason, ONE))
    return [Stated(name, word)]


def _gained(present: bool, copies: tuple[float, float] | None, amplified: bool) -> str | None:
    """gain_1q: the copies; None where they do not go with the answer. No amplification may still be a gain."""
    if copies is None and present:
        return "amplification" if amplified else "positive"
    if copies is None:
        return None if amplified else "negative"
    low, high = copies
    if (present and low < 3) or (not present and high >= 3):
        return None
    if low == high:
        return f"{low:g}"
    return "negative" if not present else "amplification" if low >= 4 else "positive"


def _lost(present: bool, copies: tuple[float, float] | None, alleles: str) -> str | None:
    """del_1p32 of one allele or of both. Where the loss of both is absent, one may be lost."""
    both = copies == (0, 0) or bool(BOTH_LOST.search(alleles))
    one = copies == (1, 1) or bool(ONE_LOST.search(alleles))
    if not present:
        return None if both or one else "negative"
    if copies is not None and copies[0] >= 2:
        return None
    return "positive" if both == one else "biallelic" if both else "monoallelic"
