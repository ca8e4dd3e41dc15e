"""IMWG 2016 response: the scan over one patient's rows, the only place where the criterion is written.

Plain Python on NumPy arrays: called as it is for one patient and the debugger, compiled by Numba for the many
(`bence.assess.compiled`). The page `docs/rules/response.md` says in words what is done here, section by section.
Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

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
NONE, CONFIRMED, UNCONFIRMED, REFUTED = range(4)
# Kinds of treatment row.
STEROID, ACTIVE, OTHER, IMMUNOGLOBULIN = range(4)

# Bits of `because`: P1 to P8 are bits 0 to 7, then the tracks that set the level.
BY_TRACK = 8
BY_CR, BY_SCR, BY_URINE_NEEDED = 1 << 16, 1 << 17, 1 << 18
# Bits of `missing`.
(M_SERUM, M_URINE, M_SERUM_IFE, M_URINE_IFE, M_SHIFTED, M_FLC, M_RATIO, M_MARROW, M_CLONALITY, M_SPD) = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
)  # fmt: skip
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


class Visits(NamedTuple):
    """What confirmation needs to know of each visit."""

    bits: np.ndarray  # P1 to P8
    tracks: np.ndarray  # bit mask of the tracks in progression
    alone: np.ndarray  # progression that needs no second sample
    track_day: np.ndarray  # (visits, TRACKS): day of the sample, LONG_AGO where unknown
    sampled: np.ndarray  # (visits, 4): day of serum and urine immunofixation, ratio; latest of marrow and imaging


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


def lower_end(value, bound):
    """Smallest value a cell can stand for (`<x` is anything from 0, `>x` anything above x)."""
    if bound < 0:
        return 0.0
    return value + OPEN if bound > 0 else value


def upper_end(value, bound):
    """Largest value a cell can stand for."""
    if bound > 0:
        return np.inf
    return value - OPEN if bound < 0 else value


def shows_clone(bands, heavy, light):
    """Whether an immunofixation holds a band of the clone (heavy -1 unknown, 0 none; light -1 unknown)."""
    if bands & POSITIVE:
        return True
    for h in range(6):
        if heavy >= 0 and h != 0 and h != heavy:
            continue  # another isotype
        for chain in range(3):
            if (bands >> (3 * h + chain)) & 1 and (light < 0 or chain == 2 or chain == light):
                return True
    return False


def only_band(bands):
    """The number of the one band of an immunofixation, or -1."""
    found = -1
    for k in range(18):
        if (bands >> k) & 1:
            if found >= 0:
                return -1
            found = k
    return found


def gather_days(day, code, value, bound, label, recorded, spurious, days):
    """Bring the rows of one patient (sorted by day) into a table of days; returns the number of days (section 1)."""
    n = -1
    stamp = days.stamp
    for i in range(day.size):
        c = int(code[i])  # not the narrow type of the column: bits are set by it
        if c < 0:
            continue
        if n < 0 or day[i] != days.day[n]:
            n += 1
            days.day[n] = day[i]
            days.seen[n] = 0
            days.high[n] = np.nan
            days.low[n] = np.nan
            days.word[n] = -1
            days.conflict[n] = False
            stamp_last(day, code, value, label, recorded, spurious, i, stamp)
        days.seen[n] |= 1 << c
        if spurious[i] or recorded[i] < stamp[c]:
            continue
        if c >= MEASUREMENTS:
            if label[i] < 0:
                continue
            w = c - MEASUREMENTS
            if days.word[n, w] < 0:
                days.word[n, w] = label[i]
            elif days.word[n, w] != label[i]:
                days.word[n, w] |= label[i]
                days.conflict[n] = True
        elif np.isnan(value[i]):
            continue
        else:
            first, last = lower_end(value[i], bound[i]), upper_end(value[i], bound[i])
            if np.isnan(days.high[n, c, 0]):
                days.high[n, c, 0] = days.low[n, c, 0] = first
                days.high[n, c, 1] = days.low[n, c, 1] = last
            elif first != days.high[n, c, 0] or last != days.high[n, c, 1]:
                days.conflict[n] = True
                if last > days.high[n, c, 1]:
                    days.high[n, c, 0], days.high[n, c, 1] = first, last
                if first < days.low[n, c, 0]:
                    days.low[n, c, 0], days.low[n, c, 1] = first, last
    for d in range(n + 1):
        for c in (ASPIRATE, BIOPSY):  # the higher counts, as baseline and later
            if days.seen[d] & (1 << c):
                days.seen[d] |= 1 << MARROW
                raise_to(days.high[d, MARROW], days.high[d, c])
                raise_to(days.low[d, MARROW], days.low[d, c])
    return n + 1


def put(target, value):
    """Take over both ends of a value."""
    target[0], target[1] = value[0], value[1]


def stamp_last(day, code, value, label, recorded, spurious, first, stamp):
    """When the last value of each code was recorded, for the day that begins at row `first`."""
    stamp[:] = LONG_AGO
    for i in range(first, day.size):
        if day[i] != day[first]:
            break
        c = int(code[i])
        if c >= 0 and not spurious[i] and (label[i] >= 0 if c >= MEASUREMENTS else not np.isnan(value[i])):
            stamp[c] = max(stamp[c], recorded[i])


def raise_to(target, value):
    """Take over an interval if it is the higher one."""
    if not np.isnan(value[0]) and not value[1] <= target[1]:
        target[0], target[1] = value[0], value[1]


def baseline_of(days, n, start, base):
    """Last value of every measurement and finding on or before the first dose."""
    base.value[:] = np.nan
    base.day[:] = LONG_AGO
    base.word[:] = -1
    for d in range(n):
        if days.day[d] > start:
            break
        for c in range(MEASUREMENTS):
            if not np.isnan(days.low[d, c, 0]):
                put(base.value[c], days.low[d, c])
                base.day[c] = days.day[d]
        for w in range(WORDS):
            if days.word[d, w] >= 0:
                base.word[w] = days.word[d, w]


def ratio_of(kappa, lambda_, ratio, out):
    """Kappa/lambda as an interval: from the two chains where both are known, else as reported."""
    if np.isnan(kappa[0]) or np.isnan(lambda_[0]):
        out[0], out[1] = ratio[0], ratio[1]
        return
    out[0] = kappa[0] / lambda_[1] if lambda_[1] > 0 else np.inf
    out[1] = kappa[1] / lambda_[0] if lambda_[0] > 0 else np.inf


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


def down_by(value, baseline, share):
    """Whether a value has surely fallen by at least this share of the baseline."""
    return value[1] <= (1 - share) * baseline[0] + EPS


def up_by(value, nadir, share, amount):
    """Whether a value has surely risen by this share of the nadir and by this amount (from 0 the share is met)."""
    return value[0] >= (1 + share) * nadir[1] - EPS and value[0] - nadir[1] >= amount - EPS


def rise_of(track, value, nadir, lesions, short_axis):
    """Bits P1 to P8 that a new value of a track shows against its nadir (section 7)."""
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
        if nadir[1] <= EPS:
            return 32 if value[0] > EPS else 0
        return 32 if up_by(value, nadir, 0.5, 0.0) and lesions >= 2 - EPS else 0
    if track == T_DIAMETER:
        return 32 if nadir[1] > EPS and up_by(value, nadir, 0.5, 0.0) and short_axis > 1 + EPS else 0
    return 64 if up_by(value, nadir, 0.5, 200.0) else 0


def measurable_tracks(baseline, involved, ratio, policy):
    """Bit mask of the tracks measurable at baseline (section 4)."""
    mask = 0
    if baseline[T_SERUM, 0] >= policy.serum_measurable - EPS:
        mask |= 1 << T_SERUM
    if baseline[T_URINE, 0] >= 200 - EPS:
        mask |= 1 << T_URINE
    if mask == 0 and involved[0] >= 100 - EPS and is_abnormal_ratio(ratio) and not np.isnan(baseline[T_FLC, 0]):
        mask |= 1 << T_FLC
    if mask == 0 and baseline[T_MARROW, 0] >= 30 - EPS:
        mask |= 1 << T_MARROW
    if baseline[T_SPD, 0] > EPS:
        mask |= 1 << T_SPD
    return mask


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


def immunoglobulin_given(treatments, today, within):
    """Whether immunoglobulin was given in the last days."""
    for i in range(treatments.start.size):
        if treatments.kind[i] == IMMUNOGLOBULIN and 0 <= today - treatments.start[i] <= within:
            return True
    return False


def antibody_present(treatments, today, washout):
    """Whether a therapeutic IgG-kappa antibody may still be seen on immunofixation."""
    for i in range(treatments.start.size):
        if treatments.antibody[i] and treatments.start[i] <= today and today - treatments.stop[i] <= washout:
            return True
    return False


def take_in(now, days, d, uninvolved, treatments, policy):
    """Take the day's values and findings into what is current."""
    today = days.day[d]
    for c in range(MEASUREMENTS):
        if not (days.seen[d] >> c) & 1 or np.isnan(days.high[d, c, 0]):
            continue
        if c == IGG and immunoglobulin_given(treatments, today, policy.ivig):
            continue  # total IgG after immunoglobulin replacement
        source = days.low if c == uninvolved else days.high
        now.value[c, 0], now.value[c, 1] = source[d, c, 0], source[d, c, 1]
        now.day[c] = today
    for w in range(WORDS):
        if days.word[d, w] >= 0:
            now.word[w] = days.word[d, w]
            now.word_day[w] = today


