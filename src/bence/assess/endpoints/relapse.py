"""How a line relapsed: by the laboratory alone or clinically, and when a rise of the paraprotein became significant.

Source: Rajkumar SV et al., Blood 2011;117:4691-5, doi:10.1182/blood-2010-10-299487. Rules in words: docs/rules/endpoints.md.
"""

from __future__ import annotations

import polars as pl

from ...chart import Chart
from ..intake import NEVER, place_of
from .timeline import Timeline

NEAR = 42  # days around the progression in which its signs are looked for
RECENT = 180  # days before it in which the hemoglobin is compared
CALCIUM, HEMOGLOBIN, CREATININE = 2.75, 20.0, 177.0  # mmol/L; fall in g/L; rise in umol/L
EVENTS = ("plasmacytoma_new", "bone_lesion_new", "hyperviscosity", "relapse_clinical")
LABS = ("calcium", "hemoglobin", "creatinine")
APART = 61  # days between the two samples: two months
REFERENCE = 5.0  # g/L from which a doubling counts
RISES = {"serum_m_protein": 10.0, "urine_m_protein": 500.0, "involved_flc": 200.0}  # g/L, mg/24 h, mg/L
MARKERS = ("serum_m_protein", "urine_m_protein", "kappa_flc", "lambda_flc")
NORMAL = (0.26, 1.65)
EPS = 1e-9


def relapse_columns(chart: Chart, told: Timeline, response: pl.DataFrame) -> pl.DataFrame:
    """`relapse_kind` (biochemical, clinical, null), `relapse_because` (signs, or what is missing), `significant_paraprotein_relapse_on`.

    One row a line, in the order of `told`. The kind is that of the line's progression.
    """
    ids = chart.patients["patient"].sort()
    lines = told.key.select(
        "patient", pl.col("line").cast(pl.Int32), at=pl.int_range(pl.len()), start=pl.Series(told.start), end=pl.Series(told.following),
        progressed=pl.Series(told.progressed), place=pl.Series(told.place),
    )  # fmt: skip
    progressed = lines.filter(pl.col("progressed") < NEVER)
    kind = _kinds(chart, progressed, response, ids)
    risen = response.filter(
        (pl.col("timepoint").cast(pl.String) == "PD") | pl.col("flags").cast(pl.String).str.contains("light_chain_escape").fill_null(False)
    ).select(pl.col("patient").cast(pl.String), pl.col("line").cast(pl.Int32)).unique()  # fmt: skip
    rising = lines.with_columns(pl.col("patient").cast(pl.String)).join(risen, on=["patient", "line"], how="semi")
    significant = _significant(chart, rising, ids)
    for found in (kind, significant):
        lines = lines.join(found, on="at", how="left", maintain_order="left")
    return lines.select("relapse_kind", "relapse_because", "significant_paraprotein_relapse_on")


def _of(chart: Chart, lines: pl.DataFrame, codes: tuple[str, ...], ids: pl.Series) -> pl.DataFrame:
    """The values of these patients and codes, one a day and code: of several the one recorded last, else the higher."""
    people = lines.select(pl.col("patient").cast(pl.String)).unique().lazy()
    wanted = pl.col("what").is_in(codes) & pl.col("on").is_not_null() & pl.col("value").is_not_null() & (pl.col("status") == "final")
    rows = (
        chart.scan("observations").filter(wanted).select("patient", "on", "what", "value", "comparator", "recorded_on")
        .join(people, on="patient", how="semi").collect()
        .sort("patient", "what", "on", "recorded_on", "value").unique(["patient", "what", "on"], keep="last", maintain_order=True)
    )  # fmt: skip
    bound = pl.col("comparator").str.slice(0, 1)
    return rows.select(
        "what", place=place_of(ids), day=pl.col("on").to_physical().cast(pl.Int64),
        low=pl.when(bound == "<").then(0.0).otherwise("value"), high=pl.when(bound == ">").then(None).otherwise("value"),
    )  # fmt: skip


