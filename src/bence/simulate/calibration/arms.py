"""One arm of a trial in virtual people, counted as the trial counts: everybody who was assigned, judged by the rules of `bence.assess`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from ...assess import assess
from ...assess.survival import kaplan_meier
from ...errors import UsageError
from ..course import MONTH, run
from ..endpoints import SHARES
from ..model import Model
from ..people import People
from ..position import ALLOCATED_TOGETHER
from ..protocols import OFF, Protocol, protocol_names, read_protocol
from ..records import records
from ..trial import counted, enrolled, judged
from .targets import Target

ALL = "all"
TOGETHER = 3_000  # people run as one cohort
SPARE = 2  # numbers kept for the people of one model, for each that may enter
SHORT = 2  # months of follow-up beyond the last target, so that it can be confirmed
EXPRESSIONS = {name: holds for name, threshold, holds in SHARES if threshold is None}
EXPRESSIONS |= {name: pl.col(name) for name in ("mrd_1e5", "mrd_1e6")}
EXPRESSIONS["mrd_1e5_with_cr"] = pl.col("mrd_1e5") & EXPRESSIONS["cr_or_better"]
BELOW_AT_BRANCH = ("a", "b")  # the arms of MIDAS for MRD below 1e-5 after induction


@cache
def arm_protocol(trial: str, arm: str) -> Protocol:
    """The protocol like this trial in which everybody is assigned to the arm (`all`: as it is), with nothing after progression."""
    for key in protocol_names():
        found = read_protocol(key)
        if found.trial == trial and (arm in found.arms or arm == ALL):
            own = {step.key for step in found.steps if step.arm == arm}
            steps = (replace(step, randomise={key: share for key, share in step.randomise.items() if key in own} or step.randomise)
                     for step in found.steps)  # fmt: skip
            return replace(found, steps=tuple(steps), after_progression=OFF)
    raise UsageError(f"there is no protocol with the arm {arm!r} of {trial!r}")


def arm_shares(models: Sequence[Model], targets: Sequence[Target], n: int, seed: int) -> list[dict[str, float]]:
    """The share of each target of one arm under each model, from `n` new people a model."""
    protocol = arm_protocol(targets[0].trial, targets[0].arm)
    needed = max(target.months or 0 for target in targets) + SHORT
    protocol = replace(protocol, months=needed if all(target.months for target in targets) else max(protocol.months, needed))
    together = max(1, TOGETHER // n)
    parts = [(first, models[first : first + together]) for first in range(0, len(models), together)]
    return [shares for first, some in parts for shares in _shares(some, first, protocol, targets, n, seed)]


def _shares(
    models: Sequence[Model], first: int, protocol: Protocol, targets: Sequence[Target], n: int, seed: int
) -> list[dict[str, float]]:
    """The shares under some models, run as one cohort: each has people of its own, drawn about its values."""
    apart = SPARE * ALLOCATED_TOGETHER * -(-n // ALLOCATED_TOGETHER)
    parts = [_joined(enrolled(protocol, n, seed, model, first=(first + place) * apart)) for place, model in enumerate(models)]
    courses = run(_joined(parts), protocol, seed)
    patients = judged(courses, counted(protocol, assess(records(courses))))
    ends = np.cumsum([len(part) for part in parts]).tolist()
    each = [patients[end - len(part) : end] for end, part in zip(ends, parts, strict=True)]
    return [{target.key: _share(target, own) for target in targets} for own in each]


def _joined(parts: Iterable[People]) -> People:
    """Several groups of people as one."""
    parts = list(parts)
    return replace(parts[0], table=pl.concat([part.table for part in parts]), parameters=np.hstack([part.parameters for part in parts]))


def _share(target: Target, patients: pl.DataFrame) -> float:
    if target.measure in EXPRESSIONS:
        return float(patients.select(EXPRESSIONS[target.measure].mean()).item())
    if target.measure == "mrd_1e5_after_induction":
        return float(patients.select(pl.col("arm").is_in(BELOW_AT_BRANCH).fill_null(False).mean()).item())
    assert target.months is not None, target.key
    curve = kaplan_meier(patients["pfs_days"].to_numpy(), patients["pfs_event"].to_numpy())
    return curve.free_at(target.months * MONTH)
