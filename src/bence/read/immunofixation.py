"""Free text of immunofixation and electrophoresis → `negative`, the chains found, or a refusal with reason.

The words are in `immunofixation_words`; how words make a statement is in `_statements` and `_claim`; how the
statements of one report make a finding is in `_settle`. What is doubtful, contradictory or only history is refused,
never guessed.
"""

from dataclasses import dataclass
from itertools import pairwise

from .immunofixation_words import (
    NEGATIVE,
    NOT_DONE,
    Token,
    clean,
    letter_code,
    opens_small,
    signed_lanes,
    tokens,
)

HEAVY = ("igg", "iga", "igm", "igd", "ige")
LIGHT = ("kappa", "lambda")
#: Every chain a finding can name, in the order in which findings print them. A heavy chain alone is one whose
#: light chain the report does not name.
CHAINS = (*(f"{h}_{light}" for h in HEAVY for light in LIGHT), *HEAVY, *LIGHT)
EXPECTED = "negative, positive, or the chains found: IgG kappa, IgG-κ+IgA-λ, κ轻链, 阴性"
_VERDICTS = ("not", "negative", "positive", "doubt", "undone")


@dataclass(frozen=True)
class Finding:
    """What a report says: `text` is the canonical value, None when the test was not done.

    `small`: the report opens by calling the finding small, faint or weak. `note`: words that a reader of the value
    should know (a therapeutic antibody as the likely origin, an unclear second band).
    """

    text: str | None
    small: bool = False
    not_done: bool = False
    note: str = ""

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains named, in order; empty when negative, positive without a type, or not done."""
        return tuple(c for c in (self.text or "").split("+") if c in CHAINS)


@dataclass(frozen=True)
class Refusal:
    """Why a text is not accepted, in words for the table of rejected cells."""

    reason: str


def parse(text: str) -> Finding | Refusal:
    """Read the text of one immunofixation, English or Chinese, or the letter codes of a laboratory (`GK+AL`)."""
    if "_" in text and set(own := text.strip().split("+")) <= set(CHAINS):
        return Finding(_canonical(own))
    report = clean(text)
    if not report:
        return Refusal("the cell is empty")
    if report in NOT_DONE:
        return Finding(None, not_done=True)
    if report in NEGATIVE:
        return Finding("negative")
    if report == "+":
        return Finding("positive")
    coded = letter_code(report)
    if coded:
        return Finding(_canonical(coded))
    lanes = signed_lanes(report)
    if lanes is None:
        return Refusal("a + or - behind a chain can be a sign or a hyphen; write IgG(+) κ(-) or IgG-κ")
    return _settle(_statements(tokens(lanes)), opens_small(report))


def electrophoresis(text: str) -> Finding | Refusal:
    """Read the text of an electrophoresis: `positive` if an M-protein is seen, `negative` if not."""
    found = parse(text)
    if isinstance(found, Finding) and found.chains:
        return Finding("positive", small=found.small, note=found.note)
    return found


def _statements(words: list[Token]) -> list[list[Token]]:
    """Cut a report into statements: one verdict each, with the chains it speaks of.

    The verdict stands before its chains (阳性: IgG-κ; no IgG kappa band) or behind them (IgG-κ 阴性). `now` makes
    everything before it in the sentence history.
    """
    done: list[list[Token]] = []
    sentence = 0  # where the statements of this sentence begin
    this: list[Token] = []

    def close() -> None:
        nonlocal this
        if this:
            done.append(this)
        this = []

    for i, (kind, word) in enumerate(words):
        following = words[i + 1][0] if i + 1 < len(words) else "stop"
        kinds = [k for k, _ in this]
        if kind == "doubt" and ("?" in word or "±" in word):  # belongs to what it stands beside
            this.append((kind, word))
            continue
        if kind == "stop":
            close()
            sentence = len(done)
            continue
        if kind == "now":
            close()
            done[sentence:] = [[*s, ("before", word)] for s in done[sentence:]]
            continue
        if _cuts(kind, word, kinds, following) or _begins_anew(kinds, kind, following):
            close()
        if this or kind not in ("sep", "plus"):
            this.append((kind, word))
    close()
    return done


def _postfix(kinds: list[str]) -> bool:
    """A chain came first and its verdict stands behind it: the statement is complete."""
    behind = kinds[-1:] in (["positive"], ["negative"], ["not"])
    return behind and kinds[0] in ("heavy", "light", "mono", "free", "small")


def _cuts(kind: str, word: str, kinds: list[str], following: str) -> bool:
    """Does this word end the statement so far without opening one by its own verdict?"""
    if kind in ("sep", "plus"):
        bare_negative = kinds == ["negative"] and word in ",、"
        opens = following in (*_VERDICTS, "before", "now", "abnormal")
        return opens or bare_negative or kinds[-1:] == ["seen"] or _postfix(kinds)
    return kind in ("heavy", "light", "mono") and _postfix(kinds)  # lanes without separators: IgG(+) IgA(-)


def _begins_anew(kinds: list[str], verdict: str, following: str) -> bool:
    """Does this verdict open a new statement, given the words of the statement so far?"""
    if verdict not in _VERDICTS:
        return False
    had = [k for k in kinds if k in _VERDICTS]
    chains = [k for k in kinds if k in ("heavy", "light")]
    if not had:  # 'IgG kappa. no other band': a negator before its own object speaks of what follows
        objects = ("mono", "heavy", "light", "other", "abnormal")
        return verdict == "not" and bool(chains) and following in objects
    if had[-1] == verdict:
        return kinds[-1] in ("heavy", "light") and kinds[0] in _VERDICTS and following != "stop"
    return not (had[-1] == "not" and kinds[-1] == "not")  # 未见阳性条带, no suspicious band: one statement


Band = tuple[str | None, str | None]  # heavy chain, light chain
Bands = tuple[Band, ...]


@dataclass(frozen=True)
class _Claim:
    """One statement judged. `says`: positive, negative, doubt, undone, poly, history, unclear or nothing."""

    says: str
    bands: Bands = ()
    note: str = ""
    other: bool = False


def _claim(statement: list[Token]) -> _Claim:
    kinds = [k for k, _ in statement]
    note = next((f"therapeutic antibody named: {word}" for kind, word in statement if kind == "antibody"), "")
    bands, unclear = _bands(statement)
    if "before" in kinds and "still" not in kinds:
        return _Claim("history")
    if "doubt" in kinds and not ("not" in kinds and kinds.index("not") < kinds.index("doubt")):
        about_antibody = note and any(k in ("heavy", "light") for k in kinds[: kinds.index("doubt")])
        if not about_antibody:
            return _Claim("doubt", note=note or "unclear: " + " ".join(word for _, word in statement))
    if "undone" in kinds:
        return _Claim("undone")
    if unclear:
        return _Claim("unclear", note=unclear)
    if "not" in kinds or "negative" in kinds:
        return _denied(kinds, bands)
    if bands:
        return _Claim("positive", bands, note)
    if "poly" in kinds and "positive" not in kinds:
        return _Claim("poly")
    if "mono" in kinds or "positive" in kinds:
        return _Claim("positive", (), note)
    if "abnormal" in kinds:
        return _Claim("doubt", note="an abnormality is reported without saying which")
    return _Claim("nothing", note=note)


def _denied(kinds: list[str], bands: Bands) -> _Claim:
    if ("not", "negative") in pairwise(kinds):
        return _Claim("doubt", note="not negative")
    has_object = bands or {"negative", "mono", "abnormal", "seen", "positive", "free", "doubt"} & set(kinds)
    if not has_object:  # 'no clinical details': a negation of something else
        return _Claim("nothing")
    return _Claim("negative", bands, other="other" in kinds or ("free" in kinds and not bands))


def _bands(statement: list[Token]) -> tuple[Bands, str]:
    """Pair heavy with light chains as they stand; the second result says what can be read in two ways."""
    kinds = ("heavy", "light", "free", "mono", "small", "sep", "plus", "poly")
    words = [t for t in statement if t[0] in kinds]
    denied = any(k in ("not", "negative") for k, _ in statement)
    bands: list[Band] = []
    heavy: str | None = None
    plus = poly = own_light = False
    for i, (kind, value) in enumerate(words):
        before = words[i - 1][0] if i else ""
        behind = words[i + 1][0] if i + 1 < len(words) else ""
        if kind in ("mono", "plus"):
            poly, plus = False, plus or kind == "plus"
        elif kind == "poly":
            poly = True
        elif poly:
            continue
        elif kind == "heavy":
            if heavy:
                bands.append((heavy, None))
            heavy, plus = value, False
        elif kind == "light":
            own_light = before in ("free", "mono", "small") or behind == "free"
            if heavy and not plus and before != "free":
                bands.append((heavy, value))
                heavy = None
            elif not own_light and not denied and any(h and light for h, light in bands):
                return (
                    (),
                    f"is {value} a second band of that heavy chain, or a free one? write IgG-κ+IgG-λ or IgG-κ+λ轻链",
                )
            else:
                bands.append((None, value))
    alone = [i for i, (h, light) in enumerate(bands) if h and not light]
    if alone and any(light for _, light in bands[alone[0] :]) and not denied:
        return (), "does the light chain belong to each of the heavy chains? write IgG-κ+IgA-κ"
    if heavy:
        bands.append((heavy, None))
        if any(light and not h for h, light in bands) and not denied:
            return (), "which light chain belongs to which heavy chain? write IgG-κ"
    return tuple(bands), ""


def _settle(statements: list[list[Token]], small: bool) -> Finding | Refusal:
    """Put the statements of one report together."""
    claims = [_claim(s) for s in statements]
    said = {c.says for c in claims}
    notes = "; ".join(dict.fromkeys(c.note for c in claims if c.note and c.says != "unclear"))
    unclear = next((c.note for c in claims if c.says == "unclear"), "")
    if unclear:
        return Refusal(unclear)
    positive = [c for c in claims if c.says == "positive"]
    negative = [c for c in claims if c.says == "negative"]
    if positive:
        text = _positive(positive, negative)
        if isinstance(text, Refusal):
            return text
        if text == "positive" and any(c.bands for c in positive):
            notes = "; ".join(filter(None, [notes, "which heavy and light chains belong together is not said"]))
        return Finding(text, small=small, note=notes)
    if "doubt" in said:
        return Refusal("indeterminate, neither negative nor positive: the report leaves it open")
    if negative or "poly" in said:
        lanes = {h or light for c in negative for h, light in c.bands if not (h and light)}
        whole = any(not c.bands or any(h and light for h, light in c.bands) for c in negative)
        if not (whole or "poly" in said or set(LIGHT) <= lanes):
            return Refusal("only some lanes are reported negative; IgG, IgA, IgM, κ and λ make an immunofixation")
        return Finding("negative", note=notes)
    if "undone" in said:
        return Finding(None, not_done=True)
    if "history" in said:
        return Refusal("tells only what was found before, not what this sample shows")
    return Refusal("no finding is recognised in this text")


def _positive(positive: list[_Claim], negative: list[_Claim]) -> str | Refusal:
    """The canonical text of the positive statements, unless negative ones contradict them."""
    bands = [b for c in positive for b in c.bands]
    denied = {b for c in negative if not c.other for b in c.bands}
    if any(not c.bands and not c.other for c in negative) or denied & set(bands):
        return Refusal("contradicts itself: both negative and positive")
    heavies = list(dict.fromkeys(h for h, light in bands if h and not light))
    lights = list(dict.fromkeys(light for h, light in bands if light and not h))
    if not bands:
        return "positive"
    if len(heavies) == len(lights) == 1 and len(bands) == 2 and len(positive) > 1:
        return f"{heavies[0]}_{lights[0]}"  # lanes reported one by one: IgG(+) κ(+)
    if heavies and lights and len(positive) > 1 and (len(heavies) > 1 or len(lights) > 1):
        return "positive"
    return _canonical(["_".join(filter(None, b)) for b in bands])


def _canonical(chains: list[str]) -> str:
    return "+".join(c for c in CHAINS if c in chains)
