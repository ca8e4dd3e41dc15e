"""Charts: what is wrong with the data, pages of patients, empty tables, codes, other formats, clones, the demo."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

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
    policy_option,
    read_chart,
    region_option,
    step,
)


@bence.command()
@chart_argument
@mapping_option
@explained
def check(chart: Path, mapping: Path | None) -> None:
    """List what is wrong with the data, cell by cell; leaves with 1 if anything was not accepted."""
    from ..check import check as check_chart

    text, accepted = check_chart(chart, mapping)
    click.echo(text)
    sys.exit(0 if accepted else 1)


@bence.command()
@chart_argument
@click.argument("patient")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write (default: PATIENT.html).")
@at_option
@policy_option
@mapping_option
@region_option
@lang_option
@explained
def report(
    chart: Path,
    patient: str,
    out: Path | None,
    at: date | None,
    policy: dict[str, Any],
    mapping: Path | None,
    region: str,
    lang: str,
) -> None:
    """One printable page for one PATIENT: curves, therapy, response, stage, reasons."""
    target = out or Path(re.sub(r"[^\w.-]", "_", patient).lstrip(".") + ".html")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder '{target.parent}' to write the page into")
    read = read_chart(chart, mapping)
    read.only(patient)  # says so at once if there is no such patient
    from ..report import report as page_of

    page = page_of(read, patient, at, lang=lang, region=region, **policy)
    target.write_text(page, encoding="utf-8")
    click.echo(f"wrote {target}")


@bence.command()
@click.argument("folder", type=click.Path(path_type=Path))
@explained
def template(folder: Path) -> None:
    """Write empty tables of a chart into FOLDER, and the list of codes to fill them with."""
    from ..template import write_template

    for path in write_template(folder):
        click.echo(f"wrote {path}")


@bence.command()
@click.argument("word", required=False)
@click.option("--grain", help="observation, drug, procedure, event, patient, treatment, finding …")
@lang_option
@explained
def codes(word: str | None, grain: str | None, lang: str) -> None:
    """List the codes of a chart and of the findings; WORD (Chinese or English) narrows the list."""
    from ..template import list_codes

    click.echo(list_codes(word, grain, lang))


@bence.command()
@chart_argument
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="A folder, or a file of FHIR R4 (.json, .ndjson).")
@click.option("--to", type=click.Choice(["csv", "parquet", "json", "ndjson"]), help="The form, where the name does not say it.")
@click.option("--findings", is_flag=True, help="With the stages and responses that Bence works out (FHIR only).")
@at_option
@mapping_option
@explained
def convert(chart: Path, out: Path, to: str | None, findings: bool, at: date | None, mapping: Path | None) -> None:
    """Write a chart in another form: tables (CSV, Parquet) or FHIR R4 (Bundle, ndjson)."""
    from ..convert import convert as convert_chart
    from ..convert import format_of

    format_of(out, to)  # says so before the chart is read
    read = read_chart(chart, mapping)
    step(f"writing {out}")
    for line in convert_chart(read, out, to, at, findings):
        click.echo(line, err=True)
    click.echo(f"wrote {out}")


@bence.command()
@click.argument("tables", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--samples", required=True, type=click.Path(path_type=Path), help="CSV: sample, patient, on, cells or dna (ug).")
@click.option("--diagnosis", multiple=True, required=True, metavar="SAMPLE", help="Sample in which the clones are chosen.")
@click.option("--spikes", type=click.Path(path_type=Path), help="CSV of spike-ins: sequence, copies.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("observations.csv"), show_default=True)
@explained
def clones(tables: tuple[Path, ...], samples: Path, diagnosis: tuple[str, ...], spikes: Path | None, out: Path) -> None:
    """Follow clones through clonotype TABLES (AIRR or Vidjil): MRD as rows of a chart."""
    from ..clones import follow_files
    from ..table import as_text

    followed, rows = follow_files(tables, samples, diagnosis, spikes)
    click.echo(as_text(followed))
    rows.write_csv(out)
    click.echo(f"wrote {out}")
    note("en")


@bence.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"), show_default=True)
@lang_option
@explained
def demo(out: Path, lang: str) -> None:
    """Assess the synthetic demo cohort, print a table, and write pages to open."""
    from ..demo import run_demo

    click.echo(run_demo(out, lang))
