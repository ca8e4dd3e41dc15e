"""The response scan gives the same tables as plain Python and compiled (compiling takes half a minute, once)."""

from __future__ import annotations

import random

import pytest
from polars.testing import assert_frame_equal
from response_charts import POLICIES, Cohort, chart_of_one, to_chart

from bence.assess import compiled, response
from bence.assess.intake import take_in
from bence.assess.lines import progression_events, treatment_rows
from bence.assess.policies import settle


def test_compiled_and_plain_scan_agree(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    pick = random.Random(2016).choice
    chart = to_chart(Cohort(chart_of_one(pick, f"p{number:03d}") for number in range(60)))
    observations = take_in(chart)
    ids, people = observations.patients, chart.patients.sort("patient")
    drugs, events = treatment_rows(chart, ids), progression_events(chart, ids)
    for chosen in [{}, *POLICIES[6:]]:
        found = {}
        for way, small in (("plain", observations.day.size), ("compiled", 0)):
            monkeypatch.setattr(compiled, "SMALL", small)
            found[way] = response.respond(response.Cohort(observations, people, settle(chosen)), drugs, events)
        for plain, fast in zip(found["plain"], found["compiled"], strict=True):
            assert_frame_equal(plain, fast)