def follow_tracks(now, today, serum_from, involved, uninvolved, reach, policy):
    """Compare each track's new value with the nadir before it, then let it lower the nadir.

    Returns whether the serum rise depends on the nadir policy, or -1 if serum was not measured today.
    """
    sensitive = -1
    lesions = now.value[LESIONS, 0] if now.day[LESIONS] >= today - policy.carry_imaging else np.nan
    short_axis = now.value[SHORT_AXIS, 0] if now.day[SHORT_AXIS] >= today - policy.carry_imaging else np.nan
    for t in range(TRACKS):
        if t == T_FLC:
            first, second = now.day[involved], now.day[uninvolved]
            if max(first, second) != today or min(first, second) < today - reach:
                continue
            difference_of(now.value[involved], now.value[uninvolved], now.track[t])
        else:
            c = measurement_of(t, serum_from)
            if now.day[c] != today:
                continue
            put(now.track[t], now.value[c])
        now.track_day[t] = today
        nadir = now.paired[t] if policy.nadir_pairwise else now.lowest[t]
        now.risen[t] = rise_of(t, now.track[t], nadir, lesions, short_axis)
        if t == T_SERUM:
            other = now.lowest[t] if policy.nadir_pairwise else now.paired[t]
            sensitive = int((rise_of(t, now.track[t], other, lesions, short_axis) != 0) != (now.risen[t] != 0))
        for e in range(2):
            if np.isnan(now.previous[t, 0]):
                now.lowest[t, e] = now.paired[t, e] = now.track[t, e]
            else:
                now.lowest[t, e] = min(now.lowest[t, e], now.track[t, e])
                now.paired[t, e] = min(now.paired[t, e], max(now.previous[t, e], now.track[t, e]))
        put(now.previous[t], now.track[t])
    return sensitive


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


