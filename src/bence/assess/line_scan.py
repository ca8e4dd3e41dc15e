"""Lines of therapy: the scan over one patient's treatment rows, the only place where the rule is written.

Plain Python on NumPy arrays, compiled by Numba for the many (`bence.assess.compiled`). The page `docs/rules/lines.md`
says in words what is done here and how well it agrees with lines recorded by hand.
Source: Rajkumar SV et al., Blood 2015;126:921-2, doi:10.1182/blood-2015-05-647636.
"""

from typing import NamedTuple

import numpy as np

# Kinds of treatment row.
STEROID, ACTIVE, OTHER, IMMUNOGLOBULIN = range(4)

# What a drug is to a line (bits of `role`).
OF_RELAPSE = 1  # first used in relapse, unless it was there from the beginning or was planned
MAINTAINS = 2  # given alone as maintenance
CONDITIONS = 4  # mobilisation and conditioning around a transplant
TRANSPLANT = 8
CAR_T = 16
LYMPHODEPLETES = 32
FIRST_INHIBITOR, LATER_INHIBITOR = 64, 128  # bortezomib; carfilzomib, which takes its place
APHERESIS = 256
WAITS = 512  # bridging or lymphodepletion by its recorded phase
RADIOTHERAPY = 1024
HIGH_DOSE = 2048  # melphalan, which given for a few days only stands for a transplant

# Rules that open a line.
(SAME, FIRST, UNPLANNED, AFTER_PROGRESSION, AFTER_STOP, SECOND_TRANSPLANT, RESTART, RELAPSE_DRUG, SWAP, NEW_DRUG, RESUMED,
 STEROIDS, IRRADIATION, WAITED) = range(14)  # fmt: skip


TOGETHER = 28  # days in which the drugs of a regimen begin
STILL = 28  # days since its last dose in which a drug is still one of the regimen
AT_ONCE = 7  # days in which unplanned drugs are one change
PULSE = 7  # days a steroid may begin before the drugs it is given with
AROUND_TRANSPLANT = 60  # days before a transplant in which mobilisation and conditioning are given
CONSOLIDATION = 90  # days after a transplant in which any regimen is consolidation
PAUSE = 60  # days a maintenance may begin after the drugs before it
REPLACED = 60  # days in which a drug stopped for toxicity or by choice is replaced
LATER_RELAPSE_DRUG = 60  # days from which a drug of relapse opens another line in a second or later line
LATE_SWAP = 120  # days from which carfilzomib takes the place of another regimen, in a first line
BEFORE_CELLS = 150  # days from apheresis or bridging to the CAR T cells
LYMPHODEPLETION = 14  # days before the CAR T cells
FEW_DAYS = 3
NEVER = 2_000_000_000


class LinePolicy(NamedTuple):
    """What the published text leaves open, as days; 0 and 1 for no and yes."""

    window: float = 365.0  # of the first line: changes among drugs of first treatment are taken as planned
    early: float = 28.0  # additions until then belong to the regimen
    switch: float = 90.0  # in later lines: changes until then belong to the line
    gap: float = 240.0  # without any treatment: what follows is another line
    resumed: float = 180.0  # without a drug: it counts as new when it comes back
    tandem: float = 180.0  # between two transplants of one line
    steroids: int = 0  # a steroid alone, after the gap or a progression, opens a line
    radiotherapy: int = 0  # radiotherapy opens a line


class Drugs(NamedTuple):
    """Treatment rows of one patient, sorted by start; days of start and stop (NEVER: not stopped, or not known)."""

    start: np.ndarray
    stop: np.ndarray
    kind: np.ndarray
    drug: np.ndarray
    role: np.ndarray
    planned: np.ndarray  # -1 not recorded, 0 no, 1 yes
    unplanned_stop: np.ndarray  # stopped for toxicity, by choice, for another reason


class LineRoom(NamedTuple):
    """Working memory: last day of every drug in the line (-NEVER: not in it), what waits for CAR T cells, days of progression."""

    last: np.ndarray
    waits_for: np.ndarray


