"""The schedules of a protocol as arrays: what each patient is given on each day of a stretch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .chance import chance
from .draws import uniform
from .products import product
from .protocols import Protocol
from .regimens import Stage
from .stretch import Doses

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
NONE = -1
CYCLE = 28
WEEK = 7
FIRST_WEEKS = 21  # days from the start of a regimen in which no dose is held: step-up doses


class Dosing:
    """Every stage of every drug of a protocol, numbered; a patient has up to `width` drugs at once, each on its own clock.

    `first[step, slot]` is the first stage of the slot's drug, `then[stage]` the stage it is stepped down to (-1: none).
    """

    def __init__(self, protocol: Protocol, horizon: int) -> None:
        self.protocol, self.horizon = protocol, horizon
        self.width = max((len(step.regimen.drugs) for step in protocol.steps if step.regimen), default=0)
        self.first = np.full((len(protocol.steps), self.width), NONE)
        self.stages: list[Stage] = []
        self.then: list[int] = []
        for place, step in enumerate(protocol.steps):
            for slot, stages in enumerate(step.regimen.drugs.values() if step.regimen else ()):
                self.first[place, slot] = len(self.stages)
                self.stages += stages
                self.then += [*range(len(self.then) + 1, len(self.stages)), NONE]
        self.offset = np.array([(step.cycle - 1) * CYCLE for step in protocol.steps])
        self.dosed = tuple(dict.fromkeys(product(stage.drug).state for stage in self.stages))
        self.state = [self.dosed.index(product(stage.drug).state) for stage in self.stages]
        self.once = [all(give.of is None for give in stage.give) for stage in self.stages]
        self.amounts = np.array([stage.amounts(horizon) for stage in self.stages]).reshape(len(self.stages), horizon)

    def full_doses(self, stage: int, days: Floats) -> NDArray[np.int64]:
        """How many doses of the full size a stage has given after so many days."""
        given = np.cumsum(self.amounts[stage] == self.amounts[stage].max())
        return given[np.clip(days.astype(int), 0, self.horizon - 1)]

    def span(self, stage: int, begin: int) -> tuple[int, int | None]:
        """First and last day with a dose from day `begin` of a schedule on, counted from there; None: it goes on to the horizon."""
        given = np.flatnonzero(self.amounts[stage, begin:])
        if not given.size:
            return 0, 0
        return int(given[0]), None if given[-1] > self.horizon - begin - 2 * CYCLE else int(given[-1])

    def add(
        self, to: Floats, rows: Places, stage: Places, since: Floats, begin: Floats, end: Floats, day: int, weight: Floats, held: Flags
    ) -> None:
        """Add to `to[patient, day, state]`, which begins on `day`, what stage number `stage` gives `rows` from day `begin` to before `end`.

        `since`: the day on which day 0 of the stage's schedule lies; `weight`: kg; `held[row, day]`: treatment is held, which does not
        concern what is given once (cells, what is given before them, high-dose melphalan). Arrays are those of the rows.
        """
        days = day + np.arange(to.shape[1])
        for number in np.unique(stage[stage != NONE]):
            mine = np.flatnonzero(stage == number)
            local = (days - since[mine, None]).astype(int)
            now = (days >= begin[mine, None]) & (days < end[mine, None]) & (local >= 0)
            given = self.amounts[number][np.clip(local, 0, self.horizon - 1)] * now
            if self.stages[number].per_kg:
                given = given * weight[mine, None]
            to[rows[mine], :, self.state[number]] += given if self.once[number] else given * ~held[mine]

    def doses(self, amounts: Floats) -> Doses:
        """The doses of a stretch for the engine: each patient a regimen of their own."""
        return Doses(amounts, self.dosed)


def held_weeks(seed: int, people: NDArray[np.int64], day: int, days: int, entered: Floats, paused_until: Floats) -> Flags:
    """Is the treatment of each patient held on each day of a stretch? [patient, day]

    By chance, a week at a time, but not in the first three weeks since `entered`; and until `paused_until` after a severe infection.
    """
    weeks = [uniform(seed, "held week", people, day + start) < chance("held_week") for start in range(0, days, WEEK)]
    by_chance = np.repeat(np.array(weeks).T, WEEK, axis=1)[:, :days]
    each = day + np.arange(days)
    return (by_chance & (each >= entered[:, None] + FIRST_WEEKS)) | (each < paused_until[:, None])
