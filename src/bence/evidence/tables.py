"""Tables made from the evidence base: agents side by side, approvals, MRD-guided trials, resistance, the network, the register.

Every cell names who is counted and how it is known. Nothing is pooled and nothing ranked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from ..catalogue import codes, nearest
from ..errors import UsageError
from .approvals import approvals, approvals_unknown
from .measures import Estimate, nearest_count, risk_difference, risk_ratio, whole_counts
from .outcomes import measure_said, outcome_said, outcomes, said
from .records import Record, records
from .words import JOINTS, WORDS, heading, value_said

AGENTS = ("antibody", "ADC", "bispecific", "CAR_T")
SHOWN = {
    "orr": ("orr",), "cr_or_better": ("cr_or_better", "scr"), "median_pfs": ("median_pfs",),
    "mrd": ("mrd_negative", "mrd_negative_cr", "mrd_negative_in_cr"),
    "crs": ("crs",), "crs_3": ("crs_3",), "icans": ("icans",), "icans_3": ("icans_3",),
    "infection": ("infection",), "infection_3": ("infection_3", "serious_infection"),
}  # fmt: skip
TIED_TO_NAME = ("mrd", "cr_or_better", "infection_3")  # columns of several measures, which name theirs


def drug_said(key: str, lang: str = "en") -> str:
    """The name of a drug by its code or key, or of a class; the key itself if it is neither."""
    if key in codes():
        return codes()[key].label(lang)
    return records("drugs").get(key, {}).get("name", {}).get(lang) or value_said(key, lang)


def agents(target: str, lang: str = "en") -> pl.DataFrame:
    """Drugs against a target (`bcma`, `gprc5d`, `fcrh5`), one row for each arm of a trial that gave such drugs alone or with each other.

    Cells are results in words with `n` and tag; null is a result that was not read. A drug without a result has one row. Single-arm trials
    are not comparable. UsageError for an unknown target.
    """
    known = {key: drug for key, drug in records("drugs").items() if target in drug.get("targets", ()) and drug.get("format") in AGENTS}
    if not known:
        aims = sorted(records("targets"))
        raise UsageError(f"there is no drug against {target!r}", expected="a target", nearest=nearest(target, aims))
    immune = {key for key, drug in records("drugs").items() if drug.get("format") in AGENTS and drug.get("class") != "CD38_antibody"}
    rows, seen = [], set()
    for key, trial in records("trials").items():
        told = set(outcomes().filter(pl.col("trial") == key)["arm"])
        for arm in trial.get("arms", ()):
            drugs = arm["drugs"]
            if known.keys() & set(drugs) and set(drugs) <= immune and (arm["key"] in told or not told):
                rows.append(_drug_cells(drugs, known, lang) | _arm_cells(key, trial, arm, lang))
                seen.update(drugs)
    rows += [_drug_cells([drug], known, lang) for drug in known if drug not in seen]
    schema = dict.fromkeys(("drug", "format", "status", "dosing", "trial", "arm", "follow_up", *SHOWN), pl.String)
    return pl.DataFrame(rows, schema=schema).sort("format", "drug", "trial", nulls_last=True)


def _drug_cells(drugs: list[str], known: Mapping[str, Record], lang: str) -> dict[str, str | None]:
    drug = known[next(each for each in drugs if each in known)]
    dosing = [f"{each['text'][lang]} [{each['tag']}]" for each in drug.get("dosing", ()) if each["step"] in ("step-up", "treatment")]
    return {
        "drug": " + ".join(drug_said(each, lang) for each in drugs), "format": value_said(drug["format"], lang),
        "status": value_said(drug["status"], lang), "dosing": " ".join(dosing) or None,
    }  # fmt: skip


def _arm_cells(key: str, trial: Record, arm: Record, lang: str) -> dict[str, str | None]:
    found = outcomes().filter((pl.col("trial") == key) & (pl.col("arm") == arm["key"]))
    follow_up = found["follow_up_months"].drop_nulls()
    told: dict[str, str | None] = {"trial": trial["name"], "arm": arm["name"], "follow_up": f"{follow_up[0]:g}" if len(follow_up) else None}
    return told | {column: _cells(found, column, measures, lang) for column, measures in SHOWN.items()}


def _cells(found: pl.DataFrame, column: str, measures: Iterable[str], lang: str) -> str | None:
    """The results of some measures in words; where there are several, or of MRD, each says who is counted."""
    some = found.filter(pl.col("measure").is_in(list(measures)))
    told = []
    for row in some.iter_rows(named=True):
        name = measure_said(row["measure"], lang) + " " if column in TIED_TO_NAME and row["measure"] != column else ""
        told.append(name + said(row, lang, people=some.height > 1 or column == "mrd"))
    return JOINTS[lang]["semicolon"].join(told) or None


def approvals_by_region(lang: str = "en") -> pl.DataFrame:
    """What is licensed for whom: region, drug, what it is given with, since when, for whom; also where nobody has checked."""
    rows = [_approval_row(row, lang) for row in approvals().iter_rows(named=True)]
    unchecked = [
        {"region": value_said(region, lang), "drug": drug_said(drug, lang), "whom_for": WORDS[lang]["nobody_checked"]}
        for drug, region in approvals_unknown().iter_rows()
    ]
    columns = ("drug", "region", "combination", "on", "ends", "kind", "whom_for", "tag", "source")
    return pl.DataFrame(rows + unchecked, schema=dict.fromkeys(columns, pl.String)).sort("region", "drug", "on", nulls_last=True)


def _approval_row(row: Mapping[str, Any], lang: str) -> dict[str, Any]:
    whom = [value_said(row["population"], lang)]
    if row["min_prior_lines"] is not None:
        whom.append(f"≥{row['min_prior_lines']} " + ("线" if lang == "zh" else "prior lines"))
    for name in ("exposed", "refractory"):
        if row[name]:
            whom.append(f"{heading(name, lang)} {JOINTS[lang]['comma'].join(drug_said(each, lang) for each in row[name])}")
    if row["transplant"]:
        whom.append(f"{heading('transplant', lang)} {value_said(row['transplant'], lang)}")
    form = {"month": "%Y-%m", "year": "%Y"}.get(row["on_precision"] or "", "%Y-%m-%d")
    return {
        "region": value_said(row["region"], lang), "drug": drug_said(row["drug"], lang), "tag": row["tag"], "source": row["source"],
        "combination": " + ".join(drug_said(each, lang) for each in row["combination"]) or WORDS[lang]["alone"],
        "on": row["on"].strftime(form) if row["on"] else None, "ends": row["ends"].isoformat() if row["ends"] else None,
        "kind": value_said(row["kind"], lang) if row["kind"] else None, "whom_for": JOINTS[lang]["comma"].join(whom),
    }  # fmt: skip


def mrd_guided_trials(lang: str = "en") -> pl.DataFrame:
    """Trials in newly diagnosed myeloma that MRD directs or that report it, one row each, with the results by arm and what they show."""
    rows = []
    for key, trial in records("trials").items():
        if trial["setting"] != "NDMM" or "MRD" not in json.dumps(trial, ensure_ascii=False):
            continue
        found = outcomes().filter((pl.col("trial") == key) & pl.col("measure").str.contains("mrd"))
        told = [outcome_said(row, lang) for row in found.iter_rows(named=True)]
        rows.append({
            "trial": trial["name"], "design": value_said(trial["design"], lang), "status": value_said(trial["status"], lang),
            "population": trial["population"][lang], "mrd_result": JOINTS[lang]["semicolon"].join(told) or None,
            "lessons": _facts(trial.get("lessons", ()), lang),
        })  # fmt: skip
    return pl.DataFrame(rows)


def resistance(lang: str = "en") -> pl.DataFrame:
    """One row a mechanism of resistance: what it weakens, evidence, test, counter-measure, each with its tag."""
    rows = [
        {
            "mechanism": record["name"][lang], "kind": value_said(record["kind"], lang), "weakens": _weakened(record, lang),
            "evidence": _facts(record.get("evidence", ()), lang), "test": _facts(record.get("tests", ()), lang),
            "counter": _facts(record.get("counter", ()), lang),
        }
        for record in records("mechanisms").values()
    ]  # fmt: skip
    return pl.DataFrame(rows).sort("kind", maintain_order=True)


def _weakened(record: Record, lang: str) -> str | None:
    told = [
        f"{value_said(each['on'], lang)}{JOINTS[lang]['colon']}{each['via'][lang]} [{each['tag']}]"
        for each in record.get("effects", ())
        if each["direction"] != "strengthens"
    ]
    return JOINTS[lang]["semicolon"].join(told) or None


def _facts(facts: Iterable[Record], lang: str) -> str | None:
    told = []
    for fact in facts:
        code = f"{codes()[fact['what']].label(lang)}{JOINTS[lang]['colon']}" if fact.get("what") else ""
        told.append(f"{code}{fact['text'][lang]} [{fact['tag']}]")
    return " ".join(told) or None


def network(lang: str = "en") -> pl.DataFrame:
    """How mechanisms act on each other and on formats of treatment: one row a link."""
    rows = []
    names = {key: record["name"][lang] for key, record in records("mechanisms").items()}
    for key, record in records("mechanisms").items():
        links = [(each, each["effect"], names[each["to"]]) for each in record.get("links", ())]
        links += [(each, each["direction"], value_said(each["on"], lang)) for each in record.get("effects", ())]
        rows += [
            {"from": names[key], "effect": value_said(effect, lang), "to": to, "tag": each["tag"], "source": each["source"]}
            for each, effect, to in links
        ]
    return pl.DataFrame(rows)


def disputed(lang: str = "en") -> pl.DataFrame:
    """The register of statements that turned out wrong, each with what to use instead."""
    rows = [
        {"id": each["id"], "severity": value_said(each["severity"], lang),
         **{name: each[name][lang] for name in ("statement", "problem", "instead")},
         "about": ", ".join(each.get("about", ())) or None, "tag": each["tag"], "source": each["source"]}
        for each in records("disputed").values()
    ]  # fmt: skip
    return pl.DataFrame(rows)


def rederived(trial: str, lang: str = "en") -> pl.DataFrame:
    """The published risk ratios of a trial beside crude ones from its counts: `comparison`, `basis`, `counts`, `risk_ratio`, `difference`.

    Where only percentages are published the counts are reconstructed from them: the nearest whole count, and in brackets the counts that
    print as the same percentage. The difference is in percentage points.
    """
    record = records("trials")[trial]
    rows = []
    for comparison in record.get("comparisons", ()):
        if comparison["kind"] == "risk_ratio":
            rows += _rederived(trial, record, comparison, lang)
    return pl.DataFrame(rows, schema=dict.fromkeys(("comparison", "basis", "counts", "risk_ratio", "difference"), pl.String))


def _rederived(trial: str, record: Record, comparison: Record, lang: str) -> list[dict[str, Any]]:
    names = {arm["key"]: arm["name"] for arm in record["arms"]}
    table = outcomes().filter((pl.col("trial") == trial) & (pl.col("measure") == comparison["measure"]))
    columns = ("percent", "n", "digits")
    (p, n, i), (q, m, k) = (table.filter(pl.col("arm") == comparison[side]).select(columns).row(0) for side in ("arm", "against"))
    a, b = nearest_count(p, n), nearest_count(q, m)
    title = f"{names[comparison['arm']]} / {names[comparison['against']]}"
    whole = f"{_counted(a, whole_counts(p, n, i), n)} / {_counted(b, whole_counts(q, m, k), m)}"
    ratio = f"{comparison['value']:.2f} ({comparison['low']:.2f}–{comparison['high']:.2f})"
    told = [
        ("basis_published", f"{p:g} % / {q:g} %", ratio, None),
        ("basis_percent", f"{p:g} % · {n} / {q:g} % · {m}", None, _points(risk_difference(p * n / 100, n, q * m / 100, m))),
        ("basis_wald", whole, _ratio(risk_ratio(a, n, b, m)), _points(risk_difference(a, n, b, m))),
        ("basis_newcombe", whole, None, _points(risk_difference(a, n, b, m, "newcombe"))),
    ]
    return [
        {"comparison": title, "basis": heading(basis, lang), "counts": counts, "risk_ratio": ratio, "difference": points}
        for basis, counts, ratio, points in told
    ]


def _counted(count: int, possible: list[int], n: int) -> str:
    return f"{count}/{n}" + (f" ({possible[0]}–{possible[-1]})" if len(possible) > 1 else "")


def _ratio(found: Estimate) -> str:
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f}), {found.method}"


def _points(found: Estimate) -> str:
    value, low, high = (f"{100 * each:+.1f}".replace("-", "−") for each in (found.value, found.low, found.high))
    return f"{value} ({low} … {high}), {found.method}"


TABLES: dict[str, Callable[[str], pl.DataFrame]] = {
    "agents-bcma": lambda lang: agents("bcma", lang),
    "agents-gprc5d": lambda lang: agents("gprc5d", lang),
    "agents-fcrh5": lambda lang: agents("fcrh5", lang),
    "approvals": approvals_by_region,
    "mrd-trials": mrd_guided_trials,
    "resistance": resistance,
    "midas": lambda lang: rederived("midas", lang),
    "disputed": disputed,
    "network": network,
}


def table(name: str, lang: str = "en") -> pl.DataFrame:
    """A table by its name (`TABLES`), its cells in English or Chinese; UsageError with the nearest name."""
    if name not in TABLES:
        raise UsageError(f"there is no table {name!r}", expected=", ".join(TABLES), nearest=nearest(name, TABLES))
    return TABLES[name]("zh" if lang.startswith("zh") else "en")
