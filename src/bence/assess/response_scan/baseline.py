"""The baseline of a line: clone, measurable tracks, nadirs to start with (sections 2 to 4).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

import numpy as np

from .immunofixation import bands_of_clone, only_band
from .places import (
    EPS,
    F_BASELINE_OLD,
    F_TOTAL,
    IGG,
    KAPPA,
    LAMBDA,
    LONG_AGO,
    MEASUREMENTS,
    RATIO,
    SERUM,
    SERUM_IFE,
    SHORT_AXIS,
    T_CALCIUM,
    T_DIAMETER,
    T_FLC,
    T_MARROW,
    T_SERUM,
    T_SPD,
    T_URINE,
    TRACKS,
    UNKNOWN,
    URINE_IFE,
    WORDS,
    Course,
    put,
)  # fmt: skip
from .tracks import difference_of, immunoglobulin_given, is_abnormal_ratio, measurement_of, ratio_of


def begin_line(room, n, number, start, end, treatments, policy):
    """Baseline, clone, tracks and nadirs of a line that begins (sections 2 to 4)."""
    now, ratio = room.now, room.ratio
    baseline_of(room.days, n, start, treatments, policy, room.base)
    base, base_day = room.base.value, room.base.day
    ratio_of(base[KAPPA], base[LAMBDA], base[RATIO], ratio)
    learn_clone(room.clone, room.base.word, ratio)
    heavy, light = room.clone.heavy[0], room.clone.light[0]
    involved = (KAPPA, LAMBDA)[light] if light >= 0 else -1
    uninvolved = (LAMBDA, KAPPA)[light] if light >= 0 else -1
    flags, serum_from = 0, SERUM
    if np.isnan(base[SERUM, 0]) and heavy > 0 and base[IGG + heavy - 1, 0] >= policy.serum_measurable - EPS:
        serum_from = IGG + heavy - 1
        flags |= F_TOTAL

    start_anew(now)
    put(now.value[SHORT_AXIS], base[SHORT_AXIS])
    for t in range(T_CALCIUM):
        if t != T_FLC:
            put(now.baseline[t], base[measurement_of(t, serum_from)])
    if involved >= 0:
        difference_of(base[involved], base[uninvolved], now.baseline[T_FLC])
    mask = measurable_tracks(now.baseline, base[max(involved, 0)], ratio, policy)
    for t in range(T_DIAMETER):
        sampled = min(base_day[KAPPA], base_day[LAMBDA]) if t == T_FLC else base_day[measurement_of(t, serum_from)]
        if (mask >> t) & 1 and sampled < start - 90:
            flags |= F_BASELINE_OLD
    for t in range(TRACKS):
        put(now.lowest[t], now.baseline[t])
        put(now.paired[t], now.baseline[t])
        put(now.previous[t], now.baseline[t])
    minimal = policy.minimal_response == 2 or (policy.minimal_response == 1 and number >= 2)
    return Course(
        number, start, end, bands_of_clone(heavy, light), heavy == 1 and light == 0, involved, uninvolved, serum_from, mask, minimal, flags
    )


def baseline_of(days, n, start, treatments, policy, base):
    """Last value of every measurement and finding on or before the first dose."""
    base.value[:] = np.nan
    base.day[:] = LONG_AGO
    base.word[:] = -1
    for d in range(n):
        if days.day[d] > start:
            break
        for c in range(MEASUREMENTS):
            if not np.isnan(days.low[d, c, 0]) and not (c == IGG and immunoglobulin_given(treatments, days.day[d], policy)):
                put(base.value[c], days.low[d, c])
                base.day[c] = days.day[d]
        for w in range(WORDS):
            if days.word[d, w] >= 0:
                base.word[w] = days.word[d, w]


def learn_clone(clone, base_word, ratio):
    """Fill in what is not recorded of the clone: from the one band of the baseline, the light chain also from the ratio."""
    for w in (SERUM_IFE, URINE_IFE):
        band = only_band(base_word[w]) if base_word[w] > 0 else -1
        if band >= 0 and clone.heavy[0] < 0:
            clone.heavy[0] = band // 3
        if band >= 0 and clone.light[0] == UNKNOWN and band % 3 < 2:
            clone.light[0] = band % 3
    if clone.light[0] == UNKNOWN and is_abnormal_ratio(ratio):
        clone.light[0] = 0 if ratio[0] > 1 else 1


def measurable_tracks(baseline, involved, ratio, policy):
    """Bit mask of the tracks measurable at baseline (section 4)."""
    mask = 0
    if baseline[T_SERUM, 0] >= policy.serum_measurable - EPS:
        mask |= 1 << T_SERUM
    if baseline[T_URINE, 0] >= 200 - EPS:
        mask |= 1 << T_URINE
    if mask == 0 and not np.isnan(baseline[T_FLC, 0]) and involved[0] >= 100 - EPS and is_abnormal_ratio(ratio):
        mask |= 1 << T_FLC
    if mask == 0 and baseline[T_MARROW, 0] >= 30 - EPS:
        mask |= 1 << T_MARROW
    if baseline[T_SPD, 0] > EPS:
        mask |= 1 << T_SPD
    return mask


def start_anew(now):
    """Forget what was current: a line begins."""
    now.value[:] = np.nan
    now.day[:] = LONG_AGO
    now.word[:] = -1
    now.word_day[:] = LONG_AGO
    now.track[:] = np.nan
    now.track_day[:] = LONG_AGO
    now.baseline[:] = np.nan
    now.risen[:] = 0
