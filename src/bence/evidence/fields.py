"""What a record of each kind may hold: the shape of every table, as data for `faults`.

A shape gives for each field the kind of its value, with `!` where it must be there. Kinds of value:

    word words      text for the developer: a name, an address; a list of them
    text            what a user reads: a table with `en` and `zh`
    number whole date flag
    tag             V verified, S from a source text, M from memory, O a choice, C computed
    source          where it was read, in words; a part that looks like a key (lower case with hyphens) must be one
    key keys        a record of the base
    target drug drugs class options code        names of targets/, of drugs (catalogue or drugs/), of classes of drugs, of the catalogue
    disputed        identifiers of the register
    a|b|c           one of these words
    {} []           a table, a list of tables: its own shape, under "kind.field"
"""

from __future__ import annotations

REGION = "us|eu|china"
FACT = {"tag": "tag!", "source": "source!"}
SAID = {"text": "text!", **FACT, "disputed": "disputed"}

SHAPES: dict[str, dict[str, str]] = {
    "drugs": {
        "name": "text!", "also": "words", "code": "drug", "class": "word!", "format": "word!", "construct": "word", "targets": "targets!",
        "route": "words", "status": "approved|trial|stopped|preclinical!", "status_tag": "tag!", "status_source": "source!",
        "dosing": "[]", "approvals": "[]", "approvals_unknown": "regions", "combinations_unknown": "regions", "warnings": "[]",
        "note": "word", "disputed": "disputed",
    },
    "drugs.dosing": SAID | {
        "step": "step-up|treatment|de-escalation|combination|premedication|monitoring!", "region": REGION, "needs": "{}",
    },
    "drugs.dosing.needs": {  # all of them: a response at least as good, held so long, so many weeks since the first dose, …
        "response": "sCR|CR|VGPR|PR", "held_months": "number", "on_drug_weeks": "number",
        "on_schedule_weeks": "number",  # … on the schedule it is stepped down from
        "doses": "whole",  # … of the full treatment dose
    },
    "drugs.approvals": FACT | {
        "region": f"{REGION}!", "on": "date", "on_precision": "day|month|year", "ends": "date", "kind": "full|accelerated|conditional",
        "combination": "drugs", "min_prior_lines": "whole", "max_prior_lines": "whole", "exposed": "classes", "refractory": "classes",
        "population": "RRMM|NDMM|SMM!", "transplant": "eligible|ineligible", "indication": "text!", "note": "word", "disputed": "disputed",
    },
    "drugs.warnings": SAID | {"kind": "boxed|contraindication|precaution|on_target!"},
    "trials": {
        "name": "word!", "title": "text!", "registration": "word", "phase": "word", "note": "word",
        "design": "randomised|single_arm|cohort|observational!", "status": "reported|ongoing|stopped!", "population": "text!",
        "setting": "SMM|NDMM|RRMM!", "excluded": "text", "publication": "{}", "arms": "[]", "numbers": "[]", "outcomes": "[]",
        "comparisons": "[]", "lessons": "[]", "disputed": "disputed",
    },
    "trials.publication": {"where": "word!", "doi": "word", "pmid": "word", "tag": "tag!", "source": "source"},
    "trials.arms": FACT | {
        "key": "word!", "name": "word!", "drugs": "drugs!", "n": "whole", "assigned": "randomised|enrolled|treated", "note": "word",
    },
    "trials.numbers": FACT | {"what": "text!", "value": "number!", "disputed": "disputed"},
    "trials.outcomes": FACT | {
        "arm": "word!", "measure": "word!", "percent": "number", "months": "number", "value": "number", "not_reached": "flag",
        "n": "whole", "events": "whole", "denominator": "stated|not stated|arm", "population": "text", "threshold": "number",
        "method": "word", "at_months": "number", "low": "number", "high": "number", "follow_up_months": "number", "note": "word",
        "disputed": "disputed",
    },
    "trials.comparisons": FACT | {
        "arm": "word!", "against": "word!", "measure": "word!", "kind": "hazard_ratio|risk_ratio|odds_ratio|risk_difference!",
        "value": "number!", "low": "number", "high": "number", "p": "number", "adjusted": "adjusted|crude|not stated",
        "population": "text", "at_months": "number", "follow_up_months": "number", "threshold": "number", "method": "word",
        "note": "word", "disputed": "disputed",
    },
    "trials.lessons": SAID,
    "guidelines": FACT | {
        "name": "text!", "where": "word!", "doi": "word", "pmid": "word", "year": "whole!", "region": REGION, "note": "word",
        "statements": "[]", "disputed": "disputed",
    },
    "guidelines.statements": SAID | {"id": "word!", "when": "text", "strength": "A|B|C|O", "sources": "keys", "about": "options"},
    "targets": {
        "name": "text!", "also": "words", "gene": "word", "expressed": "text!", "why": "text!", "loss": "text", "facts": "[]",
        "note": "word", **FACT,
    },
    "targets.facts": SAID,
    "mechanisms": {
        "name": "text!", "kind": "antigen|t_cell|microenvironment|tumour|pharmacology!", "compartment": "word", "effects": "[]",
        "links": "[]", "evidence": "[]", "tests": "[]", "counter": "[]", "suspected": "words", "note": "word",
        "disputed": "disputed",
    },
    "mechanisms.effects": FACT | {
        "on": "antibody|bispecific|car_t|adc|small_molecule|pathway!", "via": "text!", "direction": "weakens|strengthens|both!",
        "disputed": "disputed",
    },
    "mechanisms.links": FACT | {"to": "key!", "effect": "raises|lowers|is part of!"},
    "mechanisms.evidence": SAID,
    "mechanisms.tests": SAID | {"what": "code", "supports": "word", "refutes": "word"},
    "mechanisms.counter": SAID | {"options": "options"},
    "disputed": FACT | {
        "id": "word!", "severity": "H|M|L!", "text": "word!", "statement": "text!", "problem": "text!", "instead": "text!", "about": "keys",
    },
}  # fmt: skip