def _kinds(chart: Chart, progressed: pl.DataFrame, response: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The kind of relapse of the lines that progressed, and why."""
    day = pl.col("progressed")
    values = _of(chart, progressed, LABS, ids).join(progressed.select("at", "place", "start", "progressed"), on="place").sort("at", "day")
    near = (pl.col("day") - day).abs() <= NEAR
    of = {name: pl.col("what") == name for name in LABS}
    recent = (pl.col("day") >= day - RECENT) & (pl.col("day") < day)
    labs = values.group_by("at").agg(
        calcium=pl.col("low").filter(of["calcium"] & near).max(),
        hemoglobin_before=pl.col("low").filter(of["hemoglobin"] & recent).max(),
        hemoglobin=pl.col("high").filter(of["hemoglobin"] & near & (pl.col("day") >= day)).min(),
        creatinine_before=pl.col("high").filter(of["creatinine"] & (pl.col("day") <= pl.col("start"))).last(),
        creatinine=pl.col("low").filter(of["creatinine"] & near).max(),
    )
    rows = response.select(
        pl.col("patient").cast(pl.String), pl.col("line").cast(pl.Int32), progressed=pl.col("on").to_physical().cast(pl.Int64),
        rules=pl.col("because").cast(pl.String),
    )  # fmt: skip
    told = (
        progressed.with_columns(pl.col("patient").cast(pl.String))
        .join(rows, on=["patient", "line", "progressed"], how="left").join(labs, on="at", how="left")
        .join(_signs(chart, progressed, ids), on="at", how="left")
    )  # fmt: skip
    found = {
        "P6": pl.col("rules").str.contains("P6"), "P7": pl.col("rules").str.contains("P7"), "P8": pl.col("rules").str.contains("P8"),
        "calcium": pl.col("calcium") > CALCIUM + EPS,
        "hemoglobin": pl.col("hemoglobin_before") - pl.col("hemoglobin") >= HEMOGLOBIN - EPS,
        "creatinine": pl.col("creatinine") - pl.col("creatinine_before") >= CREATININE - EPS,
        **{name: pl.col(name) for name in EVENTS},
    }  # fmt: skip
    needed = {"no_calcium": ("calcium",), **{f"no_{name}": (f"{name}_before", name) for name in LABS[1:]}}
    blank = {name: pl.any_horizontal(pl.col(column).is_null() for column in columns) for name, columns in needed.items()}
    told = told.with_columns(signs=_joined(found), gaps=_joined(blank))
    measured = pl.col("gaps").is_null() | pl.col("relapse_biochemical").fill_null(False)
    return told.select(
        "at",
        relapse_kind=pl.when(pl.col("signs").is_not_null()).then(pl.lit("clinical"))
        .when(measured & (pl.col("rules").str.contains("P[1-5]").fill_null(False) | pl.col("relapse_biochemical").fill_null(False)))
        .then(pl.lit("biochemical")),
        relapse_because=pl.coalesce("signs", pl.when(~measured).then("gaps"), "rules"),
    )  # fmt: skip


def _joined(claims: dict[str, pl.Expr]) -> pl.Expr:
    """The names of the claims that hold, joined by `|`; null where none does."""
    words = [pl.when(claim.fill_null(False)).then(pl.lit(name)) for name, claim in claims.items()]
    return pl.concat_str(words, separator="|", ignore_nulls=True).replace("", None)


def _signs(chart: Chart, progressed: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Which events of relapse were recorded around the progression of each line."""
    kinds = (*EVENTS, "relapse_biochemical")
    happened = pl.col("what").is_in(kinds) & pl.col("on").is_not_null() & pl.col("text").ne_missing("none")
    rows = chart.scan("events").filter(happened).select("patient", "on", "what").collect()
    rows = rows.select("what", place=place_of(ids), day=pl.col("on").to_physical().cast(pl.Int64))
    rows = rows.join(progressed.select("at", "place", "progressed"), on="place")
    near = rows.filter((pl.col("day") - pl.col("progressed")).abs() <= NEAR)
    return near.group_by("at").agg(**{name: (pl.col("what") == name).any() for name in kinds})


def _significant(chart: Chart, lines: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The second of two samples at most two months apart that show a significant rise: doubled, or up from the nadir."""
    values = _markers(chart, lines, ids).join(lines.select("at", "place", "start", "end"), on="place")
    before = pl.col("day") <= pl.col("start")
    base = values.filter(before).sort("day").group_by("at", "what").agg(pl.all().last())
    own = pl.concat([base.select(values.columns), values.filter(~before & (pl.col("day") <= pl.col("end")))]).sort("at", "what", "day")
    key = ["at", "what"]
    nadir = pl.col("high").cum_min().forward_fill().shift(1).over(key)
    limit = pl.col("what").replace_strict(RISES, default=None, return_dtype=pl.Float64)
    own = own.with_columns(risen=((pl.col("low") - nadir >= limit - EPS) & pl.col("abnormal")).fill_null(False))
    close = (pl.col("day") - pl.col("day").shift(1).over(key)) <= APART
    earlier = pl.col("high").shift(1).over(key)
    doubled = (pl.col("what") == "serum_m_protein") & (earlier >= REFERENCE - EPS) & (pl.col("low") >= 2 * earlier - EPS)
    met = close & (doubled | (pl.col("risen") & pl.col("risen").shift(1).over(key))) & (pl.col("day") > pl.col("start"))
    return own.filter(met.fill_null(False)).group_by("at").agg(
        significant_paraprotein_relapse_on=pl.col("day").min().cast(pl.Int32).cast(pl.Date)
    )  # fmt: skip


def _markers(chart: Chart, lines: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Serum and urine M-protein, and the involved light chain of days with both chains, with whether their ratio is abnormal."""
    values = _of(chart, lines, MARKERS, ids)
    proteins = values.filter(pl.col("what").is_in(["serum_m_protein", "urine_m_protein"])).with_columns(abnormal=pl.lit(True))
    kappa, lambda_ = (values.filter(pl.col("what") == f"{chain}_flc").drop("what") for chain in ("kappa", "lambda"))
    light = chart.patients.select("light_chain", place=place_of(ids))
    pairs = kappa.join(lambda_, on=["place", "day"], suffix="_lambda").join(light, on="place", how="left")
    ratio_high = pl.col("low") > NORMAL[1] * pl.col("high_lambda") + EPS
    ratio_low = pl.col("high") < NORMAL[0] * pl.col("low_lambda") - EPS
    is_kappa = pl.col("light_chain").eq_missing("kappa") | (pl.col("light_chain").is_null() & ratio_high)
    is_lambda = pl.col("light_chain").eq_missing("lambda") | (pl.col("light_chain").is_null() & ratio_low)
    chains = pairs.filter(is_kappa | is_lambda).select(
        pl.lit("involved_flc").alias("what"), "place", "day", low=pl.when(is_kappa).then("low").otherwise("low_lambda"),
        high=pl.when(is_kappa).then("high").otherwise("high_lambda"), abnormal=pl.when(is_kappa).then(ratio_high).otherwise(ratio_low),
    )  # fmt: skip
    return pl.concat([proteins.select(chains.columns), chains])
