"""The mechanisms as a picture: two columns of names, and an arrow for each link between them. Plain SVG with links, without a script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..evidence import records
from ..evidence.words import JOINTS, value_said
from ..report.drawing import shortened

ON = ("antibody", "bispecific", "car_t", "adc", "small_molecule", "pathway")
KINDS = ("antigen", "t_cell", "microenvironment", "tumour", "pharmacology")
SHAPES = {"weakens": "▼", "strengthens": "▲", "both": "◆", "": "○"}
STROKES = {"raises": ("#b23a08", ""), "lowers": ("#0b62a4", "6 3"), "is part of": ("#5a6773", "2 3")}  # colour, dashes
WIDTH, LEFT, RIGHT, ROW, TOP, TEXT = 960, 340, 620, 28, 20, 12


@dataclass(frozen=True)
class Node:
    """A mechanism, or the name of a kind (without a key), and where it stands."""

    key: str
    name: str
    shape: str
    told: str
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """A link: its path, colour, dashes and what it says."""

    path: str
    effect: str
    colour: str
    dashes: str
    told: str


def network(on: str, lang: str) -> dict[str, Any]:
    """Nodes, arrows, width and height. `on`: the format of treatment of which is shown what each mechanism does to it."""
    known = records("mechanisms")
    names = {key: record["name"][lang] for key, record in known.items()}
    nodes = _placed(known, names, on, lang)
    places = {node.key: (node.x, node.y) for node in nodes if node.key}
    arrows = [
        Arrow(_curve(places[key], places[link["to"]]), link["effect"], *STROKES[link["effect"]],
              f"{names[key]} {value_said(link['effect'], lang)} {names[link['to']]} [{link['tag']}]")
        for key, record in known.items() for link in record.get("links", ())
    ]  # fmt: skip
    return {"nodes": nodes, "arrows": arrows, "width": WIDTH, "height": max(node.y for node in nodes) + TOP}


def _placed(known: dict[str, Any], names: dict[str, str], on: str, lang: str) -> list[Node]:
    rows = [(kind, [key for key in known if known[key]["kind"] == kind]) for kind in KINDS]
    half = (sum(len(keys) + 1 for _, keys in rows) + 1) // 2
    found: list[Node] = []
    column: list[int] = [0, 0]
    for kind, keys in rows:
        side = 0 if column[0] == 0 or column[0] + len(keys) + 1 <= half + 2 else 1
        x = (LEFT, RIGHT)[side]
        for key in ("", *keys):
            y = TOP + ROW * column[side]
            column[side] += 1
            found.append(_node(key, known, names, on, lang, x, y) if key else Node("", value_said(kind, lang), "", "", x, y))
    return found


def _node(key: str, known: dict[str, Any], names: dict[str, str], on: str, lang: str, x: int, y: int) -> Node:
    effects = [each for each in known[key].get("effects", ()) if each["on"] == on]
    ways = {each["direction"] for each in effects}
    way = "" if not ways else next(iter(ways)) if len(ways) == 1 else "both"
    colon, stop = JOINTS[lang]["colon"], JOINTS[lang]["semicolon"]
    told = [f"{value_said(each['direction'], lang)} {value_said(on, lang)}{colon}{each['via'][lang]}" for each in effects]
    told += [f"{value_said(each['effect'], lang)} {names[each['to']]}" for each in known[key].get("links", ())]
    return Node(key, shortened(names[key], LEFT - 30, TEXT), SHAPES[way], _joined([names[key], *told], colon, stop), x, y)


def _joined(parts: Iterable[str], colon: str, stop: str) -> str:
    first, *rest = parts
    return first + (colon + stop.join(rest) if rest else "")


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    """From the inner side of one name to that of another."""
    (x, y), (u, v) = start, end
    a, b = (10 if x == LEFT else -10), (13 if u == LEFT else -13)
    if x != u:
        return f"M{x + a} {y} C{(x + u) // 2} {y} {(x + u) // 2} {v} {u + b} {v}"
    bulge = min(110, 30 + abs(v - y) // 2) * (1 if x == LEFT else -1)
    return f"M{x + a} {y} C{x + bulge} {y} {x + bulge} {v} {u + b} {v}"
