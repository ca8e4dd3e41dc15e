"""What the components of a genetic variant say: genes, place, kind of change, copies.

Codes of LOINC and Sequence Ontology as in Variant of Genomics Reporting (hl7.org/fhir/uv/genomics-reporting), of which GenomicVariant of
mCODE is a profile.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from .abnormalities import CHANGES, GAIN, LOSS, MOVED, PLACE, REGION
from .documents import Json
from .terms import CHANGE_OF, GENE_OF
from .values import text_of

GENE, LOCATION, CHROMOSOME, CHANGE, COPIES, ISCN = "48018-6", "48001-2", "48000-4", "48019-4", "82155-3", "81291-7"
CODING, GENOMIC, PROTEIN, VARIATION, PROTEIN_CHANGE = "48004-6", "81290-9", "48005-3", "81252-9", "48006-1"
REFERENCE, ALTERNATE, FROM_TO = "69547-8", "69551-0", "81254-5"
TESTED_FOR, ORIGIN, ALLELES, SIGNIFICANCE, READS = "36908-2", "48002-0", "53034-5", "53037-8", "81258-6"
SMALL, DELETION = "small", "deletion"
SHARE = re.compile(r"(%|percent|share|fraction|proportion).*(cell|nuclei)|阳性.*(比例|百分比|率)", re.IGNORECASE)
OF_GENE = re.compile(
    r"substitution|insertion|delins|indel|snv|nucleotide|point|missense|nonsense|frame.?shift|stop|splice|点突变|错义|无义|移码",
    re.IGNORECASE,
)


@dataclass
class Components:
    """The components of one variant.

    `told`: code of a component → every text in its value. `changes`: loss, gain, moved, small (within a gene), deletion (either).
    `copies`: from and to. `share`: the share of cells, where a component says that it is one.
    """

    resource: Json
    told: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    genes: list[str] = field(default_factory=list)
    copies: tuple[float, float] | None = None
    share: str | None = None

    def __post_init__(self) -> None:
        for _, code, node in self.nodes():
            self.told[code] += _texts(node)
            if code == GENE:
                self.genes = list(dict.fromkeys((*self.genes, *_genes(node))))
            if code == COPIES:
                self.copies = self.copies or _copies(node)
            self.share = self.share or _share(node)

    def nodes(self) -> list[tuple[int, str, Json]]:
        """The components: their number, their code (of LOINC, or one that is still to be determined), themselves."""
        found = []
        for i, node in enumerate(self.resource.get("component") or ()):
            concept = node.get("code") if isinstance(node, dict) else None
            for coding in (concept.get("coding") or ({},)) if isinstance(concept, dict) else ():
                found.append((i, str(coding.get("code") or text_of(concept)), node))
        return found

    def path(self, *codes: str) -> str:
        """The place of the first component with one of these codes."""
        return next((f"Observation.component[{i}].value" for i, code, _ in self.nodes() if code in codes), "Observation.component")

    @property
    def exact(self) -> list[str]:
        """What names one change exactly: HGVS, or the code of a database with its words."""
        return [text for code in (CODING, GENOMIC, PROTEIN, VARIATION) for text in self.told[code]]

    @property
    def bases(self) -> int | None:
        """How many bases a change concerns, where its alleles or its start and end are told."""
        alleles = [len(text) for code in (REFERENCE, ALTERNATE) for text in self.told[code]]
        spans = [_span(node) for _, code, node in self.nodes() if code == FROM_TO]
        return max((*alleles, *filter(None, spans)), default=None)

    @property
    def changes(self) -> set[str]:
        """The kinds of change, by Sequence Ontology or by their words, else by the copies."""
        texts = [text.replace("_", " ") for code in (CHANGE, "molecular-consequence", PROTEIN_CHANGE) for text in self.told[code]]
        found = {CHANGE_OF[text] for text in texts if text in CHANGE_OF}
        if not found and any(map(OF_GENE.search, texts)):
            found = {SMALL}
        for kind, words in CHANGES.items() if not found else ():
            said = [text for text in texts if re.search(words, text, re.IGNORECASE)]
            if said and kind == LOSS:
                found.add(LOSS if any("loss" in text.lower() for text in said) else DELETION)
            elif said:
                found.add(MOVED if kind == MOVED else GAIN)
        if not found and self.copies and (self.copies[1] < 2 or self.copies[0] > 2):
            found = {LOSS if self.copies[1] < 2 else GAIN}
        return found

    @property
    def places(self) -> set[tuple[str, str, str | None]]:
        """Chromosome, arm and band: of the location, else of the gene. A deletion within a gene is not the loss of its region."""
        located = [match for text in self.told[LOCATION] if (match := REGION.fullmatch(text))]
        found: set[tuple[str, str, str | None]] = {(match[1], match[2], match[3]) for match in located}
        if not found and len(self.genes) == 1 and self.genes[0] in PLACE and (DELETION not in self.changes or self.copies):
            found = {PLACE[self.genes[0]]}
        return found

    @property
    def chromosomes(self) -> set[str]:
        """The chromosomes that are named without a band."""
        pattern = r"(?:chr|chromosome )?(\d{1,2})"
        return {match[1] for text in self.told[CHROMOSOME] if (match := re.fullmatch(pattern, text, re.IGNORECASE))}

    @property
    def sequenced(self) -> bool:
        """Was the gene sequenced?"""
        return bool(re.search(r"sequenc|\bNGS\b|测序|LA26398-0", str(self.resource.get("method") or ""), re.IGNORECASE))


def _texts(node: Json) -> list[str]:
    """Every text of a value: codes, displays, words."""
    concept = node.get("valueCodeableConcept")
    codings = (concept.get("coding") or ()) if isinstance(concept, dict) else ()
    texts = [each.get(key) for each in codings if isinstance(each, dict) for key in ("code", "display")]
    texts += [concept.get("text") if isinstance(concept, dict) else None, node.get("valueString")]
    return [text for text in texts if isinstance(text, str) and text]


def _genes(node: Json) -> list[str]:
    """The symbols of a gene or a fusion: by the identifier of HGNC where it is one of myeloma, else as it is written."""
    texts = _texts(node)
    known = [GENE_OF[text] for text in texts if text in GENE_OF]
    written = [text for text in texts if not re.fullmatch(r"(HGNC:)?\d+", text)]
    return [part.strip().upper() for text in known or written for part in re.split(r"::|/", text) if part.strip()]


def _copies(node: Json) -> tuple[float, float] | None:
    quantity, span = node.get("valueQuantity"), node.get("valueRange")
    if isinstance(quantity, dict) and quantity.get("value") is not None and not quantity.get("comparator"):
        return float(quantity["value"]), float(quantity["value"])
    if isinstance(span, dict):
        low, high = ((span.get(side) or {}).get("value") for side in ("low", "high"))
        return float(0 if low is None else low), float("inf" if high is None else high)
    return None


def _span(node: Json) -> int | None:
    span = node.get("valueRange")
    ends = [(span.get(side) or {}).get("value") for side in ("low", "high")] if isinstance(span, dict) else []
    return abs(int(ends[-1] if ends[-1] is not None else ends[0]) - int(ends[0])) + 1 if ends and ends[0] is not None else None


def _share(node: Json) -> str | None:
    quantity = node.get("valueQuantity")
    if not isinstance(quantity, dict) or quantity.get("value") is None or "%" not in (quantity.get("unit"), quantity.get("code")):
        return None
    of_cells = SHARE.search(text_of(node.get("code")) or "")
    return f"{quantity.get('comparator') or ''}{quantity['value']}%" if of_cells else None
