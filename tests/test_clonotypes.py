"""Clonotype files: what is read, what is refused and with which words, and how clones are chosen, followed and counted."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bence.assess.mrd import mrd_table
from bence.assess.mrd.clones import follow, index_clones, matches, observations
from bence.assess.policies import settle
from bence.chart import Chart
from bence.errors import ChartError, UsageError
from bence.read.clonotypes import SCHEMA, clonotypes

pytest.importorskip("airr")

HEADER = ["sequence_id", "sequence", "rev_comp", "productive", "v_call", "d_call", "j_call", "sequence_alignment", "germline_alignment",
          "junction", "junction_aa", "v_cigar", "d_cigar", "j_cigar", "duplicate_count"]  # fmt: skip
CLONE = "TGTGCGAGAGATCGTTACTATGATAGTAGTGGTTATTACTACGGTATGGACGTCTGG"  # 57 bases
KAPPA = "TGTCAACAGTATAATAGTTATCCGTACACTTTT"  # 33 bases
OTHER = "TGTGCGAAAGGGTCCCTAGCAGTGGCTGGTACGGGAGCTTTTGATATCTGG"
SPIKE = "ACGTTGCAACGGTTACCGATTACAGGCTTAACGGTACCATGCAAT"
RESPONSE = pl.DataFrame(schema={"patient": pl.String, "on": pl.Date, "timepoint": pl.String, "progression": pl.String})


def airr(path: Path, rows: list[dict[str, Any]], header: list[str] = HEADER) -> Path:
    lines = ["\t".join(header), *("\t".join(str(row.get(name, "")) for name in header) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def row(junction: str, reads: Any, v: str = "IGHV3-23*01", j: str = "IGHJ6*02", **more: Any) -> dict[str, Any]:
    return {"sequence_id": f"s{reads}", "productive": "T", "v_call": v, "j_call": j, "junction": junction, "duplicate_count": reads, **more}


def polyclonal(count: int, reads: int, seed: int = 0) -> list[dict[str, Any]]:
    generator = np.random.default_rng(seed)
    return [row("".join(generator.choice(list("ACGT"), 48)), reads, v="IGHV1-69*01", j="IGHJ4*02") for _ in range(count)]


def changed(bases: str, places: int) -> str:
    letters = list(bases)
    for place in range(places):
        letters[10 + 7 * place] = "A" if letters[10 + 7 * place] != "A" else "C"
    return "".join(letters)


def samples(*lines: tuple[str, str, str], **more: Any) -> pl.DataFrame:
    known = {
        "sample": [line[0] for line in lines],
        "patient": [line[1] for line in lines],
        "on": [date.fromisoformat(line[2]) for line in lines],
    }
    return pl.DataFrame({**known, **more})


SPIKES = pl.DataFrame({"sequence": [SPIKE], "copies": [1000]})


# ---- Reading ----------------------------------------------------------------------------------------------


def test_an_airr_table(tmp_path):
    path = airr(tmp_path / "diagnosis.tsv", [row(CLONE.lower(), 900), row(KAPPA, 100, "IGKV1-5*03", "IGKJ2*01", productive="")])
    table = clonotypes([path])
    assert dict(table.schema) == SCHEMA
    assert table["sample"].unique().to_list() == ["diagnosis"]
    assert table["junction"].to_list() == [CLONE, KAPPA]
    assert table["locus"].to_list() == ["IGH", "IGK"]
    assert table["productive"].to_list() == [True, None]
    assert table["total_count"].to_list() == [1000, 1000]
    assert table["source"].to_list() == ["diagnosis.tsv:2", "diagnosis.tsv:3"]


def test_samples_of_an_airr_table_keep_their_names(tmp_path):
    rows = [row(CLONE, 5, repertoire_id="a"), row(CLONE, 7, repertoire_id="b"), row(CLONE, 1)]
    table = clonotypes([airr(tmp_path / "x.tsv", rows, [*HEADER, "repertoire_id"])], sample="none")
    assert table.select("sample", "total_count").rows() == [("a", 5), ("b", 7), ("none", 1)]


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([row(CLONE, "many")], HEADER, r"x.tsv:2: column duplicate_count: 'many' is not a whole number"),
        ([row(CLONE, 3), row(CLONE, "")], HEADER, r"x.tsv:3: column duplicate_count: '' is not a whole number"),
        ([row(CLONE, -3)], HEADER, r"x.tsv:2: column duplicate_count"),
        ([row(CLONE, 3, productive="maybe")], HEADER, r"x.tsv:2: column productive: 'maybe' is not T or F"),
        ([row("CARDW", 3)], HEADER, r"x.tsv:2: column junction: 'CARDW' is not nucleotides"),
        ([row(CLONE, 3)], [n.replace("v_call", "v_cal") for n in HEADER], r"x.tsv:1: there is no column v_call.*did you mean 'v_cal'"),
        ([row(CLONE, 3)], HEADER[:-1], r"x.tsv:1: there is no column duplicate_count"),
    ],
)
def test_what_is_wrong_with_an_airr_table_is_told_with_its_place(tmp_path, rows, header, message):
    with pytest.raises(ChartError, match=message):
        clonotypes([airr(tmp_path / "x.tsv", rows, header)])


def vidjil(path: Path, clones: list[dict[str, Any]], **more: Any) -> Path:
    whole = {
        "vidjil_json_version": "2016b",
        "samples": {"number": 2, "original_names": ["diag", "follow-up"]},
        "reads": {"total": [1200, 5000], "segmented": [1000, 4000]},
        "clones": clones,
        **more,
    }
    path.write_text(json.dumps(whole))
    return path


VIDJIL_CLONE = {
    "id": "clone-1", "sequence": "GGG" + CLONE + "CCC", "reads": [900, 3], "germline": "IGH",
    "seg": {"5": {"name": "IGHV3-23*01"}, "3": {"name": "IGHJ6*02"}, "junction": {"start": 4, "stop": 60, "productive": True}},
}  # fmt: skip


def test_a_vidjil_file(tmp_path):
    window = {"id": "ACGTACGTACGTACGTACGTACGT", "sequence": 0, "reads": [0, 12], "germline": "IGK"}
    table = clonotypes([vidjil(tmp_path / "patient.vidjil", [VIDJIL_CLONE, window])])
    assert table.select("sample", "locus", "v_call", "junction", "duplicate_count", "total_count").rows() == [
        ("diag", "IGH", "IGHV3-23*01", CLONE, 900, 1000),
        ("follow-up", "IGH", "IGHV3-23*01", CLONE, 3, 4000),
        ("follow-up", "IGK", None, None, 12, 4000),
    ]
    assert table["sequence"].to_list()[-1] == window["id"]
    assert table["source"].to_list()[0] == "patient.vidjil: clone 1"


@pytest.mark.parametrize(
    ("clones", "more", "message"),
    [
        ([{**VIDJIL_CLONE, "reads": [900]}], {}, r"x.vidjil: clone 1: reads are \[900\]"),
        ([{**VIDJIL_CLONE, "reads": [900, -1]}], {}, r"x.vidjil: clone 1: reads are"),
        ([{"id": "a"}], {}, r"x.vidjil: clone 1: there is no reads"),
        ([], {"samples": {}}, r"x.vidjil: samples: there is no original_names"),
        ([], {"reads": {"segmented": [1]}}, r"x.vidjil: reads.segmented: 1 numbers for 2 samples"),
    ],
)
def test_what_is_wrong_with_a_vidjil_file_is_told_with_its_place(tmp_path, clones, more, message):
    with pytest.raises(ChartError, match=message):
        clonotypes([vidjil(tmp_path / "x.vidjil", clones, **more)])


def test_other_files(tmp_path):
    (tmp_path / "x.json").write_text('{"samples":')
    with pytest.raises(ChartError, match=r"x.json:1: not JSON"):
        clonotypes([tmp_path / "x.json"])
    with pytest.raises(UsageError, match="there is no such file"):
        clonotypes([tmp_path / "none.tsv"])
    with pytest.raises(UsageError, match="no clonotype file"):
        clonotypes([])


# ---- Choosing and following clones ------------------------------------------------------------------------


def diagnosis(tmp_path: Path, *, name: str = "dx", clone: str = CLONE, seed: int = 0) -> pl.DataFrame:
    rows = [row(clone, 5000), row(changed(clone, 1), 40), row(KAPPA, 3000, "IGKV1-5*03", "IGKJ2*01"), *polyclonal(300, 10, seed)]
    return clonotypes([airr(tmp_path / f"{name}.tsv", rows)])


def test_index_clones_are_large_and_well_supported(tmp_path):
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    assert index.select("patient", "clone", "junction", "reads").rows() == [("A", "IGH-1", CLONE, 5040), ("A", "IGK-1", KAPPA, 3000)]
    assert index["share"].to_list() == pytest.approx([5040 / 8040, 1])
    assert not index["shared"].any()


def test_without_a_dominant_clone_there_is_nothing_to_follow(tmp_path):
    table = clonotypes([airr(tmp_path / "dx.tsv", polyclonal(300, 10)), airr(tmp_path / "fu.tsv", polyclonal(300, 10))])
    dx = samples(("dx", "A", "2024-01-01"))
    index = index_clones(table, dx)
    assert index.is_empty()
    followed = follow(table, index, samples(("fu", "A", "2024-09-01"), cells=[3e6]), SPIKES)
    assert followed["flags"].to_list()[0].split("|")[0] == "not_trackable"
    told = observations(followed)
    assert told.select("what", "text").rows() == [("mrd_clone_trackable", "no")]


def test_few_reads_are_no_support(tmp_path):
    table = clonotypes([airr(tmp_path / "dx.tsv", [row(CLONE, 60), row(OTHER, 5, "IGHV1-2*02", "IGHJ3*02")])])
    assert index_clones(table, samples(("dx", "A", "2024-01-01"))).is_empty()


@pytest.mark.parametrize(("places", "found"), [(0, 7), (1, 7), (2, 7), (3, None)])
def test_a_clone_may_differ_in_two_bases_and_no_more(tmp_path, places, found):
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    table = clonotypes([airr(tmp_path / "fu.tsv", [row(changed(CLONE, places), 7), *polyclonal(10, 10)])])
    seen = dict(matches(table, index).select("clone", "reads").rows())
    assert seen.get("IGH-1") == found


def test_a_short_junction_may_differ_less_and_genes_must_agree(tmp_path):
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    kappa = {"v": "IGKV1-5*01", "j": "IGKJ2*01"}  # another allele of the same gene
    one, two = (clonotypes([airr(tmp_path / f"{n}.tsv", [row(changed(KAPPA, n), 7, **kappa)])]) for n in (1, 2))
    assert matches(one, index)["reads"].to_list() == [7]
    assert matches(two, index).is_empty()
    strange = clonotypes([airr(tmp_path / "other.tsv", [row(CLONE, 7, "IGHV4-34*01"), row(CLONE, 7, j="IGHJ4*02")])])
    assert matches(strange, index).is_empty()


def followup(
    tmp_path: Path, clone_reads: int, spike_reads: int, *, name: str = "fu", more: list[dict[str, Any]] | None = None
) -> pl.DataFrame:
    rows = [*polyclonal(200, 50, 9), row(SPIKE, spike_reads, "", "", sequence=SPIKE), *(more or [])]
    rows += [row(CLONE, clone_reads)] if clone_reads else []
    return clonotypes([airr(tmp_path / f"{name}.tsv", rows)])


def followed(tmp_path: Path, clone_reads: int, spike_reads: int = 20_000, cells: float | None = 3e6, **more: Any) -> dict[str, Any]:
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    table = followup(tmp_path, clone_reads, spike_reads, **more)
    return follow(table, index, samples(("fu", "A", "2024-09-01"), cells=[cells]), SPIKES).row(0, named=True)


def test_the_spike_turns_reads_into_cells(tmp_path):
    row = followed(tmp_path, 600)
    assert (row["reads_per_copy"], row["clone"], row["clones"]) == (20, "IGH-1", 2)
    assert row["tumour_cells"] == pytest.approx(30)
    assert row["level"] == pytest.approx(1e-5)
    assert row["low"] < 30 / 3e6 * 0.7
    assert row["high"] > 30 / 3e6 * 1.4
    assert row["detection_limit"] == pytest.approx(1e-6)
    assert row["flags"] is None


def test_one_read_is_none_found(tmp_path):
    row = followed(tmp_path, 1)
    assert (row["level"], row["low"]) == (0, 0)
    assert row["high"] == pytest.approx(3.69 / 3e6, rel=0.01)


@pytest.mark.parametrize(
    ("spike_reads", "cells", "flag"), [(0, 3e6, "spike_lost"), (2000, 3e6, "shallow"), (20_000, None, "cells_unknown")]
)
def test_warnings_of_the_measurement(tmp_path, spike_reads, cells, flag):
    assert flag in followed(tmp_path, 600, spike_reads, cells)["flags"].split("|")


def test_a_shallow_sample_sees_less(tmp_path):
    assert followed(tmp_path, 0, 1000)["detection_limit"] == pytest.approx(3 / (3e6 * (1 - np.exp(-1))))


def test_dna_stands_for_cells(tmp_path):
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    lines = samples(("fu", "A", "2024-09-01"), dna=[20.0])
    assert follow(followup(tmp_path, 0, 20_000), index, lines, SPIKES)["cells"].to_list() == pytest.approx([20e-6 / 6.5e-12])


def test_the_clone_of_somebody_else_is_contamination(tmp_path):
    table = pl.concat([diagnosis(tmp_path), diagnosis(tmp_path, name="dy", clone=OTHER, seed=1)])
    table = table.filter(pl.col("locus") == "IGH")  # the light chains of these two are the same
    index = index_clones(table, samples(("dx", "A", "2024-01-01"), ("dy", "B", "2024-01-01")))
    sample = followup(tmp_path, 0, 20_000, more=[row(OTHER, 40)])
    told = follow(sample, index, samples(("fu", "A", "2024-09-01"), cells=[3e6]), SPIKES).row(0, named=True)
    assert told["flags"] == "contamination:B"
    assert told["level"] == 0


def test_a_sequence_of_two_patients_is_not_followed(tmp_path):
    table = pl.concat([diagnosis(tmp_path), diagnosis(tmp_path, name="dy", clone=OTHER, seed=1)])
    index = index_clones(table, samples(("dx", "A", "2024-01-01"), ("dy", "B", "2024-01-01")))
    assert index.filter("shared")["junction"].unique().to_list() == [KAPPA]
    sample = followup(tmp_path, 0, 20_000, more=[row(KAPPA, 400, "IGKV1-5*03", "IGKJ2*01")])
    told = follow(sample, index, samples(("fu", "A", "2024-09-01"), cells=[3e6]), SPIKES).row(0, named=True)
    assert told["flags"] == "shared_clone"
    assert (told["clones"], told["level"]) == (1, 0)


def test_the_spike_is_no_index_clone(tmp_path):
    table = clonotypes([airr(tmp_path / "dx.tsv", [row(CLONE, 5000), row(SPIKE, 9000, "IGHV3-7*01", sequence=SPIKE)])])
    index = index_clones(table, samples(("dx", "A", "2024-01-01")), SPIKES)
    assert index["junction"].to_list() == [CLONE]


def test_intervals_of_simulated_sequencing_cover_the_level(tmp_path):
    """Cells, spikes and reads are drawn; the interval from the reads holds the true level in 93 % of samples or more."""
    from bence.assess.mrd.clones import _level

    generator = np.random.default_rng(11)
    for level in (1e-6, 5e-6, 1e-4):
        covered = 0
        for _ in range(1500):
            molecules, spiked = generator.poisson(level * 3e6), generator.poisson(1000)
            reads, spike_reads = generator.poisson(20 * molecules), generator.poisson(20 * spiked)
            found = _level(int(reads), spike_reads / 1000, 1000, 3e6)
            covered += found["low"] <= level <= found["high"]
        assert covered / 1500 >= 0.93, level


def test_followed_clones_are_observations_of_a_chart(tmp_path):
    index = index_clones(diagnosis(tmp_path), samples(("dx", "A", "2024-01-01")))
    lines = samples(("fu", "A", "2024-09-01"), ("fv", "A", "2025-09-01"), ("fw", "A", "2026-01-01"), cells=[3.1e6, 3.1e6, None])
    table = pl.concat(
        [followup(tmp_path, 0, 20_000), followup(tmp_path, 1240, 20_000, name="fv"), followup(tmp_path, 0, 20_000, name="fw")]
    )
    told = observations(follow(table, index, lines, SPIKES))
    chart = Chart(pl.DataFrame({"patient": ["A"]}), told)
    rows = mrd_table(chart, RESPONSE, settle({}), None)
    assert rows["claim"].to_list() == ["negative<1e-6", "positive", "indeterminate"]
    assert rows["level"].to_list()[1] == pytest.approx(2e-5)
    assert rows["events"].to_list()[1] == pytest.approx(62)
    assert rows["missing"].to_list()[2] == "cells"
    assert "clone_trackable_unknown" not in rows["flags"].str.split("|").explode().to_list()
    without = observations(follow(table, index, lines))
    assert without.filter(pl.col("what") == "mrd")["text"].to_list() == ["negative", "positive", "negative"]
    assert without["value"].null_count() == without.height


def test_missing_columns_are_told(tmp_path):
    table = diagnosis(tmp_path)
    with pytest.raises(UsageError, match="the samples have no column patient"):
        index_clones(table, pl.DataFrame({"sample": ["dx"], "patients": ["A"], "on": [date(2024, 1, 1)]}))
    dx = samples(("dx", "A", "2024-01-01"))
    index = index_clones(table, dx)
    with pytest.raises(UsageError, match="the spike-ins have no column copies"):
        follow(table, index, dx, pl.DataFrame({"sequence": [SPIKE], "copy": [3]}))
