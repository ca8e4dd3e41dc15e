"""Response and progression of a cohort: columns in, tables out.

The criterion itself is `response_scan`; here its numbers get their names.
Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..errors import UsageError
from . import response_scan as scan
from .compiled import owned, response_scan_for
from .intake import HEAVY, LIGHT, NEVER, Observations, dates, days, named
from .lines import line_frame, scan_columns, with_lines

MOST_TURNS = 20  # of lines and response; a patient has fewer lines
PROFILES = ("imwg_2016",)
DISABLED = ("imwg_next",)  # presented in 2026; waits for its text to be published

CATEGORIES = ("sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE")
PROGRESSION = ("confirmed", "unconfirmed", "refuted")
BECAUSE = (
    *(f"P{i}" for i in range(1, 9)),
    *(f"level_{track}" for track in ("serum", "urine", "light_chains", "marrow", "plasmacytoma")),
    "", "", "", "CR", "sCR", "urine_needed",
)  # fmt: skip
MISSING = (
    "serum_m_protein", "urine_m_protein", "serum_ife", "urine_ife", "serum_ife_shifted", "kappa_flc", "lambda_flc",
    "flc_ratio", "marrow_plasma_cells", "marrow_clonality", "plasmacytoma_spd", *HEAVY[1:],
)  # fmt: skip
FLAGS = (
    "conflict", "baseline_old", "oligoclonal_band", "CR_blocked_mAb", "CR_pending_marrow", "light_chain_escape",
    "nadir_sensitive", "confirmation_gap", "total_immunoglobulin",
)  # fmt: skip
MEASUREMENTS = {
    "serum_m_protein": scan.SERUM, "urine_m_protein": scan.URINE, "kappa_flc": scan.KAPPA, "lambda_flc": scan.LAMBDA,
    "flc_ratio": scan.RATIO, "marrow_plasma_cells": scan.MARROW, "plasmacytoma_spd": scan.SPD,
    "plasmacytoma_count": scan.LESIONS, "plasmacytoma_longest_diameter": scan.DIAMETER,
    "plasmacytoma_short_axis": scan.SHORT_AXIS, "circulating_plasma_cell_count": scan.CIRCULATING,
    "calcium": scan.CALCIUM,
} | {chain: scan.IGG + i for i, chain in enumerate(HEAVY[1:])}  # fmt: skip
WORDS = {
    "serum_ife": scan.SERUM_IFE, "urine_ife": scan.URINE_IFE, "serum_ife_shifted": scan.SHIFTED_IFE,
    "marrow_clonality": scan.CLONALITY, "new_lesion": scan.NEW_LESION,
}  # fmt: skip


def check_profile(profile: str) -> None:
    """UsageError unless the response criteria of this name can be used."""
    if profile in DISABLED:
        raise UsageError(f"profile {profile} is kept for a revision whose text is not yet published")
    if profile not in PROFILES:
        raise UsageError(f"there is no profile {profile!r}; there is {', '.join(PROFILES)}")


def policy_of(policies: Mapping[str, object]) -> scan.Policy:
    """Named policies as the numbers of the scan."""
    words = {
        "nadir_pairwise": policies["nadir"] == "pairwise",
        "simultaneous_markers": policies["confirmation"] == "simultaneous_markers",
        "minimal_response": ("never", "relapsed", "always").index(str(policies["minimal_response"])),
        "relaxed": policies["missing"] == "relaxed",
        "unmeasured_limit": policies["unmeasured_track"] == "limit",
    }
    numbers = {name: policies[name] for name in scan.Policy._fields if name not in words}
    kinds = scan.Policy.__annotations__
    return scan.Policy(**{name: kinds[name](value) for name, value in (numbers | words).items()})


def scan_codes(observations: Observations) -> np.ndarray:
    """Place of every row in the day table of the scan, -1 where the scan does not look at it."""
    places = {**MEASUREMENTS, **{word: scan.MEASUREMENTS + place for word, place in WORDS.items()}}
    table = np.array([places.get(code, -1) for code in observations.codes], np.int8)
    code = table[observations.code]
    by_method = (code == scan.MARROW) & (observations.method > 0)
    code[by_method] = scan.ASPIRATE - 1 + observations.method[by_method]
    return code


def clone_columns(patients: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Heavy and light chain of every patient as the scan wants them, -1 where not recorded."""
    heavy = patients["heavy_chain"].replace_strict(dict(zip(HEAVY, range(6), strict=True)), default=-1)
    light = patients["light_chain"].replace_strict(
        {name: i for i, name in enumerate(LIGHT)} | {"biclonal": scan.EITHER}, default=scan.UNKNOWN
    )
    return heavy.fill_null(-1).cast(pl.Int64).to_numpy(), light.fill_null(scan.UNKNOWN).cast(pl.Int64).to_numpy()


def empty(record: type, size: int, kinds: Mapping[str, type]) -> Any:
    """Output columns of the scan."""
    return record(*(np.zeros(size, kinds.get(name, np.int32)) for name in record._fields))


ROW_TYPES = {"timepoint": np.int8, "confirmed": np.int8, "progression": np.int8, "line": np.int16}


