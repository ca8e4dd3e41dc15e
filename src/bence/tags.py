"""How a fact is known: the tags of every rule, row and record, and what they mean, English and Chinese."""

from __future__ import annotations

TAGS: dict[str, tuple[str, str]] = {
    "V": ("read on the page named", "已核对出处"),
    "S": ("as a source text states it", "据来源文献"),
    "M": ("from memory, unchecked", "凭记忆，未核对"),
    "O": ("our own reading or choice", "本系统的解读或约定"),
    "C": ("calculated here", "本系统推算"),
}
