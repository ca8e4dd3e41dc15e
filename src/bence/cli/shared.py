"""What every command shares: the group, options with one meaning everywhere, errors as one line, and how a chart is read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import BenceError, ChartError

if TYPE_CHECKING:
    from ..chart import Chart

NOTE = "Bence supports decisions; it does not make them and is not a medical device."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=NOTE)
@click.version_option(__version__, prog_name="bence")
def bence() -> None:
    """Multiple myeloma: what is recorded, what is known, what it means and what can be done next.

    CHART is a folder with patients.csv, observations.csv, treatments.csv and events.csv (or Parquet), or with the
    exports of a hospital system, or FHIR R4 (a Bundle as .json, a bulk export as .ndjson, or a folder of them).
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


def pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The option NAME=VALUE, given several times, as names and values."""
    found = {text.partition("=")[0]: text.partition("=")[2] for text in given}
    if any("=" not in text for text in given):
        raise click.BadParameter("expected NAME=VALUE", ctx, param)
    if len(found) < len(set(given)):
        raise click.BadParameter("one name is given two values", ctx, param)
    return {name.strip(): value.strip() for name, value in found.items()}


chart_argument = click.argument("chart", type=click.Path(path_type=Path))
at_option = click.option("--at", type=Day(), help="Assess from what was known on this day.")
mapping_option = click.option("--mapping", type=click.Path(path_type=Path), help="Mapping file for an export (see `bence check`).")
policy_option = click.option("--policy", multiple=True, metavar="NAME=VALUE", callback=pairs, help="A choice the criteria leave open.")
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


def step(text: str) -> None:
    """Say on a terminal what long work is being done."""
    if sys.stderr.isatty():
        click.echo(f"{text} …", err=True)


def read_chart(chart: Path, mapping: Path | None) -> Chart:
    """The chart; what was not accepted is summed up on standard error."""
    from ..read import read

    step(f"reading {chart}")
    found = read(chart, mapping)
    _sum_up_rejected(found)
    if not found.patients.height:
        raise ChartError("no patient is left", where=str(chart), expected="a table of patients with their keys")
    return found


def _sum_up_rejected(chart: Chart) -> None:
    if chart.rejected.height:
        from ..table import counted

        click.echo(f"{counted(chart.rejected.height, 'cell', was=True)} not accepted; `bence check` lists them all", err=True)
        for file, column, reason, n in _most_rejected(chart):
            click.echo(f"  {n} × {_one_line(file)}{': ' + column if column else ''}: {_one_line(reason)}", err=True)


def _most_rejected(chart: Chart) -> list[tuple[Any, ...]]:
    import polars as pl

    groups = chart.rejected.group_by("file", "column", "reason", maintain_order=True).agg(pl.len())
    return groups.sort("len", descending=True, maintain_order=True).head(5).rows()


def note(lang: str) -> None:
    """Say what Bence is not."""
    from ..assess import DISCLAIMER

    click.echo(f"\n{DISCLAIMER[lang]}")
