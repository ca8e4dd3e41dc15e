"""The chromosomal abnormalities of myeloma as reports write them → the spelling by which the catalogue knows them.

    17p13.1 deletion, del(17)(p13.1), loss of TP53, 17p缺失        del(17p)
    t(4;14)(p16.3;q32.3), IGH::NSD2                               t(4;14)
    gain of 1q21, CKS1B amplification                             gain(1q21)

One that the catalogue does not have is named all the same (`del(16q)`), so that it can be told, or named in a mapping file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations

from ...catalogue import find

CYTOGENETICS = frozenset((
    "del_17p", "tp53_mutation", "tp53_biallelic", "t_4_14", "t_14_16", "t_14_20", "t_11_14", "t_6_14", "del_13q", "hyperdiploid",
    "gain_1q", "del_1p32", "myc_rearrangement",
))  # fmt: skip
#: Gene → chromosome, arm, band: the probes of FISH for copies.
PLACE = {
    "TP53": ("17", "p", "13"), "P53": ("17", "p", "13"), "CKS1B": ("1", "q", "21"), "CDKN2C": ("1", "p", "32"),
    "FAF1": ("1", "p", "32"), "RB1": ("13", "q", "14"),
}  # fmt: skip
#: Partner of the immunoglobulin heavy chain gene → translocation.
PARTNER = {
    "FGFR3": "t(4;14)", "NSD2": "t(4;14)", "WHSC1": "t(4;14)", "MMSET": "t(4;14)", "CCND3": "t(6;14)", "CCND1": "t(11;14)",
    "MAF": "t(14;16)", "C-MAF": "t(14;16)", "MAFB": "t(14;20)", "MYC": "MYC rearrangement",
}  # fmt: skip
LOSS, GAIN, AMPLIFICATION, MOVED = "loss", "gain", "amplification", "moved"
CHANGES = {
    AMPLIFICATION: r"amplification|amplified|amp|扩增",
    LOSS: r"deletion|deleted|del|loss|monosomy|缺失|丢失",
    GAIN: r"gains?|duplication|dup|获得|增益",
    MOVED: r"translocation|rearrangement|rearranged|fusion|易位|重排|融合",
}
BETWEEN = re.compile(r"[\s()\[\]/:,._-]|of|the|chromosome|gene|locus|region|arm|copy|number|基因|染色体|区域|位点|的", re.IGNORECASE)
TRANSLOCATION = re.compile(r"t\s*\(\s*(\d{1,2})\s*[;；:,，]\s*(\d{1,2})\s*\)\s*(?:\([pq][\dpq.;；]*\))?(?:\[[\d/]+\])?")
DELETION = re.compile(r"del\s*\((\d{1,2})\)\s*\(([pq])(\d{1,2})?(?:\.\d+)?(?:([pq])(\d{1,2})(?:\.\d+)?)?\)(?:\[[\d/]+\])?")
REGION = re.compile(r"(?<!\d)(\d{1,2})([pq])(\d{2})?(?:\.\d+)?")
GENES = re.compile(rf"(?<![A-Za-z\d])(?:{'|'.join(sorted(PLACE, key=len, reverse=True))})(?![A-Za-z\d])", re.IGNORECASE)
KARYOTYPE = re.compile(r"\d{2}(?:[~-]\d{2})?(?:<\dn[+-]?>)?,")


def region(chromosome: str, arm: str, band: str | None, change: str) -> str:
    """The name of a loss or gain of a region.

    >>> region("17", "p", "13", LOSS), region("1", "q", "21", GAIN), region("16", "q", None, LOSS)
    ('del(17p)', 'gain(1q21)', 'del(16q)')
    """
    if change == LOSS:
        whole = (chromosome, arm) == ("13", "q") or (chromosome, arm, band) == ("17", "p", "13")
        return f"del({chromosome}{arm}{'' if whole else band or ''})"
    return f"gain({chromosome}{arm}{band or ''})"


def moved(genes: Iterable[str]) -> str | None:
    """The one translocation that brings these genes to the heavy chain gene.

    >>> moved(["IGH", "NSD2"]), moved(["BCR", "ABL1"])
    ('t(4;14)', None)
    """
    pairs = {frozenset(pair) - {"IGH"} for pair in combinations(genes, 2) if "IGH" in pair}
    found = {PARTNER.get(partner) for pair in pairs for partner in pair} - {None}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=4096)
def abnormality(text: str) -> str | None:
    """The name of the one abnormality that a text names, and nothing else; None if it names none or more.

    >>> abnormality("17p13.1 deletion"), abnormality("t(14;16)(q32;q23)"), abnormality("TP53 mutation"), abnormality("t(4;14) positive")
    ('del(17p)', 't(14;16)', 'TP53 mutation', None)
    """
    known = find(text, "observation")
    if known is not None:
        return text.strip() if known.code in CYTOGENETICS else None
    if match := TRANSLOCATION.fullmatch(text.strip()):
        return _translocation(match[1], match[2])
    if match := DELETION.fullmatch(text.strip()):
        return _deleted(*match.groups())
    return _fused(text) or _in_words(text)


def _translocation(one: str, other: str) -> str:
    return f"t({';'.join(sorted((one, other), key=int))})"


def _deleted(chromosome: str, arm: str, band: str | None, to_arm: str | None, to_band: str | None) -> str:
    """del(1)(p13) is lost from the break to the end of the arm, del(1)(p31p33) between the breaks."""
    target = {("17", "p"): 13, ("1", "p"): 32}.get((chromosome, arm))
    if target is None or band is None:
        return region(chromosome, arm, band, LOSS)
    bands = sorted((int(band), int(to_band))) if to_band and to_arm == arm else [int(band), 99]
    within = bands[0] <= target <= bands[1] and (to_arm is None or to_arm == arm)
    return region(chromosome, arm, str(target) if within else band, LOSS)


def _fused(text: str) -> str | None:
    return moved(part.strip().upper() for part in re.split(r"::|/", text))


def _in_words(text: str) -> str | None:
    """`loss of 17p`, `CKS1B gain`: one region or gene and one change, with nothing else that means anything."""
    places = [PLACE[match[0].upper()] for match in GENES.finditer(text)] + [match.groups() for match in REGION.finditer(text)]
    if len(set(places)) != 1:
        return None
    rest, changes = REGION.sub(" ", GENES.sub(" ", text)), []
    for change, words in CHANGES.items():
        rest, count = re.subn(words, " ", rest, flags=re.IGNORECASE)
        changes += [change] * count
    if BETWEEN.sub("", rest) or not changes or MOVED in changes or (LOSS in changes and len(set(changes)) > 1):
        return None
    return region(*places[0], change=LOSS if LOSS in changes else GAIN)


def is_amplification(text: str) -> bool:
    """Does this say amp(1q), which leaves a gain open where it is denied? 扩增 is said of any gain.

    >>> is_amplification("amp(1q21)"), is_amplification("1q21扩增"), is_amplification("gain/amplification of 1q")
    (True, False, False)
    """
    return bool(re.search(r"(?<![a-z])amp", text, re.IGNORECASE)) and not re.search(r"gain", text, re.IGNORECASE)


def in_karyotype(text: str) -> list[str]:
    """The abnormalities of myeloma that a karyotype in ISCN shows; what it does not show may still be there.

    >>> in_karyotype("46,XX,t(11;14)(q13;q32)[4]/46,XX[16]"), in_karyotype("46,XX,?del(17)(p13)[20]"), in_karyotype("46,XY")
    (['t(11;14)'], [], [])
    """
    found = []
    for item in re.split(r"[,/](?![^(]*\))", text):
        bare = re.sub(r"\[.*?\]$", "", item.strip())
        name = "monosomy 13" if bare in ("-13", "−13") else None
        if match := TRANSLOCATION.fullmatch(bare):
            name = _translocation(match[1], match[2])
        elif match := DELETION.fullmatch(bare):
            name = _deleted(*match.groups())
        if name and known(name):
            found.append(name)
    return list(dict.fromkeys(found))


def known(name: str) -> str | None:
    """The code of the catalogue for the name of an abnormality."""
    code = find(name, "observation")
    return code.code if code is not None and code.code in CYTOGENETICS else None
