"""Frailty: the IMWG score and the simplified score.

Age is in years at diagnosis. "75 or younger" lasts until the 76th birthday, "80 or younger" until the 81st.
"""

from ..rulebook import rule


def _age_points(age, old, very_old):
    return 2 if age >= very_old else 1 if age >= old else 0


@rule("palumbo-2015-frailty", zh="IMWG 衰弱评分")
def frailty_imwg(
    age, adl, iadl, charlson,
    *, old=76, very_old=81, adl_low=4, iadl_low=5, comorbid=2, intermediate=1, frail=2,
):  # fmt: skip
    """IMWG frailty: age, activities of daily living (Katz ADL, Lawton IADL) and comorbidity (Charlson)."""
    points = _age_points(age, old, very_old) + (adl <= adl_low) + (iadl <= iadl_low) + (charlson >= comorbid)
    return "frail" if points >= frail else "intermediate" if points >= intermediate else "fit"


@rule("facon-2020", zh="简化衰弱评分")
def frailty_simplified(age, charlson, ecog, *, old=76, very_old=81, comorbid=1, ecog_low=1, ecog_high=2, frail=2):
    """Simplified frailty: age, comorbidity (Charlson) and ECOG performance status."""
    performance = 2 if ecog >= ecog_high else 1 if ecog >= ecog_low else 0
    points = _age_points(age, old, very_old) + (charlson > comorbid) + performance
    return "frail" if points >= frail else "non-frail"
