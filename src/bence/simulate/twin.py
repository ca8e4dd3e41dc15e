"""A twin: virtual siblings of one patient, weighted by how well they follow what was measured, and what they do next.

Siblings are people of the population that fits the patient's line of therapy. They start where the line started, with the patient's
measured proteins, and are given the drugs of the chart on the usual schedule. Each counts by the likelihood of its course. Where too few
follow the patient closely, the likelihood is tempered until `ENOUGH` do, and the twin says so; where even that says nothing, there is none.
A twin is synthetic and for generating hypotheses. It is never advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from ..assess import Findings, assess
from ..chart import Chart
from ..errors import UsageError
from .blood import CLONES, cells
from .dosing import WEEK
from .investigator import FLC_RISE, M_RISE, RISE
from .measurement import MARROW_CELLS, marrow_share
from .people import draw_people
from .products import give, product, products
from .regimens import Regimen, regimen
from .stretch import Doses, advance

Floats = NDArray[np.float64]

ENOUGH = 100  # siblings that must count, as an effective number
LEAST = 0.05  # the likelihood may be tempered to this power: below it no sibling resembles the patient
BASELINE_DAYS = 60  # before the line, in which a value is that of its start
MODEL_ERROR = 0.15  # log spread of a true course about the best sibling's, assumed
LEVELS = {"low": 0.05, "lower": 0.25, "middle": 0.5, "upper": 0.75, "high": 0.95}
NOISE = {"m_protein": (0.05, 0.3), "involved_flc": (0.10, 2.0)}  # relative and absolute error (g/L, mg/L) of a laboratory, assumed
MRD_ERROR = 0.5  # log spread of one aspirate about the marrow, assumed
ASSUMED = (
    ("drugs are given on their usual schedules and go on as they are", "药物按常规方案给予，并按现状继续"),
    ("earlier lines count only by their number", "既往治疗仅按线数计入"),
    ("the model was calibrated on trials, not on this patient's centre", "模型依据临床试验校准，未针对本中心"),
)


@dataclass(frozen=True)
class Twin:
    """The forecast for a patient from `at` on.

    `effective`: how many siblings count; `tempered`: the power the likelihood was taken to (1: not tempered). `measured` has the values
    used (`on`, `what`, `value`, `comparator`), `forecast` a row a week and quantity (m_protein in g/L, involved_flc in mg/L, mrd as a
    share of marrow cells) with the 5, 25, 50, 75 and 95 % points of what would be measured, `fitted` the days before `at` too.
    `progressed`: the share of siblings with a rise of 25 % and 5 g/L (100 mg/L of light chain) over their lowest by each week.
    """

    patient: str
    origin: date
    at: date
    drugs: tuple[str, ...]
    siblings: int
    effective: float
    tempered: float
    measured: pl.DataFrame
    forecast: pl.DataFrame
    progressed: pl.DataFrame


def twin(chart: Chart, patient: str, at: date | None = None, *, siblings: int = 5_000, weeks: int = 52, seed: int = 1) -> Twin:
    """Condition virtual siblings on a patient's current line of therapy and carry them `weeks` weeks on.

    UsageError if the patient is unknown, has no line of therapy with a drug of the model, or no value since it began; or if no sibling
    resembles the course.
    """
    findings = assess(chart.only(patient), at)
    own = findings.basis.known
    line = _line(findings, patient)
    given = own.treatments.filter(pl.col("what").is_in(list(products())), pl.col("started_on") >= line["started_on"])
    if at is not None:
        given = given.filter(pl.col("started_on") <= at)
    if given.is_empty():
        raise UsageError(
            f"the line that {patient} began on {line['started_on']} has no drug that the model knows", expected="a drug of products.csv"
        )
    origin = min(given["started_on"].to_list())
    measured = _measured(own, findings, patient, origin, at)
    since = measured.filter(pl.col("on") > origin)
    if since.is_empty():
        raise UsageError(f"{patient} has no M-protein, light chain or MRD since {origin}", expected="at least one value in the line")
    last = at or max(since["on"].to_list())
    people = draw_people(_population(line["line"]), siblings, seed)
    parameters = _as_patient(people.parameters.copy(), people.model, own.patients.row(0, named=True), measured, origin)
    drugs = tuple(given["what"].unique().sort())
    for drug in drugs:
        give(drug, people.model, parameters, people.parameters)
    horizon = (last - origin).days // WEEK + 1 + weeks
    told = _courses(
        people.model, parameters, _doses(given, drugs, origin, last, horizon * WEEK, float(np.median(people.table["weight"]))), horizon
    )
    weight, tempered = _weights(told, since, origin)
    return Twin(patient, origin, last, drugs, siblings, 1 / float((weight**2).sum()), tempered, measured,
                _quantiles(told, weight, origin, seed), _progressed(told, weight, origin))  # fmt: skip


def _line(findings: Findings, patient: str) -> dict[str, Any]:
    lines = findings.lines.filter(pl.col("started_on").is_not_null()).sort("started_on")
    if lines.is_empty():
        raise UsageError(f"{patient} has no line of therapy with a start", expected="a treatment with a date")
    return lines.row(-1, named=True)


def _population(line: int | None) -> str:
    earlier = (line or 1) - 1
    return "ndmm" if earlier == 0 else "rrmm_1_3_lines" if earlier <= 3 else "rrmm_triple_class_exposed"


def _measured(chart: Chart, findings: Findings, patient: str, origin: date, at: date | None) -> pl.DataFrame:
    """The values of the line and the last ones before it, by the names of the model."""
    involved = {"kappa": "kappa_flc", "lambda": "lambda_flc"}.get(chart.patients["light_chain"][0] or "", "")
    names = {"serum_m_protein": "m_protein", involved: "involved_flc"}
    blood = (
        chart.observations.filter(
            pl.col("what").is_in(list(names)), pl.col("value").is_not_null(), pl.col("status").fill_null("final") == "final"
        )
        .select("on", what=pl.col("what").replace(names), value="value", comparator="comparator", limit=pl.lit(None, pl.Float64))
        .unique(["on", "what"], keep="last")
    )
    mrd = findings.mrd.select(
        "on", what=pl.lit("mrd"), value=pl.col("level").cast(pl.Float64), comparator=pl.lit(None, pl.String),
        limit=pl.coalesce("detection_limit", 3 / pl.col("cells").cast(pl.Float64)),
    )  # fmt: skip
    both = pl.concat([blood.with_columns(pl.col("comparator").cast(pl.String)), mrd]).filter(
        pl.col("on") >= origin - timedelta(BASELINE_DAYS)
    )
    return (both if at is None else both.filter(pl.col("on") <= at)).sort("on", "what")


def _as_patient(parameters: Floats, model: Any, who: dict[str, Any], measured: pl.DataFrame, origin: date) -> Floats:
    """Siblings with the patient's isotype and the proteins measured when the line began."""
    row = model.parameter_index
    for name in ("igg", "iga"):
        if who["heavy_chain"] is not None:
            parameters[row[name]] = float(who["heavy_chain"] == name)
    if who["heavy_chain"] == "none":
        parameters[row["m_per_cell"]] = 0.0
    begun = measured.filter(pl.col("on") <= origin + timedelta(3), pl.col("comparator").is_null() | (pl.col("comparator") == ""))
    start = model.start(parameters)
    for name, rate, basis in (("m_protein", "m_per_cell", 0.0), ("involved_flc", "flc_per_cell", None)):
        value = begun.filter(pl.col("what") == name)["value"]
        if not len(value):
            continue
        floor = parameters[row["flc_normal"]] if basis is None else 0.0
        made = np.maximum(start[model.state_index[name]] - floor, 1e-9)
        parameters[row[rate]] *= np.maximum(value[-1] - floor, 0) / made
    return parameters


