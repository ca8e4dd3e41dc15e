"""Pictures in a page that allows no styles: what a drawing says in style attributes becomes attributes of their own."""

from __future__ import annotations

import re

from markupsafe import Markup

SHEET = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
STYLE = re.compile(r'\bstyle="([^"]*)"')
LEFT_OUT = ("font-family",)  # that of the page


def presented(body: str) -> Markup:
    """What an SVG element holds (`bence.report.figure.to_svg`), without styles; it looks the same.

    >>> presented('<path style="fill: none; stroke: #fff"/>')
    Markup('<path fill="none" stroke="#fff"/>')
    """
    bare = STYLE.sub(lambda found: _attributes(found[1]), SHEET.sub("", body))
    return Markup(f'<g stroke-linejoin="round" stroke-linecap="butt">{bare}</g>') if "<g" in body else Markup(bare)


def _attributes(style: str) -> str:
    pairs = [part.partition(":") for part in style.split(";") if part.strip()]
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, _, value in pairs if name.strip() not in LEFT_OUT)
