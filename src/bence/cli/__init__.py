"""The command line: each command calls one function of the library.

Nothing heavy is imported before a command needs it, so that `bence --help` starts at once.
"""

from __future__ import annotations

import io
import sys

from . import advising, assessing, charts, registry, simulating
from .shared import bence

__all__ = ["advising", "assessing", "bence", "charts", "main", "registry", "simulating"]


def main() -> None:
    """Entry point of the command `bence`. A terminal that cannot show a letter shows its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    bence(prog_name="bence")