def _doses(given: pl.DataFrame, drugs: tuple[str, ...], origin: date, last: date, days: int, weight: float) -> Doses:
    """Every drug on its usual schedule, on the days the chart says it was given; what goes on goes on to the end."""
    known: Regimen = regimen(" + ".join(drugs))
    dosed = tuple(dict.fromkeys(product(drug).state for drug in drugs))
    amounts = np.zeros((1, days, len(dosed)))
    for drug, started, stopped in given.select("what", "started_on", "stopped_on").iter_rows():
        begin = (started - origin).days
        end = days if stopped is None or stopped >= last else (stopped - origin).days + 1
        stage = known.drugs[drug][0]
        usual = stage.amounts(days) * (weight if stage.per_kg else 1)
        amounts[0, begin:end, dosed.index(product(drug).state)] += usual[: end - begin]
    return Doses(amounts, dosed)


def _courses(model: Any, parameters: Floats, doses: Doses, weeks: int) -> dict[str, Floats]:
    """The truth of every sibling at the start and after every week: [week, sibling]."""
    n = parameters.shape[1]
    keep = ("m_protein", "involved_flc", *CLONES)
    start, zero = model.start(parameters), np.zeros(n, np.int32)
    _, values, _ = advance(model, doses, start, parameters, zero, zero, 0, weeks * WEEK, WEEK, keep=keep)
    whole = np.concatenate([start[[model.state_index[name] for name in keep]][None], values])
    told = {name: whole[:, place] for place, name in enumerate(keep)}
    return {"m_protein": told["m_protein"], "involved_flc": told["involved_flc"], "mrd": marrow_share(cells(told))}


