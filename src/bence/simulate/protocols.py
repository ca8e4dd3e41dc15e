"""Protocols as data: who is enrolled, which step follows which, and what decides it.

The files are `protocols/*.toml`. A protocol is a list of steps. A step gives a regimen (or nothing) for some days or until something ends
it, or decides at once: by MRD, by chance, by randomisation. What decides is only what is known on that day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ..catalogue import nearest
from ..errors import ChartError, UsageError
from ..evidence import record
from .regimens import Regimen, regimen

OFF = "off"
PHASES = ("induction", "transplant", "consolidation", "maintenance", "bridging", "lymphodepletion", "treatment")
RESPONSES = ("PR", "VGPR", "CR")


@dataclass(frozen=True)
class Rule:
    """All that is named must hold at a visit; then the patient goes to the step `go`."""

    go: str
    months_on: float | None = None
    mrd_negative_months: float | None = None
    mrd_positive: bool = False
    lost_cr: bool = False
    response: str | None = None


@dataclass(frozen=True)
class Lost:
    """A share of those who reach the end of a step go elsewhere, with an event of the chart."""

    share: float
    to: str
    event: str


@dataclass(frozen=True)
class ByMrd:
    """Where MRD sends a patient: a limit, and a step for a result below it, not below it, and for a sample that failed."""

    limit: float
    below: str
    above: str
    unknown: str
    failed: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step. `days`: its length (None: until a rule or a progression ends it), log-normal between patients with `spread`.

    `cycle`: where in the regimen's schedule it begins (cycles of 28 days). `line`: a new line of therapy begins. `event`: what is noted
    on its first day. `judged`: is progression looked for? `randomise` and `split` decide by chance at once, the first with a note and
    balanced within `by`.
    """

    key: str
    next: str = OFF
    regimen: Regimen | None = None
    cycle: int = 1
    days: float | None = None
    spread: float = 0.0
    phase: str = "treatment"
    arm: str | None = None
    line: bool = False
    event: str | None = None
    lost: Lost | None = None
    mrd: ByMrd | None = None
    randomise: Mapping[str, float] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    split: Mapping[str, float] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    after_progression: str | None = None
    judged: bool = True

    @property
    def decides(self) -> bool:
        """Does it send everybody on at once?"""
        return bool(self.mrd or self.randomise or self.split)

    def goes(self) -> Iterable[str]:
        """Every step it can lead to."""
        yield from (self.next, *self.randomise, *self.split, *(rule.go for rule in self.rules))
        yield from (self.lost.to,) if self.lost else ()
        yield from (self.mrd.below, self.mrd.above, self.mrd.unknown) if self.mrd else ()
        yield from (self.after_progression,) if self.after_progression else ()


@dataclass(frozen=True)
class Protocol:
    """A protocol. `trial`: the record of the evidence base it is like; `months`: how long each is followed.

    `measurable`: only people with measurable disease may enter. `mrd_every`: days between MRD samples (None: only where a step needs
    one). `progression`: `imwg` or, for smouldering myeloma, `active`. `after_progression`: the step of the first relapse.
    """

    key: str
    name: Mapping[str, str]
    population: str
    patients: int
    months: float
    steps: tuple[Step, ...]
    trial: str | None = None
    measurable: bool = True
    mrd_every: int | None = None
    progression: str = "imwg"
    after_progression: str = OFF

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in the order of the file."""
        return tuple(dict.fromkeys(step.arm for step in self.steps if step.arm))

    def place(self, key: str) -> int:
        """The number of a step."""
        return next(i for i, step in enumerate(self.steps) if step.key == key)


@cache
def protocol_names() -> tuple[str, ...]:
    """The protocols there are."""
    names = (file.name for file in files("bence.simulate").joinpath("protocols").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def read_protocol(name: str) -> Protocol:
    """A protocol by its name; UsageError with the nearest name if there is none, ChartError if its file is wrong."""
    key = name.strip().casefold().replace(" ", "-")
    if key not in protocol_names():
        expected = ", ".join(protocol_names())
        raise UsageError(f"there is no protocol {name!r}", expected=expected, nearest=nearest(key, protocol_names()))
    text = files("bence.simulate").joinpath("protocols", f"{key}.toml").read_text("utf-8")
    return parse_protocol(key, tomllib.loads(text))


def parse_protocol(key: str, text: Mapping[str, Any]) -> Protocol:
    """A protocol from what its file holds; ChartError if a step leads nowhere or something has a name that is not known."""
    steps = text.get("step", [])
    names = [step["key"] for step in steps] + [OFF]
    for i, step in enumerate(steps):
        step.setdefault("next", OFF if "days" not in step else names[i + 1])
    try:
        made = tuple(_step(step) for step in steps)
        protocol = Protocol(key=key, steps=(*made, Step(OFF)), **{name: value for name, value in text.items() if name != "step"})
    except TypeError as error:  # a field that no class has
        raise ChartError(str(error), where=f"protocols/{key}.toml", expected="the fields of a protocol and its steps") from None
    _check(protocol)
    return protocol


def _step(text: Mapping[str, Any]) -> Step:
    given = dict(text)
    given["regimen"] = regimen(text["regimen"]) if "regimen" in text else None
    given["lost"] = Lost(**text["lost"]) if "lost" in text else None
    given["mrd"] = ByMrd(**text["mrd"]) if "mrd" in text else None
    given["rules"] = tuple(Rule(**rule) for rule in text.get("rules", ()))
    given["by"] = tuple(text.get("by", ()))
    return Step(**given)


def _check(protocol: Protocol) -> None:
    where = f"protocols/{protocol.key}.toml"
    names = [step.key for step in protocol.steps]
    if len(set(names)) < len(names):
        raise ChartError("two steps have the same key", where=where, expected=f"keys that differ, and not {OFF!r}")
    for step in protocol.steps:
        for target in (*step.goes(), protocol.after_progression):
            if target not in names:
                raise ChartError(f"step {step.key!r} leads to {target!r}, which is not there", where=where, nearest=nearest(target, names))
        if step.phase not in PHASES:
            raise ChartError(f"there is no phase {step.phase!r}", where=where, nearest=nearest(step.phase, PHASES))
    if protocol.progression not in ("imwg", "active"):
        raise ChartError(f"there is no progression {protocol.progression!r}", where=where, expected="imwg or active")
    if protocol.trial:
        record(protocol.trial)
