"""A cohort has the answers of its patients one by one."""

import importlib
import pkgutil
import random
from math import inf, isnan

import numpy as np
import pytest
from by_hand import cells, partial_record
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TARGETS, book

import bence.assess
from bence.cells import Categories, Cells, Numbers
from bence.derive import derive
from bence.interval import Interval, above, at_least, below, between
from bence.numbering import patterns
from bence.rulebook import BOOK
from bence.solve import solve
from bence.solved import written

for module in pkgutil.iter_modules(bence.assess.__path__):
    importlib.import_module(f"bence.assess.{module.name}")


def numbers(values):
    """A column of numbers from what is known of each patient."""
    ends = [
        (-inf, inf, False, False) if x is None
        else (x.lo, x.hi, x.lo_open, x.hi_open) if isinstance(x, Interval)
        else (x, x, False, False)
        for x in values
    ]  # fmt: skip
    if all(x is None or not isinstance(x, Interval) for x in values):
        return Numbers(np.array([np.nan if x is None else x for x in values], dtype=float))
    lo, hi, lo_open, hi_open = map(np.array, zip(*ends, strict=True))
    return Numbers(lo.astype(float), hi.astype(float), lo_open, hi_open)


def categories(values, names):
    """A column of categories from what is known of each patient."""
    words = [[] if x is None else [x] if isinstance(x, str) else x for x in values]
    return Categories(np.array([sum(1 << names.index(word) for word in each) for each in words]), tuple(names))


def columns(book, records):
    """The columns of a cohort of these records."""
    made = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        if not any(value is not None for value in values):
            continue
        listed = book.domain(name) if name not in book.quantities else None
        if isinstance(listed, tuple):
            made[name] = categories(values, listed)
        elif any(isinstance(x, (str, list)) for x in values):
            words = {word for x in values if x is not None for word in ([x] if isinstance(x, str) else x)}
            made[name] = categories(values, sorted(words))
        else:
            made[name] = numbers(values)
    return made


def names(mask, words):
    return {word for i, word in enumerate(words) if int(mask) >> i & 1}


def assert_cohort_is_one_by_one(book, targets, records, recorded=(), vary=None):
    recorded = recorded or [{}] * len(records)
    answers = {"iss": ("I", "II", "III"), "r_iss": ("I", "II", "III"), "ldh_high": ("no", "yes")}
    answers["kidney"] = ("no", "early", "late", "perhaps")
    said = {
        name: categories([each.get(name) for each in recorded], answers[name]) for name in answers if any(name in each for each in recorded)
    }
    cohort = solve(targets, columns(book, records), len(records), recorded=said, vary=vary, book=book)
    for target in targets:
        needed = book.inputs(target)
        solved = cohort[target]
        for i, (record, also) in enumerate(zip(records, recorded, strict=True)):
            known = {name: value for name, value in {**record, **also}.items() if name in needed}
            alone = derive(book.rules[target], known, vary)
            assert names(solved.possible[i], solved.answers) == alone.answers, (target, known)
            assert names(solved.missing[i], solved.inputs) == set(alone.settled_by()), (target, known)
            assert bool(solved.conflict[i]) == (target in alone.conflicts), (target, known)
            code = solved.answer[i]
            assert (None if code < 0 else {solved.answers[code]}) == (set(alone.answers) if len(alone.answers) == 1 else None)


@pytest.mark.parametrize("target", BOOK.rules)
def test_a_cohort_has_the_answers_of_its_patients(target):
    draw = random.Random(4)
    found = cells(BOOK, target)
    records = [{}] + [partial_record(found, draw, most=10_000) for _ in range(15)]
    assert_cohort_is_one_by_one(BOOK, [target], records)


