"""The words of immunofixation reports, English and Chinese, and how a text is cut into them."""

import re
import unicodedata

Token = tuple[str, str]  # (kind of word, its value: a chain, or the word itself)

# kind of word | Chinese words and signs | English words. The first line that matches at a place wins, so that longer
# phrases stand above their parts (未检出 above 检出).
TABLE: tuple[tuple[str, str, str], ...] = (
    ("skip", r"免疫固定电泳?|蛋白电泳", r"immuno-?fixation|electrophoresis|serum|urine|co-migrate"),
    (
        "heavy",
        r"(?<![a-z])[il1]g[\s\-]*(?P<h1>[gamde])(?:[1-4](?!\d))?(?![a-z])|免疫球蛋白\s*(?P<h2>[gamde])(?![a-z])",
        r"immunoglobulin\s+(?P<h3>[gamde])",
    ),
    ("kappa", r"κ|卡帕", r"kappa|kapa|kap"),
    ("lambda", r"λ|兰姆达", r"lambda|lamda|lamba|lam"),
    (
        "antibody",
        r"达雷妥尤单抗|达雷木单抗|艾沙妥昔单抗|伊沙妥昔单抗|埃罗妥珠单抗|治疗性抗体",
        r"daratumumab|dara|isatuximab|elotuzumab|(?:therapeutic )?monoclonal antibod(?:y|ies)",
    ),
    (
        "undone",
        r"未做|未查|未测|未送检?|未检(?!出|测到|见|到)测?|标本不足|标本量不足|量不足|取消|拒收|拒检|退检|待报告|标本溶血",
        r"tnp|(?:test )?not (?:performed|done|tested)|cancell?ed|qns|quantity not sufficient|insufficient"
        r"|unable to [a-z]+|improper collection|pending",
    ),
    (
        "doubt",
        r"可疑|疑似|不除外|不能除外|不能排除|待排|待查|不确定|无法判断|难以判断|临界|可能|寡克隆|疑"
        r"|\(?\s*±\s*\)?|\+/-|\?",
        r"suspicious|suspect(?:ed)?|possibl[ey]|probabl[ey]|equivocal|indeterminate|inconclusive|borderline"
        r"|questionable|uncertain|unclear|oligoclonal|(?:can ?not|can't) (?:be )?(?:exclude|rule)d?(?: out)?",
    ),
    ("poly", r"多克隆|多株", r"poly|polyclonal|hypogamma[a-z]*|hypergamma[a-z]*"),
    (
        "mono",
        r"单克隆|双克隆|三克隆|条带|区带|m\s*-?\s*(?:蛋白|带|成分|峰)",
        r"monoclonal|monoconal|biclonal|triclonal|paraproteins?|gammopathy|bands?|spikes?|peak"
        r"|m[\s\-]*(?:proteins?|spikes?|component)",
    ),
    ("abnormal", r"异常", r"abnormal(?:ity|ities)?"),
    ("other", r"其他|其它|另外", r"other|additional|further|second"),
    (
        "free",
        r"游离|轻链|本-?周氏?蛋白|单纯",
        r"free|light[\s\-]*chains?|bence[\s\-]*jones(?: proteins?)?|flc|only",
    ),
    (
        "not",
        r"未(?:能)?(?:检出|检测到|检到|检见|见到?|发现|查见)|没有|未|无",
        r"no longer|no|not|without|none|never|nil|neither|nor",
    ),
    (
        "negative",
        r"阴(?:性)?|消失|\(\s*[\-−–—]\s*\)|[\-−–—](?=\s*(?:$|[,;、]))|(?<![\d.])0(?:\.0+)?(?![\d.])(?:\s*g/d?l)?",
        r"negative|neg|absent|undetectable|undetected|disappeared|resolved|cleared",
    ),
    ("positive", r"阳(?:性)?|\(\s*\++\s*\)|\+{2,}|\+(?=\s*(?:$|[,;、]))", r"positive|pos"),
    ("small", r"微量|微弱|少量|极少|浅淡|淡|弱", r"small|faint|weak(?:ly)?|trace|tiny|minute|minimal"),
    ("still", r"仍|持续|再次", r"still|again|persists?|persistent|persisting|unchanged"),
    (
        "before",
        r"既往|曾|原|此前|之前|上次|前次|病史",
        r"previous(?:ly)?|prior|formerly|history|known|earlier|originally",
    ),
    ("now", r"目前|现在|现|本次|此次|今|转为|转", r"now|currently|today|became|converted|turned|changed to"),
    ("seen", r"检出|检测到|可见|见|发现|存在", r"detected|seen|present|identified|evident|visible|found"),
    ("plus", r"再加", r"plus|as well as"),
    ("sep", r"[,、/&+()]|和|及|与|伴|并|合并", r"and"),
    ("stop", r"[;。!\n]|\.(?!\d)", r"full stop"),
)


