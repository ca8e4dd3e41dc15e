"""Files that a browser or a program sends: kept in a folder of their own for as long as they are read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fastapi import UploadFile

from ..errors import UsageError

LARGEST = 200 * 1024 * 1024  # bytes together


@contextmanager
def received(files: Sequence[UploadFile]) -> Iterator[Path]:
    """A folder with the files, under their own names; UsageError if they are too large, or two have one name."""
    with tempfile.TemporaryDirectory(prefix="bence-upload-") as place:
        keep(files, Path(place))
        yield Path(place)


def keep(files: Sequence[UploadFile], folder: Path) -> None:
    """Write the files into a folder under their own names; UsageError as for `received`."""
    if sum(file.size or 0 for file in files) > LARGEST:
        raise UsageError(f"more than {LARGEST // 1024**2} MB", expected="smaller files, or `bence registry import` on the server")
    for file in files:
        name = Path((file.filename or "").replace("\\", "/")).name
        if not name or (folder / name).exists():
            raise UsageError(
                f"two files are called {name!r}" if name else "a file without a name", expected="files with names of their own"
            )
        with (folder / name).open("wb") as target:
            shutil.copyfileobj(file.file, target)
