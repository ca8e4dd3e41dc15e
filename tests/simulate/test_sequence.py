"""Strategies against each other in the same people."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from bence.errors import UsageError
from bence.simulate.causes import CAUSES
from bence.simulate.protocols import OFF
from bence.simulate.sequence import Strategies, compare, strategy
from bence.simulate.strategies import better, summary, verdicts

ONE, OTHER = "cilta-cel -> teclistamab", "teclistamab -> cilta-cel"


@cache
def both() -> Strategies:
    return compare([ONE, OTHER, "西达基奥仑赛 → 特立妥单抗"], gap=90, patients=250, months=24, seed=4)


def test_a_strategy_is_a_protocol():
    protocol = strategy("Kd 84d -> cilta-cel => Tec-Dara", gap=30)
    keys = [step.key for step in protocol.steps]
    assert keys[:4] == ["Kd", "before cilta-cel", "making cilta-cel", "lymphodepletion cilta-cel"]
    assert keys[4:] == ["cilta-cel", "before Tec-Dara", "Tec-Dara", OFF]
    steps = {step.key: step for step in protocol.steps}
    assert steps["Kd"].days == 84
    assert steps["Kd"].next == steps["Kd"].after_progression == "before cilta-cel"
    assert steps["cilta-cel"].next == OFF
    assert steps["cilta-cel"].after_progression == "before Tec-Dara"
    assert steps["making cilta-cel"].lost.to == "before Tec-Dara"
    assert [step.key for step in protocol.steps if step.line] == ["before cilta-cel", "before Tec-Dara"]
    assert [step.key for step in strategy("Tec -> Tec").steps] == ["Tec", "Tec again", OFF]


@pytest.mark.parametrize("text", ["", " -> teclistamab", "cilta-cel ->", "cilta-cel -> tecistamab"])
def test_what_cannot_be_read_is_an_error(text):
    with pytest.raises(UsageError):
        strategy(text)


def test_the_language_of_a_name_changes_nothing():
    found = both()
    assert found.people[0].equals(found.people[2])
    same = better(found.people[0], found.people[2])
    assert (same.probability, same.error, same.gain) == (0.5, 0.0, 0.0)


def test_the_second_treatment_waits_for_the_interval():
    for table in both().people:
        switched = table.filter(pl.col("switch") > pl.col("first"))  # where manufacture failed the switch comes first
        assert switched.height > 10
        assert (switched["switch"] - switched["first"]).min() >= 90


def test_causes_have_names_and_fit_the_pressure():
    tables = both().people
    for table in tables:
        causes = set(table["first_cause"].drop_nulls())
        assert causes <= set(CAUSES)
        assert table["first_cause"].is_not_null().to_list() == table["first"].is_not_null().to_list()
    drugs = compare(["Kd"], patients=200, months=18, seed=4).people[0]
    assert not {"antigen_lost", "t_cells_exhausted", "car_t_gone", "t_cells_resistant"} & set(drugs["first_cause"].drop_nulls())


def frame(*rows: tuple[float | None, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"second_event": pl.Float64, "last": pl.Float64}, orient="row")


def test_better_is_counted_pair_by_pair():
    one = frame((100, 100), (None, 500), (None, 200), (300, 300))
    other = frame((50, 50), (400, 400), (None, 900), (350, 350))
    told = better(one, other)
    assert told.probability == (1 + 1 + 0.5 + 0) / 4  # the third is undecided: censored at 200
    assert told.undecided == 0.25
    assert told.gain == (50 + 100 - 700 - 50) / 4
    assert better(other, one).probability == 1 - told.probability


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_summary_has_a_column_a_strategy(lang):
    found = compare([ONE, OTHER], patients=60, months=18, seed=4)
    table = summary(found, lang)
    assert table.columns[1:] == [text.replace("->", "→") for text in (ONE, OTHER)]
    assert table.select(pl.all().is_not_null().all()).row(0) == (True, True, True)
    lines = verdicts(found, lang)
    assert len(lines) == 2
    assert all("±" in line and "60" in line for line in lines)


def test_numbers_that_make_no_sense_are_refused():
    for wrong in ({"patients": 0}, {"months": 0}, {"gap": -1}):
        with pytest.raises(UsageError):
            compare([ONE], **wrong)
