"""Edges of response and staging from the command line: tiny charts, in canonical and in other units, read and assessed.

All cases are patients of one chart, which is assessed twice: written in g/L, mg/L, mg/24 h, %, cm², and written in g/dL,
mg/dL, g/24 h, mm² …. What is expected follows docs/rules/response.md (the number of the section stands with the case).

A row of a case is a day (of 2025, unless written in full) with what was found on it:

    sm um  serum and urine M-protein (g/L, mg/24 h)     si ui sh  immunofixation of serum, urine; shifted
    k l r  kappa, lambda (mg/L), ratio                  bm cl     marrow plasma cells (%), clonality
    spd n  plasmacytoma (cm²), number of lesions        new       new lesion

`sm=15!recorded=02-05` was recorded on that day; `sm=60!spurious` is a spurious value. The first dose is on 2025-01-01.
Expected: every visit with its category before confirmation (after `…` only some of them), the best confirmed response with
its day, the progression with its day.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from bence.assess import assess
from bence.chart import TABLES, YES_NO, Chart, visible
from bence.cli import bence
from bence.read import read

CODES = {
    "sm": "serum_m_protein", "um": "urine_m_protein", "si": "serum_ife", "ui": "urine_ife", "sh": "serum_ife_shifted",
    "k": "kappa_flc", "l": "lambda_flc", "r": "flc_ratio", "bm": "marrow_plasma_cells", "cl": "marrow_clonality",
    "spd": "plasmacytoma_spd", "n": "plasmacytoma_count", "new": "new_lesion", "ca": "calcium", "long": "plasmacytoma_longest_diameter",
    "short": "plasmacytoma_short_axis",
}  # fmt: skip
#: canonical unit; another unit, and how many of it are one canonical unit
UNITS = {
    "serum_m_protein": ("g/L", "g/dL", "0.1"), "urine_m_protein": ("mg/24h", "g/24h", "0.001"),
    "kappa_flc": ("mg/L", "mg/dL", "0.1"), "lambda_flc": ("mg/L", "mg/dL", "0.1"), "igg": ("g/L", "mg/dL", "100"),
    "marrow_plasma_cells": ("%", "fraction", "0.01"), "plasmacytoma_spd": ("cm2", "mm2", "100"),
    "plasmacytoma_longest_diameter": ("cm", "mm", "10"), "plasmacytoma_short_axis": ("cm", "mm", "10"),
    "b2m": ("mg/L", "mg/dL", "0.1"), "albumin": ("g/L", "g/dL", "0.1"), "hemoglobin": ("g/L", "g/dL", "0.1"),
    "ldh": ("U/L", "U/L", "1"), "ldh_upper_limit": ("U/L", "U/L", "1"), "calcium": ("mmol/L", "meq/L", "2"),
    "creatinine": ("umol/L", "umol/L", "1"), "del_17p": ("%", "fraction", "0.01"),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One patient: rows, treatments (`day drug line`), and what is expected."""

    words: str
    rows: str
    visits: str = ""
    best: str = ""
    progression: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, str | None] = field(default_factory=dict)
    clone: str = "igg kappa"
    drugs: str = "01-01 bortezomib 1"
    events: str = ""
    died_on: str = ""
    line: int = 1
    confirmed_on: str = ""


def day(text: str) -> str:
    return text if len(text) == 10 else f"2025-{text}"


