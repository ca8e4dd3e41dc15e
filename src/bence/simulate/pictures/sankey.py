"""Sankey: what happened first in each arm, and which clone was the largest when the disease came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...report.drawing import INK, MUTED, SIZE, say
from ...report.pictures import Picture
from ..blood import CLONES
from ..causes import CAUSES, state_on
from ..courses import Courses
from ..sequence import Strategies
from .frame import CLONES as CLONE_COLOURS
from .frame import NOTE_ROOM, colour, drawn, head
from .words import CLONES as CLONE_WORDS
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch, Rectangle

TALL, ACROSS, HEAD, BAR, SPACE = 230.0, 440.0, 34.0, 0.022, 0.035  # points; shares of the width and height of the axes
LEFT, RIGHT = 6.0, 100.0
EVENTS = {"progressed": "#c8430d", "died": "#1b2733", "free": "#1a7f4b", "lost": "#9aa6b0", "still": "#1a7f4b"}
CAUSE_COLOURS = {
    "antigen_lost": "#c8430d", "drug_resistant": "#7d5200", "t_cells_resistant": "#6a3d9a", "t_cells_exhausted": "#0b62a4",
    "car_t_gone": "#00664b", "other": "#8a949d",
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A column of a Sankey: its name, and the word and colour of each of its nodes, from the top down."""

    name: str
    nodes: Mapping[str, tuple[str, str]]


def endings(courses: Courses) -> pl.DataFrame:
    """`patient`, `arm`, `event` (progressed, died, free, lost: what came first) and `clone`, the largest one at progression.

    Progression is that of the investigator; people without an arm are left out.
    """
    people = courses.people
    seen = courses.events.filter(pl.col("what") == "progression").group_by("place").agg(pl.col("day").min())
    on = np.full(len(people), np.nan)
    on[seen["place"].to_numpy()] = seen["day"].to_numpy()
    lost = courses.events.filter(pl.col("what") == "lost_to_follow_up")["place"].unique().to_numpy()
    gone = np.isin(np.arange(len(people)), lost)
    event = np.select([~np.isnan(on), ~np.isnan(courses.died_on), gone], ["progressed", "died", "lost"], "free")
    sizes = np.array([state_on(courses, name, on) for name in CLONES])
    clone = np.where(np.isnan(on), "", np.array(CLONES)[np.argmax(np.nan_to_num(sizes, nan=-np.inf), axis=0)])
    table = pl.DataFrame({"patient": people.table["patient"], "arm": courses.arm, "event": event, "clone": clone})
    return table.with_columns(pl.col("arm", "clone").replace("", None)).filter(pl.col("arm").is_not_null())


def causes_of_relapse(courses: Courses, lang: str = "en") -> Picture | None:
    """Arm, first event, largest clone at relapse; None if nobody was assigned an arm."""
    words, zh = PICTURE[lang], lang == "zh"
    table = endings(courses)
    arms = [arm for arm in courses.protocol.arms if arm in set(table["arm"])]
    stages = (
        Stage(words["arm"], {arm: (arm, colour(place)) for place, arm in enumerate(arms)}),
        Stage(words["first_event"], {name: (words[name], EVENTS[name]) for name in ("progressed", "died", "lost", "free")}),
        Stage(words["relapse"], {name: (CLONE_WORDS[name][zh], CLONE_COLOURS[name]) for name in CLONES}),
    )
    return sankey(table.select("arm", "event", "clone"), stages, words["sankey"], lang) if arms else None


def causes_by_strategy(found: Strategies, lang: str = "en") -> Picture | None:
    """Strategy, why the disease came back first, why it came back again."""
    words, zh = PICTURE[lang], lang == "zh"
    table = pl.concat([
        people.select(strategy=pl.lit(name), first=pl.col("first_cause").fill_null("still"),
                      second=pl.when(pl.col("first_cause").is_not_null()).then(pl.col("second_cause").fill_null("still")))
        for name, people in zip(found.names, found.people, strict=True)
    ])  # fmt: skip
    known = {name: (said[zh], CAUSE_COLOURS[name]) for name, said in CAUSES.items()} | {"still": (words["still"], EVENTS["still"])}
    stages = (
        Stage(words["strategy"], {name: (name, colour(place)) for place, name in enumerate(found.names)}),
        Stage(words["first_relapse"], known), Stage(words["second_relapse"], known),
    )  # fmt: skip
    return sankey(table, stages, words["why"], lang)


