"""The model for other programs: Antimony, a text people can read, and SBML, which most simulators read.

Terms become assignment rules, states rate rules, doses events. Names that mean something else there get an underscore.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BenceError, UsageError
from .expressions import Expression, written
from .model import Model

NAME = "bence_simulate"
# words of Antimony and SBML that could be names here
WORDS = """
    after and at avogadro compartment const constant constraint delay delete e end event exponentiale false formula fromtrigger function
    gene has if import in infinity inf is maximize minimize model module nan not notanumber operator or persistent pi piecewise priority
    rateof reaction species sboterm substanceonly t0 time true unit var xor
    abs acos acosh asin asinh atan atanh ceil ceiling cos cosh cot coth csc csch factorial floor ln log10 pow quotient rem root sec sech
    sin sinh sqr tan tanh
"""
TAKEN = frozenset(WORDS.split())


class Dose(NamedTuple):
    """An amount added to a state at the start of a day."""

    day: float
    state: str
    amount: float


def antimony(model: Model, parameters: NDArray[np.float64] | None = None, doses: Iterable[Dose] = ()) -> str:
    """The model of one patient in Antimony. `parameters`: in the order of the model (None: the typical values); time in days."""
    column = model.typical(1) if parameters is None else np.asarray(parameters, np.float64).reshape(-1, 1)
    if len(column) != len(model.parameters):
        raise UsageError(f"there are {len(column)} parameters", expected=str(len(model.parameters)))
    lines = ["// Virtual patient: synthetic, raises hypotheses, no evidence and no advice. Time in days.", f"model {NAME}()"]
    for parameter, value in zip(model.parameters, column[:, 0], strict=True):
        lines.append(f"  {_name(parameter.name)} = {float(value)!r};  // {parameter.unit}: {parameter.what_en} [{parameter.tag}]")
    for term in model.terms:
        lines.append(f"  {_name(term.name)} := {_text(term.value)};  // {term.unit}: {term.what_en}")
    for state, start in zip(model.states, model.start(column)[:, 0], strict=True):
        lines.append(f"  {_name(state.name)} = {float(start)!r};  // {state.unit}: {state.what_en}")
        lines.append(f"  {_name(state.name)}' = {_text(state.change)};")
    lines += [f"  dose_{number}: {_event(model, dose)}" for number, dose in enumerate(doses, 1)]
    return "\n".join([*lines, "end", ""])


def sbml(text: str) -> str:
    """Antimony text as SBML. Needs the package `antimony`: raises UsageError where it is not installed."""
    try:
        import antimony as reader  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError("SBML is written by the package antimony, which is not installed", expected="pip install antimony") from error
    reader.clearPreviousLoads()
    if reader.loadAntimonyString(text) < 0:
        raise BenceError(f"the model is not read by antimony: {reader.getLastError()}")
    return str(reader.getSBMLString(NAME))


def _event(model: Model, dose: Dose) -> str:
    if dose.state not in model.state_index:
        raise UsageError(f"there is no state {dose.state!r}", where=f"dose on day {dose.day:g}", expected="a state of the model")
    name = _name(dose.state)
    return f"at (time >= {dose.day!r}), t0=false: {name} = {name} + {dose.amount!r};"  # t0=false: a dose of day 0 is given


def _name(name: str) -> str:
    return f"{name}_" if name in TAKEN else name


def _text(expression: Expression) -> str:
    return written(expression.tree, power="^", names=_name, calls={"log": "ln"})
