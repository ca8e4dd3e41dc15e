"""The facts that the pathway asks about: what each is called, how it is settled, and whether its absence is ever written down."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from ..catalogue import codes, label
from .conditions import Atom, Condition

LABEL = "label_"  # of an option: may it be given under the label of the region?
LABEL_WORDS = {
    "on_label": ("within its label", "适应证内"),
    "off_label": ("outside its label", "超适应证"),
    "not_approved": ("not approved here on this day", "当时当地未获批准"),
    "unverified": ("not verified as approved", "批准情况未核实"),
}
STANCE = {
    "for": ("for", "支持"), "against": ("against", "不支持"), "blocked": ("blocked", "禁止"), "unknown": ("unknown", "待定"),
    "": ("no option", "不作为选项"),
}  # fmt: skip
SIGNS = {
    "=": ("is", "为"), "!=": ("is not", "不是"), "<": ("below", "<"), "<=": ("at most", "≤"), ">": ("above", ">"), ">=": ("at least", "≥"),
}  # fmt: skip
ITS = {  # facts of the option itself, as the tables write them
    "its.refractory": ("refractory to a drug in it", "对其中某药耐药"),
    "its.exposed": ("it was given before", "曾用过该产品"),
    "its.label": ("its use", "当地获批情况"),
}
DENIED = {"曾用": "未用过", "已": "未", "患者拒绝": "患者未拒绝", "目前不宜": "无目前不宜"}
LABEL_ASKS = ("what its label asks for: lines, earlier drugs, eligibility for transplant", "适应证所要求的线数、既往用药与移植适合性")
YES_NO = {"yes": ("yes", "是"), "no": ("no", "否")}


@dataclass(frozen=True)
class Fact:
    """A fact: its label and the test that settles it, each in English and Chinese."""

    name: str
    kind: Literal["flag", "category", "number"]
    words: tuple[str, str]
    test: tuple[str, str]
    answers: Mapping[str, tuple[str, str]]
    unit: str
    always: bool  # says what is on record, and is never unknown
    bedside: bool  # charts rarely record its absence: nothing recorded counts as no, and is to be confirmed


@cache
def vocabulary() -> Mapping[str, Fact]:
    """Every fact by name, but for the labels of options."""
    home = files("bence.advise")
    told = [tomllib.loads(home.joinpath(*path).read_text("utf-8")) for path in (("facts", "facts.toml"), ("setting.toml",))]
    return {name: _fact(name, of) for table in told for name, of in table.items()}


def _fact(name: str, of: Mapping) -> Fact:
    words = (of["en"], of["zh"])
    test = of.get("test", {})
    answers = {word: (said["en"], said["zh"]) for word, said in of.get("words", {}).items()}
    tests = (test.get("en", words[0]), test.get("zh", words[1]))
    always, bedside = (of.get(kind, False) for kind in ("always_known", "absent_unless_recorded"))
    return Fact(name, of["kind"], words, tests, answers, of.get("unit", ""), always, bedside)


def known(name: str) -> bool:
    """Is there such a fact?"""
    return name in vocabulary() or name.startswith(LABEL)


def said(name: str, lang: str = "en") -> str:
    """What a fact is called."""
    name = "its.label" if name.startswith(LABEL) else name
    return (ITS[name] if name in ITS else vocabulary()[name].words)[lang == "zh"]


def settles(name: str, lang: str = "en") -> str:
    """The test that would settle a fact."""
    if name.startswith(LABEL):
        return LABEL_ASKS[lang == "zh"]
    return vocabulary()[name].test[lang == "zh"] if name in vocabulary() else said(name, lang)


def answer(name: str, word: str, lang: str = "en") -> str:
    """An answer to a fact in words."""
    zh = lang == "zh"
    for table in (vocabulary()[name].answers if name in vocabulary() else LABEL_WORDS, YES_NO):
        if word in table:
            return table[word][zh]
    return label(word, lang) if word in codes() else word


def condition(asked: Condition, lang: str = "en") -> str:
    """A condition in words."""
    return (" or " if lang == "en" else "或").join(_atom(atom, lang) for atom in asked.atoms)


def _atom(atom: Atom, lang: str) -> str:
    zh = lang == "zh"
    name = said(atom.fact, lang)
    if atom.words in (("yes",), ("no",)):
        holds = (atom.words == ("yes",)) == (atom.op == "=")
        return name if holds else _denied(name) if zh else f"not: {name}"
    if atom.bound is not None:
        value = f"{atom.bound:g}" if isinstance(atom.bound, float) else str(atom.bound)
    else:
        value = ("、" if zh else " or ").join(answer(atom.fact, word, lang) for word in atom.words)
    sign = SIGNS[atom.op][zh]
    return f"{name}{sign}{value}" if zh and atom.bound is None else f"{name} {sign} {value}"


def _denied(name: str) -> str:
    """The Chinese of a flag that is no: its own verb is denied where it has one."""
    if name.endswith("耐药"):
        return f"{name.removesuffix('耐药')}不耐药"
    return next((denied + name.removeprefix(verb) for verb, denied in DENIED.items() if name.startswith(verb)), f"非{name}")


def words_of(name: str) -> tuple[str, ...]:
    """The words that a category can be; empty where they are not listed."""
    fact = vocabulary()[name]
    return tuple(fact.answers) or (codes()[name].categories if name in codes() else ())
