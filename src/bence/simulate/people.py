"""Virtual people: what a clinician knows of them, and the parameters of the model that make each one different.

Synthetic, all of them. A person is a number of a seed: the same in every cohort, whatever its size, and in every strategy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from .draws import normal
from .earlier import drugs_before
from .marginals import Array, Marginal
from .measurement import MARROW_CELLS
from .model import Model, Parameter, read_model
from .populations import Population, b2m, correlations, read_population
from .products import products

HEAVY = {"igg": "igg", "iga": "iga", "igd": "igd", "light_chain": "none", "non_secretory": "none"}
CLONES = ("share_bcma_low", "share_gprc5d_loss", "share_double_loss", "share_resistant")
TRANSLOCATIONS = ("t_4_14", "t_14_16", "t_11_14")
SMOULDERING_RATIO = 95  # of free light chains: below the 100 that defines active myeloma
REFRACTORY = {"refractory_to_pi": "pi", "refractory_to_imid": "imid", "refractory_to_cd38": "cd38_central"}  # the state of each class
WHOLE = ("lytic_lesions", "gain_1q", "ecog", "prior_lines")  # categories that are numbers


@dataclass(frozen=True)
class People:
    """People of one population and seed, in the order of their numbers.

    `parameters` is [parameter, person] in the order of the model; `table` has a row a person, in the units of a chart
    (marrow plasma cells are a share, extramedullary disease and the like yes or no).
    """

    population: Population
    seed: int
    table: pl.DataFrame
    parameters: NDArray[np.float64]
    model: Model

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers that address the draws of each person."""
        return self.table["number"].to_numpy()

    def __len__(self) -> int:
        return self.table.height


def draw_people(population: str, n: int, seed: int, *, first: int = 0, model: Model | None = None) -> People:
    """Draw `n` people of a population, from number `first` on. UsageError if there is no such population.

    >>> one, many = draw_people("ndmm", 1, 7, first=5), draw_people("ndmm", 9, 7)
    >>> one.table.row(0) == many.table.row(5)
    True
    """
    who, made = read_population(population), model or read_model()
    score = _Scores(seed, np.arange(first, first + n), who)
    table = _table(who, score, seed)
    return People(who, seed, table, _parameters(made, table, score), made)


class _Scores:
    """Normal scores of one cohort by name, correlated where the table of correlations says so."""

    def __init__(self, seed: int, numbers: NDArray[np.int64], who: Population) -> None:
        self.seed, self.numbers, self.who = seed, numbers, who
        names, lower = correlations()
        own = np.array([self.alone(name) for name in names])
        self._correlated = dict(zip(names, lower @ own, strict=True))

    def alone(self, name: str) -> Array:
        return normal(self.seed, f"people.{name}", self.numbers, 0)

    def __getitem__(self, name: str) -> Array:
        return self._correlated[name] if name in self._correlated else self.alone(name)

    def drawn(self, name: str) -> Array:
        """The values of a row of the target table."""
        return self.who.targets[name].of(ndtr(self[name]))

    def category(self, name: str) -> NDArray[np.str_]:
        return np.array(self.who.targets[name].categories)[self.drawn(name).astype(int)]


def _table(who: Population, score: _Scores, seed: int) -> pl.DataFrame:
    targets, numbers = who.targets, score.numbers
    plain = {
        name: _typed(name, target, score) for name, target in targets.items() if name not in ("iss", "isotype", "translocation", "kappa")
    }
    isotype, translocation = score.category("isotype"), score.category("translocation")
    plain["b2m"] = b2m(score["b2m"], targets["iss"], targets["albumin"])
    table = pl.DataFrame({"number": numbers, **plain, "isotype": isotype, "setting": np.full(len(numbers), who.setting)}).with_columns(
        patient=pl.format("V{}{}", pl.lit(who.code), pl.col("number").cast(pl.String).str.zfill(6)),
        sex=pl.when("female").then(pl.lit("female")).otherwise(pl.lit("male")),
        heavy_chain=pl.col("isotype").replace_strict(HEAVY),
        light_chain=pl.when(pl.col("isotype") == "non_secretory").then(pl.lit("none"))
        .otherwise(pl.when(pl.Series(score.drawn("kappa") > 0)).then(pl.lit("kappa")).otherwise(pl.lit("lambda"))),
        iss=pl.when(pl.col("b2m") >= 5.5).then(pl.lit("III")).when((pl.col("b2m") < 3.5) & (pl.col("albumin") >= 35))
        .then(pl.lit("I")).otherwise(pl.lit("II")),
        **{name: pl.Series(translocation == name) for name in TRANSLOCATIONS},
    )  # fmt: skip
    table = table.with_columns(**_proteins(who), high_risk=pl.col("del_17p") | pl.col("t_4_14") | pl.col("t_14_16"))
    table = table.with_columns(mri_focal_lesions=_focal_lesions(who))
    before = drugs_before(table, who.earlier, seed)
    table = table.drop("female", "involved_flc_light_chain").with_columns(before["prior_drugs"], before["refractory_drugs"])
    return table.select("patient", "number", "sex", pl.exclude("patient", "number", "sex"))


def _typed(name: str, target: Marginal, score: _Scores) -> Array | NDArray[np.bool_] | NDArray[np.int64]:
    if target.kind == "flag":
        return score.drawn(name) > 0
    return score.category(name).astype(int) if name in WHOLE else score.drawn(name)


