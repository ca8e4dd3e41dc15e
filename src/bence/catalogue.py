"""The catalogue: one row of `catalogue.csv` for every code that may stand in a chart or a finding.

A code has a grain: where it may stand.

    observation  patient  treatment  column    what a chart is written in
    drug  procedure  event                     what may be given or may happen
    value                                      a category, with its label
    finding                                    a column of the findings

A code may have several grains: `iss` recorded is an observation, derived it is a finding.
LOINC codes are used under the LOINC licence (loinc.org); ATC codes are those of the WHO Collaborating Centre.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .errors import UsageError

Bounds = tuple[float, float, bool, bool]  # low, high, low is open, high is open


@dataclass(frozen=True, eq=False)
class Code:
    """One row of the catalogue.

    `low` and `high` are the plausible range in `unit`, both included: a value outside is a slip.
    `intervals`: what a word means in numbers, e.g. gain_1q `positive` is [3, inf).
    `sets`: a word that stands for several categories, e.g. del_1p32 `positive` is monoallelic or biallelic.
    `other_units`: accepted units and the factor into `unit`.
    """

    code: str
    grain: str
    grains: tuple[str, ...]
    kind: str
    unit: str
    categories: tuple[str, ...]
    intervals: dict[str, Bounds]
    sets: dict[str, tuple[str, ...]]
    low: float | None
    high: float | None
    en: str
    zh: str
    aliases: tuple[str, ...]
    loinc: tuple[str, ...]
    snomed: tuple[str, ...]
    atc: tuple[str, ...]
    rxnorm: tuple[str, ...]
    drug_class: str
    target: tuple[str, ...]
    other_units: dict[str, float]

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that may stand in `text` for this code."""
        return (*self.categories, *self.sets)

    @property
    def numeric(self) -> bool:
        """May `value` hold a number?"""
        return self.kind == "number" or self.low is not None

    def label(self, lang: str = "en") -> str:
        """The label in English (`en`) or Chinese (`zh`)."""
        return self.zh if lang.startswith("zh") else self.en


def _split(text: str, sep: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(sep) if part.strip())


def _bounds(text: str) -> Bounds:
    """`[0,3)` as (0, 3, False, True)."""
    low, high = text[1:-1].split(",")
    return float(low), float(high), text[0] == "(", text[-1] == ")"


def _number(text: str) -> float | None:
    return float(text) if text else None


def _parse(row: dict[str, str]) -> Code:
    categories: list[str] = []
    intervals: dict[str, Bounds] = {}
    sets: dict[str, tuple[str, ...]] = {}
    for part in _split(row["categories"], ";"):
        name, _, meaning = part.partition("=")
        if meaning and meaning[0] not in "[(":
            sets[name] = _split(meaning, "|")
            continue
        categories.append(name)
        if meaning:
            intervals[name] = _bounds(meaning)
    units = (unit.partition("=") for unit in _split(row["other_units"], ";"))
    grains = _split(row["grain"], "|")
    return Code(
        code=row["code"], grain=grains[0], grains=grains, kind=row["kind"], unit=row["unit"],
        categories=tuple(categories), intervals=intervals, sets=sets,
        low=_number(row["low"]), high=_number(row["high"]), en=row["en"], zh=row["zh"],
        aliases=_split(row["aliases"], "|"), loinc=_split(row["loinc"], "|"),
        snomed=_split(row["snomed"], "|"),
        atc=_split(row["atc"], "|"), rxnorm=_split(row["rxnorm"], "|"), drug_class=row["drug_class"],
        target=_split(row["target"], "|"), other_units={name: float(factor) for name, _, factor in units},
    )  # fmt: skip


@cache
def codes() -> dict[str, Code]:
    """Every code, in the order of the catalogue."""
    text = (files("bence") / "catalogue.csv").read_text(encoding="utf-8")
    return {row["code"]: _parse(row) for row in csv.DictReader(text.splitlines())}


@cache
def codes_of(*grains: str) -> dict[str, Code]:
    """The codes of one grain or of several, e.g. `codes_of("drug", "procedure")`."""
    return {name: code for name, code in codes().items() if not set(grains).isdisjoint(code.grains)}