def known_tracks(now, today, reach, run_start, policy):
    """Bit mask of the tracks that have a value today, carried ones included."""
    known = 0
    for t in range(TRACKS):
        if np.isnan(now.track[t, 0]):
            continue
        oldest = today - reach
        if t in (T_SPD, T_DIAMETER):
            oldest = today - policy.carry_imaging
        if t == T_MARROW:
            oldest = min(today, run_start)
        if now.track_day[t] >= oldest:
            known |= 1 << t
    return known


def progression_at(now, known, mask, new_lesion, policy, visits, v):
    """Which of P1 to P8 hold at a visit, by which tracks, and whether that stands alone (section 7)."""
    bits, tracks, markers = 0, 0, 0
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
        tracks |= 1 << t
        markers += int(t <= T_FLC)
    if new_lesion:
        bits |= 32
    visits.bits[v] = bits
    visits.tracks[v] = tracks
    visits.alone[v] = bits & (16 | 32 | 64) != 0 or (policy.simultaneous_markers == 1 and markers >= 2)
    return bits


def level_at(now, known, mask, minimal, both_negative, policy):
    """Level over all tracks (section 5): level, because, missing, and whether every track is as deep as CR asks."""
    absent, present = mask & ~known, mask & known
    missing = 0
    for track, bit in ((T_SERUM, M_SERUM), (T_URINE, M_URINE), (T_FLC, M_FLC), (T_MARROW, M_MARROW), (T_SPD, M_SPD)):
        if (absent >> track) & 1:
            missing |= bit
    if present == 0 or (absent and not policy.relaxed):
        return NE, 0, missing, False
    urine_known = (known >> T_URINE) & 1 == 1
    urine_measured = (mask >> T_URINE) & 1 == 1
    urine_low = urine_known and now.track[T_URINE, 1] < 100 - EPS
    urine_excused = policy.relaxed == 1 and not urine_measured and not urine_known
    level, because, deep = VGPR, 0, True
    for t in range(T_DIAMETER):
        if not (present >> t) & 1:
            continue
        own = level_of_track(t, now.track[t], now.baseline[t], minimal, policy)
        if (t <= T_FLC and own > VGPR) or (t == T_MARROW and own > PR):
            deep = False
        if t == T_SERUM and own == VGPR and not (urine_low or both_negative or urine_excused):
            own = PR
            because |= BY_URINE_NEEDED
            if not urine_known:
                missing |= M_URINE
        if own > level:
            level = own
            because &= BY_URINE_NEEDED
        if own == level:
            because |= 1 << (BY_TRACK + t)
    if policy.unmeasured_limit and present & 1 and not urine_measured and urine_known and level < SD:
        fallen = now.track[T_URINE, 1] < 200 - EPS or down_by(now.track[T_URINE], now.baseline[T_URINE], 0.9)
        if not fallen:
            level, because = SD, 1 << (BY_TRACK + T_URINE)
    return level, because, missing, deep


