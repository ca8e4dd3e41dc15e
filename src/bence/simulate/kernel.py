"""The fast solver, written from the model text: fixed steps, blocks of 64 patients.

Each quantity of a block is a row of 64 numbers, one a patient, so that the processor works on several patients at once.
A state changes by -decay*x + n(x). The first part is taken exactly, the second by the fourth-order exponential Runge-Kutta
method of Cox and Matthews (J Comput Phys 2002;176:430); its coefficients come from series where they would cancel
(the trouble shown by Kassam and Trefethen, SIAM J Sci Comput 2005;26:1214). What depends on parameters alone is worked out
once a stretch and not at every step.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .expressions import FUNCTIONS, evaluate, parse, written
from .model import Model

WIDTH = 64
TOGETHER = 8
SLOPE = "slope_of_"
PLACES = ["SLOPE", "START", "A", "SLOPE_1", "SLOPE_A", "HALF", "RAMP", "WHOLE", "FIRST", "MIDDLE", "LAST"]

HEAD = '''"""Written from a model text; not to be edited."""

import numpy as np
from numba import njit
from numpy import sqrt

FAST = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}  # contract: a*b + c is rounded once
TINY = 2.2250738585072014e-308  # the smallest normal number
NEAREST = 6755399441055744.0  # 1.5 * 2**52: a number added to it leaves its nearest whole number in the last bits
LOG2_HIGH, LOG2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # log(2) in two parts, the first with free last bits


@njit(forceinline=True, **FAST)
def exp(x):
    """e**x, to one rounding: 2**k * e**r, |r| < 0.35. Below -708 as at -708, above 709 as at 709. Without a branch or a call."""
    x = -708.0 if x < -708.0 else x
    x = 709.0 if x > 709.0 else x
    shifted = x * 1.4426950408889634 + NEAREST
    k = shifted - NEAREST
    r = (x - k * LOG2_HIGH) - k * LOG2_LOW
    e = 1 / 6227020800.0
    e = e * r + 1 / 479001600.0
    e = e * r + 1 / 39916800.0
    e = e * r + 1 / 3628800.0
    e = e * r + 1 / 362880.0
    e = e * r + 1 / 40320.0
    e = e * r + 1 / 5040.0
    e = e * r + 1 / 720.0
    e = e * r + 1 / 120.0
    e = e * r + 1 / 24.0
    e = e * r + 1 / 6.0
    e = e * r + 0.5
    e = e * r + 1.0
    e = e * r + 1.0
    return np.int64(np.float64(e).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)).view(np.float64)


@njit(forceinline=True, **FAST)
def log(x):
    """The natural logarithm, to one rounding: k*log(2) + log(m), 0.7 < m < 1.42. Of zero and less as of the smallest number, -708."""
    x = TINY if x < TINY else x
    bits = np.float64(x).view(np.int64)
    above = bits - 0x3FE6A09E667F3BCD  # the bits of the root of a half
    k = np.int64((above >> 52) + 0x4338000000000000).view(np.float64) - NEAREST
    m = np.int64(bits - (above & -0x10000000000000)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    e = 1 / 23.0
    e = e * z + 1 / 21.0
    e = e * z + 1 / 19.0
    e = e * z + 1 / 17.0
    e = e * z + 1 / 15.0
    e = e * z + 1 / 13.0
    e = e * z + 1 / 11.0
    e = e * z + 1 / 9.0
    e = e * z + 1 / 7.0
    e = e * z + 1 / 5.0
    e = e * z + 1 / 3.0
    return k * LOG2_HIGH + (2 * s + (2 * s * z * e + (x - x) + k * LOG2_LOW))  # x - x: what is no number stays none


@njit(forceinline=True, **FAST)
def least(x, y):
    return y if y < x else x


@njit(forceinline=True, **FAST)
def greatest(x, y):
    return y if y > x else x
'''

SOLVER = '''

@njit(forceinline=True, **FAST)
def phis(z):
    """e**z, (e**z - 1)/z, and so on, each (the one before - its value at 0)/z. By series while |z| < 0.5."""
    three = 1 / 6.0
    part = three
    for k in range(4, 15):
        part = part * z / k
        three = three + part
    two = 0.5 + z * three
    one = 1 + z * two
    e = 1 + z * one
    far_e = exp(z)
    far_one = (far_e - 1) / z
    far_two = (far_one - 1) / z
    far_three = (far_two - 0.5) / z
    near = -0.5 < z < 0.5
    return (e if near else far_e, one if near else far_one, two if near else far_two, three if near else far_three)


@njit(**FAST)
def weigh(w, h):
    """The weights of a step of h days, from z = -decay*h: e**z and the functions phi1, phi2, phi3 of z and of z/2."""
    for i in range(ALL):
        half, one, _, _ = phis(-0.5 * h * w[DECAY + i])
        w[HALF + i] = half
        w[RAMP + i] = 0.5 * h * one
        whole, one, two, three = phis(-h * w[DECAY + i])
        w[WHOLE + i] = whole
        w[FIRST + i] = h * (one - 3 * two + 4 * three)
        w[MIDDLE + i] = h * (2 * two - 4 * three)
        w[LAST + i] = h * (4 * three - two)


@njit(**FAST)
def step(w):
    """One step of all states: the slopes at its start, twice at its middle, and at its end."""
    slopes(w)
    for i in range(ALL):
        w[START + i] = w[X + i]
        w[SLOPE_1 + i] = w[SLOPE + i]
        w[A + i] = w[HALF + i] * w[X + i] + w[RAMP + i] * w[SLOPE + i]
        w[X + i] = w[A + i]
    slopes(w)
    for i in range(ALL):
        w[SLOPE_A + i] = w[SLOPE + i]
        w[X + i] = w[HALF + i] * w[START + i] + w[RAMP + i] * w[SLOPE + i]
    slopes(w)
    for i in range(ALL):
        w[SLOPE_A + i] += w[SLOPE + i]
        w[X + i] = w[HALF + i] * w[A + i] + w[RAMP + i] * (2 * w[SLOPE + i] - w[SLOPE_1 + i])
    slopes(w)
    for i in range(ALL):
        w[X + i] = w[WHOLE + i] * w[START + i] + w[FIRST + i] * w[SLOPE_1 + i] + w[MIDDLE + i] * w[SLOPE_A + i] + w[LAST + i] * w[SLOPE + i]


@njit(**FAST)
def rise(w, peak):
    for k in range(len(PEAKED)):
        for j in range(WIDTH):
            peak[k * WIDTH + j] = greatest(peak[k * WIDTH + j], w[X + PEAKED[k] * WIDTH + j])


@njit(cache=KEEP, **FAST)
def run(begin, end, state, settled, amounts, dosed, regimen, started, start_day, days, every, fineness, kept, after, values, peaks):
    """Patients `begin` up to `end` through `days` days; `fineness` steps a day."""
    w, peak = np.zeros(ROOM), np.empty(len(PEAKED) * WIDTH)
    steps = np.int64(fineness)
    for block in range(begin, end, WIDTH):
        for j in range(WIDTH):
            patient = min(block + j, end - 1)  # a last block that is not full repeats its last patient
            for k in range(STATES):
                w[X + k * WIDTH + j] = state[k, patient]
            for k in range(settled.shape[0]):
                w[SETTLED + k * WIDTH + j] = settled[k, patient]
        weigh(w, 1.0 / steps)
        for day in range(days):
            for j in range(WIDTH):
                patient = min(block + j, end - 1)
                since = start_day + day - started[patient]
                if regimen[patient] >= 0 and 0 <= since < amounts.shape[1]:
                    for k in range(len(dosed)):
                        w[X + dosed[k] * WIDTH + j] += amounts[regimen[patient], since, k]
            if day % every == 0:
                peak[:] = -np.inf
            rise(w, peak)
            for _ in range(steps):
                step(w)
                rise(w, peak)
            if (day + 1) % every == 0:
                out = (day + 1) // every - 1
                for j in range(min(WIDTH, end - block)):
                    for k in range(len(kept)):
                        values[out, k, block + j] = w[X + kept[k] * WIDTH + j]
                    for k in range(len(PEAKED)):
                        peaks[out, k, block + j] = peak[k * WIDTH + j]
        for j in range(min(WIDTH, end - block)):
            for k in range(STATES):
                after[k, block + j] = w[X + k * WIDTH + j]
'''


class Statement(NamedTuple):
    """One line of the equations at a step."""

    name: str
    text: str
    names: frozenset[str]


class Kernel:
    """The fast solver of a model: its text, and what it wants to know of the patients."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.prepared: dict[str, tuple[str, ast.expr]] = {}  # text of an expression of parameters alone -> its name, its tree
        moving = [
            term for term in model.needed(name for state in model.states for name in state.change.names) if term.name not in model.fixed
        ]
        trees = {term.name: self.replaced(term.value.tree) for term in moving}
        for state in model.states:
            rest = parse(f"({state.change.text}) + ({state.decay.text})*{state.name}", state.name)
            trees[SLOPE + state.name] = self.replaced(rest.tree)
        self.statements = [Statement(name, function_text(tree), _names(tree)) for name, tree in trees.items()]
        used = {name for statement in self.statements for name in statement.names}
        self.used = [name for name in model.parameter_index if name in used]
        count, known = len(model.states), len(self.used) + len(self.prepared)
        self.begins = {"X": 0, **{place: count * number for number, place in enumerate(PLACES, 1)}}
        self.begins["SETTLED"] = count * len(self.begins)
        self.begins["DECAY"] = self.begins["SETTLED"] + known
        rows = {SLOPE + name: self.begins["SLOPE"] + row for name, row in model.state_index.items()}
        settled = [*self.used, *(name for name, _ in self.prepared.values())]
        rows |= {name: self.begins["SETTLED"] + row for row, name in enumerate(settled)}
        rows |= {term.name: self.begins["DECAY"] + count + row for row, term in enumerate(moving)}
        self.rows = model.state_index | rows
        self.room = self.begins["DECAY"] + count + len(moving)

    def text(self) -> str:
        """The solver as the text of a Python module for Numba."""
        constants = {
            "WIDTH": WIDTH,
            "STATES": len(self.model.states),
            "ALL": WIDTH * len(self.model.states),
            "ROOM": WIDTH * self.room,
            **{name: WIDTH * row for name, row in self.begins.items()},
        }
        lines = [f"{name} = {value}" for name, value in constants.items()]
        lines.append(f"PEAKED = np.array({[self.model.state_index[name] for name in self.model.peaked]}, np.int64)")
        return "\n".join([HEAD, "", *lines, "", "", self.slopes(), SOLVER])

    def settled(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What parameters [parameter, patient] settle: those used, what is prepared from them, and the decays."""
        known: dict[str, Any] = dict(zip(self.model.parameter_index, parameters, strict=True))
        for term in self.model.terms:
            if term.name in self.model.fixed:
                known[term.name] = term.value.value(known)
        rows = [known[name] for name in self.used]
        rows += [evaluate(tree, known) for _, tree in self.prepared.values()]
        rows += [state.decay.value(known) for state in self.model.states]
        return np.array([np.broadcast_to(row, parameters.shape[1]) for row in rows])

    def replaced(self, tree: ast.expr) -> ast.expr:
        """A tree in which the greatest parts of parameters alone have a name, and division by them is a multiplication."""
        if _names(tree) <= self.model.fixed:
            return tree if isinstance(tree, ast.Constant) else ast.Name(self.name(tree))
        match tree:
            case ast.BinOp(left=left, op=ast.Div(), right=right) if _names(right) <= self.model.fixed:
                return ast.BinOp(self.replaced(left), ast.Mult(), ast.Name(self.name(ast.BinOp(ast.Constant(1.0), ast.Div(), right))))
            case ast.BinOp(left=left, op=ast.Pow() as power, right=right):
                return ast.BinOp(self.replaced(left), power, right)
            case ast.BinOp(left=left, op=operator, right=right):
                return ast.BinOp(self.replaced(left), operator, self.replaced(right))
            case ast.UnaryOp(op=sign, operand=inner):
                return ast.UnaryOp(sign, self.replaced(inner))
            case ast.Call(func=function, args=arguments):
                return ast.Call(function, [self.replaced(argument) for argument in arguments], [])
        return tree

    def name(self, tree: ast.expr) -> str:
        """The name of an expression of parameters alone: a parameter's own, or a number after an underscore."""
        text = function_text(tree)
        if text in self.model.parameter_index:
            return text
        return self.prepared.setdefault(text, (f"_{len(self.prepared)}", tree))[0]

    def slopes(self) -> str:
        """The function that fills the rows of the slopes from those of the states, in loops that the processor can overlap."""
        parts = []
        for first in range(0, len(self.statements), TOGETHER):
            group = self.statements[first : first + TOGETHER]
            read = {name for each in group for name in each.names} - {each.name for each in group}
            lines = [f"{name} = {self.at(name)}" for name in sorted(read, key=self.rows.__getitem__)]
            lines += [f"{each.name} = {self.at(each.name)} = {each.text}" for each in group]
            parts.append(_function(f"slopes_{len(parts)}(_w)", ["for _j in range(WIDTH):", *(f"    {line}" for line in lines)]))
        parts.append(_function("slopes(w)", [f"slopes_{number}(w)" for number in range(len(parts))]))
        return "\n\n\n".join(parts)

    def at(self, name: str) -> str:
        """Where the number of a patient lies."""
        return f"_w[{self.rows[name] * WIDTH} + _j]"


def function_text(tree: ast.expr) -> str:
    """The text of an expression with the functions of this module."""
    return written(tree, calls={"min": "least", "max": "greatest"})


def _names(tree: ast.expr) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) - FUNCTIONS.keys()


def _function(head: str, lines: list[str]) -> str:
    return "\n    ".join([f"@njit(**FAST)\ndef {head}:", *lines])
