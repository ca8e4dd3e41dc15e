"""Patients of hooks as of today, worked out together: who arrives while others are worked out is of the next cohort, at little more cost.

A record sends the same resources again with every order of a visit, so what is known of them is kept for a while, in memory only.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from threading import Lock
from typing import Any

import polars as pl

from ...advise import advice_of, facts
from ...advise.story import Story
from ...assess import assess
from ...chart import TABLES, Chart
from ...errors import ChartError
from ...read import from_fhir

KEPT, SECONDS = 500, 900  # patients, and how long: a visit


@dataclass(frozen=True)
class Known:
    """One patient of a record: the rows of `status` and of `facts` (one row each), and how many values could not be read."""

    status: dict[str, Any]
    facts: pl.DataFrame
    rejected: int
    region: str
    _told: dict[str, Story] = field(default_factory=dict, repr=False)

    def story(self, lang: str) -> Story:
        """The advice in a language."""
        if lang not in self._told:
            self._told[lang] = advice_of(self.facts, self.region, lang)
        return self._told[lang]


class Together:
    """Works out the patients of a server's hooks under the approvals of a region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._kept: OrderedDict[str, tuple[float, Known]] = OrderedDict()
        self._waiting: list[tuple[Chart, Future[Known]]] = []
        self._lock, self._turn = Lock(), Lock()

    def known(self, fetched: dict[str, Any]) -> Known:
        """What is known of the one patient of these resources; ChartError if they are those of nobody, or of several."""
        key = sha256(json.dumps([date.today().isoformat(), fetched]).encode()).hexdigest()
        with self._lock:
            since, kept = self._kept.get(key, (0.0, None))
        if kept is None or time.monotonic() - since > SECONDS:
            kept = self._ask(from_fhir(fetched))
            self._keep(key, kept)
        return kept

    def _keep(self, key: str, known: Known) -> None:
        with self._lock:
            now = time.monotonic()
            self._kept[key] = now, known
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT or now - next(iter(self._kept.values()))[0] > SECONDS:
                self._kept.popitem(last=False)

    def _ask(self, chart: Chart) -> Known:
        """Wait for one's turn; whoever has it works out everybody who waits."""
        if chart.patients.height != 1:
            raise ChartError(f"the resources are those of {chart.patients.height} patients", expected="those of one patient")
        mine: Future[Known] = Future()
        with self._lock:
            self._waiting.append((chart, mine))
        with self._turn:
            with self._lock:
                some, self._waiting = self._waiting, []
            if some:  # none: somebody else's turn has settled it
                self._settle(some)
        return mine.result()

    def _settle(self, some: Sequence[tuple[Chart, Future[Known]]]) -> None:
        """Work out all; where that fails, each alone, so that one patient's fault stays that patient's."""
        try:
            for (_, future), known in zip(some, worked_out([chart for chart, _ in some], self._region, date.today()), strict=True):
                future.set_result(known)
        except Exception as fault:
            if len(some) == 1:
                some[0][1].set_exception(fault)
            else:
                for one in some:
                    self._settle([one])


def worked_out(charts: Sequence[Chart], region: str, at: date) -> list[Known]:
    """What is known on a day of the one patient of each chart, in their order, from one assessment of all."""
    numbers = [f"{i:06d}" for i in range(len(charts))]
    tables = [
        pl.concat([getattr(chart, name).with_columns(patient=pl.lit(number)) for chart, number in zip(charts, numbers, strict=True)])
        for name in TABLES
    ]
    findings = assess(Chart(*tables), at)
    rows = zip(charts, findings.status.iter_rows(named=True), facts(findings, region).iter_slices(1), strict=True)  # in one order
    return [
        Known(status, row.with_columns(patient=chart.patients["patient"]), chart.rejected.height, region) for chart, status, row in rows
    ]
