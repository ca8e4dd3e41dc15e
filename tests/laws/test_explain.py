"""Every answer says why, from the exploration that gave it."""

import datetime as dt

import pytest
from toys import book

from bence.explain import Value, explain, render
from bence.interval import Interval, above, at_least, below
from bence.known import possible

ON = dt.date(2025, 1, 29)
INPUTS = {
    "b2m": Value(6.0, ON, "labs.csv:14"),
    "ldh": Value(250.0, ON),
    "ldh_upper_limit": 240.0,
    "gain_1q": Value(4.0, shown="4 copies"),
    "t_4_14": "positive",
    "fever": "yes",
}


def test_the_tree_as_text():
    assert (
        render(explain(book.rules["r2_points"], INPUTS))
        == """\
r2_points = 8 or 10  [dagostino-2022]
  would settle it: del_17p
  iss = III  [greipp-2005]
    b2m = 6 mg/L  [recorded 2025-01-29, labs.csv:14]
    albumin = unknown  (not needed)
  del_17p = unknown
  ldh_high = yes  [palumbo-2015]
    ldh_relative = 1.042 times the upper limit  [calculated]
      ldh = 250 U/L  [recorded 2025-01-29]
      ldh_upper_limit = 240 U/L
  t_4_14 = positive
  gain_1q = 4 copies"""
    )


def test_the_tree_in_chinese():
    tree = explain(book.rules["iss"], {"b2m": Value(3.0, ON), "iss": "III"})
    assert render(tree, "zh") == (
        """\
国际分期系统 = Ⅰ期 或 Ⅱ期  [greipp-2005；记录为 Ⅲ期，与数据不符，以推导为准]
  补充后可确定：白蛋白
  β2微球蛋白 = 3 mg/L  [记录 2025-01-29]
  白蛋白 = 未知"""
    )


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        (below(0.5), "<0.5 mg/L"),
        (above(20), ">20 mg/L"),
        (at_least(5.5), "≥5.5 mg/L"),
        (Interval(3, 4), "3–4 mg/L"),
        (5.4999999999, "5.5 mg/L"),
        (None, "unknown"),
    ],
)
def test_a_value_is_shown_as_a_doctor_writes_it(known, shown):
    text = render(explain(book.rules["iss"], {"b2m": known}))
    assert f"b2m = {shown}\n" in text


def test_the_tree_agrees_with_the_answer():
    for name, rule in book.rules.items():
        known = {key: value.known if isinstance(value, Value) else value for key, value in INPUTS.items()}
        known = {key: value for key, value in known.items() if key in book.inputs(name)}
        tree = explain(rule, INPUTS)
        assert set(tree.answers) == possible(rule, **known)
        assert tree.settled_by == possible(rule, **known).settled_by
        assert [child.name for child in sorted(tree.children, key=lambda c: rule.needs.index(c.name))] == list(rule.needs)


def test_what_was_not_looked_at_comes_last():
    tree = explain(book.rules["high_risk_fish"], {"t_4_14": "positive", "del_17p": 0})
    assert [(child.name, child.used) for child in tree.children] == [
        ("del_17p", True),
        ("t_4_14", True),
        ("t_14_16", False),
    ]


def test_a_part_that_is_not_needed_needs_nothing():
    tree = explain(book.rules["kidney"], {"creatinine": 100, "b2m": 4})
    (iss,) = [child for child in tree.children if child.name == "iss"]
    assert iss.used
    high = explain(book.rules["r_iss"], {"b2m": 4})
    assert {child.name: child.used for child in high.children} == {
        "iss": True,
        "high_risk_fish": False,
        "ldh_high": False,
    }
    assert not any(grandchild.used for child in high.children[1:] for grandchild in child.children)


def test_what_if_a_threshold_were_another():
    tree = explain(book.rules["r_iss"], {"b2m": 6, "t_4_14": "positive"}, vary={"iss": {"high": 7}})
    assert tree.answer == "II"
    assert "iss = II  [greipp-2005; high = 7 instead of 5.5]" in render(tree)


def test_what_if_a_value_were_another():
    tree = explain(book.rules["iss"], {"b2m": 6.0}, what_if={"b2m": 3.0, "albumin": 40.0})
    assert tree.answer == "I"
    assert "b2m = 3 mg/L  [b2m = 3 instead of 6]" in render(tree)
    assert "albumin = 40 g/L  [albumin = 40 instead of unknown]" in render(tree)


def test_a_recorded_answer_is_shown_with_its_date():
    text = render(explain(book.rules["r_iss"], {"iss": Value("II", ON)}))
    assert "iss = II  [greipp-2005; recorded II 2025-01-29]" in text
