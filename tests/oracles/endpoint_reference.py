"""The endpoints of one patient, worked out slowly from the page docs/rules/endpoints.md: loops over days, nothing shared with Bence.

A patient is a row of `endpoint_charts.person`. Answers are (days, event, reason), or None where the endpoint does not apply.
"""

from __future__ import annotations

from typing import Any

from endpoint_charts import Row, starts, visits_of

Answer = tuple[int, bool, str] | None
GOOD, DEEP = ("sCR", "CR", "VGPR", "PR"), ("sCR", "CR")


def reference(one: Row, policies: dict[str, Any], alive: int) -> dict[int, dict[str, Answer]]:
    """Every endpoint of every line. `alive`: the last day the patient is known to be alive."""
    told = starts(one)
    lines = [story(one, at, told, policies) for at in range(len(told))]
    found = {}
    for at, line in enumerate(lines):
        later = lines[at:]
        died, related = line["died"], None if line["unrelated"] else line["died"]
        answers: dict[str, Answer] = {
            "pfs": progression(later, line["origin"], line["progressed"], died, policies),
            "ttp": progression(later, line["origin"], line["progressed"], related, policies),
            "dor": None, "dfs": None,
        }  # fmt: skip
        if line["responded"] is not None:
            ends = related if policies["dor_death"] == "myeloma" else died
            answers["dor"] = progression(later, line["responded"], line["progressed"], ends, policies)
        if line["complete"] is not None:
            answers["dfs"] = disease_free(later, policies)
        answers["ttnt"] = (
            (line["next"] - line["origin"], True, "new_treatment") if line["next"] is not None
            else (died - line["origin"], True, "death") if died is not None
            else (alive - line["origin"], False, "censored_no_event")
        )  # fmt: skip
        answers["os"] = (died - line["origin"], True, "death") if died is not None else (alive - line["origin"], False, "censored_no_event")
        answers["efs"] = event_free(line)
        found[told[at][0]] = answers
    for at in range(len(told)):
        line, own = lines[at], found[told[at][0]]
        if line["next"] is None:
            own["pfs2"] = own["os"]
        else:
            days, event, reason = found[told[at + 1][0]]["pfs"]  # type: ignore[misc]
            own["pfs2"] = (lines[at + 1]["origin"] + days - line["origin"], event, reason)
    return found


def story(one: Row, at: int, told: list[tuple[int, int]], policies: dict[str, Any]) -> dict[str, Any]:
    """What matters of one line."""
    number, start = told[at]
    next_ = told[at + 1][1] if at + 1 < len(told) else None
    seen = visits_of(one)[number]
    drawn = [
        e["day"] for e in one["events"]
        if e["what"] == "randomisation" and -28 <= e["day"] - start <= 14 and (next_ is None or e["day"] <= next_)
    ]  # fmt: skip
    inside = [e for e in one["events"] if e["day"] > start and (next_ is None or e["day"] <= next_)]
    sure = [v["day"] for v in seen if v["state"] == "confirmed"]
    told_by = [e["day"] for e in inside if e["what"] == "progression"]
    told_by += [
        t["stop"] for t in one["treatments"]
        if t.get("stop_reason") == "progression" and t["stop"] is not None and t["stop"] > start and (next_ is None or t["stop"] <= next_)
    ]  # fmt: skip
    progressed = min(sure) if sure else min(told_by, default=None)
    kept = [v for v in seen if not sure or v["day"] < min(sure)]
    good = [v["day"] for v in kept if v["grade"] in GOOD and not v["single"]]
    deep = [v["day"] for v in kept if v["grade"] in DEEP and not v["single"]]
    lost = [
        v["day"] for v in seen
        if deep and v["day"] > min(deep)
        and ((v["grade"] == "PD" and v["state"] != "refuted") or (v["grade"] in ("VGPR", "PR", "MR", "SD") and not v["blind"]))
    ]  # fmt: skip
    clinical = [e["day"] for e in inside if e["what"] == "relapse_clinical"]
    cause = one.get("cause")
    worse = [v["day"] for v in seen if v["grade"] == "PD" and state_after(v, sure) in ("confirmed", "unconfirmed")]
    calm = [v["day"] for v in seen if v["grade"] != "NE" and v["day"] not in worse]
    return {
        "start": start, "next": next_, "origin": min(drawn) if drawn and policies["origin"] == "randomisation" else start,
        "progressed": progressed, "by_hand": not sure and progressed is not None,
        "open": not sure and any(v["state"] == "unconfirmed" for v in seen),
        "responded": min(good, default=None), "complete": min(deep, default=None), "lost": min(lost, default=None),
        "clinical": min(clinical, default=None), "died": one.get("died"),
        "unrelated": one.get("died") is not None and cause is not None and cause != "myeloma",
        "adequate": [v["day"] for v in seen if v["grade"] != "NE"], "calm": calm,
    }  # fmt: skip


