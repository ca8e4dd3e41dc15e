"""The visits of a line, one after the other: category, what is missing, flags (sections 2 to 7).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

import numpy as np

from .immunofixation import follow_run, masked_by_antibody, newer_source, reading
from .levels import category_at, plasmacytoma_gone
from .places import (
    ASSESSMENTS,
    CLONALITY,
    DIAMETER,
    EPS,
    F_CONFLICT,
    F_ESCAPE,
    F_NADIR,
    F_OLIGOCLONAL,
    KAPPA,
    LAMBDA,
    LESIONS,
    LONG_AGO,
    MARROW,
    MARROW_OR_IMAGING,
    NEVER,
    NEW_LESION,
    PD,
    RATIO,
    SPD,
    T_FLC,
    T_MARROW,
    TRACKS,
    URINE_IFE,
    put,
)  # fmt: skip
from .progression import follow_tracks, progression_at
from .tracks import has_both_chains, known_tracks, light_chain_ratio, take_in


def grade_visits(room, n, course, treatments, policy, rows, at, trace):
    """Levels and progression of every visit of a line, before confirmation: the number of visits.

    Writes `rows` from place `at`, and `room.visits` for the confirmation. `trace` (visits, TRACKS, 7), where it has places, takes
    value, nadir and baseline (two ends each) and the day of the sample, for explanations.
    """
    days, visits, now, ratio, mask = room.days, room.visits, room.now, room.ratio, course.mask
    run_start = NEVER  # first day of the present run of negative immunofixation
    first_negative = NEVER  # of serum immunofixation, in this line
    base = room.base.value
    plasmacytoma_seen = base[SPD, 0] > EPS or base[LESIONS, 0] > EPS or base[DIAMETER, 0] > EPS
    sensitive = 0
    v = 0
    for d in range(n):
        today = days.day[d]
        if today <= course.start:
            continue
        if today > course.end:
            break
        take_in(now, days, d, course.uninvolved, treatments, policy)
        reach = policy.carry_onto_marrow if days.seen[d] & MARROW_OR_IMAGING else policy.carry_biochemistry
        oldest = today - reach

        source = newer_source(now)
        serum, urine = reading(now, source, oldest, course.own_bands), reading(now, URINE_IFE, oldest, course.own_bands)
        by_antibody = masked_by_antibody(now, serum, source, today, oldest, course, treatments, policy)
        run_start, first_negative = follow_run(now, run_start, first_negative, serum, urine, source, by_antibody, today)
        if trace.size:
            for t in range(TRACKS):
                put(trace[v, t, 2:4], now.paired[t] if policy.nadir_pairwise else now.lowest[t])
        told = follow_tracks(now, today, course, reach, policy)
        if told >= 0:
            sensitive = told
        for c in (SPD, LESIONS, DIAMETER):
            plasmacytoma_seen = plasmacytoma_seen or (now.day[c] == today and now.value[c, 0] > EPS)
        if not days.seen[d] & (ASSESSMENTS | 1 << course.serum_from):
            continue
        in_run = min(today, run_start)  # marrow counts from this day
        known = known_tracks(now, today, reach, min(today, first_negative) if (mask >> T_MARROW) & 1 else in_run, policy)
        bits = progression_at(now, known, mask, days.word[d, NEW_LESION] == 1, policy, visits, v)

        light_chain_ratio(now, oldest, ratio)
        level, because, missing, flags = PD, bits, 0, 0
        if not bits:
            gone = plasmacytoma_gone(now, known, today - policy.carry_imaging) if plasmacytoma_seen else 1
            level, because, missing, flags = category_at(now, known, course, serum, urine, in_run, oldest, ratio, gone, by_antibody, policy)
        flags |= course.flags
        if days.conflict[d]:
            flags |= F_CONFLICT
        if (serum >= 0 and now.word[source] & ~course.own_bands) or (urine >= 0 and now.word[URINE_IFE] & ~course.own_bands):
            flags |= F_OLIGOCLONAL
        if (known >> T_FLC) & 1 and now.risen[T_FLC] and mask & 3 and not bits & 7:
            flags |= F_ESCAPE
        if known & 1 and sensitive:
            flags |= F_NADIR

        k = at + v
        rows.line[k] = course.number
        rows.day[k] = today
        rows.timepoint[k] = level
        rows.because[k] = because
        rows.missing[k] = missing
        rows.flags[k] = flags
        note_samples(visits.sampled[v], now, today, oldest, source, in_run, ratio, policy)
        if trace.size:
            trace_visit(trace, v, known, now)
        v += 1
    return v


def note_samples(sampled, now, today, oldest, source, in_run, ratio, policy):
    """Note the days of the samples that stand at a visit: immunofixation of serum and urine, ratio, the latest of what is no track."""
    sampled[:] = LONG_AGO
    for place, w in ((0, source), (1, URINE_IFE)):
        if now.word_day[w] >= oldest:
            sampled[place] = now.word_day[w]
    if not np.isnan(ratio[0]):
        both = has_both_chains(now, oldest)
        sampled[2] = max(now.day[KAPPA], now.day[LAMBDA]) if both else now.day[RATIO]
    latest = max(sampled[0], sampled[1])
    for c in (SPD, LESIONS, DIAMETER):
        if now.day[c] >= today - policy.carry_imaging:
            latest = max(latest, now.day[c])
    if now.word_day[NEW_LESION] == today:
        latest = today
    sampled[3] = max(latest, now.day[MARROW] if now.day[MARROW] >= in_run else latest)
    if now.word_day[CLONALITY] >= in_run:
        sampled[3] = max(sampled[3], now.word_day[CLONALITY])


def trace_visit(trace, v, known, now):
    """Note the values a visit was judged by (unknown as nan)."""
    for t in range(TRACKS):
        put(trace[v, t, 4:6], now.baseline[t])
        trace[v, t, 0:2] = np.nan
        if (known >> t) & 1:
            put(trace[v, t, 0:2], now.track[t])
        trace[v, t, 6] = now.track_day[t]
