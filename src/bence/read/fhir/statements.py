"""The result of a FISH panel in words → what it says of each abnormality.

    del(17p): positive (35%); t(4;14) not detected; 1q21 gain, 3 copies
    Negative for t(4;14), t(14;16) and t(14;20).
    17p缺失 阳性(35%)，t(4;14) 阴性；未见IGH/MAF、IGH/MAFB

An abnormality alone, with nothing said of it, is not taken: in some reports it was found, in others it was looked for.
"""

from __future__ import annotations

import re
from typing import Any

from ..units import Refused, plain
from .abnormalities import abnormality, is_amplification, known
from .documents import Json
from .values import text_of
from .variants import Doubt, Stated

PANEL = re.compile(r"\bi?fish\b|in situ hybridi[sz]ation|荧光原位杂交|原位杂交|cytogenetic|细胞遗传", re.IGNORECASE)
NO = (
    r"not (?:detected|identified|seen|found|present|observed)|negative|neg|absent|undetected|none detected|normal|阴性|未见异常|未见"
    r"|未检出|未检测到|未发现|正常|\(-\)|-"
)
YES = r"positive|pos|detected|present|identified|seen|found|observed|阳性|检出|可见|存在|\(\+\)|\+"
ANSWER = re.compile(
    rf"(?:(?P<no>{NO})|(?P<yes>{YES}))?\s*[(,]?\s*(?:in\s+|占)?(?:(?P<share>[<>≤≥]?\s*\d+(?:\.\d+)?\s*%)"
    r"(?:\s*of)?(?:\s*(?:the|plasma|tumou?r|abnormal|cells|nuclei))*|(?P<copies>\d+(?:\.\d+)?)\s*(?:copies|个?拷贝))?\s*\)?",
    re.IGNORECASE,
)
LIST = re.compile(
    r"(?:(?P<no>negative for|no evidence (?:of|for)|no|absence of|未见|未检出|未发现|阴性\s*[:：])"
    r"|(?P<yes>positive for|evidence (?:of|for)|presence of|detected\s*:|阳性\s*[:：]))\s*(?P<names>.+)",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[;；。\n]+(?![^()（）]*[)）])|\.\s+|\.$")
COMMA = re.compile(r"[,，、](?![^()（）]*[)）])")
JOINED = re.compile(r"[,，、](?![^()（）]*[)）])|\s+(?:and|or)\s+|和|或|及")
WITHIN = re.compile(r"[A-Za-z]{2}|[0-9]{2}")  # no name ends within a word or a number
NAME_LETTERS = 60
EXPECTED = "an abnormality and its result, such as 't(4;14): negative'"


def is_panel(concept: Any) -> bool:
    """Is this a FISH or cytogenetic examination, by its names?"""
    codings = (concept.get("coding") or ()) if isinstance(concept, dict) else ()
    names = [text_of(concept), *(each.get("display") for each in codings if isinstance(each, dict))]
    return any(PANEL.search(name) for name in names if isinstance(name, str))


def in_words(resource: Json) -> tuple[list[Stated], list[Doubt]]:
    """What the value of a panel says, if it is a text, and what of it is not understood; nothing at all where no part is."""
    text = resource.get("valueString") or text_of(resource.get("valueCodeableConcept"))
    stated: list[Stated] = []
    doubts: list[Doubt] = []
    for sentence in SENTENCE.split(text) if isinstance(text, str) else ():
        found, unknown = _sentence(sentence.strip())
        stated += found
        doubts += unknown
    return stated, doubts if stated else []


def _sentence(text: str) -> tuple[list[Stated], list[Doubt]]:
    match = LIST.fullmatch(text)
    names = [part.strip() for part in JOINED.split(match["names"])] if match else []
    if match and names and all(map(_name, names)):
        results = [_judged(name, name, "negative" if match["no"] else "positive") for name in names]
    else:
        results = [_statement(part) for part in _parts(text)]
    return [each for each in results if isinstance(each, Stated)], [each for each in results if isinstance(each, Doubt)]


def _parts(text: str) -> list[str]:
    """The statements of a sentence: `1q21 gain, 3 copies` is one, though there is a comma in it."""
    parts: list[str] = []
    for part in filter(None, (piece.strip() for piece in COMMA.split(text))):
        if parts and _name(parts[-1]) and ANSWER.fullmatch(plain(part)):
            parts[-1] = f"{parts[-1]}: {part}"
        else:
            parts.append(part)
    return parts


def _name(text: str) -> str | None:
    name = abnormality(text)
    return name if name and known(name) else None


def _statement(text: str) -> Stated | Doubt:
    """A name and what is said of it: the longest beginning that is a name."""
    for end in range(min(len(text), NAME_LETTERS), 2, -1):
        if WITHIN.fullmatch(text[end - 1 : end + 1]) or _name(head := text[:end].rstrip(" :：=")) is None:
            continue
        rest = re.sub(r"^(?:is|was|by fish)\b|^[-–—]\s+(?=\w)", "", text[end:].strip(" :：=,，"), flags=re.IGNORECASE).strip()
        return _judged(text, head, rest)
    return Doubt("Observation.value", text, Refused("no result of an abnormality that is known", EXPECTED))


def _judged(text: str, head: str, rest: str) -> Stated | Doubt:
    name = abnormality(head)
    assert name is not None
    match, code = ANSWER.fullmatch(plain(rest)), known(name)
    if not rest:
        return Doubt("Observation.value", text, Refused("not said whether it was found", EXPECTED))
    if match is None or not any(match.groups()):
        return Doubt("Observation.value", text, Refused("not said clearly whether it was found", EXPECTED))
    if match["no"]:
        if code == "gain_1q" and is_amplification(head):
            return Doubt("Observation.value", text, Refused("where there is no amplification, there may be a gain", "copies of 1q21"))
        return Stated(name, "negative")
    if code == "gain_1q" and match["copies"]:
        return Stated(name, match["copies"])
    if code == "del_17p" and match["share"]:
        return Stated(name, match["share"])
    if match["yes"]:
        return Stated(name, "amplification" if code == "gain_1q" and is_amplification(head) else "positive")
    return Doubt("Observation.value", text, Refused("a number alone is no result of it", EXPECTED))
