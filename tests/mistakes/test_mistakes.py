r"""Every kind of fault a user can make, and the message that is seen.

One file is one mistake: what it is, the commands with what they print, and the files it happens in.

    A unit the code is not measured in: …

    $ bence check chart
    exit 1
    observations.csv  2  unit  mmol/L  b2m is not measured in mmol/L …
    2> a line on standard error

    -- chart/observations.csv --
    patient,on,what,value,unit
    …

The lines must be printed in this order, others may stand between them; a run of spaces counts as one, and `…` stands
for anything. A file may also be written as `-- NAME, bytes --` (`\x00`, `\n`; no line ends of its own), as
`-- NAME, gb18030 --` (or any other encoding), or as `-- NAME, from CSV --` (a Parquet file with the types found in the
CSV); `-- NAME/ --` is a folder.
"""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from bence.cli import bence

HERE = Path(__file__).parent
SECTION = re.compile(r"^-- (?P<name>[^,\n]+?)(?:, (?P<how>[^\n]+?))? --\n", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    words: list[str]
    exit: int
    printed: list[str]
    warned: list[str]  # on standard error


@dataclass(frozen=True)
class Mistake:
    title: str
    commands: list[Command]
    files: list[tuple[str, str, str]]  # name, how it is written, content


def load(path: Path) -> Mistake:
    text = path.read_text(encoding="utf-8")
    head, *parts = SECTION.split(text)
    title, *blocks = re.split(r"^\$ ", head, flags=re.MULTILINE)
    files = list(zip(parts[::3], (how or "" for how in parts[1::3]), parts[2::3], strict=True))
    return Mistake(title.strip(), [command(block) for block in blocks], files)


def command(block: str) -> Command:
    first, status, *lines = [line for line in block.splitlines() if line.strip()]
    program, *words = shlex.split(first)
    assert program == "bence"
    warned = [line.removeprefix("2> ") for line in lines if line.startswith("2> ")]
    printed = [line for line in lines if not line.startswith("2> ")]
    return Command(words, int(status.removeprefix("exit ")), printed, warned)


def lay_out(mistake: Mistake, folder: Path) -> None:
    """Write the files of a mistake into a folder."""
    for name, how, content in mistake.files:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if how == "from CSV":
            pl.read_csv(io.StringIO(content), try_parse_dates=True).write_parquet(path)
        elif how == "bytes":
            path.write_bytes(content.removesuffix("\n").encode("ascii").decode("unicode_escape").encode("latin-1"))
        else:
            path.write_bytes(content.encode(how or "utf-8"))


def run(words: list[str]) -> Result:
    return CliRunner().invoke(bence, words, prog_name="bence")


def in_order(lines: list[str], text: str) -> str | None:
    """The first line that is not printed after those before it; None if all are."""
    rest = iter(" ".join(line.split()) for line in text.splitlines())
    for line in lines:
        wanted = re.escape(" ".join(line.split())).replace("…", ".*")
        if not any(re.fullmatch(wanted, printed) for printed in rest):
            return line
    return None


MISTAKES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_the_message_a_user_sees(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mistake = load(path)
    assert mistake.title
    assert mistake.commands
    lay_out(mistake, tmp_path)
    monkeypatch.chdir(tmp_path)
    for each in mistake.commands:
        result = run(each.words)
        told = f"$ bence {shlex.join(each.words)}\nexit {result.exit_code}\n{result.stdout}\n2> {result.stderr}"
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code == each.exit, told
        assert (missing := in_order(each.printed, result.stdout)) is None, f"not printed: {missing}\n{told}"
        assert (missing := in_order(each.warned, result.stderr)) is None, f"not on stderr: {missing}\n{told}"


def test_there_are_mistakes_of_every_kind() -> None:
    assert len(MISTAKES) >= 60
