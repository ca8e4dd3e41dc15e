"""The course of one virtual patient: what is true in the model, and what its virtual records show of it, on one time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ...chart import Chart
from ...report.curves import Point, draw_curve, points
from ...report.drawing import DEPTH, INK, INVOLVED, MRD, MUTED, SERUM, SIZE, Tips, day, say
from ...report.markers import log_scale, log_ticks
from ...report.mrd import draw_mrd, mrd_tests
from ...report.pictures import Picture
from ...report.therapy import draw_lanes, lanes
from ..blood import CLONES, cells
from ..course import run
from ..courses import Courses
from ..measurement import marrow_share, measurement
from ..position import ALLOCATED_TOGETHER
from ..visits import visits
from .frame import CLONES as COLOURS
from .frame import NOTE_ROOM, drawn
from .words import CLONES as CLONE_WORDS
from .words import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

EXPOSED = (
    "bcma_central",
    "gprc5d_central",
    "fcrh5_central",
    "cd38_central",
    "adc_central",
    "pi",
    "imid",
    "alkylator",
    "steroid",
    "gsi",
    "checkpoint",
)
KEPT = (*CLONES, *EXPOSED, "resting_t", "activated_t", "fitness", "car_effector", "car_memory", "m_protein", "involved_flc", "il6")
LEFT, ACROSS, RIGHT, GAP, FOOT = 102.0, 386.0, 82.0, 9.0, 26.0  # points
LEAST_CELLS, SEEN, LITTLE = 0.3, 1e-6, 0.01  # cells, share of a dose, CAR-T cells/uL below which nothing is drawn
MOST_DAYS = 500  # drawn of a course; of a longer one every second or third day
NEAR = 4  # days about a CRS in which its peak of IL-6 is looked for
BEFORE = 60  # days before entry from which records are shown


@dataclass(frozen=True)
class Life:
    """One virtual patient: the states of the model on the days `at` from `entry` on (`il6`: the peak up to the next of them), and the
    chart of this patient from shortly before it."""

    patient: str
    entry: date
    at: Floats
    states: dict[str, Floats]
    il6: Floats
    extinct: dict[str, float]
    last: int
    chart: Chart
    lang: str

    @property
    def days(self) -> Floats:
        """Places on the time axis of the days of `states`."""
        return day(self.entry) + self.at


def lives(courses: Courses, chart: Chart, patients: Sequence[str], lang: str = "en") -> list[Life]:
    """These patients of a cohort again, day by day. `courses` and `chart`: of the whole cohort.

    The same person meets the same course; where a protocol randomises, those whom it allocates together are run together.
    """
    people = courses.people
    wanted = people.table["patient"].is_in(list(patients)).to_numpy()
    if any(step.randomise for step in courses.protocol.steps):
        together = people.numbers // ALLOCATED_TOGETHER
        rows = np.flatnonzero(np.isin(together, together[wanted]))
    else:
        rows = np.flatnonzero(wanted)
    own = replace(people, table=people.table[rows], parameters=people.parameters[:, rows])
    again = run(own, courses.protocol, courses.seed, every=1, keep=KEPT)
    places = {name: place for place, name in enumerate(own.table["patient"])}
    entry = visits(courses).entry[rows]
    return [_life(again, chart, patient, places[patient], int(entry[places[patient]]), lang) for patient in patients]


def _life(courses: Courses, chart: Chart, patient: str, place: int, entry: int, lang: str) -> Life:
    last = int(courses.last_on[place])
    began = date(1970, 1, 1) + timedelta(entry)
    at = np.arange(0, last + 1, 1 + last // MOST_DAYS)
    own, first = chart.only(patient), began - timedelta(BEFORE)
    recent = Chart(
        own.patients, own.observations.filter(pl.col("on") >= first), own.treatments.filter(pl.col("started_on") >= first),
        own.events.filter(pl.col("on") >= first),
    )  # fmt: skip
    return Life(
        patient, began, at.astype(float), {name: courses.state(name)[at, place] for name in courses.kept},
        np.fmax.reduceat(courses.peaks[: last + 1, courses.peaked.index("il6"), place], at),
        {name: float(courses.extinct[number, place]) for number, name in enumerate(CLONES)}, last, recent, lang,
    )  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """A part of the picture: name and unit at its left, its height in points, and what draws it."""

    name: str
    unit: str
    height: float
    draw: Callable[[Axes, Life], Tips]


def course(life: Life) -> Picture:
    """The picture of one virtual patient."""
    panels = _panels(life)
    tall = FOOT + NOTE_ROOM + sum(panel.height + GAP for panel in panels)
    wide = LEFT + ACROSS + RIGHT
    return drawn(wide, tall, PICTURE[life.lang]["patient"], life.lang, lambda figure: _draw(figure, life, panels, tall))


def _draw(figure: Figure, life: Life, panels: Sequence[Panel], tall: float) -> list[tuple[float, float, str]]:
    from ...report.figure import add_axes, mark_time

    foot = FOOT + NOTE_ROOM - 10
    behind = add_axes(figure, LEFT, foot, ACROSS, tall - foot - 6)
    mark_time(behind, day(life.entry) - BEFORE / 2, day(life.entry) + life.last + 10)
    behind.set_ylim(0, 1)
    behind.yaxis.set_visible(False)
    behind.axvline(day(life.entry), color="#9aa6b0", linewidth=0.6)
    for on in life.chart.events.filter(pl.col("what") == "progression")["on"]:
        behind.axvline(day(on), color=DEPTH["PD"], linestyle=(0, (4, 2)), linewidth=0.8)
    wide, top, tips = LEFT + ACROSS + RIGHT, tall - 2, []
    for panel in panels:
        top -= panel.height + GAP
        ax = add_axes(figure, LEFT, top, ACROSS, panel.height, above=behind)
        found = panel.draw(ax, life)
        figure.text(2 / wide, (ax.bbox.y1 - 4) / tall, panel.name, va="center", weight="bold")
        figure.text(2 / wide, (ax.bbox.y1 - 13) / tall, panel.unit, va="center", color=MUTED, size=SIZE - 0.6)
        places = ax.transData.transform([(x, y) for x, y, _ in found]).tolist() if found else []
        tips += [(x, y, tip) for (x, y), (_, _, tip) in zip(places, found, strict=True)]
    return tips


def _panels(life: Life) -> list[Panel]:
    words, log = PICTURE[life.lang], PICTURE[life.lang]["log"]
    end = life.entry + timedelta(life.last)
    given = lanes(life.chart.treatments, [], end, life.lang)
    exposed = [name for name in EXPOSED if np.nanmax(life.states[name]) > SEEN]
    car = np.nanmax(life.states["car_effector"] + life.states["car_memory"])
    found = [Panel(words["clones"], words["cells"], 110, _clones)]
    if given:
        found.insert(
            0, Panel(words["therapy"], "", 9.7 * len(given) + 3, lambda ax, _: draw_lanes(ax, given, 0.004 * life.last + 0.5, LEFT - 10))
        )
    if exposed:
        found.append(Panel(words["exposure"], words["of_peak"], 17 * len(exposed), lambda ax, who: _exposure(ax, who, exposed)))
    found.append(Panel(words["t_cells"], words["healthy"], 58, _t_cells))
    if car > LITTLE:
        found.append(Panel(words["car_t"], f"/µL, {log}", 54, _car_t))
    for name, code, unit, colour in _proteins(life):
        found.append(Panel(words[name], f"{unit}, {log}", 66, lambda ax, who, n=name, c=code, k=colour: _protein(ax, who, n, c, k)))
    found.append(Panel(words["mrd"], words["share"], 62, _mrd))
    found.append(Panel(words["il6"], f"pg/mL, {log}", 58, _il6))
    return found


def _proteins(life: Life) -> list[tuple[str, str, str, str]]:
    """State, code of the chart, unit and colour of the proteins this patient makes."""
    chain = life.chart.patients["light_chain"][0]
    found = [("m_protein", "serum_m_protein", "g/L", SERUM)] if np.nanmax(life.states["m_protein"]) > 1 else []
    return found + ([("involved_flc", f"{chain}_flc", "mg/L", INVOLVED)] if chain in ("kappa", "lambda") else [])


def _clones(ax: Axes, life: Life) -> Tips:
    ax.set_yscale("log")
    ax.minorticks_off()
    whole = {name: np.exp(np.maximum(life.states[name], -50)) for name in CLONES}
    ax.set_ylim(LEAST_CELLS, max(3 * np.nanmax(sum(whole.values())), 1e3))
    ticks = [10.0**power for power in range(0, 14, 3) if 10.0**power < ax.get_ylim()[1]]
    ax.set_yticks(ticks, ["1", *(f"10{str(int(np.log10(y))).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" for y in ticks[1:])])
    ax.axhline(1, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
    gone = []
    for name, size in whole.items():
        ax.plot(life.days, np.where(size >= LEAST_CELLS, size, np.nan), color=COLOURS[name], linewidth=1.1, zorder=3)
        if not np.isnan(life.extinct[name]):
            at = day(life.entry) + life.extinct[name]
            ax.plot([at], [1], "x", color=COLOURS[name], markersize=5, markeredgewidth=1.3, zorder=5)
            gone.append((at, 1.0, f"{CLONE_WORDS[name][life.lang == 'zh']}: {PICTURE[life.lang]['extinct']}"))
    say(ax, ax.get_xlim()[1], 1, PICTURE[life.lang]["one_cell"], dx=3, size=SIZE - 1, color=MUTED)
    _names(ax, [(CLONE_WORDS[name][life.lang == "zh"], COLOURS[name], whole[name][-1] >= LEAST_CELLS) for name in CLONES])
    return gone


def _names(ax: Axes, parts: Sequence[tuple[str, str, bool]]) -> None:
    """Words in colour down the right of a panel, pale where what they name is gone."""
    for place, (word, colour, there) in enumerate(parts):
        y = 1 - (place + 0.5) * 8.5 / ax.bbox.height
        ax.annotate(word, (1, y), xycoords="axes fraction", xytext=(4, 0), textcoords="offset points", va="center", color=colour,
                    size=SIZE - 0.6, alpha=1 if there else 0.55, annotation_clip=False)  # fmt: skip


def _exposure(ax: Axes, life: Life, exposed: Sequence[str]) -> Tips:
    from ..model import read_model

    states = {state.name: state for state in read_model().states}
    shades = (SERUM, "#00664b", "#6a3d9a", "#7d5200", "#c8430d")
    for place, name in enumerate(exposed):
        share = life.states[name] / np.nanmax(life.states[name])
        foot, fill = len(exposed) - 1 - place, shades[place % len(shades)]
        ax.fill_between(life.days, foot, foot + 0.86 * share, color=fill, alpha=0.35, linewidth=0)
        ax.plot(life.days, foot + 0.86 * share, color=fill, linewidth=0.5)
        what = states[name].what_zh if life.lang == "zh" else states[name].what_en
        unit = {"standard doses": {"en": "doses", "zh": "剂"}[life.lang]}.get(states[name].unit, states[name].unit)
        say(ax, ax.get_xlim()[1], foot + 0.55, _short(what), dx=4, size=SIZE - 1, color=fill)
        say(ax, ax.get_xlim()[1], foot + 0.12, f"{np.nanmax(life.states[name]):.3g} {unit}", dx=4, size=SIZE - 1, color=MUTED)
    ax.set_ylim(0, len(exposed))
    ax.set_yticks([])
    return []


def _short(what: str) -> str:
    """The name of a drug's state for a narrow margin."""
    return what.removesuffix(" antibody in plasma").removesuffix(" in plasma").removeprefix("血浆").removesuffix("抗体").split(" or ")[0]


