"""The words of the MRD table, and why a row says what it says. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sources import cited

FLAGS: dict[str, tuple[str, str]] = {
    "first_pull_unknown": ("nobody wrote whether it was the first pull", "未注明是否为首次抽吸标本"),
    "haemodilution_corrected": ("corrected for haemodilution", "已校正血液稀释"),
    "clone_trackable_unknown": ("nobody wrote whether the clone can be tracked", "未注明克隆是否可追踪"),
    "method_unknown": ("method unknown: judged as flow, the stricter", "检测方法不明，按较严格的流式标准判定"),
    "cells_from_dna": ("cells worked out from the mass of DNA, 6.5 pg a cell", "细胞数由DNA量推算（每个细胞6.5 pg）"),
    "cells_from_limit": ("cells worked out from the limit of detection", "细胞数由检测限推算"),
    "limit_optimistic": (
        "the reported limit is lower than the cells allow; the limit of the cells counts",
        "报告的检测限低于细胞数所能支持的水平，以细胞数推算的检测限为准",
    ),
    "below_limit": ("found below the limit of detection", "检出水平低于检测限"),
    "not_quantifiable": ("positive, too few events to quantify", "阳性，但事件数过少，不可定量"),
    "near_threshold": ("the interval holds the threshold", "区间跨越阈值"),
    "conflict": ("conflicting results of one sample", "同一标本结果矛盾"),
    "spurious": ("marked as spurious: not graded", "标记为可疑结果，不予判定"),
}
BECAUSE: dict[str, tuple[str, str]] = {
    "none_found": ("no clonal cell was found", "未检出克隆性细胞"),
    "found": ("clonal cells were found", "检出克隆性细胞"),
    "reported_below": ("reported as below a bound", "报告为低于某一界值"),
    "reported_above": ("reported as above a bound", "报告为高于某一界值"),
    "reported_positive": ("reported positive, without a level", "报告阳性，未给出水平"),
    "no_result": ("there is no result", "无结果"),
    "limit_of_cells": ("the cells looked at set the limit of this sample", "本标本检测限由所分析的细胞数决定"),
    "limit_reported": ("the reported limit is the limit of this sample", "本标本检测限以报告为准"),
    "too_few_cells": ("the limit of this sample is above the threshold", "本标本检测限高于阈值（细胞数不足）"),
    "not_first_pull": ("not the first pull: a negative result claims nothing", "非首次抽吸标本，阴性结果不能下结论"),
    "haemodiluted": ("diluted with blood: a negative result claims nothing", "标本被外周血稀释，阴性结果不能下结论"),
    "clone_not_trackable": ("the clone cannot be tracked: a negative result claims nothing", "克隆不可追踪，阴性结果不能下结论"),
    "too_few_events": ("fewer events than a finding needs", "事件数不足以判为检出"),
    "not_sure": ("below the threshold, but not with 95 % certainty", "低于阈值，但把握不足95%"),
}
CLAIMS: dict[str, tuple[str, str]] = {
    "negative": ("negative", "阴性"),
    "positive": ("positive", "阳性"),
    "indeterminate": ("indeterminate", "不能判定"),
}
CATEGORIES: dict[str, tuple[str, str]] = {
    "flow_mrd_negative": ("flow MRD-negative (IMWG)", "流式MRD阴性（IMWG）"),
    "sequencing_mrd_negative": ("sequencing MRD-negative (IMWG)", "测序MRD阴性（IMWG）"),
    "imaging_mrd_negative": ("imaging-plus MRD-negative (IMWG)", "影像学加MRD阴性（IMWG）"),
    "mrd_negative_not_cr": ("MRD-negative without complete response: no IMWG category", "MRD阴性但未达完全缓解，不属于IMWG的MRD阴性类别"),
    "mrd_positive": ("MRD-positive", "MRD阳性"),
}
MISSING: dict[str, tuple[str, str]] = {
    "cells": ("the cells analysed, or the limit of detection", "分析的细胞数或检测限"),
    "mrd": ("the level", "MRD水平"),
    "method": ("the method", "检测方法"),
    "mrd_first_pull": ("whether it was the first pull", "是否为首次抽吸"),
    "response": ("whether complete response was reached", "是否达完全缓解"),
    "pet": ("PET-CT", "PET-CT"),
}
METHODS: dict[str, tuple[str, str]] = {
    "ngs": ("sequencing (NGS)", "二代测序（NGS）"),
    "ngf": ("next-generation flow (NGF)", "二代流式（NGF）"),
    "flow": ("flow cytometry", "流式细胞术"),
}
COURSE: dict[str, tuple[str, str]] = {
    "sustained_imwg": ("sustained by IMWG, with imaging", "持续阴性（IMWG，含影像学）"),
    "sustained_trial": ("sustained as in trials, two marrows a year apart", "持续阴性（临床试验定义，两次骨髓相隔≥12个月）"),
    "conversion": ("turned negative", "由阳转阴"),
    "resurgence": ("MRD resurgence (by itself no progression)", "MRD转阳（本身不等于疾病进展）"),
}
SENTENCES: dict[str, tuple[str, str]] = {
    "title": ("MRD {on}, {method}: {claim}", "MRD {on}，{method}：{claim}"),
    "cells": ("{cells} cells analysed, {events} clonal", "分析细胞{cells}个，其中克隆性细胞{events}个"),
    "level": ("level {level}, 95 % interval {low} to {high}", "水平{level}，95%区间{low}～{high}"),
    "interval": ("95 % interval {low} to {high}", "95%区间{low}～{high}"),
    "bound": ("level at least {low}", "水平不低于{low}"),
    "limit": ("limit of detection of this sample {limit}", "本标本检测限{limit}"),
    "poisson": (
        "were the level 1e-5, so few events would be seen in {p5} of such samples; were it 1e-6, in {p6}",
        "若真实水平为1e-5，此类标本中仅{p5}会见到如此少的事件；若为1e-6，则为{p6}",
    ),
    "claims": ("at 1e-4 {a}, at 1e-5 {b}, at 1e-6 {c}", "1e-4：{a}；1e-5：{b}；1e-6：{c}"),
    "and": ("; ", "；"),
    "missing": ("missing: {items}", "缺少：{items}"),
    "doubling": ("doubling time {days} days{interval}", "倍增时间{days}天{interval}"),
    "between": (" (95 % interval {low} to {high})", "（95%区间{low}～{high}）"),
    "from": (" (95 %: {low} or more; no rise is certain)", "（95%：≥{low}；尚不能肯定升高）"),
    "due": ("next sample due {on}", "下次标本应于{on}"),
    "source": ("Source: {text}", "依据：{text}"),
}
CITED = ("kumar-2016", "garwood-1936")


def explain_mrd(row: Mapping[str, Any], lang: str = "en") -> str:
    """Why a row of `mrd_table` says what it says: values, limit, what chance allows, what is missing, source.

    `row`: the row as a mapping (`frame.row(0, named=True)`); `lang`: `en` or `zh`. Lines of plain text.
    """
    told = _Teller(row, "zh" if lang.startswith("zh") else "en")
    method = told.word(METHODS, row["method"]) if row["method"] else told.word(FLAGS, "method_unknown")
    lines = [told.say("title", on=row["on"], method=method, claim=told.claim(row["claim"]))]
    details = [*told.sample(), *told.claims(), *told.notes(), *told.course()]
    basis = "; ".join(cited(key) for key in CITED)
    return "\n".join([*lines, *(f"  {line}" for line in details), "  " + told.say("source", text=basis)])


class _Teller:
    """One row told in one language."""

    def __init__(self, row: Mapping[str, Any], lang: str) -> None:
        self.row, self.place = row, ("en", "zh").index(lang)

    def say(self, sentence: str, **values: Any) -> str:
        return SENTENCES[sentence][self.place].format(**values)

    def word(self, table: Mapping[str, tuple[str, str]], name: str) -> str:
        return table[name][self.place] if name in table else name

    def claim(self, claim: str | None) -> str:
        if claim is None:
            return self.word(FLAGS, "spurious")
        name, _, threshold = claim.partition("<")
        return self.word(CLAIMS, name) + (f" < {threshold}" if threshold else "")

    def sample(self) -> list[str]:
        """Cells, level, interval, limit, and what chance would allow."""
        row, lines = self.row, []
        if row["cells"] is not None:
            events = "?" if row["events"] is None else _count(row["events"])
            lines.append(self.say("cells", cells=_count(row["cells"]), events=events))
        if row["high"] is not None:
            ends = {"low": _share(row["low"]), "high": _share(row["high"])}
            level = row["level"] is not None
            lines.append(self.say("level", level=_share(row["level"]), **ends) if level else self.say("interval", **ends))
        elif row["low"] is not None:
            lines.append(self.say("bound", low=_share(row["low"])))
        if row["detection_limit"] is not None:
            lines.append(self.say("limit", limit=_share(row["detection_limit"])))
        if row["events"] is not None and row["p_below_1e5"] >= 0.5:
            lines.append(self.say("poisson", p5=_chance(1 - row["p_below_1e5"]), p6=_chance(1 - row["p_below_1e6"])))
        return lines

    def claims(self) -> list[str]:
        """The claims at the three thresholds and their reasons."""
        row = self.row
        because = [self.word(BECAUSE, name) for name in _split(row["because"])]
        lines = [self.say("and").join(because)] if because else []
        if row["claim"] is not None:
            claims = (self.word(CLAIMS, str(row[f"claim_{name}"])) for name in ("1e4", "1e5", "1e6"))
            lines.append(self.say("claims", **dict(zip("abc", claims, strict=True))))
        if row["category"] is not None:
            lines.append(self.word(CATEGORIES, str(row["category"])))
        return lines

    def notes(self) -> list[str]:
        """What to beware of, and what is missing."""
        lines = ["! " + self.word(FLAGS, name) for name in _split(self.row["flags"])]
        missing = [self.word(MISSING, name) for name in _split(self.row["missing"])]
        return [*lines, self.say("missing", items=", ".join(missing))] if missing else lines

    def course(self) -> list[str]:
        """What the row means in the course of the patient."""
        row = self.row
        lines = [self.word(COURSE, name) for name in COURSE if row[name]]
        if row["doubling_days"] is not None:
            ends = {"low": row["doubling_low"], "high": row["doubling_high"]}
            kind = "between" if ends["high"] is not None else "from" if ends["low"] is not None else None
            known = {name: f"{end:.0f}" for name, end in ends.items() if end is not None}
            lines.append(self.say("doubling", days=f"{row['doubling_days']:.0f}", interval=self.say(kind, **known) if kind else ""))
        return [*lines, self.say("due", on=row["next_due"])] if row["next_due"] else lines


def _split(names: str | None) -> list[str]:
    return names.split("|") if names else []


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _share(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"


def _chance(value: float) -> str:
    return "<0.1 %" if value < 0.001 else f"{100 * value:.2g} %" if value < 0.995 else ">99 %"
