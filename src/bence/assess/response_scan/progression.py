"""Rises against the nadir, and which of the rules P1 to P8 they meet (section 7).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

import numpy as np

from .places import (
    EPS,
    KAPPA,
    LAMBDA,
    LESIONS,
    LONG_AGO,
    SHORT_AXIS,
    T_CALCIUM,
    T_CIRCULATING,
    T_DIAMETER,
    T_FLC,
    T_MARROW,
    T_SERUM,
    T_SPD,
    T_URINE,
    TRACKS,
    put,
)  # fmt: skip
from .tracks import difference_of, has_both_chains, measurement_of


def follow_tracks(now, today, course, reach, policy):
    """Compare each track's new value with the nadir before it, then let it lower the nadir.

    Returns whether the serum rise depends on the nadir policy, or -1 if serum was not measured today.
    """
    sensitive = -1
    lesions = now.value[LESIONS, 0] if now.day[LESIONS] >= today - policy.carry_imaging else np.nan
    short_axis = now.value[SHORT_AXIS, 0]  # the last one known, however old
    for t in range(TRACKS):
        if t == T_FLC:
            newer = max(now.day[KAPPA], now.day[LAMBDA])
            if course.involved < 0:
                continue
            if not has_both_chains(now, today - reach):
                if newer == today:
                    now.risen[t] = 0  # one chain alone shows nothing
                continue
            difference_of(now.value[course.involved], now.value[course.uninvolved], now.track[t])
            now.track_day[t] = newer
            if newer != today:
                continue
        else:
            c = measurement_of(t, course.serum_from)
            if now.day[c] != today:
                continue
            put(now.track[t], now.value[c])
        now.track_day[t] = today
        nadir = now.paired[t] if policy.nadir_pairwise else now.lowest[t]
        now.risen[t] = rise_of(t, now.track[t], nadir, now.lowest[t], lesions, short_axis)
        if t == T_SERUM:
            other = now.lowest[t] if policy.nadir_pairwise else now.paired[t]
            sensitive = int((rise_of(t, now.track[t], other, other, lesions, short_axis) != 0) != (now.risen[t] != 0))
        for e in range(2):
            if np.isnan(now.previous[t, 0]):
                now.lowest[t, e] = now.paired[t, e] = now.track[t, e]
            else:
                now.lowest[t, e] = min(now.lowest[t, e], now.track[t, e])
                now.paired[t, e] = min(now.paired[t, e], max(now.previous[t, e], now.track[t, e]))
        put(now.previous[t], now.track[t])
    return sensitive


def rise_of(track, value, nadir, lowest, lesions, short_axis):
    """Bits P1 to P8 that a new value of a track shows against its nadir, and the lowest before it (section 7)."""
    if np.isnan(value[0]):
        return 0
    if track == T_CALCIUM:
        return 128 if value[0] > 2.87 + EPS else 0
    if np.isnan(nadir[0]):
        return 0
    if track == T_SERUM:
        found = 1 if up_by(value, nadir, 0.25, 5.0) else 0
        if nadir[0] >= 50 - EPS and value[0] - nadir[1] >= 10 - EPS:
            found |= 2
        return found
    if track == T_URINE:
        return 4 if up_by(value, nadir, 0.25, 200.0) else 0
    if track == T_FLC:
        return 8 if up_by(value, nadir, 0.25, 0.0) and value[0] - nadir[1] > 100 + EPS else 0
    if track == T_MARROW:
        return 16 if up_by(value, nadir, 0.25, 10.0) else 0
    if track == T_SPD:
        if lowest[1] <= EPS:
            return 32 if value[0] > EPS else 0
        return 32 if up_by(value, nadir, 0.5, 0.0) and lesions >= 2 - EPS else 0
    if track == T_DIAMETER:
        return 32 if value[0] > EPS and up_by(value, nadir, 0.5, 0.0) and short_axis > 1 + EPS else 0
    return 64 if up_by(value, nadir, 0.5, 200.0) else 0


def up_by(value, nadir, share, amount):
    """Whether a value has surely risen by this share of the nadir and by this amount (from 0 the share is met)."""
    return value[0] >= (1 + share) * nadir[1] - EPS and value[0] - nadir[1] >= amount - EPS


def progression_at(now, known, mask, new_lesion, policy, visits, v):
    """Which of P1 to P8 hold at a visit, by which tracks, and whether that stands alone (section 7)."""
    bits, tracks, together = 0, 0, False
    for t in range(TRACKS):
        visits.track_day[v, t] = now.track_day[t] if (known >> t) & 1 else LONG_AGO
        if not (known >> t) & 1 or not now.risen[t]:
            continue
        if (
            (t == T_FLC and mask & 3)
            or (t == T_MARROW and mask & 7)
            or (t == T_CIRCULATING and mask & 15)
            or (t == T_CALCIUM and not policy.calcium_progression)
        ):
            continue
        bits |= now.risen[t]
        for other in range(min(t, T_MARROW)):
            if (tracks >> other) & 1 and t <= T_FLC and now.track_day[other] == now.track_day[t]:
                together = True
        tracks |= 1 << t
    if new_lesion:
        bits |= 32
    visits.bits[v] = bits
    visits.tracks[v] = tracks
    visits.alone[v] = bits & (16 | 32 | 64) != 0 or (policy.simultaneous_markers == 1 and together)
    return bits