def _t_cells(ax: Axes, life: Life) -> Tips:
    parts = (("resting_t", SERUM), ("activated_t", "#c8430d"), ("fitness", "#00664b"))
    for name, fill in parts:
        ax.plot(life.days, life.states[name], color=fill, linewidth=1.0, linestyle="--" if name == "fitness" else "-")
    top = max(1.05, 1.08 * max(float(np.nanmax(life.states[name])) for name, _ in parts))
    ax.set_ylim(0, top)
    ax.axhline(1, color=MUTED, linewidth=0.5, linestyle=(0, (4, 3)))
    _names(ax, [(PICTURE[life.lang][name].split(" (")[0].split("（")[0], fill, True) for name, fill in parts])
    return []


def _car_t(ax: Axes, life: Life) -> Tips:
    for name, fill in (("car_effector", "#b8500f"), ("car_memory", "#6a3d9a")):
        size = life.states[name]
        ax.plot(life.days, np.where(size > LITTLE, size, np.nan), color=fill, linewidth=1.0)
    top = 2 * float(np.nanmax(life.states["car_effector"] + life.states["car_memory"]))
    _log(ax, LITTLE, max(top, 1))
    _names(ax, [(PICTURE[life.lang]["car_effector"], "#b8500f", True), (PICTURE[life.lang]["car_memory"], "#6a3d9a", True)])
    return []


