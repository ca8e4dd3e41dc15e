"""From clonotype tables to MRD: choose the clones at diagnosis, follow them, and count tumour cells per cell.

Tables are as `bence.read.clonotypes` gives them. `samples` says whose they are: `sample`, `patient`, `on`, and where known the
`cells` looked at or the mass of DNA (`dna`, ug). The thresholds below are our own choice (O) unless a source is named.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ...catalogue import nearest
from ...errors import UsageError
from . import poisson
from .sample import EVENTS

IDENTICAL_READS = 2  # fewer are none found (kumar-2016)
BASES_A_MISMATCH = 20  # a short junction is allowed fewer mismatches: it is shared by chance
PIECE = 100_000
FOLLOWED = {
    "sample": pl.String(), "patient": pl.String(), "on": pl.Date(), "clone": pl.String(), "clones": pl.Int64(),
    "reads": pl.Int64(), "total_reads": pl.Int64(), "reads_per_copy": pl.Float64(), "cells": pl.Float64(),
    "tumour_cells": pl.Float64(), "level": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(),
    "detection_limit": pl.Float64(), "flags": pl.String(),
}  # fmt: skip


def index_clones(
    clonotypes: pl.DataFrame, samples: pl.DataFrame, spikes: pl.DataFrame | None = None,
    *, share: float = 0.05, reads: int = 100, most: int = 4, mismatches: int = 2,
) -> pl.DataFrame:  # fmt: skip
    """The clones to follow: of each diagnostic sample those with enough of the reads of their locus, and enough reads.

    Rearrangements so alike that they may be errors of a larger one are counted with it. Columns `patient`, `clone`, `locus`,
    `v_gene`, `j_gene`, `junction`, `sequence`, `share`, `reads`, `shared` (another patient has the same: of no use to follow).
    A patient without a row has no clone that can be followed.
    """
    rows = _keyed(clonotypes.join(_known(samples).select("sample", "patient"), on="sample", how="semi"))
    if spikes is not None:
        rows = rows.filter(~_matched_spikes(rows, spikes))
    lines = []
    for (sample, locus), own in rows.group_by("sample", "locus", maintain_order=True):
        own = own.sort("duplicate_count", "bases", descending=[True, False])
        listed = int(rows.filter(pl.col("sample") == sample)["duplicate_count"].sum())
        reported = max(int(own["total_count"][0] or 0), listed)  # a file may leave out small clonotypes
        all_reads = int(own["duplicate_count"].sum()) * reported / max(listed, 1)
        found = [row for row in _merged(own.head(1000), mismatches) if row["reads"] >= max(share * all_reads, reads)]
        for place, row in enumerate(found[:most], 1):
            lines.append({**row, "sample": sample, "clone": f"{locus or '?'}-{place}", "share": row["reads"] / all_reads})
    schema = {name: pl.String() for name in ("sample", "clone", "locus", "v_gene", "j_gene", "junction", "sequence", "bases", "kind")}
    index = pl.DataFrame(lines, schema=schema | {"share": pl.Float64(), "reads": pl.Int64()})
    index = index.join(samples.select("sample", "patient"), on="sample", how="left", maintain_order="left")
    shared = pl.col("patient").n_unique().over("locus", "bases") > 1
    return index.with_columns(shared=shared).select("patient", *schema, "share", "reads", "shared")


def _merged(rows: pl.DataFrame, mismatches: int) -> list[dict]:
    """The rearrangements, largest first, each with the reads of those that are alike but for a few bases."""
    kept: list[dict] = []
    for row in rows.iter_rows(named=True):
        twin = next((each for each in kept if _alike(each, row, mismatches)), None)
        if twin is None:
            kept.append({name: row[name] for name in ("locus", "v_gene", "j_gene", "junction", "sequence", "bases", "kind")}
                        | {"reads": row["duplicate_count"]})  # fmt: skip
        else:
            twin["reads"] += row["duplicate_count"]
    return sorted(kept, key=lambda row: -row["reads"])


def _alike(one: dict, other: dict, mismatches: int) -> bool:
    from rapidfuzz.distance import Levenshtein

    allowed = min(mismatches, len(one["bases"]) // BASES_A_MISMATCH)
    genes = all(None in (one[name], other[name]) or one[name] == other[name] for name in ("v_gene", "j_gene"))
    return (
        genes and one["kind"] == other["kind"]
        and Levenshtein.distance(one["bases"], other["bases"], score_cutoff=allowed) <= allowed
    )  # fmt: skip


def matches(clonotypes: pl.DataFrame, index: pl.DataFrame, *, mismatches: int = 2) -> pl.DataFrame:
    """The reads of every index clone in every sample: `sample`, `patient` (of the clone), `clone`, `reads`, `exact`.

    A rearrangement is the clone if locus, V and J gene agree where both are known and its junction (the whole sequence, where
    there is no junction) differs in no more bases than `mismatches`, one for every 20 bases at most.
    """
    rows, clones = _keyed(clonotypes), index.with_row_index("number")
    found = []
    for (kind,), own in clones.group_by("kind"):
        candidates = rows.filter(pl.col("kind") == kind)
        texts = candidates["bases"].unique(maintain_order=True)
        allowed = np.minimum(mismatches, own["bases"].str.len_chars().to_numpy() // BASES_A_MISMATCH)
        near = _near(own["bases"], texts, allowed)
        pairs = near.with_columns(number=own["number"].gather(near["clone_at"]), bases=texts.gather(near["text_at"]))
        found.append(candidates.join(pairs.select("number", "bases", "distance"), on="bases"))
    if not found:
        return pl.DataFrame(schema={"sample": pl.String, "patient": pl.String, "clone": pl.String, "reads": pl.Int64, "exact": pl.Int64})
    pairs = pl.concat(found).join(
        clones.select("number", "patient", "clone", *(pl.col(name).alias(f"{name}_index") for name in ("locus", "v_gene", "j_gene"))),
        on="number",
    )
    agree = [(pl.col(name) == pl.col(f"{name}_index")).fill_null(True) for name in ("locus", "v_gene", "j_gene")]
    counted = pl.col("duplicate_count")
    return (
        pairs.filter(*agree).group_by("sample", "patient", "clone")
        .agg(reads=counted.sum(), exact=counted.filter(pl.col("distance") == 0).sum())
        .sort("sample", "patient", "clone")
    )  # fmt: skip


def _near(clones: pl.Series, texts: pl.Series, allowed: np.ndarray) -> pl.DataFrame:
    """Pairs of a clone and a text that differ in few enough bases, with their distance."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    reach, parts = int(allowed.max(initial=0)), []
    for start in range(0, len(texts), PIECE):
        some = texts.slice(start, PIECE).to_list()
        distance = cdist(clones.to_list(), some, scorer=Levenshtein.distance, score_cutoff=reach, dtype=np.uint16)
        clone_at, text_at = np.nonzero(distance <= allowed[:, None])
        parts.append((clone_at, text_at + start, distance[clone_at, text_at]))
    columns = [np.concatenate(each) for each in zip(*parts, strict=True)] if parts else [np.empty(0, np.int64)] * 3
    return pl.DataFrame(dict(zip(("clone_at", "text_at", "distance"), columns, strict=True)))