class Cohort:
    """The response of a cohort: scanned for some patients, and again for those whose lines have changed."""

    def __init__(self, observations: Observations, patients: pl.DataFrame, policies: Mapping[str, object], traced: bool = False) -> None:
        """`traced`: of a cohort of one patient, keep the values every visit was judged by (`trace`)."""
        self.observations, self.policies = observations, policies
        self.n = len(observations.patients)
        self.row_offsets = _days_before(observations)
        self.rows: scan.Rows = empty(scan.Rows, int(self.row_offsets[-1]), ROW_TYPES)
        self.row_counts, self.line_counts = np.zeros(self.n, np.int64), np.zeros(self.n, np.int64)
        self.codes = scan_codes(observations)
        self.clone = clone_columns(patients)
        self.died = days(patients["died_on"])
        self.lines: scan.Lines | None = None
        self.trace = np.full((int(self.row_offsets[-1]) if traced else 0, scan.TRACKS, 7), np.nan)

    def scan(self, treatments: pl.DataFrame, which: np.ndarray | None = None) -> None:
        """Grade the visits of some patients (None: all) in the lines that the treatment rows have."""
        seen = self.observations
        self.line_offsets, drugs = scan_columns(treatments, self.n)
        if self.lines is None:
            self.lines = empty(scan.Lines, treatments.height, {})
        room = scan.room_for(most(seen.offsets), most(self.line_offsets))
        arguments = (
            seen.offsets, seen.day, self.codes, seen.value, seen.bound, seen.label, seen.recorded, seen.spurious,
            self.line_offsets, drugs, *self.clone, self.died, policy_of(self.policies), self.row_offsets, self.rows,
            self.row_counts, self.line_offsets, self.lines, self.line_counts, room, self.trace,
            np.arange(self.n) if which is None else which,
        )  # fmt: skip
        response_scan_for(seen.day.size)(*map(owned, arguments))

    def progressed(self) -> pl.DataFrame:
        """The days on which a progression was confirmed: `place` and `day`."""
        lines, places = self._lines()
        there = lines.settled != NEVER
        return pl.DataFrame({"place": places[there], "day": lines.settled[there].astype(np.int64)})

    def tables(self, treatments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables `response` (one row a patient, line and assessment) and `lines` (one row a line)."""
        lines, places = self._lines()  # first: beside the response there is less room for what it takes
        frame = line_frame(self.observations.patients, places, lines, treatments)
        taken, places = _written(self.row_offsets, self.row_counts)
        self.rows = scan.Rows(*(column[taken] for column in self.rows))  # the room for them is needed
        del taken
        response = _response_frame(self.observations.patients, places, self.rows)
        return response, pl.concat([frame, _line_results(lines)], how="horizontal")

    def _lines(self) -> tuple[scan.Lines, np.ndarray]:
        assert self.lines is not None
        taken, places = _written(self.line_offsets, self.line_counts)
        return scan.Lines(*(column[taken] for column in self.lines)), places


def respond(cohort: Cohort, treatments: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The tables `response` and `lines` of a cohort, and the treatment rows with their lines.

    `treatments` from `lines.treatment_rows`, `events` from `lines.progression_events`. Another line begins when a drug follows
    a progression, and a progression is known once the response in the line before is: so lines and response are worked out
    in turn, until no line changes.
    """
    rows = with_lines(treatments, events, cohort.n, cohort.policies)
    cohort.scan(rows)
    for _ in range(MOST_TURNS):
        known = pl.concat([events, cohort.progressed()])
        if known.height == events.height:
            break
        again = with_lines(treatments, known, cohort.n, cohort.policies)
        other = (again["line"] != rows["line"]) | (again["derived"] != rows["derived"])
        if not other.any():
            break
        which = again["place"].filter(other).unique().sort().to_numpy()
        rows = again
        cohort.scan(rows, which)
    return *cohort.tables(rows), rows


def _days_before(observations: Observations) -> np.ndarray:
    """How many days with an observation lie before each patient: no more rows of response come before his."""
    starts = observations.offsets[:-1][np.diff(observations.offsets) > 0]
    new = np.ones(observations.day.size, bool)
    new[1:] = observations.day[1:] != observations.day[:-1]
    new[starts] = True
    days_of = np.zeros(len(observations.patients), np.int64)
    days_of[np.diff(observations.offsets) > 0] = np.add.reduceat(new, starts, dtype=np.int64)
    return np.concatenate([[0], np.cumsum(days_of)])


def most(offsets: np.ndarray) -> int:
    """The most rows that one patient has."""
    return int(np.diff(offsets).max(initial=0))


def _written(offsets: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the output that were filled, and the patient of each."""
    places = np.repeat(np.arange(counts.size), counts)
    within = np.arange(places.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return offsets[:-1][places] + within, places


def _response_frame(ids: pl.Series, places: np.ndarray, rows: scan.Rows) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "patient": ids.gather(places),
            "line": pl.Series(rows.line, dtype=pl.Int32),
            "on": dates(rows.day),
            "timepoint": named(rows.timepoint, CATEGORIES),
            "confirmed": named(rows.confirmed, CATEGORIES),
            "confirmed_on": dates(rows.confirmed_day),
            "progression": named(rows.progression - 1, PROGRESSION),
            "because": bit_names(rows.because, BECAUSE),
            "missing": bit_names(rows.missing, MISSING),
            "flags": bit_names(rows.flags, FLAGS),
        }
    )


def _line_results(lines: scan.Lines) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "best_response": named(lines.best, CATEGORIES),
            "best_response_on": dates(lines.best_day),
            "progressed_on": dates(lines.progression_day),
            "progression_state": named(lines.progression - 1, PROGRESSION),
        }
    )


def bit_names(masks: np.ndarray, words: tuple[str, ...]) -> pl.Series:
    """Bit masks as the names of their bits, joined by `|`; null where no bit is set."""
    table = np.zeros(1 << len(words), np.int32)
    table[masks] = 1
    present = np.flatnonzero(table)
    table[present] = np.arange(present.size)
    texts = ["|".join(word for bit, word in enumerate(words) if mask >> bit & 1) for mask in present.tolist()]
    return named(np.where(masks == 0, -1, table[masks]), tuple(text or "-" for text in texts))
