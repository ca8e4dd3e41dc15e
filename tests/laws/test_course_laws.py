"""The laws of the whole course: nobody else matters, nor the order of rows, nor the future; what is missing settles nothing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from bence.assess.course import due_table, scores_table
from bence.assess.course.questionnaires import ITEMS
from bence.assess.policies import settle
from bence.chart import SCHEMA, Chart, visible

START = date(2023, 1, 1)
DRUGS = ("bortezomib", "lenalidomide", "dexamethasone", "teclistamab", "cilta_cel", "autologous_transplant", "doxorubicin")
BESIDE = (
    "aciclovir",
    "cotrimoxazole",
    "immunoglobulin",
    "zoledronic_acid",
    "denosumab",
    "apixaban",
    "aspirin",
    "epoetin",
    "entecavir",
    "dialysis",
)
EVENTS = (
    "influenza_vaccination",
    "zoster_vaccination",
    "vaccination",
    "prior_vte",
    "central_venous_catheter",
    "major_surgery",
    "infection",
    "fracture",
    "dental_check",
    "live_vaccination",
)
NUMBERS = ("egfr", "creatinine", "igg", "cd4", "weight", "height", "serum_m_protein", "mrd")
WORDS = ("hepatitis_b_surface_antigen", "hepatitis_b_core_antibody", "hiv")


def pick(generator: np.random.Generator, choices: tuple[Any, ...]) -> Any:
    return choices[int(generator.integers(len(choices)))]


def dated(generator: np.random.Generator, patient: str, on: str) -> dict[str, Any]:
    day = START + timedelta(days=int(generator.integers(0, 40)) * 20)
    return {"patient": patient, on: day, "recorded_on": day + timedelta(days=pick(generator, (0, 0, 15)))}


def courses(generator: np.random.Generator, patient: str) -> list[dict[str, Any]]:
    rows = []
    for what in (*(pick(generator, DRUGS) for _ in range(4)), *(pick(generator, BESIDE) for _ in range(5))):
        row = dated(generator, patient, "started_on")
        days = pick(generator, (None, 0, 60, 300))
        stopped = None if days is None else row["started_on"] + timedelta(days=days)
        rows.append(
            {**row, "what": what, "stopped_on": stopped, "dose": 40.0, "dose_unit": "mg", "phase": pick(generator, (None, "maintenance"))}
        )
    return rows


def happenings(generator: np.random.Generator, patient: str) -> list[dict[str, Any]]:
    texts = (None, "none", "流感疫苗", "left hip")
    return [
        {
            **dated(generator, patient, "on"),
            "what": pick(generator, EVENTS),
            "text": pick(generator, texts),
            "grade": pick(generator, (None, 3, 4)),
        }
        for _ in range(8)
    ]


def findings(generator: np.random.Generator, patient: str) -> list[dict[str, Any]]:
    rows = [
        {
            **dated(generator, patient, "on"),
            "what": what,
            "value": float(generator.integers(1, 90)),
            "comparator": pick(generator, (None, None, None, "<", ">")),
        }
        for what in NUMBERS
        for _ in range(3)
    ]
    rows += [
        {**dated(generator, patient, "on"), "what": what, "text": pick(generator, ("negative", "positive"))}
        for what in WORDS
        if generator.random() < 0.6
    ]
    for _ in range(2):
        sheet = dated(generator, patient, "on")
        rows += [{**sheet, "what": item, "value": float(generator.integers(1, 5))} for item in ITEMS if generator.random() < 0.8]
    return rows


@cache
def cohort(seed: int = 0, size: int = 24) -> tuple[Chart, pl.DataFrame, pl.DataFrame]:
    generator = np.random.default_rng(seed)
    ids = [f"P{place:02}" for place in range(size)]
    made = {"observations": findings, "treatments": courses, "events": happenings}
    frames = {
        table: pl.DataFrame([row for name in ids for row in rows(generator, name)], schema_overrides=SCHEMA[table])
        for table, rows in made.items()
    }
    people = {
        "patient": ids,
        "sex": [pick(generator, ("male", "female", None)) for _ in ids],
        "born_on": [pick(generator, ("1943", "1950-06-01", None)) for _ in ids],
        "heavy_chain": [pick(generator, ("igg", "iga", None)) for _ in ids],
    }
    visits = [
        (name, 1, START + timedelta(days=90 * visit), pick(generator, ("CR", "VGPR", "PR")), None, None)
        for name in ids
        for visit in range(9)
    ]
    schema = {"patient": pl.String, "line": pl.Int32, "on": pl.Date, "confirmed": pl.String, "progression": pl.String, "missing": pl.String}
    lines = pl.DataFrame({"patient": ids, "line": [1] * size, "started_on": [START] * size}, schema_overrides={"line": pl.Int32})
    return Chart(pl.DataFrame(people), **frames), lines, pl.DataFrame(visits, schema=schema, orient="row")


def both(
    chart: Chart, lines: pl.DataFrame, response: pl.DataFrame, at: date | None = None, **policies: Any
) -> tuple[pl.DataFrame, pl.DataFrame]:
    return due_table(chart, lines, response, settle(policies), at), scores_table(chart, settle(policies), at)


LATE = START + timedelta(days=900)


def test_the_order_of_rows_does_not_matter() -> None:
    chart, lines, response = cohort()
    mixed = Chart(
        *(
            chart.scan(table).collect().sample(fraction=1, shuffle=True, seed=1)
            for table in ("patients", "observations", "treatments", "events")
        )
    )
    other = both(mixed, lines, response.sample(fraction=1, shuffle=True, seed=1), LATE)
    for one, two in zip(both(chart, lines, response, LATE), other, strict=True):
        assert_frame_equal(one, two)


def test_other_patients_do_not_matter() -> None:
    """Some alone, and everybody among fewer."""
    chart, lines, response = cohort()
    whole, ids = both(chart, lines, response, LATE), chart.patients["patient"].to_list()
    for some in (*([name] for name in ids[::6]), ids[::2], ids[1::2]):
        own = pl.col("patient").is_in(some)
        fewer = Chart(*(getattr(chart, table).filter(own) for table in ("patients", "observations", "treatments", "events")))
        for one, two in zip(both(fewer, lines.filter(own), response.filter(own), LATE), whole, strict=True):
            assert_frame_equal(one, two.filter(own))


def test_what_comes_later_does_not_matter() -> None:
    chart, lines, response = cohort()
    for days in (150, 400, 700):
        at = START + timedelta(days=days)
        early = response.filter(pl.col("on") <= at)
        for one, two in zip(both(chart, lines, early, at), both(visible(chart, at), lines, early, at), strict=True):
            assert_frame_equal(one, two)


def test_without_records_nothing_is_done_and_nothing_called_missing() -> None:
    chart, lines, _ = cohort()
    given = chart.treatments.filter(pl.col("what").is_in(DRUGS))
    due, scores = both(Chart(chart.patients, None, given), lines, pl.DataFrame(schema=response_schema()), LATE)
    allowed = ("unknown", "not_due")
    assert set(due["state"]) <= set(allowed), due.filter(~pl.col("state").is_in(allowed))
    assert (
        scores.filter(pl.col("instrument") == "impede_vte")["value"].null_count()
        == scores.filter(pl.col("instrument") == "impede_vte").height
    )


def response_schema() -> dict[str, Any]:
    return {"patient": pl.String, "line": pl.Int32, "on": pl.Date, "confirmed": pl.String, "progression": pl.String, "missing": pl.String}


def test_an_answer_left_out_can_only_widen_a_scale() -> None:
    chart, *_ = cohort()
    answers = chart.observations.filter(pl.col("what").is_in(list(ITEMS)))
    answers = answers.unique(["patient", "on", "what"], keep="first", maintain_order=True)
    fewer = answers.sample(fraction=0.8, seed=1)
    key = ["patient", "on", "instrument", "scale"]
    whole, less = (scores_table(Chart(chart.patients, rows), settle({}), LATE) for rows in (answers, fewer))
    pairs = less.join(whole, on=key, suffix="_whole")
    assert pairs.height
    assert pairs.filter((pl.col("low") > pl.col("low_whole") + 1e-9) | (pl.col("high") < pl.col("high_whole") - 1e-9)).is_empty()
    inside = whole.filter(pl.col("value").is_not_null())
    assert inside.filter((pl.col("value") < pl.col("low") - 1e-9) | (pl.col("value") > pl.col("high") + 1e-9)).is_empty()


def test_a_record_left_out_can_only_widen_a_thrombosis_score() -> None:
    chart, *_ = cohort()
    measured = chart.observations.filter(~pl.col("what").is_in(["weight", "height"]))
    whole, less = (
        scores_table(each, settle({}), LATE).filter(pl.col("instrument").is_in(["impede_vte", "saved"]))
        for each in (chart, Chart(chart.patients.with_columns(born_on=pl.lit(None, pl.String)), measured, chart.treatments, None))
    )
    pairs = less.join(whole, on=["patient", "instrument"], suffix="_whole")
    assert pairs.height
    assert pairs.filter((pl.col("low") > pl.col("low_whole")) | (pl.col("high") < pl.col("high_whole"))).is_empty()
