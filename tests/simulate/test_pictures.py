"""Pictures and pages of virtual patients: what they show is what was simulated, in both languages, and every one says it is synthetic."""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from bence.cli import bence
from bence.simulate.blood import CLONES
from bence.simulate.calibration.score import Scored
from bence.simulate.calibration.targets import naive, read_targets
from bence.simulate.endpoints import endpoints
from bence.simulate.pictures.cohort import changes, mrd_shares, waterfall
from bence.simulate.pictures.forest import calibration, tornado
from bence.simulate.pictures.pages import score_page, sensitivity_page, sequence_page, trial_pages
from bence.simulate.pictures.patient import course, lives
from bence.simulate.pictures.sankey import causes_of_relapse, endings
from bence.simulate.pictures.survival import curves_of, survival
from bence.simulate.pictures.words import PAGE, PICTURE
from bence.simulate.sensitivity import sensitivity
from bence.simulate.sequence import Strategies
from bence.simulate.told import score_told
from bence.simulate.trial import Trial
from bence.simulate.words import NOTE

LANGS = ("en", "zh")


class Page(HTMLParser):
    """What a page loads, and its tags that were opened and not closed."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "path", "use", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)
        self.loaded += [value or "" for name, value in attrs if name == "src" or (tag == "link" and name == "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def checked(html: str, lang: str) -> None:
    page = Page()
    page.feed(html)
    assert page.loaded == []
    assert page.scripts == 0
    assert page.open == []
    assert NOTE[lang] in html
    assert html.count("<svg") == html.count(PICTURE[lang]["synthetic"])
    assert not re.findall(r"[ML ]nan\b", html)
    assert "None" not in re.sub(r"<[^>]*>", "", html)


@cache
def scored() -> tuple[Scored, ...]:
    targets = read_targets()
    return tuple(Scored(one, one.percent / 100, 0.1, 0.9, naive(one, targets)) for one in targets)


@pytest.fixture(scope="module")
def tables(small_trial: Trial) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Endpoints and sensitivity of the trial, the same in every language."""
    return endpoints(small_trial.patients, small_trial.protocol), sensitivity(small_trial)


def strategies() -> Strategies:
    rng = np.random.default_rng(1)
    tables = []
    for gain in (1.0, 1.5):
        first = np.round(rng.exponential(300 * gain, 40)) + 1
        second = np.where(rng.random(40) < 0.6, first + 100, np.nan)
        tables.append(pl.DataFrame({
            "number": np.arange(40), "first": first, "second": second, "died": np.where(rng.random(40) < 0.3, first + 200, np.nan),
            "last": first + 200, "second_event": second, "depth": rng.random(40) * 1e-4, "first_cause": ["antigen_lost", "other"] * 20,
            "second_cause": ["drug_resistant", None] * 20, "switch": first + 10, "t_cells": rng.random(40),
        }, nan_to_null=True))  # fmt: skip
    return Strategies(("one → <two>", "two → one"), tuple(tables), 36, 90, "rrmm_triple_class_exposed", 1)


@pytest.mark.parametrize("lang", LANGS)
def test_the_pages_of_a_trial_are_whole_and_say_that_they_are_synthetic(
    small_trial: Trial, tables: tuple[pl.DataFrame, pl.DataFrame], lang: str
):
    pages = trial_pages(small_trial, tables[0], lang)
    assert "index.html" in pages
    assert 2 <= len(pages) <= 7
    for html in pages.values():
        checked(html, lang)
    for name in pages.keys() - {"index.html"}:
        assert f'href="{name}"' in pages["index.html"]
        assert PAGE[lang]["back"] in pages[name]


def test_a_trial_whose_courses_were_not_kept_still_has_a_page(small_trial: Trial):
    streamed = Trial(small_trial.protocol, small_trial.seed, small_trial.patients)
    pages = trial_pages(streamed, endpoints(streamed.patients, streamed.protocol))
    assert list(pages) == ["index.html"]
    assert PAGE["en"]["streamed"] in pages["index.html"]


@pytest.mark.parametrize("lang", LANGS)
def test_the_other_pages_are_whole(small_trial: Trial, tables: tuple[pl.DataFrame, pl.DataFrame], lang: str):
    checked(score_page(scored(), lang), lang)
    checked(sequence_page(strategies(), lang), lang)
    checked(sensitivity_page(small_trial, tables[1], lang), lang)


def test_names_from_outside_are_escaped():
    html = sequence_page(strategies())
    assert "<two>" not in html
    assert "&lt;two&gt;" in html


