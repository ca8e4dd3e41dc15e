"""The command line: each command calls one function of the library.

Nothing heavy is imported before a command needs it, so that `bence --help` starts at once.
"""

from __future__ import annotations

import getpass
import io
import re
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .errors import BenceError, ChartError, UsageError

if TYPE_CHECKING:
    from .assess import Findings
    from .chart import Chart
    from .registry import Access, Store

NOTE = "Bence supports decisions; it does not make them and is not a medical device."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=NOTE)
@click.version_option(__version__, prog_name="bence")
def bence() -> None:
    """Multiple myeloma: what is recorded, what is known, what it means and what can be done next.

    CHART is a folder with patients.csv, observations.csv, treatments.csv and events.csv (or Parquet), or with the
    exports of a hospital system.
    """


class Day(click.ParamType):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date, or a usage error that says what was expected."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; expected YYYY-MM-DD", param, ctx)


def _pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {text.partition("=")[0]: text.partition("=")[2] for text in given}
    if any("=" not in text for text in given):
        raise click.BadParameter("expected NAME=VALUE", ctx, param)
    if len(pairs) < len(set(given)):
        raise click.BadParameter("one name is given two values", ctx, param)
    return {name.strip(): value.strip() for name, value in pairs.items()}


chart_argument = click.argument("chart", type=click.Path(path_type=Path))
at_option = click.option("--at", type=Day(), help="Assess from what was known on this day.")
mapping_option = click.option(
    "--mapping", type=click.Path(path_type=Path), help="Mapping file for an export (see `bence check`)."
)
policy_option = click.option(
    "--policy", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="A choice the criteria leave open."
)
profile_option = click.option("--profile", default="imwg_2016", show_default=True, help="Response criteria.")
region_option = click.option(
    "--region", type=click.Choice(["china", "us", "eu"]), default="china", show_default=True, help="Whose approvals count."
)
lang_option = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)


