"""Diagnosis: the IMWG criteria of 2014, and plasma cell leukaemia as redefined in 2021.

Calcium is in mmol/L, creatinine in umol/L, clearance in mL/min (measured or estimated), haemoglobin and serum
M-protein in g/L, urine M-protein in mg/24 h, free light chains in mg/L, clonal marrow plasma cells in %
(the higher of aspirate and biopsy). Lesions are counted from 5 mm on.

The rules say what the criteria say of a complete work-up. What holds of a value that nobody recorded is in
`unrecorded.py`, and only there.
"""

from ..rulebook import quantity, rule

# ---- Myeloma-defining events ------------------------------------------------------------------------------


@quantity("mmol/L", "payne-1973", zh="白蛋白校正血钙")
def corrected_calcium(calcium, albumin, *, factor=0.02, normal=40):
    """Calcium corrected for albumin: 0.02 mmol/L for each g/L that albumin is below 40 (0.8 mg/dL a g/dL)."""
    return calcium + factor * (normal - albumin)


@quantity("mmol/L", "rajkumar-2014", zh="校正血钙高出正常上限的值")
def calcium_above_limit(corrected_calcium, calcium_upper_limit):
    """Corrected calcium less the laboratory's upper limit."""
    return corrected_calcium - calcium_upper_limit


@quantity("mmol/L", "rajkumar-2014", zh="离子钙高出正常上限的值")
def ionised_calcium_above_limit(ionised_calcium, ionised_calcium_upper_limit):
    """Ionised calcium less the laboratory's upper limit."""
    return ionised_calcium - ionised_calcium_upper_limit


@quantity("g/L", "rajkumar-2014", zh="血红蛋白低于正常下限的值")
def hemoglobin_below_limit(hemoglobin_lower_limit, hemoglobin):
    """The laboratory's lower limit of haemoglobin less the value."""
    return hemoglobin_lower_limit - hemoglobin


@rule("rajkumar-2014", zh="高钙血症")
def hypercalcaemia(
    corrected_calcium, calcium_above_limit, ionised_calcium_above_limit, hypercalcaemia_other_cause,
    *, high=2.75, above_limit=0.25, ionised_above_limit=0.125,
):  # fmt: skip
    """Hypercalcaemia (C): above 2.75 mmol/L (11 mg/dL), or more than 0.25 mmol/L above the upper limit.

    The criteria give no figure for ionised calcium; half of the margin is used (about half is ionised).
    """
    raised = (
        corrected_calcium > high
        or calcium_above_limit > above_limit
        or ionised_calcium_above_limit > ionised_above_limit
    )  # fmt: skip
    return raised and hypercalcaemia_other_cause == "no"


@rule("rajkumar-2014", zh="肾功能不全")
def renal_insufficiency(creatinine, creatinine_clearance, renal_other_cause, *, high=177, clearance_low=40):
    """Renal insufficiency (R): creatinine above 177 umol/L (2 mg/dL), or clearance below 40 mL/min."""
    return (creatinine > high or creatinine_clearance < clearance_low) and renal_other_cause == "no"


@rule("rajkumar-2014", zh="贫血")
def anaemia(hemoglobin, hemoglobin_below_limit, anaemia_other_cause, *, low=100, below_limit=20):
    """Anaemia (A): haemoglobin below 100 g/L, or more than 20 g/L below the lower limit."""
    return (hemoglobin < low or hemoglobin_below_limit > below_limit) and anaemia_other_cause == "no"


@rule("rajkumar-2014", zh="骨病")
def bone_disease(lytic_lesions, bone_other_cause, *, lesions=1):
    """Bone disease (B): one osteolytic lesion or more on X-ray, CT, or the CT of a PET-CT."""
    return lytic_lesions >= lesions and bone_other_cause == "no"


@rule("rajkumar-2014", zh="骨髓克隆性浆细胞≥60%")
def sixty_percent_marrow(marrow_plasma_cells, *, high=60):
    """Clonal plasma cells of 60 % or more in the marrow (S)."""
    return marrow_plasma_cells >= high


@rule("rajkumar-2014", zh="受累/非受累游离轻链比≥100")
def light_chain_ratio_100(flc_ratio_involved, involved_flc, *, ratio=100, involved=100):
    """Involved to uninvolved light chain ratio of 100 or more, the involved chain at least 100 mg/L (Li)."""
    return flc_ratio_involved >= ratio and involved_flc >= involved


@rule("rajkumar-2014", zh="MRI 局灶性病变>1 处")
def mri_focal_lesions_two(mri_focal_lesions, *, lesions=1):
    """More than one focal lesion on MRI (M); a single one is looked at again after 3 to 6 months."""
    return mri_focal_lesions > lesions


