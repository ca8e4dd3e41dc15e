"""Where every number of the response scan is kept: codes, bits and arrays."""

from typing import NamedTuple

import numpy as np

# Measurements (columns of the day table), then findings that are words.
SERUM, URINE, KAPPA, LAMBDA, RATIO, MARROW, SPD, LESIONS, DIAMETER, SHORT_AXIS, CIRCULATING, CALCIUM = range(12)
IGG = 12  # igg iga igm igd ige: 12 to 16
ASPIRATE, BIOPSY = 17, 18  # marrow plasma cells by method; merged into MARROW
MEASUREMENTS = 19
SERUM_IFE, URINE_IFE, SHIFTED_IFE, CLONALITY, NEW_LESION = range(5)
WORDS = 5

# Tracks: the measures of disease that have a baseline and a nadir.
T_SERUM, T_URINE, T_FLC, T_MARROW, T_SPD, T_DIAMETER, T_CIRCULATING, T_CALCIUM = range(8)
TRACKS = 8

# Categories, ordered: a lower number is a deeper response.
SCR, CR, VGPR, PR, MR, SD, PD, NE = range(8)
# States of a progression.
NONE, CONFIRMED, UNCONFIRMED, REFUTED, BY_DEATH = range(5)
# Kinds of treatment row.
STEROID, ACTIVE, OTHER, IMMUNOGLOBULIN = range(4)

# Bits of `because`: P1 to P8 are bits 0 to 7, then the tracks that set the level.
BY_TRACK = 8
BY_CR, BY_SCR, BY_URINE_NEEDED = 1 << 16, 1 << 17, 1 << 18
# Bits of `missing`.
(M_SERUM, M_URINE, M_SERUM_IFE, M_URINE_IFE, M_SHIFTED, M_KAPPA, M_LAMBDA, M_RATIO, M_MARROW, M_CLONALITY, M_SPD, M_IGG) = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
)  # fmt: skip  # igg iga igm igd ige: from M_IGG on
# Bits of `flags`.
(F_CONFLICT, F_BASELINE_OLD, F_OLIGOCLONAL, F_MAB, F_PENDING_MARROW, F_ESCAPE, F_NADIR, F_GAP, F_TOTAL) = (
    1, 2, 4, 8, 16, 32, 64, 128, 256,
)  # fmt: skip

POSITIVE = 1 << 18  # an immunofixation that is positive without naming a chain
IGG_KAPPA = 1 << 3
UNKNOWN, EITHER = -1, -2  # a light chain: not recorded, or biclonal
NEVER = 2_000_000_000  # a day that does not come
LONG_AGO = -2_000_000_000
MARROW_OR_IMAGING = (
    1 << MARROW | 1 << ASPIRATE | 1 << BIOPSY | 1 << SPD | 1 << LESIONS | 1 << DIAMETER
    | 1 << MEASUREMENTS + CLONALITY | 1 << MEASUREMENTS + NEW_LESION
)  # fmt: skip
ASSESSMENTS = (
    MARROW_OR_IMAGING | 1 << SERUM | 1 << URINE | 1 << KAPPA | 1 << LAMBDA | 1 << RATIO
    | 1 << MEASUREMENTS + SERUM_IFE | 1 << MEASUREMENTS + URINE_IFE | 1 << MEASUREMENTS + SHIFTED_IFE
)  # fmt: skip
EPS = 1e-9  # comparisons hold to this
NEVER = 2_000_000_000  # the day of what has no stop
OPEN = 4e-9  # an open end of a censored value lies this far inside its bound


class Policy(NamedTuple):
    """What the published text leaves open, as numbers. Days, g/L, fractions; 0 and 1 for no and yes."""

    serum_measurable: float = 10.0
    nadir_pairwise: int = 0
    simultaneous_markers: int = 0
    minimal_response: int = 1  # 0 never, 1 in relapsed disease, 2 always
    relaxed: int = 0
    unmeasured_limit: int = 0
    death_confirms: int = 1
    plasmacytoma_vgpr: float = 0.5
    calcium_progression: int = 0
    carry_biochemistry: int = 7
    carry_onto_marrow: int = 42
    carry_imaging: int = 84
    antibody_washout: int = 180
    ivig: int = 42
    ivig_open: int = 180


class Rows(NamedTuple):
    """Output, one place a visit."""

    line: np.ndarray
    day: np.ndarray
    timepoint: np.ndarray
    confirmed: np.ndarray
    confirmed_day: np.ndarray  # second sample of the pair
    best_day: np.ndarray  # first sample of the pair
    progression: np.ndarray
    because: np.ndarray
    missing: np.ndarray
    flags: np.ndarray


class Lines(NamedTuple):
    """Output, one place a line of therapy."""

    line: np.ndarray
    start: np.ndarray
    end: np.ndarray  # first dose of the next line, or NEVER
    best: np.ndarray
    best_day: np.ndarray
    progression_day: np.ndarray
    progression: np.ndarray
    settled: np.ndarray  # day the progression was confirmed, or NEVER
    measurable: np.ndarray  # bit mask of tracks


