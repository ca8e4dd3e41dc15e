"""One page for a cohort: how many, how far along, how deep the responses, and what the gaps in the data cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ..assess import DISCLAIMER, Findings
from ..assess.active import ACTIVE, may_be, may_be_active
from ..catalogue import codes
from ..chart import Chart
from .drawing import DARK, DEPTH, EDGE
from .page import environment, made
from .reasons import in_order, input_said, said
from .swimmer import SWUM, swimmer
from .words import COHORT, FINDINGS, GROUPS, HEADS, PAGE

SHOWN = 500  # patients in the table
LINES = 5  # from this line on, lines are counted together
TESTS = 24  # rows of the table of gaps
STAGES = ("iss", "r_iss", "r2_iss", "durie_salmon", "high_risk_2025", "msmart_3")
SHADES = ("#d7e8f3", "#a5cbe3", "#6aa6d0", "#3279b3", "#174f86", "#08306b")
RISK = {"high": "#8c3a0b", "standard": "#e8c9ae"}
COLUMNS = ("diagnosis", "iss", "r_iss", "r2_iss", "high_risk_2025")


@dataclass(frozen=True)
class Part:
    """A part of a bar: `open` is an answer that is not settled; `name` is written in it where there is room."""

    name: str
    count: int
    share: float
    colour: str
    dark: bool
    open: bool = False


@dataclass(frozen=True)
class Bar:
    """A bar of parts that add up to `total`; `note` says what is left open."""

    name: str
    total: int
    parts: tuple[Part, ...]
    note: str = ""


def cohort(chart: Chart, findings: Findings, lang: str = "en", links: Mapping[str, str] | None = None) -> str:
    """A self-contained HTML page for all patients of the findings.

    `links`: the address of a page for each patient that has one. Counts are exact for any number of patients; the table
    lists the first 500.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    status = findings.status
    active = status.filter(may_be(*ACTIVE))
    gaps = _told(findings)
    return environment().get_template("cohort.html").render(
        lang="zh-CN" if lang == "zh" else "en",
        p=PAGE[lang],
        w=COHORT[lang],
        depths=[(name, colour, name in DARK, EDGE.get(name, colour)) for name, colour in DEPTH.items()],
        at=status["at"][0] if status.height else None,
        numbers=_numbers(chart, findings, lang),
        diagnosis=_answers(status, "diagnosis", lang),
        stages=[_answers(active, name, lang) for name in STAGES],
        active=active.height,
        responses=_responses(findings.lines, lang),
        swimmer=swimmer(chart, findings, lang),
        swum=min(SWUM, findings.lines["patient"].n_unique()),
        mrd=_mrd(findings.mrd, lang),
        gaps=_gaps(gaps, lang),
        patients=_patients(findings, gaps, links or {}, lang),
        more=max(0, status.height - SHOWN),
        shown=SHOWN,
        columns=[FINDINGS[name][lang == "zh"] for name in COLUMNS],
        made=made(findings, lang),
        disclaimer=DISCLAIMER[lang],
    )  # fmt: skip


def _told(findings: Findings) -> pl.DataFrame:
    """The open answers that mean something: stages where the disease may be active, smouldering scores where it may not."""
    kinds = findings.status.select("patient", active=may_be(*ACTIVE), smouldering=may_be("SMM"))
    gaps = findings.completeness.filter(pl.col("finding").is_in(list(FINDINGS))).join(kinds, on="patient", maintain_order="left")
    staged = pl.col("finding").is_in([*GROUPS["stage"], *GROUPS["risk"]])
    scored = pl.col("finding").is_in(list(GROUPS["smouldering"]))
    return gaps.filter((pl.col("active") | ~staged) & (pl.col("smouldering") | ~scored)).drop("active", "smouldering")


def _numbers(chart: Chart, findings: Findings, lang: str) -> list[tuple[str, int]]:
    """What there is: patients, with treatment, with an assessed response, lines, assessments, rejected cells."""
    words, people = COHORT[lang], chart.patients
    counts = {
        "patients": findings.status.height,
        "centres": people["centre"].drop_nulls().n_unique(),
        "treated": findings.lines["patient"].n_unique(),
        "assessed": findings.response.filter(pl.col("timepoint").cast(pl.String) != "NE")["patient"].n_unique(),
        "assessments": findings.response.height,
        "died": people["died_on"].count(),
        "rejected": findings.rejected.height,
    }
    return [(words[name], count) for name, count in counts.items()]


