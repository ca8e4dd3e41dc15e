"""Free light chains whose unit is wrong: mg/dL under a heading that says mg/L, or two units under one heading.

Two checks, because a single value can be true in either unit (2 mg/L after CAR T cells, 2 mg/dL in health):
the ratio that a laboratory reports must be kappa/lambda, and in people with a normal ratio the chains must lie where
chains lie.
"""

from __future__ import annotations

import polars as pl

from ..catalogue import code
from .units import accepted, rounded

RATIO_TOLERANCE = 0.05
# Healthy people, mg/L, and the ratio (Katzmann et al., Clin Chem 2002;48:1437).
KAPPA = (3.3, 19.4)
LAMBDA = (5.7, 26.3)
RATIO = (0.26, 1.65)
ENOUGH = 10  # patients with a normal ratio from whom a median says something
TOO_HIGH = 5  # the median of people with a normal ratio lies below this many upper limits (renal failure raises both)

#: What is needed of each value. `said`: the unit it was written in; `confirmed`: that unit is beyond question;
#: `sample`: values of one patient, day, file and sample belong together.
SCHEMA = {
    "patient": pl.String(), "on": pl.Date(), "what": pl.String(), "value": pl.Float64(), "comparator": pl.String(),
    "said": pl.String(), "confirmed": pl.Boolean(), "file": pl.String(), "line": pl.Int64(), "sample": pl.Int64(),
    "column": pl.String(), "cell": pl.String(),
}  # fmt: skip
KEY = ["patient", "on", "file", "sample"]
WHAT = ("kappa_flc", "lambda_flc", "flc_ratio")


def contradicted(values: pl.DataFrame) -> pl.DataFrame:
    """The rows of kappa, lambda and ratio of one sample that do not go together, with `reason` and `expected`."""
    if not (values["what"] == "flc_ratio").any():
        return _none(values)
    wide = _pairs(values).filter(pl.col("ratio").is_not_null() & (pl.col("ratio") > 0) & (pl.col("lambda") > 0))
    quotient = pl.col("kappa") / pl.col("lambda")
    slack = RATIO_TOLERANCE + pl.sum_horizontal("kappa_rounding", "lambda_rounding", "ratio_rounding")
    bad = wide.filter((quotient / pl.col("ratio") - 1).abs() > slack)
    tenfold = (quotient / pl.col("ratio")).log(10).abs().round(1) == 1
    reason = pl.format("kappa/lambda is {} and the reported ratio {}", _short(quotient), _short(pl.col("ratio"))) + (
        pl.when(tenfold).then(pl.lit(": ten times off, by another unit or a slip of the point")).otherwise(pl.lit(""))
    )
    expected = pl.lit("kappa and lambda of one sample in one unit, and their ratio")
    return values.join(bad.select(*KEY, reason=reason, expected=expected), on=KEY, maintain_order="left")


def out_of_band(values: pl.DataFrame) -> pl.DataFrame:
    """The rows of columns whose unit cannot be true, with `reason` and `expected`."""
    open_to_doubt = values.filter(~pl.col("confirmed"))
    if open_to_doubt["patient"].n_unique() < ENOUGH:
        return _none(values)
    found = [_column_out_of_band(part) for _, part in open_to_doubt.group_by("file", maintain_order=True)]
    return pl.concat([_none(values), *found])


def _column_out_of_band(values: pl.DataFrame) -> pl.DataFrame:
    """Kappa and lambda of one file, by the units they were written in."""
    quotient = pl.col("kappa") / pl.col("lambda")
    pairs = _pairs(values).filter(quotient.is_between(*RATIO))
    found = []
    for (unit, other), part in pairs.group_by("kappa_said", "lambda_said", maintain_order=True):
        if part["patient"].n_unique() < ENOUGH or unit != other:
            continue
        kappa, light = part.select(pl.col("kappa", "lambda").median()).row(0)
        meant = _meant(str(unit), kappa, light)
        if meant is None:
            continue
        reason = (
            f"read as {unit}, {part.height} pairs with a normal ratio have medians of {kappa:.3g} (kappa) and "
            f"{light:.3g} mg/L (lambda), in health {KAPPA[0]:g}-{KAPPA[1]:g} and {LAMBDA[0]:g}-{LAMBDA[1]:g}: "
            f"the unit is not {unit}"
        )
        expected = f"{meant} in the mapping file (or unit_confirmed = true)"
        rows = values.filter(pl.col("what").is_in(["kappa_flc", "lambda_flc"]) & (pl.col("said") == unit))
        found.append(rows.with_columns(reason=pl.lit(reason), expected=pl.lit(expected)))
    return pl.concat([_none(values), *found])


def _none(values: pl.DataFrame) -> pl.DataFrame:
    return values.clear().with_columns(reason=pl.lit(""), expected=pl.lit(""))


def _meant(unit: str, kappa: float, light: float) -> str | None:
    """The unit in which these medians (in mg/L as read) would be those of people; None if the unit can be true."""
    low = kappa < KAPPA[0] and light < LAMBDA[0]
    high = kappa > TOO_HIGH * KAPPA[1] and light > TOO_HIGH * LAMBDA[1]
    if not (low or high):
        return None
    factors = {"mg/L": 1.0, **code("kappa_flc").other_units}
    for other in accepted(code("kappa_flc")):
        shift = factors[other] / factors.get(unit, 1.0)
        if shift != 1 and _can_be(kappa * shift, KAPPA) and _can_be(light * shift, LAMBDA):
            return other
    return None


def _can_be(median: float, band: tuple[float, float]) -> bool:
    return band[0] <= rounded(median) <= TOO_HIGH * band[1]


def _pairs(values: pl.DataFrame) -> pl.DataFrame:
    """One row a sample: kappa, lambda, ratio, the unit each was written in, and how much its rounding can hide."""
    exact = values.filter(pl.col("comparator").is_null() & pl.col("value").is_not_null()).unique(
        [*KEY, "what"], keep="none", maintain_order=True
    )
    decimals = pl.col("cell").str.extract(r"\d+\.(\d+)").str.len_chars().fill_null(0).cast(pl.Float64)
    number = pl.col("cell").str.extract(r"(\d+(?:\.\d+)?)").cast(pl.Float64)
    exact = exact.with_columns(rounding=(0.5 * pl.lit(10.0).pow(-decimals) / number).fill_null(0))

    def of(what: str, name: str) -> pl.DataFrame:
        columns = [pl.col(c).alias(f"{name}_{c}") for c in ("said", "rounding")]
        return exact.filter(pl.col("what") == what).select(*KEY, pl.col("value").alias(name), *columns)

    both = of("kappa_flc", "kappa").join(of("lambda_flc", "lambda"), on=KEY, maintain_order="left")
    return both.join(of("flc_ratio", "ratio"), on=KEY, how="left", maintain_order="left")


def _short(number: pl.Expr) -> pl.Expr:
    return number.round_sig_figs(3).cast(pl.String)
