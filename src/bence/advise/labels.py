"""What the label of an option allows for each patient, in a region, on the day asked: approvals never leak from the future."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..assess.intake import named
from ..catalogue import codes
from ..evidence import approvals, record
from .columns import Column, Columns, Source
from .conditions import Answers, Truth, read
from .pathway import Label, Option
from .vocabulary import LABEL

CLASSES = {"PI": "pi", "IMiD": "imid", "CD38_antibody": "cd38"}  # classes in a label → the facts about them
TRANSPLANT = {"eligible": "yes", "ineligible": "no"}
UNDECIDED = "on_label|off_label"  # in force, and whether it is for the patient waits for facts
READ = ("V", "S")  # tags of what was read somewhere; an approval from memory decides nothing


def labels(options: Mapping[str, Option], facts: pl.DataFrame, region: str) -> dict[str, pl.Series]:
    """For every option with a label: on_label, off_label, not_approved, unverified; `|` between those that remain possible.

    With them `car_t_within_label`: is the patient within the label of any CAR-T product?
    """
    answers, mine = Answers(Columns(facts)), _approved(region)
    found = {LABEL + option.key: named(*_states(option, mine, answers, region)) for option in options.values() if option.label}
    car_t = [LABEL + option.key for option in options.values() if option.label and "car_t" in option.tags]
    cells = Columns(pl.DataFrame([found[name].alias(name) for name in car_t]))
    some = read(" or ".join(f"{name} = on_label" for name in car_t)).truth(cells)
    return found | {"car_t_within_label": pl.Series(np.where(some.yes, 1, 0)).cast(pl.Boolean).set(pl.Series(some.open), None)}


def label_of(option: Option, facts: Source, region: str) -> Column:
    """What the label of one option allows, worked out anew where facts are supposed to be otherwise."""
    place, words = _states(option, _approved(region), Answers(facts), region)
    return Column(place.astype(np.float64), tuple(words))


def _approved(region: str) -> list[dict[str, Any]]:
    """The approvals of a region."""
    return approvals().filter(pl.col("region") == region).rows(named=True)


def _states(option: Option, mine: list[dict[str, Any]], answers: Answers, region: str) -> tuple[np.ndarray, list[str]]:
    """What the label allows, as places in a list of words."""
    label = option.label
    assert label
    regimen = {label.product, *label.given_with}
    found = [one for one in mine if _regimen(one) == regimen and label.population in ("", one["population"])]
    n = answers.facts.n
    sure = [one for one in found if one["tag"] in READ and one["on"]]
    running = [_running(one, answers) for one in sure]
    allowed = [Truth.all([valid, answers.of(map(read, _needs(one)))], n) for one, valid in zip(sure, running, strict=True)]
    on, valid = Truth.any(allowed, n), Truth.any(running, n)
    alone = len(regimen) == 1
    doubtful = len(sure) < len(found) or (not found and (_unlisted(label) or any(_unknown(drug, region, alone) for drug in regimen)))
    words = ["on_label", UNDECIDED, "off_label", "unverified" if doubtful else "not_approved"]
    return np.select([on.yes, on.open & valid.yes, valid.yes], [0, 1, 2], 3), words


def _regimen(one: Mapping[str, Any]) -> set[str]:
    """The drugs of an approval, in whichever product's label it stands. Steroids are not counted: some labels name them and some do not."""
    return {one["drug"], *(drug for drug in one["combination"] if codes()[drug].drug_class != "steroid")}


def _running(one: Mapping[str, Any], answers: Answers) -> Truth:
    """Was the approval in force on the day?"""
    ends = [f"at < {one['ends']}"] if one["ends"] else []
    return answers.of(map(read, [f"at >= {one['on']}", *ends]))


def _needs(one: Mapping[str, Any]) -> list[str]:
    """What the label asks of a patient: earlier drugs, lines (none in newly diagnosed myeloma), whether a transplant is intended."""
    asked = [f"{kind}_{CLASSES.get(name, name)} = yes" for kind in ("exposed", "refractory") for name in one[kind] or ()]
    most = 0 if one["population"] == "NDMM" else one["max_prior_lines"]
    asked += [f"prior_lines {sign} {lines}" for sign, lines in ((">=", one["min_prior_lines"]), ("<=", most)) if lines is not None]
    return asked + ([f"transplant_eligible = {TRANSPLANT[one['transplant']]}"] if one["transplant"] else [])


def _unknown(drug: str, region: str, alone: bool) -> bool:
    """Nobody has looked whether the drug is approved there, or with what other drugs it is."""
    return any(region in record(drug).get(name, ()) for name in ("approvals_unknown", *(() if alone else ("combinations_unknown",))))


def _unlisted(label: Label) -> bool:
    """A combination of first line: the base has the approvals that were read, not what every label leaves out."""
    return label.population == "NDMM" and bool(label.given_with)
