"""Charts that lie on the edges of the rules for lines: treatments and events only, made from `pick` (`random.choice` will do)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from response_charts import happened, person, to_chart, treated

DAY_ONE = date(2010, 1, 1)
STEPS = [
    0, 0, 1, 2, 3, 7, 8, 14, 20, 27, 28, 29, 30, 40, 59, 60, 61, 80, 89, 90, 91, 100, 119, 120, 121, 149, 150, 151, 179, 180, 181,
    200, 239, 240, 241, 300, 364, 365, 366, 500, 900,
]  # fmt: skip
LENGTHS = [None, None, 0, 3, 4, 14, 21, 28, 60, 90, 91, 120, 150, 180, 240, 300, 400, 400, 800, 1200]
FIRST = ["bortezomib", "lenalidomide", "thalidomide", "cyclophosphamide", "carfilzomib", "ixazomib", "melphalan", "doxorubicin"]
LATE = ["pomalidomide", "daratumumab", "isatuximab", "selinexor", "venetoclax", "bendamustine", "elotuzumab", "belantamab_mafodotin"]
ODD = ["interferon", "etoposide", "cisplatin", "fludarabine", "investigational", "other_antimyeloma", "vincristine", "talquetamab"]
STEROIDS = ["dexamethasone", "dexamethasone", "prednisone"]
REASONS = [*[None] * 8, "completed", "toxicity", "toxicity", "choice", "other", "progression", "progression", "death"]
PLANNED = [*[None] * 10, True, True, False]
PHASES = [*[None] * 10, "induction", "consolidation", "maintenance", "transplant", "treatment"]
NEVER = ["filgrastim", "zoledronic_acid", "immunoglobulin", "donor_lymphocytes", "stem_cell_collection", "surgery"]
Pick = Callable[[Any], Any]


def chart_of_one(pick: Pick, name: str = "p") -> dict:
    """The chart of one patient."""
    return Course(pick, name).chart


def cohort(seed: int, size: int) -> list[dict]:
    """The charts of many patients, from one number."""
    pick = random.Random(seed).choice
    return [chart_of_one(pick, f"p{number:05d}") for number in range(size)]


def day(number: int | None) -> date | None:
    return None if number is None else DAY_ONE + timedelta(days=number)


class Course:
    """The chart of one patient while it is being drawn."""

    def __init__(self, pick: Pick, name: str) -> None:
        self.pick, self.now = pick, 0
        self.given: list[str] = []
        self.chart = {"patient": person(name), "observations": [], "treatments": [], "events": []}
        moves = [
            *[self.regimen] * 8, *[self.again] * 4, *[self.transplant] * 3, *[self.progression] * 3, *[self.maintenance] * 2,
            self.cells, self.bispecific, self.steroid, self.radiotherapy, self.never, self.undated, self.twice,
        ]  # fmt: skip
        known = self.pick([True, False])  # half the charts say nothing but drugs and dates
        self.reasons, self.plans, self.phases = (REASONS, PLANNED, PHASES) if known else ([None],) * 3
        for _ in range(self.pick([1, 2, 3, 4, 4, 5, 6, 7])):
            self.pick(moves)()
            self.now += self.pick(STEPS)
            self.go_to_an_edge()

    def go_to_an_edge(self) -> None:
        """Sometimes the next thing happens a certain time after a stop, or after something began."""
        dated = [row for row in self.chart["treatments"] if row["started_on"]]
        if not dated or self.pick([True, False]):
            return
        row = self.pick(dated)
        from_day = row["stopped_on"] if row["stopped_on"] and self.pick([True, True, False]) else row["started_on"]
        self.now = max(0, (from_day - DAY_ONE).days + self.pick(STEPS))

    def add(self, what: str, start: int | None, stop: int | None = None, **known) -> None:
        row = treated(day(start), what, stopped_on=day(stop), **known)
        self.chart["treatments"].append({**row, "source": f"t.csv:{len(self.chart['treatments']) + 2}"})

    def drug(self, what: str, start: int, length: int | None) -> None:
        stop = None if length is None else start + length
        known = {"planned": self.pick(self.plans), "phase": self.pick(self.phases)}
        self.add(what, start, stop, stop_reason=self.pick(self.reasons) if stop is not None else None, **known)
        self.given.append(what)

    def regimen(self) -> None:
        length = self.pick(LENGTHS)
        for _ in range(self.pick([1, 1, 2, 2, 3])):
            drug = self.pick(self.pick([FIRST, FIRST, FIRST, LATE, ODD]))
            self.drug(drug, self.now + self.pick([0, 0, 0, 0, 1, 27, 28, 29]), self.pick([length, length, *LENGTHS]))
        if self.pick([True, False]):
            self.steroid(self.pick([0, 0, 0, -1, -7, -8, 1, 28, 29]))

    def again(self) -> None:
        for drug in {self.pick(self.given) for _ in range(2)} if self.given else ():
            self.drug(drug, self.now, self.pick(LENGTHS))
        if self.pick([True, False]):
            self.steroid()

    def maintenance(self) -> None:
        self.drug(self.pick(["lenalidomide", "lenalidomide", "bortezomib", "ixazomib", "thalidomide"]), self.now, self.pick(LENGTHS))

    def steroid(self, later: int = 0) -> None:
        start = self.now + later
        self.add(self.pick(STEROIDS), start, self.pick([None, start, start + 4, start + 100, start + 300]))

    def transplant(self) -> None:
        if self.pick([True, False, False]):
            start = self.now - self.pick([2, 40, 60, 61])
            self.add(self.pick(["cyclophosphamide", "etoposide"]), start, start + 2)
        if self.pick([True, False]):
            self.add("melphalan", self.now - 2, self.now + self.pick([-2, -1, 0, 1, 2]))
        stop = self.pick([None, None, self.now, self.now + 20])
        phase, planned = self.pick(self.phases), self.pick(self.plans)
        what = self.pick(["autologous_transplant", "autologous_transplant", "autologous_transplant", "allogeneic_transplant"])
        if self.pick([True, True, True, False]):
            self.add(what, self.now, stop, planned=planned, phase=phase)

    def cells(self) -> None:
        infused = self.now + self.pick([30, 45, 149, 150, 151])
        if self.pick([True, True, False]):
            self.add("apheresis", self.now)
        if self.pick([True, False]):
            phase = self.pick([None, "bridging"])
            start = self.now + self.pick([0, 5, 10])
            self.add(self.pick(["pomalidomide", "talquetamab", "cyclophosphamide"]), start, start + 14, phase=phase)
            self.add("dexamethasone", start, start + 14, phase=phase)
        if self.pick([True, True, False]):
            start, phase = infused - self.pick([5, 14, 15]), self.pick([None, None, "lymphodepletion"])
            for drug in ("fludarabine", "cyclophosphamide"):
                self.add(drug, start, start + 2, phase=phase)
        if self.pick([True, True, True, False]):  # the cells may never come
            self.add(self.pick(["cilta_cel", "eque_cel", "car_t"]), infused, planned=self.pick(self.plans))
            self.now = infused

    def bispecific(self) -> None:
        what = self.pick(["teclistamab", "elranatamab"])
        for phase, start, stop in (("step_up", 0, 7), (None, 7, 180), (None, 180, None)):
            self.add(what, self.now + start, None if stop is None else self.now + stop, phase=phase)

    def progression(self) -> None:
        what = self.pick(["progression", "relapse_clinical", "relapse_biochemical"])
        self.chart["events"].append(happened(day(self.now), what, text=self.pick([None, None, None, "none"])))

    def radiotherapy(self) -> None:
        self.add(self.pick(["radiotherapy", "radiotherapy", "total_body_irradiation"]), self.now, self.now + 10)

    def never(self) -> None:
        self.add(self.pick(NEVER), self.now, self.now + self.pick([0, 400]))

    def undated(self) -> None:
        self.add(self.pick(FIRST), None, self.now)

    def twice(self) -> None:
        self.chart["treatments"] += [dict(row) for row in self.chart["treatments"][-1:]]


VR, LATE_VR = [("bortezomib", 0, 400), ("lenalidomide", 0, 400)], [("bortezomib", 700, 1400), ("lenalidomide", 700, 1400)]
INDUCTION = [("bortezomib", 0, 84), ("lenalidomide", 0, 84)]
#: For each number in the rules: courses with a day on either side of it, between which the answer changes.
EDGES: dict[str, tuple[tuple[int, int], Callable[[int], list[tuple]]]] = {
    "early": ((28, 29), lambda x: [*VR, ("daratumumab", x, 400)]),
    "window": ((365, 366), lambda x: [*VR, ("cyclophosphamide", x, 400)]),
    "gap": ((239, 240), lambda x: [*VR, ("bortezomib", 400 + x, 700)]),
    "resumed": ((180, 181), lambda x: [*VR, ("lenalidomide", 400, 800), ("bortezomib", 400 + x, 800), ("lenalidomide", 400 + x, 800),
                                       ("dexamethasone", 400 + x, 800)]),
    "tandem": ((180, 181), lambda x: [*INDUCTION, ("autologous_transplant", 110, 110), ("autologous_transplant", 110 + x, 110 + x)]),
    "switch": ((90, 91), lambda x: [*INDUCTION, ("carfilzomib", 700, 705), ("cyclophosphamide", 700 + x, 900)]),
    "relapse in a later line": ((60, 61), lambda x: [*INDUCTION, ("carfilzomib", 700, 705), ("daratumumab", 700 + x, 900)]),
    "still": ((28, 29), lambda x: [*INDUCTION, *LATE_VR, ("pomalidomide", 1400 + x, 1500), ("lenalidomide", 1400 + x, 1500)]),
    "together": ((28, 29), lambda x: [*INDUCTION, *LATE_VR, ("pomalidomide", 1390, 1500), ("lenalidomide", 1390 + x, 1500)]),
    "pause before maintenance": ((59, 60), lambda x: [("cyclophosphamide", 0, 400), ("lenalidomide", 400 + x, 800)]),
    "steroid before": ((7, 8), lambda x: [*VR, ("dexamethasone", 410 - x, 450), ("cyclophosphamide", 0, 400), ("thalidomide", 410, 900)]),
    "consolidation": ((90, 91), lambda x: [*INDUCTION, ("autologous_transplant", 110, 110), ("carfilzomib", 110 + x, 300)]),
    "carfilzomib late": ((120, 121), lambda x: [*VR, ("carfilzomib", x, 400)]),
    "carfilzomib after bortezomib": ((28, 29), lambda x: [("bortezomib", 0, 20), ("lenalidomide", 0, 400), ("carfilzomib", x, 400)]),
    "bortezomib ended": ((99, 100), lambda x: [("bortezomib", 0, 199 - x), ("lenalidomide", 0, 400), ("carfilzomib", 99, 400)]),
    "replaced": ((60, 61), lambda x: [("bortezomib", 0, 50, "toxicity"), ("lenalidomide", 0, 300), ("cyclophosphamide", 50 + x, 300)]),
    "stops within a week": ((7, 8), lambda x: [("bortezomib", 0, 50 + x, "choice"), ("lenalidomide", 0, 300), ("melphalan", 50, 300)]),
    "mobilisation": ((60, 61), lambda x: [*VR, ("cyclophosphamide", 450, 452), ("autologous_transplant", 450 + x, 450 + x)]),
    "melphalan of a transplant": ((3, 4), lambda x: [*INDUCTION, ("melphalan", 100, 100 + x), ("lenalidomide", 500, 900)]),
    "bridging": ((150, 151), lambda x: [*INDUCTION, ("apheresis", 300, 300), ("pomalidomide", 300 + x, 500), ("cilta_cel", 451, 451)]),
    "cells to come": ((150, 151), lambda x: [*INDUCTION, ("apheresis", 200, 200), ("pomalidomide", 300, 400), ("car_t", 300 + x, 300 + x)]),
    "lymphodepletion": ((14, 15), lambda x: [*INDUCTION, ("fludarabine", 700 - x, 702 - x), ("cilta_cel", 700, 700)]),
    "goes on": ((500, 501), lambda x: [("thalidomide", 0, x), ("daratumumab", 500, 520), ("thalidomide", 600, 900)]),
    "unplanned at once": ((7, 8), lambda x: [*VR, ("daratumumab", 100, 400, False), ("cyclophosphamide", 100 + x, 400, False)]),
    "unplanned transplant": ((60, 61), lambda x: [*INDUCTION, ("autologous_transplant", 110, 110),
                                                  ("allogeneic_transplant", 110 + x, 110 + x, False)]),
    "progression": ((500, 501), lambda x: [("bortezomib", 0, 500), ("daratumumab", 500, 700), ("bortezomib", 100, x, "progression"),
                                          ("lenalidomide", 540, 900)]),
}  # fmt: skip


def edge(name: str, days: int) -> dict:
    """The chart of one of the courses on an edge."""
    chart = {"patient": person(f"{name} {days}"), "observations": [], "treatments": [], "events": []}
    for number, (what, start, stop, *said) in enumerate(EDGES[name][1](days)):
        known = {"planned" if isinstance(word, bool) else "stop_reason": word for word in said}
        row = treated(day(start), what, stopped_on=day(stop), **known)
        chart["treatments"].append({**row, "source": f"t.csv:{number}"})
    return chart


__all__ = ["EDGES", "chart_of_one", "cohort", "day", "edge", "to_chart"]
