"""The true blood and urine of virtual people at each visit, from the states of the model and from how they came.

What the model does not hold (haemoglobin, creatinine, calcium, albumin, beta-2 microglobulin, LDH, platelets) moves from its value at
entry towards the normal one as the tumour shrinks. Those relations are assumptions (A); the paraproteins are states of the model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .draws import normal
from .measurement import marrow_share, measurement
from .people import People

Array = NDArray[np.float64]
CLONES = ("ln_sensitive", "ln_bcma_low", "ln_gprc5d_loss", "ln_double_loss", "ln_resistant")
USED = (*CLONES, "m_protein", "involved_flc", "normal_igg", "normal_plasma", "neutrophils", "resting_t", "activated_t",
        "car_effector", "car_memory")  # fmt: skip
WORST = 1.5  # times the burden of entry, beyond which an organ gets no worse
HAEMOGLOBIN = {"male": 138.0, "female": 127.0}
HEALTHY = {"creatinine": 72.0, "calcium": 2.32, "albumin": 42.0, "b2m": 2.0, "ldh": 175.0, "platelets": 225.0}
NORMAL_IGA, NORMAL_IGM, NORMAL_LYMPHOCYTES = 2.0, 0.9, 1.5
RED_CELLS_DAYS, KIDNEY_LEFT = 45.0, 0.5  # how slowly haemoglobin follows; the share of kidney injury that stays
PLATELETS_FALL = 0.6  # with neutrophils: the power
DEAD = -1.0  # ln of cells below which a clone has none


def cells(states: Mapping[str, Array]) -> Array:
    """Myeloma cells in the body, all clones together; a clone of less than a cell has none."""
    return np.sum([np.where(states[name] > DEAD, np.exp(np.maximum(states[name], DEAD)), 0) for name in CLONES], axis=0)


def blood(states: Mapping[str, Array], people: People, every_days: int) -> dict[str, Array]:
    """Truth by code of the chart, [visit, person], in its unit; the first visit is the entry. `states` as in USED."""
    table = people.table
    share = marrow_share(cells(states))
    left = np.clip(share / share[0], 0, WORST)
    own = {name: table[name].to_numpy() for name in (*HEALTHY, "hemoglobin", "uninvolved_flc")}
    healthy = np.array([HAEMOGLOBIN[sex] for sex in table["sex"]])
    kidney = KIDNEY_LEFT + (1 - KIDNEY_LEFT) * left
    found = {
        "hemoglobin": _followed(_harmed(healthy, own["hemoglobin"], left, up=False), every_days),
        "creatinine": _harmed(HEALTHY["creatinine"], own["creatinine"], kidney, up=True),
        **{name: _harmed(HEALTHY[name], own[name], left, up=True) for name in ("calcium", "b2m", "ldh")},
        **{name: _harmed(HEALTHY[name], own[name], left, up=False) for name in ("albumin", "platelets")},
        "neutrophils": states["neutrophils"],
        "lymphocytes": NORMAL_LYMPHOCYTES * (states["resting_t"] + states["activated_t"]),
        **_proteins(states, people, own["uninvolved_flc"]),
    }
    found["platelets"] = found["platelets"] * np.clip(states["neutrophils"] / states["neutrophils"][0], 0.05, 1.0) ** PLATELETS_FALL
    return found


def _toward(healthy: Array | float, own: Array, left: Array) -> Array:
    """From the value of entry to the healthy one with the burden that is left; never under half of both."""
    return np.maximum(healthy + (own - healthy) * left, 0.5 * np.minimum(own, healthy))


def _harmed(healthy: Array | float, own: Array, left: Array, up: bool) -> Array:
    """The same of what myeloma drives up (or down); a value that is better than healthy is the person's own and stays."""
    return np.where((own > healthy) == up, _toward(healthy, own, left), own)


def _followed(target: Array, every_days: int) -> Array:
    """What follows a target slowly, as red cells do."""
    now, step = target[0], -np.expm1(-every_days / RED_CELLS_DAYS)
    rows = [now]
    for aim in target[1:]:
        now = now + step * (aim - now)
        rows.append(now)
    return np.array(rows)


def _proteins(states: Mapping[str, Array], people: People, uninvolved: Array) -> dict[str, Array]:
    """M-protein, immunoglobulins, light chains of both kinds, M-protein in urine."""
    table, plasma = people.table, states["normal_plasma"]
    heavy, kappa, silent = (
        table["heavy_chain"].to_numpy(),
        table["light_chain"].to_numpy() == "kappa",
        table["isotype"].to_numpy() == "non_secretory",
    )
    m, other = states["m_protein"], uninvolved * plasma / plasma[0]
    clonal = np.where(silent, other * 1.2, states["involved_flc"])
    told, numbers = measurement()["urine"], people.numbers
    kidney = told["mg_for_each"] * np.exp(told["log_sd"] * normal(people.seed, "urine", numbers, 0))
    return {
        "serum_m_protein": m,
        "igg": states["normal_igg"] + np.where(heavy == "igg", m, 0),
        "iga": NORMAL_IGA * plasma + np.where(heavy == "iga", m, 0),
        "igm": NORMAL_IGM * plasma,
        "kappa_flc": np.where(kappa, clonal, other),
        "lambda_flc": np.where(kappa, other, clonal),
        "urine_m_protein": np.where(silent, 0, kidney * np.maximum(states["involved_flc"] - told["threshold"], 0)),
    }
