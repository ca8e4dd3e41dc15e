"""A case unrolled decision by decision: what was known on the day, what the pathway says of it, what was done, and how it went."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache, lru_cache
from typing import Any

import polars as pl

from ..advise import advice, advice_of, facts
from ..advise.as_of import before
from ..advise.pathway import pathway
from ..advise.replay import OFFERED_IN, decisions, done
from ..assess import assess
from ..catalogue import label
from ..chart import Chart
from ..demo import demo_chart
from ..registry import AccessError, Store
from ..report.page import look, told
from ..report.pictures import course
from .svg import presented
from .visit import Visit

MOST_CASES = 200
KNOWN = ("iss", "r_iss", "r2_iss", "high_risk_2025", "frailty_imwg", "frailty_simplified")  # findings told beside the course


def case(visit: Visit, source: str, patient: str) -> tuple[Chart, pl.DataFrame]:
    """The chart of a case and its decisions in their order; AccessError if there is none that the user may see."""
    if source == "demo" and patient not in demo_chart().patients["patient"]:
        raise AccessError("there is no such case")
    own = demo_chart().only(patient) if source == "demo" else _own_case(visit, patient)
    made = _demo_decisions() if source == "demo" else decisions(assess(own))
    return own, made.filter(pl.col("patient") == patient).sort("on")


def demo_cases() -> list[tuple[str, int]]:
    """The synthetic patients on whom something was decided, and how many decisions there were."""
    return _demo_decisions().group_by("patient").len().sort("patient").rows()


def own_cases(visit: Visit) -> list[tuple[str, int]]:
    """The de-identified patients of the own centres who were treated, with the number of treatments recorded."""
    return visit.store.treated(visit.access, _key(visit.store)).head(MOST_CASES).rows()


def _own_case(visit: Visit, patient: str) -> Chart:
    """A patient of the own centres, de-identified for teaching: pseudonyms and days differ from those of any export."""
    return visit.store.deidentified_one(visit.access, _key(visit.store), patient)


def scene(source: str, own: Chart, made: pl.DataFrame, step: int, region: str, lang: str) -> dict[str, Any]:
    """A decision of a case as the page shows it; AccessError if there are fewer."""
    if not 0 <= step < made.height:
        raise AccessError("the case has no such decision")
    patient = own.patients["patient"][0]
    return _demo_scene(patient, step, region, lang) if source == "demo" else _scene(own, made, step, region, lang)


@lru_cache(maxsize=64)
def _demo_scene(patient: str, step: int, region: str, lang: str) -> dict[str, Any]:
    return _scene(demo_chart().only(patient), _demo_decisions().filter(pl.col("patient") == patient).sort("on"), step, region, lang)


def _scene(own: Chart, made: pl.DataFrame, step: int, region: str, lang: str) -> dict[str, Any]:
    decision = made.row(step, named=True)
    patient, on = decision["patient"], decision["on"]
    then = before(own, made[step].select("patient", "on"), on)
    seen = look(then, patient, on)
    known, known_facts = told(seen, then, lang), facts(seen.found, region)
    story = advice_of(known_facts, region, lang)
    rows = advice(known_facts, region, lang).drop_nulls("option")
    said: dict[tuple[str, str], list[str]] = {}
    for question, option, stance in rows.select(pl.col("question", "option", "stance").cast(pl.String)).iter_rows():
        said.setdefault((question, option), []).append(stance)
    wanted = OFFERED_IN[decision["kind"]]
    asked = [each for each in story.questions if each.key in wanted]
    return {
        "on": on, "line": decision["line"], "kind": decision["kind"], "told": known, "asked": asked, "said": said,
        "findings": [row for group in known["groups"] if not group.note for row in group.rows if row.name in KNOWN],
        "choices": _choices([each.key for each in asked] or [wanted[0]], lang), "picture": _picture(seen, lang),
        "drugs": _drugs(decision["drugs"], lang), "was": _was(decision["drugs"], wanted, said), "after": _after(own, made, step, lang),
    }  # fmt: skip


def _choices(questions: list[str], lang: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The questions in words, and the options of each in the order of their names, which gives no hint."""
    zh, path = lang == "zh", pathway()
    named = {key: [(f"{key}|{option}", path.options[option].words[zh]) for option in path.of(key)] for key in questions}
    return [(path.questions[key].words[zh], sorted(options, key=lambda one: one[1])) for key, options in named.items()]


def _was(drugs: str | None, wanted: tuple[str, ...], said: dict[tuple[str, str], list[str]]) -> tuple[str, str] | None:
    """The question and option of the pathway that was done; None where no option has these drugs."""
    return max(done(drugs, wanted), key=lambda one: ("for" in said.get(one, ()), one in said), default=None)


def _after(own: Chart, made: pl.DataFrame, step: int, lang: str) -> dict[str, Any]:
    """How it went: the line as it was followed until now, and the course until the next decision."""
    decision, whole = made.row(step, named=True), assess(own)
    line = whole.lines.row(by_predicate=pl.col("line") == decision["line"], named=True)
    later = made["on"][step + 1] if step + 1 < made.height else None
    until = before(own, made[step + 1].select("patient", "on"), later) if later else own
    names = ("best_response", "progressed_on", "pfs_days", "pfs_event")
    return {"picture": _picture(look(until, decision["patient"], later), lang), "until": later, **{name: line[name] for name in names},
            "died_on": own.patients["died_on"][0] if later is None else None}  # fmt: skip


def _picture(seen: Any, lang: str) -> dict[str, Any] | None:
    measurable = float(seen.found.manifest["policies"]["serum_measurable"])
    drawn = course(seen.own, seen.story.visits, seen.story.values, seen.story.lines, lang, measurable)
    return {"width": drawn.width, "height": drawn.height, "title": drawn.title, "body": presented(drawn.body)} if drawn else None


def _drugs(names: str | None, lang: str) -> str:
    return " + ".join(label(name, lang) for name in (names or "").split("+") if name)


@cache
def _demo_decisions() -> pl.DataFrame:
    return decisions(assess(demo_chart()))


def _key(store: Store) -> bytes:
    return hmac.digest(store.secret("handles"), b"teaching", hashlib.sha256)