def explained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print an error of ours as one line, without a traceback, and leave with its exit code."""

    @wraps(command)
    def run(*args: Any, **named: Any) -> Any:
        try:
            return command(*args, **named)
        except BenceError as error:
            click.echo(f"bence: {_one_line(str(error))}", err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read the output has enough
        except OSError as error:
            told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            click.echo(f"bence: {_one_line(told)}", err=True)
            sys.exit(1)
        except BaseException as error:  # what panics inside Polars is no Exception
            if not _damaged(error):
                raise
            click.echo(f"bence: a Parquet file is damaged inside: {error}", err=True)
            sys.exit(1)

    return run


def _one_line(text: str) -> str:
    """A text on one line of a terminal: what a hostile cell or name might do there is shown as a space."""
    return "".join(char if char.isprintable() else " " for char in text)


def _damaged(error: BaseException) -> bool:
    """Is this what Polars says of a damaged Parquet file? (Its tables are read when they are needed.)"""
    told = type(error).__module__.startswith("polars") and "parquet" in str(error).lower()
    return told or type(error).__name__ == "PanicException"


def _step(text: str) -> None:
    """Say on a terminal what long work is being done."""
    if sys.stderr.isatty():
        click.echo(f"{text} …", err=True)


def _read(chart: Path, mapping: Path | None) -> Chart:
    """The chart; what was not accepted is summed up on standard error."""
    from .read import read

    _step(f"reading {chart}")
    found = read(chart, mapping)
    _sum_up_rejected(found)
    if not found.patients.height:
        raise ChartError("no patient is left", where=str(chart), expected="a table of patients with their keys")
    return found


def _sum_up_rejected(chart: Chart) -> None:
    if chart.rejected.height:
        from .table import counted

        click.echo(f"{counted(chart.rejected.height, 'cell', was=True)} not accepted; `bence check` lists them all", err=True)
        for file, column, reason, n in _most_rejected(chart):
            click.echo(f"  {n} × {_one_line(file)}{': ' + column if column else ''}: {_one_line(reason)}", err=True)


def _most_rejected(chart: Chart) -> list[tuple[Any, ...]]:
    import polars as pl

    groups = chart.rejected.group_by("file", "column", "reason", maintain_order=True).agg(pl.len())
    return groups.sort("len", descending=True, maintain_order=True).head(5).rows()


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
    from .assess import assess as assess_chart

    if out is not None:
        from .output import check_folder

        check_folder(out)
    read = _read(chart, mapping)
    _step(f"assessing {read.patients.height:,} patients")
    findings = assess_chart(read, at, profile, **policy)
    if out is not None:
        _write(read, findings, out, format, lang, chart, mapping)
    _print_cohort(findings, lang)


def _write(
    chart: Chart, findings: Findings, out: Path, format: str, lang: str, source: Path, mapping: Path | None
) -> None:
    from .output import input_files, write

    _step(f"writing {out}")
    write(findings, out, format, [*input_files(source), *([mapping] if mapping else [])])
    from .report import cohort

    page = out / "cohort.html"
    page.write_text(cohort(chart, findings, lang), encoding="utf-8")
    click.echo(f"wrote {out}: open {page}")


def _print_cohort(findings: Findings, lang: str) -> None:
    from .table import cohort_table

    click.echo(cohort_table(findings, lang))
    _note(lang)


def _note(lang: str) -> None:
    from .assess import DISCLAIMER

    click.echo(f"\n{DISCLAIMER[lang]}")


@bence.command()
@chart_argument
@click.argument("patient")
@click.argument("finding")
@at_option
@policy_option
@mapping_option
@click.option(
    "--what-if", multiple=True, metavar="NAME=VALUE", callback=_pairs,
    help="Change a value (b2m=6) or a threshold (iss.high=6) for this question; nothing is kept.",
)  # fmt: skip
@lang_option
@explained
def why(
    chart: Path, patient: str, finding: str, at: date | None, policy: dict[str, str], mapping: Path | None,
    what_if: dict[str, str], lang: str,
) -> None:  # fmt: skip
    """Explain one FINDING of one PATIENT: values, dates, rules, sources, and what is missing."""
    from .assess.why import why as explain_finding

    thresholds: dict[str, dict[str, float]] = {}
    for name, value in what_if.items():
        if "." in name:
            rule, _, threshold = name.partition(".")
            thresholds.setdefault(rule, {})[threshold] = _number(name, value)
    values = {name: value for name, value in what_if.items() if "." not in name}
    explained = explain_finding(_read(chart, mapping), patient, finding, at, vary=thresholds, what_if=values, **policy)
    click.echo(explained.text(lang))
    _note(lang)


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
    read = _read(chart, mapping)
    _step("advising")
    if patient is None:
        from .advise import advise as rows_of
        from .advise.rows import counts
        from .table import as_text

        rows = rows_of(read, at, region, lang, **policy)
        if out:
            rows.write_csv(out)
        click.echo(as_text(counts(rows, lang)))
    elif out:
        from .report import sheet

        out.write_text(sheet(read, patient, at, region, lang, **policy), encoding="utf-8")
    else:
        from .advise import advice_for
        from .advise.text import text

        click.echo(text(advice_for(read, patient, at, region, lang, **policy), lang))
    if out:
        click.echo(f"wrote {out}")
    _note(lang)


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
    from .advise import replay as replaying
    from .advise.policies import parted
    from .assess import assess
    from .table import as_text

    read = _read(chart, mapping)
    mine, others = parted(policy)
    _step("assessing every decision on its day")
    rows = replaying.replay(read, assess(read, **others), region, **mine)
    if out:
        rows.write_csv(out)
        click.echo(f"wrote {out}")
    for table in (replaying.summary(rows), replaying.outcomes(rows)):
        click.echo(as_text(table))
        click.echo("")
    click.echo(replaying.ASSOCIATION[lang])
    _note(lang)


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
    from .evidence import show

    if format == "html":
        from .report.evidence import evidence_page

        text = evidence_page(name, kind, table, lang)
    elif name:
        text = show.record_text(name, lang)
    elif format == "csv":
        text = show.rows(kind, table, lang).write_csv()
    else:
        from .table import as_text

        text = show.rows_text(show.rows(kind, table, lang), as_text, lang, agents=(table or "").startswith("agents-"))
    if out is None:
        click.echo(text.rstrip("\n"))
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}")
    if format == "text":
        _note(lang)



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
    from .assess.sensitivity import line_sensitivity
    from .table import sensitivity_table

    read = _read(chart, mapping)
    _step("assessing once for each value of a policy")
    rows = line_sensitivity(read, **policy)
    if out:
        rows.write_csv(out)
        click.echo(f"wrote {out}")
    click.echo(sensitivity_table(rows, lang))
    _note(lang)


@bence.command()
@chart_argument
@mapping_option
@explained
def check(chart: Path, mapping: Path | None) -> None:
    """List what is wrong with the data, cell by cell; leaves with 1 if anything was not accepted."""
    from .check import check as check_chart

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
    read = _read(chart, mapping)
    read.only(patient)  # says so at once if there is no such patient
    from .report import report as page_of

    page = page_of(read, patient, at, lang=lang, region=region, **policy)
    target.write_text(page, encoding="utf-8")
    click.echo(f"wrote {target}")


@bence.command()
@click.argument("folder", type=click.Path(path_type=Path))
@explained
def template(folder: Path) -> None:
    """Write empty tables of a chart into FOLDER, and the list of codes to fill them with."""
    from .template import write_template

    for path in write_template(folder):
        click.echo(f"wrote {path}")


@bence.command()
@click.argument("word", required=False)
@click.option("--grain", help="observation, drug, procedure, event, patient, treatment, finding …")
@lang_option
@explained
def codes(word: str | None, grain: str | None, lang: str) -> None:
    """List the codes of a chart and of the findings; WORD (Chinese or English) narrows the list."""
    from .template import list_codes

    click.echo(list_codes(word, grain, lang))


@bence.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@explained
def diff(before: Path, after: Path) -> None:
    """Whose findings changed between two assessments (folders written by `assess --out`), and why."""
    from .compare import differences, reasons
    from .table import as_text, counted

    changed, why_changed = differences(before, after), reasons(before, after)
    click.echo(as_text(changed) if changed.height else "no finding differs")
    click.echo(f"{counted(changed['patient'].n_unique(), 'patient')}, {counted(changed.height, 'finding')} changed")
    for line in why_changed:
        click.echo(f"  {line}")


@bence.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"), show_default=True)
@lang_option
@explained
def demo(out: Path, lang: str) -> None:
    """Assess the synthetic demo cohort, print a table, and write pages to open."""
    from .demo import run_demo

    click.echo(run_demo(out, lang))


@bence.command()
@click.argument("tables", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--samples", required=True, type=click.Path(path_type=Path), help="CSV: sample, patient, on, cells or dna (ug).")
@click.option("--diagnosis", multiple=True, required=True, metavar="SAMPLE", help="Sample in which the clones are chosen.")
@click.option("--spikes", type=click.Path(path_type=Path), help="CSV of spike-ins: sequence, copies.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("observations.csv"), show_default=True)
@explained
def clones(tables: tuple[Path, ...], samples: Path, diagnosis: tuple[str, ...], spikes: Path | None, out: Path) -> None:
    """Follow clones through clonotype TABLES (AIRR or Vidjil): MRD as rows of a chart."""
    from .clones import follow_files
    from .table import as_text

    followed, rows = follow_files(tables, samples, diagnosis, spikes)
    click.echo(as_text(followed))
    rows.write_csv(out)
    click.echo(f"wrote {out}")
    _note("en")


@bence.command("sign-off")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("sign-off.md"), show_default=True)
@lang_option
@explained
def sign_off(out: Path, lang: str) -> None:
    """Write the sheet that lists every rule with its source, thresholds and status, for a haematologist to sign."""
    from .signoff import sheet

    out.write_text(sheet(lang), encoding="utf-8")
    click.echo(f"wrote {out}")


@bence.group()
def registry() -> None:
    """Keep charts with their history, rights and audit: in a file (SQLite) or a postgresql:// DATABASE."""


