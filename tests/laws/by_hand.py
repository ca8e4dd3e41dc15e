"""The slow, obvious way: fill the blanks of a record in every way and run the plain functions.

Nothing here uses the exploration. Thresholds are overheard: the rules are run on numbers that note what they
are compared with. One number below, at and above each threshold then stands for all numbers.
"""

import random
from functools import cache
from itertools import pairwise, product
from math import inf, prod

from bence.interval import Interval


def _overheard(kind, value, notes):
    """A number or word that notes what it is compared with."""

    def noting(name):
        def compare(self, other):
            notes.add(other)
            return getattr(kind, name)(self, other)

        return compare

    comparisons = {name: noting(name) for name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__")}
    return type("Overheard", (kind,), {**comparisons, "__hash__": kind.__hash__})(value)


def whole(book, target, record):
    """The answer for a complete record, every rule run as the plain function it is."""
    done = dict(record)

    def value(name):
        if name not in done:
            rule = book.rules[name]
            done[name] = rule.function(**{need: value(need) for need in rule.needs})
        return done[name]

    return value(target)


@cache
def cells(book, target, rounds=12, seed=0):
    """For each leaf of a rule, values that stand for all: categories, or numbers around each threshold."""
    draw = random.Random(seed)
    domains = {leaf: domain(book, leaf) for leaf in book.leaves(target)}
    found = {leaf: list(limits) if isinstance(limits, tuple) else [1.0] for leaf, limits in domains.items()}
    notes = {leaf: set() for leaf, limits in domains.items() if not isinstance(limits, tuple)}
    for _ in range(rounds):
        for _ in range(60):
            record = {leaf: draw.choice(values) for leaf, values in found.items()}
            whole(book, target, {leaf: overheard(x, notes.get(leaf)) for leaf, x in record.items()})
        found.update({leaf: around(heard, domains[leaf]) for leaf, heard in notes.items()})
    return found


def domain(book, leaf):
    """What an input can be; None if that is not listed."""
    return book.quantities[leaf].domain if leaf in book.quantities else book.domain(leaf)


def overheard(value, notes):
    """A value that notes what it is compared with, unless its categories are listed anyway."""
    if notes is None:
        return value
    return _overheard(str if isinstance(value, str) else float, value, notes)


def around(heard, limits):
    """The words asked for and another one, or each threshold and a number in each gap."""
    words = sorted(word for word in heard if isinstance(word, str))
    return [*words, "another word"] if words else around_thresholds(sorted(heard), limits or Interval())


def around_thresholds(thresholds, limits):
    """Each threshold, and a number in each gap."""
    inside = [x for x in thresholds if limits.lo <= x <= limits.hi]
    ends = [limits.lo, *inside, limits.hi]
    gaps = [in_gap(lo, hi) for lo, hi in pairwise(ends) if lo < hi]
    return sorted({*inside, *gaps})


def in_gap(lo, hi):
    """A number between two."""
    if lo > -inf and hi < inf:
        return (lo + hi) / 2
    return hi - 1 if hi < inf else lo + 1 if lo > -inf else 1.0


def left(values, known):
    """The values that what is known of an input leaves."""
    if known is None:
        return values
    if isinstance(known, Interval):
        just_inside = [known.lo + 1e-6] * known.lo_open + [known.hi - 1e-6] * known.hi_open
        return [x for x in (*values, *just_inside) if x in known]
    return [x for x in values if x in (known if isinstance(known, (list, tuple, set)) else [known])]


def completions(found, record, most=20_000, seed=0):
    """Every way to fill the blanks, or a sample if they are more than `most`; and whether it is every way."""
    options = [left(values, record.get(leaf)) for leaf, values in found.items()]
    assert all(options), record
    if prod(map(len, options)) <= most:
        return [dict(zip(found, values, strict=True)) for values in product(*options)], True
    draw = random.Random(seed)
    return [{leaf: draw.choice(values) for leaf, values in zip(found, options, strict=True)} for _ in range(500)], False


def partial_record(found, draw, most):
    """A record with as many blanks and half-known values as leave no more than `most` completions."""
    record = {leaf: draw.choice(values) for leaf, values in found.items()}
    for leaf in draw.sample(list(found), len(found)):
        values, kind = found[leaf], draw.random()
        if kind < 0.3:
            continue
        blank = None if kind < 0.75 else half_known(values, draw)
        if prod(len(left(found[each], {**record, leaf: blank}[each])) for each in found) <= most:
            record[leaf] = blank
    return record


def half_known(values, draw):
    """A censored number or some of the categories."""
    if isinstance(values[0], str):
        return draw.sample(values, draw.randint(1, len(values)))
    lo, hi = sorted((draw.randrange(len(values)), draw.randrange(len(values))))
    if hi - lo >= 2 and draw.random() < 0.5:
        return Interval(values[lo], values[hi], lo_open=True, hi_open=True)
    return draw.choice([Interval(values[lo], values[hi]), Interval(hi=values[hi]), Interval(lo=values[lo])])


def agreeing(book, target, wholes, recorded):
    """The answers of the completions whose answers agree with those recorded of rules."""
    return {whole(book, target, record) for record in wholes if all(whole(book, name, record) == said for name, said in recorded.items())}


def relevant(book, target, wholes):
    """The leaves for which two completions that differ only there have different answers."""
    answers = {tuple(record.values()): whole(book, target, record) for record in wholes}
    names = list(wholes[0])
    found = set()
    for i, name in enumerate(names):
        seen = {}
        for values, answer in answers.items():
            if seen.setdefault((*values[:i], *values[i + 1 :]), answer) != answer:
                found.add(name)
                break
    return found
