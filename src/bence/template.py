"""Empty tables to fill in, and the list of codes to fill them with."""

from __future__ import annotations

import csv
from pathlib import Path

from .catalogue import Code, codes, codes_of, fold, nearest_code, spellings
from .errors import UsageError

COLUMNS = {
    "patients": "patient centre sex born_on heavy_chain light_chain died_on death_cause last_seen_on",
    "observations": "patient on what value comparator text unit method sample detection_limit cells status recorded_on",
    "treatments": "patient started_on stopped_on what dose dose_unit route phase line planned stop_reason recorded_on",
    "events": "patient on until what grade text recorded_on",
}


def write_template(folder: str | Path) -> list[Path]:
    """Write four empty tables and `codes.csv`; UsageError if one of the tables is there already."""
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    for name in COLUMNS:
        if (home / f"{name}.csv").exists():
            raise UsageError(f"{home / name}.csv is there already", expected="an empty folder")
    written = []
    for name, columns in COLUMNS.items():
        path = home / f"{name}.csv"
        path.write_text(",".join(columns.split()) + "\n", encoding="utf-8")
        written.append(path)
    path = home / "codes.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(["grain", "code", "unit", "values", "en", "zh"])
        for code in codes().values():
            table.writerow(["|".join(code.grains), code.code, code.unit, _values(code), code.en, code.zh])
    return [*written, path]


def _values(code: Code) -> str:
    if code.words:
        return " ".join(code.words)
    return f"{code.low:g} to {code.high:g}" if code.low is not None and code.high is not None else ""


def list_codes(word: str | None = None, grain: str | None = None, lang: str = "en") -> str:
    """Codes as lines of text; UsageError with the nearest right name if none fits."""
    chosen = codes_of(grain) if grain else codes()
    if grain and not chosen:
        raise UsageError(f"there is no grain {grain!r}", expected=", ".join(sorted({g for c in codes().values() for g in c.grains})))
    if word:
        part = fold(word)
        chosen = {name: code for name, code in chosen.items() if any(part in fold(text) for text in spellings(code))}
        if not chosen:
            raise UsageError(f"no code is like {word!r}", nearest=nearest_code(word))
    width = max(len(name) for name in chosen)
    return "\n".join(
        f"{name:<{width}}  {'|'.join(code.grains):<20} {code.unit or '-':<10} {code.label(lang)}"
        + (f"  [{_values(code)}]" if _values(code) else "")
        for name, code in chosen.items()
    )