database_argument = click.argument("database")
user_option = click.option("--user", default=getpass.getuser, help="The user of the registry (default: your login).")
why_option = click.option("--why", required=True, help="Why; it is kept with every row.")


def _store(database: str, user: str) -> tuple[Store, Access]:
    from .registry import Store

    store = Store(database)
    return store, store.access(user)


@registry.command("init")
@database_argument
@click.option("--centre", "centres", multiple=True, required=True, metavar="CODE=NAME", callback=_pairs, help="A centre of the registry.")
@user_option
@explained
def registry_init(database: str, centres: dict[str, str], user: str) -> None:
    """Make a registry, or bring an older one up to date. The first user may do everything in the centres given."""
    from .registry import Access, Store

    first = Access(user, ["administrator", "centre_lead", "data_entry"], centres)
    Store.create(database, {code: (name, name) for code, name in centres.items()}, first).close()


@registry.command("import")
@database_argument
@chart_argument
@why_option
@click.option("--centre", help="The centre of patients who have none in the chart.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write every row with its outcome as CSV.")
@mapping_option
@user_option
@explained
def registry_import(
    database: str, chart: Path, why: str, centre: str | None, dry_run: bool, out: Path | None, mapping: Path | None, user: str
) -> None:
    """Bring a chart or an export in, whole or not at all."""
    store, access = _store(database, user)
    done = store.import_chart(access, _read(chart, mapping), why, centre, dry_run)
    if out:
        done.rows.write_csv(out)
    said = ", ".join(f"{n:,} {name}" for name, n in done.counts.items())
    click.echo(f"dry run: {said}" if done.change is None else f"import {done.change}: {said}")


