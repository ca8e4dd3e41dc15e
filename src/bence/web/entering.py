"""Entering rows: which codes there are, what may stand in a row of each, and why a value was not accepted, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..catalogue import Code, codes, codes_of, fold, label
from ..errors import BenceError
from ..report.reasons import input_said

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
FAULTS = (
    (r"not a number", "不是数字"),
    (r"not a date|no such day|there is no day", "不是有效日期"),
    (r"plausible|out of range|outside|above|below|too (high|low|large|small)|not possible", "超出合理范围"),
    (r"before birth|death before birth", "早于出生日期"),
    (r"seen after death|after death", "晚于死亡日期"),
    (r"before", "早于起始日期"),
    (r"unit", "缺少单位或单位无法识别"),
    (r"blank|says nothing", "未填写内容"),
    (r"unknown|not a|no such|recognised", "无法识别"),
    (r"is in centre .* already", "该编号在本中心已存在"),
    (r"still has rows", "该患者仍有记录，须先删除"),
)
EXPECTED = (
    (r"^a number$", "数字"),
    (r"^a date written year first, such as (.+)$", r"年在前的日期，如\1"),
    (r"^a date after birth$", "出生之后的日期"),
    (r"^a date not before .*$", "不早于开始日期"),
    (r"^a date up to the date of death$", "不晚于死亡日期"),
    (r"^every row needs .*$", "此项必填"),
    (r"^a value or a text$", "数值或文字结果"),
    (r"^a whole number from (\d+) to (\d+)$", r"\1至\2的整数"),
    (r"^negative, or the chains found, such as igg_kappa$", "negative（阴性），或所见条带，如igg_kappa"),
    (r"^(\S+) to (\S+ ?\S*) \(.*\)$", r"\1至\2"),
    (r"^(\S+) to (.+)$", r"\1至\2"),
    (r"^these to be removed first$", "先删除这些记录"),
)


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


def fault_said(error: BenceError, zh: bool) -> str:
    """Why a value was not accepted, in the language of the user."""
    table, _, place = error.where.partition(": ")
    column, _, value = (place or table).partition(" = ")
    words = COLUMN_WORDS.get(column.strip())
    where = words[zh] if words else input_said(column.strip(), "zh" if zh else "en") if column.strip() in codes() else ""
    what = next((chinese for pattern, chinese in FAULTS if re.search(pattern, error.what)), error.what) if zh else error.what
    parts = [f"{where} {value}".strip(), what]
    told = ("：" if zh else ": ").join(part for part in parts if part)
    if error.expected:
        told += f"；应为：{_expected(error.expected)}" if zh else f"; expected {error.expected}"
    if error.nearest:
        near = input_said(error.nearest, "zh" if zh else "en")
        told += f"；是否为“{near}”？" if zh else f"; did you mean {near}?"
    return told


def _expected(text: str) -> str:
    """What was expected, in Chinese where it is one of the common forms."""
    for pattern, chinese in EXPECTED:
        if re.search(pattern, text):
            return re.sub(pattern, chinese, text)
    return text.replace(" or ", "或")


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