def _at(told: Floats, day: int) -> Floats:
    """Between two weeks, linear in time."""
    week, part = divmod(day, WEEK)
    upper = min(week + 1, len(told) - 1)
    return told[week] + (told[upper] - told[week]) * part / WEEK


def _log_likelihood(told: dict[str, Floats], measured: pl.DataFrame, origin: date) -> Floats:
    found = np.zeros(next(iter(told.values())).shape[1])
    for on, what, value, comparator, limit in measured.select("on", "what", "value", "comparator", "limit").iter_rows():
        truth = _at(told[what], (on - origin).days)
        if what == "mrd":
            found += _of_mrd(truth, value, limit)
            continue
        relative, absolute = NOISE[what]
        spread = np.hypot(np.hypot(relative, MODEL_ERROR) * truth, absolute)
        found += norm.logcdf(value, truth, spread) if comparator == "<" else norm.logpdf(value, truth, spread)
    return found


def _of_mrd(truth: Floats, value: float | None, limit: float | None) -> Floats:
    """A negative sample: no cell among as many as its limit tells of (three in that many would be seen); a level: log-normal."""
    if value is None or value <= 0:
        return np.zeros_like(truth) if not limit else -truth * 3 / limit
    return norm.logpdf(np.log(value), np.log(np.maximum(truth, 1 / MARROW_CELLS)), MRD_ERROR)


def _weights(told: dict[str, Floats], measured: pl.DataFrame, origin: date) -> tuple[Floats, float]:
    """The weight of every sibling, and the power of the likelihood at which enough of them count."""
    likelihood = _log_likelihood(told, measured, origin)
    likelihood = np.where(np.isfinite(likelihood), likelihood, -np.inf)

    def of(power: float) -> Floats:
        weight = np.exp(power * (likelihood - likelihood.max()))
        return weight / weight.sum()

    def short(power: float) -> float:
        return 1 / float((of(power) ** 2).sum()) - ENOUGH

    if not np.isfinite(likelihood.max()) or short(LEAST) < 0:
        raise UsageError("no virtual sibling resembles this course", expected="a course within what the model can do; there is no forecast")
    power = 1.0 if short(1.0) >= 0 else float(brentq(short, LEAST, 1.0, xtol=1e-3))  # pyright: ignore[reportArgumentType]
    return of(power), power


def _quantiles(told: dict[str, Floats], weight: Floats, origin: date, seed: int) -> pl.DataFrame:
    """Weighted points of what would be measured, laboratory and model error included."""
    rng = np.random.default_rng(seed)
    rows = []
    for what, truth in told.items():
        if what == "mrd":
            seen = truth * np.exp(MRD_ERROR * rng.standard_normal(truth.shape))
        else:
            relative, absolute = NOISE[what]
            level = 1 + np.hypot(relative, MODEL_ERROR) * rng.standard_normal(truth.shape)
            seen = np.maximum(truth * level + absolute * rng.standard_normal(truth.shape), 0)
        order = np.argsort(seen, axis=1)
        share = np.cumsum(weight[order], axis=1)
        for week in range(len(truth)):
            points = seen[week, order[week, np.minimum(np.searchsorted(share[week], list(LEVELS.values())), len(weight) - 1)]]
            rows.append((origin + timedelta(WEEK * week), what, *points.tolist()))
    return pl.DataFrame(rows, schema=["on", "what", *LEVELS], orient="row")


def _progressed(told: dict[str, Floats], weight: Floats, origin: date) -> pl.DataFrame:
    rise = np.zeros(told["m_protein"].shape, bool)
    for what, least in (("m_protein", M_RISE), ("involved_flc", FLC_RISE)):
        lowest = np.minimum.accumulate(told[what], axis=0)
        rise |= (told[what] >= RISE * lowest) & (told[what] - lowest >= least)
    share = np.maximum.accumulate(rise, axis=0) @ weight
    return pl.DataFrame({"on": [origin + timedelta(WEEK * week) for week in range(len(share))], "share": share})


def later_values(twin: Twin, chart: Chart) -> pl.DataFrame:
    """What the chart holds of the patient after the day of the twin, in the columns of `Twin.measured`; the twin did not use it."""
    own = chart.only(twin.patient)
    return _measured(own, assess(own), twin.patient, twin.origin, None).filter(pl.col("on") > twin.at)
