"""A cohort through a protocol: four weeks at a time the equations, and between them what doctors, chance and biology decide.

Every draw is addressed by seed, purpose, person and day, so that a person meets the same chance in every strategy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .blood import CLONES, USED, cells
from .chance import YEAR, chance, hazards, poisson, when
from .courses import MRD, Courses, Log
from .dosing import CYCLE, NONE, WEEK, Dosing, held_weeks
from .draws import uniform
from .investigator import Investigator
from .lineages import Lineages
from .measurement import assay, marrow_share, measurement, normal
from .people import People
from .position import Position
from .products import CELLS, give
from .protocols import OFF, ByMrd, Protocol, Rule, Step
from .stretch import Engine, advance

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]

MONTH = YEAR / 12
KEEP = (*USED, "il6", "sbcma", "fitness")
FRESH_MRD = 35  # days for which an MRD result decides
USUAL_LIMIT = 1e-5
FAST, FINE, FEW_CELLS = 1.5, 8, 0.01  # expansion a day above which a day has 8 steps, while there are cells (1/uL)


def run(
    people: People, protocol: Protocol, seed: int, *, every: int = WEEK, keep: Sequence[str] = KEEP, engine: Engine = "kernel"
) -> Courses:
    """Take every person through the protocol until its end, death or loss to follow-up.

    `every`: days between the states kept (a divisor of 28); `keep`: which. The course of a person depends on nothing but the protocol,
    the seed and the person; only the allocation of `randomise` looks at the others (of the same 500 numbers).
    """
    cohort = _Cohort(people, protocol, seed, keep)
    length = int(np.ceil(protocol.months * MONTH / CYCLE)) * CYCLE
    for day in range(0, length, CYCLE):
        cohort.visit(day)
        cohort.stretch(day, every, engine)
    cohort.visit(length)
    return cohort.courses(length, every)


class _Cohort:
    """The state of a run: arrays over patients."""

    def __init__(self, people: People, protocol: Protocol, seed: int, keep: Sequence[str]) -> None:
        self.people, self.protocol, self.seed, self.keep = people, protocol, seed, tuple(keep)
        self.model, self.ids = people.model, people.numbers
        n = len(people)
        self.parameters = people.parameters.copy()
        self.state = self.model.start(self.parameters)
        self.kept = [self.state[[self.model.state_index[name] for name in self.keep]][None]]
        self.peaks = [self.state[[self.model.state_index[name] for name in self.model.peaked]][None]]
        self.female = (people.table["sex"] == "female").to_numpy()
        self.kappa = (people.table["light_chain"] == "kappa").to_numpy()
        self.plasma = self._state("normal_plasma").copy()
        self.investigator = Investigator(n, protocol.progression)
        self.onward = np.full(n, "", "U80")  # where progression leads: the last step that was not `off` says so
        self.progressed, self.watched, self.followed = np.zeros(n, bool), np.ones(n, bool), np.ones(n, bool)
        self.died_on, self.last_on, self.cause = np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", "U10")
        self.paused_until = np.zeros(n)
        self.mrd_on, self.mrd_share, self.mrd_negative_since = np.full(n, -np.inf), np.full(n, np.nan), np.full(n, np.nan)
        self.samples = Log(MRD)
        self.limit = next((step.mrd.limit for step in protocol.steps if step.mrd), USUAL_LIMIT)
        self.lineages = Lineages(self.model, self.ids, seed)
        later = max(step.cycle for step in protocol.steps) * CYCLE
        self.dosing = Dosing(protocol, int(protocol.months * MONTH) + later + 3 * CYCLE)
        self.position = Position(people, protocol, self.dosing, seed, self)
        self.position.enter(np.arange(n), protocol.steps[0].key, np.zeros(n))

    def _state(self, name: str) -> Floats:
        return self.state[self.model.state_index[name]]

    @property
    def cells(self) -> Floats:
        """Myeloma cells of each patient."""
        return cells({name: self._state(name) for name in CLONES})

    def begun(self, rows: Rows, step: Step) -> None:
        """A step begins: a line has its baseline, and the parameters the values of the products."""
        if step.key == OFF:
            return
        self.onward[rows] = step.after_progression or ""
        self.investigator.restart(rows if step.line else rows[step.judged & ~self.watched[rows]])
        self.watched[rows] = step.judged
        for drug in step.regimen.drugs if step.regimen else ():
            give(drug, self.model, self.parameters, self.people.parameters, rows)

    # --- A visit: what is measured, and what follows from it

    def visit(self, day: int) -> None:
        """Measure, judge, and decide on what is known today."""
        rows = np.flatnonzero(self.followed)
        certain = self._judge(day, rows)
        if self.protocol.mrd_every and day % self.protocol.mrd_every == 0:
            self._sample(rows, day)
        self._progress(rows[certain & self.watched[rows]], day)
        self._stop_for_toxicity(day)
        self._step_down(day)
        for place, step in enumerate(self.protocol.steps):
            for rule in step.rules:
                there = np.flatnonzero(self.followed & (self.position.step == place))
                self.position.leave(there[self._holds(rule, there, day)], day, rule.go, "completed")

    def _judge(self, day: int, rows: Rows) -> Flags:
        """What the investigator makes of today's laboratory values."""
        ids = self.ids[rows]
        other = self.people.table["uninvolved_flc"].to_numpy()[rows] * self._state("normal_plasma")[rows] / self.plasma[rows]
        light = {True: "kappa_flc", False: "lambda_flc"}
        flc, kappa = self._state("involved_flc")[rows], self.kappa[rows]
        told = {which: assay(code).measured(np.where(kappa == which, flc, other), self.seed, ids, day) for which, code in light.items()}
        involved, uninvolved = np.where(kappa, told[True], told[False]), np.where(kappa, told[False], told[True])
        m = assay("serum_m_protein").measured(self._state("m_protein")[rows], self.seed, ids, day)
        ratio = involved / np.maximum(uninvolved, assay("kappa_flc").limit)
        return self.investigator.visit(day, rows, m, involved, ratio, self._aspirate(rows, day))

    def _aspirate(self, rows: Rows, day: int) -> Floats:
        """The share of myeloma cells at the place of the marrow that is sampled on a day."""
        place = measurement()["samples"]["patchiness"] * normal(self.seed, "aspirate", self.ids[rows], day)
        return np.minimum(marrow_share(self.cells[rows]) * np.exp(place), 1.0)

    def _sample(self, rows: Rows, day: int) -> None:
        """Draw an MRD sample: myeloma cells among those assayed."""
        told, ids = measurement()["samples"], self.ids[rows]
        assayed = np.round(told["ngs_cells"] * np.exp(told["cells_log_sd"] * normal(self.seed, "mrd cells", ids, day)))
        found = poisson(uniform(self.seed, "mrd", ids, day), self._aspirate(rows, day) * assayed)
        self.samples.add(rows, day=day, cells=assayed, found=found)
        self.mrd_on[rows], self.mrd_share[rows] = day, found / assayed
        negative = self.mrd_share[rows] < self.limit
        self.mrd_negative_since[rows] = np.where(negative, np.fmin(self.mrd_negative_since[rows], day), np.nan)

    def mrd(self, rows: Rows, at: Floats, by: ByMrd) -> Floats:
        """The MRD that decides on a day: the last result if it is fresh, else a sample of that day; NaN where it failed."""
        old = rows[at - self.mrd_on[rows] > FRESH_MRD]
        self._sample(old, int(at.max(initial=0)))
        failed = uniform(self.seed, "mrd failed", self.ids[rows], 0) < by.failed
        return np.where(failed, np.nan, self.mrd_share[rows])

    def _progress(self, rows: Rows, day: int) -> None:
        """Certain progression: noted, and what is given is stopped."""
        position = self.position
        position.events.add(rows, day=day, what="progression")
        self.progressed[rows] = True
        usual = np.where(position.line[rows] == 0, self.protocol.after_progression, OFF)
        onward = np.where(self.onward[rows] == "", usual, self.onward[rows])
        for to in np.unique(onward):
            position.leave(rows[onward == to], day, str(to), "progression")
        self.watched[rows[onward == OFF]] = False

    def _stop_for_toxicity(self, day: int) -> None:
        treated = [bool(step.regimen) and not step.regimen.is_cells and step.phase != "transplant" for step in self.protocol.steps]
        rows = np.flatnonzero(self.followed & np.array(treated)[self.position.step] & (self.position.entered < day))
        share = -np.expm1(-chance("toxicity_stop") * CYCLE / YEAR)
        self.position.leave(rows[uniform(self.seed, "toxicity", self.ids[rows], day) < share], day, OFF, "toxicity")

    def _step_down(self, day: int) -> None:
        """Begin the next stage of a schedule where its conditions hold."""
        position = self.position
        for number, then in enumerate(self.dosing.then):
            rows, slots = np.nonzero((position.stage == number) & self.followed[:, None] if then != NONE else np.zeros((1, 1), bool))
            if rows.size:
                ready = self._ready(number, then, rows, day - position.since[rows, slots], day)
                position.stage[rows[ready], slots[ready]], position.since[rows[ready], slots[ready]] = then, day

    def _ready(self, number: int, then: int, rows: Rows, on: Floats, day: int) -> Flags:
        needs = self.dosing.stages[then].needs
        ready = on >= WEEK * needs.get("on_schedule_weeks", 0)
        ready &= day - self.position.entered[rows] >= WEEK * needs.get("on_drug_weeks", 0)
        if "response" in needs:
            ready &= self.investigator.held_days(day, needs["response"])[rows] >= needs.get("held_months", 0) * MONTH
        if "doses" in needs:
            ready &= self.dosing.full_doses(number, on) >= needs["doses"]
        return ready

    def _holds(self, rule: Rule, rows: Rows, day: int) -> Flags:
        on = day - self.position.entered[rows]
        holds = on > 0
        if rule.months_on is not None:
            holds &= on >= rule.months_on * MONTH
        if rule.mrd_negative_months is not None:
            holds &= day - self.mrd_negative_since[rows] >= rule.mrd_negative_months * MONTH
        if rule.mrd_positive:
            holds &= (self.mrd_on[rows] > self.position.entered[rows]) & (self.mrd_share[rows] >= self.limit)
        if rule.lost_cr:
            holds &= self.investigator.lost_cr()[rows]
        if rule.response is not None:
            holds &= self.investigator.held_days(day, rule.response)[rows] >= 0
        return holds

    # --- Four weeks of biology

    def stretch(self, day: int, every: int, engine: Engine) -> None:
        """Who lives through the four weeks, what they are given, and what becomes of their disease."""
        rows = np.flatnonzero(self.followed)
        before = self.state.copy()
        until, why = self._fates(rows, day)
        values, peaks = self._solve(rows, self._amounts(rows, day, until), day, every, engine)
        over = until < day + CYCLE
        self._end(rows[over], until[over], why[over])
        self.lineages.settle(before, self.state, rows, self.parameters[self.model.parameter_index["birth"], rows], day + CYCLE, CYCLE)
        self.kept.append(self._spread(rows, values, day, every))
        self.peaks.append(self._spread(rows, peaks, day, every))

    def _solve(self, rows: Rows, amounts: Floats, day: int, every: int, engine: Engine) -> tuple[Floats, Floats]:
        """The equations for four weeks, in finer steps for those whose CAR-T cells expand fast: states kept and peaks."""
        times = CYCLE // every
        values, peaks = np.empty((times, len(self.keep), rows.size)), np.empty((times, len(self.model.peaked), rows.size))
        fast = self._fast(rows, amounts)
        for fineness, mine in ((None, np.flatnonzero(~fast)), (FINE if engine == "kernel" else None, np.flatnonzero(fast))):
            here = rows[mine]
            own, start = np.arange(mine.size, dtype=np.int32), np.full(mine.size, day, np.int32)
            self.state[:, here], values[:, :, mine], peaks[:, :, mine] = advance(
                self.model, self.dosing.doses(amounts[mine]), self.state[:, here], self.parameters[:, here], own, start, day, CYCLE, every,
                engine, keep=self.keep, fineness=fineness,
            )  # fmt: skip
        return values, peaks

    def _fast(self, rows: Rows, amounts: Floats) -> Flags:
        """Who has CAR-T cells that may expand faster than the usual step follows?"""
        index = self.model.parameter_index
        rate = self.parameters[index["t_fitness"], rows] * self.parameters[index["car_expansion"], rows]
        given = amounts[:, :, self.dosing.dosed.index(CELLS)].any(axis=1) if CELLS in self.dosing.dosed else np.zeros(rows.size, bool)
        return (given | (self._state(CELLS)[rows] > FEW_CELLS)) & (rate > FAST)

    def _amounts(self, rows: Rows, day: int, until: Floats) -> Floats:
        """What each of these patients is given in the four weeks from `day`, steps that end in them before `until` included."""
        position, weight = self.position, self.parameters[self.model.parameter_index["weight"]]
        amounts = np.zeros((self.ids.size, CYCLE, len(self.dosing.dosed)))
        begin, stop = np.full(self.ids.size, float(day)), np.full(self.ids.size, np.inf)
        stop[rows] = np.minimum(until, day + CYCLE)
        held = np.zeros((self.ids.size, CYCLE), bool)
        held[rows] = held_weeks(self.seed, self.ids[rows], day, CYCLE, position.entered[rows], self.paused_until[rows])
        left = rows
        while left.size:
            end = np.minimum(position.ends[left], stop[left])
            for slot in range(self.dosing.width):
                stage, since = position.stage[left, slot], position.since[left, slot]
                self.dosing.add(amounts, left, stage, since, begin[left], end, day, weight[left], held[left])
            begin[left] = end
            left = left[position.ends[left] < stop[left]]
            position.finish(left)
        return amounts[rows]

    def _fates(self, rows: Rows, day: int) -> tuple[Floats, NDArray[np.str_]]:
        """The day on which each of these dies or is lost, and why (beyond the four weeks from `day`: not in them).

        Severe infections of the four weeks are noted. Rates are those of the first day.
        """
        ids, count = self.ids[rows], self.cells[rows]
        burden = count / (count + self.parameters[self.model.parameter_index["burden_half"], rows])
        age = self.people.table["age"].to_numpy()[rows] + day / YEAR
        igg, neutrophils = self._state("normal_igg")[rows], self._state("neutrophils")[rows]
        rate = hazards(age, self.female[rows], igg, neutrophils, burden, self.progressed[rows])
        infection = when(rate.infection, uniform(self.seed, "infection", ids, day))
        fatal = uniform(self.seed, "infection kills", ids, day) < chance("infection_death")
        ways = {
            "infection": np.where(fatal, infection, np.inf),
            "myeloma": when(rate.myeloma, uniform(self.seed, "death of myeloma", ids, day)),
            "other": when(rate.other, uniform(self.seed, "death of another cause", ids, day)),
            "lost": when(np.full(rows.size, chance("dropout") / YEAR), uniform(self.seed, "lost to follow-up", ids, day)),
        }
        each = np.array(list(ways.values()))
        soonest = each.min(axis=0)
        ill = (infection < CYCLE) & (infection <= soonest)
        self.position.events.add(rows[ill], day=day + np.floor(infection[ill]), what="infection", grade=np.where(fatal[ill], 5, 3))
        self.paused_until[rows[ill]] = day + infection[ill] + chance("infection_pause")
        return day + np.floor(soonest), np.array(list(ways))[each.argmin(axis=0)]

    def _end(self, rows: Rows, at: Floats, why: NDArray[np.str_]) -> None:
        """The last day of these patients: lost to follow-up, or dead of a cause."""
        lost = why == "lost"
        self.position.events.add(rows[lost], day=at[lost], what="lost_to_follow_up")
        self.died_on[rows[~lost]], self.cause[rows[~lost]] = at[~lost], why[~lost]
        self.last_on[rows], self.followed[rows] = at, False
        for whose, reason in ((~lost, "death"), (lost, None)):
            self.position.note(rows[whose], at[whose], reason)

    def _spread(self, rows: Rows, values: Floats, day: int, every: int) -> Floats:
        """Values of those followed as values of everybody, none after the last day."""
        whole = np.full((*values.shape[:2], self.ids.size), np.nan)
        whole[:, :, rows] = values
        for number in range(values.shape[0]):
            whole[number, :, self.last_on < day + (number + 1) * every] = np.nan
        return whole

    def courses(self, length: int, every: int) -> Courses:
        """The courses, when the run is over."""
        on = np.flatnonzero(self.followed)
        self.position.note(on, np.full(on.size, float(length)), None)
        self.last_on[on] = length
        return Courses(
            people=self.people, protocol=self.protocol, seed=self.seed, days=np.arange(0, length + 1, every), kept=self.keep,
            states=np.concatenate(self.kept), peaked=self.model.peaked, peaks=np.concatenate(self.peaks),
            given=self.position.given.frame().sort("place", "started", maintain_order=True),
            events=self.position.events.frame().sort("place", "day", maintain_order=True), mrd=self.samples.frame(), arm=self.position.arm,
            arm_on=self.position.arm_on, died_on=self.died_on, cause=self.cause, last_on=self.last_on, extinct=self.lineages.extinct,
        )  # fmt: skip
