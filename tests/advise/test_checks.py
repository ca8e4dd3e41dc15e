"""The checks of the pathway: nothing is wrong with the shipped one, and every kind of fault is found in one broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from bence.advise.checks import drawn, faults, gaps, states
from bence.advise.columns import Columns
from bence.advise.conditions import read
from bence.advise.pathway import Pathway, Question, Row, pathway
from bence.advise.policies import settled
from bence.advise.stances import stances

PLACE = ("relapse", "relapse_trial")


def row(key: str = "T1", when: tuple[str, ...] = ("age >= 18",), **told: Any) -> Row:
    """A row without fault, but for what is told: an option for a trial at relapse."""
    own = tuple(map(read, when))
    sound = replace(pathway().rows[PLACE][0], key=key, stance="for", when=own, written=own, tag="V", conflicts=(), policy=None)
    return replace(sound, **told)


def broken(*rows: Row) -> Pathway:
    """The shipped pathway with that option alone, and these rows for it."""
    return replace(pathway(), options={PLACE[1]: pathway().options[PLACE[1]]}, rows={PLACE: rows})


def test_nothing_is_wrong_with_the_pathway_that_is_shipped() -> None:
    assert faults() == []


def test_the_row_that_is_broken_below_is_sound_at_first() -> None:
    assert faults(broken(row())) == []


FAULTS: dict[str, tuple[tuple[Row, ...], str]] = {
    "a fact that does not exist": ((row(when=("colour = red",)),), "T1: there is no fact 'colour'"),
    "a word that is none of the fact": ((row(when=("mrd_1e5 = maybe",)),), "T1: mrd_1e5 = maybe cannot be"),
    "one word of several": ((row(when=("mrd_1e5 = negative|maybe",)),), "T1: mrd_1e5 = negative|maybe cannot be"),
    "a word for a flag": ((row(when=("transplant_eligible = perhaps",)),), "T1: transplant_eligible = perhaps cannot be"),
    "a bound for a flag": ((row(when=("transplant_eligible >= 1",)),), "T1: transplant_eligible >= 1.0 cannot be"),
    "a bound for a category": ((row(when=("response > 2",)),), "T1: response > 2.0 cannot be"),
    "a word for a number": ((row(when=("age = old",)),), "T1: age = old cannot be"),
    "a word that no label has": ((row(when=("label_teclistamab = allowed",)),), "T1: label_teclistamab = allowed cannot be"),
    "evidence that does not exist": ((row(evidence=("nobody-2020",)),), "T1: there is no evidence 'nobody-2020'"),
    "no evidence": ((row(evidence=()),), "T1: no evidence"),
    "words in one language": ((row(words=("something", "")),), "T1: no words in both languages"),
    "a policy that does not exist": ((row(policy=("mood", "good")),), "T1: there is no policy mood=good"),
    "a value that no policy has": ((row(policy=("off_label", "ignore")),), "T1: there is no policy off_label=ignore"),
    "a conflict with nothing": ((row(conflicts=("XX9",)),), "T1: in conflict with 'XX9', which does not exist"),
    "from memory, yet blocking": ((row("T0"), row(stance="blocked", tag="M", when=("age > 90",))), "T1: known from memory, yet blocked"),
    "from memory, yet against": ((row("T0"), row(stance="against", tag="M", when=("age > 90",))), "T1: known from memory, yet against"),
    "a row that can never hold": ((row(when=("age > 70", "age < 60")),), "T1: can never hold"),
    "never where it is asked": ((row(when=("situation = untreated",)),), "T1: can never hold"),
    "for only where another is against": (
        (row(when=("age > 80", "mrd_1e5 = positive")), row("T2", ("age > 70",), stance="against")),
        "T1: for relapse_trial, yet T2 (against) holds wherever it does",
    ),
    "for only where another blocks": (
        (row(when=("age > 80",)), row("T2", ("age > 70 or pregnancy = yes",), stance="blocked")),
        "T1: for relapse_trial, yet T2 (blocked) holds wherever it does",
    ),
    "for, yet another is always against": (
        (row(), row("T2", (), stance="against")),
        "T1: for relapse_trial, yet T2 (against) holds wherever it does",
    ),
    "for only where, in the patients asked, another is against": (
        (row(), row("T2", ("diagnosis = MM|PCL|SMM",), stance="against")),
        "T1: for relapse_trial, yet T2 (against) holds wherever it does",
    ),
    "the same row twice": ((row(), row("T2")), "T1 and T2: the same row twice"),
}


@pytest.mark.parametrize(("rows", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found(rows: tuple[Row, ...], fault: str) -> None:
    assert faults(broken(*rows)) == [fault]


def test_an_option_of_which_no_row_speaks() -> None:
    without = replace(pathway(), rows={place: rows for place, rows in pathway().rows.items() if place != PLACE})
    assert faults(without) == ["relapse_trial: no row speaks of it"]


def test_what_is_said_is_no_fault() -> None:
    """A declared conflict, a row against that leaves room for the row for, and a row against under another policy."""
    contra = row("T2", ("age > 70",), stance="against")
    assert faults(broken(row(when=("age > 80",), conflicts=("T2",)), contra)) == []
    assert faults(broken(row(when=("age > 60",)), contra)) == []
    assert faults(broken(row(when=("age > 80",)), replace(contra, policy=("off_label", "block")))) == []


def test_no_row_is_too_large_to_be_checked() -> None:
    """Whether a row can hold, and whether one implies another, is settled by all states of what they ask: none has too many."""
    for rows in pathway().rows.values():
        pro = [one for one in rows if one.stance == "for"]
        pairs = [(one, other) for one in pro for other in rows if other.stance in ("against", "blocked")]
        for one, other in [*((one, one) for one in rows), *pairs]:
            asked = [*one.when, *other.when, *pathway().questions[one.question].applies]
            assert states({atom for condition in asked for atom in condition.atoms}) is not None, (one.key, other.key)


def test_every_row_is_seen_with_its_stance_in_somebody() -> None:
    """A row that another always overrides, or that is never shown, is of no use. Patients drawn at random of whom it is asked."""
    seen, whole = set(), drawn(8_000, seed=11)
    for question in pathway().questions.values():
        facts = asked(whole, question)
        for chosen in ({}, {"off_label": "mark", "antigen_loss": "caution"}):
            for entry in stances(pathway(), Columns(facts), settled(chosen)).parts[0]:
                seen |= {(one.key, one.option) for one in entry.rows}
    rows = {(one.key, one.option) for found in pathway().rows.values() for one in found if one.stance != "caution"}
    assert sorted(rows - seen) == []


def asked(facts: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Facts of which the question is asked: of several words each in turn, of numbers those beyond the bound."""
    for condition in question.applies:
        atom, dtype = condition.atoms[0], facts.schema[condition.atoms[0].fact]
        if atom.bound is not None:
            facts = facts.filter(pl.Series(atom.truth(Columns(facts)).yes))
            continue
        words = [word for word in atom.words if not isinstance(dtype, pl.Enum) or word in dtype.categories]
        values = [word == "yes" if dtype == pl.Boolean else word for word in words]
        turns = np.arange(facts.height) % len(values)
        facts = facts.with_columns(pl.Series(values).gather(turns).cast(dtype).alias(atom.fact))
    return facts