def complete_response(now, known, mask, serum, urine, ratio, clonality, gone, by_antibody, policy):
    """CR and sCR for a visit that is deep on every track (section 6): level (or NE), because, missing, flags.

    `serum` and `urine` say what immunofixation shows: 1 the clone, 0 not, -1 absent. `gone`: 1 no plasmacytoma, 0 one, -1 unknown.
    """
    light_only = mask & 15 == 1 << T_FLC
    marrow = -1
    if (known >> T_MARROW) & 1:
        marrow = int(now.track[T_MARROW, 1] >= 5 - EPS)
    normal, ratio_known = is_normal_ratio(ratio), not np.isnan(ratio[0])
    if by_antibody and urine == 0 and marrow == 0 and gone == 1 and (normal or not light_only):
        return NE, 0, M_SHIFTED, F_MAB
    if serum == 1 or urine == 1 or marrow == 1 or gone == 0 or (light_only and ratio_known and not normal):
        return NE, 0, 0, 0
    missing = 0
    if serum < 0:
        missing |= M_SERUM_IFE
    if urine < 0 and not (policy.relaxed and not (mask >> T_URINE) & 1):
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


def plasmacytoma_gone(now, known, oldest):
    """Whether the plasmacytomas seen before are gone: 1 yes, 0 no, -1 not measured."""
    if (known >> T_SPD) & 1:
        return int(now.track[T_SPD, 1] <= EPS)
    if now.day[LESIONS] >= oldest:
        return int(now.value[LESIONS, 1] <= EPS)
    return -1


