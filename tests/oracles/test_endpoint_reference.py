"""Endpoints against the slow reading of the page, on random courses made of edges."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from endpoint_charts import Row, on, person, rows_of, tables, to_chart, visits_of
from endpoint_reference import reference

from bence.assess.endpoints import ENDPOINTS, endpoint_columns
from bence.assess.policies import settle

POLICIES = [
    {}, {"pfs": "ema"}, {"dor_death": "any"}, {"origin": "start"}, {"assessment_interval": 28},
    {"pfs": "ema", "dor_death": "any", "origin": "start"},
]  # fmt: skip


def drawn(name: str, generator: np.random.Generator) -> Row:
    """A course of one to four lines with assessments, holes, doubts, events and perhaps a death."""
    edges = np.array([1, 27, 28, 29, 55, 56, 57, 90, 91, 92, 181, 182, 183, 184, 365])
    pick = lambda *choices: choices[int(generator.integers(len(choices)))]  # noqa: E731
    day, treatment, seen, events = 0, [], [], []
    for line in range(1, int(generator.integers(2, 5))):
        length = int(generator.choice(edges) * generator.integers(1, 4))
        stop = pick("", str(day + int(generator.integers(0, length + 1))))
        drug, why = pick("lenalidomide", "bortezomib", "daratumumab"), pick("", "", " progression") if stop else ""
        treatment.append(f"{line}: {drug} {day}-{stop}{why}")
        at = day
        while (at := at + int(generator.choice(edges))) <= day + length:
            seen.append(f"{at} {pick('PR', 'VGPR', 'CR', 'sCR', 'SD', 'PR', 'CR', 'NE', 'PR?', 'CR?', 'VGPR*', 'PD!', 'PD?', 'PD~')}")
        if generator.random() < 0.2:
            events.append(f"{day + int(pick(-29, -28, 0, 14, 15))} randomisation")
        if generator.random() < 0.3:
            events.append(f"{day + int(generator.integers(0, length + 1))} {pick('progression', 'relapse_clinical')}")
        day += length
    one = person(name, "; ".join(treatment), "; ".join(seen), "; ".join(events))
    last = max([day, *(v["day"] for v in one["visits"]), *(e["day"] for e in one["events"])])
    if generator.random() < 0.5:
        one |= {"died": last + int(generator.choice(edges)), "cause": pick("myeloma", "infection", None)}
    else:
        one |= {"last_seen": last + int(generator.integers(0, 50))}
    return one


@pytest.mark.parametrize("policies", POLICIES, ids=str)
def test_both_readings_agree(policies: dict[str, str]) -> None:
    generator = np.random.default_rng(7)
    people = [drawn(f"P{place:03}", generator) for place in range(400)]
    settled, chart = settle(policies), to_chart(people)
    response, lines = tables(people)
    table = endpoint_columns(chart, rows_of(chart, settled), lines, response, settled, None)
    told = {(row["patient"], row["line"]): row for row in table.iter_rows(named=True)}
    assert len(told) == lines.height
    for one in people:
        for line, answers in reference(one, settled, one.get("last_seen", one.get("died"))).items():
            row = told[one["patient"], line]
            for name in ENDPOINTS:
                own = (row[f"{name}_days"], row[f"{name}_event"], row[f"{name}_reason"])
                assert (None if own[0] is None else own) == answers[name], (one, line, name, visits_of(one)[line], on(0))


def test_every_kind_of_end_is_met() -> None:
    """The random courses above would be worth little if they met only a few of the reasons."""
    generator = np.random.default_rng(7)
    people = [drawn(f"P{place:03}", generator) for place in range(400)]
    settled, chart = settle({}), to_chart(people)
    response, lines = tables(people)
    table = endpoint_columns(chart, rows_of(chart, settled), lines, response, settled, None)
    met = pl.concat([table[f"{name}_reason"].cast(pl.String) for name in ENDPOINTS]).drop_nulls().unique()
    assert met.len() == 11
