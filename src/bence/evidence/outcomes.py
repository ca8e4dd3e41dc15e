"""All results of all trials as one table, and a result as a few words: value, who is counted, how it is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from .records import WEAKEST_FIRST, records
from .words import JOINTS, SHORT_MEASURES, WORDS

COLUMNS: dict[str, Any] = {
    "trial": pl.String, "name": pl.String, "design": pl.String, "setting": pl.String, "status": pl.String,
    "arm": pl.String, "arm_name": pl.String, "drugs": pl.List(pl.String), "measure": pl.String,
    "percent": pl.Float64, "digits": pl.Int64, "months": pl.Float64, "value": pl.Float64,
    "not_reached": pl.Boolean, "events": pl.Int64, "n": pl.Int64,
    "denominator": pl.String, "population_en": pl.String, "population_zh": pl.String, "threshold": pl.Float64, "method": pl.String,
    "at_months": pl.Float64, "low": pl.Float64, "high": pl.Float64, "follow_up_months": pl.Float64, "note": pl.String,
    "tag": pl.String, "n_tag": pl.String, "source": pl.String, "disputed": pl.List(pl.String),
}  # fmt: skip


@cache
def outcomes() -> pl.DataFrame:
    """One row a result of a trial. Null is not known.

    `percent` is filled from `events` and `n` where only those are stated; `digits` are those after the point that were printed. `n` is
    that of the result, else of the arm where the result is of the whole arm (`denominator` arm; `n_tag` says how the size is known).
    `arm` is `all` for the whole trial.
    """
    rows = [row for key, trial in records("trials").items() for row in _rows(key, trial)]
    return pl.DataFrame(rows, schema=COLUMNS)


def _rows(key: str, trial: Mapping[str, Any]) -> list[dict[str, Any]]:
    arms = {arm["key"]: arm for arm in trial.get("arms", ())}
    about = {"trial": key, **{name: trial[name] for name in ("name", "design", "setting", "status")}}
    found = []
    for outcome in trial.get("outcomes", ()):
        arm = arms.get(outcome["arm"], {})
        told = {name: outcome.get(name) for name in COLUMNS if name in outcome}
        whole = outcome.get("denominator") == "arm"
        n = outcome.get("n") or (arm.get("n") if whole else None)
        percent = outcome.get("percent")
        digits = len(str(percent).partition(".")[2])
        if percent is None and "events" in outcome and n:
            percent, digits = 100 * outcome["events"] / n, 0 if n < 100 else 1
        people = outcome.get("population", {})
        found.append(about | told | {
            "arm_name": arm.get("name"), "drugs": arm.get("drugs", []), "n": n, "percent": percent,
            "digits": digits if percent is not None else None,
            "n_tag": arm.get("tag") if whole else (outcome["tag"] if n else None),
            "population_en": people.get("en"), "population_zh": people.get("zh"), "disputed": outcome.get("disputed", []),
        })  # fmt: skip
    return found


def said(row: Mapping[str, Any], lang: str = "en", people: bool = False) -> str:
    """A row of `outcomes` in a few words, e.g. `63.0 % (n=165) [V]`; with `people` also who is counted.

    An MRD result tells its threshold, a rate its time, and a statement of the register its number.
    """
    words, joints = WORDS[lang], JOINTS[lang]
    if row["not_reached"]:
        text = words["not_reached"]
    elif row["months"] is not None:
        text = f"{row['months']:g} {words['months']}"
    elif row["percent"] is not None:
        text = f"{row['percent']:.{row['digits']}f} %" + (f" ({_range(row)})" if row["low"] is not None and row["high"] is not None else "")
    else:
        text = f"{row['value']:g}"
    counted = [f"n={row['n']}" if row["n"] is not None else words["n_unknown"]] if row["percent"] is not None else []
    if people and row[f"population_{lang}"]:
        counted.append(row[f"population_{lang}"])
    if "mrd" in row["measure"]:
        counted.append(f"<{row['threshold']:.0e}".replace("e-0", "e-") if row["threshold"] else words["threshold_unknown"])
    if row["at_months"] is not None:
        counted.append(words["at"].format(f"{row['at_months']:g}"))
    inside = joints["comma"].join(counted)
    tag = min((each for each in (row["tag"], row["n_tag"]) if each), key=WEAKEST_FIRST.index)
    marks = joints["comma"].join([tag, *(row["disputed"] or ())])
    return text + (f" ({inside})" if inside else "") + f" [{marks}]"


def outcome_said(row: Mapping[str, Any], lang: str = "en") -> str:
    """A row of `outcomes` with its arm and measure, e.g. `D-VRd: MRD negative 75.2 % (n=355, all randomised, <1e-5) [M]`."""
    arm = f"{row['arm_name']}{JOINTS[lang]['colon']}" if row["arm_name"] else ""
    return f"{arm}{measure_said(row['measure'], lang)} {said(row, lang, people=True)}"


def _range(row: Mapping[str, Any]) -> str:
    return f"{row['low']:g}–{row['high']:g}"


def measure_said(name: str, lang: str = "en") -> str:
    """The name of a measure in words, e.g. `CR or better`; the name itself if there is none."""
    found = SHORT_MEASURES.get(name)
    return found[lang == "zh"] if found else name.replace("_", " ")
