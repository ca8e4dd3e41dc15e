"""Virtual patients: a trial, strategies against each other. Synthetic, and every output says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from .shared import Day, bence, chart_argument, explained, lang_option, mapping_option, read_chart, step

if TYPE_CHECKING:
    from ..simulate.trial import Trial


@bence.group()
def simulate() -> None:
    """Virtual patients: synthetic, to raise hypotheses; no evidence and no advice."""


seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed gives the same people and chances."
)
patients_type = click.IntRange(min=1)


@simulate.command("trial")
@click.argument("protocol", required=False)
@click.option("--patients", type=patients_type, help="How many enter.  [default: as many as the trial had]")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for pages, endpoints, patients, the chart and its findings.")
@lang_option
@explained
def simulate_trial(protocol: str | None, patients: int | None, seed: int, out: Path | None, lang: str) -> None:
    """A virtual trial by its PROTOCOL, judged by the rules for real patients. Without a PROTOCOL: which there are."""
    from ..simulate.endpoints import endpoints, told
    from ..simulate.protocols import protocol_names, read_protocol
    from ..simulate.trial import run_trial
    from ..table import as_text

    if protocol is None:
        for name in protocol_names():
            click.echo(f"{name:18} {read_protocol(name).name[lang]}")
        return
    read = read_protocol(protocol)
    step(f"simulating {patients or read.patients:,} patients")
    trial = run_trial(read, patients, seed)
    table = endpoints(trial.patients, read)
    click.echo(as_text(told(table, read, lang)))
    if out:
        _write(trial, out)
        table.write_csv(out / "endpoints.csv")
        _write_pages(out, lambda pages: pages.trial_pages(trial, table, lang))
    _synthetic(lang)


def _write(trial: Trial, out: Path) -> None:
    """The table of patients and, of a trial that was one batch, its chart and findings."""
    from ..output import write

    out.mkdir(parents=True, exist_ok=True)
    trial.patients.write_csv(out / "patients.csv")
    if trial.chart is not None and trial.findings is not None:
        trial.chart.write(out / "chart")
        write(trial.findings, out / "findings")


@simulate.command("sequence")
@click.argument("strategies", nargs=-1, required=True)
@click.option("--gap", type=click.IntRange(min=0), default=0, show_default=True, help="Days without treatment between one and the next.")
@click.option("--patients", type=patients_type, default=5000, show_default=True, help="How many people, the same ones for every strategy.")
@click.option("--months", type=click.FloatRange(min=3, max=240), default=60, show_default=True, help="How long they are followed.")
@click.option("--population", default="rrmm_triple_class_exposed", show_default=True, help="Whom the people are drawn from.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a page and the outcomes of every person under every strategy.")
@lang_option
@explained
def simulate_sequence(
    strategies: tuple[str, ...], gap: int, patients: int, months: float, population: str, seed: int, out: Path | None, lang: str
) -> None:
    """Sequences of treatments against each other in the same people, such as "cilta-cel -> teclistamab" "teclistamab -> cilta-cel".

    Names of drugs (English or Chinese) or regimens; + for what is given together; days behind a name end it before a progression.
    """
    from ..simulate.sequence import compare
    from ..simulate.strategies import summary, verdicts
    from ..table import as_text

    step(f"simulating {patients:,} patients under {len(strategies)} strategies")
    found = compare(strategies, gap=gap, patients=patients, months=months, population=population, seed=seed)
    click.echo(as_text(summary(found, lang)))
    for line in verdicts(found, lang):
        click.echo(f"\n{line}")
    if out:
        out.mkdir(parents=True, exist_ok=True)
        for number, table in enumerate(found.people, 1):
            table.write_csv(out / f"strategy-{number}.csv")
        _write_pages(out, lambda pages: {"index.html": pages.sequence_page(found, lang)})
    _synthetic(lang)


@simulate.command("people")
@click.argument("number", type=patients_type)
@click.option("--population", default="ndmm_transplant_eligible", show_default=True, help="Whom they are drawn from.")
@click.option("--protocol", help="What they go through.  [default: the one of the population]")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the chart.")
@click.option("--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@lang_option
@explained
def simulate_people(number: int, population: str, protocol: str | None, seed: int, out: Path, format: str, lang: str) -> None:
    """A chart of so many virtual people: visits, laboratory, MRD, treatment, side effects, as a hospital would have recorded them."""
    from ..simulate.cohort import virtual_cohort

    step(f"simulating {number:,} people")
    chart = virtual_cohort(population, number, seed, protocol)
    chart.write(out, "parquet" if format == "parquet" else "csv", replace=True)
    click.echo(f"wrote {out}")
    _synthetic(lang)


@simulate.command("sensitivity")
@click.argument("protocol")
@click.option("--patients", type=click.IntRange(min=20, max=5000), default=500, show_default=True, help="How many enter.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a page and the whole table.")
@lang_option
@explained
def simulate_sensitivity(protocol: str, patients: int, seed: int, out: Path | None, lang: str) -> None:
    """What the outcome of a virtual trial hangs on: rank correlations of the patients' parameters with PFS and depth."""
    from ..simulate.protocols import read_protocol
    from ..simulate.sensitivity import sensitivity
    from ..simulate.told import sensitivity_told
    from ..simulate.trial import run_trial
    from ..table import as_text

    read = read_protocol(protocol)
    step(f"simulating {patients:,} patients")
    trial = run_trial(read, patients, seed)
    table = sensitivity(trial)
    click.echo(as_text(sensitivity_told(table, lang)))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        table.write_csv(out / "sensitivity.csv")
        _write_pages(out, lambda pages: {"index.html": pages.sensitivity_page(trial, table, lang)})
    _synthetic(lang)