def follow(
    clonotypes: pl.DataFrame, index: pl.DataFrame, samples: pl.DataFrame, spikes: pl.DataFrame | None = None, *, mismatches: int = 2
) -> pl.DataFrame:
    """One row a sample: reads of the patient's clones, tumour cells per cell with a 95 % interval, and warnings.

    Rearrangements of one tumour cell are not added up: the clone with the most reads is the level. `spikes`: sequences added in
    known amounts, `sequence` and `copies` (in every sample); without them reads are not cells, and the level is null.
    The interval is that of two Poisson counts, tumour cells and copies of the spike. Flags: `not_trackable`, `shared_clone`,
    `contamination:PATIENT` (another patient's clone is in the sample), `no_spike_in`, `spike_lost`, `shallow` (fewer than three
    reads a copy: cells may be missed), `cells_unknown`, `no_reads`.
    """
    samples, seen = _known(samples), matches(clonotypes, index, mismatches=mismatches)
    usable = index.filter(~pl.col("shared")).select("patient", "clone")
    totals = dict(clonotypes.group_by("sample").agg(pl.col("total_count").max()).iter_rows())
    if spikes is not None:
        _need(spikes, "spike-ins", "sequence", "copies")
    copies = None if spikes is None else float(spikes["copies"].sum())
    spiked = {} if spikes is None else _spike_reads(clonotypes, spikes)
    rows = []
    for sample in samples.iter_rows(named=True):
        own = seen.filter(pl.col("sample") == sample["sample"])
        mine = own.join(usable.filter(pl.col("patient") == sample["patient"]), on=["patient", "clone"], how="semi")
        best = mine.sort("reads", "clone", descending=[True, False]).head(1)
        clones = usable.filter(pl.col("patient") == sample["patient"]).height
        reads = best["reads"][0] if best.height else 0
        per_copy = spiked.get(sample["sample"], 0) / copies if copies else None
        flags = _warnings(sample, own, index, clones, totals.get(sample["sample"], 0), per_copy)
        level = _level(reads, per_copy, copies, sample["cells"]) if clones and totals.get(sample["sample"]) else {}
        rows.append({
            "sample": sample["sample"], "patient": sample["patient"], "on": sample["on"],
            "clone": best["clone"][0] if reads else None, "clones": clones, "reads": reads,
            "total_reads": totals.get(sample["sample"], 0), "reads_per_copy": per_copy, "cells": sample["cells"],
            **level, "flags": "|".join(flags) or None,
        })  # fmt: skip
    return pl.DataFrame(rows, schema=FOLLOWED)


