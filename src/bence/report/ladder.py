"""The response ladder: every assessment on the step of its category, filled where confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from .drawing import DEPTH, EDGE, INK, MUTED, POINTS, SIZE, day, rows_without_overlap, say, text_width
from .words import PICTURE

ALONE = {"P5", "P6", "P7"}  # progressions that need no second sample
RANK = {name: i for i, name in enumerate(DEPTH)}


@dataclass(frozen=True)
class Progression:
    """A progression of a line: its state, and the sample that confirmed it if one did."""

    line: int
    on: date
    state: str
    confirmed_on: date | None
    alone: bool

    def words(self, lang: str) -> str:
        """`PD 2021-06-11, confirmed 2021-07-23`."""
        words = PICTURE[lang]
        if self.state != "confirmed":
            how = words[self.state]
        elif self.alone:
            how = words["alone"]
        else:
            how = words["confirmed_by"].format(on=self.confirmed_on) if self.confirmed_on else words["by_death"]
        return f"{words['progression'].format(on=self.on)}{'，' if lang == 'zh' else ', '}{how}"


def is_confirmed(visit: Mapping[str, Any]) -> bool:
    """Whether the category of a visit is as deep as what is confirmed; of a progression, whether it is confirmed."""
    if visit["timepoint"] == "PD":
        return visit["progression"] == "confirmed"
    if visit["timepoint"] in ("NE", None) or visit["confirmed"] in ("NE", None):
        return False
    return RANK[visit["confirmed"]] <= RANK[visit["timepoint"]]


def progressions(visits: pl.DataFrame, values: pl.DataFrame) -> list[Progression]:
    """Of every line the progression that was confirmed, or the first that still waits for its second sample."""
    found = []
    for line in visits["line"].unique(maintain_order=True):
        rows = visits.filter((pl.col("line") == line) & pl.col("progression").is_in(["confirmed", "unconfirmed"]))
        sure = rows.filter(pl.col("progression") == "confirmed")
        for row in (sure if sure.height else rows).head(1).iter_rows(named=True):
            alone = not ALONE.isdisjoint((row["because"] or "").split("|"))
            later = [on for on in sure["on"] if on > row["on"] and _anew(values, line, on, row["on"])]
            found.append(Progression(line, row["on"], row["progression"], None if alone or not later else later[0], alone))
    return found


def _anew(values: pl.DataFrame, line: int, on: date, after: date) -> bool:
    """Whether a visit rests on any sample later than a day."""
    rows = values.filter((pl.col("line") == line) & (pl.col("on") == on))
    return not rows.height or rows.filter(pl.col("sampled_on") > after).height > 0


def steps(visits: pl.DataFrame) -> list[str]:
    """The categories from the top down; minimal response and `not evaluable` only where they occur."""
    used = {*visits["timepoint"].cast(pl.String), *visits["confirmed"].cast(pl.String)}
    return [name for name in ("PD", "SD", "MR", "PR", "VGPR", "CR", "sCR", "NE") if name not in ("MR", "NE") or name in used]


def draw_ladder(
    ax: Axes, visits: pl.DataFrame, lines: Sequence[tuple[int, date, date]], shown: Sequence[Progression], lang: str
) -> list[tuple[float, float, str]]:
    """Draw assessments and the best confirmed response of each line; returns tips."""
    names = steps(visits)
    place = {name: i for i, name in enumerate(names)}
    ax.set_ylim(len(names) - 0.4, -1.6)
    for name, y in place.items():
        ax.axhline(y, color="#e4e9ed", linewidth=0.5, zorder=0)
        say(ax, 0, y, name, dx=-6, ha="right", xycoords=ax.get_yaxis_transform(), color=INK, size=SIZE - 0.2)
    tips = []
    for number, _, end in lines:
        rows = visits.filter(pl.col("line") == number).to_dicts()
        _best(ax, rows, end, place)
        tips += [(day(row["on"]), place[row["timepoint"]], f"{row['on']} · {row['timepoint']}") for row in rows]
    _marks(ax, visits.to_dicts(), place)
    _name_progressions(ax, shown, lang)
    return tips


def _best(ax: Axes, rows: Sequence[Mapping[str, Any]], end: date, place: Mapping[str, int]) -> None:
    """The best confirmed response so far, as a pale band from sample to sample."""
    runs: list[tuple[str, date, date]] = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        until = max(after["on"] if after else end, row["on"])
        if runs and runs[-1][0] == row["confirmed"]:
            runs[-1] = (runs[-1][0], runs[-1][1], until)
        elif row["confirmed"] not in ("NE", None):
            runs.append((row["confirmed"], row["on"], until))
    for name, start, until in runs:
        ax.plot([day(start), day(until)], [place[name]] * 2, color=DEPTH[name], linewidth=4.6, alpha=0.32, zorder=1)


def _marks(ax: Axes, rows: Sequence[Mapping[str, Any]], place: Mapping[str, int]) -> None:
    """Every assessment on its step: filled where confirmed, crossed where the next sample did not confirm it."""
    alike: dict[tuple[str, bool], list[float]] = {}
    for row in rows:
        alike.setdefault((row["timepoint"], is_confirmed(row)), []).append(day(row["on"]))
    for (name, sure), days in alike.items():
        shape = {"PD": "^", "NE": "_"}.get(name, "o")
        ax.plot(
            days, [place[name]] * len(days), marker=shape, markersize=4.6 if shape == "^" else 4, linestyle="", clip_on=False,
            markerfacecolor=DEPTH[name] if sure else "white", markeredgecolor=EDGE.get(name, DEPTH[name]), markeredgewidth=0.9,
            zorder=4,
        )  # fmt: skip
    crossed = [day(row["on"]) for row in rows if row["progression"] == "refuted"]
    ax.plot(crossed, [place["PD"]] * len(crossed), marker="x", markersize=6.5, color=INK, markeredgewidth=0.8, linestyle="", zorder=5)


def _name_progressions(ax: Axes, shown: Sequence[Progression], lang: str) -> None:
    """What is known of each progression, written above the ladder, clear of the others."""
    area = ax.get_window_extent()
    spans = []
    for each in shown:
        width = text_width(each.words(lang), SIZE - 0.4)
        x = ax.transData.transform((day(each.on), 0))[0] * POINTS / ax.figure.dpi
        left = min(max(x - width / 2, area.x0), area.x1 - width)
        spans.append((left, left + width, x, each))
    rows = rows_without_overlap([span[:2] for span in spans], 6)
    for (left, _, x, each), row in zip(spans, rows, strict=True):
        colour = DEPTH["PD"] if each.state != "refuted" else MUTED
        say(ax, day(each.on), -1, each.words(lang), dx=left - x, dy=-1 + row * (SIZE + 1), size=SIZE - 0.4, color=colour)
        if each.confirmed_on:
            ax.plot([day(each.on), day(each.confirmed_on)], [0, 0], color=DEPTH["PD"], linewidth=1.1, zorder=3)