def last_day(drugs, i):
    """Last day of a row: the first where it is a transplant, cells or radiotherapy; without a stop it goes on."""
    if drugs.role[i] & (TRANSPLANT | CAR_T | RADIOTHERAPY):
        return drugs.start[i]
    return drugs.stop[i]


def acts(drugs, waits_for, i):
    """Whether a row is looked at as a beginning: a drug or a transplant, not what is given for CAR T cells."""
    return drugs.kind[i] == ACTIVE and waits_for[i] < 0


def is_drug(drugs, waits_for, i):
    """Whether a row is an anti-myeloma drug other than a steroid, and not given for CAR T cells."""
    return acts(drugs, waits_for, i) and not drugs.role[i] & TRANSPLANT


def is_steroid(drugs, waits_for, i):
    """Whether a row is a steroid, and not given for CAR T cells."""
    return drugs.kind[i] == STEROID and waits_for[i] < 0


def goes_on(drugs, i, day):
    """Whether a row is known, by its stop, to go on past a day."""
    return day < last_day(drugs, i) < NEVER


def is_transplant(drugs, i):
    """Whether a row is a transplant, or the high-dose melphalan of one."""
    high_dose = drugs.role[i] & HIGH_DOSE != 0 and drugs.stop[i] - drugs.start[i] <= FEW_DAYS
    return high_dose or drugs.role[i] & TRANSPLANT != 0


def mark_waiting(drugs, waits_for):
    """Apheresis, bridging and lymphodepletion wait for the CAR T cells that follow; -1 where nothing is waited for."""
    any_cells = False
    for i in range(drugs.start.size):
        waits_for[i] = -1
        any_cells = any_cells or drugs.role[i] & CAR_T != 0
    for i in range(drugs.start.size if any_cells else 0):
        day = drugs.start[i]
        apheresis = cells = -NEVER  # the last of each: up to this day, before this day
        for j in range(drugs.start.size):
            if drugs.role[j] & APHERESIS and drugs.start[j] <= day:
                apheresis = drugs.start[j]
            if drugs.role[j] & CAR_T and drugs.start[j] < day:
                cells = drugs.start[j]
        treats = drugs.kind[i] == ACTIVE or drugs.kind[i] == STEROID or drugs.role[i] & RADIOTHERAPY != 0
        waits = treats and apheresis > cells and day - apheresis <= BEFORE_CELLS
        bridges = waits or drugs.role[i] & (WAITS | APHERESIS) != 0
        if drugs.role[i] & (CAR_T | TRANSPLANT) == 0 and (bridges or drugs.role[i] & LYMPHODEPLETES):
            waits_for[i] = cells_to_come(drugs, i, BEFORE_CELLS if bridges else LYMPHODEPLETION)


def cells_to_come(drugs, i, within):
    """The row of the first CAR T cells within some days from the day of row i; -1 if there are none."""
    for j in range(drugs.start.size):
        if drugs.role[j] & CAR_T and 0 <= drugs.start[j] - drugs.start[i] <= within:
            return j
    return -1


