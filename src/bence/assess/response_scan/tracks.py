"""What is current at a visit: values carried forward, and the tracks of disease read from them (sections 2 and 4).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

import numpy as np

from .places import (
    CALCIUM,
    CIRCULATING,
    DIAMETER,
    EPS,
    IGG,
    IMMUNOGLOBULIN,
    KAPPA,
    LAMBDA,
    MARROW,
    MEASUREMENTS,
    NEVER,
    RATIO,
    SPD,
    T_CIRCULATING,
    T_DIAMETER,
    T_FLC,
    T_MARROW,
    T_SERUM,
    T_SPD,
    T_URINE,
    TRACKS,
    URINE,
    WORDS,
    put,
)  # fmt: skip


def take_in(now, days, d, uninvolved, treatments, policy):
    """Take the day's values and findings into what is current."""
    today = days.day[d]
    for c in range(MEASUREMENTS):
        if not (days.seen[d] >> c) & 1 or np.isnan(days.high[d, c, 0]):
            continue
        if c == IGG and immunoglobulin_given(treatments, today, policy):
            continue  # total IgG after immunoglobulin replacement
        source = days.low if c == uninvolved else days.high
        now.value[c, 0], now.value[c, 1] = source[d, c, 0], source[d, c, 1]
        now.day[c] = today
    for w in range(WORDS):
        if days.word[d, w] >= 0:
            now.word[w] = days.word[d, w]
            now.word_day[w] = today


def immunoglobulin_given(treatments, today, policy):
    """Whether immunoglobulin is being given, or was in the last days; without a stop it is taken to go on for some months."""
    for i in range(treatments.start.size):
        if treatments.kind[i] != IMMUNOGLOBULIN or treatments.start[i] > today:
            continue
        stop = treatments.stop[i] if treatments.stop[i] < NEVER else treatments.start[i] + policy.ivig_open
        if today - stop <= policy.ivig:
            return True
    return False


def has_both_chains(now, oldest):
    """Whether kappa and lambda are both current."""
    return min(now.day[KAPPA], now.day[LAMBDA]) >= oldest


def known_tracks(now, today, reach, marrow_from, policy):
    """Bit mask of the tracks that have a value today, carried ones included; marrow counts from a day of its own."""
    known = 0
    for t in range(TRACKS):
        if np.isnan(now.track[t, 0]):
            continue
        oldest = today - reach
        if t == T_FLC and not has_both_chains(now, oldest):
            continue
        if t in (T_SPD, T_DIAMETER):
            oldest = today - policy.carry_imaging
        elif t == T_MARROW:
            oldest = min(today, marrow_from)
        elif t >= T_CIRCULATING:
            oldest = today
        if now.track_day[t] >= oldest:
            known |= 1 << t
    return known


def measurement_of(track, serum_from):
    """The measurement a track is read from (light chains apart)."""
    if track == T_SERUM:
        return serum_from
    if track == T_URINE:
        return URINE
    if track == T_MARROW:
        return MARROW
    if track == T_SPD:
        return SPD
    if track == T_DIAMETER:
        return DIAMETER
    return CIRCULATING if track == T_CIRCULATING else CALCIUM


def ratio_of(kappa, lambda_, ratio, out):
    """Kappa/lambda as an interval: from the two chains where both are known, else as reported."""
    if np.isnan(kappa[0]) or np.isnan(lambda_[0]):
        put(out, ratio)
    elif lambda_[1] <= EPS and kappa[0] <= EPS:  # none of both: there is no ratio
        out[0] = out[1] = np.nan
    else:
        out[0] = kappa[0] / lambda_[1] if lambda_[1] > EPS else np.inf
        out[1] = kappa[1] / lambda_[0] if lambda_[0] > EPS else np.inf if kappa[1] > EPS else 0.0


def light_chain_ratio(now, oldest, out):
    """Ratio of the light chains that are current."""
    out[:] = np.nan
    if has_both_chains(now, oldest):
        ratio_of(now.value[KAPPA], now.value[LAMBDA], now.value[RATIO], out)
    elif now.day[RATIO] >= oldest:
        out[0], out[1] = now.value[RATIO, 0], now.value[RATIO, 1]


def difference_of(involved, uninvolved, out):
    """dFLC as an interval, never below 0; unknown unless both chains are known."""
    if np.isnan(involved[0]) or np.isnan(uninvolved[0]):
        out[0] = out[1] = np.nan
        return
    out[0] = max(0.0, involved[0] - uninvolved[1])
    out[1] = max(0.0, involved[1] - uninvolved[0])


def is_normal_ratio(ratio):
    """Whether the whole interval lies within 0.26 to 1.65 (False where unknown)."""
    return ratio[0] >= 0.26 - EPS and ratio[1] <= 1.65 + EPS


def is_abnormal_ratio(ratio):
    """Whether the whole interval lies outside 0.26 to 1.65 (False where unknown)."""
    return ratio[1] < 0.26 - EPS or ratio[0] > 1.65 + EPS