def grade_visits(room, n, start, end, line, treatments, policy, rows, at, trace):
    """Levels and progression of every visit of a line, before confirmation: number of visits, measurable tracks.

    Writes `rows` from place `at`, and `room.visits` for the confirmation. `trace` (visits, TRACKS, 7), where it has places, takes
    value, nadir and baseline (two ends each) and the day of the sample, for explanations.
    """
    days, visits, now, ratio = room.days, room.visits, room.now, room.ratio
    baseline_of(days, n, start, room.base)
    base = room.base.value
    ratio_of(base[KAPPA], base[LAMBDA], base[RATIO], ratio)
    learn_clone(room.clone, room.base.word, ratio)
    heavy, light = room.clone.heavy[0], room.clone.light[0]
    involved, uninvolved = (LAMBDA, KAPPA) if light == 1 else (KAPPA, LAMBDA)

    flags_of_line = 0
    serum_from = SERUM
    if np.isnan(base[SERUM, 0]) and heavy > 0 and base[IGG + heavy - 1, 0] >= policy.serum_measurable - EPS:
        serum_from = IGG + heavy - 1
        flags_of_line |= F_TOTAL
    start_anew(now)
    baseline = now.baseline
    for t in range(T_CALCIUM):
        if t != T_FLC:
            put(baseline[t], base[measurement_of(t, serum_from)])
    if light >= 0:
        difference_of(base[involved], base[uninvolved], baseline[T_FLC])
    mask = measurable_tracks(baseline, base[involved], ratio, policy)
    for t in range(T_DIAMETER):
        c = involved if t == T_FLC else measurement_of(t, serum_from)
        if (mask >> t) & 1 and room.base.day[c] < start - 90:
            flags_of_line |= F_BASELINE_OLD
    minimal = policy.minimal_response == 2 or (policy.minimal_response == 1 and line >= 2)
    for t in range(TRACKS):
        put(now.lowest[t], baseline[t])
        put(now.paired[t], baseline[t])
        put(now.previous[t], baseline[t])

    run_start = NEVER  # first day of the present run of negative immunofixation
    plasmacytoma_seen = baseline[T_SPD, 0] > EPS or base[LESIONS, 0] > EPS or base[DIAMETER, 0] > EPS
    sensitive = 0
    v = 0
    for d in range(n):
        today = days.day[d]
        if today <= start:
            continue
        if today > end:
            break
        take_in(now, days, d, uninvolved, treatments, policy)
        reach = policy.carry_onto_marrow if days.seen[d] & MARROW_OR_IMAGING else policy.carry_biochemistry
        oldest = today - reach

        # immunofixation; the shifted reading replaces the plain one
        shifted = now.word_day[SHIFTED_IFE] >= oldest
        source = SHIFTED_IFE if shifted else SERUM_IFE
        serum_day, urine_day = now.word_day[source], now.word_day[URINE_IFE]
        serum = int(shows_clone(now.word[source], heavy, light)) if serum_day >= oldest else -1
        urine = int(shows_clone(now.word[URINE_IFE], heavy, light)) if urine_day >= oldest else -1
        if (serum == 1 and serum_day == today) or (urine == 1 and urine_day == today):
            run_start = NEVER
        elif serum == 0 and serum_day == today and run_start == NEVER:
            run_start = today

        # tracks
        if trace.size:
            for t in range(TRACKS):
                put(trace[v, t, 2:4], now.paired[t] if policy.nadir_pairwise else now.lowest[t])
        told = follow_tracks(now, today, serum_from, involved, uninvolved, reach, policy)
        if told >= 0:
            sensitive = told
        for c in (SPD, LESIONS, DIAMETER):
            plasmacytoma_seen = plasmacytoma_seen or (now.day[c] == today and now.value[c, 0] > EPS)
        if not days.seen[d] & ASSESSMENTS and not (serum_from >= IGG and (days.seen[d] >> serum_from) & 1):
            continue
        known = known_tracks(now, today, reach, run_start, policy)
        if light < 0:
            known &= ~(1 << T_FLC)
        bits = progression_at(now, known, mask, days.word[d, NEW_LESION] == 1, policy, visits, v)

        # level
        level, because, missing, deep = level_at(now, known, mask, minimal, serum == 0 and urine == 0, policy)
        flags = flags_of_line
        if level != NE and deep:
            gone = 1
            if plasmacytoma_seen:
                gone = plasmacytoma_gone(now, known, today - policy.carry_imaging)
            clonality = -1
            if now.word_day[CLONALITY] >= min(today, run_start):
                clonality = now.word[CLONALITY]
            light_chain_ratio(now, oldest, ratio)
            by_antibody = (
                serum == 1 and not shifted and heavy == 1 and light == 0 and now.word[SERUM_IFE] == IGG_KAPPA
                and serum_from == SERUM and known & 1 == 1 and now.track[T_SERUM, 1] <= 2 + EPS
                and antibody_present(treatments, today, policy.antibody_washout)
            )  # fmt: skip
            better, why, lacking, found = complete_response(
                now, known, mask, serum, urine, ratio, clonality, gone, by_antibody, policy
            )
            flags |= found
            if better != NE:
                level, because, missing = better, why, lacking
            else:
                missing |= lacking
        if days.conflict[d]:
            flags |= F_CONFLICT
        if serum == 0 and now.word[source] > 0:
            flags |= F_OLIGOCLONAL
        if (known >> T_FLC) & 1 and now.risen[T_FLC] and mask & 3:
            flags |= F_ESCAPE
        if known & 1 and sensitive:
            flags |= F_NADIR

        k = at + v
        rows.line[k] = line
        rows.day[k] = today
        rows.timepoint[k] = PD if bits else level
        rows.because[k] = bits if bits else because
        rows.missing[k] = missing
        rows.flags[k] = flags
        visits.sampled[v, 0] = serum_day
        visits.sampled[v, 1] = urine_day
        visits.sampled[v, 2] = ratio_day(now, oldest)
        visits.sampled[v, 3] = max(
            now.day[MARROW], now.day[SPD], now.day[DIAMETER], now.word_day[CLONALITY], now.word_day[NEW_LESION]
        )
        if trace.size:
            trace_visit(trace, v, known, now)
        v += 1
    return v, mask


