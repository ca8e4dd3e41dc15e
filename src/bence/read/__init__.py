"""Outside → chart.

Only readers know outside names, codes, units, spellings and languages. They settle all of that at the door.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ..callable import make_callable
from ..catalogue import nearest
from ..chart import SCHEMA, TABLES, Chart, join
from ..errors import ChartError, UsageError

EXPORTS = (".csv", ".tsv", ".xlsx", ".xls")
FHIR = (".json", ".ndjson")
STRAYS = (*EXPORTS, ".parquet", *FHIR)
OURS = frozenset((
    "status", "response", "lines", "exposure", "mrd", "toxicity", "due", "scores", "completeness", "rejected", "codes",
    "treatments_assessed", "readme",
))  # fmt: skip
NOT_READ = "the file lies beside the tables of a chart and is not read"


def read(path: str | Path, mapping: str | Path | None = None) -> Chart:
    """The chart at a path: a folder with the tables of a chart, with exports of a hospital system or with FHIR; a file is an export.

    `mapping`: a file that says what the columns of an export mean. An export beside the tables of a chart is read only if
    the mapping speaks of it; any other table there is told in `chart.rejected`, as refused cells are. UsageError if there is
    nothing at the path, ChartError if it is no chart.
    """
    place = Path(path)
    if not place.exists():
        raise UsageError(f"there is no file or folder {str(path)!r}", nearest=_sibling(place))
    if place.is_file():
        _speaks_of(mapping, [place])
        return _exports([place], mapping)
    from . import tables

    ours = tables.files_in(place)
    exports = exports_in(place, mapping)
    _speaks_of(mapping, _others(place, ours, (*EXPORTS, *FHIR)))
    if ours:
        strays = [path for path in _others(place, ours, STRAYS) if path not in exports]
        return _with_exports(tables.read(place), exports, strays, mapping)
    if not exports:
        raise ChartError(
            "there are no tables",
            where=str(place),
            expected="patients.csv and the other tables of a chart, an export, or FHIR",
        )
    return _exports(exports, mapping)


def _speaks_of(file: str | Path | None, exports: list[Path]) -> None:
    """UsageError if a mapping file is given and none of the files is what it speaks of."""
    if file is None:
        return
    from .mapping import load

    given = load(file)
    if not any(given.speaks_of(path.name) for path in exports):
        what = f"there is no export {given.name!r} for it" if exports else "there is no export that it could speak of"
        raise UsageError(what, where=given.path, nearest=nearest(given.name, [path.name for path in exports]))


def _spoken_of(file: str | Path, exports: list[Path]) -> list[Path]:
    """The exports that a mapping file speaks of."""
    from .mapping import load

    given = load(file)
    return [path for path in exports if given.speaks_of(path.name)]


def _with_exports(chart: Chart, exports: list[Path], strays: list[Path], mapping: str | Path | None) -> Chart:
    """A chart together with exports of its folder; the strays that are not read are told in `rejected`."""
    told = [(path.name, None, None, "", NOT_READ, _way_in(path), nearest(path.stem.lower(), TABLES)) for path in strays]
    both = join([chart, *(_exports([path], mapping) for path in exports)])
    if told:
        both.rejected = pl.concat([both.rejected, pl.DataFrame(told, schema=SCHEMA["rejected"], orient="row")])
    return both


def _way_in(stray: Path) -> str:
    """What is to be done so that a stray table is read, or is a stray no more."""
    other = "another folder for it"
    return other if stray.suffix.lower() not in (*EXPORTS, *FHIR) else f"{other}; or a mapping file with name = {stray.name!r} under [file]"


def _others(folder: Path, ours: dict[str, Path], suffixes: tuple[str, ...]) -> list[Path]:
    """The other tables in a folder, by how their names end; findings that Bence wrote there are none."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith((".", "~$")))
    others = [path for path in files if path.suffix.lower() in suffixes and path not in ours.values() and path.stem.lower() not in OURS]
    return [path for path in others if path.suffix.lower() not in FHIR or _is_fhir(path)]


def exports_in(path: str | Path, mapping: str | Path | None = None) -> list[Path]:
    """The files at a path that are read as exports of a hospital system.

    Beside the tables of a chart that is only what the mapping speaks of: an old copy or a list that happens to lie there
    must not become results of patients.
    """
    place = Path(path)
    if place.is_file():
        return [place]
    from . import tables

    ours = tables.files_in(place)
    exports = _others(place, ours, (*EXPORTS, *FHIR))
    if not ours:
        return exports
    return [] if mapping is None else _spoken_of(mapping, exports)


def _exports(paths: list[Path], mapping: str | Path | None) -> Chart:
    """The chart in exports: tables of a hospital system, files of FHIR, or both."""
    of_fhir = [path for path in paths if path.suffix.lower() in FHIR]
    tables = [path for path in paths if path not in of_fhir]
    charts: list[Chart] = []
    if tables:
        from . import hospital

        charts.append(hospital.read(tables, mapping))
    if of_fhir:
        from . import fhir

        charts.append(fhir.read(of_fhir, mapping))
    return join(charts)


def _is_fhir(path: Path) -> bool:
    from .fhir.documents import is_fhir

    return is_fhir(path)


def from_fhir(resources: Any, mapping: str | Path | None = None) -> Chart:
    """The chart in FHIR resources that are already in memory: see `bence.read.fhir.from_fhir`."""
    from . import fhir

    return fhir.from_fhir(resources, mapping)


def _sibling(path: Path) -> str | None:
    try:
        names = {each.name: str(each) for each in path.parent.iterdir()}
    except OSError:
        return None
    near = nearest(path.name, names)
    return names[near] if near else None


make_callable(__name__)
