"""Lines of therapy: Bence against the slow reference, on charts that lie on the edges of the rules."""

from __future__ import annotations

import polars as pl
import pytest
from line_charts import EDGES, cohort, edge, to_chart
from line_reference import lines_of
from polars.testing import assert_frame_equal

import bence
from bence.assess import compiled

POLICIES = [
    {},
    {"lines_window": 90},
    {"lines_window": 1000, "lines_early": 60, "lines_switch": 30},
    {"lines_early": 0, "lines_gap": 60},
    {"lines_gap": 365, "lines_resumed": 60},
    {"lines_resumed": 300, "lines_tandem": 90, "lines_switch": 200},
    {"lines_tandem": 400},
    {"lines_steroids": True},
    {"lines_radiotherapy": True},
    {"lines_steroids": True, "lines_radiotherapy": True, "lines_gap": 120},
]


def by_reference(charts: list[dict], chosen: dict) -> list[tuple]:
    found = []
    for chart in charts:
        rows = chart["treatments"]
        for row, (line, boundary) in zip(rows, lines_of(rows, chart["events"], chosen), strict=True):
            found.append((chart["patient"]["patient"], row["source"], row["what"], row["started_on"], line, boundary))
    return sorted(set(found), key=str)


def by_bence(charts: list[dict], chosen: dict) -> list[tuple]:
    table = bence.assess(to_chart(charts), lines="derived", **chosen).treatments
    return sorted(set(table.select("patient", "source", "what", "started_on", "line", "boundary").rows()), key=str)


def patients_who_differ(charts: list[dict], chosen: dict) -> set[str]:
    return {row[0] for row in set(by_reference(charts, chosen)) ^ set(by_bence(charts, chosen))}


def smallest(chart: dict, chosen: dict) -> dict:
    """Take away rows as long as the two still differ."""
    while True:
        shorter = [
            {**chart, "patient": {**chart["patient"], "patient": f"{table}{at}"}, table: chart[table][:at] + chart[table][at + 1 :]}
            for table in ("treatments", "events")
            for at in range(len(chart[table]))
        ]
        differ = patients_who_differ(shorter, chosen) if shorter else set()
        still = [less for less in shorter if less["patient"]["patient"] in differ]
        if not still:
            return chart
        chart = still[0]


def shown(chart: dict, chosen: dict) -> str:
    """A chart with both answers, to be read by a person."""
    name = chart["patient"]["patient"]
    bence_says = {row[:4]: row[4:] for row in by_bence([chart], chosen)}
    lines = [f"policies {chosen}"]
    for row in by_reference([chart], chosen):
        known = next(r for r in chart["treatments"] if (name, r["source"], r["what"], r["started_on"]) == row[:4])
        told = " ".join(f"{k}={known[k]}" for k in ("stopped_on", "phase", "planned", "stop_reason") if known[k] is not None)
        lines.append(f"{row[3]} {row[2]} {told}: reference {row[4:]}, bence {bence_says[row[:4]]}")
    lines += [f"{event['on']} {event['what']} {event['text'] or ''}" for event in chart["events"]]
    return "\n".join(lines)


def demand_agreement(charts: list[dict], chosen: dict) -> None:
    differ = patients_who_differ(charts, chosen)
    if differ:
        chart = min((chart for chart in charts if chart["patient"]["patient"] in differ), key=lambda chart: len(chart["treatments"]))
        text = shown(smallest(chart, chosen), chosen)
        pytest.fail(f"{len(differ)} of {len(charts)} patients differ; one of them, made small:\n{text}", pytrace=False)


@pytest.mark.parametrize("chosen", POLICIES, ids=str)
def test_bence_agrees_with_the_reference(chosen):
    demand_agreement(cohort(2015 + POLICIES.index(chosen), 800), chosen)


def test_every_number_of_the_rules_is_an_edge():
    charts = [edge(name, days) for name, (both, _) in EDGES.items() for days in both]
    demand_agreement(charts, {})
    said = {chart["patient"]["patient"]: [row[2:] for row in by_reference([chart], {})] for chart in charts}
    answers = {name: [[(row[0], *row[2:]) for row in said[f"{name} {days}"]] for days in both] for name, (both, _) in EDGES.items()}
    assert not [name for name, (one, other) in answers.items() if one == other]


@pytest.mark.parametrize("chosen", [{}, {"lines_gap": 60, "lines_steroids": True, "lines_radiotherapy": True}], ids=str)
def test_compiled_and_plain_scan_agree(chosen, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    chart = to_chart(cohort(921, 500))
    found: dict[str, pl.DataFrame] = {}
    for way, small in (("plain", 10**9), ("compiled", 0)):
        monkeypatch.setattr(compiled, "SMALL", small)
        found[way] = bence.assess(chart, lines="derived", **chosen).treatments
    assert_frame_equal(found["plain"], found["compiled"])