def light_chain_ratio(now, oldest, out):
    """Ratio of the light chains that are current."""
    out[:] = np.nan
    if now.day[KAPPA] >= oldest and now.day[LAMBDA] >= oldest:
        ratio_of(now.value[KAPPA], now.value[LAMBDA], now.value[RATIO], out)
    elif now.day[RATIO] >= oldest:
        out[0], out[1] = now.value[RATIO, 0], now.value[RATIO, 1]


def ratio_day(now, oldest):
    """Day of the sample behind the ratio."""
    if now.day[KAPPA] >= oldest and now.day[LAMBDA] >= oldest:
        return max(now.day[KAPPA], now.day[LAMBDA])
    return now.day[RATIO]


def trace_visit(trace, v, known, now):
    """Note the values a visit was judged by (unknown as nan)."""
    for t in range(TRACKS):
        put(trace[v, t, 4:6], now.baseline[t])
        trace[v, t, 0:2] = np.nan
        if (known >> t) & 1:
            put(trace[v, t, 0:2], now.track[t])
        trace[v, t, 6] = now.track_day[t]


def decide_progression(rows, at, n, visits, died, end, policy, v):
    """State of the progression at visit v, and the day that settled it (section 8)."""
    today = rows.day[at + v]
    if visits.alone[v]:
        return CONFIRMED, today
    for j in range(v + 1, n):
        refuted = rows.timepoint[at + j] != NE
        for t in range(TRACKS):
            newer = visits.track_day[j, t] > today
            if newer and (visits.tracks[j] >> t) & 1:
                return CONFIRMED, rows.day[at + j]
            if (visits.tracks[v] >> t) & 1 and not newer:
                refuted = False
        if visits.bits[j] & 32 and visits.alone[j]:
            return CONFIRMED, rows.day[at + j]
        if refuted:
            return REFUTED, rows.day[at + j]
    if policy.death_confirms and end == NEVER and died != NEVER:
        return CONFIRMED, died
    return UNCONFIRMED, today


