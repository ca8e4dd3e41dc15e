"""The lines of one patient after another (section 2), and the many."""

from .baseline import begin_line
from .confirmation import confirm_line
from .days import gather_days
from .places import ACTIVE, NEVER, STEROID, Treatments
from .visits import grade_visits


def scan_all(
    offsets, day, code, value, bound, label, recorded, spurious, drug_offsets, treatments, heavy, light, died, policy,
    row_offsets, rows, row_counts, line_offsets, lines, line_counts, room, trace, which,
):  # fmt: skip
    """Response of the patients `which`; rows of patient p are at offsets[p]:offsets[p + 1], treatments likewise."""
    for p in which:
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
    count = first_doses(treatments, starts, numbers)
    written = 0
    for k in range(count):
        start, end = starts[k], starts[k + 1] if k + 1 < count else NEVER
        course = begin_line(room, n, numbers[k], start, end, treatments, policy)
        v = grade_visits(room, n, course, treatments, policy, rows, at + written, trace[written:])
        confirm_line(rows, at + written, v, visits, course.mask, died, end, policy, lines, place + k)
        lines.line[place + k] = numbers[k]
        lines.start[place + k] = start
        lines.end[place + k] = end
        written += v
    return written, count


def first_doses(treatments, starts, numbers):
    """First dose of every line, in order of date; returns how many. A steroid starts a line that has no other drug."""
    n = 0
    for kind in (ACTIVE, STEROID):
        for i in range(treatments.start.size):  # sorted by start: the first row of a line is its first dose
            if treatments.line[i] <= 0 or treatments.kind[i] != kind:
                continue
            day, number = treatments.start[i], treatments.line[i]
            place, known = n, False
            for k in range(n):
                known = known or numbers[k] == number
            if known:
                continue
            while place > 0 and (starts[place - 1], numbers[place - 1]) > (day, number):
                starts[place], numbers[place] = starts[place - 1], numbers[place - 1]
                place -= 1
            starts[place], numbers[place] = day, number
            n += 1
    return n
