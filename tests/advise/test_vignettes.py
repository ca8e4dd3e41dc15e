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


DAYS = sorted({row["at"] for _, row in EXPECTED})  # everybody who is asked about on a day is assessed together


@pytest.mark.parametrize("at", DAYS)
def test_vignettes(at: str) -> None:
    """All vignettes of a day: what their pages say, the order of the options, and that who else is on the page does not matter."""
    mine = [(title, row) for title, row in EXPECTED if row["at"] == at]
    people = sorted({title for title, _ in mine})
    findings = assess(chart_of({title: VIGNETTES[title] for title in people}), date.fromisoformat(at))
    assert not findings.rejected.height, findings.rejected
    for region in sorted({row["region"] for _, row in mine}):
        given = advise(findings, region=region).cast(WORDS)
        assert [fault for title, row in mine if row["region"] == region for fault in faults(title, row, given)] == []
        stronger_evidence_comes_first_within_a_stance(given)
        what_has_no_verified_label_never_stands_before_what_has(given)
    for title in people[5::12]:
        alone = advise(chart_of({title: VIGNETTES[title]}), at=date.fromisoformat(at), region=region)
        assert alone.cast(WORDS).equals(given.filter(pl.col("patient") == title)), title


def faults(title: str, row: Case, given: pl.DataFrame) -> list[tuple[str, ...]]:
    """In what the advice on the option of a row is not what the page says."""
    found = given.filter(pl.col("patient") == title, pl.col("question") == row["question"], pl.col("option") == row["option"])
    stances, wanted = sorted(found["stance"].to_list()), row["→ stance"]
    where, waits = (title, row["line"], row["option"]), str(found["unlocked_by"].to_list())
    wrong = []
    if "for" in stances if wanted == "not for" else stances != ([] if wanted == "none" else sorted(wanted.split(", "))):
        wrong.append((*where, wanted, ", ".join(stances), waits))
    if row.get("row"):
        named = " ".join(text for column in ("rules", "contrary", "cautions") for text in found[column].drop_nulls())
        if row["row"] not in named.replace("|", " ").replace("(", " ").replace(")", " ").replace(";", " ").split():
            wrong.append((*where, row["row"], named))
    return wrong


def ranked(given: pl.DataFrame) -> pl.DataFrame:
    """All options of all patients in their order; `doubtful` where the label does not allow them for sure."""
    doubtful = pl.col("cautions").str.contains(r"\(GB[23]\)").fill_null(False)
    return given.drop_nulls(["option", "grade"]).with_columns(doubtful=doubtful)


def stronger_evidence_comes_first_within_a_stance(given: pl.DataFrame) -> None:
    grades = ["label", "A", "B", "C", "O"]
    for key, rows in ranked(given).group_by("patient", "question", "stance", "doubtful", maintain_order=True):
        order = [grades.index(grade) for grade in rows["grade"]]
        assert order == sorted(order), key


def what_has_no_verified_label_never_stands_before_what_has(given: pl.DataFrame) -> None:
    """S24. Trials and what needs no label are free to stand where their evidence puts them."""
    labelled = [key for key, option in pathway().options.items() if option.label]
    mine = ranked(given).filter(pl.col("option").is_in(labelled), pl.col("stance") == "for")
    for key, rows in mine.group_by("patient", "question", maintain_order=True):
        assert rows["doubtful"].to_list() == sorted(rows["doubtful"]), (key, rows["option"].to_list())


def test_every_sequencing_rule_has_a_patient() -> None:
    told = " ".join(VIGNETTES)
    assert [rule for rule in SEQUENCING if f"{rule} " not in told.replace(",", " ").replace(":", " ") + " "] == []


def test_the_options_and_questions_exist() -> None:
    known = set(pathway().rows)
    assert [row["line"] for _, row in EXPECTED if (row["question"], row["option"]) not in known] == []
