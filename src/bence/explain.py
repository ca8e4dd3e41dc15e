"""Asking why: the answer of a rule as a tree of rules, quantities, values, dates and sources.

The tree comes from the same exploration that gives the answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from .catalogue import codes
from .derive import Derived, allowed, begin, derive
from .interval import Interval
from .known import Answer, Known
from .rulebook import Rule, Rulebook, Vary
from .tree import Start, in_order


@dataclass(frozen=True)
class Value:
    """What is known of an input: when, where it was read (`labs.csv:14`) and how it was `shown` there.

    `note`: how it came to be known if nobody recorded it (`calculated`), in English and Chinese.
    """

    known: Known
    on: dt.date | str | None = None
    where: str | None = None
    shown: str | None = None
    note: tuple[str, str] | None = None


@dataclass(frozen=True)
class Why:
    """One line of the explanation, and what it rests on.

    `kind` is `rule`, `quantity` or `input`. `answers` are those left of a rule; of a quantity or input,
    `shown` is what is known (empty: unknown). `used` is False if nothing asked for it on any path.
    `recorded` is the recorded answer of a rule, `conflict` tells that it was overruled. `note` says how a value
    came to be known that nobody recorded. `changed` lists what a what-if changed: name, now, before.
    """

    name: str
    kind: str
    en: str
    zh: str
    answers: tuple[Answer, ...] = ()
    shown: str = ""
    unit: str = ""
    source: str = ""
    on: str | None = None
    where: str | None = None
    used: bool = True
    recorded: str | None = None
    conflict: bool = False
    settled_by: Mapping[str, Answer | None] = field(default_factory=dict)
    changed: tuple[tuple[str, str, str], ...] = ()
    note: tuple[str, str] | None = None
    children: tuple[Why, ...] = ()

    @property
    def answer(self) -> Answer | None:
        """The only answer, or None."""
        return self.answers[0] if len(self.answers) == 1 else None

    def label(self, lang: str = "en") -> str:
        """The label in English (`en`) or Chinese (`zh`)."""
        return self.zh if lang.startswith("zh") and self.zh else self.en


def explain(
    rule: Rule,
    inputs: Mapping[str, Value | Known],
    *,
    vary: Vary | None = None,
    what_if: Mapping[str, Value | Known] | None = None,
) -> Why:
    """Why `rule` has its answer on `inputs`: values, and recorded answers of rules; anything else is ignored.

    `vary` changes thresholds, `what_if` values: the tree is that of the changed case and names the changes.
    """
    needed = rule.book.inputs(rule.name)
    before = {name: _value(value) for name, value in inputs.items() if name in needed}
    values = before | {name: _value(value) for name, value in (what_if or {}).items() if name in needed}
    known = {name: value.known for name, value in values.items()}
    varied = rule.vary(**(vary or {}).get(rule.name, {}))
    done: dict[str, Derived] = {}
    return _Explainer(rule.book, values, known, before, vary, done).rule(varied, derive(rule, known, vary, done), True)


def _value(value: Value | Known) -> Value:
    return value if isinstance(value, Value) else Value(value)


@dataclass(frozen=True)
class _Explainer:
    book: Rulebook
    values: Mapping[str, Value]
    known: Mapping[str, Known]
    before: Mapping[str, Value]
    vary: Vary | None
    done: dict[str, Derived]

    def rule(self, rule: Rule, derived: Derived, used: bool, inside: Derived | None = None) -> Why:
        """A rule; `inside` is the exploration it was a part of, if it was not solved apart."""
        recorded = self.values.get(rule.name)
        was = self.book.rules[rule.name].thresholds
        changed = tuple((name, str(now), str(was[name])) for name, now in derived.rule.thresholds.items() if now != was[name])
        children = [self.need(need, inside or derived, used) for need in rule.needs]
        return Why(
            rule.name, "rule", rule.label, rule.zh,
            answers=tuple(in_order(derived.answers)), source=rule.source, used=used,
            recorded=_shown(allowed(recorded.known), ()) if recorded and recorded.known is not None else None,
            on=_date(recorded), where=recorded.where if recorded else None,
            conflict=rule.name in derived.conflicts, settled_by=derived.settled_by(), changed=changed,
            children=tuple(sorted(children, key=lambda child: not child.used)),
        )  # fmt: skip

    def need(self, name: str, derived: Derived, used: bool) -> Why:
        used = used and name in derived.looked
        if name in self.book.rules:
            part = derived.parts.get(name)
            rule = self.book.rules[name]
            return self.rule(rule, part or derive(rule, self.known, self.vary, self.done), used, None if part else derived)
        if name in self.book.quantities:
            return self.quantity(name, used)
        return self.input(name, used)

    def quantity(self, name: str, used: bool) -> Why:
        quantity = self.book.quantities[name]
        node = self.input(name, used)
        children = tuple(self.quantity(need, used) if need in self.book.quantities else self.input(need, used) for need in quantity.needs)
        shown = _shown(begin(self.book, name, self.known), quantity.domain)
        if not node.shown and shown[:1] in tuple("≥>≤<") and not all(child.shown for child in children):
            shown = ""  # a bound that holds of everybody
        taken = node.note if shown == node.shown else None  # else its parts are known, and stand
        recorded = None if node.note else node.shown or None
        return replace(
            node, kind="quantity", en=quantity.label, zh=quantity.zh or node.zh, shown=shown, unit=quantity.unit,
            source="" if taken else quantity.source, recorded=recorded, children=() if taken else children,
            note=taken or (CALCULATED if shown and shown != recorded else None),
        )  # fmt: skip

    def input(self, name: str, used: bool) -> Why:
        value, code = self.values.get(name), codes().get(name)
        before = self.show(name, self.before.get(name))
        shown = self.show(name, value)
        return Why(
            name, "input", code.en if code else name, code.zh if code else "",
            shown=shown, unit=code.unit if code else "", on=_date(value),
            where=value.where if value else None, used=used,
            changed=((name, shown, before),) if value is not self.before.get(name) else (),
            note=value.note if value else None,
        )  # fmt: skip

    def show(self, name: str, value: Value | None) -> str:
        """What is known of an input as a doctor writes it; empty if nothing is."""
        if value is None or value.known is None:
            return ""
        if value.shown is not None:
            return value.shown
        if isinstance(value.known, str):
            return value.known
        return _shown(_interval_or_words(value.known), self.book.domain(name))


def _interval_or_words(known: Known) -> Any:
    if isinstance(known, bool):
        return ("yes",) if known else ("no",)
    if isinstance(known, (int, float)):
        return Interval(known, known) if known == known else None
    return known if isinstance(known, Interval) else tuple(known or ())


def _shown(known: Any, domain: Start | tuple[()]) -> str:
    """A value, a range or the words that are left."""
    if known is None or known == domain:
        return ""
    if not isinstance(known, Interval):
        return " or ".join(sorted({word if isinstance(word, str) else _word(word) for word in known}))
    lowest = domain.lo if isinstance(domain, Interval) else -inf
    lo, hi = number(known.lo), number(known.hi)
    if known.exact:
        return lo
    if known.lo == -inf or (known.lo == lowest and not known.lo_open):
        return f"{'<' if known.hi_open else '≤'}{hi}" if known.hi < inf else ""
    if known.hi == inf:
        return f"{'>' if known.lo_open else '≥'}{lo}"
    return f"{lo}–{hi}"


def number(x: float) -> str:
    """A number as a report prints it: four digits, of a larger number all before the point."""
    return f"{x:.0f}" if abs(x) >= 1000 else f"{x:.4g}"


def _word(answer: Answer) -> str:
    return ("no", "yes")[answer] if isinstance(answer, bool) else str(answer)


def _date(value: Value | None) -> str | None:
    return str(value.on) if value is not None and value.on is not None else None


CALCULATED = ("calculated", "计算值")
UNITS: dict[str, tuple[str, str]] = {
    "umol/L": ("µmol/L", "μmol/L"), "ug/L": ("µg/L", "μg/L"), "cells/uL": ("cells/µL", "个/μL"), "cm2": ("cm²", "cm²"),
    "10^9/L": ("×10⁹/L", "×10⁹/L"), "mg/24h": ("mg/24 h", "mg/24h"), "mL/24h": ("mL/24 h", "mL/24h"),
    "copies": ("copies", "拷贝"), "years": ("years", "年"), "times the upper limit": ("times the upper limit", "倍正常上限"),
    "degC": ("°C", "℃"),
}  # fmt: skip
WORDS = {
    "en": {
        "unknown": "unknown", "or": " or ", "and": ", ", "notes": "; ", "unused": "  (not needed)", "above": "  (see above)",
        "idle": "not needed: {}", "recorded": "recorded {}", "overruled": "recorded {} overruled", "instead": "{} = {} instead of {}",
        "settle": "would settle it: {}",
    },
    "zh": {
        "unknown": "未知", "or": " 或 ", "and": "、", "notes": "；", "unused": "  （不影响结果）", "above": "  （见上）",
        "idle": "不影响结果：{}", "recorded": "记录 {}", "overruled": "记录为 {}，与数据不符，以推导为准", "instead": "{0} 由 {2} 改为 {1}",
        "settle": "补充后可确定：{}",
    },
}  # fmt: skip


def unit_said(unit: str, lang: str) -> str:
    """A unit as it is printed: `µmol/L`."""
    return UNITS[unit][lang.startswith("zh")] if unit in UNITS else unit


def render(tree: Why, lang: str = "en") -> str:
    """The tree as text, one line each, what it rests on indented below; `lang` is `en` or `zh`.

    What was told once is not told again, and what did not matter is named in one line.
    """
    return "\n".join(_lines(tree, "zh" if lang.startswith("zh") else "en", "", set()))


def _lines(why: Why, lang: str, indent: str, told: set[str]) -> Iterable[str]:
    words = WORDS[lang]
    again = why.name in told
    above = again and bool(why.children)
    notes = [text for text in _notes(why, lang) if text]
    note = f"  [{words['notes'].join(notes)}]" if notes and not again else ""
    yield f"{indent}{_head(why, lang)}{note}{words['above'] if above else ''}"
    if not indent and len(why.answers) > 1:
        asked = words["and"].join(_name(name, lang) for name in why.settled_by)
        yield f"  {words['settle'].format(asked)}"
    if above:
        return
    told.add(why.name)
    for child in why.children:
        if child.used:
            yield from _lines(child, lang, indent + "  ", told)
    idle = [child for child in why.children if not child.used]
    if len(idle) == 1:
        yield f"{indent}  {_head(idle[0], lang)}{words['unused']}"
    elif idle:
        names = words["and"].join(child.label(lang) if lang == "zh" else child.name for child in idle)
        yield f"{indent}  {words['idle'].format(names)}"


def _head(why: Why, lang: str) -> str:
    return f"{why.label(lang) if lang == 'zh' else why.name} = {_says(why, lang)}"


def _name(name: str, lang: str) -> str:
    code = codes().get(name)
    return code.zh if code and lang == "zh" else name


def _says(why: Why, lang: str) -> str:
    words = WORDS[lang]
    if why.kind == "rule" and why.answers != (False, True):
        return words["or"].join(_spoken(_word(answer), lang) for answer in why.answers)
    if not why.shown:
        return words["unknown"]
    said = words["or"].join(_spoken(word, lang) for word in why.shown.split(" or "))
    if not said[-1].isdigit():
        return said
    return f"{said} {unit_said(why.unit, lang)}".rstrip()


def _spoken(word: str, lang: str) -> str:
    """A category in the language of the reader."""
    code = codes().get(word)
    return code.label(lang) if code and "value" in code.grains else word


def _notes(why: Why, lang: str) -> Iterable[str]:
    words = WORDS[lang]
    yield why.source
    for name, now, before in why.changed:
        yield words["instead"].format(name, now or words["unknown"], before or words["unknown"])
    if why.note and not why.changed:
        yield why.note[lang == "zh"]
    date = ", ".join(text for text in (why.on, why.where) if text)
    if why.kind == "input":
        yield words["recorded"].format(date) if date else ""
    elif why.recorded is not None:
        said = f"{_spoken(why.recorded, lang)} {date}".rstrip()
        yield words["overruled" if why.conflict else "recorded"].format(said)
