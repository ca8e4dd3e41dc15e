"""Pages of virtual patients: one HTML file each, nothing loaded from elsewhere, all of them saying that they are synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl
from jinja2 import ChoiceLoader, Environment, PackageLoader

from ... import __version__
from ...assess.survival import Curve
from ...report.drawing import DARK, DEPTH, EDGE
from ...report.page import environment
from ...report.pictures import Picture
from ..calibration.score import Scored
from ..endpoints import told
from ..model import read_model
from ..populations import read_population
from ..sequence import Strategies
from ..strategies import curve_of, summary, verdicts
from ..told import drugs_said, rests, score_told, sensitivity_told, summary_told, twin_told
from ..trial import Trial
from ..twin import MODEL_ERROR, Twin
from ..words import NOTE
from .cohort import mrd_over_time, waterfall
from .forest import calibration, tornado, which_is_better
from .patient import Life, course, lives
from .person import few, standing_out, who
from .sankey import causes_by_strategy, causes_of_relapse
from .survival import curves_of, survival
from .twin import forecast
from .words import ASSUMED, PAGE, PICTURE

DEPTHS = [(name, colour, name in DARK, EDGE.get(name, colour)) for name, colour in DEPTH.items()]


@dataclass(frozen=True)
class Section:
    """A part of a page: a heading, a note, what is drawn, a table (its first row of names), lines of text, links (address and word)."""

    name: str
    note: str = ""
    pictures: tuple[Picture | None, ...] = ()
    table: pl.DataFrame | None = None
    texts: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@cache
def _environment() -> Environment:
    reports = environment()
    assert reports.loader is not None
    return reports.overlay(loader=ChoiceLoader([PackageLoader("bence.simulate.pictures"), reports.loader]))


def page(
    title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section], lang: str, made: Sequence[str] = (), back: str = ""
) -> str:
    """One self-contained HTML page; `made`: with what, beside the version; `back`: the words of a link to index.html."""
    words = PAGE[lang]
    return _environment().get_template("virtual.html").render(
        lang="zh-CN" if lang == "zh" else "en", title=title, facts=facts, sections=sections, note=NOTE[lang], depths=DEPTHS,
        back=back, w=words,
        made=[words["made"].format(__version__), words["model"].format(read_model().digest[:12]), *made],
    )  # fmt: skip


def trial_pages(trial: Trial, table: pl.DataFrame, lang: str = "en") -> dict[str, str]:
    """`index.html` and a page for each of a few patients, by file name. `table`: the endpoints (`endpoints.endpoints`)."""
    words, protocol = PAGE[lang], trial.protocol
    people = {} if trial.courses is None or trial.chart is None else _people(trial, lang)
    facts = [
        (words["patients"], f"{trial.patients.height:,}"), (words["arms"], ", ".join(protocol.arms)), 
        (words["months"], f"{protocol.months:g}"), (words["population"], read_population(protocol.population).name[lang]),
    ]  # fmt: skip
    survivals = tuple(survival(curves_of(trial.patients, name), PICTURE[lang][name], lang) for name in ("pfs", "os"))
    more: tuple[Picture | None, ...] = ()
    if trial.courses is not None:
        more = (waterfall(trial, lang), mrd_over_time(trial, lang), causes_of_relapse(trial.courses, lang))
    sections = [
        Section(words["endpoints"], words["endpoints_note"], table=told(table, protocol, lang)),
        Section(words["pictures"], "" if more else words["streamed"], (*survivals, *more)),
    ]
    if people:
        links = tuple((f"{life.patient}.html", f"{life.patient}{words['colon']}{how}") for life, how in people.values())
        sections.append(Section(words["a_few"], words["a_few_note"], links=links))
    sections.append(Section(words["assumed"], texts=ASSUMED[lang]))
    made = [words["seed"].format(trial.seed)]
    pages = {"index.html": page(words["trial"].format(protocol.name[lang]), facts, sections, lang, made)}
    for name, (life, _) in people.items():
        pages[f"{name}.html"] = _patient(trial, life, lang, made)
    return pages


def _people(trial: Trial, lang: str) -> dict[str, tuple[Life, str]]:
    assert trial.courses is not None
    assert trial.chart is not None
    chosen = few(trial.courses, lang)
    found = lives(trial.courses, trial.chart, list(chosen), lang)
    return {life.patient: (life, chosen[life.patient]) for life in found}


def _patient(trial: Trial, life: Life, lang: str, made: Sequence[str]) -> str:
    assert trial.courses is not None
    words = PAGE[lang]
    sections = [
        Section(words["course"], words["course_key"], (course(life),)),
        Section(words["parameters"], words["parameters_note"], table=standing_out(trial.courses, life.patient, lang)),
    ]
    return page(words["patient"].format(life.patient), who(trial, life.patient, lang), sections, lang, made, back=words["back"])


def sequence_page(found: Strategies, lang: str = "en") -> str:
    """Strategies side by side: curves, which is better, why the disease came back."""
    words, drawn = PAGE[lang], PICTURE[lang]
    facts = [
        (words["patients"], f"{found.people[0].height:,}"), (words["months"], f"{found.months:g}"), (words["gap"], str(found.gap)),
        (words["population"], read_population(found.population).name[lang]),
    ]  # fmt: skip
    sections = [
        Section(words["verdicts"], words["table_note"], (which_is_better(found, lang),), texts=tuple(verdicts(found, lang))),
        Section(words["pictures"], pictures=(
            survival(_strategy_curves(found, "second_event"), drawn["second_event"], lang),
            survival(_strategy_curves(found, "died"), drawn["os"], lang),
            causes_by_strategy(found, lang),
        )),
        Section(words["table"], table=summary(found, lang)),
        Section(words["assumed"], texts=ASSUMED[lang]),
    ]  # fmt: skip
    return page(words["sequence"], facts, sections, lang, [words["seed"].format(found.seed)])


def _strategy_curves(found: Strategies, event: str) -> Mapping[str, Curve]:
    return {name: curve_of(people, event) for name, people in zip(found.names, found.people, strict=True)}


def sensitivity_page(trial: Trial, table: pl.DataFrame, lang: str = "en") -> str:
    """What the outcome hangs on, arm by arm. `table`: of `sensitivity.sensitivity`."""
    words = PAGE[lang]
    sections = []
    for (arm,), own in table.group_by("arm", maintain_order=True):
        drawings = tuple(tornado(own, outcome, lang) for outcome in ("pfs", "depth"))
        sections.append(Section(words["of_arm"].format(arm), words["sensitivity_note"], drawings, sensitivity_told(own, lang)))
    facts = [(words["trial"].format(trial.protocol.name[lang]), ""), (words["patients"], f"{trial.patients.height:,}")]
    sections.append(Section(words["assumed"], texts=ASSUMED[lang]))
    return page(words["sensitivity"], facts, sections, lang, [words["seed"].format(trial.seed)])


def score_page(scored: Sequence[Scored], lang: str = "en") -> str:
    """The calibration table with its picture."""
    words = PAGE[lang]
    sections = [
        Section(words["by_role"], words["score_note"], table=summary_told(scored, lang)),
        Section(PICTURE[lang]["calibration"], pictures=(calibration(scored, lang),)),
        Section(words["score"], table=score_told(scored, lang)),
    ]
    return page(words["score"], [], sections, lang)


def twin_page(twin: Twin, lang: str = "en", later: pl.DataFrame | None = None) -> str:
    """The page of a twin. `later`: values measured after its day, drawn as such and not used."""
    words = PAGE[lang]
    facts = [(words["since"], str(twin.origin)), (words["drugs"], drugs_said(twin, lang)), (words["at"], str(twin.at))]
    sections = [
        Section(words["forecast"], words["errors"].format(MODEL_ERROR), (forecast(twin, lang, later),), texts=(words["not_advice"],)),
        Section(words["rests"], texts=rests(twin, lang)),
        Section(words["table_forecast"], table=twin_told(twin, lang)),
    ]
    return page(words["twin"].format(twin.patient), facts, sections, lang)
