"""Genetic variants of mCODE, regions studied, FISH panels in words and karyotypes, each written by hand.

Codes and answers as the profiles have them: mcode-genomic-variant (mCODE STU4), variant (Genomics Reporting), LOINC LL1971-2.
"""

from __future__ import annotations

import pytest
from bundles import LOINC, SNOMED, coded, observation, quantity, read, refused, values

from bence.fhir import to_fhir
from bence.read.fhir.abnormalities import abnormality, in_karyotype, known
from bence.read.fhir.concepts import check_digit_holds
from bence.read.fhir.terms import OF_VARIANT, REGION_CODE, VARIANT_CODE
from bence.read.mapping import loads

PRESENT, ABSENT = coded("LA9633-4", display="Present"), coded("LA9634-2", display="Absent")
NO_CALL, INDETERMINATE = coded("LA18198-4", display="No call"), coded("LA11884-6", display="Indeterminate")
SEQUENCING = coded("LA26398-0", display="Sequencing")
SEQUENCE_ONTOLOGY, HGNC = "http://www.sequenceontology.org", "http://www.genenames.org"


def part(code, value):
    kind = "valueQuantity" if "value" in value else "valueRange" if "low" in value else "valueCodeableConcept"
    return {"code": coded(code) if isinstance(code, str) else code, kind: value}


def gene(symbol, number=None):
    return part("48018-6", coded(f"HGNC:{number}" if number else symbol, HGNC, symbol))


def place(band):
    return part("48001-2", {"text": band})


def change(code, name):
    return part("48019-4", coded(code, SEQUENCE_ONTOLOGY, name))


def copies(low, high=None):
    return part("82155-3", quantity(low, "1") if high is None else {"low": {"value": low}, "high": {"value": high}})


def hgvs(code, text):
    return part(code, coded(text, "http://varnomen.hgvs.org"))


def iscn(text):
    return part("81291-7", coded(text, "https://iscn.karger.com"))


def variant(value, *parts, **more):
    return observation("69548-6", value, component=list(parts), **more)


LOSS, GAIN = change("SO:0001743", "copy_number_loss"), change("SO:0001742", "copy_number_gain")
MOVED = change("SO:0000199", "translocation")
TP53 = gene("TP53", 11998)
WHICH, HARMLESS = "not said which change of which gene or region it is", "a variant that is not known to matter is no mutation"
OPEN = "but its copies or alleles leave that open"
R175H = (hgvs("48004-6", "NM_000546.6:c.524G>A"), hgvs("48005-3", "NP_000537.3:p.(Arg175His)"))


def told(chart):
    """Code, number, word."""
    return [(what, value, text) for _, what, value, _, text in values(chart)]


def reasons(chart):
    return [(row[1], row[3]) for row in refused(chart)]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (variant(PRESENT, TP53, LOSS), ("del_17p", None, "positive")),
        (variant(PRESENT, place("17p13.1"), change("SO:0000159", "deletion")), ("del_17p", None, "positive")),
        (variant(ABSENT, TP53, LOSS), ("del_17p", 0, "negative")),
        (variant(PRESENT, TP53, *R175H), ("tp53_mutation", None, "positive")),
        (variant(PRESENT, TP53, change("SO:0001483", "SNV")), ("tp53_mutation", None, "positive")),
        (variant(ABSENT, TP53, method=SEQUENCING), ("tp53_mutation", None, "negative")),
        (variant(PRESENT, gene("IGH", 5477), gene("FGFR3", 3690)), ("t_4_14", None, "positive")),
        (variant(PRESENT, gene("IGH"), gene("NSD2"), gene("FGFR3"), MOVED), ("t_4_14", None, "positive")),
        (variant(ABSENT, gene("IGH::MAF"), MOVED), ("t_14_16", None, "negative")),
        (variant(PRESENT, iscn("t(11;14)(q13;q32)")), ("t_11_14", None, "positive")),
        (variant(ABSENT, place("14q32.3"), place("20q12"), MOVED), ("t_14_20", None, "negative")),
        (variant(PRESENT, gene("CKS1B", 19083), GAIN, copies("4")), ("gain_1q", 4, None)),
        (variant(PRESENT, place("1q21.3"), copies("3", "4")), ("gain_1q", None, "positive")),
        (variant(PRESENT, gene("CKS1B"), GAIN), ("gain_1q", None, "positive")),
        (variant(ABSENT, gene("CKS1B"), GAIN, copies("2")), ("gain_1q", 2, None)),
        (variant(ABSENT, place("1q21"), GAIN), ("gain_1q", None, "negative")),
        (variant(PRESENT, gene("CDKN2C", 1789), LOSS, copies("1")), ("del_1p32", None, "monoallelic")),
        (variant(PRESENT, place("1p32.3"), LOSS, part("53034-5", coded("LA6705-3", LOINC, "Homozygous"))), ("del_1p32", None, "biallelic")),
        (variant(PRESENT, place("1p32.3"), LOSS), ("del_1p32", None, "positive")),
        (variant(PRESENT, gene("RB1"), LOSS), ("del_13q", None, "positive")),
        (variant(PRESENT, gene("MYC"), MOVED), ("myc_rearrangement", None, "positive")),
        (variant(coded("52101004", SNOMED), TP53, LOSS), ("del_17p", None, "positive")),
    ],
)
def test_a_variant_is_an_abnormality_of_the_catalogue(resource, expected):
    chart = read(resource)
    assert told(chart) == [expected], refused(chart)
    assert reasons(chart) == []


