"""The twin of a patient: measured values, what the siblings did, and what they do next, in bands of 50 and 90 %."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...report.drawing import INK, INVOLVED, MRD, MUTED, SERUM, SIZE, Tips, day, say
from ...report.pictures import Picture
from ..twin import Twin
from .frame import NOTE_ROOM, drawn, head
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {"m_protein": ("g/L", SERUM, 120.0), "involved_flc": ("mg/L", INVOLVED, 110.0), "mrd": ("", MRD, 100.0)}
LOWEST = {"m_protein": 0.3, "involved_flc": 1.0, "mrd": 1e-8}
LEFT, ACROSS, RIGHT, GAP, SHARE = 110.0, 400.0, 60.0, 16.0, 62.0  # points


def forecast(twin: Twin, lang: str = "en", later: pl.DataFrame | None = None) -> Picture:
    """The picture of a twin. `later`: values measured after its day, as in `Twin.measured`, drawn and not used."""
    after = twin.measured.clear() if later is None else later
    shown = [name for name in PANELS if _worth(twin, name)]
    height = NOTE_ROOM + 40 + sum(PANELS[name][2] + GAP for name in shown) + SHARE + GAP
    return drawn(LEFT + ACROSS + RIGHT, height, PICTURE[lang]["twin"], lang, lambda figure: _draw(figure, twin, after, shown, lang, height))


def _worth(twin: Twin, name: str) -> bool:
    """Is there a value, or a forecast that could be measured?"""
    top = twin.forecast.filter(pl.col("what") == name)["high"].max()
    return name == "mrd" or name in set(twin.measured["what"]) or (isinstance(top, float) and top > LOWEST[name])


def _draw(figure: Figure, twin: Twin, later: pl.DataFrame, shown: Sequence[str], lang: str, height: float) -> Tips:
    from ...report.figure import add_axes, mark_time

    words, wide = PICTURE[lang], LEFT + ACROSS + RIGHT
    head(figure, LEFT, height - 7, words["today"].format(twin.at), f"— {words['middle']}   ▒ {words['half']}   ░ {words['most']}")
    marks = f"● {words['measured']}   ○ {words['later']}   ▽ {words['limit']}"
    figure.text(LEFT / wide, (height - 16) / height, marks, size=SIZE - 0.6, color=MUTED, va="center")
    foot = NOTE_ROOM + 16
    behind = add_axes(figure, LEFT, foot, ACROSS, height - foot - 22)
    mark_time(behind, day(twin.origin) - 10, day(twin.forecast["on"].max()) + 3)  # type: ignore[arg-type]
    behind.set_ylim(0, 1)
    behind.yaxis.set_visible(False)
    behind.axvspan(day(twin.at), behind.get_xlim()[1], color="#f3f5f7", linewidth=0, zorder=0)
    behind.axvline(day(twin.at), color=INK, linewidth=0.9)
    top, tips = height - 24, []
    for name in shown:
        unit, fill, tall = PANELS[name]
        top -= tall + GAP
        ax = add_axes(figure, LEFT, top + GAP / 2, ACROSS, tall, above=behind)
        found = _bands(ax, twin, later, name, fill)
        _name(figure, ax, words[name], f"{unit}, {words['log']}" if unit else words["share"], wide, height)
        places = ax.transData.transform([(x, y) for x, y, _ in found]).tolist() if found else []
        tips += [(x, y, tip) for (x, y), (_, _, tip) in zip(places, found, strict=True)]
    ax = add_axes(figure, LEFT, foot, ACROSS, SHARE, above=behind)
    ax.plot([day(on) for on in twin.progressed["on"]], twin.progressed["share"].to_numpy(), color="#c8430d", linewidth=1.2)
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.5, 1], ["0", "50", "100"])
    say(
        ax,
        day(twin.progressed["on"][-1]),
        twin.progressed["share"][-1],
        f"{twin.progressed['share'][-1]:.0%}",
        dx=5,
        color="#c8430d",
        weight="bold",
    )
    _name(figure, ax, words["progressed_share"], words["share_of"], wide, height)
    return tips


def _name(figure: Figure, ax: Axes, name: str, unit: str, wide: float, tall: float) -> None:
    figure.text(2 / wide, (ax.bbox.y1 - 4) / tall, name, va="center", weight="bold")
    figure.text(2 / wide, (ax.bbox.y1 - 13) / tall, unit, va="center", color=MUTED, size=SIZE - 0.6)


def _bands(ax: Axes, twin: Twin, later: pl.DataFrame, name: str, fill: str) -> Tips:
    rows = twin.forecast.filter(pl.col("what") == name)
    days = np.array([day(on) for on in rows["on"]])
    seen, after = (table.filter(pl.col("what") == name) for table in (twin.measured, later))
    floor = LOWEST[name]
    known = [value for table in (seen, after) for value in (*table["value"].drop_nulls(), *table["limit"].drop_nulls()) if value > 0]
    high = max([3 * floor, *known, *(rows["high"].max(),)]) * 1.6  # type: ignore[type-var]
    _log(ax, floor, float(high), name == "mrd")
    for low_name, high_name, shade in (("low", "high", 0.16), ("lower", "upper", 0.32)):
        below, above = (np.maximum(rows[column].to_numpy(), floor) for column in (low_name, high_name))
        ax.fill_between(days, below, above, color=fill, alpha=shade, linewidth=0)
    ax.plot(days, np.maximum(rows["middle"].to_numpy(), floor), color=fill, linewidth=1.2)
    return _marks(ax, seen, fill, fill, floor) + _marks(ax, after, fill, "white", floor)


def _marks(ax: Axes, values: pl.DataFrame, edge: str, inside: str, floor: float) -> Tips:
    tips: Tips = []
    for on, value, comparator, limit in values.select("on", "value", "comparator", "limit").iter_rows():
        found = value is not None and value > 0 and comparator != "<"
        y = value if value is not None and value > 0 else limit
        if y is None:
            continue
        if limit:
            ax.plot([day(on)], [limit], "_", color=MUTED, markersize=7, zorder=5)
        ax.plot(
            [day(on)],
            [max(y, floor)],
            "o" if found else "v",
            markersize=3.6,
            markerfacecolor=inside if found else "white",
            markeredgecolor=edge,
            zorder=6,
        )
        tips.append((day(on), max(y, floor), f"{'' if found else '<'}{y:.3g} · {on}"))
    return tips


def _log(ax: Axes, low: float, high: float, tiny: bool) -> None:
    from ...report.markers import log_ticks

    ax.set_yscale("log")
    ax.minorticks_off()
    ticks = log_ticks(low, high)[:: 2 if tiny else 1]
    ax.set_yticks(ticks, [f"{y:.0e}".replace("e-0", "e-").replace("e+00", "") if tiny else f"{y:g}" for y in ticks])
    ax.set_ylim(low, high)
