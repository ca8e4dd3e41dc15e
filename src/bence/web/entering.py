"""Entering rows: which codes there are, what may stand in a row of each, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..catalogue import Code, codes, codes_of, fold, label

GRAINS = {"observations": ("observation",), "treatments": ("drug", "procedure"), "events": ("event",)}
TABLE_WORDS = {
    "observations": ("Result", "检查结果"),
    "treatments": ("Treatment", "治疗"),
    "events": ("Event", "事件"),
    "patients": ("Patient data", "患者基本信息"),
}
COLUMN_WORDS = {
    "on": ("Date", "日期"), "value": ("Value", "数值"), "text": ("In words", "文字结果"), "comparator": ("Reported as", "报告为"),
    "unit": ("Unit", "单位"), "method": ("Method", "方法"), "sample": ("Sample", "标本"), "detection_limit": ("Detection limit", "检测限"),
    "cells": ("Cells analysed", "分析细胞数"), "status": ("Status", "状态"), "recorded_on": ("Known since", "获知日期"),
    "started_on": ("Start", "开始日期"), "stopped_on": ("Stop", "停止日期"), "dose": ("Dose", "剂量"), 
    "dose_unit": ("Unit of dose", "剂量单位"),
    "route": ("Route", "给药途径"), "phase": ("Phase", "阶段"), "line": ("Line", "治疗线数"), "planned": ("Planned change", "计划内更换"),
    "stop_reason": ("Reason of the stop", "停药原因"), "until": ("End", "结束日期"), "grade": ("Grade", "分级"), "what": ("What", "项目"),
    "sex": ("Sex", "性别"), "born_on": ("Born (year, month or day)", "出生日期（可仅填年或年月）"), "heavy_chain": ("Heavy chain", "重链"),
    "light_chain": ("Light chain", "轻链"), "died_on": ("Died on", "死亡日期"), "death_cause": ("Cause of death", "死因"),
    "last_seen_on": ("Last seen", "末次随访"),
}  # fmt: skip
COLUMNS = {
    "observations": ("on", "comparator", "value", "unit", "text", "method", "sample", "detection_limit", "cells", "status", "recorded_on"),
    "treatments": ("started_on", "stopped_on", "dose", "dose_unit", "route", "phase", "line", "planned", "stop_reason", "recorded_on"),
    "events": ("on", "until", "grade", "text", "recorded_on"),
    "patients": ("sex", "born_on", "heavy_chain", "light_chain", "died_on", "death_cause", "last_seen_on"),
}
VISIT = (
    "serum_m_protein", "serum_ife", "urine_m_protein", "urine_ife", "kappa_flc", "lambda_flc", "hemoglobin", "white_cells", "neutrophils",
    "platelets", "creatinine", "calcium", "albumin", "ldh", "ldh_upper_limit", "b2m", "igg", "iga", "igm",
)  # fmt: skip
MOST = 30  # codes shown for a word


def search(word: str, table: str) -> list[Code]:
    """The codes of a table whose name, label or alias has a word, those that begin with it first; the first ones for no word."""
    sought = fold(word)
    found = [(place, code) for code in codes_of(*GRAINS[table]).values() if (place := _place(code.code, sought)) is not None]
    return [code for _, code in sorted(found, key=lambda each: each[0])[:MOST]]


def _place(name: str, sought: str) -> int | None:
    places = [spelling.find(sought) for spelling in _spellings(name)]
    return min((place for place in places if place >= 0), default=None)


@cache
def _spellings(name: str) -> tuple[str, ...]:
    code = codes()[name]
    return tuple(fold(each) for each in (code.code, code.en, code.zh, *code.aliases))


def choices(column: str, code: Code | None) -> tuple[str, ...]:
    """The words that may stand in a column; none where it is free."""
    if column in ("sex", "heavy_chain", "light_chain"):
        return codes()[column].categories
    fixed = {
        "comparator": ("<", "<=", ">", ">="),
        "status": ("final", "preliminary", "spurious", "entered_in_error"),
        "planned": ("yes", "no"),
        "phase": tuple(codes()["phase"].categories) if "phase" in codes() else (),
        "stop_reason": tuple(codes()["stop_reason"].categories) if "stop_reason" in codes() else (),
    }
    if column in fixed:
        return fixed[column]
    if code is not None and column == "text":
        return code.words
    if code is not None and column == "unit" and code.unit:
        return (code.unit, *(unit for unit in code.other_units if unit != code.unit))
    return ()


def shown_of(row: Mapping[str, Any], lang: str) -> str:
    """The result of an observation in words: `<0.5 mg/L`, `negative`."""
    if row["value"] is None:
        return label(row["text"] or "", lang)
    return f"{row['comparator'] or ''}{row['value']:.6g} {row['unit'] or ''}".strip()


def given(fields: Mapping[str, str], table: str) -> dict[str, str | None]:
    """What a form says of the columns of a table; what is left empty is unknown."""
    return {
        name: fields[name].strip() or None
        for name in (*COLUMNS[table], "what")
        if name in fields and (table != "patients" or name != "what")
    }