def _answers(status: pl.DataFrame, name: str, lang: str) -> Bar:
    """How many have which answer; what is not settled is a part of its own, with what is still possible."""
    words = COHORT[lang]
    tally = status.group_by(pl.col(name).cast(pl.String), pl.col(f"{name}_possible").cast(pl.String)).len()
    given: dict[str, int] = {}
    left: dict[str, int] = {}
    for answer, possible, n in tally.iter_rows():
        if answer is not None:
            given[answer] = given.get(answer, 0) + n
        else:
            left[possible or ""] = left.get(possible or "", 0) + n
    total = status.height
    order = [each for each in codes()[name].categories if each in given] or sorted(given)
    parts = [_part(said(name, each, lang), given[each], total, *_shade(name, each)) for each in order]
    if left:
        parts.append(_part(words["open"], sum(left.values()), total, "#ffffff", False, True))
    told: dict[str, int] = {}
    for possible, n in left.items():
        words_ = _left(name, possible, lang)
        told[words_] = told.get(words_, 0) + n
    most = sorted(told.items(), key=lambda each: (-each[1], each[0]))[:6]
    return Bar(FINDINGS[name][lang == "zh"], total, tuple(parts), PAGE[lang]["semicolon"].join(f"{text} {n}" for text, n in most))


def _left(name: str, possible: str, lang: str) -> str:
    """What is left open, in words: `II or III`."""
    answers = in_order(name, possible.split("|")) if possible else []
    everything = len(answers) >= min(5, len(codes()[name].categories))
    if everything or not answers:
        return COHORT[lang]["nothing_known"]
    return PAGE[lang]["or"].join(said(name, each, lang) for each in answers)


def _shade(name: str, answer: str) -> tuple[str, bool]:
    """The colour of an answer: darker is worse; and whether it wants white text."""
    if answer in RISK and name in ("high_risk_2025", "msmart_3"):
        return RISK[answer], answer == "high"
    order = codes()[name].categories
    place = order.index(answer) if answer in order else 0
    at = min(place * (len(SHADES) - 1) // max(1, min(len(order), len(SHADES)) - 1), len(SHADES) - 1)
    return SHADES[at], at >= 3


def _part(name: str, count: int, total: int, colour: str, dark: bool, open_: bool = False) -> Part:
    return Part(name, count, count / total if total else 0.0, colour, dark, open_)


def _responses(lines: pl.DataFrame, lang: str) -> list[Bar]:
    """Best confirmed response by line of therapy; lines without any assessment are a part of their own."""
    words = COHORT[lang]
    tally = lines.group_by(
        line=pl.col("line").clip(upper_bound=LINES), best=pl.col("best_response").cast(pl.String)
    ).len().sort("line")  # fmt: skip
    bars = []
    for line in tally["line"].unique(maintain_order=True):
        counts = dict(tally.filter(pl.col("line") == line).select("best", "len").iter_rows())
        total = sum(counts.values())
        parts = [_part(name, counts[name], total, DEPTH[name], name in DARK, name == "NE") for name in DEPTH if name in counts]
        if None in counts:
            parts.append(_part(words["not_assessed"], counts[None], total, "#ffffff", False, True))
        bars.append(Bar(words["line_up" if line == LINES else "line"].format(line), total, tuple(parts)))
    return bars


CLAIMS = {"negative": "#174f86", "indeterminate": "#ffffff", "positive": "#c8430d"}


def _mrd(mrd: pl.DataFrame, lang: str) -> list[Bar]:
    """What the last MRD test of every tested patient claims at each threshold."""
    words = COHORT[lang]
    last = mrd.filter(pl.col("claim").is_not_null()).sort("patient", "on", maintain_order=True).unique("patient", keep="last")
    bars = []
    for name in ("claim_1e4", "claim_1e5", "claim_1e6") if last.height else ():
        counts = dict(last.group_by(pl.col(name).cast(pl.String)).len().iter_rows())
        parts = [
            _part(words[claim], counts[claim], last.height, colour, claim != "indeterminate", claim == "indeterminate")
            for claim, colour in CLAIMS.items() if claim in counts
        ]  # fmt: skip
        bars.append(Bar(f"10⁻{'⁰¹²³⁴⁵⁶'[int(name[-1])]}", last.height, tuple(parts)))
    return bars


@dataclass(frozen=True)
class Gaps:
    """Patients for whom a missing test keeps an answer open: tests down, answers across, the worst first."""

    findings: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[int, ...]], ...]
    open: tuple[int, ...]
    most: int
    left_out: int


