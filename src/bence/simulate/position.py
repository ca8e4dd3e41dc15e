"""Where each patient is in a protocol: the step, its schedules and its end; how one step follows another; what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as Shape

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .courses import EVENTS, GIVEN, Log
from .dosing import NONE, Dosing
from .draws import uniform
from .measurement import normal
from .people import People
from .protocols import OFF, ByMrd, Protocol, Step

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
ALLOCATED_TOGETHER = 500  # people whose randomisation is balanced together; batches are multiples of it
BATCH = 10 * ALLOCATED_TOGETHER  # people drawn and carried on together


class Host(Shape):
    """Who runs the cohort: told of every step that begins, and asked for MRD (share of cells; NaN where the sample failed)."""

    begun: Callable[[Rows, Step], None]
    mrd: Callable[[Rows, Floats, ByMrd], Floats]


class Position:
    """The step of each patient, since when and until when, the stage of each of its schedules, arm and line."""

    def __init__(self, people: People, protocol: Protocol, dosing: Dosing, seed: int, host: Host) -> None:
        self.people, self.protocol, self.dosing, self.seed, self.host = people, protocol, dosing, seed, host
        n = len(people)
        self.step = np.full(n, protocol.place(OFF))
        self.entered, self.ends = np.zeros(n), np.full(n, np.inf)
        self.stage = np.full((n, dosing.width), NONE)
        self.since = np.zeros((n, dosing.width))
        self.line = np.zeros(n, int)
        self.arm, self.arm_on = np.full(n, "", "U40"), np.full(n, np.nan)
        self.given, self.events = Log(GIVEN), Log(EVENTS)

    def leave(self, rows: Rows, at: float | Floats, to: str, reason: str) -> None:
        """End the step of these patients on a day, and begin another."""
        if rows.size:
            days = np.broadcast_to(np.asarray(at, float), rows.size)
            self.note(rows, days, reason)
            self.enter(rows, to, days)

    def enter(self, rows: Rows, to: str, at: Floats) -> None:
        """Begin a step, and all that it sends on at once."""
        if not rows.size:
            return
        place = self.protocol.place(to)
        step = self.protocol.steps[place]
        self.step[rows], self.entered[rows] = place, at
        if step.arm:
            self.arm[rows], self.arm_on[rows] = step.arm, at
        self.line[rows] += step.line
        if step.event:
            self.events.add(rows, day=at, what=step.event)
        spread = np.exp(step.spread * normal(self.seed, f"length {step.key}", self.people.numbers[rows], 0))
        self.ends[rows] = np.inf if step.days is None else np.round(at + step.days * spread)
        self.stage[rows], self.since[rows] = self.dosing.first[place], (at - self.dosing.offset[place])[:, None]
        self.host.begun(rows, step)
        if step.decides:
            self._decide(rows, step, at)

    def finish(self, rows: Rows) -> None:
        """End the steps whose time is over."""
        for place in np.unique(self.step[rows]):
            step, here = self.protocol.steps[place], rows[self.step[rows] == place]
            lost = np.zeros(here.size, bool)
            if step.lost:
                lost = uniform(self.seed, f"lost {step.key}", self.people.numbers[here], 0) < step.lost.share
                self.events.add(here[lost], day=self.ends[here[lost]], what=step.lost.event)
                self.leave(here[lost], self.ends[here[lost]], step.lost.to, "completed")
            self.leave(here[~lost], self.ends[here[~lost]], step.next, "completed")

    def note(self, rows: Rows, at: Floats, reason: str | None) -> None:
        """Write down what was given in the step of these patients until a day (`reason` None: it goes on)."""
        for place in np.unique(self.step[rows]):
            step = self.protocol.steps[place]
            if not step.regimen:
                continue
            for slot, drug in enumerate(step.regimen.drugs):
                first, last = self.dosing.span(int(self.dosing.first[place, slot]), int(self.dosing.offset[place]))
                begun = (self.step[rows] == place) & (self.entered[rows] + first <= at)
                here, entered, until = rows[begun], self.entered[rows[begun]], at[begun]
                ended = np.minimum(until, np.inf if last is None else entered + last)
                complete = ended < until
                self.given.add(
                    here, arm=self.arm[here], step=step.key, regimen=step.regimen.name, drug=drug, phase=step.phase,
                    line=self.line[here], started=entered + first, reason=np.where(complete, "completed", reason or ""),
                    stopped=np.where(complete | (reason is not None), ended, np.nan),
                )  # fmt: skip

    def _decide(self, rows: Rows, step: Step, at: Floats) -> None:
        """Send patients on by MRD or by chance."""
        if step.mrd:
            share = self.host.mrd(rows, at, step.mrd)
            failed, below = np.isnan(share), share < step.mrd.limit
            for to, whose in ((step.mrd.unknown, failed), (step.mrd.below, below), (step.mrd.above, ~below & ~failed)):
                self.enter(rows[whose], to, at[whose])
            return
        ways = step.randomise or step.split
        drawn = self._allocated(rows, step) if step.randomise else uniform(self.seed, f"split {step.key}", self.people.numbers[rows], 0)
        chosen = np.searchsorted(np.cumsum(list(ways.values())) / sum(ways.values()), drawn, side="right")
        for number, to in enumerate(ways):
            mine = chosen == number
            if step.randomise:
                self.events.add(rows[mine], day=at[mine], what="randomisation", text=to)
            self.enter(rows[mine], to, at[mine])

    def _allocated(self, rows: Rows, step: Step) -> Floats:
        """Numbers from 0 to 1 that are even in every block of people of one stratum: permuted blocks."""
        numbers = self.people.numbers[rows]
        size = 2 * round(sum(step.randomise.values()) / min(step.randomise.values()))
        drawn = pl.Series("drawn", uniform(self.seed, f"randomise {step.key}", numbers, 0))
        strata = self.people.table[rows].select(*step.by, drawn, together=pl.Series(numbers // ALLOCATED_TOGETHER))
        names = (*step.by, "together")
        blocks = strata.with_columns(block=pl.int_range(pl.len()).over(names) // size)
        place = pl.col("drawn").rank("ordinal") - 1 + pl.col("drawn")  # the last block of a stratum may not be full
        return blocks.select((place / pl.len()).over(*names, "block")).to_series().to_numpy()