@pytest.mark.parametrize(("value", "reason"), [
    (NO_CALL, "not called, or indeterminate"), (INDETERMINATE, "not called, or indeterminate"),
    (None, "not said whether the variant is present"), (coded("LA6682-4"), "not said whether the variant is present"),
])  # fmt: skip
def test_what_is_not_called_is_neither_present_nor_absent(value, reason):
    chart = read(variant(value, TP53, LOSS))
    assert told(chart) == []
    assert reasons(chart) == [("Observation.value", reason)]


def test_a_share_of_reads_is_no_share_of_cells():
    reads = part("81258-6", quantity("0.31", "1"))
    chart = read(variant(PRESENT, place("17p13"), LOSS, reads))
    assert told(chart) == [("del_17p", None, "positive")]
    assert chart.tally["shares of reads, which are no shares of plasma cells"] == 1
    cells = part({"text": "Percent of plasma cells"}, quantity("62", "%"))
    assert told(read(variant(PRESENT, place("17p13"), LOSS, reads, cells))) == [("del_17p", 62, None)]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        # one absent change of a gene does not make the gene unmutated
        (variant(ABSENT, TP53, *R175H), "one change of TP53 is absent, others may be there"),
        # mutated, deleted or gained?
        (variant(PRESENT, TP53), WHICH),
        (variant(PRESENT, TP53, method=SEQUENCING), WHICH),
        (variant(PRESENT, TP53, change("SO:0000159", "deletion")), WHICH),
        (variant(PRESENT, place("17p13.1")), WHICH),
        (variant(PRESENT, gene("BCR"), gene("ABL1"), MOVED), WHICH),
        # no mutation of the plasma cells, or none that matters
        (variant(PRESENT, TP53, hgvs("48005-3", "p.(Arg213=)"), hgvs("48004-6", "c.639A>G")), HARMLESS),
        (variant(PRESENT, TP53, hgvs("48005-3", "p.Pro72Arg")), HARMLESS),
        (variant(PRESENT, TP53, *R175H, part("53037-8", coded("LA6675-8", LOINC, "Benign"))), HARMLESS),
        (variant(PRESENT, TP53, *R175H, part("48002-0", coded("LA6683-2"))), "a germline variant says nothing of the plasma cells"),
        # contradictions
        (variant(PRESENT, gene("IGH"), gene("CCND1"), iscn("t(4;14)(p16;q32)")), "its components mean t_11_14 and t_4_14"),
        (variant(PRESENT, gene("CKS1B"), GAIN, copies("2.4")), f"gain(1q21) is said to be present, {OPEN}"),
        (variant(PRESENT, TP53, LOSS, copies("2")), f"del(17p) is said to be present, {OPEN}"),
        (variant(ABSENT, gene("CKS1B"), GAIN, copies("4")), f"gain(1q21) is said to be absent, {OPEN}"),
        (variant(ABSENT, gene("CDKN2C"), LOSS, copies("0")), f"del(1p32) is said to be absent, {OPEN}"),
        (variant(ABSENT, iscn("46,XX")), "a karyotype that is absent says nothing"),
    ],
)  # fmt: skip
def test_what_leaves_it_open_is_told_with_the_reason(resource, reason):
    chart = read(resource)
    assert told(chart) == []
    assert [why for _, why in reasons(chart)] == [reason]


def test_a_small_deletion_within_a_gene_is_no_loss_of_its_region():
    alleles = [{"code": coded("69547-8"), "valueString": "CAG"}, {"code": coded("69551-0"), "valueString": "C"}]
    small = read(variant(PRESENT, TP53, place("17p13.1"), change("SO:0000159", "deletion"), *alleles))
    assert told(small) == [("tp53_mutation", None, "positive")]
    whole = part("81254-5", {"low": {"value": 1}, "high": {"value": 15000000}})
    assert told(read(variant(PRESENT, TP53, place("17p13.1"), change("SO:0000159", "deletion"), whole))) == [("del_17p", None, "positive")]