def _one(chinese: str, english: str) -> str:
    return rf"(?:{chinese}|(?<![a-z])(?:{english})(?![a-z]))"


_WORD = re.compile("|".join(f"(?P<{kind}>{_one(zh, en)})" for kind, zh, en in TABLE))
_OPENS_SMALL = re.compile(next(_one(zh, en) for kind, zh, en in TABLE if kind == "small"))
_WEAK = re.compile(r"弱阳|weak(?:ly)? pos")

#: Texts that are an answer as a whole, where the same word inside a sentence is not.
NEGATIVE = {
    *("n", "-", "--", "none", "nil", "nad", "normal", "normal pattern", "undetected", "not detected", "not seen"),
    *("no abnormality", "no abnormality detected", "正常", "无", "未见", "未检出", "未检测到", "未发现"),
}
NOT_DONE = {"na", "n/a", "未", "未检"}


def clean(text: str) -> str:
    """One width, one case, single spaces, underscores read as spaces, no stop at the end."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("_", " ").replace("\u200b", "")
    return re.sub(r"[^\S\n]+", " ", folded).strip().strip("。.;,\"'").strip()


def opens_small(text: str) -> bool:
    """Does the (clean) report open by calling its finding small, or call it weakly positive?"""
    return _OPENS_SMALL.match(text) is not None or _WEAK.search(text) is not None


def tokens(text: str) -> list[Token]:
    """The words of a clean text; `heavy` and `light` carry the chain, unknown words fall away."""
    found: list[Token] = []
    for m in _WORD.finditer(_spell_out(text)):
        kind = m.lastgroup or ""  # the outermost group: the kind of word
        if kind == "heavy":
            found.append((kind, "ig" + (m["h1"] or m["h2"] or m["h3"])))
        elif kind in ("kappa", "lambda"):
            found.append(("light", kind))
        elif kind != "skip":
            found.append((kind, m[0]))
    return found


def _spell_out(text: str) -> str:
    """`IgG-k`, `k型`, `轻链L` → kappa, lambda (a lone k or l means a chain only beside such words)."""

    def chain(m: re.Match[str]) -> str:
        return m.group(0)[: m.start("c") - m.start()] + {"k": " kappa", "l": " lambda"}[m["c"]]

    text = re.sub(r"(?<![a-z])[il1]g[\s\-]*[gamde][1-4]?[\s\-–/:,、(]*(?P<c>[kl])(?![a-z])", chain, text)
    text = re.sub(r"(?:轻链|light chains?)[\s\-:]*(?P<c>[kl])(?![a-z])", chain, text)
    return re.sub(r"(?<![a-z])(?P<c>[kl])(?=\s*(?:型|链|轻链|light))", chain, text)


_LETTERS = re.compile(r"(?:ig)?(?P<h>[gamde])(?: ?-? ?(?P<l>[kl]))?")


def letter_code(text: str) -> list[str] | None:
    """`GK`, `G-K`, `AL+MK`, `AL+AL+A`: chains by their letters; a single letter counts only beside a whole code."""
    parts = [_LETTERS.fullmatch(p.strip()) for p in re.split(r"[+/,;&、]", text)]
    if not all(parts) or not any(m and m["l"] for m in parts):
        return None
    light = {"k": "_kappa", "l": "_lambda", None: ""}
    return [f"ig{m['h']}{light[m['l']]}" for m in parts if m]


_LANE = re.compile(r"(ig ?[gamde]|kappa|lambda|κ|λ) ?([+\-])(?=\s|[,;、]|$)")
_LANES = re.compile(rf"(?:{_LANE.pattern}[\s,;、]*){{2,}}")


def signed_lanes(text: str) -> str | None:
    """`IgG- IgA+ IgM- κ+ λ-` with its signs in brackets; None where a sign could as well be a hyphen (`IgG- κ+`)."""
    if not _LANES.fullmatch(text):
        return text
    if len(_LANE.findall(text)) < 3 and "-" in text:
        return None
    return _LANE.sub(lambda m: f"{m[1]}({m[2]})", text)