@rule("rajkumar-2014", zh="骨髓瘤定义事件")
def myeloma_defining_event(
    hypercalcaemia, renal_insufficiency, anaemia, bone_disease,
    sixty_percent_marrow, light_chain_ratio_100, mri_focal_lesions_two,
):  # fmt: skip
    """Any myeloma-defining event (SLiM-CRAB)."""
    return (
        hypercalcaemia
        or renal_insufficiency
        or anaemia
        or bone_disease
        or sixty_percent_marrow
        or light_chain_ratio_100
        or mri_focal_lesions_two
    )  # fmt: skip


@rule("rajkumar-2014", zh="除单个骨病灶以外的骨髓瘤定义事件")
def event_beyond_one_lesion(
    hypercalcaemia, renal_insufficiency, anaemia, bone_disease, lytic_lesions,
    sixty_percent_marrow, light_chain_ratio_100, mri_focal_lesions_two,
    *, lesions=1,
):  # fmt: skip
    """A myeloma-defining event other than a single bone lesion, which may be the plasmacytoma itself."""
    return (
        hypercalcaemia
        or renal_insufficiency
        or anaemia
        or (bone_disease and lytic_lesions > lesions)
        or sixty_percent_marrow
        or light_chain_ratio_100
        or mri_focal_lesions_two
    )


# ---- The clone --------------------------------------------------------------------------------------------


@rule("rajkumar-2014", zh="受累游离轻链升高且比值异常")
def light_chain_excess(flc_ratio, kappa_flc, lambda_flc, *, low=0.26, high=1.65, kappa_high=19.4, lambda_high=26.3):
    """Free light chain ratio outside 0.26-1.65 with the involved chain raised."""
    if flc_ratio > high:
        return kappa_flc > kappa_high
    if flc_ratio < low:
        return lambda_flc > lambda_high
    return False


@rule("rajkumar-2014", zh="达到骨髓瘤的诊断标准")
def myeloma(marrow_plasma_cells, plasmacytoma_proven, myeloma_defining_event, event_beyond_one_lesion, *, clonal=10):
    """Myeloma: clonal marrow plasma cells of 10 % or more, or a proven plasmacytoma, and a defining event.

    Below 10 %, one bone lesion alone is a solitary plasmacytoma: more than one is needed.
    """
    if marrow_plasma_cells >= clonal:
        return myeloma_defining_event
    return plasmacytoma_proven != "no" and event_beyond_one_lesion


@rule("rajkumar-2014", zh="达到冒烟型骨髓瘤的 M 蛋白或骨髓浆细胞水平")
def smouldering_level(heavy_chain, serum_m_protein, urine_m_protein, marrow_plasma_cells, *, protein=30, urine=500, clonal=10):
    """M-protein or marrow at the level of smouldering myeloma; IgD and IgE are at it with any M-protein."""
    return (
        marrow_plasma_cells >= clonal
        or urine_m_protein >= urine
        or heavy_chain in ("igd", "ige")
        or (heavy_chain in ("igg", "iga") and serum_m_protein >= protein)
    )


@rule("rajkumar-2014", zh="IgM 型骨髓瘤的佐证")
def igm_myeloma_confirmed(lytic_lesions, t_11_14):
    """What tells IgM myeloma from lymphoplasmacytic lymphoma: a lytic lesion or t(11;14)."""
    return lytic_lesions >= 1 or t_11_14 == "positive"


@rule("rajkumar-2014", zh="超出 IgM 型 MGUS 的范围")
def beyond_igm_mgus(
    serum_m_protein, marrow_plasma_cells, marrow_lpl_infiltration, myeloma_defining_event,
    *, protein=30, infiltration=10,
):  # fmt: skip
    """IgM with 30 g/L or more, 10 % infiltration or more, or organ damage: no longer IgM MGUS."""
    return (
        serum_m_protein >= protein
        or marrow_plasma_cells >= infiltration
        or marrow_lpl_infiltration >= infiltration
        or myeloma_defining_event
    )


@rule("fernandez-de-larrea-2021", zh="循环浆细胞≥5%")
def leukaemic(circulating_plasma_cells, *, share=5):
    """Circulating plasma cells of 5 % of leukocytes or more, on a smear."""
    return circulating_plasma_cells >= share


# ---- Diagnosis --------------------------------------------------------------------------------------------


@rule("rajkumar-2014", zh="孤立性浆细胞瘤的类型")
def plasmacytoma_kind(plasmacytoma_count, marrow_plasma_cells, marrow_clonality):
    """What a proven plasmacytoma without further disease is: alone, or with a little clonal marrow."""
    if plasmacytoma_count > 1:
        return "unclassified"
    if marrow_plasma_cells > 0 and marrow_clonality == "positive":
        return "solitary_plasmacytoma_minimal_marrow"
    return "solitary_plasmacytoma"


