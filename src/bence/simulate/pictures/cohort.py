"""A virtual cohort: the waterfall of responses, and MRD over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...report.drawing import DEPTH, MUTED
from ...report.pictures import Picture
from ..course import MONTH
from ..investigator import MEASURABLE_FLC, MEASURABLE_M
from ..trial import Trial
from ..visits import visits
from .frame import NOTE_ROOM, colour, drawn, head, key, months_axis, percent_axis
from .words import PICTURE, RESPONSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, ACROSS, PANEL, HEAD = 34.0, 500.0, 92.0, 22.0  # points
MOST_BARS = 250  # of an arm; beyond it a bar stands for several patients
FILL = {"none": "#c9ced3", **{name: DEPTH[name] for name in RESPONSES[1:]}}
WINDOW = 6  # months of MRD sampling counted together
DOTS = (0, (2, 2))
THRESHOLDS = {"mrd_1e5": "1e-5", "mrd_1e6": "1e-6"}


def changes(trial: Trial) -> pl.DataFrame:
    """Best change in percent of the followed protein from entry to progression: `patient`, `arm`, `response`, `change`.

    `change` is null where nothing was measurable. For a trial whose courses were kept. A value below the assay's limit counts as the limit.
    """
    assert trial.courses is not None
    assert trial.chart is not None
    plan = visits(trial.courses)
    about = pl.DataFrame({"patient": plan.ids, "entry": plan.entry, "on_arm": np.nan_to_num(trial.courses.arm_on)}).join(
        trial.patients, on="patient", maintain_order="left"
    ).with_columns(until=pl.col("entry") + pl.col("on_arm") + pl.col("pfs_days"))  # fmt: skip
    chain = trial.chart.patients.select("patient", involved=pl.col("light_chain") + "_flc")
    rows = (
        trial.chart.observations.filter(pl.col("what").is_in(["serum_m_protein", "kappa_flc", "lambda_flc"]), pl.col("value").is_not_null())
        .join(chain, on="patient").filter((pl.col("what") == "serum_m_protein") | (pl.col("what") == pl.col("involved")))
        .join(about.select("patient", "entry", "until"), on="patient")
        .with_columns(at=pl.col("on").cast(pl.Int32),
                      what=pl.when(pl.col("what") == "serum_m_protein").then(pl.lit("m")).otherwise(pl.lit("flc")))
    )  # fmt: skip
    before = rows.filter(pl.col("at") <= pl.col("entry")).sort("at").group_by("patient", "what").agg(base=pl.col("value").last())
    after = (
        rows.filter(pl.col("at") > pl.col("entry"), pl.col("at") <= pl.col("until"))
        .group_by("patient", "what")
        .agg(low=pl.col("value").min())
    )
    both = before.join(after, on=["patient", "what"]).with_columns(change=100 * (pl.col("low") / pl.col("base") - 1)).filter(
        pl.col("base") >= pl.when(pl.col("what") == "m").then(MEASURABLE_M).otherwise(MEASURABLE_FLC))  # fmt: skip
    chosen = both.sort("what", descending=True).unique("patient", keep="first", maintain_order=True)
    return about.select("patient", "arm", "response").join(
        chosen.select("patient", "change"), on="patient", how="left", maintain_order="left"
    )


def waterfall(trial: Trial, lang: str = "en") -> Picture | None:
    """A bar a patient, arm by arm, from the worst to the best change, coloured by the best response; None without arms."""
    table = changes(trial).filter(pl.col("arm").is_not_null())
    arms = table["arm"].unique(maintain_order=True).to_list()
    if not arms:
        return None
    height = NOTE_ROOM + 30 + len(arms) * (PANEL + HEAD)
    return drawn(LEFT + ACROSS + 8, height, PICTURE[lang]["waterfall"], lang, lambda figure: _waterfall(figure, table, arms, lang, height))


def _waterfall(figure: Figure, table: pl.DataFrame, arms: list[str], lang: str, height: float) -> None:
    from ...report.figure import add_axes

    words = PICTURE[lang]
    head(figure, 2, height - 8, words["waterfall"], words["waterfall_note"])
    top = height - 14
    for arm in arms:
        own = table.filter(pl.col("arm") == arm)
        known = own.filter(pl.col("change").is_not_null()).sort("change", descending=True)
        top -= PANEL + HEAD
        ax = add_axes(figure, LEFT, top, ACROSS, PANEL)
        many = max(known.height / MOST_BARS, 1.0)
        remark = [f"n = {own.height:,}"] + ([words["drawn"].format(many)] if many > 1 else [])
        remark += [words["not_measurable"].format(own.height - known.height)] if own.height > known.height else []
        head(figure, LEFT, top + PANEL + 6, arm, " · ".join(remark))
        _bars(ax, known[np.arange(0, known.height, many).astype(int)] if known.height else known)
    parts = [(FILL[name], words["none"] if name == "none" else name) for name in RESPONSES]
    key(figure, LEFT, NOTE_ROOM + 6, parts, ACROSS)


def _bars(ax: Axes, rows: pl.DataFrame) -> None:
    for place, response in enumerate(RESPONSES):
        mine = (rows["response"] == place).to_numpy()
        ax.bar(np.flatnonzero(mine), np.clip(rows["change"].to_numpy()[mine], -100, 100), 0.92, color=FILL[response], linewidth=0)
    for level in (-50, -90):
        ax.axhline(level, color=MUTED, linewidth=0.4, linestyle=(0, (2, 2)), zorder=3)
    ax.set_xlim(-1, max(rows.height, 1))
    ax.set_ylim(-103, 103)
    ax.set_yticks([-100, -50, 0, 50, 100], ["−100", "−50", "0", "+50", "+100"])


def mrd_shares(trial: Trial) -> pl.DataFrame:
    """Negative at 1e-5 and 1e-6 by arm and window of months since entry: `sampled`, `negative`, `assigned`.

    The last sample of a window counts; a sample after progression does not, so that such people are not negative.
    """
    assert trial.courses is not None
    assert trial.findings is not None
    plan = visits(trial.courses)
    entry = pl.DataFrame({"patient": plan.ids, "entry": plan.entry, "on_arm": np.nan_to_num(trial.courses.arm_on)}).join(
        trial.patients, on="patient"
    )
    assigned = entry.filter(pl.col("arm").is_not_null()).group_by("arm", maintain_order=True).agg(assigned=pl.len())
    rows = trial.findings.mrd.join(entry.select("patient", "arm", "entry", "on_arm", "pfs_days"), on="patient").with_columns(
        at=pl.col("on").cast(pl.Int32) - pl.col("entry")).filter(
        pl.col("arm").is_not_null(), pl.col("at") > 0, pl.col("at") - pl.col("on_arm") <= pl.col("pfs_days")
    ).with_columns(window=(pl.col("at") / (WINDOW * MONTH)).floor().cast(pl.Int64)).sort("at")  # fmt: skip
    last = rows.group_by("patient", "arm", "window", maintain_order=True).agg(
        pl.col("claim_1e5").cast(pl.String).last(), pl.col("claim_1e6").cast(pl.String).last())  # fmt: skip
    return pl.concat([
        last.group_by("arm", "window").agg(sampled=pl.len(), negative=(pl.col(f"claim_{name[4:]}") == "negative").sum())
        .with_columns(threshold=pl.lit(name))
        for name in THRESHOLDS
    ]).join(assigned, on="arm").sort("threshold", "arm", "window")  # fmt: skip


def mrd_over_time(trial: Trial, lang: str = "en") -> Picture | None:
    """The share below 1e-5 and 1e-6 by window, of those sampled and of all; None without samples."""
    table = mrd_shares(trial)
    if not table.height:
        return None
    arms = [arm for arm in trial.protocol.arms if arm in set(table["arm"])]
    height = NOTE_ROOM + 172.0
    return drawn(
        LEFT + ACROSS + 8,
        height,
        PICTURE[lang]["mrd_time"],
        lang,
        lambda figure: _mrd(figure, table, arms, trial.protocol.months, lang, height),
    )


def _mrd(figure: Figure, table: pl.DataFrame, arms: list[str], months: float, lang: str, height: float) -> None:
    from ...report.figure import add_axes

    words, across = PICTURE[lang], (ACROSS - 40) / 2
    head(figure, 2, height - 8, words["mrd_time"], f"% · —● {words['of_all']} · ┄○ {words['of_sampled']}")
    for panel, (name, level) in enumerate(THRESHOLDS.items()):
        left = LEFT + panel * (across + 40)
        ax = add_axes(figure, left, NOTE_ROOM + 38, across, 100)
        head(figure, left, height - 20, words["below"].format(level))
        for place, arm in enumerate(arms):
            own = table.filter(pl.col("threshold") == name, pl.col("arm") == arm, pl.col("window") < months / WINDOW)
            at = (own["window"].to_numpy() + 0.5) * WINDOW
            ax.plot(at, own["negative"].to_numpy() / own["assigned"].to_numpy(), "o-", color=colour(place), markersize=3.2, linewidth=1.1)
            ax.plot(at, own["negative"].to_numpy() / own["sampled"].to_numpy(), "o", linestyle=DOTS, color=colour(place), markersize=3,
                    markerfacecolor="white", linewidth=0.7)  # fmt: skip
        percent_axis(ax)
        months_axis(ax, months + 0.5, lang, words["mrd_axis"].format(WINDOW))
    key(figure, LEFT, NOTE_ROOM + 6, [(colour(place), arm) for place, arm in enumerate(arms)], ACROSS)
