"""The clone, and what an immunofixation shows of it (section 3).

Source: Kumar S et al., Lancet Oncol 2016;17:e328-46, doi:10.1016/S1470-2045(16)30206-6.
"""

from .places import EPS, IGG_KAPPA, NEVER, POSITIVE, SERUM, SERUM_IFE, SHIFTED_IFE, URINE_IFE


def bands_of_clone(heavy, light):
    """Bit mask of the bands that are of the clone (heavy -1 unknown, 0 none; light below 0: either)."""
    own = POSITIVE
    for h in range(6):
        if heavy >= 0 and h != 0 and h != heavy:
            continue  # another isotype
        for chain in range(3):
            if light < 0 or chain == 2 or chain == light:
                own |= 1 << (3 * h + chain)
    return own


def only_band(bands):
    """The number of the one band of an immunofixation, or -1."""
    found = -1
    for k in range(18):
        if (bands >> k) & 1:
            if found >= 0:
                return -1
            found = k
    return found


def newer_source(now):
    """The serum immunofixation that counts: the newer one, of one day the shifted one."""
    return SHIFTED_IFE if now.word_day[SHIFTED_IFE] >= now.word_day[SERUM_IFE] else SERUM_IFE


def reading(now, w, oldest, own_bands):
    """What an immunofixation says: 1 it shows the clone, 0 it does not, -1 there is none that is current."""
    if now.word_day[w] < oldest:
        return -1
    return int(now.word[w] & own_bands != 0)


def follow_run(now, run_start, first_negative, serum, urine, source, by_antibody, today):
    """First day of the present run of negative immunofixation, and the first negative one of the serum (section 2)."""
    fresh_serum, fresh_urine = now.word_day[source] == today, now.word_day[URINE_IFE] == today
    if serum == 0 and fresh_serum:
        first_negative = min(first_negative, today)
        run_start = min(run_start, today)
    if (serum == 1 and fresh_serum and not by_antibody) or (urine == 1 and fresh_urine):
        run_start = NEVER
    return run_start, first_negative


def masked_by_antibody(now, serum, source, today, oldest, course, treatments, policy):
    """Whether a positive serum immunofixation can be the therapeutic antibody alone (section 3)."""
    return (
        serum == 1 and source == SERUM_IFE and course.igg_kappa and now.word[SERUM_IFE] == IGG_KAPPA
        and now.day[SERUM] >= oldest and now.value[SERUM, 1] <= 2 + EPS
        and antibody_present(treatments, today, policy.antibody_washout)
    )  # fmt: skip


def antibody_present(treatments, today, washout):
    """Whether a therapeutic IgG-kappa antibody may still be seen on immunofixation."""
    for i in range(treatments.start.size):
        if treatments.antibody[i] and treatments.start[i] <= today and today - treatments.stop[i] <= washout:
            return True
    return False