def _level(reads: int, per_copy: float | None, copies: float | None, cells: float | None) -> dict[str, float]:
    """Tumour cells, level, interval and limit of detection of a sample with a spike-in; nothing without."""
    if not per_copy or not copies or not cells:
        return {}
    tumour = reads / per_copy if reads >= IDENTICAL_READS else 0.0
    seen = -np.expm1(-per_copy)  # the chance that a molecule is read at all
    low, high = poisson.ratio(copies, tumour, 1, 1)
    limit = EVENTS["claim"][0] / (cells * seen)
    return {
        "tumour_cells": tumour, "level": min(tumour / cells, 1.0), "low": min(float(low) * copies / cells, 1.0),
        "high": min(float(high) * copies / cells / seen, 1.0), "detection_limit": limit,
    }  # fmt: skip


def _warnings(
    sample: dict, own: pl.DataFrame, index: pl.DataFrame, clones: int, total: int, per_copy: float | None
) -> list[str]:  # fmt: skip
    mine = index.filter(pl.col("patient") == sample["patient"])
    shared = index.filter("shared")
    others = own.filter((pl.col("patient") != sample["patient"]) & (pl.col("exact") >= IDENTICAL_READS))
    others = others.join(shared, on=["patient", "clone"], how="anti")["patient"].unique().sort()
    said = {
        "not_trackable": clones == 0,
        "shared_clone": bool(mine["shared"].any()),
        "no_reads": not total,
        "no_spike_in": per_copy is None,
        "spike_lost": per_copy == 0,
        "shallow": per_copy is not None and 0 < per_copy < 3,
        "cells_unknown": not sample["cells"],
    }
    return [*(name for name, true in said.items() if true), *(f"contamination:{patient}" for patient in others)]


