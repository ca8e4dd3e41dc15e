"""Forest plot of response rates: one row an arm of a single-arm trial, with its interval. It shows, it does not rank or pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ..evidence.measures import nearest_count, share
from ..evidence.outcomes import outcomes
from ..evidence.records import records
from ..evidence.tables import AGENTS, drug_said
from .drawing import GRID, INK, MUTED, SIZE, name_rows, say, shortened
from .pictures import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WARNING = {
    "en": "Single-arm trials are not comparable: patients, follow-up and who is counted differ. A row to the right is not a better drug.",
    "zh": "单臂试验之间不可比较：患者、随访和统计人群各不相同；位置靠右不代表药物更好。",
}
WORDS = {
    "en": {
        "title": "Response rate (ORR) in single-arm trials", "axis": "ORR, %, with its 95 % interval (Wilson's, where none is published)",
        "read": "read on a page", "unread": "from a review or memory, not checked",
        "left": "{} results without a number of patients are not drawn.",
    },
    "zh": {
        "title": "单臂试验的总缓解率（ORR）", "axis": "ORR（%）及95%置信区间（未发表者为Wilson区间）",
        "read": "已核对页面", "unread": "据综述或记忆，未核对", "left": "另有{}项结果未述例数，未绘出。",
    },
}  # fmt: skip
LEFT, ACROSS, RIGHT, ROW, FOOT, HEAD = 330.0, 220.0, 110.0, 11.0, 38.0, 30.0  # points


def single_arm_rates(measure: str = "orr", target: str | None = None) -> tuple[pl.DataFrame, int]:
    """The rates of antibody, bispecific, ADC and CAR-T arms of single-arm trials, and how many more lack their number of patients.

    Columns: `drugs`, `name` of the trial, `arm_name`, `population_en`, `population_zh`, `n`, `percent`, `low`, `high` (percent;
    published, else Wilson's from the nearest whole count), `tag`. Sorted by format and drug, never by result.
    `target`: only drugs against it.
    """
    drugs = records("drugs")
    wanted = [key for key, drug in drugs.items() if drug.get("format") in AGENTS and (target is None or target in drug.get("targets", ()))]
    table = outcomes().filter((pl.col("measure") == measure) & (pl.col("design") == "single_arm") & pl.col("percent").is_not_null())
    table = table.filter(pl.col("drugs").list.eval(pl.element().is_in(wanted)).list.any())
    counted = table.filter(pl.col("n").is_not_null())
    rows = [row | _interval(row) | {"format": drugs[row["drugs"][0]]["format"]} for row in counted.iter_rows(named=True)]
    columns = ("format", "drugs", "name", "arm_name", "population_en", "population_zh", "n", "percent", "low", "high", "tag")
    found = pl.DataFrame(rows, schema={name: outcomes().schema.get(name, pl.String) for name in columns})
    return found.sort("format", pl.col("drugs").list.join(" "), "name", maintain_order=True), table.height - counted.height


def _interval(row: dict[str, Any]) -> dict[str, float]:
    if row["low"] is not None and row["high"] is not None:
        return {}
    found = share(nearest_count(row["percent"], row["n"]), row["n"])
    return {"low": 100 * found.low, "high": 100 * found.high}


def forest(target: str | None = None, lang: str = "en") -> Picture | None:
    """The response rates of single-arm trials as a picture that carries its warning; None if there is nothing to draw.

    `target`: a key of targets, e.g. `bcma`. A filled mark was read on a page, an open one is from a review or memory. `lang`: `en`
    or `zh`.
    """
    rates, left = single_arm_rates(target=target)
    if not rates.height:
        return None
    from .figure import add_axes, new_figure, styled, to_svg

    lang = "zh" if lang.startswith("zh") else "en"
    height, width = ROW * rates.height + FOOT + HEAD, LEFT + ACROSS + RIGHT
    with styled():
        figure = new_figure(width, height)
        ax = add_axes(figure, LEFT, FOOT, ACROSS, ROW * rates.height)
        _draw(ax, rates, lang)
        for place, text, colour in ((height - 7, WORDS[lang]["title"], INK), (height - 17, WARNING[lang], "#b23a08")):
            figure.text(4 / width, place / height, text, size=SIZE, color=colour, va="center")
        under = f"● {WORDS[lang]['read']}   ○ {WORDS[lang]['unread']}   {WORDS[lang]['left'].format(left) if left else ''}"
        figure.text(4 / width, 5 / height, under, size=SIZE - 0.6, color=MUTED, va="center")
        body = to_svg(figure)
    return Picture(width, height, WORDS[lang]["title"], body, ())


def _draw(ax: Axes, rates: pl.DataFrame, lang: str) -> None:
    names = []
    for place, row in enumerate(rates.iter_rows(named=True)):
        drug = " + ".join(drug_said(each, lang) for each in row["drugs"])
        several = rates.filter(pl.col("name") == row["name"])["arm_name"].n_unique() > 1
        parts = (drug, row["name"], row["arm_name"] if several else None, row[f"population_{lang}"])
        names.append(shortened(" · ".join(part for part in parts if part), LEFT - 8, SIZE))
        ax.plot([row["low"], row["high"]], [place, place], color=INK)
        fill = INK if row["tag"] == "V" else "#ffffff"
        ax.plot(row["percent"], place, "o", markersize=3.8, markerfacecolor=fill, markeredgecolor=INK, clip_on=False, zorder=3)
        text = f"{row['percent']:.0f} ({row['low']:.0f}–{row['high']:.0f})  n={row['n']}  [{row['tag']}]"
        say(ax, 100, place, text, dx=8, size=SIZE - 0.4, color=INK)
    name_rows(ax, names)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True, color=GRID)
    ax.set_xlim(0, 100)
    ax.tick_params(axis="x", labelbottom=True)
    ax.set_xlabel(WORDS[lang]["axis"], fontsize=SIZE - 0.2, color=MUTED, labelpad=1)
