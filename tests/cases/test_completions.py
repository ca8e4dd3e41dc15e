"""The law of missing data, over every rule of stage, risk, diagnosis and frailty.

Of a complete record some values are hidden; the rule is asked what is possible, and the hidden values are
filled in again in every way that can matter: each category, each number at and around a threshold.
"""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest
from test_case_tables import RULES, thresholds

from bence.known import possible
from bence.rulebook import BOOK

RECORDS, HIDDEN = 8, 3
MARGIN = 0.5
BEHIND_A_QUANTITY = {
    "calcium": [2.2, 2.5, 2.75, 2.8, 3.5], "albumin": [20.0, 30.0, 40.0, 50.0],
    "calcium_upper_limit": [2.45, 2.6],
    "ionised_calcium": [1.2, 1.3, 1.425, 1.5], "ionised_calcium_upper_limit": [1.3],
    "hemoglobin": [90.0, 99.9, 100.0, 105.0, 140.0], "hemoglobin_lower_limit": [110.0, 120.0, 130.0],
    "ldh": [200.0, 250.0, 251.0], "ldh_upper_limit": [250.0],
    "vegf": [150.0, 200.0, 201.0], "vegf_upper_limit": [200.0],
}  # fmt: skip
EXTREMES = [1e-4, 1e5]
"""What an input of a quantity may be when it is not known."""


def measured(name: str) -> set[str]:
    """What a rule rests on once its quantities are taken apart."""
    needs = BOOK.needs(name)
    return set().union(*(measured(need) for need in needs)) if needs else {name}


def choices(name: str) -> dict[str, list[Any]]:
    """For each input the values that can matter."""
    asked: dict[str, set[float]] = {}
    for leaf, _, at in thresholds(name):
        asked.setdefault(leaf, set()).update({max(at - MARGIN, 0), at, at + MARGIN})
    found: dict[str, list[Any]] = {}
    for leaf in sorted(measured(name)):
        domain = BOOK.domain(leaf)
        words = list(domain) if isinstance(domain, tuple) else ["negative", "igg_kappa"]
        found[leaf] = sorted(BEHIND_A_QUANTITY.get(leaf, asked.get(leaf, []))) or words
        if leaf in BEHIND_A_QUANTITY:
            found[leaf] = sorted({*found[leaf], *asked.get(leaf, ())})
    return found


def plain(name: str, record: dict[str, Any]) -> Any:
    """The answer for a complete record: the functions as they are written, one calling the other."""
    entry = BOOK.rules.get(name) or BOOK.quantities.get(name)
    return entry(*(plain(need, record) for need in entry.needs)) if entry else record[name]


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_answer_is_given_exactly_when_no_missing_value_could_change_it(name: str) -> None:
    draw = random.Random(name)
    values = choices(name)
    for _ in range(RECORDS):
        record = {leaf: draw.choice(kept) for leaf, kept in values.items()}
        assert possible(RULES[name], **record) == {plain(name, record)}
        hidden = draw.sample(sorted(values), min(HIDDEN, len(values)))
        known = {leaf: value for leaf, value in record.items() if leaf not in hidden}
        anything = [values[leaf] + EXTREMES * (leaf in BEHIND_A_QUANTITY) for leaf in hidden]
        filled = (dict(zip(hidden, each, strict=True)) for each in product(*anything))
        assert possible(RULES[name], **known) == {plain(name, known | each) for each in filled}, known
