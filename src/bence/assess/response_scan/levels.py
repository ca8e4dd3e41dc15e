"""Level of each track, complete response, and what is missing (sections 5 and 6).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

import numpy as np

from .places import (
    BY_CR,
    BY_SCR,
    BY_TRACK,
    BY_URINE_NEEDED,
    CLONALITY,
    CR,
    EPS,
    F_MAB,
    F_PENDING_MARROW,
    IGG,
    KAPPA,
    LAMBDA,
    LESIONS,
    M_CLONALITY,
    M_IGG,
    M_KAPPA,
    M_LAMBDA,
    M_MARROW,
    M_RATIO,
    M_SERUM,
    M_SERUM_IFE,
    M_SHIFTED,
    M_SPD,
    M_URINE,
    M_URINE_IFE,
    MARROW,
    MR,
    NE,
    PR,
    SCR,
    SD,
    SERUM,
    T_DIAMETER,
    T_FLC,
    T_MARROW,
    T_SERUM,
    T_SPD,
    T_URINE,
    VGPR,
)  # fmt: skip
from .tracks import is_normal_ratio


def category_at(now, known, course, serum, urine, in_run, oldest, ratio, gone, by_antibody, policy):
    """Category of a visit without progression (sections 5 and 6): category, because, missing, flags. Marrow counts from day `in_run`."""
    level, because, wanting, deep = level_at(now, known, course, serum == 0 and urine == 0, policy)
    missing = missing_tracks(now, course.mask & ~known, oldest, course.serum_from) | (M_URINE if wanting else 0)
    if level == NE or not deep:
        return level, because, missing, 0
    marrow = int(now.value[MARROW, 1] >= 5 - EPS) if now.day[MARROW] >= in_run else -1
    clonality = now.word[CLONALITY] if now.word_day[CLONALITY] >= in_run else -1
    better, why, lacking, flags = complete_response(course.mask, serum, urine, marrow, ratio, clonality, gone, by_antibody, policy)
    if better != NE:
        level, because = better, why
    return level, because, missing | lacking, flags


def level_at(now, known, course, both_negative, policy):
    """Level over all tracks (section 5): level, because, whether only urine is missing, and whether every track is as deep as CR asks."""
    mask = course.mask
    present = mask & known
    if present == 0 or (present != mask and not policy.relaxed):
        return NE, 0, False, False
    urine_known, urine_measurable = (known >> T_URINE) & 1 == 1, (mask >> T_URINE) & 1 == 1
    urine_low = urine_known and now.track[T_URINE, 1] < 100 - EPS
    urine_excused = policy.relaxed == 1 and not urine_measurable and not urine_known
    level, because, wanting, deep = VGPR, 0, False, True
    for t in range(T_DIAMETER):
        if not (present >> t) & 1:
            continue
        own = level_of_track(t, now.track[t], now.baseline[t], course.minimal, policy)
        if (t <= T_FLC and own > VGPR) or (t == T_MARROW and own > PR):
            deep = False
        if t == T_SERUM and own == VGPR and not (urine_low or both_negative or urine_excused):
            own = PR
            because |= BY_URINE_NEEDED
            wanting = not urine_known
        if own > level:
            level = own
            because &= BY_URINE_NEEDED
        if own == level:
            because |= 1 << (BY_TRACK + t)
    if policy.unmeasured_limit and mask & 1 and not urine_measurable and urine_known and level < SD and not both_negative:
        fallen = now.track[T_URINE, 1] < 200 - EPS or down_by(now.track[T_URINE], now.baseline[T_URINE], 0.9)
        if not fallen:
            level, because = SD, 1 << (BY_TRACK + T_URINE)
    return level, because, wanting, deep


def level_of_track(track, value, baseline, minimal, policy):
    """Level that one track has reached (section 5); for serum the depth, before urine is asked."""
    if track == T_SERUM:
        if value[1] <= EPS or down_by(value, baseline, 0.9):
            return VGPR
        if down_by(value, baseline, 0.5):
            return PR
        return MR if minimal and down_by(value, baseline, 0.25) else SD
    if track == T_URINE:
        if value[1] < 100 - EPS:
            return VGPR
        if down_by(value, baseline, 0.9) or value[1] < 200 - EPS:
            return PR
        return MR if minimal and down_by(value, baseline, 0.5) else SD
    if track == T_FLC and down_by(value, baseline, 0.9):
        return VGPR
    if track == T_SPD and down_by(value, baseline, policy.plasmacytoma_vgpr):
        return VGPR
    return PR if down_by(value, baseline, 0.5) else SD


def down_by(value, baseline, share):
    """Whether a value has surely fallen by at least this share of the baseline."""
    return value[1] <= (1 - share) * baseline[0] + EPS


def missing_tracks(now, absent, oldest, serum_from):
    """Bits of `missing` for tracks that ought to have a value: the light chain that is not there, the total that stands in."""
    missing = 0
    if absent & 1:
        missing |= M_SERUM if serum_from == SERUM else M_IGG << (serum_from - IGG)
    if (absent >> T_FLC) & 1:
        missing |= (M_KAPPA if now.day[KAPPA] < oldest else 0) | (M_LAMBDA if now.day[LAMBDA] < oldest else 0)
    for track, bit in ((T_URINE, M_URINE), (T_MARROW, M_MARROW), (T_SPD, M_SPD)):
        if (absent >> track) & 1:
            missing |= bit
    return missing


def complete_response(mask, serum, urine, marrow, ratio, clonality, gone, by_antibody, policy):
    """CR and sCR for a visit that is deep on every track (section 6): level (or NE), because, missing, flags.

    `serum` and `urine` say what immunofixation shows: 1 the clone, 0 not, -1 absent. `marrow`: 1 five per cent or more, 0 less,
    -1 unknown. `gone`: 1 no plasmacytoma, 0 one, -1 unknown.
    """
    light_only = mask & 15 == 1 << T_FLC
    normal, ratio_known = is_normal_ratio(ratio), not np.isnan(ratio[0])
    urine_fits = urine == 0 or (urine < 0 and not urine_ife_asked(mask, policy))
    if by_antibody and urine_fits and marrow == 0 and gone == 1 and (normal or not light_only):
        return NE, 0, M_SHIFTED, F_MAB
    if serum == 1 or urine == 1 or marrow == 1 or gone == 0 or (light_only and ratio_known and not normal):
        return NE, 0, 0, 0
    missing = 0
    if serum < 0:
        missing |= M_SERUM_IFE
    if not urine_fits:
        missing |= M_URINE_IFE
    if marrow < 0:
        missing |= M_MARROW
    if gone < 0:
        missing |= M_SPD
    if light_only and not ratio_known:
        missing |= M_RATIO
    if missing:
        return NE, 0, missing, F_PENDING_MARROW if missing == M_MARROW else 0
    if normal and clonality == 0:
        return SCR, BY_SCR, 0, 0
    if (normal or not ratio_known) and clonality <= 0:
        missing = (0 if ratio_known else M_RATIO) | (M_CLONALITY if clonality < 0 else 0)
    return CR, BY_CR, missing, 0


def urine_ife_asked(mask, policy):
    """Whether CR asks for immunofixation of the urine."""
    return not policy.relaxed or (mask >> T_URINE) & 1 == 1


def plasmacytoma_gone(now, known, oldest):
    """Whether the plasmacytomas seen before are gone: 1 yes, 0 no, -1 not measured."""
    if (known >> T_SPD) & 1:
        return int(now.track[T_SPD, 1] <= EPS)
    if now.day[LESIONS] >= oldest:
        return int(now.value[LESIONS, 1] <= EPS)
    return -1
