"""`bence simulate trial` and `sequence`: what they print and write, and that they say what they are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from bence.cli import bence
from bence.read import read
from bence.simulate.words import NOTE


def run(*words: str, exit: int = 0) -> Result:
    result = CliRunner().invoke(bence, ["simulate", *words], prog_name="bence")
    assert result.exit_code == exit, f"{words}: {result.output}\n{result.exception!r}"
    return result


def test_without_a_protocol_it_tells_which_there_are():
    assert {"midas", "perseus", "aquila", "cartitude-4"} <= {line.split()[0] for line in run("trial").output.splitlines()}


TRIAL = ("trial", "redirectt-1", "--patients", "12", "--seed")


@cache
def printed() -> str:
    return run(*TRIAL, "7").output


def test_a_trial_is_printed():
    assert NOTE["en"] in printed()
    assert "ORR" in printed()


def test_a_trial_is_written_in_chinese(tmp_path: Path):
    out = tmp_path / "out"
    told = run(*TRIAL, "7", "--out", str(out), "--lang", "zh").output
    assert NOTE["zh"] in told
    assert "ORR" in told
    assert NOTE["zh"] in (out / "index.html").read_text(encoding="utf-8")
    assert pl.read_csv(out / "patients.csv").height == 12
    assert pl.read_csv(out / "endpoints.csv")["arm"].unique().to_list() == ["rp2r"]
    assert read(out / "chart").patients.height == 12
    assert (out / "findings" / "manifest.json").exists()


def test_the_same_seed_gives_the_same_trial():
    assert run(*TRIAL, "7").output == printed()
    assert run(*TRIAL, "8").output != printed()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_strategies_are_compared(lang: str, tmp_path: Path):
    words = ("cilta-cel -> 特立妥单抗", "Tec -> cilta-cel", "--gap", "60", "--patients", "30", "--months", "12", "--lang", lang)
    told = run("sequence", *words, "--out", str(tmp_path)).output
    assert NOTE[lang] in told
    assert "±" in told
    assert pl.read_csv(tmp_path / "strategy-2.csv").height == 30


@pytest.mark.parametrize(("words", "told"), [
    (("trial", "midsa"), "did you mean 'midas'"),
    (("trial", "midas", "--patients", "0"), "0"),
    (("sequence",), "STRATEGIES"),
    (("sequence", "cilta-cel -> tecistamab"), "did you mean 'teclistamab'"),
    (("sequence", "Tec", "--population", "ndm"), "did you mean 'ndmm'"),
])  # fmt: skip
def test_what_cannot_be_done_is_said(words: tuple[str, ...], told: str):
    assert told in run(*words, exit=2).output