def _gaps(gaps: pl.DataFrame, lang: str) -> Gaps | None:
    if not gaps.height:
        return None
    sets = gaps.group_by("finding", "missing").len()
    tests = sorted({test for missing in sets["missing"] for test in (missing or "").split("|") if test})
    count: dict[tuple[str, str], int] = {}
    for finding, missing, n in sets.iter_rows():
        for test in (missing or "").split("|"):
            count[test, finding] = count.get((test, finding), 0) + n
    blocked = sorted(_blocked(gaps, tests).items(), key=lambda each: (-each[1], each[0]))
    names = [name for name in FINDINGS if name in set(sets["finding"])]
    rows = [(input_said(test, lang), n, tuple(count.get((test, name), 0) for name in names)) for test, n in blocked[:TESTS]]
    opened: dict[str, int] = {}
    for finding, _, n in sets.iter_rows():
        opened[finding] = opened.get(finding, 0) + n
    return Gaps(
        tuple(HEADS.get(name, FINDINGS[name])[lang == "zh"] for name in names),
        tuple(rows), tuple(opened[name] for name in names),
        max((n for _, n, _ in rows), default=1), max(0, len(blocked) - TESTS),
    )  # fmt: skip


def _blocked(gaps: pl.DataFrame, tests: Sequence[str]) -> dict[str, int]:
    """For how many patients each test stands in the way of any answer; sets of tests are bit masks."""
    found: dict[str, int] = {}
    sets = gaps["missing"].unique().drop_nulls().to_list()
    for start in range(0, len(tests), 63):
        bits = {test: 1 << i for i, test in enumerate(tests[start : start + 63])}
        masks = [sum(bits.get(test, 0) for test in missing.split("|")) for missing in sets]
        mask = pl.DataFrame({"missing": sets, "mask": pl.Series(masks, dtype=pl.Int64)})
        people = gaps.select("patient", "missing").join(mask, on="missing").group_by("patient").agg(pl.col("mask").bitwise_or())
        for together, n in people.group_by("mask").len().iter_rows():
            for test, bit in bits.items():
                found[test] = found.get(test, 0) + (n if together & bit else 0)
    return found


@dataclass(frozen=True)
class Person:
    """A row of the table of patients; an answer is its words and whether it is open."""

    patient: str
    link: str
    answers: tuple[tuple[str, bool], ...]
    line: str
    best: str
    response: str
    open: int


def _patients(findings: Findings, gaps: pl.DataFrame, links: Mapping[str, str], lang: str) -> Sequence[Person]:
    """The first patients, one row each."""
    table = findings.status.head(SHOWN)
    counts = dict(gaps.filter(pl.col("patient").is_in(table["patient"].implode())).group_by("patient").len().iter_rows())
    return [_person(row, links.get(row["patient"], ""), counts.get(row["patient"], 0), lang) for row in table.iter_rows(named=True)]


def _person(row: Mapping[str, Any], link: str, opened: int, lang: str) -> Person:
    return Person(
        row["patient"], link, tuple(_cell(row, name, lang) for name in COLUMNS), str(row["line"] or ""),
        row["best_response"] or "", row["response"] or "", opened,
    )  # fmt: skip


def _cell(row: Mapping[str, Any], name: str, lang: str) -> tuple[str, bool]:
    """The answer, or what is possible where that is short, else a question mark; a dash where it means nothing."""
    if name in (*GROUPS["stage"], *GROUPS["risk"]) and not may_be_active(row):
        return "–", False
    if row[name] is not None:
        return said(name, row[name], lang), False
    possible = in_order(name, (row[f"{name}_possible"] or "").split("|"))
    short = 1 < len(possible) < min(4, len(codes()[name].categories))
    return (PAGE[lang]["or"].join(said(name, each, lang) for each in possible) if short else "?"), True
