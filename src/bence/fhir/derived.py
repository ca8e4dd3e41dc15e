"""Findings → Observations of mCODE: ISS, R-ISS, disease status. Each says that it was computed, and from what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ..assess import baseline_of
from ..assess.intake import take_in, to_date
from ..assess.lines import treatment_rows
from ..read.fhir.terms import LOINC, MCODE, NCIT, OURS, SNOMED, STAGES, STAGING
from ..version import __version__
from .parts import Json, row_id, subject

if TYPE_CHECKING:
    from ..assess import Findings

#: What a stage is worked out from, or recorded as.
OF_STAGE = {
    "iss": ("b2m", "albumin", "iss"),
    "r_iss": ("b2m", "albumin", "ldh", "ldh_upper_limit", "ldh_high", "del_17p", "t_4_14", "t_14_16", "high_risk_fish", "iss", "r_iss"),
}
STAGED = ("MM", "PCL", None)  # smouldering myeloma and MGUS have no stage
OF_RESPONSE = (
    "serum_m_protein", "urine_m_protein", "serum_ife", "urine_ife", "serum_ife_shifted", "kappa_flc", "lambda_flc", "flc_ratio",
    "marrow_plasma_cells", "marrow_clonality", "plasmacytoma_spd", "plasmacytoma_count", "new_lesion", "calcium",
    "circulating_plasma_cells", "circulating_plasma_cell_count", "igg", "iga", "igm", "igd", "ige",
)  # fmt: skip
IMPROVED, STABLE, WORSE, UNDETERMINED = "268910001", "359746009", "271299001", "709137006"  # SNOMED CT
TREND = {"SD": STABLE, "PD": WORSE, "NE": UNDETERMINED}
By = dict[tuple[str, str, date], list[str]]  # patient, code, day → ids of observations


def derived(found: Findings, ids: pl.DataFrame) -> Iterator[Json]:
    """The stages and the course of response of every patient; `ids`: the observations with their `id`."""
    counted = ids.filter(pl.col("status") == "final")
    known: By = defaultdict(list)
    for patient, what, on, each in counted.select("patient", "what", "on", "id").iter_rows():
        known[patient, what, on].append(each)
    yield from _stages(found, known)
    yield from _course(found, known)


def _stages(found: Findings, known: By) -> Iterator[Json]:
    seen, at = found.basis.known, found.basis.at
    observations = take_in(seen)
    base = baseline_of(seen, observations, seen.patients, treatment_rows(seen, observations.patients), at)
    days: dict[tuple[str, str], date] = {}
    patients = observations.patients.to_list()
    for place, code, day in base.rows.select("place", "code", "day").iter_rows():
        if (on := to_date(day)) is not None:
            days[patients[place], base.names[code]] = on
    for row in found.status.select("patient", "baseline_on", "diagnosis", *OF_STAGE).iter_rows(named=True):
        for name, inputs in OF_STAGE.items():
            if row[name] is None or row["diagnosis"] not in STAGED or row["baseline_on"] is None:
                continue
            patient = row["patient"]
            used = [each for what in inputs if (patient, what) in days for each in known.get((patient, what, days[patient, what]), ())]
            yield _stage(patient, name, row[name], row["baseline_on"], used)


def _stage(patient: str, name: str, stage: str, on: date, used: list[str]) -> Json:
    code, scale, profile = STAGING[name]
    made = _derived(patient, name, on, stage, profile, used)
    return made | {
        "code": {"coding": [{"system": NCIT, "code": code}, {"system": OURS, "code": name}]},
        "valueCodeableConcept": {"coding": [{"system": NCIT, "code": STAGES[name, stage]}, {"system": OURS, "code": stage}], "text": stage},
        "method": {"coding": [{"system": SNOMED, "code": scale}]},
        "device": {"display": f"Bence {__version__}"},
    }


def _course(found: Findings, known: By) -> Iterator[Json]:
    """The confirmed response of every assessment. The profile of mCODE allows no device: the note names Bence."""
    rows = found.response.select("patient", "line", "on", pl.col("confirmed").cast(pl.String)).drop_nulls("confirmed")
    for patient, line, on, response in rows.iter_rows():
        used = [each for what in OF_RESPONSE for each in known.get((patient, what, on), ())]
        made = _derived(patient, f"response {line}", on, response, "mcode-cancer-disease-status", used)
        trend = TREND.get(response, IMPROVED)
        yield made | {
            "code": {"coding": [{"system": LOINC, "code": "97509-4"}, {"system": OURS, "code": "response"}]},
            "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": trend}, {"system": OURS, "code": response}], "text": response},
        }


def _derived(patient: str, what: str, on: date, value: str, profile: str, used: list[str]) -> Json:
    made = {
        "resourceType": "Observation",
        "id": row_id("findings", (patient, what, on, value)),
        "meta": {"profile": [MCODE + profile], "tag": [{"system": OURS, "code": "derived"}]},
        "status": "final",
        "subject": subject(patient),
        "effectiveDateTime": on.isoformat(),
        "note": [{"text": f"Computed by Bence {__version__} from the records it was given; not a clinician's judgement."}],
    }
    return made | ({"derivedFrom": [{"reference": f"Observation/{each}"} for each in used]} if used else {})