def _log(ax: Axes, low: float, high: float) -> None:
    ax.set_yscale("log")
    ax.minorticks_off()
    ticks = log_ticks(low, high)
    ax.set_yticks(ticks, [f"{y:g}" for y in ticks])
    ax.set_ylim(low, high)


def _protein(ax: Axes, life: Life, name: str, code: str, fill: str) -> Tips:
    seen: list[Point] = points(life.chart.observations, code, life.lang)
    truth = life.states[name]
    floor = log_scale(ax, [*(point.value for point in seen), float(np.nanmax(truth))], "0")
    tips = draw_curve(ax, seen, fill, floor)
    ax.plot(life.days, np.where(truth >= floor, truth, np.nan), color=INK, linewidth=0.6, alpha=0.7, zorder=2)
    _names(ax, [(PICTURE[life.lang]["measured"], fill, True), (PICTURE[life.lang]["truth"], INK, True)])
    return tips


def _mrd(ax: Axes, life: Life) -> Tips:
    truth = marrow_share(cells({name: life.states[name] for name in CLONES}))
    tips = draw_mrd(ax, mrd_tests(life.chart.observations, life.lang))
    low, _ = ax.get_ylim()
    _powers(ax, min(low, 1e-8), 1.5)
    ax.plot(life.days, np.where(truth >= ax.get_ylim()[0], truth, np.nan), color=INK, linewidth=0.6, alpha=0.7, zorder=2)
    for limit in (1e-5, 1e-6):
        ax.axhline(limit, color=MUTED, linewidth=0.5, linestyle=(0, (4, 3)), zorder=1)
    _names(ax, [(PICTURE[life.lang]["measured"], MRD, True), (PICTURE[life.lang]["truth"], INK, True)])
    return tips


