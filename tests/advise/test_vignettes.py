"""Whole patients: every vignette of tests/cases/vignettes gives the options that its page says, with these stances.

How to write one (no programming needed): a heading, a few sentences that a clinician can sign, and tables. The first column tells what a
table holds: `patient`, `treatment`, `observation`, `event` (a chart; several drugs of the same days in one cell; numbers in the units of
`bence codes`), and `question`, what is expected:

    → stance   for, against, blocked, unknown; `for, against` where sources disagree; none (it is no option); not for
    row        (if given) a row of the pathway that must be named: as a reason, as contrary, or as a caution
    at, region the day and the region asked for
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import Case, case_tables

from bence.advise import advise
from bence.advise.pathway import pathway
from bence.assess import assess
from bence.chart import SCHEMA, Chart

PAGES = sorted((Path(__file__).parents[1] / "cases" / "vignettes").glob("*.md"))
VIGNETTES = {f"{page.stem}: {title}": rows for page in PAGES for title, rows in case_tables(page).items()}
TABLES = {"patient": "patients", "treatment": "treatments", "observation": "observations", "event": "events"}
WORDS = {pl.Enum: pl.String, pl.Categorical: pl.String}
SEQUENCING = [f"S{number}" for number in range(1, 26)]


def cells(table: str, row: Case) -> dict[str, Any]:
    """A row of the chart, every cell as its column wants it."""
    found: dict[str, Any] = {}
    for name, text in row.items():
        kind = SCHEMA[table].get(name)
        if kind is None or not text or name == "line":  # of the page
            continue
        if kind == pl.Date:
            found[name] = date.fromisoformat(text)
        elif kind.is_numeric():
            found[name] = int(text) if kind.is_integer() else float(text)
        else:
            found[name] = text
    return found


def chart_of(vignettes: dict[str, list[Case]]) -> Chart:
    """One chart of all vignettes; the patient is the title."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES.values()}
    for title, told in vignettes.items():
        for row in told:
            word = next((word for word in TABLES if word in row), None)
            if word == "patient":
                rows["patients"].append(cells("patients", row) | {"patient": title})
            elif word:
                what = [part.strip() for part in row[word].split(",")]
                rows[TABLES[word]] += [cells(TABLES[word], row) | {"patient": title, "what": each} for each in what]
    frames = {table: pl.DataFrame(found, schema=SCHEMA[table], orient="row") for table, found in rows.items()}
    return Chart(frames["patients"], frames["observations"], frames["treatments"], frames["events"])


EXPECTED = [(title, row) for title, rows in VIGNETTES.items() for row in rows if "question" in row]


@cache
def given(at: str, region: str) -> pl.DataFrame:
    """The advice for every patient of whom it is asked on this day in this region."""
    asked = {title: VIGNETTES[title] for title, row in EXPECTED if (row["at"], row["region"]) == (at, region)}
    findings = assess(chart_of(asked), date.fromisoformat(at))
    assert not findings.rejected.height, findings.rejected
    return advise(findings, region=region)


def said(title: str, row: Case) -> pl.DataFrame:
    """What the advice says of the option of a row."""
    asked = (pl.col("patient") == title) & (pl.col("question") == row["question"]) & (pl.col("option") == row["option"])
    return given(row["at"], row["region"]).filter(asked)


@pytest.mark.parametrize(("title", "row"), EXPECTED, ids=lambda one: one if isinstance(one, str) else one["line"])
def test_vignette(title: str, row: Case) -> None:
    found = said(title, row)
    stances, wanted = sorted(found["stance"].to_list()), row["→ stance"]
    waits = found["unlocked_by"].to_list()
    if wanted == "not for":
        assert "for" not in stances
    else:
        assert ", ".join(stances) == ("" if wanted == "none" else ", ".join(sorted(wanted.split(", ")))), waits
    if row.get("row"):
        named = " ".join(text for column in ("rules", "contrary", "cautions") for text in found[column].drop_nulls())
        assert row["row"] in named.replace("|", " ").replace("(", " ").replace(")", " ").replace(";", " ").split()


def test_every_sequencing_rule_has_a_patient() -> None:
    told = " ".join(VIGNETTES)
    assert [rule for rule in SEQUENCING if f"{rule} " not in told.replace(",", " ").replace(":", " ") + " "] == []


def test_the_options_and_questions_exist() -> None:
    known = set(pathway().rows)
    assert [row["line"] for _, row in EXPECTED if (row["question"], row["option"]) not in known] == []


def ranked() -> pl.DataFrame:
    """All options of all patients in their order; `doubtful` where the label does not allow them for sure."""
    keys = sorted({(row["at"], row["region"]) for _, row in EXPECTED})
    doubtful = pl.col("cautions").str.contains(r"\(GB[23]\)").fill_null(False)
    rows = pl.concat([given(*key).cast(WORDS).with_columns(page=pl.lit(" ".join(key))) for key in keys])
    return rows.drop_nulls(["option", "grade"]).with_columns(doubtful=doubtful)


def test_stronger_evidence_comes_first_within_a_stance() -> None:
    grades = ["label", "A", "B", "C", "O"]
    for _, rows in ranked().group_by("page", "patient", "question", "stance", "doubtful", maintain_order=True):
        order = [grades.index(grade) for grade in rows["grade"]]
        assert order == sorted(order)


def test_what_has_no_verified_label_never_stands_before_what_has() -> None:
    """S24. Trials and what needs no label are free to stand where their evidence puts them."""
    labelled = [key for key, option in pathway().options.items() if option.label]
    wrong = []
    mine = ranked().filter(pl.col("option").is_in(labelled))
    for key, rows in mine.group_by("page", "patient", "question", "stance", maintain_order=True):
        if key[-1] == "for" and rows["doubtful"].to_list() != sorted(rows["doubtful"]):
            wrong.append((key, rows["option"].to_list()))
    assert wrong == []


def test_a_patient_alone_has_the_advice_of_the_page() -> None:
    for title in list(VIGNETTES)[::6]:
        row = next(row for row in VIGNETTES[title] if "question" in row)
        alone = advise(chart_of({title: VIGNETTES[title]}), at=date.fromisoformat(row["at"]), region=row["region"])
        among = given(row["at"], row["region"]).filter(pl.col("patient") == title)
        assert alone.cast(WORDS).equals(among.cast(WORDS))
