"""Results of an export → observations: wide (a column a code) and long (a column of items, one of results)."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from ..catalogue import Code, codes, nearest_code
from . import cells, light_chains
from .headings import Role, mapped, method_in, understood
from .immunofixation import Finding, electrophoresis, parse
from .intake import LINE
from .layout import Layout, Place, reference
from .mapping import Mapping
from .people import prepared, respelled
from .reading import Reading, lines_of
from .units import canonical, plain

URINE = {
    "serum_m_protein": "urine_m_protein",
    "serum_ife": "urine_ife",
    "total_protein": "urine_total_protein",
}
FLUIDS = (
    ("urine", r"尿|urin"),
    ("a fluid other than blood", r"脑脊液|胸水|胸腔积液|腹水|csf|cerebrospinal|pleural|ascit"),
)
NOT_FOUND = ("未检出", "未检测到", "未发现", "not detected", "undetected", "not found", "none detected")
RESULT = ("value", "text")  # the column of results in a long file
LIMITS = (("_lower_limit", 0), ("_upper_limit", 1))


def wide(reading: Reading, layout: Layout, place: Place, base: dict[str, pl.Series], people: pl.DataFrame) -> None:
    """One column of values: the unit is in the cell, in a column beside it, in the heading or in the mapping file."""
    code = place.role.code
    if code is None:
        return
    texts = worded(code, prepared(layout, place))
    days, day_heading = layout.day_of(place)
    spec = place.role.spec
    frame = pl.DataFrame({
        **base, "on": days, "what": same(code.code, texts), "value": texts,
        "unit": unit_texts(texts, _beside(layout, place, "unit"), place.role.unit),
        "method": _or(_beside(layout, place, "method"), place.role.method, texts),
        "sample": same(spec.sample if spec else None, texts), **_of_row(layout, code),
    }).drop_nulls("value")  # fmt: skip
    headings = layout.named_parts() | dict.fromkeys(("value", "text", "unit", "what"), place.heading)
    headings |= {"on": day_heading, **{part: layout.places[at].heading for part, at in place.beside.items()}}
    found = reading.take("observations", layout, frame, people, headings, place.at)
    _light_chains(reading, found, frame.with_columns(row=LINE), place.heading, bool(spec and spec.unit_confirmed))
    _immunofixation(reading, layout, frame, people, headings, place.at)
    ranges = _beside(layout, place, "reference")
    if ranges is not None:
        _limits(
            reading,
            layout,
            frame.join(pl.DataFrame({LINE: layout.frame[LINE], "range": ranges}), on=LINE),
            people,
            place,
        )


def _beside(layout: Layout, place: Place, part: str) -> pl.Series | None:
    """The cells of the column that belongs to a column of values."""
    return layout.texts(place.beside[part]) if part in place.beside else None


def same(value: str | None, like: pl.Series) -> pl.Series:
    """One text on every row."""
    return pl.repeat(value, like.len(), dtype=pl.String, eager=True)


def _or(texts: pl.Series | None, value: str | None, like: pl.Series) -> pl.Series:
    if texts is None:
        return same(value, like)
    return texts.fill_null(value) if value else texts


def _of_row(layout: Layout, code: Code) -> dict[str, pl.Series]:
    """What is said once a row: the day of the report; cells and detection limit belong to the MRD test alone."""
    parts = ("recorded_on", "cells", "detection_limit") if code.code == "mrd" else ("recorded_on",)
    found = {part: layout.texts(place.at) for part in parts for place in layout.part(part)[:1]}
    if "detection_limit" in found:
        found["detection_limit"] = _as_percent(found["detection_limit"])
    return found


def _as_percent(limits: pl.Series) -> pl.Series:
    """A detection limit written as a power (1E-5, 10^-5) is a share of cells, whatever the unit of the values."""
    powers = {
        text: number.value * 100
        for text in limits.unique().drop_nulls()
        if re.search(r"e-|\^-", plain(text).lower()) and isinstance(number := cells.number(text), cells.Number) and not number.unit
    }
    return limits.replace({text: f"{value:.12g}%" for text, value in powers.items()}) if powers else limits


def unit_texts(texts: pl.Series, beside: pl.Series | None, unit: str | None) -> pl.Series:
    """The unit of each row: of the column of units, else of the heading unless the cell has its own."""
    own = [t for t in texts.unique().drop_nulls() if isinstance(n := cells.number(t), cells.Number) and n.unit]
    given = same(unit, texts).to_frame("unit").select(pl.when(~texts.is_in(own).fill_null(False)).then("unit")).to_series()
    if beside is None:
        return given
    blank = [t for t in beside.unique().drop_nulls() if cells.blank(t)]
    return pl.select(pl.coalesce(beside.replace(blank, [None] * len(blank)), given)).to_series()


def worded(code: Code, texts: pl.Series) -> pl.Series:
    """Spellings that only the code explains: `阳性(35%)` of a probe, `未检出` of MRD, `-` in a column with `+`."""
    distinct = texts.unique().drop_nulls().to_list()
    swaps: dict[str, str] = {}
    if code.kind == "chains" and any(plain(t) == "+" for t in distinct):
        swaps = {t: "阴性" for t in distinct if plain(t) in ("-", "—", "–")}
    for text in distinct:
        said = plain(text)
        if code.code in ("serum_electrophoresis", "urine_electrophoresis"):
            pattern = electrophoresis(said)
            swaps |= {text: pattern.text or "未做"} if isinstance(pattern, Finding) else {}
        share = _word_and_share(said) if code.words else None
        if share:
            swaps[text] = share[1] if code.unit == "%" and share[0] == "positive" else share[0]
        elif code.code == "mrd" and said.lower() in NOT_FOUND:
            swaps[text] = "0"
    return texts.replace(swaps) if swaps else texts


def _word_and_share(text: str) -> tuple[str, str] | None:
    """`阳性(35%)` → positive, 35%."""
    match = re.fullmatch(r"([^\d(]+?)\s*[(:,]?\s*([<>≤≥]?\s*\d+(?:\.\d+)?\s*%)\s*\)?", text)
    word = cells.number(match[1]) if match else None
    return (word, match[2]) if match and isinstance(word, str) else None


def _light_chains(reading: Reading, found: pl.DataFrame, frame: pl.DataFrame, column: str, confirmed: bool) -> None:
    """Keep the free light chains with the unit they were written in, for the checks over the whole column."""
    chains = lines_of(found.filter(pl.col("what").is_in(light_chains.WHAT)))
    if not chains.height:
        return
    written = frame.select(line=LINE, cell="value", unit="unit", sample=pl.col("row").cast(pl.Int64))
    chains = chains.drop("unit", "sample").join(written, on="line", maintain_order="left")
    said = [_said(cell, unit) for cell, unit in zip(chains["cell"], chains["unit"], strict=True)]
    chains = chains.with_columns(said=pl.Series(said, dtype=pl.String), confirmed=pl.lit(confirmed), column=pl.lit(column))
    reading.light.append(chains.select(*light_chains.SCHEMA))


@cache
def _said(cell: str, unit: str | None) -> str:
    number = cells.number(cell)
    return canonical((number.unit if isinstance(number, cells.Number) else "") or unit or "") or ""


def _immunofixation(
    reading: Reading,
    layout: Layout,
    frame: pl.DataFrame,
    people: pl.DataFrame,
    headings: dict[str, str],
    at: int,
) -> None:
    """What an immunofixation says beside its chains: a small finding, a therapeutic antibody."""
    texts = frame.filter(pl.col("what").is_in(["serum_ife", "urine_ife"]))["value"].unique().drop_nulls()
    beside = {text: beside_chains(text) for text in texts}
    small = frame.filter(pl.col("what") == "serum_ife", pl.col("value").is_in([t for t, (small, _) in beside.items() if small]))
    if small.height:
        rows = small.with_columns(what=pl.lit("serum_ife_small"), value=pl.lit("yes"))
        reading.take("observations", layout, rows, people, headings, at)
    drugs = {text: antibody for text, (_, antibody) in beside.items() if antibody}
    named = frame.filter(pl.col("value").is_in(list(drugs)))
    if named.height:
        rows = named.select(LINE, "patient", "on", what=pl.lit("antibody_interference"), text=pl.col("value").replace(drugs))
        reading.take("events", layout, rows, people, headings, at)


@cache
def beside_chains(text: str) -> tuple[bool, str | None]:
    """What an immunofixation says beside its chains: is the finding small, and the note on a therapeutic antibody."""
    found = parse(text)
    if not isinstance(found, Finding) or found.text in (None, "negative"):
        return False, None
    return found.small, found.note if "antibody" in found.note else None


def _limits(reading: Reading, layout: Layout, frame: pl.DataFrame, people: pl.DataFrame, place: Place) -> None:
    """The limits of the laboratory from a column of reference ranges, for the codes that have a place for them."""
    ranges = {text: reference(text) for text in frame["range"].unique().drop_nulls()}
    at = place.beside["reference"]
    heading = next(p.heading for p in layout.places if p.at == at)
    for ending, side in LIMITS:
        limits = {text: f"{both[side]:g}" for text, both in ranges.items() if both[side] is not None}
        with_limit = [what for what in frame["what"].unique().drop_nulls() if what + ending in codes()]
        rows = frame.filter(pl.col("range").is_in(list(limits)), pl.col("what").is_in(with_limit))
        if not rows.height:
            continue
        units = [_said(cell, unit) or None for cell, unit in zip(rows["value"], rows["unit"], strict=True)]
        rows = rows.with_columns(
            what=pl.col("what") + ending,
            value=pl.col("range").replace(limits),
            unit=pl.Series(units, dtype=pl.String),
        )
        headings = layout.named_parts() | {"value": heading, "unit": heading}
        reading.take(
            "observations",
            layout,
            rows.select(LINE, "patient", "on", "what", "value", "unit"),
            people,
            headings,
            at,
        )


def long(reading: Reading, layout: Layout, base: dict[str, pl.Series], people: pl.DataFrame) -> None:
    """One row a result: item, result, unit, reference range."""
    item, result = layout.part("what")[0], next(iter(layout.part(*RESULT)))
    items = layout.texts(item.at)
    roles = {name: item_role(name, layout.mapping) for name in items.unique().drop_nulls()}
    known = {name: r.code.code for name, r in roles.items() if r.part == "observation" and r.code}
    _unknown_items(reading, layout, item, items, roles)
    columns = {p.role.part: layout.texts(p.at) for p in reversed(layout.part("method", "sample", "status", "comparator", "recorded_on"))}
    text = next((layout.texts(p.at) for p in layout.part("text") if p is not result), same(None, items))
    frame = pl.DataFrame({
        **base, "on": layout.days, "item": items,
        "what": items.replace_strict(known, default=None, return_dtype=pl.String),
        "value": prepared(layout, result), "text": text,
        "unit": next((layout.texts(p.at) for p in layout.part("unit")), same(None, items)),
        "range": next((layout.texts(p.at) for p in layout.part("reference")), same(None, items)), **columns,
    })  # fmt: skip
    frame = frame.filter(pl.col("what").is_not_null() & (pl.col("value").is_not_null() | pl.col("text").is_not_null()))
    frame = _of_fluid(reading, layout, frame, item) if "sample" in frame.columns else frame
    headings = layout.named_parts() | {"value": result.heading, "what": item.heading}
    headings |= {"text": result.heading} if "text" not in headings else {}
    for name in frame["item"].unique(maintain_order=True):
        _one_item(reading, layout, frame.filter(pl.col("item") == name), roles[name], people, headings, result)


def _one_item(
    reading: Reading,
    layout: Layout,
    rows: pl.DataFrame,
    of: Role,
    people: pl.DataFrame,
    headings: dict[str, str],
    result: Place,
) -> None:
    code = codes()[rows["what"][0]]
    spec = of.spec
    values = worded(code, respelled(rows["value"], spec.values if spec else {}))
    method = _or(rows["method"] if "method" in rows.columns else None, of.method, values)
    rows = rows.with_columns(value=values, unit=unit_texts(values, rows["unit"], of.unit), method=method)
    found = reading.take("observations", layout, rows.drop("item", "range"), people, headings, result.at)
    counted = rows.with_columns(row=pl.int_range(pl.len()).over("patient", "on"))
    _light_chains(reading, found, counted, result.heading, bool(spec and spec.unit_confirmed))
    _immunofixation(reading, layout, rows.drop("item", "range"), people, headings, result.at)
    beside = {p.role.part: p.at for p in layout.part("reference")}
    if beside:
        _limits(reading, layout, rows, people, Place(result.at, result.heading, of, beside))


def item_role(name: str, mapping: Mapping) -> Role:
    """What the name of an item means: by the mapping file, else as a heading would."""
    spec = mapping.column(name)
    if spec:
        return mapped(spec)
    if mapping.ignored(name):
        return Role("ignored")
    code, unit = understood(name)
    if code is None or "observation" not in code.grains:
        return Role("unknown")
    return Role("observation", code, unit, method=method_in(name, code))


def _unknown_items(reading: Reading, layout: Layout, item: Place, items: pl.Series, roles: dict[str, Role]) -> None:
    """Enter every unknown item once, with the number of its rows and the line of the first."""
    unknown = [name for name, r in roles.items() if r.part not in ("observation", "ignored")]
    rows = pl.DataFrame({"item": items, "line": layout.frame[LINE]}).filter(pl.col("item").is_in(unknown))
    for name, line, count in rows.group_by("item", maintain_order=True).agg(pl.col("line").first(), n=pl.len()).iter_rows():
        near = nearest_code(name, "observation")
        reading.unread.append((layout.sheet.name, name, count, near))
        reason = f"unknown item: its {count} rows are not read"
        reading.reject(layout, line, item.heading, name, reason, "an item of the catalogue, or a mapping file", near)


@cache
def of_fluid(what: str, sample: str) -> str | None:
    """The code of what was measured in a sample: the one of urine for an M-protein of urine; None if it is not measured there."""
    fluid = next((name for name, words in FLUIDS if re.search(words, plain(sample).lower())), None)
    urinary = what.startswith("urine_")
    if fluid == "urine" and not urinary:
        return URINE.get(what)
    if (fluid and fluid != "urine") or (urinary and re.search(r"血|serum|plasma", plain(sample).lower())):
        return None
    return what


def _of_fluid(reading: Reading, layout: Layout, frame: pl.DataFrame, item: Place) -> pl.DataFrame:
    """A result of urine is not one of serum: the code of urine is taken where there is one, else the row is refused."""
    pairs = frame.select("what", "sample").unique().drop_nulls().iter_rows()
    swaps = {(what, sample): code for what, sample in pairs if (code := of_fluid(what, sample)) != what}
    if not swaps:
        return frame
    wrong = [key for key, code in swaps.items() if code is None]
    key = pl.struct("what", "sample")
    for line, value, what, sample in (
        frame.filter(key.is_in([{"what": w, "sample": s} for w, s in wrong])).select(LINE, "item", "what", "sample").iter_rows()
    ):
        reason = f"{what} is not measured in this sample ({sample})"
        reading.reject(layout, line, item.heading, value, reason, "a code for this sample, in a mapping file")
    moved = [swaps.get((w, s), w) if s is not None else w for w, s in frame.select("what", "sample").iter_rows()]
    return frame.with_columns(what=pl.Series(moved, dtype=pl.String)).drop_nulls("what")