def sankey(table: pl.DataFrame, stages: Sequence[Stage], title: str, lang: str) -> Picture | None:
    """People (a row each, a column a stage; null: they go no further) as bands between stages; None without people."""
    if not table.height:
        return None
    height = TALL + HEAD + NOTE_ROOM + 4
    return drawn(LEFT + ACROSS + RIGHT, height, title, lang, lambda figure: _draw(figure, table, stages, title, height))


def _draw(figure: Figure, table: pl.DataFrame, stages: Sequence[Stage], title: str, height: float) -> None:
    from ...report.figure import add_axes

    head(figure, 2, height - 8, title, f"n = {table.height:,}")
    ax = add_axes(figure, LEFT, NOTE_ROOM + 4, ACROSS, TALL)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.axis("off")
    most = max(len(stage.nodes) for stage in stages)
    scale = (1 - SPACE * (most - 1)) / table.height
    places = [_places(table[column], stage, scale) for column, stage in zip(table.columns, stages, strict=True)]
    for number, (stage, nodes) in enumerate(zip(stages, places, strict=True)):
        x = number * (1 - BAR) / (len(stages) - 1)
        say(ax, x, 1, stage.name, dy=9, color=MUTED, size=SIZE - 0.4)
        for name, (top, size) in nodes.items():
            word, fill = stage.nodes[name]
            ax.add_patch(_box(x, top - size, size, fill))
            told = f"{word} {round(size / scale):,} ({size / scale / table.height:.0%})"
            say(ax, x + BAR, top - size / 2, told, dx=3, size=SIZE - 0.6, color=INK, zorder=6)
    for number in range(len(stages) - 1):
        x = number * (1 - BAR) / (len(stages) - 1) + BAR
        for band in _bands(table, number, places, scale):
            ax.add_patch(_ribbon(x, (number + 1) * (1 - BAR) / (len(stages) - 1), *band[:3], stages[number].nodes[band[3]][1]))


def _places(column: pl.Series, stage: Stage, scale: float) -> dict[str, tuple[float, float]]:
    """The top and size of each node that has people."""
    counts, top, found = dict(column.drop_nulls().value_counts().iter_rows()), 1.0, {}
    for name in stage.nodes:
        if counts.get(name):
            found[name] = (top, counts[name] * scale)
            top -= counts[name] * scale + SPACE
    return found


def _bands(
    table: pl.DataFrame, number: int, places: Sequence[Mapping[str, tuple[float, float]]], scale: float
) -> Iterator[tuple[float, float, float, str]]:
    """From one stage to the next: where each band leaves and arrives (its top), its size, and the node it leaves."""
    one, other = table.columns[number : number + 2]
    counts = {(a, b): n for a, b, n in table.drop_nulls([one, other]).group_by(one, other).len().iter_rows()}
    left = {name: top for name, (top, _) in places[number].items()}
    right = {name: top for name, (top, _) in places[number + 1].items()}
    for a in places[number]:
        for b in places[number + 1]:
            size = counts.get((a, b), 0) * scale
            if size:
                yield left[a], right[b], size, a
                left[a], right[b] = left[a] - size, right[b] - size


def _box(x: float, foot: float, size: float, fill: str) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((x, foot), BAR, size, facecolor=fill, linewidth=0, zorder=4)


def _ribbon(x0: float, x1: float, top0: float, top1: float, size: float, fill: str) -> PathPatch:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    middle = (x0 + x1) / 2
    places = [(x0, top0), (middle, top0), (middle, top1), (x1, top1), (x1, top1 - size), (middle, top1 - size),
              (middle, top0 - size), (x0, top0 - size), (x0, top0)]  # fmt: skip
    kinds = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(places, kinds), facecolor=fill, alpha=0.32, linewidth=0, zorder=2)