def state_after(visit: Row, sure: list[int]) -> str | None:
    """After a confirmed progression every other one is confirmed too."""
    return "confirmed" if sure and visit["day"] >= min(sure) else visit["state"]


def progression(later: list[dict[str, Any]], origin: int, progressed: int | None, died: int | None, policies: dict[str, Any]) -> Answer:
    line = later[0]
    progressed = progressed if progressed is not None and progressed > origin else None
    if policies["pfs"] == "ema":
        days = [d for d in [progressed, *(other["progressed"] for other in later[1:])] if d is not None]
        return ema(later, origin, min(days, default=None), died)
    event = min((d for d in (progressed, died) if d is not None), default=None)
    if event is not None and (line["next"] is None or event <= line["next"]):
        before = max([d for d in line["adequate"] if d < event], default=None)
        known = before is not None and before >= origin
        by_hand = line["by_hand"] and event == progressed == line["progressed"] and not known
        if by_hand or event - (before if known else origin) <= 2 * policies["assessment_interval"]:
            return event - origin, True, "progression" if event == progressed else "death"
        return at_last(line["calm"], event - 1, origin, "censored_missed_assessments", doubt=False)
    until = min(d for d in (line["next"], line["died"], 10**6) if d is not None)
    gone = line["died"] is not None and (line["next"] is None or line["died"] <= line["next"])
    why = "censored_death_unrelated" if gone else "censored_no_event" if line["next"] is None else "censored_new_treatment"
    return at_last(line["calm"], until, origin, why, line["open"])


def ema(later: list[dict[str, Any]], origin: int, progressed: int | None, died: int | None) -> Answer:
    event = min((d for d in (progressed, died) if d is not None), default=None)
    if event is not None:
        return event - origin, True, "progression" if event == progressed else "death"
    calm = [day for line in later for day in line["calm"]]
    gone = later[0]["died"] is not None
    return at_last(calm, later[0]["died"] if gone else 10**6, origin, "censored_death_unrelated" if gone else "censored_no_event",
                   any(line["open"] for line in later))  # fmt: skip


def at_last(calm: list[int], until: int, origin: int, why: str, doubt: bool) -> Answer:
    """Censored at the last assessment without progression, or on the first day."""
    days = [day for day in calm if origin <= day <= until]
    if doubt:
        why = "censored_unconfirmed_progression"
    elif not days and why != "censored_death_unrelated":
        why = "censored_no_assessment"
    return max(days, default=origin) - origin, False, why


def disease_free(later: list[dict[str, Any]], policies: dict[str, Any]) -> Answer:
    line, start = later[0], later[0]["complete"]
    lost = [d for d in (line["lost"], line["clinical"]) if d is not None and d > start]
    own = [line["progressed"]] if line["progressed"] is not None and line["progressed"] > start else []
    first = {**line, "progressed": min([*lost, *own], default=None)}
    first["by_hand"] = line["by_hand"] and first["progressed"] == line["progressed"]
    days, event, reason = progression([first, *later[1:]], start, first["progressed"], line["died"], policies)  # type: ignore[misc]
    if reason == "progression" and start + days in lost and not (own and start + days >= own[0]):
        reason = "relapse_from_complete_response"
    return days, event, reason


def event_free(line: dict[str, Any]) -> Answer:
    kinds = (("progressed", "progression"), ("clinical", "clinical_relapse"), ("next", "new_treatment"), ("died", "death"))
    found = [
        (line[key], rank, reason) for rank, (key, reason) in enumerate(kinds)
        if line[key] is not None and (rank > 1 or line[key] > line["origin"])
    ]  # fmt: skip
    if found:
        day, _, reason = min(found)
        return day - line["origin"], True, reason
    return at_last(line["calm"], 10**6, line["origin"], "censored_no_event", line["open"])
