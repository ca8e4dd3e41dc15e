"""Plain expressions of the model text: what may be written, which names are used, and how other languages write it.

Allowed: numbers, names, `+ - * /`, `**` with a whole number from 2 to 16, unary minus, and `sqrt exp log min max`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import UsageError

FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
HIGHEST_POWER = 16


@dataclass(frozen=True)
class Expression:
    """One expression: its text as written, its tree, and the names it uses."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    def value(self, known: Mapping[str, Any]) -> Any:
        """The value, where `known` gives a number or an array for each name."""
        return evaluate(self.tree, known)


def parse(text: str, where: str) -> Expression:
    """Read an expression. Raises UsageError, placed at `where`, for anything that is not allowed."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{text!r} is not an expression", where=where, expected="for example 'a*x - b*y**2'") from error
    for complaint in _complaints(tree):
        raise UsageError(f"{complaint} in {text!r}", where=where, expected=f"numbers, names, + - * / **, {' '.join(FUNCTIONS)}")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)
    return Expression(text, tree, names)


def _complaints(tree: ast.AST) -> Iterator[str]:
    match tree:
        case ast.Constant(value=value):
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(float(value)):
                yield f"{value!r} is not a number"
        case ast.Name(id=name):
            if name in FUNCTIONS:
                yield f"{name!r} is a function and no value"
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield from _complaints(inner)
        case ast.BinOp(left=left, op=ast.Pow(), right=power):
            if not (isinstance(power, ast.Constant) and type(power.value) is int and 2 <= power.value <= HIGHEST_POWER):
                yield f"a power that is not a whole number from 2 to {HIGHEST_POWER}"
            yield from _complaints(left)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            yield from _complaints(left)
            yield from _complaints(right)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            if len(arguments) != FUNCTIONS[name][0]:
                yield f"{name} with {len(arguments)} values instead of {FUNCTIONS[name][0]}"
            for argument in arguments:
                yield from _complaints(argument)
        case ast.Call(func=ast.Name(id=name)):
            near = get_close_matches(name, FUNCTIONS, 1)
            yield f"unknown function {name!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
        case _:
            yield f"{ast.unparse(tree) if isinstance(tree, ast.expr) else type(tree).__name__!r} is not allowed"


def evaluate(tree: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of a tree, where `known` gives a number or an array for each name."""
    match tree:
        case ast.Constant(value=number):
            return float(number)  # pyright: ignore[reportArgumentType]
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(operand=inner):
            return -evaluate(inner, known)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=power)):
            return evaluate(left, known) ** power
        case ast.BinOp(left=left, op=operator, right=right):
            one, other = evaluate(left, known), evaluate(right, known)
            match operator:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case _:
                    return np.divide(one, other)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name][1](*(evaluate(argument, known) for argument in arguments))
    raise TypeError(ast.dump(tree))


def written(tree: ast.expr, power: str = "**", names: Callable[[str], str] = str, calls: Mapping[str, str] | None = None) -> str:
    """The text of a tree with all its brackets; numbers are floats. `names` and `calls` give names and functions other words."""

    def text(part: ast.expr) -> str:
        return written(part, power, names, calls)

    match tree:
        case ast.Constant(value=number):
            return repr(float(number))  # pyright: ignore[reportArgumentType]
        case ast.Name(id=name):
            return names(name)
        case ast.UnaryOp(operand=inner):
            return f"(-{text(inner)})"
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=number)):
            return f"({text(left)}{power}{number})"
        case ast.BinOp(left=left, op=operator, right=right):
            return f"({text(left)} {OPERATORS[type(operator)]} {text(right)})"
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return f"{(calls or {}).get(name, name)}({', '.join(map(text, arguments))})"
    raise TypeError(ast.dump(tree))
