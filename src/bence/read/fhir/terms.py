"""The code systems of FHIR that Bence reads and writes, and what a few of their codes mean.

What a code of a *catalogue entry* is stands in the catalogue. Here are the codes of answers, of stages and of diagnoses. SNOMED CT:
identifiers alone. NCI Thesaurus and the staging scales: HL7 mCODE STU4. ICD-10 C90 and D47.2: WHO, C90.0x to C90.3x CMS.
"""

from __future__ import annotations

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OURS = "urn:bence:codes"  # codes of the catalogue, for which no other system has one
PATIENT_KEY = "urn:bence:patient"  # the key of a patient in a chart
OUR_EXTENSION = "urn:bence:"  # and the name of a column of a chart
SPURIOUS = OUR_EXTENSION + "spurious"
GRADE = OUR_EXTENSION + "grade"  # 0 to 5, of CTCAE or ASTCT

#: Spelling of a system in the wild → the system.
SYSTEMS = {
    **{name: name for name in (LOINC, SNOMED, ATC, RXNORM, NCIT, OURS)},
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "https://loinc.org": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "http://fhir.de/CodeSystem/bfarm/atc": ATC,
    "http://fhir.de/CodeSystem/dimdi/atc": ATC,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "http://ncimeta.nci.nih.gov": NCIT,
    "urn:oid:2.16.840.1.113883.3.26.1.1": NCIT,
}
FIELD_OF = {LOINC: "loinc", SNOMED: "snomed", ATC: "atc", RXNORM: "rxnorm"}
STANDARD = frozenset((*FIELD_OF, NCIT, OURS))

#: Answers: (system, code) → the word that stands in `text`.
ANSWERS = {
    (SNOMED, "10828004"): "positive",
    (SNOMED, "260385009"): "negative",
    (SNOMED, "260373001"): "positive",  # detected
    (SNOMED, "260415000"): "negative",  # not detected
    (SNOMED, "52101004"): "yes",  # present
    (SNOMED, "2667000"): "no",  # absent
    (SNOMED, "373066001"): "yes",
    (SNOMED, "373067005"): "no",
    (LOINC, "LA6576-8"): "positive",
    (LOINC, "LA6577-6"): "negative",
    (LOINC, "LA33-6"): "yes",
    (LOINC, "LA32-8"): "no",
    (LOINC, "LA11882-0"): "positive",  # detected
    (LOINC, "LA11883-8"): "negative",  # not detected
    (LOINC, "LA9633-4"): "yes",  # present
    (LOINC, "LA9634-2"): "no",  # absent
    (INTERPRETATION, "POS"): "positive",
    (INTERPRETATION, "NEG"): "negative",
}
#: Stages: (code of the catalogue, its category) → NCI Thesaurus.
STAGES = {
    ("iss", "I"): "C70658", ("iss", "II"): "C70659", ("iss", "III"): "C70660",
    ("r_iss", "I"): "C141394", ("r_iss", "II"): "C141395", ("r_iss", "III"): "C141396",
}  # fmt: skip
STAGE_OF = {(NCIT, code): stage for (_, stage), code in STAGES.items()}
#: Stage of the catalogue → code of the observation in NCI Thesaurus, staging scale in SNOMED CT, profile of mCODE.
STAGING = {
    "iss": ("C139007", "1149162008", "mcode-myeloma-iss-stage"),
    "r_iss": ("C141392", "1149163003", "mcode-myeloma-riss-stage"),
}
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"
#: A stage in NCI Thesaurus → its scale; the code of a stage that mCODE has no profile for.
SCALE_OF = {(NCIT, code): name for (name, _), code in STAGES.items()}
DURIE_SALMON = "C139006"

#: SNOMED CT for events and procedures; a code that is not the catalogue's own name, but means it.
MEANS = {
    (SNOMED, "109989006"): "mm_diagnosis",
    (SNOMED, "413587002"): "smm_diagnosis",
    (SNOMED, "277577000"): "mgus_diagnosis",
    (SNOMED, "95210003"): "pcl_diagnosis",
    (SNOMED, "709115004"): "autologous_transplant",
    (LOINC, "14631-6"): "bilirubin",
    (LOINC, "62356-1"): "karyotype",  # chromosome analysis result in ISCN expression
    (NCIT, DURIE_SALMON): "durie_salmon",
    **{(NCIT, code): name for name, (code, _, _) in STAGING.items()},
    **{(SNOMED, scale): name for name, (_, scale, _) in STAGING.items()},
}
SNOMED_OF = {name: code for (system, code), name in MEANS.items() if system == SNOMED and name not in STAGING}
ICD10 = (
    "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm", "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm", "urn:oid:2.16.840.1.113883.6.3", "urn:oid:2.16.840.1.113883.6.90",
    "http://hl7.org/fhir/sid/icd-10-cn",
)  # fmt: skip
#: Beginning of an ICD-10 code → event. D47.2 is monoclonal gammopathy: smouldering myeloma is coded so, too.
ICD10_MEANS = {
    "C90.0": "mm_diagnosis",
    "C90.1": "pcl_diagnosis",
    "C90.2": "plasmacytoma_diagnosis",
    "C90.3": "plasmacytoma_diagnosis",
    "E85.81": "al_diagnosis",
}
#: The LOINC code that is written, where the first one of the catalogue would say more than is known: a mass in place of the
#: amount of substance in which Bence keeps it, a count by machine.
WRITTEN = {
    "creatinine": "14682-9", "calcium": "2000-8", "bilirubin": "14631-6", "neutrophils": "26499-4", "platelets": "26515-7",
}  # fmt: skip

#: Variants and regions studied, LOINC: codes of the Observation; components that stand in no other resource; answers (LL1971-2).
VARIANT_CODE, REGION_CODE = "69548-6", "53041-0"
OF_VARIANT = frozenset(("48018-6", "48001-2", "48019-4", "81291-7", "82155-3"))  # gene, location, change, ISCN, copy number
PRESENCE = {
    "LA9633-4": "present", "LA9634-2": "absent", "LA18198-4": "open", "LA11884-6": "open",
    **dict.fromkeys(("52101004", "260373001", "10828004", "POS", "PRESENT", "POSITIVE", "DETECTED", "阳性", "检出"), "present"),
    **dict.fromkeys(("2667000", "260415000", "260385009", "NEG", "ABSENT", "NEGATIVE", "NOT DETECTED", "阴性", "未检出"), "absent"),
    **dict.fromkeys(("NO CALL", "INDETERMINATE", "不确定"), "open"),
}  # fmt: skip
#: Kinds of change in Sequence Ontology (LOINC 48019-4): `small` is within a gene; a deletion may be that, or the loss of the gene.
CHANGE_OF = {
    "SO:0001743": "loss", "SO:0001742": "gain", "SO:1000035": "gain", "SO:0000199": "moved", "SO:0001565": "moved",
    "SO:0000159": "deletion", "SO:0001483": "small", "SO:1000002": "small", "SO:0000667": "small", "SO:1000032": "small",
    "SO:0002007": "small",
}  # fmt: skip
#: Genes of myeloma by HGNC.
GENE_OF = {
    "HGNC:11998": "TP53", "HGNC:5477": "IGH", "HGNC:3690": "FGFR3", "HGNC:12766": "NSD2", "HGNC:1582": "CCND1", "HGNC:1585": "CCND3",
    "HGNC:6776": "MAF", "HGNC:6408": "MAFB", "HGNC:7553": "MYC", "HGNC:19083": "CKS1B", "HGNC:1789": "CDKN2C", "HGNC:9884": "RB1",
}  # fmt: skip
