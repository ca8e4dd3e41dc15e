"""Charts that lie on the edges of the response rules: plain rows, drawn one choice at a time.

A chart of one patient is a dictionary of four tables, each row a dictionary with the columns of the chart;
all numbers are in canonical units. `to_chart` makes a chart of many.
"""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

DAY_ONE = date(2025, 1, 1)
SPACINGS = [28, 28, 28, 0, 1, 3, 7, 8, 41, 42, 43, 84, 85]
TINY = 0.01  # a step off a threshold


# ----------------------------------------------------------------------------------------------------------
# Rows


def person(patient="p", **known) -> dict:
    columns = [
        "centre",
        "sex",
        "born_on",
        "heavy_chain",
        "light_chain",
        "died_on",
        "death_cause",
        "last_seen_on",
    ]
    return {"patient": patient, **dict.fromkeys(columns), **known}


def observed(on, what, value=None, *, comparator=None, text=None, **known) -> dict:
    columns = ["unit", "method", "sample", "detection_limit", "cells", "status", "recorded_on", "source"]
    row = {"on": on, "what": what, "value": None if value is None else float(value)}
    return {**row, "comparator": comparator, "text": text, **dict.fromkeys(columns), **known}


def treated(started_on, what, *, stopped_on=None, line=None, **known) -> dict:
    columns = ["dose", "dose_unit", "route", "phase", "planned", "stop_reason", "recorded_on", "source"]
    row = {"started_on": started_on, "stopped_on": stopped_on, "what": what, "line": line}
    return {**row, **dict.fromkeys(columns), **known}


def happened(on, what, **known) -> dict:
    return {
        "on": on,
        "what": what,
        **dict.fromkeys(["until", "grade", "text", "recorded_on", "source"]),
        **known,
    }


TABLES = ["patients", "observations", "treatments", "events"]


def tables_of(charts: list[dict]) -> dict[str, list[dict]]:
    """The four tables of many patients; each row gets its patient, each observation its unit."""
    from bence.catalogue import codes

    tables = {table: [] for table in TABLES}
    for chart in charts:
        name = chart["patient"]["patient"]
        tables["patients"].append(chart["patient"])
        for table in TABLES[1:]:
            for row in chart[table]:
                row = {"patient": name, **row}
                if table == "observations" and row["value"] is not None:
                    row["unit"] = row["unit"] or codes()[row["what"]].unit or None
                tables[table].append(row)
    return tables


def to_chart(charts: list[dict], order=lambda rows: rows):
    """A `bence.chart.Chart` of many patients; `order` may rearrange the rows of each table."""
    import polars as pl

    from bence.chart import SCHEMA, Chart

    frames = {table: pl.DataFrame(order(rows), schema=SCHEMA[table], orient="row") for table, rows in tables_of(charts).items()}
    return Chart(**frames)


# ----------------------------------------------------------------------------------------------------------
# What is drawn

CLONES = [
    *[("igg", "kappa")] * 4,
    ("iga", "lambda"),
    ("igg", "lambda"),
    ("none", "kappa"),
    ("none", "lambda"),
    ("igg", "biclonal"),
    ("none", "none"),
    ("igg", None),
    (None, "kappa"),
    (None, None),
]
MEASURABLE = [
    *["serum"] * 3,
    *["both"] * 2,
    "urine",
    *["light_chains"] * 3,
    "marrow",
    "plasmacytoma",
    "total",
    "nothing",
]
STORIES = ["remission", "remission", "masked", "mixed", "mixed", "relapse"]
MOODS = {
    "remission": [*["deep"] * 7, "edge", "rise"],
    "masked": [*["deep"] * 7, "edge"],
    "mixed": ["deep", "deep", "edge", "edge", "rise", "any"],
    "relapse": ["edge", "rise", "rise"],
}
PANELS = [
    *["full"] * 6,
    *["blood"] * 2,
    "serum",
    "urine",
    "light_chains",
    "immunofixation",
    "marrow",
    "imaging",
    "calcium",
    "counts",
    "everything",
]
CODES_OF_PANEL = {
    "full": ["serum", "urine", "serum_ife", "urine_ife", "flc"],
    "blood": ["serum", "serum_ife", "flc"],
    "serum": ["serum"],
    "urine": ["urine", "urine_ife"],
    "light_chains": ["flc"],
    "immunofixation": ["serum_ife", "urine_ife"],
    "marrow": ["marrow", "clonality"],
    "imaging": ["spd", "count", "diameter", "axis", "new_lesion"],
    "calcium": ["serum", "calcium", "circulating"],
    "counts": ["calcium", "circulating"],
    "everything": [
        "serum", "urine", "serum_ife", "urine_ife", "flc", "marrow", "clonality", "spd", "count", "diameter",
        "new_lesion", "calcium", "circulating",
    ],
}  # fmt: skip
TWISTS = [
    *["none"] * 14,
    "spurious",
    "entered_in_error",
    "twice",
    "twice_later",
    "below",
    "above",
    "shifted",
    "shifted_positive",
    "one_chain",
    "ratio_only",
    "drop",
    "drop",
]