def test_genes_that_a_chart_has_no_place_for_are_told_and_are_not_the_nearest_one():
    kras = [variant(PRESENT, gene("KRAS"), hgvs("48005-3", f"p.Gly{at}Asp")) for at in (12, 13)]
    chart = read(*kras)
    assert told(chart) == []
    assert [row[2:] for row in refused(chart)] == [("KRAS mutation", "an abnormality that a chart has no place for")] * 2
    assert chart.rejected["nearest"].to_list() == [None, None]
    assert read(*kras, mapping=loads('ignore = ["KRAS mutation"]')).rejected.height == 0


@pytest.mark.parametrize("status", ["preliminary", "cancelled"])
def test_a_variant_that_does_not_stand(status):
    chart = read(variant(PRESENT, TP53, LOSS, status=status))
    assert told(chart) == []
    assert reasons(chart) == [("Observation.status", "not a result that stands")]


def test_a_profile_is_enough_and_mapping_files_speak_first():
    profile = {"profile": ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-genomic-variant|4.0.0"]}
    local = observation({"text": "NGS"}, PRESENT, meta=profile, component=[part({"text": "note"}, {"text": "t(4;14)"}), iscn("t(4;14)")])
    assert told(read(local)) == [("t_4_14", None, "positive")]
    assert read(variant(PRESENT, TP53, LOSS), mapping=loads('ignore = ["69548-6"]')).observations.height == 0


def test_a_region_that_was_studied_is_no_result():
    studied = observation("53041-0", component=[TP53, gene("CKS1B"), part("36908-2", {"text": "TP53 mutation"})])
    chart = read(studied)
    assert told(chart) == []
    assert reasons(chart) == []
    assert chart.tally["regions studied, which say what was tested and not what was found"] == 1
    said = observation("53041-0", ABSENT, component=[part("36908-2", {"text": "TP53 mutation"})], method=SEQUENCING)
    assert told(read(said)) == []  # mCODE has no value here, and what it would mean is not said
    assert told(read(observation("53041-0", ABSENT, component=[TP53], method=SEQUENCING))) == [("tp53_mutation", None, "negative")]


PANEL = {"text": "浆细胞FISH / myeloma FISH panel"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("del(17p): positive (35%); t(4;14) not detected; 1q21 gain, 3 copies",
         [("del_17p", 35, None), ("gain_1q", 3, None), ("t_4_14", None, "negative")]),
        ("Negative for t(4;14), t(14;16) and t(14;20). Positive for gain(1q21).",
         [("gain_1q", None, "positive"), ("t_14_16", None, "negative"), ("t_14_20", None, "negative"), ("t_4_14", None, "negative")]),
        ("17p缺失 阳性(35%)，t(4;14) 阴性；未见IGH/MAF、IGH/MAFB",
         [("del_17p", 35, None), ("t_14_16", None, "negative"), ("t_14_20", None, "negative"), ("t_4_14", None, "negative")]),
        ("IGH/FGFR3(-)，IGH/CCND1(+)，1q21扩增(+)",
         [("gain_1q", None, "positive"), ("t_11_14", None, "positive"), ("t_4_14", None, "negative")]),
        ("amp(1q21) positive in 60% of plasma cells\nTP53 loss - negative",
         [("del_17p", 0, "negative"), ("gain_1q", None, "amplification")]),
        ("del(1p32) present; TP53 mutation absent", [("del_1p32", None, "positive"), ("tp53_mutation", None, "negative")]),
    ],
)  # fmt: skip
def test_a_panel_in_words(text, expected):
    chart = read(observation(PANEL, text))
    assert told(chart) == expected
    assert reasons(chart) == []


@pytest.mark.parametrize(
    ("text", "piece", "reason"),
    [
        ("del(17p), t(11;14) detected", "del(17p)", "not said whether it was found"),
        ("t(4;14) possible; t(11;14) detected", "t(4;14) possible", "not said clearly whether it was found"),
        ("t(4;14) positive?; t(11;14) detected", "t(4;14) positive?", "not said clearly whether it was found"),
        ("t(4;14) 45%; t(11;14) detected", "t(4;14) 45%", "a number alone is no result of it"),
        ("amp(1q21) negative; t(11;14) detected", "amp(1q21) negative", "where there is no amplification, there may be a gain"),
        ("del(16q) positive; t(11;14) detected", "del(16q) positive", "no result of an abnormality that is known"),
        ("no t(4;14) or other change; t(11;14) detected", "no t(4;14) or other change", "no result of an abnormality that is known"),
    ],
)
def test_what_a_panel_leaves_open_is_told_piece_by_piece(text, piece, reason):
    chart = read(observation(PANEL, text))
    assert told(chart) == [("t_11_14", None, "positive")]
    assert [row[1:] for row in refused(chart)] == [("Observation.value", piece, reason)]


