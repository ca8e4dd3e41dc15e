"""Survival curves with their 95 % bands and, under them, how many were at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...assess.survival import Curve, kaplan_meier
from ...report.drawing import MUTED, SIZE, shortened, text_width
from ...report.pictures import Picture
from ..course import MONTH
from .frame import NOTE_ROOM, colour, drawn, head, months_axis, percent_axis
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, ACROSS, RIGHT, TALL, ROW, HEAD, AXIS = 110.0, 400.0, 60.0, 150.0, 9.5, 20.0, 30.0  # points


def curves_of(patients: pl.DataFrame, name: str) -> dict[str, Curve]:
    """Curves by arm of a table of patients (`trial.JUDGED`); `name`: pfs or os."""
    known = patients.filter(pl.col("arm").is_not_null())
    return {
        str(arm): kaplan_meier(rows[f"{name}_days"].to_numpy(), rows[f"{name}_event"].to_numpy())
        for (arm,), rows in known.group_by("arm", maintain_order=True)
    }


def survival(curves: Mapping[str, Curve], title: str, lang: str = "en") -> Picture | None:
    """The curves by name, in the order of their colours; None if there is none."""
    if not curves:
        return None
    foot = NOTE_ROOM + ROW * len(curves) + AXIS
    return drawn(LEFT + ACROSS + RIGHT, foot + TALL + HEAD, title, lang, lambda figure: _draw(figure, curves, title, lang, foot))


def _draw(figure: Figure, curves: Mapping[str, Curve], title: str, lang: str, foot: float) -> None:
    from ...report.figure import add_axes

    ax = add_axes(figure, LEFT, foot, ACROSS, TALL)
    end = max((curve.follow_up[0] for curve in curves.values() if curve.follow_up), default=1.0) / MONTH
    for place, curve in enumerate(curves.values()):
        _curve(ax, curve, colour(place))
    percent_axis(ax)
    months_axis(ax, max(end, 1.0), lang)
    head(figure, 2, foot + TALL + 10, title, "%")
    _name_ends(ax, curves, end)
    wide, tall = figure.get_size_inches() * 72
    figure.text(2 / wide, (foot - AXIS + 6) / tall, PICTURE[lang]["at_risk"], size=SIZE - 0.8, color=MUTED, va="center")
    for place, (name, curve) in enumerate(curves.items()):
        y = (foot - AXIS - ROW * (place + 0.5)) / tall
        figure.text(2 / wide, y, shortened(name, LEFT - 22), size=SIZE - 0.4, color=colour(place), va="center")
        for month in ax.get_xticks():
            x = (LEFT + ACROSS * month / ax.get_xlim()[1]) / wide
            figure.text(x, y, f"{curve.at_risk(month * MONTH):,}", size=SIZE - 0.6, color=colour(place), va="center", ha="center")


def _curve(ax: Axes, curve: Curve, fill: str) -> None:
    last = curve.follow_up[0] if curve.follow_up else 0.0
    days = np.array([0.0, *curve.days, last]) / MONTH

    def steps(values: tuple[float, ...]) -> list[float]:
        return [1.0, *values, values[-1] if values else 1.0]

    ax.fill_between(days, steps(curve.low), steps(curve.high), step="post", color=fill, alpha=0.16, linewidth=0)
    ax.step(days, steps(curve.free), where="post", color=fill, linewidth=1.3)


def _name_ends(ax: Axes, curves: Mapping[str, Curve], end: float) -> None:
    """The name of each curve at its end, pushed apart where they would meet; none where one is too long (all are under the axis)."""
    least, places = 8.0 / TALL, []
    ends = sorted((curve.free[-1] if curve.free else 1.0, place, name) for place, (name, curve) in enumerate(curves.items()))
    for free, place, name in ends if all(text_width(name) < RIGHT for name in curves) else ():
        at = max(free, places[-1] + least) if places else free
        places.append(at)
        ax.annotate(name, (end, at), xytext=(4, 0), textcoords="offset points", va="center", color=colour(place),
                    size=SIZE - 0.4, weight="bold", annotation_clip=False)  # fmt: skip
