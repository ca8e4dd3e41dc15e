"""What the marrow, the scanner and immunofixation show of virtual people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import poisson

from .blood import cells
from .draws import normal, uniform
from .measurement import assay, marrow_share, measurement
from .visits import Visits, day

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
NORMAL_PLASMA = 0.012  # share of a healthy marrow that are plasma cells
SPD_AT_ENTRY, SPD_SEEN = 9.0, 0.5  # cm2: median at entry, and the smallest that is measured
CLONAL_BY_FLOW = 1e-4  # share of clonal cells that shows in routine flow


class Samples:
    """Immunofixation, marrow, MRD and imaging of one cohort; `truth` is the blood, `states` the model's, both [visit, person]."""

    def __init__(self, visits: Visits, states: Mapping[str, Array], truth: Mapping[str, Array], noise: float) -> None:
        self.visits, self.states, self.truth, self.noise = visits, states, truth, noise
        self.table, self.seed = visits.courses.people.table, visits.courses.seed

    def _each(self, purpose: str) -> Array:
        """Normal draws [visit, person]."""
        return np.array([normal(self.seed, purpose, self.visits.numbers, int(when)) for when in self.visits.days])

    # --- Immunofixation

    @cached_property
    def serum_band(self) -> Flags:
        """Does serum immunofixation show the clone?"""
        told, heavy = measurement()["immunofixation"], (self.table["heavy_chain"] != "none").to_numpy()
        seen = np.where(heavy, self.states["m_protein"] / told["serum_limit"], self.states["involved_flc"] / told["light_chain_limit"])
        return (np.log(np.maximum(seen, 1e-12)) + self.noise * told["log_sd"] * self._each("serum_ife") > 0) & ~self._silent

    @cached_property
    def urine_band(self) -> Flags:
        """Does urine immunofixation show the clone?"""
        told = measurement()["immunofixation"]
        seen = np.log(np.maximum(self.truth["urine_m_protein"] / told["urine_limit"], 1e-12))
        return (seen + self.noise * told["log_sd"] * self._each("urine_ife") > 0) & ~self._silent

    @property
    def _silent(self) -> Flags:
        return (self.table["isotype"] == "non_secretory").to_numpy()

    def immunofixation(self) -> list[pl.DataFrame]:
        """Rows of serum and urine immunofixation: at entry, and where electrophoresis shows little."""
        m = self.visits.measured(assay("serum_m_protein"), self.truth["serum_m_protein"], self.noise)
        due = m < np.maximum(5.0, 0.1 * m[0])
        due[0] = True
        light = self.table["light_chain"].to_numpy()
        heavy = np.where(
            self.table["heavy_chain"].to_numpy() == "none", "", np.char.add(self.table["heavy_chain"].to_numpy().astype(str), "_")
        )
        whole = np.where(self._silent, "negative", np.char.add(heavy, light.astype(str)))
        return [
            self.visits.frame(self.visits.on("serum_ife", 0.03, due), what="serum_ife", text=np.where(self.serum_band, whole, "negative")),
            self.visits.frame(self.visits.on("urine_ife", 0.05, due), what="urine_ife", text=np.where(self.urine_band, light, "negative")),
        ]

    # --- Marrow and MRD

    @cached_property
    def marrow_taken(self) -> Flags:
        """When marrow is taken: at entry, where the protocol draws MRD, when the band is first gone and then once a year, and four times a
        year where the blood shows nothing."""
        told, days = measurement()["samples"], self.visits.days
        clean = ~self.serum_band & ~self.urine_band & ~self._silent
        taken = np.zeros(clean.shape, bool)
        taken[0] = True
        last = np.full(clean.shape[1], -np.inf)
        willing = self.visits.drawn("marrow", 0) < 1 - self.visits.gaps * (1 - told["marrow_at_response"])
        for row in range(1, len(days)):
            again = days[row] - last >= told["again_days"]
            now = self.visits.seen[row] & (clean[row] & willing & again | self._silent & (days[row] % told["non_secretory_days"] == 0))
            last = np.where(now, days[row], np.where(clean[row], last, -np.inf))
            taken[row] = now
        taken[self.row_of(self._planned["day"]), self._planned["place"].to_numpy()] = True
        taken[self.row_of(self.active["day"]), self.active["place"].to_numpy()] = True
        return taken

    def row_of(self, planned: pl.Series) -> NDArray[np.intp]:
        """The visit of a day, or the last one before it."""
        return np.searchsorted(self.visits.days, planned.to_numpy(), side="right") - 1

    @cached_property
    def active(self) -> pl.DataFrame:
        """The day on which smouldering myeloma was found active: marrow and bones are looked at again."""
        if self.visits.courses.protocol.progression != "active":
            return self.visits.courses.events.clear()
        found = self.visits.courses.events.filter(pl.col("what") == "progression")
        return found.unique("place", keep="first", maintain_order=True)

    @cached_property
    def _planned(self) -> pl.DataFrame:
        """MRD samples of the protocol that were drawn at a visit."""
        planned = self.visits.courses.mrd
        return planned.filter(pl.col("day").is_in(self.visits.days.tolist()) & (pl.col("day") > 0))

    @cached_property
    def share(self) -> Array:
        """The clonal share of the marrow."""
        return marrow_share(cells(self.states))

    def marrow(self) -> list[pl.DataFrame]:
        """Rows of plasma cells in the aspirate (%) and, after entry, of what flow shows of the clone."""
        patchy = np.exp(self.noise * measurement()["samples"]["patchiness"] * self._each("aspirate"))
        odds = self.share / np.maximum(1 - self.share, 1e-9) * patchy
        percent = 100 * np.minimum(odds / (1 + odds) + NORMAL_PLASMA * self.states["normal_plasma"], 0.98)
        there = self.marrow_taken & self.visits.followed
        later = there & (np.arange(len(self.visits.days)) > 0)[:, None]
        clonal = np.where(self.share > CLONAL_BY_FLOW, "positive", "negative")
        return [
            self.visits.frame(
                there, what="marrow_plasma_cells", value=np.round(percent) if self.noise else percent, unit="%", method="aspirate"
            ),
            self.visits.frame(later, what="marrow_clonality", text=clonal, method="flow"),
        ]

    def mrd(self) -> pl.DataFrame:
        """Rows of MRD: the protocol's samples, or else one with each marrow that was taken at a response."""
        found = self._drawn() if self.visits.courses.mrd.is_empty() else self._of_protocol()
        first_pull = found.select("patient", "on", "method", what=pl.lit("mrd_first_pull"), text=pl.lit("yes"))
        return pl.concat([found, first_pull], how="diagonal")

    def _of_protocol(self) -> pl.DataFrame:
        samples = self._planned.filter(pl.col("found").is_not_null())
        row, place = self.row_of(samples["day"]), samples["place"].to_numpy()
        return pl.DataFrame({"patient": self.visits.ids.gather(place), "on": day(self.visits.dated[row, place])}).with_columns(
            what=pl.lit("mrd"), value=(samples["found"] / samples["cells"]).clip(0, 1), method=pl.lit("ngs"), cells=samples["cells"],
            detection_limit=3 / samples["cells"])  # fmt: skip

    def _drawn(self) -> pl.DataFrame:
        told = measurement()["samples"]
        there = self.marrow_taken & self.visits.seen & ~self.serum_band
        there[0] = False
        ngs = self.visits.drawn("ngs", 0) < told["ngs_share"]
        assayed = np.round(np.where(ngs, told["ngs_cells"], told["ngf_cells"]) * np.exp(told["cells_log_sd"] * self._each("mrd_cells")))
        local = np.minimum(self.share * np.exp(self.noise * told["patchiness"] * self._each("mrd_place")), 1)
        ranks = np.array([uniform(self.seed, "mrd_found", self.visits.numbers, int(when)) for when in self.visits.days])
        found = np.where(there, np.minimum(poisson.ppf(ranks, local * assayed), assayed), 0)
        limit = np.where(ngs, 3, 20) / assayed
        return self.visits.frame(
            there, what="mrd", value=found / assayed, method=np.where(ngs, "ngs", "ngf"), cells=assayed, detection_limit=limit
        )

    # --- Imaging

    def imaging(self) -> list[pl.DataFrame]:
        """Rows of PET and of plasmacytomas measured, in extramedullary disease: at entry, four times a year, and with a marrow."""
        outside, told = self.table["extramedullary"].to_numpy(), measurement()["samples"]
        due = ((self.visits.days % told["imaging_days"] == 0)[:, None] | self.marrow_taken) & outside
        there = self.visits.on("imaging", 0.03, due)
        there[0] = outside
        size = SPD_AT_ENTRY * np.exp(0.7 * normal(self.seed, "spd", self.visits.numbers, 0)) * (self.share / self.share[0]) ** (2 / 3)
        size = np.where(size < SPD_SEEN, 0, np.round(size, 1))
        seen = size > 0
        again = np.zeros(there.shape, bool)
        again[self.row_of(self.active["day"]), self.active["place"].to_numpy()] = True
        return [
            *(self.visits.frame(again, what=what, value=0.0) for what in ("lytic_lesions", "mri_focal_lesions")),
            self.visits.frame(there, what="plasmacytoma_spd", value=size, unit="cm2"),
            self.visits.frame(there, what="plasmacytoma_count", value=np.where(seen, 1 + np.floor(np.minimum(size, 40) / 12), 0)),
            self.visits.frame(there, what="pet", text=np.where(seen, "positive", "negative")),
        ]
