"""One arm of a trial in virtual people, counted as the trial counts: everybody who was assigned, judged by the rules of `bence.assess`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import polars as pl

from ...assess import assess
from ...assess.survival import kaplan_meier
from ...chart import join
from ...errors import UsageError
from ..course import MONTH, run
from ..courses import Courses
from ..endpoints import SHARES
from ..model import Model
from ..protocols import OFF, Protocol, protocol_names, read_protocol
from ..records import records
from ..trial import counted, enrolled, judged
from .targets import Target

ALL = "all"
SHORT = 2  # months of follow-up beyond the last target, so that it can be confirmed
EXPRESSIONS = {name: holds for name, threshold, holds in SHARES if threshold is None}
EXPRESSIONS |= {name: pl.col(name) for name in ("mrd_1e5", "mrd_1e6")}
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
    courses = [_run(protocol, n, seed, place, model) for place, model in enumerate(models)]
    findings = counted(protocol, assess(join([records(each) for each in courses])))
    return [{target.key: _share(target, patients) for target in targets} for patients in (judged(each, findings) for each in courses)]


def _run(protocol: Protocol, n: int, seed: int, place: int, model: Model) -> Courses:
    """New people for each model, told apart by the number of the model before their own."""
    people = next(enrolled(protocol, n, seed + place, model))
    named = people.table.with_columns(patient=pl.lit(f"{place}-") + pl.col("patient"))
    return run(replace(people, table=named), protocol, seed + place)


def _share(target: Target, patients: pl.DataFrame) -> float:
    if target.measure in EXPRESSIONS:
        return float(patients.select(EXPRESSIONS[target.measure].mean()).item())
    if target.measure == "mrd_1e5_after_induction":
        return float(patients.select(pl.col("arm").is_in(BELOW_AT_BRANCH).fill_null(False).mean()).item())
    assert target.months is not None, target.key
    curve = kaplan_meier(patients["pfs_days"].to_numpy(), patients["pfs_event"].to_numpy())
    return curve.free_at(target.months * MONTH)
