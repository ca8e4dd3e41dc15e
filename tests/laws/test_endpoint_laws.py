"""The laws of endpoints and refractoriness: nobody else matters, nor the order of rows, nor the future; a blank never invents."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bence.assess.endpoints import ENDPOINTS, endpoint_columns, endpoint_status
from bence.assess.exposure import exposure_status, exposure_table
from bence.assess.policies import settle
from bence.chart import TABLES, Chart, visible

sys.path.append(str(Path(__file__).parents[1] / "oracles"))
from endpoint_charts import DAY_ZERO, Row, person, rows_of, tables, to_chart

DRUGS = (
    "bortezomib", "carfilzomib", "lenalidomide", "lenalidomide", "pomalidomide", "daratumumab", "isatuximab", "teclistamab", "cilta_cel",
    "investigational", "melphalan", "dexamethasone",
)  # fmt: skip
FLAGS = (
    "double_class_refractory", "triple_class_exposed", "triple_class_refractory", "quad_drug_refractory", "penta_drug_exposed",
    "penta_drug_refractory", "primary_refractory", "relapsed_refractory",
)  # fmt: skip


def drawn(name: str, generator: np.random.Generator) -> Row:
    """A course of up to five lines of up to three drugs, with what records leave out."""
    pick = lambda *choices: choices[int(generator.integers(len(choices)))]  # noqa: E731
    day, treatment, seen, events = 0, [], [], []
    for line in range(1, int(generator.integers(1, 6)) + 1):
        length = int(pick(30, 90, 150, 300))
        for drug in generator.choice(DRUGS, int(generator.integers(1, 4)), replace=False):
            stop = pick("", str(day + int(generator.integers(0, length + 1))))
            more = pick("", "", " progression", " toxicity") if stop else ""
            treatment.append(f"{line}: {drug} {day + int(pick(0, 0, 40))}-{stop}{pick('', ' maintenance', ' 10 maintenance', ' 25')}{more}")
        for at in range(day + 28, day + length, int(pick(28, 60, 200))):
            seen.append(f"{at} {pick('PR', 'VGPR', 'CR', 'SD', 'SD', 'NE', 'PR?', 'MR', 'PD!', 'PD?', 'PD~')}")
        if generator.random() < 0.2:
            events.append(f"{day + int(generator.integers(1, length + 1))} {pick('progression', 'relapse_clinical')}")
        day += length
    treatment = [each.replace(f"{int(each.split()[2].split('-')[0])}-", f"{min_start(each)}-") for each in treatment]
    one = person(name, "; ".join(treatment), "; ".join(seen), "; ".join(events))
    return one | ({"died": day + 10, "cause": pick("myeloma", "infection", None)} if generator.random() < 0.4 else {"last_seen": day})


def min_start(text: str) -> int:
    """A course never stops before it starts."""
    start, _, stop = text.split()[2].partition("-")
    return min(int(start), int(stop)) if stop else int(start)


def cohort(seed: int, size: int = 30) -> list[Row]:
    generator = np.random.default_rng(seed)
    return [drawn(f"P{place:02}", generator) for place in range(size)]


Found = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def found(chart: Chart, response: pl.DataFrame, lines: pl.DataFrame, **policies: Any) -> Found:
    """Exposure, endpoints and status of a chart."""
    settled = settle(policies)
    rows, ids = rows_of(chart, settled), chart.patients["patient"].sort()
    table = exposure_table(chart, rows, lines, response, settled)
    ends = endpoint_columns(chart, rows, lines, response, settled, None)
    joined = lines.join(ends, on=["patient", "line"], how="left", maintain_order="left")
    status = {**exposure_status(table, ids, settled), **endpoint_status(joined, ids, settled)}
    return table, ends.sort("patient", "line"), pl.DataFrame(status).with_columns(patient=ids)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    people = cohort(seed)
    chart, (response, lines) = to_chart(people), tables(people)
    mix = lambda frame: frame.sample(fraction=1, shuffle=True, seed=seed)  # noqa: E731
    mixed = Chart(**{table: mix(getattr(chart, table)) for table in TABLES})
    for one, other in zip(found(chart, response, lines), found(mixed, mix(response), mix(lines)), strict=True):
        assert_frame_equal(one, other)


def test_other_patients_do_not_matter() -> None:
    """Some alone, and everybody among fewer."""
    people = cohort(0, 24)
    chart, (response, lines) = to_chart(people), tables(people)
    whole, ids = found(chart, response, lines), [one["patient"] for one in people]
    for some in (*([name] for name in ids[::6]), ids[::2], ids[1::2]):
        own = pl.col("patient").is_in(some)
        fewer = Chart(**{table: getattr(chart, table).filter(own) for table in TABLES})
        for part, all_ in zip(found(fewer, response.filter(own), lines.filter(own)), whole, strict=True):
            assert_frame_equal(part, all_.filter(own))


@pytest.mark.parametrize("seed", range(2))
def test_what_happens_later_does_not_matter(seed: int) -> None:
    people = cohort(seed, 12)
    chart, (response, lines) = to_chart(people), tables(people)
    for day in (100, 250, 500):
        at = DAY_ZERO + timedelta(days=day)
        then, settled = visible(chart, at), settle({})
        known = (response.filter(pl.col("on") <= at), lines.filter(pl.col("started_on") <= at))
        told = known[1].with_columns(progressed_on=pl.when(pl.col("progressed_on") <= at).then("progressed_on"))
        rows = rows_of(then, settled)
        early = endpoint_columns(then, rows, told, known[0], settled, None)
        assert_frame_equal(early, endpoint_columns(chart, rows, told, known[0], settled, at))
        for name in ENDPOINTS:
            start = {"dor": "responded_on", "dfs": "complete_on"}.get(name, "origin_on")
            ends = early.select(pl.col(start) + pl.duration(days=pl.col(f"{name}_days"))).to_series().drop_nulls()
            assert ends.is_empty() or ends.max() <= at  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("policy", ["imwg_2011", "on_therapy"])
def test_a_missing_assessment_never_turns_an_answer_round(seed: int, policy: str) -> None:
    """Blank the responses of some lines that hold no progression: what is still answered was answered so before."""
    people = cohort(seed)
    chart, (response, lines) = to_chart(people), tables(people)
    generator = np.random.default_rng(seed)
    blank = pl.Series(generator.random(lines.height) < 0.5) & (lines["progression_state"].is_null())
    gone = lines.filter(blank).select("patient", "line")
    fewer = response.join(gone, on=["patient", "line"], how="anti")
    less = lines.with_columns(best_response=pl.when(blank).then(pl.lit("NE")).otherwise("best_response"))
    more_table, _, more = found(chart, response, lines, refractory=policy)
    less_table, _, less_status = found(chart, fewer, less, refractory=policy)
    both = more_table.join(less_table, on=["patient", "drug"], suffix="_less")
    assert not both.filter(pl.col("refractory_less").is_not_null() & pl.col("refractory_less").ne_missing(pl.col("refractory"))).height
    for name in FLAGS:
        told = pl.DataFrame({"more": more[name], "less": less_status[name]}).filter(pl.col("less").is_not_null())
        assert not told.filter(pl.col("less").cast(pl.String).ne_missing(pl.col("more").cast(pl.String))).height, name


@pytest.mark.parametrize("seed", range(4))
def test_flags_are_what_every_way_of_filling_the_blanks_agrees_on(seed: int) -> None:
    """Fill what is unknown of each drug with yes and with no: a flag is given exactly when all ways give it."""
    people = cohort(seed, 60)
    chart, (response, lines) = to_chart(people), tables(people)
    settled = settle({})
    table = exposure_table(chart, rows_of(chart, settled), lines, response, settled)
    table = table.filter((pl.col("drug") != "investigational").all().over("patient"))
    ids = chart.patients["patient"].sort()
    status = {name: exposure_status(table, ids, settled)[name] for name in FLAGS[:6]}
    met = 0
    for place, name in enumerate(ids):
        own = table.filter(pl.col("patient") == name)
        if not own.height:
            continue
        unknown = [drug for drug, answer in own.select("drug", "refractory").iter_rows() if answer is None]
        ways = []
        for way in range(1 << len(unknown)):
            filled = dict.fromkeys(unknown, "no") | {drug: "yes" for bit, drug in enumerate(unknown) if way >> bit & 1}
            answers = [filled.get(drug, answer) for drug, answer in own.select("drug", "refractory").iter_rows()]
            ways.append(counted(own["drug_class"].to_list(), answers))
        met += len(unknown) > 0
        for flag, column in status.items():
            possible = {way[flag] for way in ways}
            assert column[place] == (possible.pop() if len(possible) == 1 else None), (name, flag)
    assert met > 5


def counted(classes: list[str], answers: list[str]) -> dict[str, str]:
    """The flags of one patient of whom everything is known, counted on the fingers."""

    def many(kind: str, refractory: bool) -> int:
        return sum(one == kind and (answer == "yes" or not refractory) for one, answer in zip(classes, answers, strict=True))

    pi, imid, cd38 = (many(kind, True) for kind in ("PI", "IMiD", "CD38_antibody"))
    had = [many(kind, False) for kind in ("PI", "IMiD", "CD38_antibody")]
    told = {
        "double_class_refractory": pi >= 1 and imid >= 1,
        "triple_class_exposed": min(had) >= 1,
        "triple_class_refractory": min(pi, imid, cd38) >= 1,
        "quad_drug_refractory": min(pi, 2) + min(imid, 2) + min(cd38, 1) >= 4,
        "penta_drug_exposed": had[0] >= 2 and had[1] >= 2 and had[2] >= 1,
        "penta_drug_refractory": pi >= 2 and imid >= 2 and cd38 >= 1,
    }
    return {name: "yes" if told[name] else "no" for name in told}


def test_progression_on_the_drug_alone_finds_no_more_than_imwg() -> None:
    people = cohort(11, 150)
    chart, (response, lines) = to_chart(people), tables(people)
    wide, narrow = (found(chart, response, lines, refractory=policy)[0] for policy in ("imwg_2011", "on_therapy"))
    both = wide.join(narrow, on=["patient", "drug"], suffix="_narrow")
    assert not both.filter((pl.col("refractory_narrow") == "yes") & (pl.col("refractory") == "no")).height
    counts = [(table["refractory"] == "yes").sum() for table in (wide, narrow)]
    assert counts[0] > counts[1] > 0