RESPONSE = [
    # ---- section 1: values of a day
    Case("two values of one day, known on the same day: the worse one (18, not 15)", """
        2024-12-30 sm=30
        01-29 sm=15 sm=18
        02-26 sm=15
        03-26 sm=15""", "01-29 SD, 02-26 PR, 03-26 PR", "PR 02-26", flags={"01-29": "conflict"}),
    Case("two values of one day: the one that was recorded later", """
        2024-12-30 sm=30
        01-29 sm=18 sm=15!recorded=02-05
        02-26 sm=15""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("of conflicting baselines the lower: 20 is no half of 30", """
        2024-12-30 sm=30 sm=40
        01-29 sm=20
        02-26 sm=20""", "01-29 SD, 02-26 SD", "SD 01-29"),
    Case("the same value twice is no conflict", """
        2024-12-30 sm=30
        01-29 sm=15 sm=15
        02-26 sm=15""", "01-29 PR, 02-26 PR", "PR 01-29", flags={"01-29": ""}),
    Case("of two uninvolved light chains the lower: dFLC 82, not 78", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 l=90 k=8 k=12
        02-26 l=90 k=8""", "01-29 PR, 02-26 PR", "PR 01-29", clone="igg lambda", flags={"01-29": "conflict"}),
    Case("a positive immunofixation beside a negative one of the same day is positive", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=negative si=igg_kappa ui=negative bm=2
        02-26 sm=0 um=0 si=negative ui=negative bm=2
        03-26 sm=0 um=0 si=negative ui=negative""", "01-29 VGPR, 02-26 CR, 03-26 CR", "CR 02-26", flags={"01-29": "conflict"}),
    Case("marrow by aspirate 4 %, by biopsy 6 %: the higher counts, without conflict", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=negative ui=negative bm=4!method=aspirate bm=6!method=biopsy
        02-26 sm=0 um=0 si=negative ui=negative""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29", flags={"01-29": ""}),
    Case("a spurious value is neither graded nor a nadir nor a progression", """
        2024-12-30 sm=30
        01-29 sm=10
        02-26 sm=1!spurious
        03-26 sm=60!spurious
        04-23 sm=12
        05-21 sm=12""", "01-29 PR, 02-26 NE, 03-26 NE, 04-23 PR, 05-21 PR", "PR 01-29", ""),
    Case("a row entered in error is no assessment", """
        2024-12-30 sm=30
        01-29 sm=10
        02-26 sm=60!entered_in_error
        03-26 sm=10""", "01-29 PR, 03-26 PR", "PR 01-29"),
    # ---- section 1: censored values
    Case("<3 of 30 is down by 90 %, and <100 mg/24 h is below 100", """
        2024-12-30 sm=30
        01-29 sm=<3 um=<100
        02-26 sm=<3 um=<100""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29"),
    Case("<4 of 30 may be 3.9: PR", """
        2024-12-30 sm=30
        01-29 sm=<4 um=0
        02-26 sm=<4 um=0""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("urine <101 may be 100.5: no VGPR of serum", """
        2024-12-30 sm=30
        01-29 sm=1 um=<101
        02-26 sm=1 um=<101""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("after <5 a 9.9 need not be a rise of 5, a 10 is", """
        2024-12-30 sm=30
        01-29 sm=<5 um=0
        02-26 sm=9.9 um=0
        03-26 sm=10 um=0
        04-23 sm=11 um=0""", "01-29 PR, 02-26 PR, 03-26 PD, 04-23 PD", "PR 01-29", "confirmed 03-26"),
    Case(">50 after 40 is a rise of a quarter, >49 is not for certain", """
        2024-12-30 sm=90
        01-29 sm=40 um=0
        02-26 sm=>49 um=0
        03-26 sm=>50 um=0
        04-23 sm=>50 um=0""", "01-29 PR, 02-26 SD, 03-26 PD, 04-23 PD", "SD 01-29", "confirmed 03-26"),
    Case("a baseline of >9 need not be measurable", """
        2024-12-30 sm=>9
        01-29 sm=1 um=0
        02-26 sm=1 um=0""", "01-29 NE, 02-26 NE", "NE"),
    Case("a baseline of >30: 15 is surely half of it, 3 surely a tenth", """
        2024-12-30 sm=>30
        01-29 sm=15 um=0
        02-26 sm=3 um=0
        03-26 sm=3 um=0""", "01-29 PR, 02-26 VGPR, 03-26 VGPR", "VGPR 02-26"),
    Case("an uninvolved light chain <1: dFLC lies between 80 and 81", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 l=80.9 k=<1
        02-26 l=81 k=<1
        03-26 l=80 k=<1""", "01-29 PR, 02-26 PR, 03-26 VGPR", "PR 01-29", clone="igg lambda"),
    # ---- section 2: baseline and lines
    Case("the sample of the first day is the baseline (40, not 30) and no assessment", """
        2024-12-20 sm=30
        01-01 sm=40
        01-29 sm=20
        02-26 sm=20""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("a baseline of more than 90 days ago is flagged; of 90 days it is not", """
        2024-10-02 sm=30
        01-29 sm=15
        02-26 sm=15""", "01-29 PR, 02-26 PR", "PR 01-29", flags={"01-29": "baseline_old"}),
    Case("a baseline of 90 days ago", """
        2024-10-03 sm=30
        01-29 sm=15
        02-26 sm=15""", "01-29 PR, 02-26 PR", "PR 01-29", flags={"01-29": ""}),
    Case("each measurement has its own last value: urine of December, serum of January", """
        2024-12-10 sm=50 um=1000
        01-01 sm=30
        01-29 sm=15 um=100
        02-26 sm=15 um=100""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("nothing is carried across the first dose: urine of December says nothing in January", """
        2024-12-30 sm=30 um=0
        01-03 sm=3
        01-10 sm=3""", "01-03 PR, 01-10 PR", "PR 01-03", missing={"01-03": "urine_m_protein"}),
    Case("the first-day sample of the next line confirms a progression, and is the next baseline", """
        2024-12-30 sm=30
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0
        03-26 sm=18 um=0
        04-23 sm=9 um=0
        05-21 sm=9 um=0""", "01-29 PR, 02-12 PR, 02-26 PD, 03-26 PD", "PR 01-29", "confirmed 02-26",
        drugs="01-01 bortezomib 1; 03-26 carfilzomib 2"),
    Case("the same patient in line 2: half of 18 is PR", """
        2024-12-30 sm=30
        02-26 sm=16 um=0
        03-26 sm=18 um=0
        04-23 sm=9 um=0
        05-21 sm=9 um=0""", "04-23 PR, 05-21 PR", "PR 04-23", line=2, drugs="01-01 bortezomib 1; 03-26 carfilzomib 2"),
    Case("the first-day sample of the next line confirms no response", """
        2024-12-30 sm=30
        02-26 sm=15 um=0
        03-26 sm=15 um=0
        04-23 sm=15 um=0""", "02-26 PR, 03-26 PR", "SD 02-26", drugs="01-01 bortezomib 1; 03-26 carfilzomib 2"),
    Case("minimal response is used from line 2 on", """
        2024-06-01 sm=30
        2024-12-30 sm=40
        01-29 sm=30 um=0
        02-26 sm=30 um=0""", "01-29 MR, 02-26 MR", "MR 01-29", line=2, drugs="2024-06-03 bortezomib 1; 01-01 carfilzomib 2"),
    Case("nothing recorded of lines: a new drug after confirmed progression opens the second", """
        2024-12-30 sm=30
        01-29 sm=10 um=0
        02-26 sm=16 um=0
        03-26 sm=18 um=0
        04-23 sm=9 um=0
        05-21 sm=9 um=0""", "04-23 PR, 05-21 PR", "PR 04-23", line=2, drugs="01-01 bortezomib; 04-01 carfilzomib"),
    Case("a drug added in response opens no line", """
        2024-12-30 sm=30
        01-29 sm=15 um=0
        02-26 sm=15 um=0
        03-26 sm=15 um=0""", "01-29 PR, 02-26 PR, 03-26 PR", "PR 01-29", drugs="01-01 bortezomib; 02-15 lenalidomide"),
    Case("a steroid alone does not begin line 1 where another drug is given", """
        2024-12-01 sm=50
        2024-12-30 sm=30
        01-29 sm=15 um=0
        02-26 sm=15 um=0""", "01-29 PR, 02-26 PR", "PR 01-29", drugs="2024-12-10 dexamethasone; 01-01 bortezomib"),
    Case("bridging and lymphodepletion begin no line", """
        2024-12-30 sm=40
        01-01 sm=30
        01-29 sm=15 um=0
        02-26 sm=15 um=0""", "01-29 PR, 02-26 PR", "PR 01-29", drugs="2024-12-27 fludarabine 1 lymphodepletion; 01-01 cilta_cel 1"),
    # ---- section 2: assessments and what is carried forward
    Case("weekly samples: urine is carried for 7 days, not for 8", """
        2024-12-30 sm=30
        01-08 sm=3 um=50
        01-15 sm=3
        01-16 sm=3
        01-29 sm=3""", "01-08 VGPR, 01-15 VGPR, 01-16 PR, 01-29 PR", "VGPR 01-08", confirmed_on="01-15",
        missing={"01-16": "urine_m_protein"}),
    Case("weekly samples: a visit that rests on the same sample of a track confirms nothing", """
        2024-12-30 sm=30 um=1000
        01-08 sm=3 um=50
        01-12 sm=3
        01-15 um=50""", "01-08 VGPR, 01-12 VGPR, 01-15 VGPR", "VGPR 01-08", confirmed_on="01-15"),
    Case("serum is carried 42 days onto a marrow date, not 43", """
        2024-12-30 sm=30
        01-29 sm=15
        03-12 bm=20
        03-13 bm=20""", "01-29 PR, 03-12 PR, 03-13 NE", "SD 01-29", missing={"03-13": "serum_m_protein"}),
    Case("marrow sixty days after the negative immunofixation: CR from the marrow on", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=negative ui=negative
        02-26 sm=0 um=0 si=negative ui=negative
        03-30 bm=2
        04-23 sm=0 um=0 si=negative ui=negative
        05-21 sm=0 um=0 si=negative ui=negative""", "01-29 VGPR, 02-26 VGPR, 03-30 CR, 04-23 CR, 05-21 CR", "CR 03-30",
        confirmed_on="04-23", flags={"01-29": "CR_pending_marrow", "03-30": ""}, missing={"01-29": "marrow_plasma_cells"}),
    Case("a marrow from before the present run of negative immunofixation does not count", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=negative ui=negative bm=2
        02-26 sm=0 um=0 si=igg_kappa ui=negative
        03-26 sm=0 um=0 si=negative ui=negative
        04-23 sm=0 um=0 si=negative ui=negative""", "01-29 CR, 02-26 VGPR, 03-26 VGPR, 04-23 VGPR", "VGPR 01-29",
        flags={"03-26": "CR_pending_marrow"}),
    Case("a marrow before the first negative immunofixation does not count", """
        2024-12-30 sm=30 um=0
        01-25 bm=2
        01-29 sm=0 um=0 si=negative ui=negative
        02-26 sm=0 um=0 si=negative ui=negative""", "01-25 NE, 01-29 VGPR, 02-26 VGPR", "VGPR 01-29",
        flags={"01-29": "CR_pending_marrow"}),
    Case("imaging is carried 84 days, not 85", """
        2024-12-30 sm=30 spd=20
        01-29 sm=15 um=0 spd=10
        04-23 sm=15 um=0
        04-24 sm=15 um=0""", "01-29 PR, 04-23 PR, 04-24 NE", "PR 01-29", confirmed_on="04-23", missing={"04-24": "plasmacytoma_spd"}),
    # ---- section 3: the clone
    Case("lambda disease by light chains alone: lambda is the involved chain", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 k=8 l=88
        02-26 k=8 l=88""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29", clone="igg lambda"),
    Case("lambda disease, the clone not recorded: the ratio tells", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 k=8 l=88
        02-26 k=8 l=88""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29", clone=" "),
    Case("lambda disease: a kappa that rises above lambda makes dFLC 0, not a progression", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 k=8 l=88
        02-26 k=300 l=88
        03-26 k=300 l=88""", "01-29 VGPR, 02-26 VGPR, 03-26 VGPR", "VGPR 01-29", clone="none lambda"),
    Case("lambda disease: CR needs a normal ratio twice", """
        2024-12-30 sm=2 um=50 k=8 l=808
        01-29 k=9 l=12 si=negative ui=negative bm=2
        02-26 k=9 l=12 si=negative ui=negative
        03-26 k=9 l=40 si=negative ui=negative""", "01-29 CR, 02-26 CR, 03-26 VGPR", "CR 01-29", clone="none lambda"),
    Case("a band of another isotype does not prevent CR and is flagged", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=iga_lambda ui=negative bm=1
        02-26 sm=0 um=0 si=iga_lambda ui=negative""", "01-29 CR, 02-26 CR", "CR 01-29", flags={"01-29": "oligoclonal_band"}),
    Case("free kappa chains of an IgG-kappa clone prevent CR", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=kappa ui=negative bm=1
        02-26 sm=0 um=0 si=kappa ui=negative""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29"),
    Case("the clone from the one band of the baseline: IgA-lambda, later IgG-kappa is another", """
        2024-12-30 sm=30 um=0 si=iga_lambda
        01-29 sm=0 um=0 si=igg_kappa ui=negative bm=1
        02-26 sm=0 um=0 si=igg_kappa ui=negative""", "01-29 CR, 02-26 CR", "CR 01-29", clone=" "),
    Case("daratumumab 180 days ago may hide the CR", """
        2024-12-30 sm=30 um=0
        07-30 sm=1 um=0 si=igg_kappa ui=negative bm=1
        07-31 sm=1 um=0 si=igg_kappa ui=negative""", "07-30 VGPR, 07-31 VGPR", "VGPR 07-30",
        drugs="01-01 daratumumab 1 - 01-31", flags={"07-30": "CR_blocked_mAb", "07-31": ""}, missing={"07-30": "serum_ife_shifted"}),
    # ---- section 4: measurable disease
    Case("the total immunoglobulin is the track where no spike was measured at baseline", """
        2024-12-30 igg=40
        01-29 igg=20 um=0
        02-26 igg=20 um=0""", "01-29 PR, 02-26 PR", "PR 01-29", flags={"01-29": "total_immunoglobulin"}),
    Case("total IgG within 42 days of immunoglobulin is not used", """
        2024-12-30 igg=40
        01-29 igg=20 um=0
        02-26 igg=20 um=0
        03-24 igg=20 um=0
        03-25 igg=20 um=0""", "01-29 PR, 02-26 NE, 03-24 NE, 03-25 PR", "PR 01-29",
        drugs="01-01 bortezomib 1; 02-10 immunoglobulin 1 - 02-10",
        confirmed_on="03-25"),
    Case("light chains are no track where the urine is", """
        2024-12-30 sm=2 um=200 k=800 l=8
        01-29 um=20 k=800 l=8
        02-26 um=20 k=800 l=8""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29"),
    Case("marrow of 30 % is the track where nothing else is", """
        2024-12-30 sm=2 um=50 k=90 l=8 bm=30
        01-29 bm=15
        02-26 bm=15""", "01-29 PR, 02-26 PR", "PR 01-29"),
    Case("marrow of 29.9 % is none", """
        2024-12-30 sm=2 um=50 k=90 l=8 bm=29.9
        01-29 bm=15
        02-26 bm=15""", "01-29 NE, 02-26 NE", "NE"),
    # ---- section 5: urine beside a serum VGPR
    Case("both immunofixations negative stand for the urine below 100", """
        2024-12-30 sm=30
        01-29 sm=0 si=negative ui=negative
        02-26 sm=0 si=negative ui=negative""", "01-29 VGPR, 02-26 VGPR", "VGPR 01-29"),
    Case("urine 199 of 1000 is PR; 200 is no PR, and in line 1 there is no MR", """
        2024-12-30 sm=2 um=1000
        01-29 um=199
        02-26 um=200
        03-26 um=199""", "01-29 PR, 02-26 SD, 03-26 PR", "SD 01-29"),
    # ---- section 7 and 8: progression and its confirmation
    Case("a serum rise is confirmed by a urine rise", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0
        03-26 sm=14 um=250
        04-23 sm=14 um=0""", "01-29 PR, 02-12 PR, 02-26 PD, 03-26 PD, 04-23 PR", "PR 01-29", "confirmed 02-26"),
    Case("a serum rise is confirmed by a new lesion", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0
        03-26 new=yes""", "01-29 PR, 02-12 PR, 02-26 PD, 03-26 PD", "PR 01-29", "confirmed 02-26"),
    Case("a sample of the other track alone does not refute", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0
        03-26 um=0
        04-23 sm=16 um=0""", "01-29 PR, 02-12 PR, 02-26 PD, 03-26 NE, 04-23 PD", "PR 01-29", "confirmed 02-26"),
    Case("a rise that is carried onto a marrow date still reads PD and confirms nothing", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-05 sm=16 um=0
        02-08 bm=20
        02-12 sm=10 um=0
        02-19 sm=10 um=0""", "01-29 PR, 02-05 PD, 02-08 PD, 02-12 PR, 02-19 PR", "PR 02-12", ""),
    Case("weekly samples: a rise of one week is refuted by the next", """
        2024-12-30 sm=30 um=0
        01-08 sm=10 um=0
        01-15 sm=10 um=0
        01-22 sm=15 um=0
        01-29 sm=14.9 um=0
        02-05 sm=10 um=0""", "01-08 PR, 01-15 PR, 01-22 PD, 01-29 PR, 02-05 PR", "PR 01-08", ""),
    Case("after a refuted rise the search goes on", """
        2024-12-30 sm=30 um=0
        01-08 sm=10 um=0
        01-15 sm=10 um=0
        01-22 sm=16 um=0
        01-29 sm=10 um=0
        02-05 sm=16 um=0
        02-12 sm=16 um=0""", "… 01-22 PD, 01-29 PR, 02-05 PD, 02-12 PD", "PR 01-08", "confirmed 02-05"),
    Case("a confirming sample after more than 84 days is flagged", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-26 sm=16 um=0
        05-22 sm=16 um=0""", "… 02-26 PD, 05-22 PD", progression="confirmed 02-26", flags={"02-26": "confirmation_gap"}),
    Case("death in the line confirms the last rise", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0""", "… 02-26 PD", "PR 01-29", "confirmed 02-26", died_on="2025-03-05"),
    Case("without death it stays unconfirmed", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=16 um=0""", "… 02-26 PD", "PR 01-29", "unconfirmed"),
    Case("a plasmacytoma that is reported as an event is progression by itself", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0""", "01-29 PR, 02-12 PR, 02-20 PD", "PR 01-29", "confirmed 02-20", events="02-20 plasmacytoma_new"),
    Case("a plasmacytoma event whose absence is recorded is none", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0""", "01-29 PR, 02-12 PR", "PR 01-29", "", events="02-12 plasmacytoma_new none"),
    Case("SPD that comes after 0 is progression by itself", """
        2024-12-30 sm=30 um=0 spd=0
        01-29 sm=10 um=0
        02-12 sm=10 um=0
        02-26 sm=10 um=0 spd=1""", "… 02-26 PD", "PR 01-29", "confirmed 02-26"),
    Case("SPD of one lesion that grows by half is none", """
        2024-12-30 sm=30 um=0 spd=8 n=1
        01-29 sm=10 um=0 spd=4 n=1
        02-26 sm=10 um=0 spd=6 n=1""", "01-29 PR, 02-26 SD", "SD 01-29", ""),
    Case("the longest diameter of a lesion with a short axis above 1 cm grows by half", """
        2024-12-30 sm=30 um=0 long=4 short=1.5
        01-29 sm=10 um=0 long=2 short=1.2
        02-12 sm=10 um=0
        02-26 sm=10 um=0 long=3 short=1.1""", "… 01-29 PR, 02-26 PD", "PR 01-29", "confirmed 02-26"),
    Case("light-chain escape in a serum-measurable patient is flagged, not progression", """
        2024-12-30 sm=30 um=0 k=20 l=10
        01-29 sm=10 um=0 k=20 l=10
        02-26 sm=10 um=0 k=400 l=10""", "01-29 PR, 02-26 PR", "PR 01-29", "", flags={"02-26": "light_chain_escape"}),
    Case("progression against any nadir, not against pairs, is flagged", """
        2024-12-30 sm=30 um=0
        01-29 sm=10 um=0
        02-05 sm=8 um=0
        02-12 sm=13.5 um=0
        02-19 sm=13.5 um=0""", "… 02-12 PD, 02-19 PD", progression="confirmed 02-12", flags={"02-12": "nadir_sensitive"}),
    Case("a positive immunofixation after CR is no progression", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0 si=negative ui=negative bm=1
        02-26 sm=0 um=0 si=negative ui=negative
        03-26 sm=0 um=0 si=igg_kappa ui=negative
        04-23 sm=0.5 um=0 si=igg_kappa ui=negative""", "… 03-26 VGPR, 04-23 VGPR", "CR 01-29", ""),
    Case("from a nadir of 0 the amount decides: 4.9 is none, 5 is", """
        2024-12-30 sm=30 um=0
        01-29 sm=0 um=0
        02-26 sm=4.9 um=0
        03-26 sm=5 um=0
        04-23 sm=5 um=0""", "… 02-26 PR, 03-26 PD, 04-23 PD", progression="confirmed 03-26"),
    Case("a value without a baseline begins its own nadir: urine 500, then 700", """
        2024-12-30 sm=30
        01-29 sm=15 um=500
        02-26 sm=15 um=700
        03-26 sm=15 um=700""", "01-29 PR, 02-26 PD, 03-26 PD", progression="confirmed 02-26"),
    Case("the best response is kept through confirmed progression", """
        2024-12-30 sm=30 um=0
        01-29 sm=15 um=0
        02-26 sm=15 um=0
        03-26 sm=21 um=0
        04-23 sm=21 um=0
        05-21 sm=3 um=0
        06-18 sm=3 um=0""", "… 05-21 VGPR, 06-18 VGPR", "PR 01-29", "confirmed 03-26"),
    Case("progression at the first visit: the best is PD", """
        2024-12-30 sm=30 um=0
        01-29 sm=38 um=0
        02-26 sm=39 um=0""", "01-29 PD, 02-26 PD", "PD 01-29", "confirmed 01-29"),
    Case("visits that cannot be graded do not break a pair", """
        2024-12-30 sm=30 um=0
        01-29 sm=15 um=0
        02-12 um=0
        02-26 sm=15 um=0""", "01-29 PR, 02-12 NE, 02-26 PR", "PR 01-29", confirmed_on="02-26"),
]  # fmt: skip


STAGING = [
    Case("a value of 90 days before the diagnosis is used", "2024-10-03 b2m=6",
         status={"iss": "III"}, events="01-01 mm_diagnosis", drugs=""),
    Case("a value of 91 days before is not", "2024-10-02 b2m=6", status={"iss": None}, events="01-01 mm_diagnosis", drugs=""),
    Case("a value of 14 days after the diagnosis is used", "01-15 b2m=6", status={"iss": "III"}, events="01-01 mm_diagnosis", drugs=""),
    Case("a value of 15 days after is not", "01-16 b2m=6", status={"iss": None}, events="01-01 mm_diagnosis", drugs=""),
    Case("a value of the day of the first dose is used", "01-05 b2m=6", status={"iss": "III"}, events="01-01 mm_diagnosis",
         drugs="01-05 bortezomib 1"),
    Case("a value after the first dose is not", "01-06 b2m=6", status={"iss": None}, events="01-01 mm_diagnosis",
         drugs="01-05 bortezomib 1"),
    Case("the nearest value is chosen: 3 days after, not 10 days before", """
        2024-12-22 b2m=6 albumin=40
        01-04 b2m=3""", status={"iss": "I"}, events="01-01 mm_diagnosis", drugs=""),
    Case("of two equally near the earlier", """
        2024-12-29 b2m=6
        01-04 b2m=3 albumin=40""", status={"iss": "III"}, events="01-01 mm_diagnosis", drugs=""),
    Case("without a diagnosis the first treatment is the anchor", """
        2024-08-01 b2m=3 albumin=40
        2024-12-30 b2m=6""", status={"iss": "III", "baseline_on": "2025-01-01"}, drugs="01-01 bortezomib 1"),
    Case("without a treatment either the earliest observation is", """
        2024-08-01 b2m=3 albumin=40
        2024-12-30 b2m=6""", status={"iss": "I", "baseline_on": "2024-08-01"}, drugs=""),
    Case("smouldering first, myeloma later: the myeloma is staged", """
        2020-01-01 b2m=3 albumin=40
        01-01 b2m=6""", status={"iss": "III", "baseline_on": "2025-01-01"},
         events="2020-01-01 smm_diagnosis; 01-01 mm_diagnosis", drugs=""),
    Case("a diagnosis whose absence is recorded is none", """
        2020-01-01 b2m=3 albumin=40
        01-01 b2m=6""", status={"iss": "I"}, events="01-01 mm_diagnosis none", drugs=""),
    Case("a bound is enough: b2m <3.5 and albumin 35", "01-01 b2m=<3.5 albumin=35", status={"iss": "I"}, drugs=""),
    Case("b2m 3.5 is not below 3.5", "01-01 b2m=3.5 albumin=40", status={"iss": "II"}, drugs=""),
    Case("b2m 5.5 is high, 5.49 is not", "01-01 b2m=5.49", status={"iss": "II"}, drugs=""),
    Case("b2m 5.5", "01-01 b2m=5.5", status={"iss": "III"}, drugs=""),
    Case("b2m 3 without albumin: I or II, and with t(4;14) R-ISS II for certain", "01-01 b2m=3 t_4_14=positive",
         status={"iss": None, "iss_possible": "I|II", "r_iss": "II", "r_iss_possible": None}, drugs=""),
    Case("albumin alone: unknown", "01-01 albumin=40", status={"iss": None, "iss_possible": "I|II|III"}, drugs=""),
    Case("a recorded stage fills what cannot be derived", "01-01 iss=II", status={"iss": "II", "flags": None}, drugs=""),
    Case("a recorded stage settles what is left open", "01-01 b2m=3 iss=II", status={"iss": "II", "flags": None}, drugs=""),
    Case("the derived stage stands, and the conflict is seen", "01-01 b2m=6 iss=I",
         status={"iss": "III", "flags": "recorded:iss"}, drugs=""),
    Case("of conflicting values of the day the lower stages, flagged", "01-01 b2m=6 b2m=5 albumin=40",
         status={"iss": "II", "flags": "conflict:b2m"}, drugs=""),
    Case("of conflicting values the one recorded later", "01-01 b2m=5 b2m=6!recorded=01-03 albumin=40",
         status={"iss": "III", "flags": None}, drugs=""),
    Case("a spurious value does not stage, the next nearest does", """
        01-01 b2m=6!spurious
        2024-12-30 b2m=3 albumin=40""", status={"iss": "I"}, events="01-01 mm_diagnosis", drugs=""),
    Case("a value entered in error does not stage", "01-01 b2m=6!entered_in_error albumin=40", status={"iss": None}, drugs=""),
    Case("cytogenetics of a relapse do not stage", """
        01-01 b2m=3 albumin=40 ldh=200 ldh_upper_limit=250 del_17p=0 t_4_14=negative t_14_16=negative
        2026-01-01 del_17p=60""", status={"r_iss": "I"}, events="01-01 mm_diagnosis", drugs="01-05 bortezomib 1"),
    Case("LDH is high above the limit of its own laboratory", "01-01 b2m=3 albumin=40 ldh=251 ldh_upper_limit=250",
         status={"ldh_high": "yes", "r_iss": "II"}, drugs=""),
    Case("LDH at the limit is not high", "01-01 b2m=3 albumin=40 ldh=250 ldh_upper_limit=250 del_17p=0 t_4_14=negative t_14_16=negative",
         status={"ldh_high": "no", "r_iss": "I"}, drugs=""),
]  # fmt: skip
CASES = {f"{kind}{i:03}": case for kind, cases in (("R", RESPONSE), ("S", STAGING)) for i, case in enumerate(cases)}


# ---- writing the charts


def patient_row(name: str, case: Case) -> list[str]:
    heavy, _, light = case.clone.partition(" ")
    return [name, heavy, light, case.died_on]


def observation_rows(name: str, case: Case, other_units: bool) -> Iterator[list[str]]:
    for line in case.rows.strip().splitlines():
        on, *findings = line.split()
        for finding in findings:
            told, *marks = finding.split("!")
            short, _, value = told.partition("=")
            marked = dict(mark.partition("=")[::2] for mark in marks)
            status = next((mark for mark in marked if mark in ("spurious", "entered_in_error")), "")
            recorded = day(marked["recorded"]) if "recorded" in marked else ""
            code = CODES.get(short, short)
            cells = ["", value, ""]
            if re.fullmatch(r"[<>]?[\d.]+", value):
                cells = number_cells(code, value, other_units)
            yield [name, day(on), code, *cells, marked.get("method", ""), status, recorded]


def number_cells(code: str, value: str, other_units: bool) -> list[str]:
    """Value, text and unit of a number."""
    unit, another, times = UNITS.get(code, ("", "", "1"))
    if not other_units:
        return [value, "", unit]
    bound = value[0] if value[0] in "<>" else ""
    return [f"{bound}{Decimal(value.strip('<>')) * Decimal(times)}", "", another]


def treatment_rows(name: str, case: Case) -> Iterator[list[str]]:
    for text in filter(None, case.drugs.split("; ")):
        start, drug, line, phase, stop = (*text.split(), "", "", "")[:5]
        yield [name, day(start), day(stop) if stop else "", drug, line, phase.strip("-")]


def event_rows(name: str, case: Case) -> Iterator[list[str]]:
    for text in filter(None, case.events.split("; ")):
        on, what, absent = (*text.split(), "")[:3]
        yield [name, day(on), what, absent]


HEADS = {
    "patients": ["patient", "heavy_chain", "light_chain", "died_on"],
    "observations": ["patient", "on", "what", "value", "text", "unit", "method", "status", "recorded_on"],
    "treatments": ["patient", "started_on", "stopped_on", "what", "line", "phase"],
    "events": ["patient", "on", "what", "text"],
}


def write_chart(folder: Path, cases: Mapping[str, Case], other_units: bool = False, seed: int | None = None) -> Path:
    """Write cases as the tables of a chart; `seed`: in another order, and some rows twice."""
    rows: dict[str, list[list[str]]] = {table: [] for table in HEADS}
    for name, case in cases.items():
        rows["patients"].append(patient_row(name, case))
        rows["observations"] += observation_rows(name, case, other_units)
        rows["treatments"] += treatment_rows(name, case)
        rows["events"] += event_rows(name, case)
    folder.mkdir()
    for table, head in HEADS.items():
        if seed is not None:
            dice = random.Random(seed)
            rows[table] += dice.sample(rows[table], len(rows[table]) // 4)
            dice.shuffle(rows[table])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *rows[table]])
        (folder / f"{table}.csv").write_text(text.getvalue(), encoding="utf-8")
    return folder


# ---- assessing them


Found = dict[str, pl.DataFrame]


def assessed(chart: Path, out: Path, *options: str) -> Found:
    """The findings that `bence assess` writes for a chart."""
    words = ["assess", str(chart), "--out", str(out), "--format", "parquet", *options]
    result = CliRunner().invoke(bence, words, prog_name="bence")
    assert result.exit_code == 0, result.output
    assert "not accepted" not in result.stderr, result.stderr
    return {name: pl.read_parquet(out / f"{name}.parquet") for name in ("status", "response", "lines")}


@pytest.fixture(scope="session")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> Found:
    home = tmp_path_factory.mktemp("edges")
    return assessed(write_chart(home / "canonical", CASES), home / "findings")


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    return read(write_chart(tmp_path_factory.mktemp("edges") / "chart", CASES))


def short(on: date | None) -> str:
    return "" if on is None else f"{on:%m-%d}" if on.year == 2025 else on.isoformat()


def visits_of(found: Found, name: str, line: int) -> list[dict]:
    rows = found["response"].filter((pl.col("patient") == name) & (pl.col("line") == line)).to_dicts()
    return [row | {"on": short(row["on"])} for row in rows]


def line_of(found: Found, name: str, line: int) -> dict:
    (row,) = found["lines"].filter((pl.col("patient") == name) & (pl.col("line") == line)).to_dicts()
    return row


@pytest.mark.parametrize("name", [name for name in CASES if name[0] == "R"], ids=lambda name: CASES[name].words)
def test_response(canonical: Found, name: str) -> None:
    case = CASES[name]
    rows = visits_of(canonical, name, case.line)
    told = [f"{row['on']} {row['timepoint']}" for row in rows]
    wanted = case.visits.removeprefix("… ").split(", ") if case.visits else []
    assert [each for each in told if each in wanted or "…" not in case.visits] == wanted, told
    line = line_of(canonical, name, case.line)
    if case.best:
        assert f"{line['best_response']} {short(line['best_response_on'])}".strip() == case.best
    progression = f"{line['progression_state'] or ''} {short(line['progressed_on'])}".strip()
    assert progression == case.progression
    by_day = {row["on"]: row for row in rows}
    for on, flags in case.flags.items():
        found = (by_day[on]["flags"] or "").split("|")
        assert flags in found if flags else found == [""], f"{on}: {found}"
    for on, missing in case.missing.items():
        assert missing in (by_day[on]["missing"] or "").split("|")
    if case.confirmed_on:
        assert short(rows[-1]["confirmed_on"]) == case.confirmed_on


@pytest.mark.parametrize("name", [name for name in CASES if name[0] == "S"], ids=lambda name: CASES[name].words)
def test_staging(canonical: Found, name: str) -> None:
    (row,) = canonical["status"].filter(pl.col("patient") == name).to_dicts()
    found = {column: None if row[column] is None else str(row[column]) for column in CASES[name].status}
    assert found == CASES[name].status


def test_other_units_say_the_same(canonical: Found, tmp_path: Path) -> None:
    others = assessed(write_chart(tmp_path / "chart", CASES, other_units=True), tmp_path / "findings")
    for name, table in canonical.items():
        assert_frame_equal(table, others[name])


def test_the_order_of_rows_and_rows_that_stand_twice_do_not_matter(canonical: Found, tmp_path: Path) -> None:
    others = assessed(write_chart(tmp_path / "chart", CASES, seed=1), tmp_path / "findings")
    for name, table in canonical.items():
        assert_frame_equal(table, others[name])


@pytest.mark.parametrize("name", ["R003", "R026", "S015"])
def test_other_patients_do_not_matter(chart: Chart, canonical: Found, name: str) -> None:
    at = canonical["status"]["at"][0]
    alone = assess(chart.only(name), at=at)
    for table in ("status", "response", "lines"):
        own = canonical[table].filter(pl.col("patient") == name)
        assert_frame_equal(getattr(alone, table).with_columns(YES_NO).cast(pl.String), own.cast(pl.String))


@pytest.mark.parametrize("at", [date(2025, 2, 4), date(2025, 3, 26)])
def test_as_of_a_day_is_the_same_as_a_chart_that_ends_there(chart: Chart, at: date) -> None:
    seen, then = assess(visible(chart, at)), assess(chart, at=at)
    for table in ("status", "response", "lines", "treatments"):
        ours = getattr(seen, table)
        assert_frame_equal(ours.drop("at") if table == "status" else ours, getattr(then, table).drop("at", strict=False))
    assert then.response.filter(pl.col("on") > at).is_empty()


def test_rows_after_the_day_change_nothing(chart: Chart) -> None:
    at = date(2025, 2, 26)
    later = pl.DataFrame({
        "patient": chart.patients["patient"], "on": date(2025, 2, 27), "what": "serum_m_protein", "value": 99.0, "unit": "g/L",
        "recorded_on": date(2025, 2, 27), "status": "final",
    })  # fmt: skip
    tables = {table: chart.scan(table) for table in TABLES}
    tables["observations"] = pl.concat([chart.observations, later], how="diagonal").lazy()
    then, with_later = assess(chart, at=at), assess(Chart(**tables), at=at)
    for table in ("status", "response", "lines"):
        assert_frame_equal(getattr(then, table), getattr(with_later, table))


def test_policies_from_the_command_line(tmp_path: Path) -> None:
    """What a policy changes, of the cases above."""
    known = {case.words: name for name, case in CASES.items()}
    rise = "progression against any nadir, not against pairs, is flagged"
    death = "death in the line confirms the last rise"
    urine = "nothing is carried across the first dose: urine of December says nothing in January"
    small = "a baseline of >9 need not be measurable"
    fall = "of conflicting baselines the lower: 20 is no half of 30"
    cases = {known[words]: CASES[known[words]] for words in (rise, death, urine, small, fall)}
    policies = ["nadir=pairwise", "death_confirms=false", "missing=relaxed", "serum_measurable=9", "minimal_response=always"]
    options = [word for policy in policies for word in ("--policy", policy)]
    found = assessed(write_chart(tmp_path / "chart", cases), tmp_path / "findings", *options)
    assert line_of(found, known[rise], 1)["progression_state"] is None
    assert line_of(found, known[death], 1)["progression_state"] == "unconfirmed"
    assert line_of(found, known[urine], 1)["best_response"] == "VGPR"
    assert line_of(found, known[small], 1)["best_response"] == "PR"
    assert line_of(found, known[fall], 1)["best_response"] == "MR"