@pytest.mark.parametrize("text", ["t(4;14); del(17p)", "abnormal", "normal", "see report"])
def test_a_panel_of_which_nothing_is_understood_is_an_unknown_code(text):
    chart = read(observation(PANEL, text))
    assert told(chart) == []
    assert reasons(chart) == [("Observation.code", "unknown code: its 1 rows (Observation) are not read")]


def test_words_are_read_in_panels_alone():
    assert told(read(observation({"text": "history"}, "t(4;14) positive"))) == []


def test_the_components_of_a_panel_are_its_results():
    parts = [
        part({"text": "t(4;14)"}, ABSENT),
        part({"text": "TP53 deletion"}, quantity("40", "%")),
        part({"text": "t(14;16)"}, INDETERMINATE),
    ]
    chart = read(observation(PANEL, "t(11;14) positive", component=parts))
    assert told(chart) == [("del_17p", 40, None), ("t_4_14", None, "negative")]
    assert ("Observation.component[2].value", "'Indeterminate' is not a result of t_14_16") in reasons(chart)


def test_a_karyotype_shows_what_is_there_and_nothing_of_what_is_not():
    text = "45,X,-Y,-13,t(4;14)(p16.3;q32),del(17)(p13.1),der(14)t(11;14)(q13;q32),?del(1)(p32)[5]/46,XY[15]"
    shown = {("del_13q", None, "positive"), ("t_4_14", None, "positive"), ("del_17p", None, "positive"), ("karyotype", None, text)}
    assert set(told(read(observation("62356-1", text)))) == shown
    assert set(told(read(variant(PRESENT, iscn(text))))) == shown
    assert told(read(observation("62356-1", "46,XX[20]"))) == [("karyotype", None, "46,XX[20]")]


def test_a_karyotype_in_words_denies_nothing():
    text = "t(11;14) detected; t(4;14) not detected"  # t(4;14) is cryptic: no karyotype shows it
    chart = read(observation({"text": "cytogenetics"}, text))
    assert set(told(chart)) == {("t_11_14", None, "positive"), ("karyotype", None, text)}
    assert [row[0] for row in told(read(observation({"text": "cytogenetics"}, "t(11;14)")))] == ["karyotype"]


def test_codes_of_loinc_have_their_check_digits():
    assert all(map(check_digit_holds, (VARIANT_CODE, REGION_CODE, *OF_VARIANT, "62356-1", "33773-3", "81258-6", "53034-5", "48002-0")))


def test_a_karyotype_of_amniotic_fluid_is_not_hers():
    assert told(read(observation("33773-3", "46,XX"))) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("del(1)(p13)", "del_1p32"), ("del(1)(p31p33)", "del_1p32"), ("del(1)(p36)", None), ("del(1)(p21p31)", None),
        ("del(17)(p11.2)", "del_17p"), ("del(17)(q21)", None), ("del(13)(q12q14)", "del_13q"), ("t(9;22)(q34;q11)", None),
        ("17p13 deletion", "del_17p"), ("loss of chromosome 17p", "del_17p"), ("1q21 loss", None), ("17p gain", None), ("TP53", None),
    ],
)  # fmt: skip
def test_the_band_decides(text, code):
    name = abnormality(text)
    assert (known(name) if name else None) == code


def test_no_name_of_the_catalogue_is_lost_in_a_karyotype():
    for name in ("t(4;14)(p16;q32)", "t(14;16)(q32;q23)", "t(14;20)(q32;q12)", "t(11;14)(q13;q32)", "t(6;14)(p21;q32)"):
        assert in_karyotype(f"46,XX,{name}[3]/46,XX[17]") == [name.partition(")")[0] + ")"]


def test_what_was_read_is_written_and_read_again():
    chart = read(variant(PRESENT, gene("CKS1B"), GAIN, copies("4")), variant(ABSENT, TP53, LOSS), observation(PANEL, "del(1p32) present"))
    again = read(*[entry["resource"] for entry in to_fhir(chart)["entry"]][1:])
    assert told(again) == told(chart)
    assert chart.observations.height == 3


@pytest.mark.parametrize("broken", [
    {"component": ["x", {"code": "48018-6"}, {"code": coded("48018-6"), "valueCodeableConcept": "TP53"}]},
    {"component": [part("82155-3", {"value": "many"})]}, {"component": [None]}, {"meta": {"profile": "variant"}},
    {"code": coded("69548-6") | {"text": 3}},
])  # fmt: skip
def test_a_broken_variant_is_told_and_breaks_nothing(broken):
    chart = read(variant(PRESENT, TP53, LOSS) | broken | {"id": "v"}, observation({"text": "t(4;14)"}, PRESENT))
    assert ("t_4_14", None, "positive") in told(chart)
    assert chart.observations.height == 1 or broken.keys() == {"meta"}
    assert chart.rejected.height >= 1 or broken.keys() == {"meta"}