def near(*values: float) -> list[float]:
    """Each value, just below and just above it."""
    return [round(v + step, 6) for v in values for step in (0.0, -TINY, TINY) if v + step >= 0]


def follow_up_values(what: str, first: float | None, low: float | None, mood: str) -> list[float]:
    """Numbers worth trying at a visit, given the baseline and the lowest so far."""
    base, nadir = first or 0.0, low or 0.0
    if what in ("serum", "total"):
        deep, rises = [0.0, *near(base * 0.1), 1.0, 2.0], near(nadir + 5, nadir * 1.25, nadir + 10)
        edges = near(base * 0.1, base * 0.5, base * 0.75)
    elif what == "urine":
        deep, rises = [0.0, 50.0, *near(100)], near(nadir + 200, nadir * 1.25, (nadir + 200) * 1.25)
        edges = near(100, 200, base * 0.1, base * 0.5)
    elif what == "dflc":
        deep, rises = [0.0, *near(base * 0.1)], near(nadir + 100, nadir * 1.25, nadir * 1.25 + 101)
        edges = near(base * 0.1, base * 0.5)
    elif what == "marrow":
        deep, rises = [0.0, 1.0, 3.0, 4.0, *near(5)], near(nadir + 10, nadir * 1.25)
        edges = near(5, base * 0.5)
    elif what == "circulating":
        deep, rises, edges = [0.0, 10.0], near(nadir + 200, nadir * 1.5, nadir * 1.5 + 200), near(base)
    else:  # the size of a plasmacytoma
        deep, rises, edges = [0.0, 0.0, *near(base * 0.1)], near(nadir * 1.5, nadir + 1), near(base * 0.5)
    return {"deep": deep, "rise": rises, "edge": edges, "any": deep + edges + rises}[mood]


def chart_of_one(pick, name: str = "p") -> dict:
    """One patient on the edges of the rules; `pick` takes one of several: `random.choice` will do."""
    one = Drawn(pick, name)
    one.baseline()
    one.visits()
    one.treatment()
    one.fate()
    return one.chart


