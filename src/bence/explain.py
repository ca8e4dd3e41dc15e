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
    """What is recorded of an input, when, where it was read (`labs.csv:14`) and how it was `shown` there."""

    known: Known
    on: dt.date | str | None = None
    where: str | None = None
    shown: str | None = None


@dataclass(frozen=True)
class Why:
    """One line of the explanation, and what it rests on.

    `kind` is `rule`, `quantity` or `input`. `answers` are those left of a rule; of a quantity or input,
    `shown` is what is known (empty: unknown). `used` is False if nothing asked for it on any path.
    `recorded` is the recorded answer of a rule, `conflict` tells that it was overruled. `changed` lists
    what a what-if changed: name, now, before.
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
    return _Explainer(rule.book, values, known, before, vary).rule(varied, derive(rule, known, vary), True)


def _value(value: Value | Known) -> Value:
    return value if isinstance(value, Value) else Value(value)


@dataclass(frozen=True)
class _Explainer:
    book: Rulebook
    values: Mapping[str, Value]
    known: Mapping[str, Known]
    before: Mapping[str, Value]
    vary: Vary | None

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
            return self.rule(rule, part or derive(rule, self.known, self.vary), used, None if part else derived)
        if name in self.book.quantities:
            return self.quantity(name, used)
        return self.input(name, used)

    def quantity(self, name: str, used: bool) -> Why:
        quantity = self.book.quantities[name]
        node = self.input(name, used)
        children = tuple(self.quantity(need, used) if need in self.book.quantities else self.input(need, used) for need in quantity.needs)
        shown = _shown(begin(self.book, name, self.known), quantity.domain, digits=4)
        return replace(
            node, kind="quantity", en=quantity.label, zh=quantity.zh or node.zh, shown=shown,
            unit=quantity.unit, source=quantity.source, recorded=node.shown or None, children=children,
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


def _shown(known: Any, domain: Start | tuple[()], digits: int = 9) -> str:
    """A value, a range or the words that are left."""
    if known is None or known == domain:
        return ""
    if not isinstance(known, Interval):
        return " or ".join(sorted({word if isinstance(word, str) else _word(word) for word in known}))
    lowest = domain.lo if isinstance(domain, Interval) else -inf
    lo, hi = _number(known.lo, digits), _number(known.hi, digits)
    if known.exact:
        return lo
    if known.lo == -inf or (known.lo == lowest and not known.lo_open):
        return f"{'<' if known.hi_open else '≤'}{hi}" if known.hi < inf else ""
    if known.hi == inf:
        return f"{'>' if known.lo_open else '≥'}{lo}"
    return f"{lo}–{hi}"


def _number(x: float, digits: int) -> str:
    return str(float(f"{x:.{digits}g}"))


def _word(answer: Answer) -> str:
    return ("no", "yes")[answer] if isinstance(answer, bool) else str(answer)


def _date(value: Value | None) -> str | None:
    return str(value.on) if value is not None and value.on is not None else None


WORDS = {
    "en": {
        "unknown": "unknown",
        "or": " or ",
        "and": ", ",
        "unused": "  (not needed)",
        "recorded": "recorded {}",
        "overruled": "recorded {} overruled",
        "instead": "{} = {} instead of {}",
        "settle": "would settle it: {}",
    },
    "zh": {
        "unknown": "未知",
        "or": " 或 ",
        "and": "、",
        "unused": "  （不影响结果）",
        "recorded": "记录 {}",
        "overruled": "记录为 {}，与数据不符，以推导为准",
        "instead": "{0} 由 {2} 改为 {1}",
        "settle": "补充后可确定：{}",
    },
}


def render(tree: Why, lang: str = "en") -> str:
    """The tree as text, one line each, what it rests on indented below; `lang` is `en` or `zh`."""
    return "\n".join(_lines(tree, "zh" if lang.startswith("zh") else "en", ""))


def _lines(why: Why, lang: str, indent: str) -> Iterable[str]:
    words = WORDS[lang]
    notes = [text for text in _notes(why, lang) if text]
    note = f"  [{'; '.join(notes)}]" if notes else ""
    name = why.label(lang) if lang == "zh" else why.name
    yield f"{indent}{name} = {_says(why, lang)}{note}{'' if why.used else words['unused']}"
    if not indent and len(why.answers) > 1:
        asked = words["and"].join(_name(name, lang) for name in why.settled_by)
        yield f"  {words['settle'].format(asked)}"
    for child in why.children:
        yield from _lines(child, lang, indent + "  ")


def _name(name: str, lang: str) -> str:
    code = codes().get(name)
    return code.zh if code and lang == "zh" else name


def _says(why: Why, lang: str) -> str:
    if why.kind == "rule" and why.answers != (False, True):
        return WORDS[lang]["or"].join(_spoken(_word(answer), lang) for answer in why.answers)
    if not why.shown:
        return WORDS[lang]["unknown"]
    said = WORDS[lang]["or"].join(_spoken(word, lang) for word in why.shown.split(" or "))
    return f"{said} {why.unit}".rstrip() if said[-1].isdigit() else said


def _spoken(word: str, lang: str) -> str:
    """A category in the language of the reader."""
    code = codes().get(word)
    return code.zh if lang == "zh" and code and "value" in code.grains else word


def _notes(why: Why, lang: str) -> Iterable[str]:
    words = WORDS[lang]
    yield why.source
    for name, now, before in why.changed:
        yield words["instead"].format(name, now or words["unknown"], before or words["unknown"])
    date = ", ".join(text for text in (why.on, why.where) if text)
    if why.kind == "input":
        yield words["recorded"].format(date) if date else ""
    elif why.recorded is not None:
        said = f"{_spoken(why.recorded, lang)} {date}".rstrip()
        yield words["overruled" if why.conflict else "recorded"].format(said)
