"""Values of a day: the rows of one patient brought together by day (section 1 of the page on response)."""

import numpy as np

from .places import ASPIRATE, BIOPSY, LONG_AGO, MARROW, MEASUREMENTS, OPEN, put


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
                if last > days.high[n, c, 1] or (last == days.high[n, c, 1] and first > days.high[n, c, 0]):
                    days.high[n, c, 0], days.high[n, c, 1] = first, last
                if first < days.low[n, c, 0] or (first == days.low[n, c, 0] and last < days.low[n, c, 1]):
                    days.low[n, c, 0], days.low[n, c, 1] = first, last
    for d in range(n + 1):
        for c in (ASPIRATE, BIOPSY):  # the higher counts, as baseline and later
            if days.seen[d] & (1 << c):
                days.seen[d] |= 1 << MARROW
                raise_to(days.high[d, MARROW], days.high[d, c])
                raise_to(days.low[d, MARROW], days.low[d, c])
    return n + 1


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
    if np.isnan(value[0]) or value[1] < target[1] or (value[1] == target[1] and value[0] <= target[0]):
        return
    put(target, value)


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