GAPS = {
    "urgent": (0.90, "85 %: nothing that cannot wait is on record"),
    "smouldering": (0.0, "monitoring is an option for everybody"),
    "relapse": (0.0, "a trial is an option at every relapse"),
    "bridging": (0.0, "bridging is an option for everybody"),
    "supportive": (0.002, "0.02 %: nothing is due and immunoglobulin is sufficient"),
    "transplant": (0.10, "4 %: the patient declined, and MRD does not speak for deferring"),
    "induction": (
        0.20,
        "16 to 18 %: days before the trials of quadruplets, refractory to drugs of every regimen, as no untreated patient is, or not for"
        " transplant and D-Rd outside a label drawn at random, as it is for none of them in the US and EU since 2019",
    ),
    "maintenance": (0.20, "15 to 19 %: standard risk, yet refractory to lenalidomide in the first line, which is a relapse in life"),
    "stop_or_continue": (0.25, "19 to 23 %: off treatment without a rise, where there is nothing to stop"),
    "immunotherapy": (
        0.78,
        "74 %: fewer than three lines, too early a day, outside the labels, CAR-T first yet declined or unsuited; 40 % of those"
        " who have three lines, are asked about today and are within every label",
    ),
}


def test_gaps_are_no_larger_than_they_were_and_each_has_its_reason() -> None:
    """Shares of patients of independent random facts, half of whom could not exist: bounds on the tables, not on a clinic."""
    found = gaps(60_000)
    assert set(found) == set(GAPS)
    assert {key: share for key, share in found.items() if share > GAPS[key][0]} == {}


def test_drawn_patients_have_the_share_of_missing_facts_that_is_asked_for() -> None:
    whole, holes = drawn(2_000, seed=1), drawn(2_000, seed=1, missing=0.3)
    assert whole.null_count().sum_horizontal().item() == 0
    shares = holes["age", "response", "label_teclistamab"].null_count() / 2_000
    assert np.allclose(shares.row(0), 0.3, atol=0.05)
    assert holes["active_infection", "at", "patient"].null_count().sum_horizontal().item() == 0
    assert drawn(50, seed=2).equals(drawn(50, seed=2))
    assert not drawn(50, seed=2).equals(drawn(50, seed=3))


def test_a_gap_is_found() -> None:
    """Without the rows that offer monitoring and a trial, some with smouldering myeloma have no option."""
    facts = drawn(5_000, seed=1).filter(pl.col("diagnosis") == "SMM", pl.col("situation") == "smouldering", ~pl.col("died"))
    gone = ("SM5", "SM6", "SM7")
    bare = replace(pathway(), rows={place: tuple(one for one in rows if one.key not in gone) for place, rows in pathway().rows.items()})
    for path, served in ((pathway(), True), (bare, False)):
        found = stances(path, Columns(facts), settled({}))
        good = [i for i, entry in enumerate(found.parts[0]) if entry.question == "smouldering" and entry.stance == "for"]
        assert (len(set(found.place[np.isin(found.at[0], good)].tolist())) == facts.height) == served
