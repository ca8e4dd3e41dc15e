"""The response rules of docs/rules/response.md once more: slow, plain, in the order of the page.

Nothing is handed on from visit to visit. The nadir is taken anew from all earlier values, a carried value is
found by looking backwards, a confirmation by looking forwards. Where the page can be read in two ways, the
reading taken here is marked "Reading:".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cached_property, wraps
from itertools import pairwise
from typing import NamedTuple

EPS = 1e-9

POLICIES = {
    "serum_measurable": 10.0,
    "nadir": "any",
    "confirmation": "next_sample",
    "minimal_response": "relapsed",
    "missing": "strict",
    "unmeasured_track": "ignore",
    "death_confirms": True,
    "plasmacytoma_vgpr": 0.5,
    "calcium_progression": False,
    "carry_biochemistry": 7,
    "carry_onto_marrow": 42,
    "carry_imaging": 84,
    "antibody_washout": 180,
    "ivig": 42,
    "ivig_open": 180,
}

STEROIDS = {"dexamethasone", "prednisone", "methylprednisolone", "prednisolone", "hydrocortisone"}
ANTIBODIES = {"daratumumab", "isatuximab", "elotuzumab"}
NEVER_START_A_LINE = {
    "zoledronic_acid", "denosumab", "pamidronate", "immunoglobulin", "filgrastim", "aciclovir",
    "radiotherapy", "apheresis",
}  # fmt: skip

IMMUNOFIXATION = ["serum_ife", "urine_ife", "serum_ife_shifted"]
LIGHT_CHAINS = ["kappa_flc", "lambda_flc", "flc_ratio"]
MARROW = ["marrow_plasma_cells", "marrow_clonality"]
PLASMACYTOMA = ["plasmacytoma_spd", "plasmacytoma_count", "plasmacytoma_longest_diameter"]
IMAGING = [*PLASMACYTOMA, "new_lesion"]
ASSESSED = ["serum_m_protein", "urine_m_protein", *IMMUNOFIXATION, *LIGHT_CHAINS, *MARROW, *IMAGING]
HEAVY = ["igg", "iga", "igm", "igd", "ige"]
LIGHT = ["kappa", "lambda"]

CATEGORIES = ["SD", "MR", "PR", "VGPR", "CR", "sCR"]  # from the lowest
ON_ITS_OWN = {"P5", "P6", "P7"}
MARKER_OF_RULE = {
    "P1": "serum", "P2": "serum", "P3": "urine", "P4": "light_chains", "P5": "marrow",
    "P6": "imaging", "P7": "circulating", "P8": "calcium",
}  # fmt: skip


def lower(one: str, other: str) -> str:
    return min(one, other, key=CATEGORIES.index)


# ----------------------------------------------------------------------------------------------------------
# Intervals: a number is an interval of one point


class Interval(NamedTuple):
    low: float
    high: float
    low_open: bool = False
    high_open: bool = False


def interval(value: float, comparator: str | None = None) -> Interval:
    if comparator == "<":
        return Interval(0.0, value, False, True)
    if comparator == ">":
        return Interval(value, float("inf"), True, True)
    return Interval(value, value)


def surely_at_least(x: Interval, limit: float) -> bool:
    return x.low >= limit - EPS


def surely_above(x: Interval, limit: float) -> bool:
    return x.low > limit + EPS or (x.low_open and x.low >= limit - EPS)


def surely_at_most(x: Interval, limit: float) -> bool:
    return x.high <= limit + EPS


def surely_below(x: Interval, limit: float) -> bool:
    return x.high < limit - EPS or (x.high_open and x.high <= limit + EPS)


def surely_fallen(now: Interval, baseline: Interval, share: float) -> bool:
    """1 − now/baseline ≥ share, whatever the two are within their intervals."""
    return now.high <= (1 - share) * baseline.low + EPS


def rise(now: Interval, nadir: Interval) -> Interval:
    """The lowest possible value now minus the highest possible nadir (only the lower end is of use)."""
    return Interval(now.low - nadir.high, float("inf"), now.low_open or nadir.high_open, True)


def surely_risen(now: Interval, nadir: Interval, share: float) -> bool:
    """The percentage of a rise. From a nadir of 0 it is met, but there must be a rise."""
    return surely_above(rise(now, nadir), 0) and surely_at_least(rise(now, nadir), share * nadir.high)


def ratio_of(kappa: Interval, lambda_: Interval) -> Interval | None:
    if lambda_.high <= EPS:
        return Interval(float("inf"), float("inf")) if kappa.low > EPS else None
    if kappa.high <= EPS:
        return Interval(0.0, 0.0)
    low = 0.0 if lambda_.high == float("inf") else kappa.low / lambda_.high
    high = float("inf") if lambda_.low <= EPS else kappa.high / lambda_.low
    return Interval(low, high, kappa.low_open or lambda_.high_open, kappa.high_open or lambda_.low_open)


def ratio_is_normal(ratio: Interval) -> bool:
    return surely_at_least(ratio, 0.26) and surely_at_most(ratio, 1.65)


def ratio_is_abnormal(ratio: Interval) -> bool:
    return surely_below(ratio, 0.26) or surely_above(ratio, 1.65)


def both_ends(values: Iterable[Interval], choose: Callable) -> Interval:
    """The lowest (or highest) that several unknown values can make together: each end of its own."""
    low, low_open = choose((x.low, x.low_open) for x in values)
    high, closed = choose((x.high, not x.high_open) for x in values)
    return Interval(low, high, low_open, not closed)


def difference_of(involved: Interval, uninvolved: Interval) -> Interval:
    """dFLC, not below 0."""
    low, high = involved.low - uninvolved.high, involved.high - uninvolved.low
    low_open = low >= 0 and (involved.low_open or uninvolved.high_open)
    high_open = high > 0 and (involved.high_open or uninvolved.low_open)
    return Interval(max(low, 0.0), max(high, 0.0), low_open, high_open)


# ----------------------------------------------------------------------------------------------------------
# Section 1. Values of a day


def counts(row: dict) -> bool:
    """Neither entered in error nor spurious."""
    return row["status"] in (None, "", "final")


def is_a_row(row: dict) -> bool:
    return row["status"] != "entered_in_error"


def standing(rows: list[dict]) -> list[dict]:
    """Of rows of one code and one day those recorded last. Reading: among those that can be graded."""
    rows = [row for row in rows if counts(row)]
    last = max((row["recorded_on"] or row["on"] for row in rows), default=None)
    return [row for row in rows if (row["recorded_on"] or row["on"]) == last]


def new_lesion_of(event: dict) -> dict:
    """An event plasmacytoma_new is `new_lesion` yes. Reading: one that records absence is `new_lesion` no."""
    absent = event["text"] == "none"
    blank = dict.fromkeys(["value", "comparator", "method", "status"])
    text = "no" if absent else "yes"
    return {**blank, "on": event["on"], "what": "new_lesion", "text": text, "recorded_on": event["recorded_on"]}


COUNTS_IN_WORDS = {"no": (0, 0), "yes": (1, 500), "single": (1, 1), "multiple": (2, 500)}


def interval_of_row(row: dict) -> Interval:
    if row["value"] is None and row["what"] == "plasmacytoma_count":
        return Interval(*COUNTS_IN_WORDS[row["text"]])
    return interval(row["value"], row["comparator"])


def differ(rows: list[dict]) -> bool:
    return len({(row["value"], row["comparator"] or None, frozenset((row["text"] or "").split("+"))) for row in rows}) > 1


def highest(intervals: list[Interval]) -> Interval:
    return max(intervals, key=lambda x: (x.high, not x.high_open, x.low, x.low_open))


def lowest(intervals: list[Interval]) -> Interval:
    return min(intervals, key=lambda x: (x.low, x.low_open, x.high, not x.high_open))


def bands_of(text: str) -> list[tuple[str | None, str | None]]:
    """The bands of an immunofixation as (heavy, light), None where not named; none for `negative`."""
    if text == "negative":
        return []
    bands = []
    for band in text.split("+"):
        words = band.split("_")
        heavy = [word for word in words if word in HEAVY]
        light = [word for word in words if word in LIGHT]
        bands.append((heavy[0] if heavy else None, light[0] if light else None))
    return bands


# ----------------------------------------------------------------------------------------------------------
# One line of one patient


def asked_once(question):
    """Remember the answer to a question about a line: saves time, changes nothing."""

    @wraps(question)
    def answer(line, *arguments):
        key = (question.__name__, *arguments)
        if key not in line.remembered:
            line.remembered[key] = question(line, *arguments)
        return line.remembered[key]

    return answer


class Line:
    """A line: its number, its first dose `start`, the first dose of the next line `end` (None = open)."""

    def __init__(self, number, start, end, earlier, patient, observations, treatments, events, policies):
        self.number: int = number
        self.start: date = start
        self.end: date | None = end
        self.earlier: list[date] = earlier  # the first doses of the lines before
        self.patient = patient
        self.observations = [row for row in observations if is_a_row(row)]
        self.treatments = treatments
        self.observations += [new_lesion_of(event) for event in events if event["what"] == "plasmacytoma_new"]
        self.policy = {**POLICIES, **policies}
        self.remembered: dict = {}

    # -- rows of a code ------------------------------------------------------------------------------------

    def rows(self, what: str, on: date | None = None) -> list[dict]:
        return [row for row in self.observations if row["what"] == what and on in (None, row["on"])]

    def is_used(self, row: dict) -> bool:
        replaced = row["what"] == "igg" and self.after_immunoglobulin(row["on"])
        return counts(row) and not replaced

    def after_immunoglobulin(self, on: date) -> bool:
        """Without a stop date it is given for so long as the policy says."""
        given = [row for row in self.treatments if row["what"] == "immunoglobulin" and row["started_on"]]
        open_for = timedelta(days=self.policy["ivig_open"])
        spans = [(row["started_on"], row["stopped_on"] or row["started_on"] + open_for) for row in given]
        return any(first <= on and (on - last).days <= self.policy["ivig"] for first, last in spans)

    def antibody_given(self, on: date) -> bool:
        """Without a stop date it is still being given."""
        given = [row for row in self.treatments if row["what"] in ANTIBODIES and row["started_on"]]
        spans = [(row["started_on"], row["stopped_on"] or on) for row in given]
        return any(first <= on and (on - last).days <= self.policy["antibody_washout"] for first, last in spans)

    @asked_once
    def days_with_value(self, what: str) -> list[date]:
        return sorted({row["on"] for row in self.rows(what) if self.is_used(row)})

    # -- the value of one day, in the role of a baseline or of a follow-up ---------------------------------

    @asked_once
    def number_on(self, what: str, on: date, role: str) -> Interval | None:
        rows = [row for row in self.rows(what, on) if self.is_used(row)]
        if not rows:
            return None
        if what == "marrow_plasma_cells":
            methods = {row["method"] or "" for row in rows}
            by_method = [standing([row for row in rows if (row["method"] or "") == one]) for one in methods]
            return highest([self.choose(what, some, role) for some in by_method])
        return self.choose(what, standing(rows), role)

    def choose(self, what: str, rows: list[dict], role: str) -> Interval:
        values = [interval_of_row(row) for row in rows]
        if role == "baseline":
            return lowest(values)
        lambda_is_involved = self.clone[1] == "lambda"
        lower_is_worse = {
            "kappa_flc": lambda_is_involved,
            "lambda_flc": self.clone[1] == "kappa",
            "flc_ratio": lambda_is_involved,
        }
        return lowest(values) if lower_is_worse.get(what) else highest(values)

    @asked_once
    def texts_on(self, what: str, on: date) -> list[str]:
        return [row["text"] for row in standing(self.rows(what, on))]

    def conflict_on(self, on: date) -> bool:
        """Reading: of any code that these rules may look at."""
        codes = [*ASSESSED, *HEAVY, "plasmacytoma_short_axis", "calcium", "circulating_plasma_cell_count"]
        for what in codes:
            rows = [row for row in self.rows(what, on) if counts(row)]
            methods = {row["method"] or "" for row in rows} if what == "marrow_plasma_cells" else [None]
            for method in methods:
                same = [row for row in rows if method is None or (row["method"] or "") == method]
                if differ(standing(same)):
                    return True
        return False

    # -- section 2: baseline -------------------------------------------------------------------------------

    @asked_once
    def baseline_day(self, what: str, start: date) -> date | None:
        return max((day for day in self.days_with_value(what) if day <= start), default=None)

    def baseline(self, what: str, start: date | None = None) -> Interval | None:
        day = self.baseline_day(what, start or self.start)
        return None if day is None else self.number_on(what, day, "baseline")

    def baseline_bands(self, what: str, start: date) -> set:
        day = self.baseline_day(what, start)
        return set() if day is None else {band for text in self.texts_on(what, day) for band in bands_of(text)}

    def baseline_ratio(self, start: date) -> Interval | None:
        """From the chains if both are there, else as recorded."""
        kappa, lambda_ = self.baseline("kappa_flc", start), self.baseline("lambda_flc", start)
        if kappa is not None and lambda_ is not None:
            return ratio_of(kappa, lambda_)
        return self.baseline("flc_ratio", start)

    @cached_property
    def baseline_dflc(self) -> Interval | None:
        if self.involved is None:
            return None
        involved, uninvolved = self.baseline(self.involved), self.baseline(self.uninvolved)
        return None if involved is None or uninvolved is None else difference_of(involved, uninvolved)

    # -- section 2: assessments ----------------------------------------------------------------------------

    def in_line(self, day: date) -> bool:
        return self.start < day and (self.end is None or day <= self.end)

    @cached_property
    def visits(self) -> list[date]:
        """Reading: a value that is not used makes a visit all the same, spurious or after immunoglobulin."""
        codes = [*ASSESSED, self.serum_code]
        days = {row["on"] for what in codes for row in self.rows(what)}
        return sorted(day for day in days if self.in_line(day))

    # -- section 2: carried forward ------------------------------------------------------------------------

    @asked_once
    def is_marrow_or_imaging_day(self, day: date) -> bool:
        return any(self.rows(what, day) for what in [*MARROW, *IMAGING])

    def window(self, what: str, visit: date) -> int:
        if what in PLASMACYTOMA:
            return self.policy["carry_imaging"]
        if what in ("new_lesion", "circulating_plasma_cell_count", "calcium"):
            return 0
        onto_marrow = self.is_marrow_or_imaging_day(visit)
        return self.policy["carry_onto_marrow" if onto_marrow else "carry_biochemistry"]

    @asked_once
    def sample_day(self, what: str, visit: date) -> date | None:
        """The day of the value that stands at a visit: measured on that day, or carried onto it."""
        day = max((day for day in self.days_with_value(what) if self.start < day <= visit), default=None)
        if day is None or day == visit:
            return day
        if what in MARROW:
            return day if self.same_negative_run(day, visit) else None
        return day if (visit - day).days <= self.window(what, visit) else None

    def same_negative_run(self, marrow_day: date, visit: date) -> bool:
        """From a negative serum immunofixation of this line, on or before the marrow, none showed the clone."""
        days = {day for what in IMMUNOFIXATION for day in self.days_with_value(what) if self.start < day <= visit}
        return any(
            self.serum_turns_negative(first) and not any(self.clone_shown_on(day) for day in days if day >= first)
            for first in days
            if first <= marrow_day
        )

    @asked_once
    def serum_turns_negative(self, day: date) -> bool:
        reading, sampled, _ = self.serum_immunofixation(day)
        return reading == "negative" and sampled == day

    @asked_once
    def clone_shown_on(self, day: date) -> bool:
        """A band that can be the therapeutic antibody does not show the clone."""
        serum, urine = self.serum_immunofixation(day), self.urine_immunofixation(day)
        in_serum = serum[:2] == ("positive", day) and not self.antibody_could_be_the_band(day)
        return in_serum or urine[:2] == ("positive", day)

    @asked_once
    def marrow_track_day(self, visit: date) -> date | None:
        """The marrow as a track: once the serum was negative the last one stands, whatever is seen later."""
        if "marrow" not in self.tracks:
            return self.sample_day("marrow_plasma_cells", visit)
        day = max((day for day in self.days_with_value("marrow_plasma_cells") if self.start < day <= visit), default=None)
        if day is None or day == visit:
            return day
        immunofixed = {day for what in IMMUNOFIXATION for day in self.days_with_value(what)}
        return day if any(self.serum_turns_negative(first) for first in immunofixed if self.start < first <= day) else None

    # -- section 3: the clone ------------------------------------------------------------------------------

    @cached_property
    def clone(self) -> tuple[str | None, str | None]:
        """Heavy and light chain; None where unknown.

        A clone belongs to the patient, so the first line whose baseline tells it decides. A light chain recorded
        as `none` is read from the baseline; of a biclonal patient none is the involved one.
        """
        heavy = self.patient["heavy_chain"] or None
        light = self.patient["light_chain"] if self.patient["light_chain"] in LIGHT else None
        if self.patient["light_chain"] == "biclonal":
            return heavy or next((found for start in [*self.earlier, self.start] if (found := self.only_band(start)[0])), None), None
        for start in [*self.earlier, self.start]:
            band_heavy, band_light = self.only_band(start)
            heavy = heavy or band_heavy
            light = light or band_light or self.light_chain_by_ratio(start)
        return heavy, light

    def only_band(self, start: date) -> tuple[str | None, str | None]:
        """The one named band of the serum, else of the urine; a light chain alone means no heavy chain."""
        for what in ["serum_ife", "urine_ife"]:
            bands = self.baseline_bands(what, start) - {(None, None)}
            if len(bands) == 1:
                heavy, light = next(iter(bands))
                return heavy or "none", light
        return None, None

    def light_chain_by_ratio(self, start: date) -> str | None:
        ratio = self.baseline_ratio(start)
        if ratio is not None and surely_above(ratio, 1.65):
            return "kappa"
        if ratio is not None and surely_below(ratio, 0.26):
            return "lambda"
        return None

    @property
    def involved(self) -> str | None:
        return {"kappa": "kappa_flc", "lambda": "lambda_flc"}.get(self.clone[1])

    @property
    def uninvolved(self) -> str | None:
        return {"kappa": "lambda_flc", "lambda": "kappa_flc"}.get(self.clone[1])

    def is_of_the_clone(self, band: tuple[str | None, str | None]) -> bool:
        """Where no light chain is known, and of a biclonal patient, either."""
        heavy, light = self.clone
        light_fits = band[1] is None or light is None or band[1] == light
        heavy_fits = band[0] is None or heavy is None or band[0] == heavy
        return light_fits and heavy_fits

    def immunofixation(self, what: str, visit: date) -> tuple[str | None, date | None, set]:
        """`positive` or `negative` for the clone, the day of the sample, the bands."""
        day = self.sample_day(what, visit)
        if day is None:
            return None, None, set()
        bands = {band for text in self.texts_on(what, day) for band in bands_of(text)}
        shown = any(self.is_of_the_clone(band) for band in bands)
        return ("positive" if shown else "negative"), day, bands

    def serum_immunofixation(self, visit: date) -> tuple[str | None, date | None, set]:
        """The newer reading; of one day the shifted one."""
        shifted, plain = self.immunofixation("serum_ife_shifted", visit), self.immunofixation("serum_ife", visit)
        if shifted[1] is None or plain[1] is None:
            return plain if shifted[1] is None else shifted
        return shifted if shifted[1] >= plain[1] else plain

    def urine_immunofixation(self, visit: date) -> tuple[str | None, date | None, set]:
        return self.immunofixation("urine_ife", visit)

    def antibody_could_be_the_band(self, visit: date) -> bool:
        """IgG-kappa clone, an antibody on board, the serum shows IgG-kappa only, M-protein ≤ 2 g/L."""
        reading, plain = self.serum_immunofixation(visit), self.immunofixation("serum_ife", visit)
        shifted_on = self.sample_day("serum_ife_shifted", visit)
        measured_on = self.sample_day("serum_m_protein", visit)
        return (
            self.clone == ("igg", "kappa")
            and self.antibody_given(visit)
            and reading[1] == plain[1] != shifted_on
            and reading[2] == {("igg", "kappa")}
            and measured_on is not None
            and surely_at_most(self.number_on("serum_m_protein", measured_on, "follow-up"), 2)
        )

    # -- section 4: measurable disease ---------------------------------------------------------------------

    @cached_property
    def serum_code(self) -> str:
        """The spike, or the total immunoglobulin of the clone that stands in for it."""
        heavy = self.clone[0]
        if self.baseline("serum_m_protein") is None and heavy in HEAVY:
            total = self.baseline(heavy)
            if total is not None and surely_at_least(total, self.policy["serum_measurable"]):
                return heavy
        return "serum_m_protein"

    @cached_property
    def tracks(self) -> list[str]:
        serum, urine = self.baseline(self.serum_code), self.baseline("urine_m_protein")
        found = []
        if serum is not None and surely_at_least(serum, self.policy["serum_measurable"]):
            found.append("serum")
        if urine is not None and surely_at_least(urine, 200):
            found.append("urine")
        if not found and self.light_chains_measurable:
            found.append("light_chains")
        marrow = self.baseline("marrow_plasma_cells")
        if not found and marrow is not None and surely_at_least(marrow, 30):
            found.append("marrow")
        spd = self.baseline("plasmacytoma_spd")
        if spd is not None and surely_above(spd, 0):
            found.append("plasmacytoma")
        return found

    @property
    def light_chains_measurable(self) -> bool:
        ratio = self.baseline_ratio(self.start)
        if self.baseline_dflc is None or ratio is None:
            return False
        return surely_at_least(self.baseline(self.involved), 100) and ratio_is_abnormal(ratio)

    @property
    def biochemical_tracks(self) -> list[str]:
        return [track for track in self.tracks if track in ("serum", "urine", "light_chains")]

    def codes_of(self, track: str) -> list[str]:
        return {
            "serum": [self.serum_code],
            "urine": ["urine_m_protein"],
            "light_chains": [self.involved, self.uninvolved],
            "marrow": ["marrow_plasma_cells"],
            "plasmacytoma": ["plasmacytoma_spd"],
            "longest_diameter": ["plasmacytoma_longest_diameter"],
            "circulating": ["circulating_plasma_cell_count"],
        }[track]

    def baseline_of(self, track: str) -> Interval | None:
        return self.baseline_dflc if track == "light_chains" else self.baseline(self.codes_of(track)[0])

    @cached_property
    def baseline_is_old(self) -> bool:
        codes = [what for track in self.tracks for what in self.codes_of(track)]
        days = [self.baseline_day(what, self.start) for what in codes]
        return any(day is not None and (self.start - day).days > 90 for day in days)

    # -- the value of a track at a visit -------------------------------------------------------------------

    @asked_once
    def value(self, track: str, visit: date) -> Interval | None:
        if track == "light_chains" and self.involved is None:
            return None
        numbers = []
        for what in self.codes_of(track):
            day = self.marrow_track_day(visit) if track == "marrow" else self.sample_day(what, visit)
            if day is None:
                return None
            numbers.append(self.number_on(what, day, "follow-up"))
        return difference_of(*numbers) if track == "light_chains" else numbers[0]

    def day_of(self, track: str, visit: date) -> date | None:
        """The day a track's value was sampled; of two chains, the newer sample."""
        if self.value(track, visit) is None:
            return None
        if track == "marrow":
            return self.marrow_track_day(visit)
        return max(self.sample_day(what, visit) for what in self.codes_of(track))

    def ratio(self, visit: date) -> tuple[Interval | None, date | None]:
        """From the chains if both are there, else as recorded; with the day of the (newer) sample."""
        chains = [self.sample_day("kappa_flc", visit), self.sample_day("lambda_flc", visit)]
        recorded = self.sample_day("flc_ratio", visit)
        if None not in chains:
            kappa = self.number_on("kappa_flc", chains[0], "follow-up")
            lambda_ = self.number_on("lambda_flc", chains[1], "follow-up")
            found = ratio_of(kappa, lambda_)
            return found, (max(chains) if found is not None else None)
        if recorded is None:
            return None, None
        return self.number_on("flc_ratio", recorded, "follow-up"), recorded

    # -- section 5: the level of each track ----------------------------------------------------------------

    @property
    def relaxed(self) -> bool:
        return self.policy["missing"] == "relaxed"

    @property
    def urine_immunofixation_asked(self) -> bool:
        return not (self.relaxed and "urine" not in self.tracks)

    def both_negative(self, visit: date) -> bool:
        """Both immunofixations are there and negative for the clone."""
        return self.serum_immunofixation(visit)[0] == self.urine_immunofixation(visit)[0] == "negative"

    def level_of(self, track: str, visit: date, missing: set) -> str:
        now, before = self.value(track, visit), self.baseline_of(track)
        if track == "serum":
            if surely_fallen(now, before, 0.90):
                return self.vgpr_of_the_serum(visit, missing)
            if surely_fallen(now, before, 0.50):
                return "PR"
            return self.mr_if_allowed(surely_fallen(now, before, 0.25))
        if track == "urine":
            if surely_below(now, 100):
                return "VGPR"
            if surely_fallen(now, before, 0.90) or surely_below(now, 200):
                return "PR"
            return self.mr_if_allowed(surely_fallen(now, before, 0.50))
        if track == "light_chains":
            if surely_fallen(now, before, 0.90):
                return "VGPR"
            return "PR" if surely_fallen(now, before, 0.50) else "SD"
        if track == "marrow":
            return "PR" if surely_fallen(now, before, 0.50) else "SD"
        if surely_fallen(now, before, self.policy["plasmacytoma_vgpr"]):
            return "VGPR"
        return "PR" if surely_fallen(now, before, 0.50) else "SD"

    def mr_if_allowed(self, reached: bool) -> str:
        allowed = {"always": True, "never": False, "relapsed": self.number >= 2}
        return "MR" if reached and allowed[self.policy["minimal_response"]] else "SD"

    def vgpr_of_the_serum(self, visit: date, missing: set) -> str:
        urine = self.value("urine", visit)
        if self.both_negative(visit) or (urine is not None and surely_below(urine, 100)):
            return "VGPR"
        if urine is not None:
            return "PR"
        if self.relaxed and "urine" not in self.tracks:
            return "VGPR"
        missing.add("urine_m_protein")
        return "PR"

    def urine_limits(self, visit: date) -> bool:
        """Policy unmeasured_track=limit: urine collected, neither below 200 nor down by 90 %, and no proof that it is no clone."""
        if self.policy["unmeasured_track"] != "limit" or "serum" not in self.tracks or "urine" in self.tracks:
            return False
        now, before = self.value("urine", visit), self.baseline_of("urine")
        if now is None or self.both_negative(visit):
            return False
        down = before is not None and surely_fallen(now, before, 0.90)
        return not (surely_below(now, 200) or down)

    def level(self, visit: date) -> tuple[str, set, set]:
        """The category before progression is looked at, what is missing, flags."""
        missing, flags = set(), set()
        if not self.tracks:
            return "NE", missing, flags
        absent = [t for t in self.tracks if self.value(t, visit) is None or self.baseline_of(t) is None]
        present = [track for track in self.tracks if track not in absent]
        for track in absent:
            missing |= {what for what in self.codes_of(track) if self.sample_day(what, visit) is None}
        if absent and not (self.relaxed and present):
            return "NE", missing, flags
        found = "VGPR"
        for track in present:
            found = lower(found, self.level_of(track, visit, missing))
        if self.urine_limits(visit):
            found = "SD"
        return self.complete(found, present, visit, missing, flags), missing, flags

    # -- section 6: CR and sCR -----------------------------------------------------------------------------

    def deep_enough(self, present: list[str], visit: date) -> bool:
        deep = {
            "serum": lambda now, before: surely_fallen(now, before, 0.90),
            "urine": lambda now, before: surely_below(now, 100),
            "light_chains": lambda now, before: surely_fallen(now, before, 0.90),
            "marrow": lambda now, before: surely_fallen(now, before, 0.50),
            "plasmacytoma": lambda now, before: True,
        }
        return all(deep[track](self.value(track, visit), self.baseline_of(track)) for track in present)

    def plasmacytoma_seen(self, visit: date) -> bool:
        """At baseline or since in this line. Reading: surely there, by size or by number."""
        for what in PLASMACYTOMA:
            before = self.baseline(what)
            days = [day for day in self.days_with_value(what) if self.start < day <= visit]
            values = [self.number_on(what, day, "follow-up") for day in days]
            if any(surely_above(value, 0) for value in [before, *values] if value is not None):
                return True
        return False

    def plasmacytoma_gone(self, visit: date) -> bool | None:
        """By size, else by number."""
        for what in ("plasmacytoma_spd", "plasmacytoma_count"):
            day = self.sample_day(what, visit)
            if day is not None:
                return surely_at_most(self.number_on(what, day, "follow-up"), 0)
        return None

    def complete(self, found: str, present: list[str], visit: date, missing: set, flags: set) -> str:
        """CR and sCR. Reading: an absent item is named as long as nothing known rules the category out."""
        if not self.deep_enough(present, visit):
            return found
        serum, urine = self.serum_immunofixation(visit)[0], self.urine_immunofixation(visit)[0]
        marrow_day = self.sample_day("marrow_plasma_cells", visit)
        marrow = None if marrow_day is None else self.number_on("marrow_plasma_cells", marrow_day, "follow-up")
        ratio = self.ratio(visit)[0]
        fulfilled = {
            "serum_ife": None if serum is None else serum == "negative",
            "urine_ife": None if urine is None else urine == "negative",
            "marrow_plasma_cells": None if marrow is None else surely_below(marrow, 5),
            "plasmacytoma_spd": self.plasmacytoma_gone(visit),
            "flc_ratio": None if ratio is None else ratio_is_normal(ratio),
        }
        if urine is None and not self.urine_immunofixation_asked:
            del fulfilled["urine_ife"]
        if not self.plasmacytoma_seen(visit):
            del fulfilled["plasmacytoma_spd"]
        if "light_chains" not in self.tracks:  # Reading: asked of a plasmacytoma patient with light chains too
            del fulfilled["flc_ratio"]

        absent = {what for what, met in fulfilled.items() if met is None}
        not_met = {what for what, met in fulfilled.items() if met is False}
        if not_met == {"serum_ife"} and not absent and self.antibody_could_be_the_band(visit):
            flags.add("CR_blocked_mAb")
            missing.add("serum_ife_shifted")
        if not_met:
            return found
        missing |= absent
        if absent == {"marrow_plasma_cells"}:
            flags.add("CR_pending_marrow")
        return found if absent else self.stringent(visit, ratio, missing)

    def stringent(self, visit: date, ratio: Interval | None, missing: set) -> str:
        day = self.sample_day("marrow_clonality", visit)
        fulfilled = {
            "flc_ratio": None if ratio is None else ratio_is_normal(ratio),
            "marrow_clonality": None if day is None else "positive" not in self.texts_on("marrow_clonality", day),
        }
        if False in fulfilled.values():
            return "CR"
        absent = {what for what, met in fulfilled.items() if met is None}
        missing |= absent
        return "CR" if absent else "sCR"

    # -- section 7: progression ----------------------------------------------------------------------------

    def measured_on(self, track: str, day: date) -> bool:
        return self.day_of(track, day) == day

    def series(self, track: str, before: date) -> list[Interval]:
        """The baseline, then every value of the line before the day."""
        codes = [what for what in self.codes_of(track) if what is not None]
        days = sorted({day for what in codes for day in self.days_with_value(what) if self.start < day < before})
        first = self.baseline_of(track)
        later = [self.value(track, day) for day in days if self.measured_on(track, day)]
        return ([] if first is None else [first]) + later

    @asked_once
    def nadir(self, track: str, before: date, mode: str) -> Interval | None:
        """The lowest of all, or (pairwise) of the first and the higher of each two in a row; both ends are taken apart."""
        values = self.series(track, before)
        if not values:
            return None
        if mode == "pairwise":
            values = [values[0], *(both_ends(two, max) for two in pairwise(values))]
        return both_ends(values, min)

    def shown_by(self, rule: str, day: date, mode: str) -> bool:
        """Does a sample of this very day show progression by the rule?"""
        if rule == "P6":
            return self.lesions_show(day, mode)
        if rule == "P8":
            if not self.policy["calcium_progression"] or day not in self.days_with_value("calcium"):
                return False
            return surely_above(self.number_on("calcium", day, "follow-up"), 2.87)
        track = MARKER_OF_RULE[rule]
        if not self.measured_on(track, day):
            return False
        now, nadir = self.value(track, day), self.nadir(track, day, mode)
        if nadir is None:
            return False
        up = rise(now, nadir)
        serum_or_urine = "serum" in self.tracks or "urine" in self.tracks
        light_chains = "light_chains" in self.tracks
        if rule == "P1":
            return surely_risen(now, nadir, 0.25) and surely_at_least(up, 5)
        if rule == "P2":
            return surely_at_least(nadir, 50) and surely_at_least(up, 10)
        if rule == "P3":
            return surely_risen(now, nadir, 0.25) and surely_at_least(up, 200)
        if rule == "P4":
            return not serum_or_urine and surely_risen(now, nadir, 0.25) and surely_above(up, 100)
        if rule == "P5":
            unmeasured = not serum_or_urine and not light_chains
            return unmeasured and surely_risen(now, nadir, 0.25) and surely_at_least(up, 10)
        unmeasured = not serum_or_urine and not light_chains and "marrow" not in self.tracks
        return unmeasured and surely_risen(now, nadir, 0.50) and surely_at_least(up, 200)

    def new_lesion(self, day: date) -> bool:
        return "yes" in self.texts_on("new_lesion", day)

    def lesions_show(self, day: date, mode: str) -> bool:
        if self.new_lesion(day):
            return True
        return self.spd_shows(day, mode) or self.diameter_shows(day, mode)

    def spd_shows(self, day: date, mode: str) -> bool:
        if not self.measured_on("plasmacytoma", day):
            return False
        now, nadir = self.value("plasmacytoma", day), self.nadir("plasmacytoma", day, mode)
        was_zero = any(earlier.high <= EPS for earlier in self.series("plasmacytoma", day))
        count_day = self.sample_day("plasmacytoma_count", day)
        several = count_day is not None and surely_at_least(self.number_on("plasmacytoma_count", count_day, "follow-up"), 2)
        return (was_zero and surely_above(now, 0)) or (several and nadir is not None and surely_risen(now, nadir, 0.50))

    def diameter_shows(self, day: date, mode: str) -> bool:
        """The short axis is the last one known on the day, baseline included, however old."""
        if not self.measured_on("longest_diameter", day):
            return False
        axis_days = [on for on in self.days_with_value("plasmacytoma_short_axis") if on <= day]
        if not axis_days:
            return False
        axis_day = max(axis_days)
        axis = self.number_on("plasmacytoma_short_axis", axis_day,
                              "baseline" if axis_day <= self.start else "follow-up")  # fmt: skip
        now, nadir = self.value("longest_diameter", day), self.nadir("longest_diameter", day, mode)
        return surely_above(axis, 1) and nadir is not None and surely_risen(now, nadir, 0.50)

    def sample_days_of_rule(self, rule: str, visit: date) -> list[date]:
        """The days of the samples that stand at a visit and could show the rule."""
        if rule in ("P7", "P8"):
            return [visit]
        if rule == "P6":
            spd = self.sample_day("plasmacytoma_spd", visit)
            size = self.sample_day("plasmacytoma_longest_diameter", visit)
            return [visit, *[day for day in (spd, size) if day is not None]]
        day = self.day_of(MARKER_OF_RULE[rule], visit)
        return [] if day is None else [day]

    def rule_shown_at(self, rule: str, visit: date, mode: str) -> date | None:
        """The day of the sample that shows the rule: the visit, or that of a carried one that did then."""
        shown = []
        for day in self.sample_days_of_rule(rule, visit):
            if rule == "P6" and day < visit:
                spd, size = "plasmacytoma_spd", "plasmacytoma_longest_diameter"
                by_spd = day == self.sample_day(spd, visit) and self.spd_shows(day, mode)
                by_size = day == self.sample_day(size, visit) and self.diameter_shows(day, mode)
                if by_spd or by_size:
                    shown.append(day)
            elif self.shown_by(rule, day, mode):
                shown.append(day)
        return max(shown, default=None)

    @asked_once
    def rules_at(self, visit: date, mode: str | None = None) -> dict[str, date]:
        """The rules that hold at a visit, with the day of the sample that shows each."""
        mode = mode or self.policy["nadir"]
        found = {rule: self.rule_shown_at(rule, visit, mode) for rule in MARKER_OF_RULE}
        return {rule: day for rule, day in found.items() if day is not None}

    def light_chains_escape(self, visit: date) -> bool:
        if not ("serum" in self.tracks or "urine" in self.tracks):
            return False
        if self.rules_at(visit).keys() & {"P1", "P2", "P3"}:
            return False  # the light chains do not rise alone
        days = self.sample_days_of_rule("P4", visit)
        for day in [day for day in days if self.measured_on("light_chains", day)]:
            now = self.value("light_chains", day)
            nadir = self.nadir("light_chains", day, self.policy["nadir"])
            if nadir is not None and surely_risen(now, nadir, 0.25) and surely_above(rise(now, nadir), 100):
                return True
        return False

    def nadir_matters(self, visit: date) -> bool:
        by_mode = [{"P1", "P2"} & self.rules_at(visit, mode).keys() for mode in ("any", "pairwise")]
        return bool(by_mode[0]) != bool(by_mode[1])

    # -- section 7, last line: the category of a visit -----------------------------------------------------

    @asked_once
    def timepoint(self, visit: date) -> str:
        return "PD" if self.rules_at(visit) else self.level(visit)[0]

    # -- section 8: confirmation of a response -------------------------------------------------------------

    def sampled_anew(self, visit: date, later: date) -> bool:
        if self.biochemical_tracks:
            newer, not_newer = [], []
            for track in self.biochemical_tracks:
                day, used = self.day_of(track, later), self.day_of(track, visit)
                if day is None and self.relaxed:
                    continue  # Reading: a track that may be missing at a visit may be missing at the second
                is_newer = day is not None and day > (used or visit)
                (newer if is_newer else not_newer).append(track)
            return bool(newer) and not not_newer
        days = [self.sample_day(what, later) for what in [*IMMUNOFIXATION, *MARROW, *PLASMACYTOMA]]
        if standing(self.rows("new_lesion", later)):
            days.append(later)
        return any(day is not None and day > visit for day in days)

    def second_visit(self, visit: date) -> date | None:
        """Reading: progression in between breaks the pair, whichever sample showed it."""
        for later in self.visits:
            if later <= visit or (self.end is not None and later >= self.end):
                continue
            category = self.timepoint(later)
            if category == "PD" or (category != "NE" and self.sampled_anew(visit, later)):
                return later
        return None

    @asked_once
    def confirmed_at(self, visit: date) -> tuple[str, date] | None:
        """What a visit is worth and the day of the second sample; None if it is worth nothing."""
        first = self.timepoint(visit)
        if first in ("NE", "PD"):
            return None  # Reading: on the first day of the next line there is no second visit left, so it is SD
        second_day = self.second_visit(visit)
        if first == "SD" or second_day is None or self.timepoint(second_day) == "PD":
            return "SD", visit
        worth = lower(first, self.timepoint(second_day))
        if worth == "SD":
            return "SD", visit
        if worth in ("CR", "sCR"):
            worth = self.worth_of_the_pair(worth, visit, second_day)
        return worth, second_day

    def worth_of_the_pair(self, worth: str, visit: date, second: date) -> str:
        def newer(day, than):
            return day is not None and than is not None and day > than

        serum = newer(self.serum_immunofixation(second)[1], self.serum_immunofixation(visit)[1])
        urine = newer(self.urine_immunofixation(second)[1], self.urine_immunofixation(visit)[1])
        ratio = newer(self.ratio(second)[1], self.ratio(visit)[1])
        if not serum or (self.urine_immunofixation_asked and not urine):
            return "VGPR"
        if "light_chains" in self.tracks and not ratio:
            return "VGPR"
        return "sCR" if worth == "sCR" and ratio else "CR"

    # -- section 8: confirmation of progression ------------------------------------------------------------

    @asked_once
    def progression_at(self, visit: date) -> tuple[str, date | None]:
        """`confirmed`, `refuted` or `unconfirmed`, and the day it was decided."""
        decided = self.decided_by_a_sample(visit)
        if decided is not None:
            return decided
        if self.policy["death_confirms"] and self.died_in_this_line():
            return "confirmed", self.patient["died_on"]
        return "unconfirmed", None

    @asked_once
    def decided_by_a_sample(self, visit: date) -> tuple[str, date] | None:
        rules = self.rules_at(visit)
        if rules.keys() & ON_ITS_OWN:
            return "confirmed", visit
        if self.policy["confirmation"] == "simultaneous_markers":
            markers = {(MARKER_OF_RULE[rule], day) for rule, day in rules.items() if rule != "P8"}
            days = [day for _, day in markers]
            if any(days.count(day) >= 2 for day in days):
                return "confirmed", visit
        for later in [day for day in self.visits if day > visit]:
            if any(day > visit for day in self.rules_at(later).values()):
                return "confirmed", later
            if self.timepoint(later) != "NE" and all(self.denied(rule, visit, later) for rule in rules):
                return "refuted", later
        return None

    def denied(self, rule: str, visit: date, later: date) -> bool:
        """The marker that had shown progression was measured after the visit and shows none any more."""
        marker = MARKER_OF_RULE[rule]
        if marker == "calcium":
            measured = later in self.days_with_value("calcium")
        else:
            day = self.day_of(marker, later)
            measured = day is not None and day > visit
        return measured and not any(MARKER_OF_RULE[other] == marker for other in self.rules_at(later))

    def died_in_this_line(self) -> bool:
        return self.end is None and self.patient["died_on"] is not None

    @cached_property
    def first_confirmed_progression(self) -> tuple[date, date] | None:
        for visit in self.visits:
            if self.rules_at(visit):
                state, decided = self.progression_at(visit)
                if state == "confirmed":
                    return visit, decided
        return None

    # -- the rows and the line -----------------------------------------------------------------------------

    def best_until(self, visit: date) -> tuple[str, date | None, date | None]:
        """The best confirmed category up to a visit, the first sample of its pair, the second."""
        progressed = self.first_confirmed_progression
        after = progressed is not None and visit >= progressed[0]
        visits = [day for day in self.visits if day <= visit and (not after or day < progressed[0])]
        worth = [(self.confirmed_at(day), day) for day in visits]
        worth = [(found, day) for found, day in worth if found is not None]
        if not worth:
            return ("PD", *progressed) if after else ("NE", None, None)
        best = max(CATEGORIES.index(found[0]) for found, _ in worth)
        found, day = next((found, day) for found, day in worth if CATEGORIES.index(found[0]) == best)
        return found[0], day, found[1]

    def row(self, visit: date) -> dict:
        rules = self.rules_at(visit)
        _, missing, flags = self.level(visit)
        if rules:  # Reading: what could have raised a category is not missed where there is progression
            missing, flags = set(), set()
        if self.conflict_on(visit):
            flags.add("conflict")
        if self.baseline_is_old:
            flags.add("baseline_old")
        if self.serum_code in HEAVY:
            flags.add("total_immunoglobulin")
        bands = self.serum_immunofixation(visit)[2] | self.urine_immunofixation(visit)[2]
        if any(not self.is_of_the_clone(band) for band in bands):
            flags.add("oligoclonal_band")
        if self.light_chains_escape(visit):
            flags.add("light_chain_escape")
        if self.nadir_matters(visit):
            flags.add("nadir_sensitive")
        confirmed, best_on, confirmed_on = self.best_until(visit)
        progressed = self.first_confirmed_progression
        progression = None
        second = None
        if rules and progressed is not None and visit > progressed[0]:
            progression = "confirmed"
        elif rules:
            progression, decided = self.progression_at(visit)
            second = decided if self.decided_by_a_sample(visit) and progression == "confirmed" else None
        elif best_on == visit and confirmed != "SD":  # the first sample of the pair that counts
            second = confirmed_on
        if second is not None and (second - visit).days > 84:
            flags.add("confirmation_gap")
        return {
            "line": self.number,
            "on": visit,
            "timepoint": self.timepoint(visit),
            "confirmed": confirmed,
            "confirmed_on": confirmed_on,
            "progression": progression,
            "missing": missing,
            "flags": flags,
        }

    def summary(self, rows: list[dict]) -> dict:
        best, best_on, _ = self.best_until(self.visits[-1]) if self.visits else ("NE", None, None)
        confirmed = self.first_confirmed_progression
        state, on = None, None
        if confirmed is not None:
            state, on = "confirmed", confirmed[0]
        elif any(row["progression"] == "unconfirmed" for row in rows):
            state = "unconfirmed"  # Reading: dated only once it is confirmed
        return {
            "line": self.number,
            "started_on": self.start,
            "best_response": best,
            "best_response_on": best_on,
            "progressed_on": on,
            "progression_state": state,
        }


