"""The words of the endpoints, and why a line was counted or censored as it was. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..sources import cited

NAMES: dict[str, tuple[str, str]] = {
    "pfs": ("progression-free survival", "无进展生存期（PFS）"),
    "ttp": ("time to progression", "至疾病进展时间（TTP）"),
    "dor": ("duration of response", "缓解持续时间（DOR）"),
    "dfs": ("disease-free survival from complete response", "完全缓解后无病生存期（DFS）"),
    "ttnt": ("time to next treatment", "至下次治疗时间（TTNT）"),
    "pfs2": ("progression on the next line", "二次无进展生存期（PFS2）"),
    "efs": ("event-free survival", "无事件生存期（EFS）"),
    "os": ("overall survival", "总生存期（OS）"),
}
REASONS: dict[str, tuple[str, str]] = {
    "progression": ("progression", "疾病进展"),
    "death": ("death", "死亡"),
    "new_treatment": ("another line of therapy began", "开始下一线治疗"),
    "clinical_relapse": ("clinical relapse", "临床复发"),
    "relapse_from_complete_response": ("relapse from complete response", "完全缓解后复发"),
    "censored_no_event": ("censored: no event so far", "删失：截至末次评估或随访未发生事件"),
    "censored_new_treatment": (
        "censored at the last assessment before another line of therapy: no event until then",
        "删失：未发生事件即更换治疗，截至换线前末次有效评估",
    ),
    "censored_missed_assessments": (
        "censored at the last assessment: the event followed two or more missed ones",
        "删失：事件发生前连续漏评≥2次，截至漏评前末次有效评估",
    ),
    "censored_unconfirmed_progression": (
        "censored at the last assessment without progression: the progression is not yet confirmed",
        "删失：疾病进展尚未确认，截至末次未进展的有效评估",
    ),
    "censored_no_assessment": ("censored on the first day: no adequate assessment after it", "删失于起算日：其后无有效评估"),
    "censored_death_unrelated": (
        "censored at the last assessment: death of another cause than myeloma",
        "删失：死于骨髓瘤以外的原因，截至末次有效评估",
    ),
}
NOTES: dict[str, tuple[str, str]] = {
    "randomisation": ("counted from randomisation", "自随机分组日起算"),
    "recorded_progression": (
        "the progression is the physician's; the criteria show none",
        "疾病进展由医生记录，按疗效标准未能判定",
    ),
    "death_cause_unknown": ("cause of death not recorded: taken as due to myeloma", "死因未记录，视为骨髓瘤所致"),
}
ABOUT = {  # the notes that matter to each endpoint
    "ttnt": ("randomisation",),
    "os": ("randomisation",),
    "ttp": ("randomisation", "recorded_progression", "death_cause_unknown"),
    "dor": ("recorded_progression", "death_cause_unknown"),
    "dfs": ("recorded_progression",),
}
ORIGINS = {"dor": "responded_on", "dfs": "complete_on"}
SENTENCES: dict[str, tuple[str, str]] = {
    "event": ("{name}, line {line}: event after {days} days ({start} to {end})", "第{line}线{name}：{days}天发生事件（{start}至{end}）"),
    "censored": ("{name}, line {line}: censored after {days} days ({start} to {end})", "第{line}线{name}：{days}天删失（{start}至{end}）"),
    "not": ("{name}, line {line}: does not apply", "第{line}线{name}：不适用"),
    "because": ("because: {reason}", "依据：{reason}"),
    "note": ("note: {note}", "提示：{note}"),
    "source": ("Source: {text}", "出处：{text}"),
}
CITED = {"pfs": ("rajkumar-2011", "fda-2018"), "ttnt": ("rajkumar-2011",)}


def explain_endpoint(row: Mapping[str, Any], name: str, lang: str = "en") -> str:
    """Why an endpoint of a line is what it is, in a few lines of plain text.

    `row`: a row of `lines` with the columns of `endpoint_columns`; `name`: one of ENDPOINTS; `lang`: `en` or `zh`.
    KeyError for another name.
    """
    place = int(lang.startswith("zh"))
    head = {"name": NAMES[name][place], "line": row["line"]}
    days = row[f"{name}_days"]
    if days is None:
        return SENTENCES["not"][place].format(**head)
    start = row[ORIGINS.get(name, "origin_on")]
    sentence = SENTENCES["event" if row[f"{name}_event"] else "censored"][place]
    lines = [sentence.format(days=days, start=start, end=start + timedelta(days=days), **head)]
    lines.append("  " + SENTENCES["because"][place].format(reason=REASONS[str(row[f"{name}_reason"])][place]))
    about = ABOUT.get(name, ("randomisation", "recorded_progression"))
    noted = [note for note in (row["endpoint_notes"] or "").split("|") if note in about]
    lines += ["  " + SENTENCES["note"][place].format(note=NOTES[note][place]) for note in noted]
    basis = "; ".join(cited(key) for key in CITED.get(name, CITED["pfs"]))
    return "\n".join([*lines, "  " + SENTENCES["source"][place].format(text=basis)])
