"""Swimmer plot of a cohort: one lane a patient, therapy by line, coloured by the best confirmed response of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ..assess import Findings
from ..chart import Chart
from .drawing import DEPTH, EDGE, GRID, INK, MUTED, SIZE, name_rows
from .pictures import Picture
from .words import COHORT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SWUM = 40  # lanes
MONTH = 365.25 / 12
LEFT, ACROSS, RIGHT, LANE, FOOT = 62.0, 440.0, 14.0, 9.4, 26.0  # points
MARKS = {"PD": ("^", "#c8430d", "#c8430d"), "mrd": ("v", "#ffffff", INK), "death": ("x", INK, INK)}


def swimmer(chart: Chart, findings: Findings, lang: str = "en") -> Picture | None:
    """The patients followed longest from their first line; None if nobody was treated."""
    lanes = _lanes(chart, findings)
    if not lanes.height:
        return None
    from .figure import add_axes, new_figure, styled, to_svg

    people = lanes.unique("patient", maintain_order=True)
    height = LANE * people.height + FOOT
    with styled():
        figure = new_figure(LEFT + ACROSS + RIGHT, height)
        ax = add_axes(figure, LEFT, FOOT, ACROSS, LANE * people.height)
        _draw(ax, lanes, people, findings, lang)
        body = to_svg(figure)
    return Picture(LEFT + ACROSS + RIGHT, height, COHORT[lang]["swimmer"], body, ())


def _lanes(chart: Chart, findings: Findings) -> pl.DataFrame:
    """One row a line: `patient`, `line`, months `start` and `stop` from the first dose, `end` of the lane, `died`."""
    last = findings.response.group_by("patient").agg(seen=pl.col("on").max())
    people = chart.patients.select("patient", "died_on", "last_seen_on")
    lines = findings.lines.filter(pl.col("started_on").is_not_null()).sort("patient", "started_on")
    lines = lines.join(people, on="patient", how="left", maintain_order="left").join(last, on="patient", how="left", maintain_order="left")
    first = pl.col("started_on").min().over("patient")
    until = pl.coalesce("died_on", pl.max_horizontal("last_seen_on", "seen", pl.col("started_on").max().over("patient")))
    months = {
        "start": pl.col("started_on") - first,
        "stop": pl.coalesce(pl.col("started_on").shift(-1).over("patient"), until) - first,
        "end": until - first,
        "progressed": pl.col("progressed_on") - first,
    }
    table = lines.select(
        "patient", "line", best=pl.col("best_response").cast(pl.String), died=pl.col("died_on").is_not_null(), first=first,
        **{name: span.dt.total_days() / MONTH for name, span in months.items()},
    )  # fmt: skip
    longest = table.group_by("patient").agg(pl.col("end").max()).sort("end", "patient", descending=[True, False]).head(SWUM)
    return longest.select("patient").join(table, on="patient", how="left", maintain_order="left")


def _draw(ax: Axes, lanes: pl.DataFrame, people: pl.DataFrame, findings: Findings, lang: str) -> None:
    place = {patient: row for row, patient in enumerate(people["patient"])}
    rows = lanes["patient"].replace_strict(place, return_dtype=pl.Int64)
    for best in [*DEPTH, None]:
        own = lanes["best"].eq_missing(best) if best else lanes["best"].is_null()
        some, at = lanes.filter(own), rows.filter(own)
        if some.height:
            colour = DEPTH[best] if best else "#ffffff"
            edge = EDGE.get(best or "NE", colour)
            ax.barh(at.to_list(), (some["stop"] - some["start"]).to_list(), 0.62, some["start"].to_list(), color=colour,
                    edgecolor=edge, linewidth=0.5)  # fmt: skip
    later = lanes["start"] > 0
    ax.plot(lanes.filter(later)["start"].to_list(), rows.filter(later).to_list(), "|", color=INK, markersize=LANE * 0.8)
    _mark(ax, "PD", lanes["progressed"], rows)
    negative = findings.mrd.filter(pl.col("claim").str.starts_with("negative") & pl.col("patient").is_in(people["patient"].implode()))
    since = negative.join(people.select("patient", "first"), on="patient")
    _mark(ax, "mrd", (since["on"] - since["first"]).dt.total_days() / MONTH,
          since["patient"].replace_strict(place, return_dtype=pl.Int64))  # fmt: skip
    _mark(ax, "death", people.filter("died")["end"], people.filter("died")["patient"].replace_strict(place, return_dtype=pl.Int64))
    name_rows(ax, people["patient"].to_list(), SIZE - 0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True, color=GRID)
    ax.set_xlim(0, max(1.0, float(people["end"].max() or 1.0)) * 1.02)  # type: ignore[arg-type]
    ax.tick_params(axis="x", labelbottom=True)
    ax.set_xlabel(COHORT[lang]["months"], fontsize=SIZE, color=MUTED, labelpad=2)


def _mark(ax: Axes, kind: str, months: pl.Series, rows: pl.Series) -> None:
    shape, fill, edge = MARKS[kind]
    known = months.is_not_null()
    ax.plot(months.filter(known).to_list(), rows.filter(known).to_list(), shape, markerfacecolor=fill, markeredgecolor=edge,
            markersize=4.2, clip_on=False)  # fmt: skip
