"""Outside → chart.

Only readers know outside names, codes, units, spellings and languages. They settle all of that at the door.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..callable import make_callable
from ..catalogue import nearest
from ..chart import SCHEMA, Chart, join
from ..errors import ChartError, UsageError

EXPORTS = (".csv", ".tsv", ".xlsx", ".xls")
OURS = frozenset(("status", "response", "lines", "mrd", "toxicity", "rejected", "codes", "treatments_assessed", "readme"))


def read(path: str | Path, mapping: str | Path | None = None) -> Chart:
    """The chart at a path: a folder with the tables of a chart, with exports of a hospital system, or both.

    A single file is an export. `mapping`: a file that says what the columns of an export mean. UsageError if
    there is nothing at the path, ChartError if it is no chart. Refused cells are in `chart.rejected`.
    """
    place = Path(path)
    if not place.exists():
        raise UsageError(f"there is no file or folder {str(path)!r}", nearest=_sibling(place))
    if place.is_file():
        _speaks_of(mapping, [place])
        return _exports([place], mapping)
    from . import tables

    ours = tables.files_in(place)
    others = _exports_in(place, ours)
    _speaks_of(mapping, others)
    if ours and not others:
        return tables.read(place)
    if ours:
        return _with_exports(tables.read(place), others, mapping)
    if not others:
        raise ChartError(
            "there are no tables",
            where=str(place),
            expected="patients.csv and the other tables of a chart, or an export",
        )
    return _exports(others, mapping)


def _speaks_of(file: str | Path | None, exports: list[Path]) -> None:
    """UsageError if a mapping file is given and none of the files is what it speaks of."""
    if file is None:
        return
    from .mapping import load

    given = load(file)
    if not any(given.speaks_of(path.name) for path in exports):
        what = f"there is no export {given.name!r} for it" if exports else "there is no export that it could speak of"
        raise UsageError(what, where=given.path, nearest=nearest(given.name, [path.name for path in exports]))


def _with_exports(chart: Chart, others: list[Path], mapping: str | Path | None) -> Chart:
    """A chart together with the exports that lie in its folder; a file that is neither is told in `rejected`."""
    charts, strays = [chart], []
    for path in others:
        try:
            charts.append(_exports([path], mapping))
        except ChartError as error:
            if mapping is not None:
                raise
            strays.append((path.name, None, None, "", f"the file is not read: {error.what}", error.expected, None))
    both = join(charts)
    both.rejected = pl.concat([both.rejected, pl.DataFrame(strays, schema=SCHEMA["rejected"], orient="row")])
    return both


def _exports_in(folder: Path, ours: dict[str, Path]) -> list[Path]:
    """The other tables in a folder; findings that Bence wrote there are none."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith((".", "~$")))
    return [
        path for path in files if path.suffix.lower() in EXPORTS and path not in ours.values() and path.stem.lower() not in OURS
    ]


def exports_in(path: str | Path) -> list[Path]:
    """The files at a path that are exports of a hospital system, not tables of a chart."""
    place = Path(path)
    if place.is_file():
        return [place]
    from . import tables

    return _exports_in(place, tables.files_in(place))


def _exports(paths: list[Path], mapping: str | Path | None) -> Chart:
    from . import hospital

    return hospital.read(paths, mapping)


def _sibling(path: Path) -> str | None:
    try:
        names = {each.name: str(each) for each in path.parent.iterdir()}
    except OSError:
        return None
    near = nearest(path.name, names)
    return names[near] if near else None


make_callable(__name__)