def _powers(ax: Axes, low: float, high: float) -> None:
    powers = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1, 2)
    ax.set_yticks([10.0**k for k in powers], [f"10{str(k).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}" for k in powers])
    ax.set_ylim(low, high)


def _il6(ax: Axes, life: Life) -> Tips:
    peak = np.fmax(life.il6, 0.3)
    ax.plot(life.days, peak, color="#7d5200", linewidth=0.9)
    _log(ax, 0.5, max(3 * float(np.nanmax(peak)), 30))
    tips: Tips = []
    for on, grade in life.chart.events.filter(pl.col("what") == "crs").sort("on").select("on", "grade").iter_rows():
        at, word = day(on), PICTURE[life.lang]["grade"].format(grade)
        around = float(np.nanmax(peak[np.abs(life.days - at) <= NEAR], initial=1.0))
        ax.plot([at], [around], "^", color="#b23a08", markersize=4.2, zorder=4)
        say(ax, at, around, word, dx=5, dy=3, size=SIZE - 0.6, color="#b23a08")
        tips.append((at, around, f"{word} · {on}"))
    for grade, level in enumerate(measurement()["crs"]["grades"], 1):
        if level < ax.get_ylim()[1]:
            ax.axhline(level, color="#b23a08", linewidth=0.4, linestyle=(0, (2, 3)), zorder=1)
            say(ax, ax.get_xlim()[1], level, PICTURE[life.lang]["grade"].format(grade), dx=4, size=SIZE - 1, color="#b23a08")
    return tips
