"""The course of one patient as data for a chart that can be zoomed: what the printed picture shows, panel by panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from ..assess import wording
from ..assess.story import ResponseStory
from ..chart import Chart
from ..explain import unit_said
from . import events
from .curves import Point, points, standing
from .drawing import DEPTH, EDGE, INVOLVED, MARROW, MRD, SERUM, UNINVOLVED, URINE
from .ladder import is_confirmed, progressions, steps
from .mrd import mrd_tests
from .therapy import Bar, lanes
from .words import PICTURE

IFE = {"serum_ife": "ife_serum", "serum_ife_shifted": "ife_shifted", "urine_ife": "ife_urine"}
LOG = (("serum_m_protein", "serum", "g/L", SERUM), ("urine_m_protein", "urine", "mg/24h", URINE))
Data = dict[str, Any]


def series(chart: Chart, story: ResponseStory, lang: str) -> Data | None:
    """The course of the one patient of a chart; None if there is nothing with a date.

    `first`, `last`, `died` (days), `lines`, `progressions`, and `panels`: each with `kind` (lanes, marks, ladder, bands, curves, mrd),
    name, unit and what it holds, every point with a `tip` in words.
    """
    dates = _dates(chart)
    panels = [panel for panel in _panels(chart, story, max(dates), lang) if panel] if dates else []
    if not panels:
        return None
    words = PICTURE[lang]
    starts = story.lines["started_on"].to_list()
    spans = zip(story.lines["line"].to_list(), starts, [*starts[1:], max(dates)], strict=False)
    return {
        "first": min(dates), "last": max(dates), "died": chart.patients["died_on"][0],
        "lines": [{"name": words["line"].format(line), "start": start, "end": end} for line, start, end in spans],
        "progressions": [
            {"on": each.on, "sure": each.state == "confirmed", "tip": each.words(lang)}
            for each in progressions(story.visits, story.values)
        ],
        "panels": panels,
    }  # fmt: skip


def _dates(chart: Chart) -> list[date]:
    columns = [chart.observations["on"], chart.treatments["started_on"], chart.treatments["stopped_on"], chart.events["on"]]
    columns += [chart.patients["died_on"], chart.patients["last_seen_on"]]
    return [on for column in columns for on in column.drop_nulls()]


def _panels(chart: Chart, story: ResponseStory, last: date, lang: str) -> list[Data | None]:
    words, seen = PICTURE[lang], chart.observations
    return [
        _therapy(chart, story, last, lang),
        _marks(chart, lang),
        _ladder(story.visits, lang),
        _bands(seen, lang),
        *(_curves(words[name], unit_said(unit, lang), {"": (points(seen, code, lang), colour)}) for code, name, unit, colour in LOG),
        _chains(chart, lang),
        _curves(words["marrow"], "%", {"": (points(seen, "marrow_plasma_cells", lang), MARROW)}),
        _mrd(seen, lang),
    ]


def _therapy(chart: Chart, story: ResponseStory, last: date, lang: str) -> Data | None:
    found = lanes(chart.treatments, story.lines["started_on"].to_list(), last, lang)
    told = [
        {"name": lane.label, "colour": lane.colour, "bars": list(map(_bar, lane.bars)), "once": list(map(_bar, lane.marks))}
        for lane in found
    ]
    return {"kind": "lanes", "name": PICTURE[lang]["therapy"], "unit": "", "lanes": told} if told else None


def _bar(bar: Bar) -> Data:
    return {"start": bar.start, "until": bar.until, "open": bar.stop is None, "pale": bar.pale, "tip": bar.tip}


def _marks(chart: Chart, lang: str) -> Data | None:
    marks = [{"on": mark.on, "text": mark.text, "colour": mark.colour, "tip": mark.tip} for mark in events.found(chart, lang)]
    return {"kind": "marks", "name": PICTURE[lang]["events"], "unit": "", "marks": marks} if marks else None


def _ladder(visits: pl.DataFrame, lang: str) -> Data | None:
    if not visits.height:
        return None
    told = [
        {
            "on": row["on"], "step": row["timepoint"], "best": row["confirmed"], "sure": is_confirmed(row),
            "tip": f"{wording.say(wording.CATEGORIES, row['timepoint'], lang)} · {row['on']}",
        }
        for row in visits.filter(pl.col("timepoint").is_not_null()).iter_rows(named=True)
    ]  # fmt: skip
    colours = {name: [fill, EDGE.get(name, fill)] for name, fill in DEPTH.items()}
    words = PICTURE[lang]
    return {
        "kind": "ladder",
        "name": words["response"],
        "unit": words["response_by"],
        "steps": steps(visits),
        "visits": told,
        "colours": colours,
    }


def _bands(seen: pl.DataFrame, lang: str) -> Data | None:
    """Immunofixation: filled where a band was found, open where it was negative."""
    words, told = PICTURE[lang], []
    for code, name in IFE.items():
        rows = standing(seen, code).filter(pl.col("text").is_not_null() & (pl.col("status") == "final"))
        if rows.height:
            marks = [
                {"on": row["on"], "found": row["text"] != "negative", "tip": f"{words['ife']} {words[name]}: {row['text']} · {row['on']}"}
                for row in rows.iter_rows(named=True)
            ]
            told.append({"name": words[name], "marks": marks})
    return {"kind": "bands", "name": words["ife"], "unit": "", "rows": told} if told else None


def _chains(chart: Chart, lang: str) -> Data | None:
    words, involved = PICTURE[lang], chart.patients["light_chain"][0]
    curves = {name: points(chart.observations, f"{name}_flc", lang) for name in ("kappa", "lambda")}
    first = involved if involved in curves else "kappa"
    told = {words[name]: (curve, INVOLVED if name == first else UNINVOLVED) for name, curve in curves.items()}
    return _curves(words["light_chains"], "mg/L", told)


def _curves(name: str, unit: str, curves: Mapping[str, tuple[Sequence[Point], str]]) -> Data | None:
    """Curves on one logarithmic axis, those with points."""
    told = [{"name": each, "colour": colour, "points": list(map(_point, curve))} for each, (curve, colour) in curves.items() if curve]
    return {"kind": "curves", "name": name, "unit": unit, "curves": told} if told else None


def _point(point: Point) -> Data:
    return {"on": point.on, "value": point.value, "kind": point.kind, "shown": point.shown, "tip": point.tip}


def _mrd(seen: pl.DataFrame, lang: str) -> Data | None:
    told = [
        {"on": test.on, "result": test.result, "share": test.share, "limit": test.limit, "method": test.method, "tip": test.tip}
        for test in mrd_tests(seen, lang)
    ]
    words = PICTURE[lang]
    return {"kind": "mrd", "name": words["mrd"], "unit": words["mrd_unit"], "colour": MRD, "tests": told} if told else None