@rule("rajkumar-2014", zh="诊断（IMWG 2014）")
def diagnosis(
    heavy_chain, light_chain, myeloma, igm_myeloma_confirmed, leukaemic, plasmacytoma_proven,
    plasmacytoma_kind, marrow_plasma_cells, marrow_clonality, myeloma_defining_event, beyond_igm_mgus,
    smouldering_level, light_chain_excess,
    *, clonal=10,
):  # fmt: skip
    """Diagnosis by IMWG 2014; plasma cell leukaemia from 5 % circulating plasma cells on (2021).

    `unclassified`: a clone is there, and the criteria have no name for the rest (organ damage with less than
    10 % plasma cells, several plasmacytomas without an event). `none`: there is no clone.
    """
    if myeloma and (heavy_chain != "igm" or igm_myeloma_confirmed):
        return "PCL" if leukaemic else "MM"
    if plasmacytoma_proven != "no" and marrow_plasma_cells < clonal:
        return plasmacytoma_kind
    if heavy_chain == "igm":
        return "out_of_scope_LPL" if beyond_igm_mgus else "MGUS_IgM"
    if smouldering_level:
        return "unclassified" if myeloma_defining_event else "SMM"
    if heavy_chain != "none" or light_chain_excess:
        if myeloma_defining_event:
            return "unclassified"
        return "MGUS_non_IgM" if heavy_chain != "none" else "MGUS_light_chain"
    if light_chain != "none" or (marrow_plasma_cells > 0 and marrow_clonality == "positive"):
        return "unclassified"
    return "none"


@rule("kumar-2016", zh="分泌类型")
def diagnosis_subtype(
    serum_ife, urine_ife, serum_m_protein, urine_m_protein, involved_flc, flc_ratio,
    *, serum=10, urine=200, involved=100, ratio_low=0.26, ratio_high=1.65,
):  # fmt: skip
    """Secretory, oligosecretory (M-protein not measurable) or non-secretory (immunofixation negative)."""
    if serum_ife == "negative" and urine_ife == "negative":
        return "non_secretory"
    if serum_m_protein >= serum or urine_m_protein >= urine:
        return "secretory"
    if involved_flc >= involved and (flc_ratio < ratio_low or flc_ratio > ratio_high):
        return "secretory"
    return "oligosecretory"


# ---- Amyloidosis and POEMS --------------------------------------------------------------------------------


@rule("rajkumar-2014", zh="克隆性浆细胞疾病")
def clonal_disorder(heavy_chain, light_chain, light_chain_excess, marrow_clonality, plasmacytoma_proven):
    """A clone of plasma cells, by any of its signs."""
    return (
        heavy_chain != "none"
        or light_chain != "none"
        or light_chain_excess
        or marrow_clonality == "positive"
        or plasmacytoma_proven != "no"
    )


@rule("rajkumar-2014", zh="系统性轻链型淀粉样变性")
def al_amyloidosis(amyloid_syndrome, congo_red, amyloid_typed, clonal_disorder):
    """AL amyloidosis: organ syndrome, Congo red, typed as light chain, and a clone."""
    proven = congo_red == "positive" and amyloid_typed == "yes"
    return amyloid_syndrome == "yes" and proven and clonal_disorder


@quantity("times the upper limit", "dispenzieri-2012", zh="血管内皮生长因子与正常上限之比", low=0)
def vegf_relative(vegf, vegf_upper_limit):
    """VEGF as a multiple of the laboratory's upper limit."""
    return vegf / vegf_upper_limit


@rule("dispenzieri-2012", zh="POEMS 综合征主要标准")
def poems_major(osteosclerotic_lesion, castleman, vegf_relative, *, raised=1):
    """A major criterion of POEMS: osteosclerotic lesion, Castleman disease or raised VEGF."""
    return osteosclerotic_lesion == "yes" or castleman == "yes" or vegf_relative > raised


@rule("dispenzieri-2012", zh="POEMS 综合征次要标准")
def poems_minor(organomegaly, volume_overload, endocrinopathy, poems_skin, papilloedema, thrombocytosis, polycythaemia):
    """A minor criterion of POEMS."""
    return (
        organomegaly == "yes"
        or volume_overload == "yes"
        or endocrinopathy == "yes"
        or poems_skin == "yes"
        or papilloedema == "yes"
        or thrombocytosis == "yes"
        or polycythaemia == "yes"
    )


@rule("dispenzieri-2012", zh="POEMS 综合征")
def poems(polyneuropathy, clonal_disorder, poems_major, poems_minor):
    """POEMS syndrome: polyneuropathy and a clone, with one major and one minor criterion."""
    return polyneuropathy == "yes" and clonal_disorder and poems_major and poems_minor
