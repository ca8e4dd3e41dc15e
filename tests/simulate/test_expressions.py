"""What may be written in an equation, and what it becomes."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bence.errors import UsageError
from bence.simulate.expressions import parse, written

GOOD = {
    "a*x - b*y**2": 3 * 2 - 5 * 49.0,
    "-x**2": -4.0,
    "a/b/x": 0.3,
    "a - b - x": -4.0,
    "1/4": 0.25,
    "min(a, x) + max(b, 1e1)": 12.0,
    "sqrt(x*8) + log(exp(a))": 7.0,
}
BAD = [
    ("x +", "is not an expression"),
    ("x; y", "is not an expression"),
    ("x**0.5", "a power that is not a whole number"),
    ("x**y", "a power that is not a whole number"),
    ("x**-1", "a power that is not a whole number"),
    ("x % 2", "is not allowed"),
    ("x if y else 1", "is not allowed"),
    ("x.real", "is not allowed"),
    ("x[0]", "is not allowed"),
    ("__import__('os')", "unknown function '__import__'"),
    ("sqr(x)", r"did you mean 'sqrt'\?"),
    ("exp(x, y)", "exp with 2 values instead of 1"),
    ("max(x)", "max with 1 values instead of 2"),
    ("exp(x=1)", "unknown function|is not allowed"),
    ("exp + 1", "'exp' is a function and no value"),
    ("'x'", "is not a number"),
    ("True", "is not a number"),
    ("1e999", "is not a number"),
    ("2j", "is not a number"),
    ("", "is not an expression"),
]
KNOWN = {"a": 3.0, "b": 5.0, "x": 2.0, "y": 7.0}


@pytest.mark.parametrize("text", GOOD)
def test_its_value(text):
    assert parse(text, "here").value(KNOWN) == pytest.approx(GOOD[text])


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_not_allowed_is_refused_where_it_stands(text, message):
    with pytest.raises(UsageError, match=message) as refused:
        parse(text, "model.toml, term x")
    assert refused.value.where == "model.toml, term x"


def test_the_names_it_uses():
    assert parse("exp(a) + max(b, a)*2", "").names == {"a", "b"}


def test_other_words_for_names_functions_and_powers():
    tree = parse("log(pi)**2 - min(a, 1)", "").tree
    assert written(tree, "^", lambda name: f"{name}_", {"log": "ln"}) == "((ln(pi_)^2) - min(a_, 1.0))"


leaves = st.sampled_from(["a", "b", "x", "2", "0.5"])
texts = st.recursive(
    leaves, lambda part: st.builds("({} {} {})".format, part, st.sampled_from("+-*/"), part) | st.builds("(-{})".format, part)
)


@settings(max_examples=100, deadline=None)
@given(texts)
def test_written_again_it_means_the_same(text):
    with np.errstate(all="ignore"):
        once, again = parse(text, ""), parse(written(parse(text, "").tree), "")
        assert ast.dump(once.tree) == ast.dump(again.tree) or once.value(KNOWN) == again.value(KNOWN) or np.isnan(once.value(KNOWN))
        try:
            plain = eval(text, {}, dict(KNOWN))
        except ZeroDivisionError:
            return
        assert once.value(KNOWN) == plain