def opens_line(drugs, waits_for, i, j, line, since, last, ended, transplant, progressed, policy):
    """The rule by which the rows i to j - 1, all of one day, open a line; SAME if they do not.

    `since`: first dose of the line. `last`: last day of each drug in it. `ended`: last day of any. `transplant`: day of the
    last transplant. `progressed`: a progression is known since the line began.
    """
    day = drugs.start[i]
    new = back = unplanned = swap = of_relapse = unplanned_transplant = False
    planned, conditions, to_transplant = True, True, False
    for x in range(i, j):
        if drugs.role[x] & TRANSPLANT:
            to_transplant = True
            planned = planned and drugs.planned[x] == 1
            continue
        if not is_drug(drugs, waits_for, x):
            continue
        conditions = conditions and drugs.role[x] & CONDITIONS != 0
        first = last[drugs.drug[x]] == -NEVER
        if first:
            new = True
            planned = planned and drugs.planned[x] == 1
            unplanned = unplanned or drugs.planned[x] == 0
            of_relapse = of_relapse or drugs.role[x] & OF_RELAPSE != 0
            swap = swap or drugs.role[x] & LATER_INHIBITOR != 0
        elif day - last[drugs.drug[x]] > policy.resumed:
            back = True
    planned = planned and (new or to_transplant)
    regimen, maintains, with_steroid, kept = 0, True, False, False
    for x in range(i):
        with_steroid = with_steroid or (is_steroid(drugs, waits_for, x) and drugs.start[x] >= day - PULSE)
    for x in range(i, drugs.start.size):
        if drugs.start[x] > day + AROUND_TRANSPLANT:
            break
        to_transplant = to_transplant or drugs.role[x] & TRANSPLANT != 0
        unplanned_transplant = unplanned_transplant or (drugs.role[x] & TRANSPLANT != 0 and drugs.planned[x] == 0)
        if drugs.start[x] > day + TOGETHER:
            continue
        with_steroid = with_steroid or is_steroid(drugs, waits_for, x)
        if is_drug(drugs, waits_for, x):
            again = False
            for y in range(i, x):
                again = again or (is_drug(drugs, waits_for, y) and drugs.drug[y] == drugs.drug[x])
            regimen += 0 if again else 1
            maintains = maintains and drugs.role[x] & MAINTAINS != 0
            kept = kept or last[drugs.drug[x]] >= day - STILL
    going_on = first_inhibitor = first_inhibitor_runs = replaced = False
    for x in range(i):
        if is_drug(drugs, waits_for, x) and (drugs.start[x] >= since or goes_on(drugs, x, since)):
            runs = last_day(drugs, x) > day
            if drugs.role[x] & FIRST_INHIBITOR:
                first_inhibitor, first_inhibitor_runs = True, first_inhibitor_runs or runs
            else:
                going_on = going_on or runs
            stopped = day - last_day(drugs, x)
            replaced = replaced or (drugs.unplanned_stop[x] and -7 <= stopped <= REPLACED)
    return decide(
        line, day - since, day - ended, day - transplant, new, back, planned, unplanned, of_relapse, swap, conditions,
        to_transplant, unplanned_transplant, regimen == 1 and maintains and not with_steroid, with_steroid and regimen > 1, kept,
        going_on and first_inhibitor and not first_inhibitor_runs, replaced, progressed, policy,
    )  # fmt: skip


def decide(
    line, since, gap, from_transplant, new, back, planned, unplanned, of_relapse, swap, conditions, to_transplant, unplanned_transplant,
    maintenance, full, kept, swapped, replaced, progressed, policy,
):  # fmt: skip
    """The rule that opens a line, from what the day shows; the first that holds."""
    after_transplant = from_transplant < NEVER
    consolidation = 0 <= from_transplant <= CONSOLIDATION
    if progressed and (new or back or gap > TOGETHER):
        return AFTER_PROGRESSION
    if new and unplanned and since > AT_ONCE:
        return UNPLANNED
    if planned and gap < policy.gap:
        return SAME
    another = from_transplant > policy.tandem or (unplanned_transplant and from_transplant > AROUND_TRANSPLANT)
    if to_transplant and conditions and after_transplant and another:
        return SECOND_TRANSPLANT
    if to_transplant and conditions and gap < policy.gap:
        return SAME
    if new and replaced and since > policy.early and not maintenance and not consolidation:
        return AFTER_STOP
    if gap >= policy.gap and not (after_transplant and (maintenance or consolidation)):
        return RESTART
    if new and of_relapse and since > (policy.early if line == 1 else LATER_RELAPSE_DRUG) and not (line > 1 and kept):
        return RELAPSE_DRUG
    if line == 1:
        if new and swap and not consolidation and since > (policy.early if swapped else LATE_SWAP):
            return SWAP
        settled = consolidation or (after_transplant and maintenance) or (maintenance and gap < PAUSE)
        if new and since > policy.window and not settled:
            return NEW_DRUG
        return RESUMED if back and since > policy.window and full and not consolidation else SAME
    return NEW_DRUG if new and since > policy.switch and not kept and not (after_transplant and maintenance) else SAME


