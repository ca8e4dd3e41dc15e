"""Response: what the page docs/rules/response.md decides where the criteria are silent, one tiny chart a decision.

A row is a day (of 2025, unless written in full) with what was found; `01-29 sm=15 um=0`. The first dose is on 2025-01-01. Expected: every
visit with its category before confirmation, then `?` what is missing and `!` the flags, joined by `|`; and of the line the best confirmed
response with its day and its second day, or the state of progression. The reference and the scan must both say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import pytest
from response_charts import observed, person, treated
from test_response_reference import by_bence, by_reference

CODES = {
    "sm": "serum_m_protein", "um": "urine_m_protein", "si": "serum_ife", "ui": "urine_ife", "sh": "serum_ife_shifted", "k": "kappa_flc",
    "l": "lambda_flc", "r": "flc_ratio", "bm": "marrow_plasma_cells", "cl": "marrow_clonality", "spd": "plasmacytoma_spd",
    "n": "plasmacytoma_count", "long": "plasmacytoma_longest_diameter", "short": "plasmacytoma_short_axis", "ca": "calcium",
    "pc": "circulating_plasma_cell_count", "igg": "igg",
}  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """One patient: rows, treatments (`day drug line phase stop`), what is expected."""

    words: str
    rows: str
    visits: str
    best: str = ""
    progression: str = ""
    drugs: str = "01-01 lenalidomide 1"
    clone: str = "igg kappa"
    died_on: str = ""
    policy: dict = field(default_factory=dict)
    line: int = 1


CLEAR = "sm=0 um=0 si=negative ui=negative"
DECISIONS = [
    # ---- section 1
    Decision("of a baseline of <40 and 0 on one day 0 is the lower: 6 is a rise", "01-01 sm=<40 sm=0; 01-29 sm=6", "01-29 PD"),
    Decision("the row recorded last stands alone", "01-01 sm=30; 01-29 sm=10 sm=40@02-05; 02-26 sm=10", "01-29 PD, 02-26 PR"),
    # ---- section 2
    Decision(
        "a steroid days ahead does not start a recorded line",
        "2024-12-25 sm=30; 01-01 sm=20; 01-29 sm=10",
        "01-29 PR",
        drugs="2024-12-22 dexamethasone 1; 01-01 lenalidomide 1",
    ),
    Decision(
        "nor the next one",
        "01-01 sm=30; 01-29 sm=15; 03-01 sm=15",
        "01-29 PR, 03-01 PR",
        "PR 01-29 03-01",
        drugs="01-01 lenalidomide 1; 02-20 dexamethasone 2; 03-02 carfilzomib 2",
    ),
    Decision("a steroid alone does", "01-01 sm=30; 01-29 sm=15", "01-29 PR", drugs="01-01 dexamethasone 1"),
    Decision("bridging alone is no line", "01-01 sm=30; 01-29 sm=15", "", drugs="01-01 lenalidomide 1 bridging"),
    Decision(
        "each light chain is carried for itself",
        "01-01 k=808 l=8; 01-29 k=100 l=8; 02-03 k=100; 02-07 si=negative",
        "01-29 PR, 02-03 PR, 02-07 NE ?lambda_flc",
    ),
    Decision(
        "calcium is not carried", "01-01 sm=30; 01-29 sm=15 ca=3; 02-01 sm=15", "01-29 PD, 02-01 PR", policy={"calcium_progression": True}
    ),
    Decision("calcium makes no assessment", "01-01 sm=30; 01-29 sm=15; 01-30 ca=3", "01-29 PR", policy={"calcium_progression": True}),
    Decision("circulating plasma cells are not carried", "01-01 pc=100; 01-29 pc=400 si=negative; 01-31 si=negative", "01-29 PD, 01-31 NE"),
    Decision(
        "the marrow of a marrow patient stands after a band is seen",
        "01-01 bm=60; 01-29 bm=20 si=negative; 02-26 si=negative; 03-26 si=negative ui=kappa",
        "01-29 PR, 02-26 PR, 03-26 PR",
        "PR 01-29 02-26",
    ),
    Decision(
        "but never before the serum was negative",
        "01-01 bm=60; 01-29 bm=20 si=igg_kappa; 02-26 si=negative",
        "01-29 PR, 02-26 NE ?marrow_plasma_cells",
    ),
    Decision(
        "a band that the antibody explains does not end the negative run",
        f"01-01 sm=30; 01-29 {CLEAR} bm=2; 02-26 sm=1 um=0 si=igg_kappa ui=negative",
        "01-29 CR ?flc_ratio|marrow_clonality, 02-26 VGPR ?serum_ife_shifted !CR_blocked_mAb",
        drugs="01-01 daratumumab 1",
    ),
    Decision(
        "a carried urine band does not hold up a new run",
        f"01-01 sm=30; 01-29 sm=0 um=0 ui=kappa; 02-01 sm=0 um=0 si=negative bm=2; 02-26 {CLEAR}",
        "01-29 VGPR, 02-01 VGPR, 02-26 CR ?flc_ratio|marrow_clonality",
    ),
    # ---- section 3
    Decision(
        "a fresh plain immunofixation before a carried shifted one",
        f"01-01 sm=30; 01-29 sm=0 um=0 sh=igg_kappa ui=negative; 02-01 {CLEAR} bm=2",
        "01-29 VGPR, 02-01 CR ?flc_ratio|marrow_clonality",
    ),
    Decision(
        "of one day the shifted one",
        "01-01 sm=30; 01-29 sm=0 um=0 si=igg_kappa sh=negative ui=negative bm=2",
        "01-29 CR ?flc_ratio|marrow_clonality",
    ),
    Decision(
        "a foreign band of the urine, and one beside the clone",
        "01-01 sm=30; 01-29 sm=15 ui=lambda; 02-26 sm=15 si=igg_kappa+iga_lambda",
        "01-29 PR !oligoclonal_band, 02-26 PR !oligoclonal_band",
    ),
    Decision(
        "of a biclonal patient either chain is the clone",
        "01-01 sm=30; 01-29 sm=0 um=0 si=igg_lambda ui=negative bm=2",
        "01-29 VGPR",
        clone="igg biclonal",
    ),
    Decision("and there is no light-chain track", "01-01 k=808 l=8; 01-29 k=10 l=8", "01-29 NE", clone="igg biclonal"),
    # ---- section 4
    Decision(
        "a course of immunoglobulin without a stop goes on for 180 days, then 42 count",
        "01-01 igg=40; 01-29 igg=20; 09-20 igg=20; 09-21 igg=20",
        "01-29 PR !confirmation_gap|total_immunoglobulin, 09-20 NE ?igg !total_immunoglobulin, 09-21 PR !total_immunoglobulin",
        drugs="01-01 lenalidomide 1; 02-10 immunoglobulin 1",
    ),
    Decision(
        "another row of it counts from its own start",
        "01-01 igg=40; 01-29 igg=20; 09-21 igg=20; 10-10 igg=20",
        "01-29 PR !confirmation_gap|total_immunoglobulin, 09-21 NE ?igg !total_immunoglobulin, 10-10 PR !total_immunoglobulin",
        drugs="01-01 lenalidomide 1; 02-10 immunoglobulin 1; 03-01 immunoglobulin 1",
    ),
    Decision(
        "as one dose, where the site writes every dose",
        "01-01 igg=40; 01-29 igg=20; 03-24 igg=20; 03-25 igg=20",
        "01-29 PR !total_immunoglobulin, 03-24 NE ?igg !total_immunoglobulin, 03-25 PR !total_immunoglobulin",
        drugs="01-01 lenalidomide 1; 02-10 immunoglobulin 1",
        policy={"ivig_open": 0},
    ),
    Decision(
        "an old dose without a stop does not take the baseline away",
        "01-01 igg=40; 01-29 igg=20",
        "01-29 PR !total_immunoglobulin",
        drugs="2023-03-01 immunoglobulin 1; 01-01 lenalidomide 1",
    ),
    Decision(
        "42 days count from its last day",
        "01-01 igg=40; 03-30 igg=20; 04-23 igg=20",
        "03-30 NE ?igg !total_immunoglobulin, 04-23 PR !total_immunoglobulin",
        drugs="01-01 lenalidomide 1; 02-10 immunoglobulin 1 - 03-11",
    ),
    Decision(
        "the older of two light chains is the age of the baseline", "2024-09-01 l=8; 01-01 k=808; 01-29 k=100 l=8", "01-29 PR !baseline_old"
    ),
    Decision("kappa 0 and lambda 0 have no ratio", f"01-01 sm=30; 01-29 {CLEAR} bm=2 cl=negative k=0 l=0", "01-29 CR ?flc_ratio"),
    # ---- section 5
    Decision(
        "unmeasured urine limits",
        "01-01 sm=30 um=100; 01-29 sm=0 um=250 si=negative",
        "01-29 SD ?urine_ife|marrow_plasma_cells",
        policy={"unmeasured_track": "limit"},
    ),
    Decision(
        "not where it holds no M-protein",
        "01-01 sm=30 um=100; 01-29 sm=0 um=250 si=negative ui=negative",
        "01-29 VGPR ?marrow_plasma_cells !CR_pending_marrow",
        policy={"unmeasured_track": "limit"},
    ),
    Decision(
        "relaxed: a missing urine fits, one of 150 does not",
        "01-01 sm=30; 01-29 sm=2 si=igg_kappa; 02-26 sm=2 um=150 si=igg_kappa",
        "01-29 VGPR, 02-26 PR",
        policy={"missing": "relaxed"},
    ),
    # ---- section 6
    Decision(
        "a plasmacytoma that was not looked at again is open",
        f"01-01 sm=30 n=1; 01-29 {CLEAR} bm=2; 02-26 {CLEAR} bm=2 n=0",
        "01-29 VGPR ?plasmacytoma_spd, 02-26 CR ?flc_ratio|marrow_clonality",
    ),
    Decision(
        "CR waits for the marrow only if nothing else is missing",
        f"01-01 sm=30 n=1; 01-29 {CLEAR}",
        "01-29 VGPR ?marrow_plasma_cells|plasmacytoma_spd",
    ),
    # ---- section 7
    Decision("the short axis of the baseline counts", "01-01 sm=30 long=2 short=1.1; 01-29 sm=15 long=3", "01-29 PD"),
    Decision("a short axis of 1 cm does not", "01-01 sm=30 long=2 short=1; 01-29 sm=15 long=3", "01-29 PR"),
    Decision(
        "pairwise: a plasmacytoma that comes back",
        "01-01 sm=30 spd=4; 01-29 sm=15 spd=0; 02-26 sm=15 spd=1",
        "01-29 PR, 02-26 PD",
        policy={"nadir": "pairwise"},
    ),
    Decision("a row in progression misses nothing", "01-01 sm=30 um=500; 01-29 sm=40", "01-29 PD"),
    Decision(
        "light chains escape alone",
        "01-01 sm=30; 01-29 sm=15 k=20 l=8; 02-26 sm=15 k=200 l=8; 03-26 sm=25 k=400 l=8",
        "01-29 PR, 02-26 PR !light_chain_escape, 03-26 PD",
    ),
    Decision("a nadir of 60 and <70 need not be 50", "01-01 sm=90; 01-29 sm=60; 02-26 sm=<70; 03-26 sm=70", "01-29 SD, 02-26 SD, 03-26 SD"),
    # ---- section 8
    Decision("SD is confirmed on its own date", "01-01 sm=30; 01-29 sm=15; 02-26 sm=18", "01-29 PR, 02-26 SD", "SD 01-29 01-29"),
    Decision(
        "progression breaks a pair",
        "01-01 sm=30; 01-29 sm=10; 02-12 sm=16; 02-26 sm=10; 03-26 sm=10",
        "01-29 PR, 02-12 PD !nadir_sensitive, 02-26 PR, 03-26 PR",
        "PR 02-26 03-26",
    ),
    Decision(
        "death is no sample: no gap",
        "01-01 sm=30; 01-29 sm=15; 02-26 sm=25",
        "01-29 PR, 02-26 PD !nadir_sensitive",
        progression="confirmed",
        died_on="09-01",
    ),
    Decision(
        "a late sample is one",
        "01-01 sm=30; 01-29 sm=15; 02-26 sm=25; 09-01 sm=25",
        "01-29 PR, 02-26 PD !confirmation_gap|nadir_sensitive, 09-01 PD !nadir_sensitive",
        progression="confirmed",
    ),
    Decision(
        "two markers of one date",
        "01-01 sm=30 um=500; 01-29 sm=40 um=900",
        "01-29 PD",
        progression="confirmed",
        policy={"confirmation": "simultaneous_markers"},
    ),
    Decision(
        "relaxed: sampled anew where there is a sample",
        "01-01 sm=30 um=500; 01-29 sm=10 um=40; 02-26 sm=10",
        "01-29 PR, 02-26 PR ?urine_m_protein",
        "PR 01-29 02-26",
        policy={"missing": "relaxed"},
    ),
    Decision(
        "relaxed: no second urine immunofixation",
        f"01-01 sm=30; 01-29 {CLEAR} bm=2; 02-26 sm=0 si=negative",
        "01-29 CR ?flc_ratio|marrow_clonality, 02-26 CR ?flc_ratio|marrow_clonality",
        "CR 01-29 02-26",
        policy={"missing": "relaxed"},
    ),
]


def day(text: str) -> date:
    return date.fromisoformat(text if len(text) == 10 else f"2025-{text}")


def chart_of(case: Decision) -> dict:
    """The chart of a decision; its words are the name of the patient."""
    heavy, light = case.clone.split()
    observations = []
    for row in case.rows.split("; "):
        on, *cells = row.split()
        for cell in cells:
            key, _, said = cell.partition("=")
            said, _, recorded = said.partition("@")
            number = said.lstrip("<>")
            known = {"recorded_on": day(recorded) if recorded else None}
            if number.replace(".", "").isdigit():
                known |= {"value": float(number), "comparator": said[: -len(number)] or None}
            else:
                known |= {"text": said}
            observations.append(observed(day(on), CODES[key], **known))
    treatments = []
    for row in case.drugs.split("; "):
        on, drug, line, phase, stop = (*row.split(), "", "")[:5]
        treatments.append(treated(day(on), drug, line=int(line), phase=phase.strip("-") or None, stopped_on=day(stop) if stop else None))
    patient = person(case.words, heavy_chain=heavy, light_chain=light, died_on=day(case.died_on) if case.died_on else None)
    return {"patient": patient, "observations": observations, "treatments": treatments, "events": []}


def said(on: date, row: list) -> str:
    """A visit as it is written above."""
    timepoint, _, _, _, missing, flags = row
    return f"{on:%m-%d} {timepoint}" + (f" ?{missing}" if missing else "") + (f" !{flags}" if flags else "")


def in_order(visits: str) -> list[str]:
    """The words of each visit, the names after ? and ! in the order of the alphabet."""
    sort = lambda word: word[0] + "|".join(sorted(word[1:].split("|"))) if word[0] in "?!" else word  # noqa: E731
    return [" ".join(map(sort, visit.split())) for visit in visits.split(", ") if visit]


@cache
def told(by: Callable, policy: tuple) -> tuple[dict, dict]:
    """Rows and lines of all decisions of one set of policies, found together."""
    return by([chart_of(case) for case in DECISIONS if tuple(case.policy.items()) == policy], **dict(policy))


@pytest.mark.parametrize("by", [by_reference, by_bence])
@pytest.mark.parametrize("case", DECISIONS, ids=lambda case: case.words)
def test_decision(case, by):
    found, lines = told(by, tuple(case.policy.items()))
    rows = {(line, on): row for (name, line, on), row in found.items() if name == case.words}
    assert [said(on, row) for (line, on), row in rows.items() if line == case.line] == in_order(case.visits)
    if case.best:
        _, category, best_on, _, _ = lines[case.words, case.line]
        second = list(rows.values())[-1][2]
        assert f"{category} {best_on:%m-%d} {second:%m-%d}" == case.best
    if case.progression:
        assert lines[case.words, case.line][-1] == case.progression
