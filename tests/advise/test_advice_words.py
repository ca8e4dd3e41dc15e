"""How the advice is worded, English and Chinese: what is denied, what is joined, which fact a test is about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bence.advise.conditions import read
from bence.advise.pathway import pathway
from bence.advise.story import Advised, Asked, Story, _together
from bence.advise.text import text
from bence.advise.vocabulary import answer, condition


def advised(option: str, stance: str, missing: Any = ()) -> Advised:
    own = pathway().options[option]
    return Advised(own, stance, own.words[0], (), (), (), missing)


@pytest.mark.parametrize(("asked", "en", "zh"), [
    ("exposed_bcma_car_t = no", "not: has had BCMA CAR-T cells", "未用过BCMA CAR-T"),
    ("refractory_lenalidomide = no", "not: refractory to lenalidomide", "来那度胺不耐药"),
    ("bcma_loss_recorded = no", "not: loss or mutation of BCMA on record", "未记录BCMA缺失或突变"),
    ("declined_transplant = no", "not: declines a transplant", "患者未拒绝移植"),
    ("pregnancy = no", "not: pregnancy", "非妊娠"),
    ("refractory_lenalidomide = yes", "refractory to lenalidomide", "来那度胺耐药"),
    ("prior_lines >= 3", "prior lines of therapy at least 3", "既往治疗线数 ≥ 3"),
    ("region = china", "region is China", "地区为中国"),
    ("label_d_vrd = off_label", "its use is outside its label", "当地获批情况为超适应证"),
])  # fmt: skip
def test_conditions_are_worded_as_a_haematologist_writes_them(asked: str, en: str, zh: str) -> None:
    assert (condition(read(asked)), condition(read(asked), "zh")) == (en, zh)


def test_low_expression_and_middling_fitness_are_no_risk() -> None:
    assert answer("bcma_expression", "low", "zh") == "低表达"
    assert answer("frailty_imwg", "intermediate", "zh") == "中等"


def test_a_translocation_is_no_aside() -> None:
    """Of options told in one breath the drugs in brackets are left out, the translocation is not."""
    both = [advised("kpd", "blocked"), advised("venetoclax_dexamethasone", "blocked")]
    assert [one.words for one in _together(both, "en")] == ["KPd; venetoclax and dexamethasone in t(11;14)"]
    assert [one.words for one in _together(both, "zh")] == ["KPd；venetoclax and dexamethasone in t(11;14)"]


def test_one_test_for_several_facts_names_the_fact() -> None:
    drugs = ("refractory_lenalidomide", "refractory_cd38")
    one = advised("lenalidomide_maintenance", "unknown", tuple((fact, "drugs and dates", ()) for fact in drugs))
    asked = Asked("maintenance", "maintenance", (one,), ())
    page = text(Story("A", date(2026, 11, 22), "us", (asked,), ()))
    assert "drugs and dates (refractory to lenalidomide)" in page
    alone = Asked("maintenance", "maintenance", (advised("lenalidomide_maintenance", "unknown", one.missing[:1]),), ())
    assert "drugs and dates (" not in text(Story("A", date(2026, 11, 22), "us", (alone,), ()))


def test_chinese_is_joined_with_chinese_signs() -> None:
    waits = Advised(None, "unknown", "", (), (), (), (("age", "年龄", ()), ("iss", "β2微球蛋白", ())))
    page = text(Story("A", date(2026, 11, 22), "china", (Asked("induction", "初诊", (waits,), ("妊娠", "感染")),), ()), "zh")
    assert "尚缺：年龄、β2微球蛋白" in page
    assert "请床旁确认：妊娠、感染" in page