VALUE = st.one_of(st.none(), st.sampled_from([0.0, 2.0, 3.5, 3.4999999999, 4.0, 5.5, 5.4999999999, 7.0, 11.0]))
CENSORED = st.sampled_from([below(3.5), below(5.5), above(5.5), at_least(5.5), between(3.5, 5.5), between(3, 4)])
FISH = st.sampled_from([None, "negative", "positive"])
RECORD = st.fixed_dictionaries(
    {
        "b2m": st.one_of(VALUE, CENSORED),
        "albumin": st.sampled_from([None, 34.0, 35.0, below(35), at_least(35)]),
        "ldh": st.sampled_from([None, 0.0, 200.0, 240.0, 300.0, below(240), above(240)]),
        "ldh_upper_limit": st.sampled_from([None, 240.0, 200.0, between(200, 260)]),
        "ldh_relative": st.sampled_from([None, None, 0.5, 1.0, 1.5]),
        "del_17p": st.sampled_from([None, 0.0, 10.0, 20.0, above(0), below(20)]),
        "t_4_14": FISH,
        "t_14_16": FISH,
        "gain_1q": st.sampled_from([None, 2.0, 3.0, 4.0, 5.0, 6.0, between(3, inf)]),
        "creatinine": st.sampled_from([None, 100.0, 177.0, 200.0]),
        "heavy_chain": st.sampled_from([None, "igg", "igm", "none", ["igg", "iga"], ["igm", "none"]]),
        "fever": st.sampled_from([None, "yes", "no"]),
        "where": st.sampled_from([None, "bone", "skin", "lung", ["bone", "lung"]]),
    }
)
RECORDED = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from(["I", "II", "III"]),
        "r_iss": st.sampled_from(["I", "II", "III"]),
        "ldh_high": st.sampled_from(["yes", "no"]),
        "kidney": st.sampled_from(["no", "early", "late", "perhaps"]),
    },
)


@settings(max_examples=25, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=8))
def test_the_cohort_one_by_one(records):
    assert_cohort_is_one_by_one(book, TARGETS, records)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(RECORD, RECORDED), min_size=1, max_size=8))
def test_the_cohort_one_by_one_with_recorded_answers(rows):
    assert_cohort_is_one_by_one(book, TARGETS, [row[0] for row in rows], [row[1] for row in rows])


@settings(max_examples=15, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=5), st.sampled_from([3.6, 5.5, 6.0]))
def test_the_cohort_one_by_one_with_another_threshold(records, high):
    assert_cohort_is_one_by_one(book, TARGETS, records, vary={"iss": {"high": high}})


@settings(max_examples=20, deadline=None)
@given(st.lists(RECORD, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_neither_other_patients_nor_their_order_matter(records, draw):
    together = solve(TARGETS, columns(book, records), len(records), book=book)
    order = draw.sample(range(len(records)), len(records))
    shuffled = solve(TARGETS, columns(book, [records[i] for i in order]), len(records), book=book)
    for target in TARGETS:
        answers, other = together[target], shuffled[target]
        assert [written_set(answers, i) for i in order] == [written_set(other, i) for i in range(len(order))]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(RECORD, RECORD), min_size=1, max_size=6),
    st.sets(st.sampled_from(["b2m", "ldh", "ldh_upper_limit", "del_17p", "fever"])),
)
def test_what_has_not_changed_may_be_taken_from_before(rows, changed):
    first, other = (columns(book, [row[i] for row in rows]) for i in range(2))
    second = {name: (other if name in changed else first).get(name) for name in first}
    second = {name: column for name, column in second.items() if column is not None}
    before = solve(TARGETS, first, len(rows), book=book)[TARGETS[0]].cohort
    taken, fresh = (solve(TARGETS, second, len(rows), book=book, before=given) for given in (before, None))
    for target in TARGETS:
        assert [written_set(taken[target], i) for i in range(len(rows))] == [written_set(fresh[target], i) for i in range(len(rows))]


def written_set(solved, i):
    return names(solved.possible[i], solved.answers), names(solved.missing[i], solved.inputs)


# ---- How it is handed on ----------------------------------------------------------------------------------


