"""The response ladder: every assessment on the step of its category, filled where confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from .drawing import DEPTH, EDGE, INK, MUTED, SIZE, Tips, day, name_rows, rows_without_overlap, say, text_width
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def draw_ladder(ax: Axes, visits: pl.DataFrame, lines: Sequence[tuple[int, date, date]], shown: Sequence[Progression], lang: str) -> Tips:
    """Draw assessments and the best confirmed response of each line; returns tips."""
    names = steps(visits)
    place = {name: i for i, name in enumerate(names)}
    name_rows(ax, names, SIZE - 0.2, above=1.6)
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
    if runs:
        names, starts, ends = zip(*runs, strict=True)
        rungs, colours = [place[name] for name in names], [DEPTH[name] for name in names]
        ax.hlines(rungs, [*map(day, starts)], [*map(day, ends)], colours, linewidth=4.6, alpha=0.32, zorder=1)


def _marks(ax: Axes, rows: Sequence[Mapping[str, Any]], place: Mapping[str, int]) -> None:
    """Every assessment on its step: filled where confirmed, crossed where the next sample did not confirm it."""
    alike: dict[tuple[str, bool], list[float]] = {}
    for row in rows:
        alike.setdefault((row["timepoint"], is_confirmed(row)), []).append(day(row["on"]))
    for (name, sure), days in alike.items():
        shape = {"PD": "^", "NE": "_"}.get(name, "o")
        ax.plot(
            days, [place[name]] * len(days), shape, markersize=4.6 if shape == "^" else 4, clip_on=False, zorder=4,
            markerfacecolor=DEPTH[name] if sure else "white", markeredgecolor=EDGE.get(name, DEPTH[name]),
        )  # fmt: skip
    crossed = [day(row["on"]) for row in rows if row["progression"] == "refuted"]
    if crossed:
        ax.plot(crossed, [place["PD"]] * len(crossed), "x", markersize=6.5, color=INK, markeredgewidth=0.8, zorder=5)


def _name_progressions(ax: Axes, shown: Sequence[Progression], lang: str) -> None:
    """What is known of each progression, written above the ladder, clear of the others."""
    spans = []
    for each in shown:
        width = text_width(each.words(lang), SIZE - 0.4)
        x = float(ax.transData.transform((day(each.on), 0))[0])
        left = min(max(x - width / 2, ax.bbox.x0), ax.bbox.x1 - width)
        spans.append((left, left + width, x, each))
    rows = rows_without_overlap([span[:2] for span in spans], 6)
    for (left, _, x, each), row in zip(spans, rows, strict=True):
        colour = DEPTH["PD"] if each.state != "refuted" else MUTED
        up = row * (SIZE + 1) - 1
        say(ax, day(each.on), -1, each.words(lang), left - x, up, size=SIZE - 0.4, color=colour)
        if each.confirmed_on:
            ax.plot([day(each.on), day(each.confirmed_on)], [0, 0], color=DEPTH["PD"], linewidth=1.1, zorder=3)
