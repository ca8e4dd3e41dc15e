"""What is wrong with the pathway as a text: unknown names, rows that can never hold, rows that contradict each other unsaid, gaps.

faults()     every fault, in words
gaps()       states of a patient of whom a question is asked and no option has anything to say for it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product

import numpy as np
import polars as pl

from .citations import resolves
from .columns import Columns
from .conditions import Answers, Atom, Condition, Truth
from .partition import Value, parts
from .pathway import Pathway, Row, pathway
from .policies import POLICIES, settled
from .stances import stances
from .vocabulary import LABEL, LABEL_WORDS, known, vocabulary, words_of

FROM_MEMORY = "M"


def faults(path: Pathway | None = None) -> list[str]:
    """Every fault of the pathway, in words; empty if there is none."""
    own = path or pathway()
    rows = [row for found in own.rows.values() for row in found]
    unknown = [fault for row in rows for fault in _unknown(row, rows)]
    unknown += [f"{option}: no row speaks of it" for option in own.options.keys() - {option for _, option in own.rows}]
    if unknown:
        return sorted(set(unknown))
    return sorted({*_from_memory(rows), *_unreachable(own), *_unsaid(own)})


def _unknown(row: Row, rows: list[Row]) -> Iterator[str]:
    names = {other.key for other in rows}
    yield from (f"{row.key}: there is no fact {atom.fact!r}" for atom in row.atoms if not known(atom.fact))
    yield from (f"{row.key}: {atom} cannot be" for atom in row.atoms if known(atom.fact) and not _sensible(atom))
    yield from (f"{row.key}: there is no evidence {key!r}" for key in row.evidence if not resolves(key))
    yield from (f"{row.key}: in conflict with {key!r}, which does not exist" for key in row.conflicts if key not in names)
    if row.policy and row.policy[1] not in POLICIES.get(row.policy[0], ()):
        yield f"{row.key}: there is no policy {'='.join(row.policy)}"
    if not row.evidence:
        yield f"{row.key}: no evidence"
    if not all(row.words):
        yield f"{row.key}: no words in both languages"


def _sensible(atom: Atom) -> bool:
    """Does the comparison suit the kind of the fact, and are its words words of the fact?"""
    if atom.fact.startswith(LABEL):
        return set(atom.words) <= set(LABEL_WORDS)
    kind = vocabulary()[atom.fact].kind
    if kind == "number":
        return atom.bound is not None or all(word.isdecimal() for word in atom.words)
    return atom.bound is None and set(atom.words) <= ({"yes", "no"} if kind == "flag" else set(words_of(atom.fact)))


def _from_memory(rows: Iterable[Row]) -> Iterator[str]:
    """A fact from memory is shown; it never blocks and never speaks against."""
    for row in rows:
        if row.tag == FROM_MEMORY and row.stance in ("blocked", "against"):
            yield f"{row.key}: known from memory, yet {row.stance}"


def _unreachable(path: Pathway) -> Iterator[str]:
    for row in {row.key: row for rows in path.rows.values() for row in rows}.values():
        twins = [twin for rows in path.rows.values() for twin in rows if twin.key == row.key]
        if not any(_satisfied([*twin.when, *path.questions[twin.question].applies]) for twin in twins):
            yield f"{row.key}: can never hold"


def _unsaid(path: Pathway) -> Iterator[str]:
    """Two rows of an option that hold together, one for and one against it on the same facts, with neither precedence nor conflict said.

    A row against comes before a row for; that is a rule of its own and said. What is not said is a row for that can only hold
    where a row against does: it can never be seen.
    """
    for (question, _), rows in path.rows.items():
        asked = path.questions[question].applies
        pro = [row for row in rows if row.stance == "for"]
        contra = [row for row in rows if row.stance in ("against", "blocked") and row.policy is None]
        for good, bad in product(pro, contra):
            if bad.key not in good.conflicts and _implies([*good.when, *asked], bad.when):
                yield f"{good.key}: for {good.option}, yet {bad.key} ({bad.stance}) holds wherever it does"
    for found in path.rows.values():
        for one, other in combinations([row for row in found if row.stance == "for"], 2):
            if set(map(str, one.when)) == set(map(str, other.when)) and one.evidence == other.evidence:
                yield f"{one.key} and {other.key}: the same row twice"


def _implies(some: Iterable[Condition], other: Iterable[Condition]) -> bool:
    """Wherever all of the first hold, all of the others do."""
    both = [*some, *other]
    facts = states({atom for condition in both for atom in condition.atoms})
    return facts is not None and not (_truth(some, facts).yes & ~_truth(other, facts).yes).any()


def _satisfied(conditions: Iterable[Condition]) -> bool:
    held = list(conditions)
    facts = states({atom for condition in held for atom in condition.atoms})
    return facts is None or bool(_truth(held, facts).yes.any())


def _truth(conditions: Iterable[Condition], facts: pl.DataFrame) -> Truth:
    return Answers(Columns(facts)).of(conditions)


def states(atoms: Iterable[Atom], most: int = 200_000) -> pl.DataFrame | None:
    """Every combination of the values that the atoms tell apart, one row each; None if there are more than `most`."""
    domains = domains_of(atoms)
    if not domains:
        return pl.DataFrame({"any": [True]})
    if np.prod([len(values) for values in domains.values()], dtype=float) > most:
        return None
    return pl.DataFrame(list(product(*domains.values())), schema=list(domains), orient="row")


def domains_of(atoms: Iterable[Atom]) -> Mapping[str, list[Value]]:
    """The values of every fact that the atoms tell apart."""
    of: dict[str, list[Atom]] = {}
    for atom in sorted(set(atoms), key=str):
        of.setdefault(atom.fact, []).append(atom)
    return {fact: list(parts(fact, asked)) for fact, asked in of.items()}


def drawn(n: int, seed: int = 0, missing: float = 0.0, path: Pathway | None = None) -> pl.DataFrame:
    """Facts of `n` patients, drawn at random from the values that the pathway tells apart; each is missing with a probability."""
    own, rng = path or pathway(), np.random.default_rng(seed)
    atoms = {atom for rows in own.rows.values() for row in rows for atom in row.atoms}
    atoms |= {atom for question in own.questions.values() for condition in question.applies for atom in condition.atoms}
    columns = []
    for fact, values in domains_of(atoms).items():
        bedside = fact in vocabulary() and vocabulary()[fact].bedside
        odds = [0.05, 0.95] if bedside and values == [True, False] else None
        column = pl.Series(fact, values).gather(rng.choice(len(values), size=n, p=odds))
        known = fact in vocabulary() and (bedside or vocabulary()[fact].always)
        gone = np.zeros(n, bool) if known else rng.random(n) < missing
        column = column.cast(pl.Enum(list(map(str, values)))) if column.dtype == pl.String else column
        columns.append(pl.select(pl.when(~pl.Series(gone)).then(column)).to_series().alias(fact))
    return pl.DataFrame([pl.Series("patient", [f"P{i:07d}" for i in range(n)]), *columns])


def gaps(n: int = 20_000, seed: int = 0) -> dict[str, float]:
    """Of every question the share of drawn patients, complete and asked, for whom no option is `for`."""
    facts = drawn(n, seed)
    found = stances(pathway(), Columns(facts), settled({}))
    told = {}
    for key, question in pathway().questions.items():
        asked = _truth(question.applies, facts).yes
        good = [i for i, entry in enumerate(found.parts[0]) if entry.question == key and entry.stance == "for"]
        served = np.zeros(n, bool)
        served[found.place[np.isin(found.at[0], good)]] = True
        told[key] = float((asked & ~served).sum() / max(asked.sum(), 1))
    return told
