"""What second samples make of the visits of a line (section 8).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

from .levels import urine_ife_asked
from .places import (
    BY_DEATH,
    CONFIRMED,
    CR,
    F_GAP,
    LONG_AGO,
    NE,
    NEVER,
    NONE,
    PD,
    REFUTED,
    SD,
    T_FLC,
    T_MARROW,
    TRACKS,
    UNCONFIRMED,
    VGPR,
)  # fmt: skip


def confirm_line(rows, at, n, visits, mask, died, end, policy, lines, place):
    """Confirm responses and progression of one line; fills `rows` and the summary of the line."""
    progressed, settled, state = confirm_progression(rows, at, n, visits, died, end, policy)
    best, best_day, best_confirmed = NE, NEVER, NEVER
    for v in range(n):
        if progressed < 0 or v < progressed:
            own = rows.timepoint[at + v]
            if own < PD:
                kept, day = confirm_response(rows, at, n, visits, mask, end, policy, v)
                if kept < best:
                    best, best_day, best_confirmed = kept, rows.day[at + v], day
                    if day - rows.day[at + v] > 84:
                        rows.flags[at + v] |= F_GAP
        elif best == NE:
            best, best_day, best_confirmed = PD, rows.day[at + progressed], settled
        rows.confirmed[at + v] = best
        rows.confirmed_day[at + v] = best_confirmed
        rows.best_day[at + v] = best_day
    lines.best[place] = best
    lines.best_day[place] = best_day
    lines.progression[place] = state
    lines.progression_day[place] = rows.day[at + progressed] if progressed >= 0 else NEVER
    lines.settled[place] = settled
    lines.measurable[place] = mask


def confirm_progression(rows, at, n, visits, died, end, policy):
    """State of every progression of a line: the visit that progressed for certain (-1: none), the day that settled it, and the state."""
    progressed, settled, state = -1, NEVER, NONE
    for v in range(n):
        rows.progression[at + v] = NONE
        rows.flags[at + v] &= ~F_GAP
        if rows.timepoint[at + v] != PD:
            continue
        if progressed >= 0:
            rows.progression[at + v] = CONFIRMED
            continue
        found, day = decide_progression(rows, at, n, visits, died, end, policy, v)
        if found == CONFIRMED and day - rows.day[at + v] > 84:
            rows.flags[at + v] |= F_GAP
        if found == BY_DEATH:
            found = CONFIRMED
        rows.progression[at + v] = found
        if found == CONFIRMED:
            progressed, settled = v, day
        if found != REFUTED:
            state = found
    return progressed, settled, state


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
        return BY_DEATH, died
    return UNCONFIRMED, today


def confirm_response(rows, at, n, visits, mask, end, policy, v):
    """Category that visit v keeps after its second sample, and the day of that sample (section 8)."""
    own = rows.timepoint[at + v]
    for j in range(v + 1, n):
        other = rows.timepoint[at + j]
        if own == SD or other == PD or rows.day[at + j] >= end:
            break
        if other == NE or not sampled_anew(rows, at, visits, mask & 7, policy, v, j):
            continue
        kept = max(own, other)
        if kept == SD:
            break
        if kept <= CR:
            kept = worth_of_pair(kept, visits.sampled[v], visits.sampled[j], mask, policy)
        return kept, rows.day[at + j]
    return SD, rows.day[at + v]


def sampled_anew(rows, at, visits, biochemical, policy, v, j):
    """Whether visit j has a new sample of every biochemical track that visit v was judged by."""
    if not biochemical:
        return visits.sampled[j, 3] > rows.day[at + v]
    anew = False
    for t in range(T_MARROW):
        day = visits.track_day[j, t]
        if not (biochemical >> t) & 1 or (policy.relaxed and day == LONG_AGO):
            continue
        used = visits.track_day[v, t]
        if day <= (rows.day[at + v] if used == LONG_AGO else used):
            return False
        anew = True
    return anew


def worth_of_pair(kept, first, second, mask, policy):
    """What a pair of complete responses is worth: immunofixation and ratio must be sampled anew as well."""
    ratio_anew = second[2] > first[2] > LONG_AGO
    if second[0] <= first[0] or (urine_ife_asked(mask, policy) and second[1] <= first[1]):
        return VGPR
    if mask & 15 == 1 << T_FLC and not ratio_anew:
        return VGPR
    return kept if ratio_anew else CR