class Days(NamedTuple):
    """What was measured, one place a day."""

    day: np.ndarray
    seen: np.ndarray  # bit mask of the codes with a row, spurious ones included
    high: np.ndarray  # (days, MEASUREMENTS, 2): both ends of the worse value of the day, nan where unknown
    low: np.ndarray  # the same of the better value
    word: np.ndarray  # (days, WORDS), -1 where there is none
    conflict: np.ndarray
    stamp: np.ndarray  # (codes,): for the day at hand, when the value that stands was recorded


class Treatments(NamedTuple):
    """Treatment rows of one patient, sorted by start; days of start and stop (NEVER where open)."""

    start: np.ndarray
    stop: np.ndarray
    kind: np.ndarray  # STEROID ACTIVE OTHER IMMUNOGLOBULIN
    drug: np.ndarray
    line: np.ndarray  # recorded line, 0 where none
    antibody: np.ndarray  # interferes with immunofixation (IgG-kappa)


class Clone(NamedTuple):
    """The patient's clone; arrays of one place, filled as it becomes known."""

    heavy: np.ndarray  # -1 unknown, 0 none, 1 to 5: igg iga igm igd ige
    light: np.ndarray  # UNKNOWN, EITHER, 0 kappa, 1 lambda


class Current(NamedTuple):
    """What is current as the visits of a line go by."""

    value: np.ndarray  # (MEASUREMENTS, 2), last value and its day
    day: np.ndarray
    word: np.ndarray
    word_day: np.ndarray
    track: np.ndarray  # (TRACKS, 2), last value of each track and its day
    track_day: np.ndarray
    baseline: np.ndarray
    lowest: np.ndarray  # the lowest value so far
    paired: np.ndarray  # the lowest maximum of two consecutive values so far
    previous: np.ndarray
    risen: np.ndarray  # bits P1 to P8 that the last sample of each track showed


class Baseline(NamedTuple):
    """Last value of every measurement and finding on or before the first dose of a line."""

    value: np.ndarray  # (MEASUREMENTS, 2)
    day: np.ndarray
    word: np.ndarray


class Course(NamedTuple):
    """What the treatment and the baseline settle for a whole line."""

    number: int
    start: int
    end: int  # first dose of the next line, or NEVER
    own_bands: int  # bit mask of the bands of the clone
    igg_kappa: bool  # the clone looks like a therapeutic antibody
    involved: int  # KAPPA or LAMBDA, -1 where the clone does not tell
    uninvolved: int
    serum_from: int  # SERUM, or the total immunoglobulin that stands in for it
    mask: int  # tracks measurable at baseline
    minimal: bool  # minimal response is a category
    flags: int


class Visits(NamedTuple):
    """What confirmation needs to know of each visit."""

    bits: np.ndarray  # P1 to P8
    tracks: np.ndarray  # bit mask of the tracks in progression
    alone: np.ndarray  # progression that needs no second sample
    track_day: np.ndarray  # (visits, TRACKS): day of the sample, LONG_AGO where unknown
    sampled: np.ndarray  # (visits, 4): day of serum and urine immunofixation, of the ratio; latest of these two, marrow and imaging


class Room(NamedTuple):
    """Working memory for one patient, used again for the next."""

    days: Days
    visits: Visits
    base: Baseline
    now: Current
    clone: Clone
    ratio: np.ndarray  # (2,)
    starts: np.ndarray  # of recorded lines
    numbers: np.ndarray


def put(target, value):
    """Take over both ends of a value."""
    target[0], target[1] = value[0], value[1]


def room_for(size, treatments):
    """Working memory for a patient with up to this many observation rows and treatment rows."""
    days = Days(
        np.empty(size, np.int64), np.empty(size, np.int64), np.empty((size, MEASUREMENTS, 2)),
        np.empty((size, MEASUREMENTS, 2)), np.empty((size, WORDS), np.int64), np.empty(size, np.bool_),
        np.empty(MEASUREMENTS + WORDS, np.int64),
    )  # fmt: skip
    visits = Visits(
        np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.bool_),
        np.empty((size, TRACKS), np.int64), np.empty((size, 4), np.int64),
    )  # fmt: skip
    base = Baseline(np.empty((MEASUREMENTS, 2)), np.empty(MEASUREMENTS, np.int64), np.empty(WORDS, np.int64))
    now = Current(
        np.empty((MEASUREMENTS, 2)), np.empty(MEASUREMENTS, np.int64), np.empty(WORDS, np.int64), np.empty(WORDS, np.int64),
        np.empty((TRACKS, 2)), np.empty(TRACKS, np.int64), np.empty((TRACKS, 2)), np.empty((TRACKS, 2)),
        np.empty((TRACKS, 2)), np.empty((TRACKS, 2)), np.empty(TRACKS, np.int64),
    )  # fmt: skip
    clone = Clone(np.empty(1, np.int64), np.empty(1, np.int64))
    lines = np.empty(treatments, np.int64), np.empty(treatments, np.int64)
    return Room(days, visits, base, now, clone, np.empty(2), *lines)
