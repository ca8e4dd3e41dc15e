"""What is known of a value, and what a rule can still say of it."""

import doctest
from itertools import product
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bence.known
from bence.interval import Interval, above, at_least, at_most, below, between
from bence.known import Answers, possible


def iss(b2m, albumin, *, high=5.5, low=3.5, albumin_low=35):
    if b2m >= high:
        return "III"
    if b2m < low and albumin >= albumin_low:
        return "I"
    return "II"


def test_the_examples_of_the_manual():
    assert doctest.testmod(bence.known).failed == 0


def test_unknown_is_an_answer():
    assert possible(iss, b2m=6) == {"III"}
    assert possible(iss, albumin=40) == {"I", "II", "III"}
    assert possible(iss, b2m=3.0) == {"I", "II"}
    assert possible(iss, b2m=3.0, albumin=None) == {"I", "II"}
    assert possible(iss, b2m=nan, albumin=30) == {"II", "III"}
    assert repr(possible(iss, b2m=3.0)) == "Answers({'I', 'II'}, settled_by={'albumin': 35})"


def test_what_would_settle_it_is_only_what_can_change_the_answer():
    assert possible(iss).settled_by == {"b2m": 5.5, "albumin": 35}
    assert possible(iss, albumin=30).settled_by == {"b2m": 5.5}
    assert possible(iss, b2m=between(4, 5)).settled_by == {}


def test_an_only_answer():
    assert possible(iss, b2m=6).answer == "III"
    assert possible(iss, b2m=3).answer is None
    assert possible(iss, b2m=3).answers == frozenset({"I", "II"})
    assert Answers({"I"}, conflicts=["iss"]).conflict


@pytest.mark.parametrize(
    ("b2m", "answers"),
    [
        (5.4999999999, {"III"}),
        (5.499999, {"II"}),
        (3.4999999999, {"II"}),
        (at_least(5.5), {"III"}),
        (above(5.5), {"III"}),
        (at_least(5.4999999999), {"III"}),
        (at_least(5.4), {"II", "III"}),
        (below(5.5), {"I", "II"}),
        (at_most(5.5), {"I", "II", "III"}),
        (below(3.5), {"I"}),
        (at_most(3.5), {"I", "II"}),
        (between(3.5, 5.5), {"II", "III"}),
        (between(3.5, 5.5, hi_open=True), {"II"}),
        (between(3, 3.5, hi_open=True), {"I"}),
        (between(5.5, 6, lo_open=True), {"III"}),
    ],
)
def test_a_censored_value_is_an_interval(b2m, answers):
    assert possible(iss, b2m=b2m, albumin=40) == answers


VALUE = st.sampled_from([0, 1, 2, 2.0000000001, 2.5])