@registry.command("undo")
@database_argument
@click.argument("change", type=int)
@why_option
@user_option
@explained
def registry_undo(database: str, change: int, why: str, user: str) -> None:
    """Take the import CHANGE back; nothing is erased."""
    store, access = _store(database, user)
    click.echo(f"import {change} is taken back by change {store.undo(access, change, why)}")


@registry.command("export")
@database_argument
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--key-file", type=click.Path(path_type=Path, exists=True), help="De-identify with the secret key in this file.")
@click.option("--at-store-time", help="As the registry had it then: 2026-06-30T17:00:00+08:00.")
@user_option
@explained
def registry_export(database: str, folder: Path, format: Any, key_file: Path | None, at_store_time: str | None, user: str) -> None:
    """Write the chart of your centres into FOLDER."""
    store, access = _store(database, user)
    key = key_file.read_bytes().strip() if key_file else None
    click.echo(str(store.export(access, folder, format, key, at_store_time)))


@registry.command("verify")
@database_argument
@click.option("--head", help="A hash noted earlier, that must still be in the chain.")
@click.option("--audit", type=click.Path(path_type=Path), help="Write the audit as CSV, too.")
@user_option
@explained
def registry_verify(database: str, head: str | None, audit: Path | None, user: str) -> None:
    """Is the audit unbroken? Exits 1 if not, and says where."""
    store, access = _store(database, user)
    found = store.verify(access, head)
    if audit:
        store.export_audit(access, audit)
    if not found.whole:
        raise ChartError(f"the audit is broken at entry {found.broken_at}: {found.fault}")
    click.echo(f"{found.entries:,} entries, unbroken; head {found.head}")


def main() -> None:
    """Entry point of the command `bence`. A terminal that cannot show a letter shows its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    bence(prog_name="bence")


if __name__ == "__main__":
    main()
