"""What the doctor of a virtual trial sees at a visit and concludes on that day, from values measured with error.

It decides treatment only. Endpoints are judged afterwards, from the whole chart, by the rules of `bence.assess`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .protocols import RESPONSES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MEASURABLE_M, MEASURABLE_FLC = 10.0, 100.0  # g/L serum M-protein, mg/L involved light chain: IMWG 2016
M_RISE, FLC_RISE, MARROW_RISE, RISE = 5.0, 100.0, 0.10, 1.25  # progression: g/L, mg/L, share of marrow, times the lowest value
LEFT = {"PR": 0.5, "VGPR": 0.1}  # of the marker
M_SEEN, FLC_HIGH, MARROW_CR = 0.3, 25.0, 0.05  # g/L seen by electrophoresis, mg/L above which a light chain counts, share in CR
ACTIVE_MARROW, ACTIVE_RATIO, ACTIVE_FLC = 0.60, 100.0, 100.0  # of smouldering myeloma becoming active: IMWG 2014
MARKERS = ("m", "flc", "marrow")


class Investigator:
    """The running judgement of every patient: baseline, lowest values, response now and since when, progression."""

    def __init__(self, patients: int, progression: str) -> None:
        self.progression = progression
        self.values = np.full((len(MARKERS), patients), np.nan)
        self.base = np.full((len(MARKERS), patients), np.nan)
        self.lowest = np.full((len(MARKERS), patients), np.inf)
        self.pending = np.zeros(patients, bool)
        self.since = np.full((len(RESPONSES), patients), np.nan)  # day since which the response is at least this good
        self.had_cr = np.zeros(patients, bool)

    def restart(self, rows: NDArray[np.intp]) -> None:
        """A line of therapy begins: the last values are its baseline."""
        self.base[:, rows] = self.lowest[:, rows] = self.values[:, rows]
        self.pending[rows] = False
        self.since[:, rows] = np.nan
        self.had_cr[rows] = False

    def visit(self, day: int, rows: NDArray[np.intp], m: Floats, flc: Floats, ratio: Floats, marrow: Floats) -> Flags:
        """Note the values of a visit (g/L, mg/L, involved/uninvolved ratio, share of marrow); whose progression is certain now?"""
        seen = np.array([m, flc, marrow])
        self.values[:, rows] = seen
        self.base[:, rows] = np.where(np.isnan(self.base[:, rows]), seen, self.base[:, rows])
        self.lowest[:, rows] = np.where(np.isnan(self.lowest[:, rows]), np.inf, self.lowest[:, rows])
        self._respond(day, rows, seen)
        if self.progression == "active":
            return (marrow >= ACTIVE_MARROW) | ((ratio >= ACTIVE_RATIO) & (flc >= ACTIVE_FLC))
        risen = self._risen(rows, seen)
        self.lowest[:, rows] = np.minimum(self.lowest[:, rows], seen)
        certain = risen & self.pending[rows]
        self.pending[rows] = risen
        return certain

    def _marker(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which marker is followed: M-protein where measurable, else the light chain, else the marrow."""
        return np.select([self.base[0, rows] >= MEASURABLE_M, self.base[1, rows] >= MEASURABLE_FLC], [0, 1], 2)

    def _respond(self, day: int, rows: NDArray[np.intp], seen: Floats) -> None:
        marker = self._marker(rows)
        left = np.take_along_axis(seen / np.maximum(self.base[:, rows], 1e-9), marker[None], axis=0)[0]
        silent = (seen[0] < M_SEEN) & (seen[1] < FLC_HIGH)
        reached = np.array([left <= LEFT["PR"], (left <= LEFT["VGPR"]) | (silent & (marker < 2)), silent & (seen[2] < MARROW_CR)])
        reached[:2] |= reached[2]
        self.since[:, rows] = np.where(reached, np.where(np.isnan(self.since[:, rows]), day, self.since[:, rows]), np.nan)
        self.had_cr[rows] |= reached[2]

    def _risen(self, rows: NDArray[np.intp], seen: Floats) -> Flags:
        low = self.lowest[:, rows]
        enough = np.array([M_RISE, FLC_RISE, MARROW_RISE])[:, None]
        risen = np.isfinite(low) & (seen >= RISE * low) & (seen - low >= enough)
        return np.take_along_axis(risen, self._marker(rows)[None], axis=0)[0]

    def held_days(self, day: int, response: str) -> Floats:
        """For how many days each patient's response has been at least this good; NaN: it is not."""
        return day - self.since[RESPONSES.index(response)]

    def lost_cr(self) -> Flags:
        """Who was in complete response in this line and is not now?"""
        return self.had_cr & np.isnan(self.since[RESPONSES.index("CR")])
