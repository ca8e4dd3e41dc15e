"""What a patient has been given, and what the myeloma is refractory to, as of the day of the assessment.

`exposure_table` gives one row a patient and drug, `exposure_status` the columns of `status`. Rules in words: docs/rules/endpoints.md.
Source: Rajkumar SV et al., Blood 2011;117:4691-5, doi:10.1182/blood-2010-10-299487.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import codes_of
from ..chart import Chart
from .courses import BECAUSE, MISSING, NO, NO_DRUG, UNKNOWN, UNNAMED, YES, Courses, courses, joined, placed
from .intake import NEVER, dates, named
from .response import bit_names

COLUMNS = (
    "patient", "drug", "drug_class", "target", "format", "first_on", "last_on", "lines", "rows", "maintenance_dose", "responded",
    "refractory", "refractory_on", "refractory_line", "refractory_last", "latest", "because", "missing",
)  # fmt: skip
FORMATS = {
    "CD38_antibody": "antibody", "SLAMF7_antibody": "antibody", "ADC": "ADC", "bispecific": "bispecific", "CAR_T": "CAR_T",
} | dict.fromkeys(
    ("PI", "IMiD", "CELMoD", "alkylator", "anthracycline", "steroid", "BCL2", "XPO1", "HDAC"), "small_molecule"
)  # fmt: skip
IMMUNE = ("antibody", "ADC", "bispecific", "CAR_T")  # formats whose target is on the cell: worth a column of its own
ANSWERS = ("no", "yes")
COUNTED = ("PI", "IMiD", "CD38_antibody")
NEEDED = {  # how many drugs of each class of COUNTED
    "double_class": (1, 1, 0),
    "triple_class": (1, 1, 1),
    "penta_drug": (2, 2, 1),
}
BY_DRUG = {
    "place": pl.Int64, "drug": pl.Int64, "rows": pl.Int64, "first_on": pl.Date, "last_on": pl.Date, "lines": pl.String,
    "refractory_on": pl.Date, "refractory_line": pl.Int32, "latest": pl.Boolean, "because": pl.String, "missing": pl.String,
    **dict.fromkeys(("responded", "refractory", "refractory_last", "maintenance_dose"), pl.Enum(ANSWERS)),
}  # fmt: skip
QUAD = 4  # of the five of the penta-drug definition


def exposure_table(
    chart: Chart,
    rows: pl.DataFrame,
    lines: pl.DataFrame,
    response: pl.DataFrame,
    policies: Mapping[str, Any],
    *,
    told: Courses | None = None,
) -> pl.DataFrame:
    """One row a patient and drug, sorted by both.

    `rows`, `lines`, `response` of the same chart (`response.respond`). `rows`: treatment rows of the drug; `last_on` is null while
    it is given or where no stop is recorded; `lines` like `1|3`; `maintenance_dose`: refractory to lenalidomide of 10 mg a day or
    less as maintenance, and not to more; `responded`: minimal response or better on it; `refractory_line`: the first such line;
    `refractory_last`: refractory in the last line with it; `latest`: given in the patient's last line. Bridging and
    lymphodepletion count as exposure; they tell something of refractoriness only where they were stopped for progression.
    `because` and `missing` are names of `courses`. `told`: the courses, where they are worked out already.
    """
    ids = chart.patients["patient"].sort()
    told = told or courses(chart, rows, lines, response, policies)
    order = np.lexsort((told.line, told.start, told.drug, told.place))
    told = Courses(**{name: getattr(told, name)[order] for name in Courses.__dataclass_fields__})
    return _described(_by_drug(told, lines, ids), ids)


def _by_drug(told: Courses, lines: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The courses of every patient and drug taken together. `told` by patient, drug and start."""
    key = told.place * 4096 + told.drug
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: key.size])
    if not first.size:
        return pl.DataFrame(schema=BY_DRUG)
    fold = lambda ufunc, values: ufunc.reduceat(values, first)  # noqa: E731
    aside, yes = told.aside, told.refractory == YES
    answer = {name: _any(fold, getattr(told, name), aside) for name in ("responded", "refractory")}
    at = np.arange(key.size)
    last = fold(np.maximum, np.where(aside, -1, at))
    at_yes = fold(np.minimum, np.where(yes & (told.line > 0), at, key.size))
    newest = np.full(len(ids), -1)
    newest_rows = lines.sort("started_on").group_by("patient", maintain_order=True).agg(pl.col("line").last())
    newest[placed(newest_rows, ids)] = newest_rows["line"].to_numpy()
    reason = 1 << fold(np.minimum, np.where(aside | (told.because < 0), len(BECAUSE) - 1, told.because))
    reasons = fold(np.bitwise_or, np.where(yes, 1 << np.maximum(told.because, 0), 0))
    low = [fold(np.logical_or, yes & (told.low == one)) for one in (NO, UNKNOWN)]
    return pl.DataFrame({
        "place": told.place[first], "drug": told.drug[first], "rows": fold(np.add, told.rows),
        "first_on": dates(fold(np.minimum, told.start)), "last_on": dates(fold(np.maximum, told.last)),
        "lines": _lines(told, first), "refractory_on": dates(fold(np.minimum, np.where(yes, told.day, NEVER))),
        "responded": named(answer["responded"], ANSWERS), "refractory": named(answer["refractory"], ANSWERS),
        "refractory_line": pl.Series(np.append(told.line, 0)[at_yes], dtype=pl.Int32),
        "refractory_last": named(np.where(last < 0, UNKNOWN, told.refractory[last]), ANSWERS),
        "latest": fold(np.logical_or, (told.line == newest[told.place]) & ~aside),
        "because": bit_names(np.select([answer["refractory"] == YES, answer["refractory"] == NO], [reasons, reason], 0), BECAUSE),
        "missing": bit_names(np.where(answer["refractory"] == UNKNOWN, fold(np.bitwise_or, told.missing), 0), MISSING),
        "maintenance_dose": named(np.select([answer["refractory"] != YES, low[0], low[1]], [-1, 0, -1], 1), ANSWERS),
    }).with_columns(refractory_line=pl.when(pl.col("refractory_line") > 0).then("refractory_line"))  # fmt: skip