def test_the_words_of_a_table():
    records = [{"b2m": 6.0}, {"b2m": 3.0}, {}, {"b2m": 3.0, "albumin": 30.0}]
    solved = solve(["r_iss"], columns(book, records), 4, book=book)
    iss = solved["iss"]
    assert spelled(*iss.answer_words()) == ["III", None, None, "II"]
    assert spelled(*iss.possible_words()) == [None, "I|II", "I|II|III", None]
    assert spelled(*iss.missing_words()) == [None, "albumin", "b2m|albumin", None]
    assert spelled(*solved["ldh_high"].possible_words()) == ["no|yes"] * 4
    assert spelled(*solved["ldh_high"].missing_words()) == ["ldh|ldh_upper_limit"] * 4


def spelled(codes, words):
    return [None if code < 0 else words[code] for code in codes]


def test_truth_is_written_yes_and_no():
    assert [written(answer) for answer in (True, False, "III", 7)] == ["yes", "no", "III", "7"]


def test_a_rule_is_asked_only_for_what_matters_of_it():
    """With t(4;14), R-ISS is II or III: only stage III of ISS matters, so albumin does not."""
    solved = solve(["r_iss"], columns(book, [{"t_4_14": "positive"}]), 1, book=book)
    assert spelled(*solved["r_iss"].possible_words()) == ["II|III"]
    assert spelled(*solved["r_iss"].missing_words()) == ["b2m"]


def test_a_cohort_of_nobody():
    solved = solve(["r_iss"], {"b2m": Numbers(np.array([]))}, 0, book=book)["r_iss"]
    assert len(solved.answer) == len(solved.missing) == 0


def test_categories_from_codes():
    column = Categories.of(np.array([1, -1, 0]), ("negative", "positive"))
    assert column.mask.tolist() == [2, 0, 1]


def test_more_categories_than_a_table_holds():
    many = (*(f"word{i}" for i in range(20)), "bone", "skin")
    column = Categories.of(np.array([20, 21, 3, -1]), many)
    solved = solve(["site"], {"where": column}, 4, book=book)["site"]
    assert spelled(*solved.answer_words()) == ["bone", "soft", "elsewhere", None]


def test_many_inputs_make_more_patterns_than_patients():
    rng = np.random.default_rng(5)
    cohort = {name: Numbers(np.where(rng.random(500) < 0.3, np.nan, rng.uniform(0, 12, 500))) for name in ("b2m", "creatinine")}
    cohort["albumin"] = Numbers(rng.uniform(30, 40, 500))
    solved = solve(["kidney"], cohort, 500, book=book)["kidney"]
    for i in rng.integers(0, 500, 40):
        known = {name: None if isnan(column.lo[i]) else float(column.lo[i]) for name, column in cohort.items()}
        assert names(solved.possible[i], solved.answers) == derive(book.rules["kidney"], known).answers


@pytest.mark.parametrize("count", [255, 256, 257])
def test_an_input_has_its_own_codes_in_every_pattern(count):
    """256 codes are numbered in a byte that does not hold the number 256."""
    one, other = (Cells(np.arange(count) * step % count, np.arange(count), np.arange(count)) for step in (1, 7))
    rows, codes = patterns([one, other], count)
    for own, code in zip((one, other), codes, strict=True):
        assert (code[rows] == own.codes).all()


MISTAKES = [
    (
        {"b2m": Categories.of(np.array([0]), ("high",))},
        TypeError,
        "b2m is compared with numbers; expected a column of numbers",
    ),
    (
        {"t_4_14": Numbers(np.array([1.0]))},
        TypeError,
        "t_4_14 is compared with words; expected a column of categories",
    ),
    (
        {"t_4_14": Categories.of(np.array([0]), ("pos",))},
        ValueError,
        "t_4_14: pos is not possible; expected one of negative, positive",
    ),
    (
        {"ldh": Categories.of(np.array([0]), ("high",))},
        TypeError,
        "ldh_relative is made of numbers; expected numbers for ldh",
    ),
    (
        {"b2m": Numbers(np.array([3.0]), np.array([2.0]))},
        ValueError,
        "b2m: row 0: the lower end is above the upper end",
    ),
]


@pytest.mark.parametrize(("cohort", "error", "message"), MISTAKES)
def test_a_wrong_column_is_named(cohort, error, message):
    with pytest.raises(error, match=message):
        solve(["r_iss"], cohort, 1, book=book)