def code(name: str, *grains: str) -> Code:
    """The code of exactly this name; UsageError with the nearest right name if there is none."""
    known = codes_of(*grains) if grains else codes()
    if name in known:
        return known[name]
    kind = " or ".join(grains) if grains else "catalogue"
    raise UsageError(f"there is no {kind} code {name!r}", nearest=nearest_code(name, *grains))


def label(name: str, lang: str = "en") -> str:
    """The label of a code, or the name itself if it is not in the catalogue."""
    known = codes().get(name)
    return known.label(lang) if known else name


GREEK = str.maketrans(
    {
        "κ": "kappa",
        "λ": "lambda",
        "β": "b",
        "ß": "b",
        "α": "a",
        "γ": "g",
        "μ": "u",
        "−": "-",
        "–": "-",
        "—": "-",
    }
)
JOINTS = re.compile(r"[\s_.,:;()\[\]{}'\"·、，。；：（）【】/\\|]+|(?<=\w)-(?=\w)")


@cache
def fold(text: str) -> str:
    """A spelling without what does not matter: width, case, spaces, inner punctuation, Greek letters.

    >>> fold("β2-微球蛋白 "), fold("IL-6") == fold("il6"), fold("17p-")
    ('b2微球蛋白', True, '17p-')
    """
    return JOINTS.sub("", unicodedata.normalize("NFKC", text).lower().translate(GREEK))


def spellings(code: Code) -> tuple[str, ...]:
    """All spellings a code is known by: its name, labels and aliases."""
    return (code.code, code.en, code.zh, *code.aliases)


@cache
def _folded(grains: tuple[str, ...]) -> dict[str, Code]:
    """Folded spelling to code; the name of a code wins over an alias of another."""
    known = (codes_of(*grains) if grains else codes()).values()
    names = {fold(code.code): code for code in known}
    for code in known:
        for spelling in spellings(code):
            names.setdefault(fold(spelling), code)
    return names


def find(text: str, *grains: str) -> Code | None:
    """The code that a spelling (Chinese or English, any case or width) stands for, among the grains given.

    >>> find("血红蛋白", "observation").code, find("万珂", "drug").code, find("FreeLite")
    ('hemoglobin', 'bortezomib', None)
    """
    return _folded(grains).get(fold(text))


@cache
def _words(name: str) -> dict[str, str]:
    """Folded spelling to category, for one code."""
    words = codes()[name].words
    found = {fold(word): word for word in words}
    for word in words:
        for spelling in spellings(codes()[word]) if word in codes() else ():
            found.setdefault(fold(spelling), word)
    swaps = {"yes": "positive", "no": "negative"} if "negative" in words else {"positive": "yes", "negative": "no"}
    for other, word in swaps.items():
        if word in words and other not in words:
            for spelling in spellings(codes()[other]):
                found.setdefault(fold(spelling), word)
    if set(words) <= {"yes", "no", "positive", "negative"}:
        found |= {"1": swaps.get("yes", "yes"), "0": swaps.get("no", "no")}
    return found


def word(text: str, code: Code) -> str | None:
    """The category of a code that a spelling stands for, or None; two categories side by side (`I-II`) are none.

    >>> word("阳性", code("t_4_14")), word("有", code("new_lesion")), word("maybe", code("new_lesion")), word("I-II", code("iss"))
    ('positive', 'yes', None, None)
    """
    words, folded = _words(code.code), fold(text)
    parts = [words.get(fold(part)) for part in JOINTS.split(unicodedata.normalize("NFKC", text)) if part]
    one_name = any(fold(name) == folded and JOINTS.search(name) for name in code.words)  # low-intermediate
    meant = words.get(folded)
    return meant if len(parts) < 2 or None in parts or {*parts} == {meant} or one_name else None


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like this one, or None if nothing is like it."""
    from rapidfuzz import fuzz, process, utils

    choices = list(names)
    match = process.extractOne(name, choices, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=60)
    return match[0] if match else None


def nearest_code(text: str, *grains: str) -> str | None:
    """The code whose name, label or alias is most like this spelling."""
    names = _folded(grains)
    match = nearest(fold(text), names)
    return names[match].code if match else None