class Drawn:
    """The chart of one patient while it is being drawn."""

    def __init__(self, pick, name):
        self.pick = pick
        self.clone = self.pick(CLONES)
        self.kind = self.pick(MEASURABLE)
        self.story = self.pick(STORIES)  # masked: an antibody that looks like the clone
        if self.story == "masked":
            self.clone = ("igg", "kappa")
        recorded = self.pick([True, True, True, True, True, False])
        heavy, light = self.clone if recorded else (None, None)
        self.chart = {
            "patient": person(name, heavy_chain=heavy, light_chain=light),
            "observations": [],
            "treatments": [],
            "events": [],
        }
        self.first: dict[str, float] = {}
        self.low: dict[str, float] = {}
        self.days: list[date] = []

    def add(self, on, what, value=None, **known):
        self.chart["observations"].append(observed(on, what, value, **known))

    # -- names of chains -------------------------------------------------------------------------------------

    @property
    def involved(self) -> str:
        return "lambda_flc" if self.clone[1] == "lambda" else "kappa_flc"

    @property
    def uninvolved(self) -> str:
        return "kappa_flc" if self.clone[1] == "lambda" else "lambda_flc"

    @property
    def band(self) -> str:
        heavy, light = self.clone
        light = light if light in ("kappa", "lambda") else "kappa"
        return light if heavy in (None, "none") else f"{heavy}_{light}"

    # -- the baseline ----------------------------------------------------------------------------------------

    def baseline(self):
        on = DAY_ONE - timedelta(days=self.pick([0, 0, 0, 1, 14, 90, 91]))
        serum = {
            "serum": [30.0, 10.0, 12.0, 52.0, 70.0, 50.0],
            "both": [30.0, 10.0],
            "total": [None],
            "nothing": [None, 5.0, 9.99],
        }.get(self.kind, [0.0, 2.0, 4.0, 9.99, None])
        urine = {"urine": [2000.0, 200.0, 1000.0], "both": [1000.0, 200.0, 2000.0]}.get(self.kind, [0.0, 0.0, 50.0, 199.99, None])
        self.measure(on, "serum_m_protein", "serum", self.pick(serum))
        self.measure(on, "urine_m_protein", "urine", self.pick(urine))
        if self.kind == "total":
            heavy = self.clone[0] if self.clone[0] in ("igg", "iga") else "igg"
            self.measure(on, heavy, "total", self.pick([10.0, 30.0, 9.99, 40.0]))
        self.light_chains_at_baseline(on)
        marrow = {"marrow": [30.0, 60.0, 40.0]}.get(self.kind, [40.0, 10.0, 29.99, None])
        self.measure(on, "marrow_plasma_cells", "marrow", self.pick(marrow))
        if self.kind == "plasmacytoma" or self.pick([True, *[False] * 7]):
            self.measure(on, "plasmacytoma_spd", "spd", self.pick([20.0, 4.0, 0.0]))
            self.measure(on, "plasmacytoma_longest_diameter", "diameter", self.pick([4.0, 2.0, None]))
            self.measure(on, "plasmacytoma_short_axis", "axis", self.pick([1.0, 1.01, 2.0, None]))
            self.measure(on, "plasmacytoma_count", "count", self.pick([1.0, 2.0, 3.0, None]))
        self.measure(on, "circulating_plasma_cell_count", "circulating", self.pick([None, None, 100.0, 1000.0]))
        texts = [None, self.band, self.band, "positive", "negative", f"{self.band}+iga_lambda"]
        text = self.pick(texts)
        if text:
            self.add(on, "serum_ife", text=text)
            if self.pick([True, *[False] * 19]):
                self.add(on, "serum_ife", text="positive")
            self.add(on, "urine_ife", text=self.pick(["negative", "kappa", "lambda"]))
        self.oddity_of_the_baseline(on)

    def measure(self, on, what, key, value, **known):
        if value is not None:
            self.add(on, what, value, **known)
            self.first[key] = self.low[key] = value

    def light_chains_at_baseline(self, on):
        uninvolved = 8.0 if self.kind == "light_chains" else self.pick([8.0, 10.0, None])
        if uninvolved is None:
            return
        involved = self.pick([808.0, 100.0, 208.0, 1008.0] if self.kind == "light_chains" else [9.0, 16.5, 99.99])
        self.add(on, self.involved, involved)
        self.add(on, self.uninvolved, uninvolved)
        self.first["dflc"] = self.low["dflc"] = max(0.0, involved - uninvolved)

    def oddity_of_the_baseline(self, on):
        oddity = self.pick([*["none"] * 8, "conflict", "later", "spurious", "error", "older", "censored"])
        if oddity == "none" or "serum" not in self.first:
            return
        value, other = self.first["serum"], self.first["serum"] + 20
        if oddity == "conflict":
            self.add(on, "serum_m_protein", other)
        elif oddity == "later":
            self.add(on, "serum_m_protein", other, recorded_on=on + timedelta(days=3))
        elif oddity == "spurious":
            self.add(on, "serum_m_protein", other, status="spurious")
        elif oddity == "error":
            self.add(on, "serum_m_protein", 0.0, status="entered_in_error")
        elif oddity == "older":
            self.add(on - timedelta(days=30), "serum_m_protein", value / 2)
        else:
            self.chart["observations"][0]["comparator"] = self.pick(["<", ">"])

    # -- the visits ------------------------------------------------------------------------------------------

    def visits(self):
        on, mood = DAY_ONE, "edge"
        for _ in range(self.pick(range(8))):
            on += timedelta(days=self.pick(SPACINGS))
            mood = self.pick([mood, *MOODS[self.story]])
            self.days.append(on)
            panels = ["full"] * 14 + PANELS if mood == "deep" else PANELS
            self.visit(on, mood, self.pick(panels), self.pick(TWISTS))
            if self.pick([False, True] if mood == "deep" else [False, False, True]):
                self.visit(on, mood, self.pick(["marrow", "marrow", "imaging", "calcium"]), "none")

    def visit(self, on, mood, panel, twist):
        codes = list(CODES_OF_PANEL[panel])
        if panel == "full" and "spd" in self.first and self.pick([True, False]):
            codes += ["spd", "count"]
        if self.kind == "total" and "serum" in codes:
            codes[codes.index("serum")] = "total"
        if twist == "drop":
            codes.remove(self.pick(codes))
        status = twist if twist in ("spurious", "entered_in_error") else None
        comparator = {"below": "<", "above": ">"}.get(twist)
        at = len(self.chart["observations"])
        for code in codes:
            self.measure_at_visit(on, mood, code, twist, comparator)
        rows = self.chart["observations"][at:]
        if rows and status:
            self.pick(rows)["status"] = status
        if rows and twist in ("twice", "twice_later"):
            self.repeat(self.pick(rows), later=twist == "twice_later")
        if twist.startswith("shifted"):
            self.add(on, "serum_ife_shifted", text="negative" if twist == "shifted" else self.band)

    def repeat(self, row, later):
        """The same code again on the same day with another result."""
        again = dict(row)
        if row["value"] is not None:
            others = [2.3, 2.88] if row["what"] == "calcium" else [row["value"] + 20, row["value"] / 2, 0.0]
            again["value"] = self.pick([row["value"], *others])
            again["comparator"] = None
        elif row["what"] == "new_lesion":
            again["text"] = "yes" if row["text"] == "no" else "no"
        elif row["what"] == "marrow_clonality":
            again["text"] = "positive" if row["text"] == "negative" else "negative"
        else:
            again["text"] = self.pick(["negative", self.band])
        if later:
            again["recorded_on"] = row["on"] + timedelta(days=self.pick([1, 30]))
        if row["what"] == "marrow_plasma_cells":
            again["method"] = self.pick([row["method"], "biopsy"])
        self.chart["observations"].append(again)

    def number(self, code, mood):
        return self.pick(follow_up_values(code, self.first.get(code), self.low.get(code), mood))

    def measure_at_visit(self, on, mood, code, twist, comparator):
        if code == "flc":
            self.light_chains_at_visit(on, mood, twist)
        elif code in ("serum_ife", "urine_ife"):
            self.immunofixation_at_visit(on, mood, code)
        elif code == "clonality":
            self.add(on, "marrow_clonality", text=self.pick(["negative", "negative", "positive"]))
        elif code == "new_lesion":
            self.add(on, "new_lesion", text=self.pick(["no", "no", "no", "no", "yes"]))
        elif code == "calcium":
            self.add(on, "calcium", self.pick([2.3, 2.87, 2.88, 3.2]))
        elif code == "count":
            self.add(on, "plasmacytoma_count", self.pick([1.0, 2.0, 2.0, 0.0]))
        elif code == "axis":
            if self.pick([True, False]):
                self.add(on, "plasmacytoma_short_axis", self.pick([0.5, 1.0, 1.01, 2.0]), comparator=comparator)
        else:
            heavy = self.clone[0] if self.clone[0] in ("igg", "iga") else "igg"
            what = {
                "serum": "serum_m_protein",
                "urine": "urine_m_protein",
                "total": heavy,
                "marrow": "marrow_plasma_cells",
                "spd": "plasmacytoma_spd",
                "diameter": "plasmacytoma_longest_diameter",
                "circulating": "circulating_plasma_cell_count",
            }[code]
            value = self.number(code, mood)
            value = min(value, 100.0) if code == "marrow" else value
            self.low[code] = min(value, self.low.get(code, value))
            method = self.pick(["aspirate", "biopsy", None]) if code == "marrow" else None
            self.add(on, what, value, comparator=comparator if value > 0 else None, method=method)

    def light_chains_at_visit(self, on, mood, twist):
        if mood == "deep" and self.pick([True, True, False]):
            involved, uninvolved = self.pick([(16.5, 10.0), (16.6, 10.0), (2.6, 10.0), (10.0, 8.0), (12.0, 12.0)])
        else:
            uninvolved = self.pick([8.0, 8.0, 0.0])
            involved = uninvolved + self.number("dflc", mood)
        dflc = max(0.0, involved - uninvolved)
        self.low["dflc"] = min(dflc, self.low.get("dflc", dflc))
        if twist == "ratio_only":
            self.add(on, "flc_ratio", self.pick([0.25, 0.26, 1.0, 1.65, 1.66, 12.0]))
            return
        self.add(on, self.involved, round(involved, 6))
        if twist != "one_chain":
            self.add(on, self.uninvolved, uninvolved)

    def immunofixation_at_visit(self, on, mood, code):
        odd = ["positive", "igg", "kappa", "lambda", "iga_lambda", "igm_kappa", f"{self.band}+iga_lambda"]
        if self.story == "masked" and code == "serum_ife":
            self.add(on, code, text=self.pick(["igg_kappa"] * 8 + ["negative", *odd]))
        elif mood == "deep":
            self.add(on, code, text=self.pick(["negative"] * 12 + [self.band, *odd[:5]]))
        else:
            self.add(on, code, text=self.pick(["negative"] * 4 + [self.band] * 4 + odd))

    # -- treatment -------------------------------------------------------------------------------------------

    def some_day(self) -> date:
        """A visit, the day after one, the first dose or a day before it."""
        days = [DAY_ONE - timedelta(days=10), DAY_ONE, *self.days, *self.days]
        return self.pick(days) + timedelta(days=self.pick([0, 0, 1, 10]))

    def treat(self, started_on, what, line=None, **known):
        self.chart["treatments"].append(treated(started_on, what, line=line, **known))

    def treatment(self):
        recorded = self.pick([True, False])
        first = self.pick([1, 1, 1, 2, 3]) if recorded else None
        self.treat(DAY_ONE, "lenalidomide", first, phase=self.pick([None] * 30 + ["bridging"]))
        if self.story == "masked" or self.pick([True, False]):
            stopped = self.pick([None, None, DAY_ONE + timedelta(days=28), DAY_ONE])
            antibody = self.pick(["daratumumab", "isatuximab", "elotuzumab"])
            self.treat(DAY_ONE, antibody, first, stopped_on=stopped)
        number = first
        started_on = DAY_ONE
        for drug in ["bortezomib", "pomalidomide"][: self.pick([0, 1, 1, 2])]:
            later = [day for day in self.days if day > started_on]
            if not later:
                break
            started_on = self.pick(later) + timedelta(days=self.pick([0, 0, 1, 10]))
            if recorded:
                number += 1
            self.treat(started_on, drug, number, phase=self.pick([None] * 30 + ["lymphodepletion"]))
        for _ in range(self.pick([0, 0, 1, 1, 2])):
            self.extra_treatment()

    def extra_treatment(self):
        kind = self.pick(["steroid", "early_steroid", "supportive", "ivig", "bridging", "lymphodepletion",
                          "again", "unnumbered", "antibody", "radiotherapy", "apheresis"])  # fmt: skip
        on = self.some_day()
        if kind == "steroid":
            self.treat(on, self.pick(["dexamethasone", "prednisone"]))
        elif kind == "early_steroid":
            row = self.pick(self.chart["treatments"])
            self.treat(row["started_on"] - timedelta(days=self.pick([1, 5, 28])), "dexamethasone", row["line"])
        elif kind == "supportive":
            self.treat(on, self.pick(["zoledronic_acid", "denosumab", "filgrastim", "aciclovir"]))
        elif kind == "ivig":
            lasts = self.pick([0, 0, 28, None])
            self.treat(on, "immunoglobulin", stopped_on=None if lasts is None else on + timedelta(days=lasts))
        elif kind in ("bridging", "lymphodepletion"):
            self.treat(on, "cyclophosphamide", phase=kind)
        elif kind == "again":
            self.treat(on, "lenalidomide", self.chart["treatments"][0]["line"])
        elif kind == "unnumbered":
            self.treat(max(on, DAY_ONE), "carfilzomib")
        elif kind == "antibody":
            self.treat(on, "daratumumab", stopped_on=on)
        else:
            self.treat(on, kind)

    # -- what happens ----------------------------------------------------------------------------------------

    def fate(self):
        treated_on = [row["started_on"] for row in self.chart["treatments"]]
        if self.pick([True, False, False, False]):
            last = max([DAY_ONE, *self.days, *treated_on])
            self.chart["patient"]["died_on"] = last + timedelta(days=self.pick([0, 1, 60]))
        if self.days and self.pick([True, *[False] * 9]):
            text = self.pick([None, None, "none"])
            self.chart["events"].append(happened(self.some_day(), "plasmacytoma_new", text=text))


POLICIES = [
    *[{}] * 6,
    {"nadir": "pairwise"},
    {"confirmation": "simultaneous_markers"},
    {"minimal_response": "always"},
    {"minimal_response": "never"},
    {"missing": "relaxed"},
    {"missing": "relaxed", "unmeasured_track": "limit"},
    {"unmeasured_track": "limit"},
    {"death_confirms": False},
    {"plasmacytoma_vgpr": 0.9},
    {"calcium_progression": True},
    {"serum_measurable": 5.0},
    {"carry_biochemistry": 28, "carry_onto_marrow": 28, "carry_imaging": 28},
    {"carry_biochemistry": 0, "carry_onto_marrow": 0, "carry_imaging": 0},
    {"antibody_washout": 27},
    {"ivig": 7},
    {"ivig_open": 0},
    {"ivig_open": 28, "ivig": 14},
]


def policies() -> st.SearchStrategy[dict]:
    return st.sampled_from(POLICIES)


class Cohort(list):
    """Charts; shown by their number, for a test that fails prints the smallest chart itself."""

    def __repr__(self) -> str:
        return f"<{len(self)} charts>"
