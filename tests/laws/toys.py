"""A small rulebook for the laws: stages that share inputs, a count, a quantity, an unlisted category."""

from bence.interval import NOT_NEGATIVE, PERCENT
from bence.rulebook import Rulebook

FISH = ("negative", "positive")
DOMAINS = {
    "b2m": NOT_NEGATIVE,
    "albumin": NOT_NEGATIVE,
    "ldh": NOT_NEGATIVE,
    "ldh_upper_limit": NOT_NEGATIVE,
    "del_17p": PERCENT,
    "t_4_14": FISH,
    "t_14_16": FISH,
    "gain_1q": NOT_NEGATIVE,
    "creatinine": NOT_NEGATIVE,
    "heavy_chain": ("igg", "iga", "igm", "none"),
    "fever": ("yes", "no"),
}
WORDS = {"del_17p": {"positive": PERCENT.within(NOT_NEGATIVE)}}

book = Rulebook(DOMAINS.get, lambda name: WORDS.get(name, {}))


@book.rule("greipp-2005", zh="国际分期系统")
def iss(b2m, albumin, *, high=5.5, low=3.5, albumin_low=35):
    """International Staging System."""
    if b2m >= high:
        return "III"
    if b2m < low and albumin >= albumin_low:
        return "I"
    return "II"


@book.quantity("times the upper limit", low=0)
def ldh_relative(ldh, ldh_upper_limit):
    """LDH as a multiple of its upper limit."""
    return ldh / ldh_upper_limit


@book.rule("palumbo-2015")
def ldh_high(ldh_relative, *, limit=1):
    """LDH above the upper limit."""
    return ldh_relative > limit


@book.rule("palumbo-2015")
def high_risk_fish(del_17p, t_4_14, t_14_16):
    """High-risk cytogenetics."""
    return del_17p > 0 or t_4_14 == "positive" or t_14_16 == "positive"


@book.rule("palumbo-2015")
def r_iss(iss, high_risk_fish, ldh_high):
    """Revised International Staging System."""
    if iss == "I" and not high_risk_fish and not ldh_high:
        return "I"
    if iss == "III" and (high_risk_fish or ldh_high):
        return "III"
    return "II"


@book.rule("dagostino-2022")
def r2_points(iss, del_17p, ldh_high, t_4_14, gain_1q):
    """Twice the points of R2-ISS."""
    points = {"I": 0, "II": 2, "III": 3}[iss]
    return points + 2 * (del_17p > 0) + (2 if ldh_high else 0) + 2 * (t_4_14 == "positive") + (gain_1q >= 3)


@book.rule("dagostino-2022")
def r2_iss(r2_points):
    """Second revision of the International Staging System."""
    return "I" if r2_points < 1 else "II" if r2_points <= 2 else "III" if r2_points <= 5 else "IV"


@book.rule("toy")
def kidney(creatinine, b2m, iss):
    """A rule that looks at the stage and at what the stage is made of."""
    if creatinine > 177 and iss == "III":
        return "late" if b2m > 10 else "early"
    return "no" if iss != "II" or b2m == 4 else "perhaps"


@book.rule("toy")
def chain(heavy_chain, fever):
    """Categories: membership, a dictionary, a flag."""
    if heavy_chain in {"igg", "iga"}:
        return {"igg": "G", "iga": "A"}[heavy_chain] + ("+" if fever == "yes" else "")
    return "other" if heavy_chain != "none" else "light"


@book.rule("toy")
def adverse(t_4_14, t_14_16, del_17p, gain_1q, high_risk_fish, r_iss):
    """A count that shares its inputs with the rules it needs."""
    hits = sum(test == "positive" for test in (t_4_14, t_14_16)) + (del_17p >= 20) + (3 <= gain_1q < 5)
    if hits >= 2 and r_iss != "I":
        return "double"
    return "single" if hits or high_risk_fish else "none"


@book.rule("toy")
def site(where):
    """A word whose categories are not listed."""
    return "bone" if where == "bone" else "soft" if where in ("liver", "skin") else "elsewhere"


TARGETS = list(book.rules)
