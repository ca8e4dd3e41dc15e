"""What can be done next, whether it was done, and what that is based on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

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
@click.argument("patient", required=False)
@at_option
@region_option
@policy_option
@mapping_option
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write a page for the MDT (one patient) or the rows as CSV (all).")
@lang_option
@explained
def advise(
    chart: Path, patient: str | None, at: date | None, region: str, policy: dict[str, str], mapping: Path | None,
    out: Path | None, lang: str,
) -> None:  # fmt: skip
    """Options for a PATIENT, or for all: what speaks for and against, what blocks, and what is missing."""
    read = read_chart(chart, mapping)
    step("advising")
    if patient is None:
        from ..advise import advise as rows_of
        from ..advise.rows import counts
        from ..table import as_text

        rows = rows_of(read, at, region, lang, **policy)
        if out:
            rows.write_csv(out)
        click.echo(as_text(counts(rows, lang)))
    elif out:
        from ..report import sheet

        out.write_text(sheet(read, patient, at, region, lang, **policy), encoding="utf-8")
    else:
        from ..advise import advice_for
        from ..advise.text import text

        click.echo(text(advice_for(read, patient, at, region, lang, **policy), lang))
    if out:
        click.echo(f"wrote {out}")
    note(lang)


@bence.command()
@chart_argument
@region_option
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write every decision as CSV.")
@policy_option
@mapping_option
@lang_option
@explained
def replay(chart: Path, region: str, out: Path | None, policy: dict[str, str], mapping: Path | None, lang: str) -> None:
    """Was the pathway followed? Every decision of a cohort against what was offered on its day."""
    from ..advise import replay as replaying
    from ..advise.policies import parted
    from ..assess import assess
    from ..table import as_text

    read = read_chart(chart, mapping)
    mine, others = parted(policy)
    step("assessing every decision on its day")
    rows = replaying.replay(read, assess(read, **others), region, **mine)
    if out:
        rows.write_csv(out)
        click.echo(f"wrote {out}")
    for table in (replaying.summary(rows), replaying.outcomes(rows)):
        click.echo(as_text(table))
        click.echo("")
    click.echo(replaying.ASSOCIATION[lang])
    note(lang)


@bence.command()
@click.argument("name", required=False)
@click.option("--kind", help="List one kind: drugs, trials, guidelines, targets, mechanisms, disputed.")
@click.option("--table", help="agents-bcma, agents-gprc5d, agents-fcrh5, approvals, mrd-trials, resistance, midas, disputed, network.")
@click.option("--format", type=click.Choice(["text", "csv", "html"]), default="text", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write into this file.")
@lang_option
@explained
def evidence(name: str | None, kind: str | None, table: str | None, format: str, out: Path | None, lang: str) -> None:
    """What is known of drugs, trials and mechanisms: the record NAME, a list or a table, every fact with its source."""
    if sum(bool(each) for each in (name, kind, table)) > 1 or (name and format == "csv"):
        raise UsageError("this cannot be shown at once", expected="a NAME (text, html), a --kind or a --table (text, csv, html)")
    from ..evidence import show

    if format == "html":
        from ..report.evidence import evidence_page

        text = evidence_page(name, kind, table, lang)
    elif name:
        text = show.record_text(name, lang)
    elif format == "csv":
        text = show.rows(kind, table, lang).write_csv()
    else:
        from ..table import as_text

        text = show.rows_text(show.rows(kind, table, lang), as_text, lang, agents=(table or "").startswith("agents-"))
    if out is None:
        click.echo(text.rstrip("\n"))
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}")
    if format == "text":
        note(lang)


@bence.command("sign-off")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("sign-off.md"), show_default=True)
@lang_option
@explained
def sign_off(out: Path, lang: str) -> None:
    """Write the sheet that lists every rule with its source, thresholds and status, for a haematologist to sign."""
    from ..signoff import sheet

    out.write_text(sheet(lang), encoding="utf-8")
    click.echo(f"wrote {out}")
