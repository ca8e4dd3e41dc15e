"""What is known of the patients of a chart, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .shared import (
    at_option,
    bence,
    chart_argument,
    explained,
    lang_option,
    mapping_option,
    note,
    pairs,
    policy_option,
    profile_option,
    read_chart,
    step,
)

if TYPE_CHECKING:
    from ..assess import Findings
    from ..chart import Chart


@bence.command()
@chart_argument
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the tables and the cohort page.")
@at_option
@profile_option
@policy_option
@mapping_option
@click.option("--format", type=click.Choice(["csv", "parquet", "json"]), default="csv", show_default=True)
@lang_option
@explained
def assess(
    chart: Path, out: Path | None, at: date | None, profile: str, policy: dict[str, str], mapping: Path | None,
    format: str, lang: str,
) -> None:  # fmt: skip
    """Diagnosis, stage and response of every patient, each with its reasons and its gaps."""
    from ..assess import assess as assess_chart

    if out is not None:
        from ..output import check_folder

        check_folder(out)
    read = read_chart(chart, mapping)
    step(f"assessing {read.patients.height:,} patients")
    findings = assess_chart(read, at, profile, **policy)
    if out is not None:
        _write(read, findings, out, format, lang, chart, mapping)
    _print_cohort(findings, lang)


def _write(chart: Chart, findings: Findings, out: Path, format: str, lang: str, source: Path, mapping: Path | None) -> None:
    from ..output import input_files, write

    step(f"writing {out}")
    write(findings, out, format, [*input_files(source), *([mapping] if mapping else [])])
    from ..report import cohort

    page = out / "cohort.html"
    page.write_text(cohort(chart, findings, lang), encoding="utf-8")
    click.echo(f"wrote {out}: open {page}")


def _print_cohort(findings: Findings, lang: str) -> None:
    from ..table import cohort_table

    click.echo(cohort_table(findings, lang))
    note(lang)


@bence.command()
@chart_argument
@click.argument("patient")
@click.argument("finding")
@at_option
@policy_option
@mapping_option
@click.option(
    "--what-if", multiple=True, metavar="NAME=VALUE", callback=pairs,
    help="Change a value (b2m=6) or a threshold (iss.high=6) for this question; nothing is kept.",
)  # fmt: skip
@lang_option
@explained
def why(
    chart: Path, patient: str, finding: str, at: date | None, policy: dict[str, str], mapping: Path | None,
    what_if: dict[str, str], lang: str,
) -> None:  # fmt: skip
    """Explain one FINDING of one PATIENT: values, dates, rules, sources, and what is missing."""
    from ..assess.why import why as explain_finding

    thresholds: dict[str, dict[str, float]] = {}
    for name, value in what_if.items():
        if "." in name:
            rule, _, threshold = name.partition(".")
            thresholds.setdefault(rule, {})[threshold] = _number(name, value)
    values = {name: value for name, value in what_if.items() if "." not in name}
    explained = explain_finding(read_chart(chart, mapping), patient, finding, at, vary=thresholds, what_if=values, **policy)
    click.echo(explained.text(lang))
    note(lang)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"{name} cannot be {value!r}", expected="a number") from None


@bence.command()
@chart_argument
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the rows as CSV.")
@policy_option
@mapping_option
@lang_option
@explained
def sensitivity(chart: Path, out: Path | None, policy: dict[str, str], mapping: Path | None, lang: str) -> None:
    """How many patients' derived lines of therapy change with each policy of the lines."""
    from ..assess.sensitivity import line_sensitivity
    from ..table import sensitivity_table

    read = read_chart(chart, mapping)
    step("assessing once for each value of a policy")
    rows = line_sensitivity(read, **policy)
    if out:
        rows.write_csv(out)
        click.echo(f"wrote {out}")
    click.echo(sensitivity_table(rows, lang))
    note(lang)


@bence.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@explained
def diff(before: Path, after: Path) -> None:
    """Whose findings changed between two assessments (folders written by `assess --out`), and why."""
    from ..compare import differences, reasons
    from ..table import as_text, counted

    changed, why_changed = differences(before, after), reasons(before, after)
    click.echo(as_text(changed) if changed.height else "no finding differs")
    click.echo(f"{counted(changed['patient'].n_unique(), 'patient')}, {counted(changed.height, 'finding')} changed")
    for line in why_changed:
        click.echo(f"  {line}")