@given(VALUE, VALUE, st.booleans(), st.booleans(), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
def test_a_comparison_of_an_interval_is_that_of_its_numbers(lo, hi, lo_open, hi_open, op):
    rule = eval(f"lambda x: (x {op} 2) == True", {})
    if round(lo, 6) >= round(hi, 6):
        lo = hi
        lo_open = hi_open = False
    numbers = [x for x in (0, 0.5, 1, 1.5, 2, 2.2, 2.5) if lo - 1e-9 <= x <= hi + 1e-9]
    numbers = [x for x in numbers if not (lo_open and abs(x - lo) < 1e-9) and not (hi_open and abs(x - hi) < 1e-9)]
    assert possible(rule, x=Interval(lo, hi, lo_open, hi_open)) == {rule(x) for x in numbers}


def test_an_interval_holds_a_number():
    with pytest.raises(ValueError, match=r"no number lies in \[2, 1\]"):
        Interval(2, 1)
    with pytest.raises(ValueError, match="no number lies in"):
        Interval(1, 1, lo_open=True)
    with pytest.raises(ValueError, match="no number lies in"):
        Interval(nan, 1)


@given(*[st.sampled_from([-inf, 0.0, 1.0, 2.0, inf])] * 4, *[st.booleans()] * 4)
def test_what_two_intervals_share(a, b, c, d, a_open, b_open, c_open, d_open):
    try:
        one, other = Interval(a, b, a_open, b_open), Interval(c, d, c_open, d_open)
    except ValueError:
        return
    both = one.within(other)
    for x in (-5, 0, 0.5, 1, 1.5, 2, 5):
        assert (x in one and x in other) == (both is not None and x in both)


# ---- Categories -------------------------------------------------------------------------------------------


def test_membership_in_a_tuple():
    def heavy(chain):
        return "yes" if chain in ("igg", "iga") else "no"

    assert possible(heavy, chain="iga") == {"yes"}
    assert possible(heavy, chain="igm") == {"no"}
    assert possible(heavy, chain=["igg", "iga"]) == {"yes"}
    assert possible(heavy, chain=["igg", "igm"]) == {"yes", "no"}
    assert possible(heavy) == {"yes", "no"}
    assert possible(heavy).settled_by == {"chain": "igg"}


def test_a_flag_may_be_given_as_a_truth_value():
    def fever(fever):
        return fever == "yes"

    assert possible(fever, fever=True) == possible(fever, fever="yes") == {True}
    assert possible(fever, fever=False) == {False}


@pytest.mark.parametrize(("one", "other"), list(product(["<", "<=", ">", ">=", "==", "!="], repeat=2)))
@pytest.mark.parametrize(("first", "second"), [(2, 1), (2, 2), (2, 3)])
def test_two_questions_about_one_number_agree(one, other, first, second):
    rule = eval(f"lambda x: ('a' if x {one} {first} else 'b') + ('a' if x {other} {second} else 'b')", {})
    for known in (None, below(2), at_most(2), above(2), at_least(2), between(1, 3, lo_open=True)):
        numbers = [x for x in (0.5, 1, 1.5, 2, 2.5, 3, 3.5) if known is None or x in known]
        assert possible(rule, x=known) == {rule(x) for x in numbers}


def test_two_questions_about_one_word_agree():
    def word(x):
        return "never" if x == "a" and x == "b" else "always"

    assert possible(word) == {"always"}


# ---- Mistakes of whoever writes a rule --------------------------------------------------------------------


def in_set(x):
    return "yes" if x in {"a", "b"} else "no"


def nothing(x):
    if x > 1:
        return "yes"
    return None


MISTAKES = [
    (
        lambda x: "yes" if x else "no",
        {},
        'x is not a truth value; write what is asked of it, as in `x == "yes"`',
    ),
    (lambda x: "yes" if x else "no", {"x": "positive"}, "x is not a truth value"),
    (lambda x, y: x > y, {}, "x cannot be compared with <y>; expected a number"),
    (lambda x, y: x == y, {"x": "a"}, "x cannot be compared with <y>; possible are 'a'"),
    (lambda x: x + 1 > 2, {}, "x is used in arithmetic; that belongs in a @quantity"),
    (lambda x: x == "positive", {"x": 20}, "x is a number; it cannot be compared with 'positive'"),
    (lambda x: x > 20, {"x": "positive"}, "x cannot be compared with 20; possible are 'positive'"),
    (lambda x: x > 1 and x == "a", {}, "x is a number; it cannot be compared with 'a'"),
    (lambda x: x == "a" or x > 1, {}, "x is a word; it cannot be compared with 1"),
    (in_set, {}, r"x has no list of categories; compare it with `==` or with `in \(..., ...\)`"),
    (nothing, {"x": 0}, "rule nothing returned None; expected text, a truth value or a count on every path"),
    (iss, {"b2n": 3}, "iss does not need 'b2n'; it needs b2m, albumin"),
]


@pytest.mark.parametrize(("rule", "known", "message"), MISTAKES)
def test_a_mistake_in_a_rule_is_named(rule, known, message):
    with pytest.raises(TypeError, match=message):
        possible(rule, **known)


def test_a_rule_with_too_many_paths_is_refused(monkeypatch):
    monkeypatch.setattr("bence.paths.MOST_PATHS", 100)

    def count(a, b, c, d, e, f, g):
        return sum(x > 0 for x in (a, b, c, d, e, f, g))

    with pytest.raises(RecursionError, match="count has more than 100 paths"):
        possible(count)


# ---- Any rule at all --------------------------------------------------------------------------------------

NUMBERS = {"x": [0.5, 1, 1.5, 2, 2.5, 3, 3.5], "y": [0.5, 1, 1.5, 2, 2.5, 3, 3.5]}
WORDS = {"u": ["a", "b", "c"], "v": ["a", "b", "c"]}
EVERYTHING = NUMBERS | WORDS

QUESTION = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from(sorted(NUMBERS)),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from([1, 2, 3]),
    ),
    st.builds(
        "{} {} {!r}".format,
        st.sampled_from(sorted(WORDS)),
        st.sampled_from(["==", "!="]),
        st.sampled_from("abc"),
    ),
    st.builds("{} in ({!r}, {!r})".format, st.sampled_from(sorted(WORDS)), *[st.sampled_from("abc")] * 2),
    st.builds("1 <= {} < 3".format, st.sampled_from(sorted(NUMBERS))),
)
CONDITION = st.recursive(
    QUESTION,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(sum([{}, {}, {}]) >= 2)".format, inner, inner, inner),
    ),
    max_leaves=6,
)
RULE = st.recursive(
    st.sampled_from(["'P'", "'Q'", "'R'"]),
    lambda inner: st.builds("({} if {} else {})".format, inner, CONDITION, inner),
    max_leaves=5,
)
KNOWN = st.fixed_dictionaries(
    {
        **{
            name: st.one_of(
                st.none(),
                st.sampled_from(values),
                st.sampled_from([below(2), at_most(2), above(1), at_least(3), between(1, 3), between(1.5, 2.5)]),
            )
            for name, values in NUMBERS.items()
        },
        **{name: st.one_of(st.sets(st.sampled_from(values), min_size=1), st.sampled_from(values)) for name, values in WORDS.items()},
    }
)


@settings(max_examples=300, deadline=None)
@given(RULE, KNOWN)
def test_possible_is_the_union_over_all_completions(source, known):
    rule = eval(f"lambda x, y, u, v: {source}", {})
    options = {
        name: [
            value
            for value in values
            if known[name] is None or known[name] == value or (isinstance(known[name], (set, Interval)) and value in known[name])
        ]
        for name, values in EVERYTHING.items()
    }
    records = [{"x": x, "y": y, "u": u, "v": v} for x in options["x"] for y in options["y"] for u in options["u"] for v in options["v"]]
    answers = {tuple(record.values()): rule(**record) for record in records}
    found = possible(rule, **known)
    assert found == set(answers.values())
    for i, name in enumerate(EVERYTHING):
        seen = {}
        if any(seen.setdefault((*key[:i], *key[i + 1 :]), said) != said for key, said in answers.items()):
            assert name in found.settled_by


@settings(max_examples=100, deadline=None)
@given(RULE, KNOWN, st.permutations(["x", "y", "u", "v"]))
def test_the_order_of_arguments_does_not_matter(source, known, order):
    rule = eval(f"lambda x, y, u, v: {source}", {})
    other = eval(f"lambda {', '.join(order)}: {source}", {})
    assert possible(rule, **known) == possible(other, **known)
    assert possible(rule, **known) == possible(rule, **{name: known[name] for name in order})
