"""Protocols: every file is whole, agrees with the trial it is like, and a wrong one says what is wrong."""

from __future__ import annotations

import tomllib

import pytest

from bence.errors import ChartError, UsageError
from bence.evidence import record
from bence.simulate.populations import populations
from bence.simulate.protocols import OFF, parse_protocol, protocol_names, read_protocol

SMALL = """
name.en = "small"
name.zh = "小"
population = "ndmm"
patients = 10
months = 12
[[step]]
key = "one"
regimen = "VRd"
days = 84
[[step]]
key = "two"
regimen = "R maintenance"
"""


def parse(text: str):
    return parse_protocol("small", tomllib.loads(text))


@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_is_whole(name):
    protocol = read_protocol(name)
    assert protocol.population in populations()
    assert protocol.name["en"]
    assert protocol.name["zh"]
    reached, todo = set(), [protocol.steps[0].key, protocol.after_progression]
    while todo:
        key = todo.pop()
        if key not in reached:
            reached.add(key)
            todo += protocol.steps[protocol.place(key)].goes()
    assert reached | {OFF} == {step.key for step in protocol.steps}, "a step that nobody reaches"


@pytest.mark.parametrize("name", [name for name in protocol_names() if read_protocol(name).trial])
def test_its_arms_are_arms_of_the_trial_it_is_like(name):
    protocol = read_protocol(name)
    assert protocol.arms
    assert set(protocol.arms) <= {arm["key"] for arm in record(protocol.trial)["arms"]}


def test_a_step_of_some_days_goes_on_to_the_next_in_the_file():
    protocol = parse(SMALL)
    assert [step.next for step in protocol.steps] == ["two", OFF, OFF]


@pytest.mark.parametrize(("old", "new", "told"), [
    ('key = "two"', 'key = "one"', "same key"),
    ('key = "two"', 'key = "two"\nnext = "tow"', "'tow', which is not there"),
    ("days = 84", "dayz = 84", "dayz"),
    ("days = 84", 'days = 84\nphase = "induktion"', "no phase 'induktion'; did you mean 'induction'"),
    ("months = 12", 'months = 12\nprogression = "smm"', "no progression 'smm'"),
])  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(old, new, told):
    with pytest.raises(ChartError) as error:
        parse(SMALL.replace(old, new))
    assert told in str(error.value)
    assert "protocols/small.toml" in str(error.value)


def test_unknown_names_are_told_the_nearest_right_one():
    with pytest.raises(UsageError, match="did you mean 'midas'"):
        read_protocol("midsa")
    with pytest.raises(UsageError, match="no drug or regimen 'VRdd'"):
        parse(SMALL.replace('"VRd"', '"VRdd"'))
    with pytest.raises(UsageError, match="no evidence record"):
        parse(SMALL.replace("months = 12", 'months = 12\ntrial = "no such trial"'))
