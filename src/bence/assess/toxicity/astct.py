"""CRS and ICANS of one day (ASTCT), and belantamab keratopathy of one examination: the grade from the signs.

Source of CRS and ICANS: Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-38. Rules are written for complete data; what
was not recorded leaves a set of grades. Grade 5 is death of it, which no sign tells: it is recorded. Rules in words:
docs/rules/toxicity.md.
"""

from ...rulebook import Rulebook, catalogue_domain, catalogue_words

BOOK = Rulebook(catalogue_domain, catalogue_words)
"""The rules of toxicity; they look at a day, those of `bence.rulebook.BOOK` at a patient."""

UNLESS_RECORDED = {
    # A sign counts as CRS or ICANS unless somebody wrote down another cause; a second drug beside the count of vasopressors
    # and an acuity that bars driving would have been written down.
    "fever_other_cause": "no",
    "hypotension_other_cause": "no",
    "hypoxia_other_cause": "no",
    "neurological_other_cause": "no",
    "vasopressin": "no",
    "visual_acuity_worse_20_200": "no",
}
"""What holds of a sign that nobody recorded. Every other sign that was not recorded is unknown."""


@BOOK.rule("lee-2019", zh="发热（≥38.0℃，无其他原因）")
def crs_fever(temperature, fever_other_cause, *, fever=38.0):
    """Fever of CRS: 38.0 degrees or more, not explained otherwise."""
    return temperature >= fever and fever_other_cause != "yes"


@BOOK.rule("lee-2019", zh="CRS：低血压的级别")
def crs_hypotension(vasopressor, vasopressin, hypotension, hypotension_other_cause):
    """Grade by blood pressure: 2 low without vasopressor, 3 one vasopressor, 4 two or more, vasopressin not counted.

    Vasopressin alone is one vasopressor (our reading).
    """
    if hypotension_other_cause == "yes":
        return 0
    if vasopressor >= 2:
        return 4
    if vasopressor >= 1 or vasopressin == "yes":
        return 3
    return 2 if hypotension == "yes" else 0


@BOOK.rule("lee-2019", zh="CRS：低氧的级别")
def crs_hypoxia(oxygen, hypoxia_other_cause):
    """Grade by oxygen: 2 low flow, 3 high flow or mask, 4 positive pressure; not what another reason asks for.

    Ventilation for sleep apnoea, to protect the airway or for a procedure is no hypoxia.
    """
    if hypoxia_other_cause == "yes" or oxygen == "none":
        return 0
    return 4 if oxygen == "positive_pressure" else 3 if oxygen == "high_flow" else 2


@BOOK.rule("lee-2019", zh="CRS分级（ASTCT）")
def crs_grade(crs_fever, crs_treated, crs_hypotension, crs_hypoxia):
    """CRS grade of a day: fever, and the worse of hypotension and hypoxia; 0 is none.

    `crs_treated`: in this episode an antipyretic, tocilizumab or a steroid was given after the fever began; from then on
    fever is not required. Organ toxicity does not change the grade.
    """
    if not crs_fever and crs_treated != "yes":
        return 0
    if crs_hypotension == 4 or crs_hypoxia == 4:
        return 4
    if crs_hypotension == 3 or crs_hypoxia == 3:
        return 3
    if crs_hypotension == 2 or crs_hypoxia == 2:
        return 2
    return 1 if crs_fever else 0


@BOOK.rule("lee-2019", zh="ICANS分级（ASTCT）")
def icans_grade(
    ice_score, consciousness, seizure, motor_deficit, cerebral_oedema, neurological_other_cause,
    *, normal=10, mild=7, moderate=3,
):  # fmt: skip
    """ICANS grade of a day: the worst of ICE, consciousness, seizure, motor findings and oedema; 0 is none.

    ICE 0 is grade 3 in somebody awake (global aphasia) and grade 4 in somebody who cannot be roused.
    """
    if neurological_other_cause == "yes":
        return 0
    if consciousness == "unarousable" or seizure == "prolonged" or motor_deficit == "yes" or cerebral_oedema == "diffuse":
        return 4
    if ice_score < moderate or consciousness == "touch" or seizure == "brief" or cerebral_oedema == "focal":
        return 3
    if ice_score < mild or consciousness == "voice":
        return 2
    return 1 if ice_score < normal else 0


@BOOK.rule("lonial-2021-kva", zh="角膜病变与视力（KVA）分级")
def keratopathy_kva(keratopathy_grade, visual_acuity_lines_lost, visual_acuity_worse_20_200, *, many=3):
    """Keratopathy and visual acuity (KVA): the worse of cornea and lines lost, of the worse eye; 0 is none.

    Acuity worse than 20/200 is grade 4; it is asked for where more than three lines are lost.
    """
    if keratopathy_grade >= 4 or (visual_acuity_lines_lost > many and visual_acuity_worse_20_200 == "yes"):
        return 4
    if keratopathy_grade >= 3 or visual_acuity_lines_lost > many:
        return 3
    if keratopathy_grade >= 2 or visual_acuity_lines_lost >= 2:
        return 2
    return 1 if keratopathy_grade >= 1 or visual_acuity_lines_lost >= 1 else 0
