"""The demo: synthetic patients made by hand, each to show one thing, and a cohort of virtual patients, assessed, with pages to open.

`chart/` holds most of the teaching cases as the four tables of a chart, `export/` the rest as a hospital system would write them, and
`patients.toml` says what each shows. `virtual/` holds the cohort, as `bence simulate people` drew it. None is, or is derived from, a
real person.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from ..assess import DISCLAIMER, Findings, assess
from ..catalogue import label
from ..chart import Chart, join
from ..errors import UsageError
from ..output import input_files, write
from ..read import read
from ..table import as_text, cohort_table
from .words import PAGE, TOPICS

HOME = Path(__file__).parent
SOURCES = (HOME / "chart", HOME / "export")
VIRTUAL = HOME / "virtual"
DRAWN = ("ndmm", 80, 2026)  # population, people and seed of the virtual cohort
REGION = "china"  # whose approvals the advice on the pages goes by


@dataclass(frozen=True)
class Lesson:
    """What one synthetic patient shows: a short title, and what to look at."""

    patient: str
    topic: str
    title: str
    look: str

    @property
    def page(self) -> str:
        """The file of the patient's page."""
        return f"{self.patient}.html"


def lessons(lang: str = "en") -> list[Lesson]:
    """What each patient shows, in English (`en`) or Chinese (`zh`), by patient."""
    told = tomllib.loads((HOME / "patients.toml").read_text(encoding="utf-8"))
    return [Lesson(patient, row["topic"], row[lang], row[f"look_{lang}"]) for patient, row in told.items()]


@cache
def demo_chart() -> Chart:
    """The synthetic patients: the chart folder and the hospital export, read together."""
    return join([read(source) for source in SOURCES])


def run_demo(out: str | Path, lang: str = "en") -> str:
    """Assess the synthetic patients; write findings and pages into a folder; return the table to print.

    `out` holds `index.html` (start here), `cohort.html`, a page for each teaching case, the tables of the findings, and the chart
    itself, to try the commands on; `virtual.html` and `virtual/` are those of the virtual cohort.
    """
    home, chart = Path(out), demo_chart()
    _claim(home)
    findings = assess(chart)
    write(findings, home, "csv", [path for source in SOURCES for path in input_files(source)])
    chart.write(home / "chart", replace=True)
    told = lessons(lang)
    write_pages(home, chart, findings, told, lang)
    write_cohort(home, chart, findings, told, lang)
    write_virtual(home, lang)
    (home / "index.html").write_text(index(findings, told, lang), encoding="utf-8")
    words = PAGE[lang]
    return "\n".join([table(findings, told, lang), "", words["synthetic"], DISCLAIMER[lang], *_next(home, chart, words)])


def _claim(home: Path) -> None:
    """Make the folder the demo's, with the note that all is synthetic; UsageError if another chart is in it."""
    note, text = home / "README.md", (HOME / "README.md").read_text(encoding="utf-8")
    ours = note.is_file() and note.read_text(encoding="utf-8").startswith(text.splitlines()[0])
    if (home / "chart").exists() and not ours:
        raise UsageError(f"{home / 'chart'} is there already", expected="a folder of its own for the demo")
    home.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")


def table(findings: Findings, told: Sequence[Lesson], lang: str = "en") -> str:
    """The cohort table with what each synthetic patient shows beside it."""
    heading, rule, *rows = cohort_table(findings, lang).splitlines()
    titles = {lesson.patient: lesson.title for lesson in told}
    shows = [titles.get(patient, "") for patient in findings.status["patient"]]
    beside = as_text(pl.DataFrame({"row": rows, "shows": shows}), [heading, PAGE[lang]["shows"]])
    return beside if len(rows) == len(shows) else "\n".join([heading, rule, *rows])


def _next(home: Path, chart: Chart, words: dict[str, str]) -> list[str]:
    """What to do next: the refused cell, commands to try, and last of all the page to open."""
    refused = [words["refused"].format(**row) for row in chart.rejected.select("file", "line", "column", "value", "reason").to_dicts()]
    tries = [words[name].format(chart=home / "chart") for name in ("try", "advice")]
    return [*refused, *tries, words["open"].format((home / "index.html").resolve())]


def write_pages(home: Path, chart: Chart, findings: Findings, told: Sequence[Lesson], lang: str) -> None:
    """One page a patient, from the findings of the whole cohort."""
    from ..advise import facts
    from ..report import report

    words, known = PAGE[lang], facts(findings, REGION)
    for lesson in told:
        page = report(chart, lesson.patient, None, lang, findings, REGION, known)
        said = f"{words['synthetic_one']} {lesson.title[0].upper()}{lesson.title[1:]}{words['stop']}"
        page = with_banner(page, back=words["back"], said=said, look=lesson.look)
        (home / lesson.page).write_text(page, encoding="utf-8")


def write_cohort(home: Path, chart: Chart, findings: Findings, told: Sequence[Lesson], lang: str) -> None:
    """The cohort page, each patient linked to the page of its own."""
    from ..report import cohort

    page = cohort(chart, findings, lang, links={lesson.patient: lesson.page for lesson in told})
    words = PAGE[lang]
    (home / "cohort.html").write_text(with_banner(page, back=words["back"], said=words["synthetic"]), encoding="utf-8")


def write_virtual(home: Path, lang: str) -> None:
    """The virtual cohort: its chart, its findings and its page."""
    from ..report import cohort

    chart = read(VIRTUAL)
    findings = assess(chart)
    write(findings, home / "virtual", "csv", input_files(VIRTUAL))
    chart.write(home / "virtual" / "chart", replace=True)
    words = PAGE[lang]
    (home / "virtual.html").write_text(
        with_banner(cohort(chart, findings, lang), back=words["back"], said=words["virtual_all"]), encoding="utf-8"
    )


def with_banner(page: str, **words: str) -> str:
    """A page with a line above it that says synthetic and leads back to the index."""
    banner = _templates().get_template("banner.html").render(**words)
    return page.replace("<body>", f"<body>\n{banner}", 1)


def index(findings: Findings, told: Sequence[Lesson], lang: str) -> str:
    """The page to start from: every patient under a topic, with what to look at."""
    status = {row["patient"]: row for row in findings.status.to_dicts()}
    doubtful = set(findings.lines.filter(pl.col("progression_state").cast(pl.String) == "unconfirmed")["patient"])
    rows: dict[str, list[dict[str, Any]]] = {topic: [] for topic in TOPICS}
    for lesson in told:
        own = status[lesson.patient]
        rows[lesson.topic].append({
            "patient": lesson.patient, "href": lesson.page, "title": lesson.title, "look": lesson.look,
            "diagnosis": label(own["diagnosis"], lang) if own["diagnosis"] else "?", "response": own["response"] or "",
            "doubt": PAGE[lang]["unconfirmed"] if lesson.patient in doubtful else "",
        })  # fmt: skip
    topics = [(name[lang], rows[topic]) for topic, name in TOPICS.items()]
    return _templates().get_template("index.html").render(lang=lang, w=PAGE[lang], topics=topics, disclaimer=DISCLAIMER[lang])


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, select_autoescape

    made = Environment(loader=PackageLoader("bence.demo"), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True)
    made.filters["code"] = _code
    return made


def _code(text: str) -> Any:
    """Text with `words in backticks` set as code, the rest escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
