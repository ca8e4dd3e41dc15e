"""Risk of smouldering myeloma: Mayo 2018, IMWG 2020, its point score, China 2024, and entry to AQUILA.

M-protein is in g/L, marrow plasma cells in %, the free light chain ratio is involved to uninvolved, gain(1q)
in copies. The models part at their edges (`>20` here, `>=20` there), and are meant to: each keeps its own.
"""

from ..rulebook import rule

# ---- Three factors: 2 g/dL, ratio 20, 20 % ----------------------------------------------------------------


@rule("lakshman-2018", zh="冒烟型骨髓瘤 2/20/20 危险因素个数")
def smm_factors(serum_m_protein, flc_ratio_involved, marrow_plasma_cells, *, protein=20, ratio=20, cells=20):
    """How many of the factors 2/20/20: M-protein, free light chain ratio and marrow, each above its limit."""
    return (serum_m_protein > protein) + (flc_ratio_involved > ratio) + (marrow_plasma_cells > cells)


@rule("lakshman-2018", zh="冒烟型骨髓瘤危险度（Mayo 2018，20/2/20）")
def smm_risk_mayo_2018(smm_factors):
    """Smouldering risk, Mayo 2018 (20/2/20)."""
    if smm_factors >= 2:
        return "high"
    return "intermediate" if smm_factors == 1 else "low"


@rule("mateos-2020", zh="冒烟型骨髓瘤危险度（IMWG 2020，2/20/20）")
def smm_risk_imwg_2020(smm_factors):
    """Smouldering risk, IMWG 2020 (2/20/20)."""
    if smm_factors >= 2:
        return "high"
    return "intermediate" if smm_factors == 1 else "low"


@rule("mateos-2020", zh="冒烟型骨髓瘤相关的危险细胞遗传学")
def smm_cytogenetics(t_4_14, t_14_16, gain_1q, del_13q, *, copies=3):
    """Cytogenetics that hasten progression: t(4;14), t(14;16), 1q+, del(13q) or monosomy 13."""
    return t_4_14 == "positive" or t_14_16 == "positive" or gain_1q >= copies or del_13q == "positive"


@rule("mateos-2020", zh="冒烟型骨髓瘤危险度（IMWG 2020，含细胞遗传学）")
def smm_risk_imwg_2020_cytogenetics(smm_factors, smm_cytogenetics):
    """Smouldering risk, IMWG 2020 with cytogenetics as a fourth factor."""
    if smm_factors == 3 or (smm_factors == 2 and smm_cytogenetics):
        return "high"
    if smm_factors == 2 or (smm_factors == 1 and smm_cytogenetics):
        return "intermediate"
    return "low-intermediate" if smm_factors == 1 or smm_cytogenetics else "low"


# ---- Points -----------------------------------------------------------------------------------------------


def _points(value, *bands):
    """Points of the highest band the value lies above; each band is (above, points), the highest first."""
    return next((points for above, points in bands if value > above), 0)


@rule("mateos-2020", zh="冒烟型骨髓瘤 IMWG 2020 积分")
def smm_points_2020_total(
    flc_ratio_involved, serum_m_protein, marrow_plasma_cells, smm_cytogenetics,
    *, ratio=((40, 5), (25, 3), (10, 2)), protein=((30, 4), (15, 3)),
    cells=((40, 6), (30, 5), (20, 3), (15, 2)), cytogenetics=2,
):  # fmt: skip
    """Points of the IMWG 2020 score, 0 to 17."""
    return (
        _points(flc_ratio_involved, *ratio)
        + _points(serum_m_protein, *protein)
        + _points(marrow_plasma_cells, *cells)
        + (cytogenetics if smm_cytogenetics else 0)
    )


@rule("mateos-2020", zh="冒烟型骨髓瘤危险度（IMWG 2020 积分）")
def smm_points_2020(smm_points_2020_total, *, high=12, intermediate=8, low_intermediate=4):
    """Smouldering risk by the IMWG 2020 score: 0-4, 5-8, 9-12, more than 12 points."""
    if smm_points_2020_total > high:
        return "high"
    if smm_points_2020_total > intermediate:
        return "intermediate"
    return "low-intermediate" if smm_points_2020_total > low_intermediate else "low"


# ---- China, and the trial ---------------------------------------------------------------------------------


@rule("cma-2024", zh="高危冒烟型骨髓瘤（中国指南 2024）")
def smm_risk_china_2024(serum_m_protein, flc_ratio_involved, marrow_plasma_cells, *, protein=20, ratio=20, cells=20, factors=2):
    """High-risk smouldering myeloma, Chinese guideline 2024: two of three, limits included."""
    found = (serum_m_protein >= protein) + (flc_ratio_involved >= ratio) + (marrow_plasma_cells >= cells)
    return "high" if found >= factors else "not_high"


@rule("dimopoulos-2025", zh="AQUILA 研究入组条件：至少一项高危因素")
def aquila_risk_factor(
    heavy_chain, serum_m_protein, flc_ratio_involved, marrow_plasma_cells, immunoparesis,
    *, protein=30, ratio=8, ratio_below=100, cells=50, cells_below=60, isotypes=2,
):  # fmt: skip
    """One high-risk factor of AQUILA or more."""
    return (
        serum_m_protein >= protein
        or heavy_chain == "iga"
        or immunoparesis >= isotypes
        or ratio <= flc_ratio_involved < ratio_below
        or cells < marrow_plasma_cells < cells_below
    )


@rule("dimopoulos-2025", zh="符合 AQUILA 研究入组条件")
def aquila_eligible(smm_years, marrow_plasma_cells, aquila_risk_factor, *, years=5, cells=10):
    """Eligible as in AQUILA: smouldering for at most 5 years, marrow 10 % or more, one risk factor.

    The trial also asked for ECOG 0 or 1; whoever recommends the treatment confirms it.
    """
    return smm_years <= years and marrow_plasma_cells >= cells and aquila_risk_factor