def confirm_response(rows, at, n, visits, mask, end, v):
    """Category that visit v keeps after its second sample, and the day of that sample (section 8)."""
    own = rows.timepoint[at + v]
    if own == SD:
        return SD, rows.day[at + v]
    biochemical = mask & 7
    for j in range(v + 1, n):
        other = rows.timepoint[at + j]
        if other == NE:
            continue
        if other == PD or rows.day[at + j] >= end:
            break
        anew = True
        for t in range(T_MARROW):
            if (biochemical >> t) & 1 and visits.track_day[j, t] <= visits.track_day[v, t]:
                anew = False
        if not biochemical:
            anew = latest_sample(visits, j) > latest_sample(visits, v)
        if not anew:
            continue
        kept = max(own, other)
        ratio_anew = visits.sampled[j, 2] > visits.sampled[v, 2]
        if kept <= CR and not (
            visits.sampled[j, 0] > visits.sampled[v, 0] and visits.sampled[j, 1] > visits.sampled[v, 1]
        ):
            kept = VGPR
        if kept == SCR and not ratio_anew:
            kept = CR
        return kept, rows.day[at + j]
    return SD, rows.day[at + v]


def latest_sample(visits, v):
    """Latest immunofixation, marrow or imaging that a visit rests on."""
    return max(visits.sampled[v, 0], visits.sampled[v, 1], visits.sampled[v, 3])


def confirm_line(rows, at, n, visits, mask, died, end, policy, lines, place):
    """Confirm responses and progression of one line; fills `rows` and the summary of the line."""
    progressed, settled, state, first_open = -1, NEVER, NONE, False
    for v in range(n):
        rows.progression[at + v] = NONE
        if rows.timepoint[at + v] != PD:
            continue
        if progressed >= 0:
            rows.progression[at + v] = CONFIRMED
            continue
        found, day = decide_progression(rows, at, n, visits, died, end, policy, v)
        rows.progression[at + v] = found
        if found == CONFIRMED:
            progressed, settled = v, day
            if day - rows.day[at + v] > 84:
                rows.flags[at + v] |= F_GAP
        if found == UNCONFIRMED:
            first_open = True
    best, best_day, best_confirmed = NE, NEVER, NEVER
    for v in range(n):
        if progressed < 0 or v < progressed:
            own = rows.timepoint[at + v]
            if own < PD:
                kept, day = confirm_response(rows, at, n, visits, mask, end, v)
                if kept < best:
                    best, best_day, best_confirmed = kept, rows.day[at + v], day
                    if day - rows.day[at + v] > 84:
                        rows.flags[at + v] |= F_GAP
        elif best == NE:
            best, best_day, best_confirmed = PD, rows.day[at + progressed], settled
        rows.confirmed[at + v] = best
        rows.confirmed_day[at + v] = best_confirmed
        rows.best_day[at + v] = best_day
    if progressed >= 0:
        state = CONFIRMED
    elif first_open:
        state = UNCONFIRMED
    lines.best[place] = best
    lines.best_day[place] = best_day
    lines.progression[place] = state
    lines.progression_day[place] = rows.day[at + progressed] if progressed >= 0 else NEVER
    lines.measurable[place] = mask
    return settled


def is_dose(treatments, i):
    """Whether a treatment row is one that can open a line."""
    return treatments.kind[i] <= ACTIVE