def test_a_patient_drawn_again_meets_the_same_course(small_trial: Trial):
    assert small_trial.courses is not None
    assert small_trial.chart is not None
    patient = small_trial.courses.people.table["patient"][3]
    (life,) = lives(small_trial.courses, small_trial.chart, [patient])
    for name in ("m_protein", *CLONES):
        weekly = small_trial.courses.state(name)[: life.last // 7 + 1, 3]
        whole = life.at % 7 == 0
        assert life.states[name][whole] == pytest.approx(weekly[(life.at[whole] // 7).astype(int)], rel=1e-6, abs=1e-6), name
    assert course(life).tips


def test_best_changes_agree_with_the_judged_responses(small_trial: Trial):
    table = changes(small_trial)
    assert table.height == small_trial.patients.height
    assert table["change"].drop_nulls().min() >= -100  # type: ignore[operator]
    known = table.filter(pl.col("change").is_not_null())
    assert (known.filter(pl.col("response") >= 1)["change"] <= -50 + 1e-9).mean() > 0.9
    assert (known.filter(pl.col("response") == 0)["change"] > -50).mean() > 0.6
    assert waterfall(small_trial) is not None


def test_every_person_with_an_arm_ends_somewhere_and_only_progression_has_a_clone(small_trial: Trial):
    assert small_trial.courses is not None
    table = endings(small_trial.courses)
    assert table.height == 60
    assert (table["clone"].is_not_null() == (table["event"] == "progressed")).all()
    progressed = small_trial.courses.events.filter(pl.col("what") == "progression")["place"].n_unique()
    assert (table["event"] == "progressed").sum() == progressed
    picture = causes_of_relapse(small_trial.courses, "zh")
    assert picture is not None
    assert "进展" in picture.body


def test_shares_of_mrd_are_of_those_sampled_and_of_all(small_trial: Trial):
    table = mrd_shares(small_trial)
    assert ((table["negative"] <= table["sampled"]) & (table["sampled"] <= table["assigned"])).all()
    assert (table["assigned"] == 60).all()
    both = table.pivot(on="threshold", index=["arm", "window"], values="negative")
    assert (both["mrd_1e6"] <= both["mrd_1e5"]).all(), "who is negative at 1e-6 is negative at 1e-5"


def test_numbers_at_risk_are_those_still_followed(small_trial: Trial):
    curves = curves_of(small_trial.patients, "pfs")
    picture = survival(curves, "PFS")
    assert picture is not None
    assert curves["teclistamab"].at_risk(0) == 60
    after = int((small_trial.patients["pfs_days"] >= 365.25).sum())
    assert f">{after}<" in picture.body
    assert survival({}, "PFS") is None


def test_the_tornado_and_the_dots_show_every_row():
    table = pl.DataFrame({
        "arm": ["a"] * 2, "outcome": ["pfs"] * 2, "parameter": ["x", "y"], "what_en": ["growth", "kill"], "what_zh": ["增殖", "杀伤"],
        "people": [50] * 2, "rho": [0.5, -0.4], "rho_low": [0.2, -0.6], "rho_high": [0.7, -0.1], "partial": [None, None],
        "partial_low": [None, None], "partial_high": [None, None],
    }, schema_overrides={"partial": pl.Float64})  # fmt: skip
    picture = tornado(table, "pfs", "zh")
    assert picture is not None
    assert "增殖" in picture.body
    assert "+0.50" in picture.body
    assert tornado(table, "depth") is None
    dots = calibration(scored())
    assert dots is not None
    assert calibration([]) is None


@pytest.mark.parametrize("lang", LANGS)
def test_values_from_memory_are_marked_in_the_table_of_the_calibration(lang: str):
    table = score_told(scored(), lang)
    marked = table.to_series(1).str.contains("[M]", literal=True)
    assert marked.to_list() == [one.tag == "M" for one in read_targets()]


def test_both_languages_have_the_same_words():
    for words in (PAGE, PICTURE):
        assert words["en"].keys() == words["zh"].keys()
        for name, text in words["en"].items():
            fields = re.compile(r"\{[^}]*\}")
            assert sorted(fields.findall(text)) == sorted(fields.findall(words["zh"][name])), name


def test_without_matplotlib_a_trial_still_writes_its_tables(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith(("bence.report", "bence.simulate.pictures"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("bence.report", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    found = CliRunner().invoke(bence, ["simulate", "trial", "majestec-1", "--patients", "12", "--out", str(tmp_path / "o")])
    assert found.exit_code == 0, found.output
    assert "bence[report]" in found.output
    assert (tmp_path / "o" / "endpoints.csv").exists()
    assert not (tmp_path / "o" / "index.html").exists()