@simulate.command("score")
@click.option("--draws", type=click.IntRange(min=1), default=8, show_default=True, help="How many draws of the posterior.")
@click.option("--people", type=patients_type, default=500, show_default=True, help="People an arm and draw.")
@click.option(
    "--role",
    "roles",
    type=click.Choice(["train", "held_out", "kept_back", "kept_back_2", "kept_back_3"]),
    multiple=True,
    help="Only these targets.  [default: all]",
)
@click.option("--seed", type=click.IntRange(min=0), default=101, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a page and the table.")
@lang_option
@explained
def simulate_score(draws: int, people: int, roles: tuple[str, ...], seed: int, out: Path | None, lang: str) -> None:
    """The calibration table: what trials published, what virtual people give, what one would say without a model. It takes long."""
    from ..simulate.calibration.score import score, table
    from ..simulate.calibration.targets import ROLES
    from ..simulate.told import score_told, summary_told
    from ..table import as_text

    step(f"simulating {people:,} people an arm under {draws} draws")
    scored = score(draws=draws, people=people, seed=seed, roles=roles or ROLES)
    click.echo(as_text(score_told(scored, lang)))
    click.echo(f"\n{as_text(summary_told(scored, lang))}")
    if out:
        out.mkdir(parents=True, exist_ok=True)
        table(scored).write_csv(out / "score.csv")
        _write_pages(out, lambda pages: {"index.html": pages.score_page(scored, lang)})
    _synthetic(lang)


@simulate.command("twin")
@chart_argument
@click.argument("patient")
@click.option("--at", type=Day(), help="Use what was known on this day.  [default: the last value of the line]")
@click.option("--weeks", type=click.IntRange(min=1, max=260), default=52, show_default=True, help="How far ahead.")
@click.option("--siblings", type=click.IntRange(min=500, max=100_000), default=5000, show_default=True, help="Virtual siblings drawn.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File for the page (HTML).")
@mapping_option
@lang_option
@explained
def simulate_twin(
    chart: Path, patient: str, at: date | None, weeks: int, siblings: int, seed: int, out: Path | None, mapping: Path | None, lang: str
) -> None:
    """Virtual siblings of a PATIENT of a CHART, weighted by how they follow the measured course, and what they do next. No advice."""
    from ..simulate.told import rests, twin_told
    from ..simulate.twin import later_values, twin
    from ..table import as_text

    read = read_chart(chart, mapping)
    step(f"simulating {siblings:,} siblings")
    found = twin(read, patient, at, siblings=siblings, weeks=weeks, seed=seed)
    click.echo(as_text(twin_told(found, lang)))
    click.echo("\n" + "\n".join(rests(found, lang)))
    if out:
        from ..simulate.pictures.pages import twin_page

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(twin_page(found, lang, later_values(found, read)), encoding="utf-8")
        click.echo(f"\nwrote {out}")
    _synthetic(lang)


def _write_pages(out: Path, made: Callable[[ModuleType], Mapping[str, str]]) -> None:
    """Beside the tables what `made` makes of the module of pages; without what pages need, say what it is."""
    from ..errors import UsageError

    try:
        from .. import report  # noqa: F401
    except UsageError as error:
        click.echo(f"no pages: {error}", err=True)
    else:
        from ..simulate.pictures import pages

        for name, html in made(pages).items():
            (out / name).write_text(html, encoding="utf-8")
    click.echo(f"\nwrote {out}")


def _synthetic(lang: str) -> None:
    """Say what the numbers are not."""
    from ..simulate.words import NOTE

    click.echo(f"\n{NOTE[lang]}")