def recorded_starts(treatments, starts, numbers):
    """First dose of every recorded line, in order of date; returns how many."""
    n = 0
    for i in range(treatments.start.size):
        if treatments.line[i] <= 0 or not is_dose(treatments, i):
            continue
        place = -1
        for k in range(n):
            if numbers[k] == treatments.line[i]:
                place = k
        if place < 0:  # rows are sorted by start: the first row of a line is its first dose
            numbers[n] = treatments.line[i]
            starts[n] = treatments.start[i]
            n += 1
    return n


def first_start(treatments):
    """First anti-myeloma treatment: of a drug other than a steroid if there is any; NEVER if there is none."""
    steroid = NEVER
    for i in range(treatments.start.size):
        if treatments.kind[i] == ACTIVE:
            return treatments.start[i]
        if treatments.kind[i] == STEROID and steroid == NEVER:
            steroid = treatments.start[i]
    return steroid


def next_start(treatments, start, settled):
    """First dose, on or after the day progression was confirmed, of a drug that is new to this line."""
    for i in range(treatments.start.size):
        day = treatments.start[i]
        if treatments.kind[i] != ACTIVE or day < settled or day <= start:
            continue
        new = True
        for k in range(treatments.start.size):
            if treatments.drug[k] == treatments.drug[i] and start <= treatments.start[k] < day:
                new = False
        if new:
            return day
    return NEVER


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


def scan_patient(
    day, code, value, bound, label, recorded, spurious, treatments, heavy, light, died, policy,
    room, rows, at, lines, place, trace,
):  # fmt: skip
    """Response of one patient: number of rows and lines written to `rows` from `at` and `lines` from `place`.

    The patient's observation rows are sorted by day, treatment rows by start; days are counted from 1970-01-01.
    """
    n = gather_days(day, code, value, bound, label, recorded, spurious, room.days)
    room.clone.heavy[0], room.clone.light[0] = heavy, light
    visits, starts, numbers = room.visits, room.starts, room.numbers
    lines_recorded = recorded_starts(treatments, starts, numbers)
    start = starts[0] if lines_recorded else first_start(treatments)
    written, made = 0, 0
    while start != NEVER:
        line = numbers[made] if lines_recorded else made + 1
        end = NEVER
        if made + 1 < lines_recorded:
            end = starts[made + 1]
        v, mask = grade_visits(
            room, n, start, end, line, treatments, policy, rows, at + written, trace[written:]
        )
        settled = confirm_line(rows, at + written, v, visits, mask, died, end, policy, lines, place + made)
        if not lines_recorded and settled != NEVER:
            end = next_start(treatments, start, settled)
            if end != NEVER:
                kept = 0
                while kept < v and rows.day[at + written + kept] <= end:
                    kept += 1
                v = kept
                confirm_line(rows, at + written, v, visits, mask, died, end, policy, lines, place + made)
        lines.line[place + made] = line
        lines.start[place + made] = start
        lines.end[place + made] = end
        written += v
        made += 1
        start = end
    return written, made


def scan_all(
    offsets, day, code, value, bound, label, recorded, spurious, drug_offsets, treatments, heavy, light, died, policy,
    row_offsets, rows, row_counts, line_offsets, lines, line_counts, room, trace,
):  # fmt: skip
    """Response of many patients; rows of patient p are at offsets[p]:offsets[p + 1], treatments likewise."""
    for p in range(offsets.size - 1):
        i, j = offsets[p], offsets[p + 1]
        a, b = drug_offsets[p], drug_offsets[p + 1]
        own = Treatments(
            treatments.start[a:b], treatments.stop[a:b], treatments.kind[a:b],
            treatments.drug[a:b], treatments.line[a:b], treatments.antibody[a:b],
        )  # fmt: skip
        row_counts[p], line_counts[p] = scan_patient(
            day[i:j], code[i:j], value[i:j], bound[i:j], label[i:j], recorded[i:j], spurious[i:j], own,
            heavy[p], light[p], died[p], policy, room, rows, row_offsets[p], lines, line_offsets[p], trace,
        )  # fmt: skip
