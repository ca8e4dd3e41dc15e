"""IMWG 2016 response: the scan over one patient's rows, the only place where the criterion is written.

Plain Python on NumPy arrays: called as it is for one patient and the debugger, compiled by Numba for the many
(`bence.assess.compiled`). The page `docs/rules/response.md` says in words what is done here, section by section.

To read it, begin with `patients` (lines of therapy), go on to `visits` (one row of the response table), from there to `levels`
and `progression`, then `confirmation`. `days`, `tracks`, `immunofixation` and `baseline` prepare what these look at; `places`
says where each number is kept.

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

from . import baseline, confirmation, days, immunofixation, levels, patients, places, progression, tracks, visits
from .patients import scan_all, scan_patient
from .places import (
    ACTIVE,
    ASPIRATE,
    CALCIUM,
    CIRCULATING,
    CLONALITY,
    DIAMETER,
    EITHER,
    IGG,
    IMMUNOGLOBULIN,
    KAPPA,
    LAMBDA,
    LESIONS,
    MARROW,
    MEASUREMENTS,
    NEW_LESION,
    OTHER,
    RATIO,
    SERUM,
    SERUM_IFE,
    SHIFTED_IFE,
    SHORT_AXIS,
    SPD,
    STEROID,
    TRACKS,
    UNKNOWN,
    URINE,
    URINE_IFE,
    Lines,
    Policy,
    Rows,
    Treatments,
    room_for,
)  # fmt: skip

#: Every module of the scan, for the compiler.
MODULES = (places, days, immunofixation, tracks, baseline, levels, progression, visits, confirmation, patients)

__all__ = [
    "ACTIVE", "ASPIRATE", "CALCIUM", "CIRCULATING", "CLONALITY", "DIAMETER", "EITHER", "IGG", "IMMUNOGLOBULIN", "KAPPA", "LAMBDA",
    "LESIONS", "MARROW", "MEASUREMENTS", "MODULES", "NEW_LESION", "OTHER", "RATIO", "SERUM", "SERUM_IFE", "SHIFTED_IFE",
    "SHORT_AXIS", "SPD", "STEROID", "TRACKS", "UNKNOWN", "URINE", "URINE_IFE", "Lines", "Policy", "Rows", "Treatments",
    "room_for", "scan_all", "scan_patient",
]  # fmt: skip