def derive_lines(drugs, progressions, policy, room, line, rule):
    """The line of every row of one patient, and at the rows that open a line the rule; returns how many lines.

    `progressions`: days on which a progression became known, sorted. `rule` is SAME at all other rows, and WAITED where a
    row belongs to the CAR T cells that follow it.
    """
    n = drugs.start.size
    last, waits_for = room.last, room.waits_for
    mark_waiting(drugs, waits_for)
    last[:] = -NEVER
    number, since, ended, transplant = 0, NEVER, -NEVER, -NEVER
    i = 0
    while i < n:
        day = drugs.start[i]
        j = i
        treats = steroid = irradiated = progressed = False
        while j < n and drugs.start[j] == day:
            treats = treats or acts(drugs, waits_for, j)
            steroid = steroid or (policy.steroids and is_steroid(drugs, waits_for, j))
            irradiated = irradiated or (policy.radiotherapy and drugs.role[j] & RADIOTHERAPY and waits_for[j] < 0)
            j += 1
        for each in progressions:
            progressed = progressed or since < each <= day
        opened = SAME
        if treats and number == 0:
            opened = FIRST
        elif treats:
            opened = opens_line(drugs, waits_for, i, j, number, since, last, ended, transplant, progressed, policy)
        if opened == SAME and number and irradiated:
            opened = IRRADIATION
        if opened == SAME and number and steroid and (day - ended >= policy.gap or (progressed and day - ended > TOGETHER)):
            opened = STEROIDS
        if opened != SAME:
            number += 1
            since, transplant = day, -NEVER
            ended = begin_line(drugs, waits_for, i, number, last, line, policy)
        for x in range(i, j):
            line[x], rule[x] = number, SAME
            if acts(drugs, waits_for, x) or counts_by_policy(drugs, waits_for, x, policy):
                rule[x] = opened
                ended = max(ended, last_day(drugs, x))
            if acts(drugs, waits_for, x) and is_transplant(drugs, x):
                transplant = day
            if is_drug(drugs, waits_for, x):
                last[drugs.drug[x]] = max(last[drugs.drug[x]], last_day(drugs, x))
        i = j
    settle_rows(drugs, waits_for, line, rule)
    return number if number else int(n > 0)


def counts_by_policy(drugs, waits_for, i, policy):
    """Whether a row is a steroid or radiotherapy that a policy lets open a line."""
    irradiates = policy.radiotherapy and drugs.role[i] & RADIOTHERAPY != 0 and waits_for[i] < 0
    return irradiates or (policy.steroids and is_steroid(drugs, waits_for, i))


def begin_line(drugs, waits_for, i, number, last, line, policy):
    """A line begins with row i: what goes on is given in it, a steroid begun some days before belongs to it.

    Returns the last day of what goes on.
    """
    day, ended = drugs.start[i], -NEVER
    last[:] = -NEVER
    for x in range(i):
        pulse = drugs.kind[x] == STEROID and drugs.start[x] >= day - PULSE
        if pulse:
            line[x] = number
        if pulse or goes_on(drugs, x, day):
            if acts(drugs, waits_for, x) or counts_by_policy(drugs, waits_for, x, policy):
                ended = max(ended, last_day(drugs, x))
            if is_drug(drugs, waits_for, x):
                last[drugs.drug[x]] = max(last[drugs.drug[x]], last_day(drugs, x))
    return ended


def settle_rows(drugs, waits_for, line, rule):
    """Rows before the first drug belong to line 1; what waited belongs to the line of its cells."""
    for i in range(drugs.start.size):
        line[i] = max(line[i], 1)
    for i in range(drugs.start.size):
        if waits_for[i] >= 0:
            line[i], rule[i] = line[waits_for[i]], WAITED


def derive_all(offsets, drugs, progression_offsets, progressions, policy, room, line, rule, which):
    """Lines of the patients `which`; treatment rows of patient p are at offsets[p]:offsets[p + 1], progressions likewise."""
    for p in which:
        a, b = offsets[p], offsets[p + 1]
        own = Drugs(
            drugs.start[a:b], drugs.stop[a:b], drugs.kind[a:b], drugs.drug[a:b], drugs.role[a:b], drugs.planned[a:b],
            drugs.unplanned_stop[a:b],
        )  # fmt: skip
        known = progressions[progression_offsets[p] : progression_offsets[p + 1]]
        derive_lines(own, known, policy, room, line[a:b], rule[a:b])