def observations(followed: pl.DataFrame) -> pl.DataFrame:
    """Followed samples as rows of a chart: `mrd` by `ngs`, `mrd_clone_trackable`, and the clonal cells `mrd_events`.

    Where reads are not cells (no spike-in), only a finding is told, without a level, and an absence without cells, which claims
    nothing. A sample in which no clone can be followed gives no `mrd`.
    """
    base = {
        "patient": "patient",
        "on": "on",
        "sample": "sample",
        "method": pl.lit("ngs"),
        "source": pl.lit("clonotypes:") + pl.col("sample"),
    }
    nothing = pl.lit(None, pl.Float64)
    trackable = pl.when(pl.col("clones") > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    tested = followed.filter((pl.col("clones") > 0) & (pl.col("total_reads") > 0))
    known = pl.col("level").is_not_null()
    found = pl.when(pl.col("reads") >= IDENTICAL_READS).then(pl.lit("positive")).otherwise(pl.lit("negative"))
    return pl.concat([
        followed.select(**base, what=pl.lit("mrd_clone_trackable"), value=nothing, text=trackable, cells=nothing, detection_limit=nothing),
        tested.select(**base, what=pl.lit("mrd"), value="level", text=pl.when(~known).then(found),
                      cells=pl.when(known).then("cells"), detection_limit="detection_limit"),
        tested.filter(known).select(**base, what=pl.lit("mrd_events"), value="tumour_cells", text=pl.lit(None, pl.String),
                                    cells=nothing, detection_limit=nothing),
    ])  # fmt: skip


def _need(table: pl.DataFrame, what: str, *columns: str) -> None:
    for name in columns:
        if name not in table.columns:
            raise UsageError(f"the {what} have no column {name}", nearest=nearest(name, table.columns))


def _known(samples: pl.DataFrame) -> pl.DataFrame:
    """The samples with `cells`, from the mass of DNA where they were not counted; UsageError for a missing column."""
    _need(samples, "samples", "sample", "patient", "on")
    given = {name: pl.col(name).cast(pl.Float64) if name in samples.columns else pl.lit(None, pl.Float64) for name in ("cells", "dna")}
    cells = pl.coalesce(given["cells"], given["dna"] * 1e-6 / poisson.GENOME)
    return samples.select(pl.col("sample", "patient").cast(pl.String), pl.col("on").cast(pl.Date), cells=cells)


def _keyed(clonotypes: pl.DataFrame) -> pl.DataFrame:
    """The rows with what is compared: the junction, else the sequence; and genes without their allele."""
    gene = {f"{name}_gene": pl.col(f"{name}_call").str.extract(r"^([^*,]+)").str.strip_chars() for name in ("v", "j")}
    kind = pl.when(pl.col("junction").is_not_null()).then(pl.lit("junction")).otherwise(pl.lit("sequence"))
    rows = clonotypes.with_columns(**gene, kind=kind, bases=pl.coalesce("junction", "sequence"))
    return rows.filter(pl.col("bases").is_not_null())


def _matched_spikes(rows: pl.DataFrame, spikes: pl.DataFrame) -> pl.Series:
    """Which rows are a spike: the junction or the sequence is part of one (20 bases or more of it), or holds it."""
    known = [str(each).upper() for each in spikes["sequence"]]
    texts = pl.concat([rows["junction"].rename("text"), rows["sequence"].rename("text")]).unique().drop_nulls()
    part = [text for text in texts if any((len(text) >= BASES_A_MISMATCH and text in spike) or spike in text for spike in known)]
    hit = pl.any_horizontal(pl.col(name).is_in(part).fill_null(False) for name in ("junction", "sequence"))
    return rows.select(hit=hit)["hit"]


def _spike_reads(clonotypes: pl.DataFrame, spikes: pl.DataFrame) -> dict[str, int]:
    own = clonotypes.filter(_matched_spikes(clonotypes, spikes))
    return dict(own.group_by("sample").agg(pl.col("duplicate_count").sum()).iter_rows())