def _any(fold: Any, answer: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Yes if any answer is, no if all are and there is one, else unknown; those aside do not count."""
    yes = fold(np.logical_or, (answer == YES) & ~aside)
    no = fold(np.logical_or, ~aside) & ~fold(np.logical_or, (answer == UNKNOWN) & ~aside)
    return np.select([yes, no], [YES, NO], UNKNOWN)


def _lines(told: Courses, first: np.ndarray) -> pl.Series:
    """The lines of every patient and drug, like `1|3`."""
    counts = np.diff(np.append(first, told.line.size))
    words = pl.Series(told.line[first]).cast(pl.String)
    group = np.repeat(np.arange(first.size), counts)
    many = counts[group] > 1
    listed = pl.DataFrame({"group": group[many], "line": told.line[many]}).filter(pl.col("line") > 0)
    joined = listed.group_by("group", maintain_order=True).agg(pl.col("line").cast(pl.String).str.join("|"))
    whole = pl.DataFrame({"group": np.arange(first.size), "one": words}).join(joined, on="group", how="left", maintain_order="left")
    return whole.select(pl.coalesce("line", pl.when(pl.col("one") != "0").then("one"))).to_series()


def _described(table: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The table with what the catalogue says of the drugs, in its columns."""
    drugs = codes_of("drug", "procedure")
    told = {
        "drug": list(drugs),
        "drug_class": [code.drug_class for code in drugs.values()],
        "target": ["|".join(code.target) or None for code in drugs.values()],
        "format": [FORMATS.get(code.drug_class) for code in drugs.values()],
    }
    words = pl.DataFrame(told, schema=dict.fromkeys(told, pl.String)).select(pl.all().gather(table["drug"]))
    return words.with_columns(table.drop("drug")).with_columns(
        pl.col("because", "missing").cast(pl.String),
        patient=ids.gather(table["place"]),
        maintenance_dose=pl.when(pl.col("drug") == "lenalidomide").then("maintenance_dose")
    ).sort("place", "drug").select(COLUMNS)  # fmt: skip


def exposure_status(table: pl.DataFrame, ids: pl.Series, policies: Mapping[str, Any]) -> dict[str, pl.Series]:
    """Columns of `status` over the patients `ids`: lists joined by `|` (`none`: certainly none), and answers yes, no, null.

    `table`: of `exposure_table`. Without any drug everything is unknown.
    """
    kind = pl.Enum(ids)
    known = table.with_columns(
        place=pl.col("patient").cast(pl.String).cast(kind).to_physical().cast(pl.Int64),
        first=pl.col("lines").str.splitn("|", 2).struct.field("field_0").cast(pl.Int64),
    )
    drugs = known.filter(~pl.col("drug_class").is_in(NO_DRUG))
    n = len(ids)
    there = np.zeros(n, bool)
    there[known["place"].to_numpy()] = True
    columns: dict[str, pl.Series] = {}
    for name, answer in (("exposed", pl.lit("yes")), ("refractory", pl.col("refractory"))):
        told = drugs.select("place", "drug", "drug_class", "target", "format", answer=answer)
        columns |= _lists(told, name, there, n)
        columns |= _counts(told, name, there, _unseen(known, told, n), n)
    columns |= _course(known, there, n)
    columns["refractory_definition"] = pl.Series([str(policies["refractory"])]).new_from_index(0, n)
    return {name: columns[name] for name in STATUS}


STATUS = (
    "exposed_to", "refractory_to", "refractory_unknown", "exposed_classes", "refractory_classes", "exposed_targets",
    "refractory_targets", "double_class_refractory", "triple_class_exposed", "triple_class_refractory", "quad_drug_refractory",
    "penta_drug_exposed", "penta_drug_refractory", "primary_refractory", "relapsed_refractory", "refractory_definition",
)  # fmt: skip


def _lists(told: pl.DataFrame, name: str, there: np.ndarray, n: int) -> dict[str, pl.Series]:
    """Drugs, classes and targets with their format. `none` where nothing of the kind can have been."""
    immune = told.filter(pl.col("format").is_in(IMMUNE)).with_columns(target=pl.col("target").fill_null("unknown").str.split("|"))
    targets = immune.explode("target").with_columns(word=pl.col("target") + ":" + pl.col("format"))
    words = {
        f"{name}_to": told.with_columns(word="drug"),
        f"{name}_classes": told.with_columns(word="drug_class"),
        f"{name}_targets": targets,
    }
    columns = {column: _words(rows, "yes", there, n) for column, rows in words.items()}
    if name == "refractory":
        columns["refractory_unknown"] = _words(words["refractory_to"], None, there, n)
    return columns


def _words(rows: pl.DataFrame, wanted: str | None, there: np.ndarray, n: int) -> pl.Series:
    """The words of the rows with this answer; `none` for a patient who has no such row and no open one."""
    open_ = np.zeros(n, bool)
    open_[rows.filter(pl.col("answer").is_null())["place"].to_numpy()] = True
    mine = rows.filter(pl.col("answer").cast(pl.String).eq_missing(wanted))
    words = mine["word"].unique().sort().to_list()
    places = mine["word"].cast(pl.Enum(words)).to_physical().cast(pl.Int64).to_numpy() if words else np.zeros(0, np.int64)
    found = joined(mine["place"].to_numpy(), places, n, words)
    return pl.select(pl.coalesce(found, pl.when(pl.Series(there & ~open_)).then(pl.lit("none")))).to_series()


def _unseen(known: pl.DataFrame, told: pl.DataFrame, n: int) -> np.ndarray:
    """How many drugs of unknown name there may be: blinded ones, and any number where the first line is not in the chart."""
    blinded = known.join(told.filter(pl.col("answer").ne_missing("no")).select("place", "drug"), on=["place", "drug"], how="semi")
    blinded = blinded.filter(pl.col("drug") == UNNAMED)
    count = np.bincount(blinded["place"].to_numpy(), blinded["rows"].to_numpy(), n).astype(float)
    first = known.group_by("place").agg(pl.col("first").min())
    count[first.filter(pl.col("first") > 1)["place"].to_numpy()] = np.inf
    return count


def _counts(told: pl.DataFrame, name: str, there: np.ndarray, unseen: np.ndarray, n: int) -> dict[str, pl.Series]:
    """Double-, triple-class, quad- and penta-drug: yes where the drugs that are sure suffice, no where all possible ones do not."""
    sure, most = (
        np.stack([np.bincount(rows.filter(pl.col("drug_class") == one)["place"].to_numpy(), minlength=n) for one in COUNTED])
        for rows in (told.filter(pl.col("answer") == "yes"), told.filter(pl.col("answer").ne_missing("no")))
    )
    columns = {}
    for word, needed in NEEDED.items():
        wanted = np.array(needed)[:, None]
        lacking = np.maximum(wanted - most, 0).sum(0)
        columns[f"{word}_{name}"] = _answer(np.asarray((sure >= wanted).all(0)), lacking > unseen, there)
    five = np.array(NEEDED["penta_drug"])[:, None]
    few = np.minimum(most, five).sum(0) + unseen < QUAD
    columns[f"quad_drug_{name}"] = _answer(np.minimum(sure, five).sum(0) >= QUAD, few, there)
    return columns


def _course(known: pl.DataFrame, there: np.ndarray, n: int) -> dict[str, pl.Series]:
    """Primary refractory: never a minimal response. Relapsed and refractory: a response once, and refractory in the last line."""
    responded = known.group_by("place").agg(answer=_all(pl.col("responded")), late=(pl.col("first").min() > 1).fill_null(False))
    last = known.filter(pl.col("latest") & ~pl.col("drug_class").is_in(NO_DRUG)).group_by("place").agg(now=_all(pl.col("refractory_last")))
    told = pl.DataFrame({"place": np.arange(n)}).join(responded, on="place", how="left", maintain_order="left")
    told = told.join(last, on="place", how="left", maintain_order="left")
    ever, never = told["answer"].eq_missing("yes").to_numpy(), told["answer"].eq_missing("no").to_numpy()
    never = never & ~told["late"].fill_null(False).to_numpy()
    now, not_now = told["now"].eq_missing("yes").to_numpy(), told["now"].eq_missing("no").to_numpy()
    return {
        "primary_refractory": _answer(never, ever, there),
        "relapsed_refractory": _answer(ever & now, never | not_now, there),
    }


def _all(answer: pl.Expr) -> pl.Expr:
    """Yes if any is, no if all of them are, else null."""
    return pl.when((answer == "yes").any()).then(pl.lit("yes")).when(answer.is_null().any()).then(None).otherwise(pl.lit("no"))


def _answer(yes: np.ndarray, no: np.ndarray, there: np.ndarray) -> pl.Series:
    return named(np.select([~there, yes, no], [-1, 1, 0], -1), ANSWERS)


__all__ = ["exposure_status", "exposure_table"]
