"""What holds of a value that nobody recorded. Null is unknown everywhere else in Bence.

The tables below, and nothing hidden. Every entry is a choice of ours, not of the criteria.
"""

from __future__ import annotations

from ..interval import Interval

Assumed = float | str | tuple[str, ...]

UNLESS_RECORDED: dict[str, Assumed] = {
    # An event counts as due to myeloma unless somebody wrote down another cause.
    "hypercalcaemia_other_cause": "no",
    "renal_other_cause": "no",
    "anaemia_other_cause": "no",
    "bone_other_cause": "no",
    # Nothing is proven by a biopsy nobody recorded; nobody is asked for a second way to measure the same.
    "plasmacytoma_proven": "no",
    "ionised_calcium_above_limit": 0,
    "tp53_biallelic": "negative",
    # mSMART counts gene expression where it was done.
    "gep70_score": "low",
    "sky92_score": "standard",
}
"""Holds for every answer: the strict one, the possible ones and the given one."""

USUAL_LIMITS: dict[str, dict[str, Interval]] = {
    "hemoglobin_lower_limit": {
        "female": Interval(110, 125), "male": Interval(125, 140), "unknown": Interval(110, 140),
    },
    "calcium_upper_limit": {"unknown": Interval(2.45, 2.75)},
}  # fmt: skip
"""A limit the laboratory did not send lies where laboratories print it (by sex where that matters).

So 125 g/L is no anaemia whoever measured it, and 108 g/L in a man whose laboratory sent no limit may be one.
The upper limit of LDH has no such range: methods differ twofold.
"""

ASSUMED: dict[str, Assumed] = {
    "albumin": 40,  # total calcium stands for corrected calcium
    "calcium_upper_limit": 2.5,  # the printed 2.75 mmol/L decides
    "hemoglobin_lower_limit": 120,  # the printed 100 g/L decides
    "creatinine_clearance": 90,
    "flc_ratio_involved": 1,
    "involved_flc": 0,
    "mri_focal_lesions": 0,
    "circulating_plasma_cells": 0,
    "urine_m_protein": 0,
    "plasmacytoma_count": 1,
    "marrow_lpl_infiltration": 0,
    "t_11_14": "negative",
    "heavy_chain": ("igg", "iga", "igd", "ige", "none"),  # not IgM
}
"""For the given diagnosis alone (policy `diagnosis_requires=crab`); `diagnosis_possible` goes without them.

Calcium, creatinine, haemoglobin, bone imaging and the marrow are not among them: without those no diagnosis
is given unless the others make it certain.
"""

ONE_IMAGING_IS_ENOUGH = {"lytic_lesions": {"mri_focal_lesions": None, "pet": "negative"}}
"""For the given diagnosis: no lytic lesion is assumed if one of these was recorded (with this result)."""

NEVER_ASSUMED = ("none",)
"""Diagnoses that are given only if they are certain."""