# ----------------------------------------------------------------------------------------------------------
# Section 2. Where lines start


def can_start_a_line(treatment: dict) -> bool:
    return (
        treatment["started_on"] is not None
        and treatment["what"] not in NEVER_START_A_LINE
        and treatment["phase"] not in ("bridging", "lymphodepletion")
    )


def first_dose(treatments: list[dict]) -> date | None:
    """The first anti-myeloma treatment; a steroid only if there is nothing else."""
    treatments = [row for row in treatments if can_start_a_line(row)]
    drugs = [row for row in treatments if row["what"] not in STEROIDS]
    return min((row["started_on"] for row in drugs or treatments), default=None)


def recorded_starts(treatments: list[dict]) -> list[tuple[int, date]]:
    """In order of date; a steroid starts a line only if it has no other drug."""
    starts = []
    for number in {row["line"] for row in treatments if row["line"] is not None}:
        start = first_dose([row for row in treatments if row["line"] == number])
        if start is not None:
            starts.append((number, start))
    return sorted(starts, key=lambda one: (one[1], one[0]))


def lines_of(patient, observations, treatments, events, policies) -> list[Line]:
    chart = (patient, observations, treatments, events, policies)
    starts = recorded_starts(treatments)
    days = [start for _, start in starts]
    ends = [*days[1:], None]
    return [Line(number, start, ends[n], days[:n], *chart) for n, (number, start) in enumerate(starts)]


def respond(
    patient: dict, observations: list[dict], treatments: list[dict], events: list[dict], policies: dict
) -> tuple[list[dict], list[dict]]:
    """Rows of response and lines of one patient."""
    observations = [row for row in observations if row["on"] is not None]
    events = [event for event in events if event["on"] is not None]
    rows, summaries = [], []
    for line in lines_of(patient, observations, treatments, events, policies):
        found = [line.row(visit) for visit in line.visits]
        rows += found
        summaries.append(line.summary(found))
    return rows, summaries