def _proteins(who: Population) -> Mapping[str, pl.Expr]:
    """What the blood holds by isotype: M-protein only with a heavy chain, light chains but in non-secretory myeloma."""
    heavy, silent = pl.col("heavy_chain") != "none", pl.col("isotype") == "non_secretory"
    involved = pl.when(silent).then(pl.col("uninvolved_flc") * 1.2).when(heavy).then("involved_flc").otherwise("involved_flc_light_chain")
    if who.setting == "SMM":
        involved = pl.min_horizontal(involved, SMOULDERING_RATIO * pl.col("uninvolved_flc"))
    return {"m_protein": pl.when(heavy).then("m_protein").otherwise(0.0), "involved_flc": involved}


def _focal_lesions(who: Population) -> pl.Expr:
    """Focal lesions on MRI: none in smouldering myeloma, two where nothing else plainly made it myeloma; else not looked for (null)."""
    if who.setting == "SMM":
        return pl.lit(0)
    plain = (
        (pl.col("lytic_lesions") > 0) | (pl.col("hemoglobin") < 98) | (pl.col("creatinine") > 190) | (pl.col("calcium") > 2.8)
        | (pl.col("marrow_plasma_cells") > 0.65)
    )  # fmt: skip
    return pl.when(~plain).then(2)


def _parameters(model: Model, table: pl.DataFrame, score: _Scores) -> NDArray[np.float64]:
    drawn = {p.name: _spread(p, table.height, score) for p in model.parameters}
    for name, factor in _effects(model, table):
        drawn[name] = _shifted(drawn[name], factor) if _is_share(name) else drawn[name] * factor
    weights = [drawn[name] / (1 - drawn[name]) for name in CLONES]  # against the sensitive clone, so that it is always there
    for name, weight in zip(CLONES, weights, strict=True):
        drawn[name] = weight / (1 + sum(weights))
    return np.array(list((drawn | _own(drawn, table, score)).values()))


def _is_share(name: str) -> bool:
    """Is the parameter a share of cells or people, whose odds vary?"""
    return name in CLONES or name == "t_resistant_share"


def _spread(parameter: Parameter, people: int, score: _Scores) -> Array:
    typical = np.full(people, parameter.value)
    if parameter.log_sd is None:
        return typical
    factor = np.exp(parameter.log_sd * score[parameter.name])
    return _shifted(typical, factor) if parameter.name in CLONES else typical * factor


def _own(p: Mapping[str, Array], table: pl.DataFrame, score: _Scores) -> dict[str, Array]:
    """The parameters that follow from what is known of a person."""
    share, heavy = table["marrow_plasma_cells"].to_numpy(), table["heavy_chain"]
    cells, outside, iga = MARROW_CELLS * share / (1 - share), table["extramedullary"].to_numpy().astype(float), (heavy == "iga").to_numpy()
    odds = _shifted(p["t_resistant_share"], np.where(outside > 0, p["t_resistant_extramedullary"], 1))
    lost = p["m_loss"] * np.where(iga, p["iga_loss"], 1)
    light = np.maximum(table["involved_flc"].to_numpy() - p["flc_normal"], 0)
    return {
        "weight": table["weight"].to_numpy(), "ln_n0": np.log(cells), "extramedullary": outside,
        "igg": (heavy == "igg").to_numpy().astype(float),
        "iga": iga.astype(float), "t_resistant": (ndtr(score["t_resistant"]) > 1 - odds).astype(float),
        "pace": (p["growth"] / p["growth_usual"]) ** p["kill_growth"],
        "m_per_cell": table["m_protein"].to_numpy() * lost / cells, "flc_per_cell": light * p["flc_loss"] / cells,
    }  # fmt: skip


def _shifted(share: Array, factor: Array) -> Array:
    """A share whose odds are multiplied."""
    odds = share / (1 - share) * factor
    return odds / (1 + odds)


@cache
def _rows() -> tuple[tuple[str, str, str, str, float | None], ...]:
    told = pl.read_csv(Path(__file__).parent / "covariates.csv", schema_overrides={"value": pl.String})
    return tuple(told.select("parameter", "covariate", "form", "value", "reference").iter_rows())


FORMS: Mapping[str, Callable[[float, float | None, Array], Array]] = {
    "times": lambda value, _, x: np.where(x > 0, value, 1.0),
    "power": lambda value, reference, x: (x / (reference or 1)) ** value,
    "per": lambda value, reference, x: value ** (x - (reference or 0)),
}


def _progressed_on(state: str) -> pl.Expr:
    """Has the disease progressed on a drug that acts through this state of the model?"""
    drugs = [drug for drug, product in products().items() if product.state == state]
    return pl.col("refractory_drugs").list.eval(pl.element().is_in(drugs)).list.any()


def _effects(model: Model, table: pl.DataFrame) -> list[tuple[str, Array]]:
    """What a covariate does to a parameter: the factor of every person."""
    of = table.with_columns(iss_2=pl.col("iss") == "II", iss_3=pl.col("iss") == "III", not_igg=pl.col("heavy_chain") != "igg",
                            smouldering=pl.col("setting") == "SMM", relapsed=pl.col("prior_lines") > 0,
                            **{name: _progressed_on(state) for name, state in REFRACTORY.items()})  # fmt: skip
    return [
        (name, FORMS[form](model.number(value), reference, of[covariate].cast(pl.Float64).to_numpy()))
        for name, covariate, form, value, reference in _rows()
    ]
