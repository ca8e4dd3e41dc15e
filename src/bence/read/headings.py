"""What a heading of a hospital export means: a code and its unit, a part of the row, or something not to be read.

`κ游离轻链(mg/L)`, `Hb g/L`, `血清免疫固定电泳结果`, `Hb单位`, `参考范围` …; a mapping file speaks first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..catalogue import Code, codes, find, fold
from .mapping import Column, Mapping
from .units import accepted, canonical, plain

GRAINS = ("column", "patient", "observation", "treatment", "event", "procedure", "drug")
# Parts of a row that are no codes of the catalogue; `_` stands for a space.
PARTS = {
    "reference": """参考范围 参考值 参考区间 参考值范围 正常值 正常范围 正常参考值
        reference reference_range ref_range reference_interval normal_range""",
    "age": "年龄 年纪 岁 就诊年龄 诊断年龄 age age_years",
    "drugs": """用药 当前用药 治疗方案 化疗方案 方案 用药方案 抗骨髓瘤治疗
        regimen drugs current_treatment therapy""",
    "private": """姓名 患者姓名 病人姓名 受试者姓名 名字 name patient_name full_name 身份证 身份证号 身份证号码 证件号
        id_card 电话 联系电话 手机 手机号 手机号码 phone mobile telephone 住址 地址 家庭住址 家庭地址 address
        联系人 email 邮箱 医保号 社保号""",
    "administrative": """序号 行号 科室 病区 床号 申请科室 申请医生 送检医生 医生 检验者 审核者 检验员 操作员
        条码号 样本号 标本号 申请单号 检验单号 报告单号 标志 提示 异常标志 异常提示 状态标志 高低
        no flag abnormal_flag row row_number index department ward operator""",
}
_PARTS = {fold(word): part for part, words in PARTS.items() for word in words.split()}
_TAILS = re.compile(r"(?:测定|检测|检查|定量|浓度|水平|含量|数值|结果|值)$")
_BRACKETS = re.compile(r"[(\[【{]([^()\[\]【】{}]*)[)\]】}]")
_METHODS = (
    (r"ngf|二代流式|euroflow", "ngf"),
    (r"ngs|二代测序|clonoseq", "ngs"),
    (r"流式|flow|mfc", "flow"),
    (r"活检|biopsy", "biopsy"),
    (r"涂片|穿刺|aspirate|smear", "aspirate"),
)
_BY_METHOD = ("mrd", "marrow_plasma_cells", "marrow_clonality")
_DAY = re.compile(r"(?:日期|时间|[\s_]?date)$", re.IGNORECASE)


@dataclass(frozen=True)
class Role:
    """What stands in a column.

    `part`: `observation`, `field` (of the patient), `dated` (the cell is the day of an event or procedure),
    `age`, `drugs`, `private`, `administrative`, `ignored`, `unknown`, or a column of the chart (`patient`, `on`,
    `what`, `value`, `unit` …).
    """

    part: str
    code: Code | None = None
    unit: str | None = None
    spec: Column | None = None
    method: str | None = None


def role(heading: str, mapping: Mapping) -> Role:
    """The role of one heading."""
    if mapping.ignored(heading):
        return Role("ignored")
    spec = mapping.column(heading)
    if spec:
        return mapped(spec)
    if not plain(heading):
        return Role("unknown")
    part = _PARTS.get(fold(heading)) or _PARTS.get(fold(_BRACKETS.sub("", plain(heading))))
    if part:
        return Role(part)
    code, unit = understood(heading)
    return _of_code(code, unit, method_in(heading, code)) if code else _of_day(heading)


def mapped(spec: Column) -> Role:
    """The role that a mapping file gives."""
    if spec.what == "age":
        return Role("age", spec=spec)
    found = _of_code(codes()[spec.what], spec.unit)
    return Role(found.part, found.code, spec.unit, spec, spec.method)


def _of_code(code: Code, unit: str | None, method: str | None = None) -> Role:
    if "observation" in code.grains:
        return Role("observation", code, unit, method=method)
    if code.code == "patient" or "column" in code.grains or "treatment" in code.grains:
        return Role(code.code, code)
    return Role("field", code) if "patient" in code.grains else Role("dated", code)


def _of_day(heading: str) -> Role:
    """`ASCT日期`: the cell is the day of the thing named."""
    base = _DAY.sub("", plain(heading))
    code = find(base, "event", "procedure", "drug") if base != plain(heading) else None
    return Role("dated", code) if code else Role("unknown")


def understood(heading: str) -> tuple[Code | None, str | None]:
    """The code and the unit in a heading or in the name of an item.

    >>> code, unit = understood("κ游离轻链(mg/L)")
    >>> code.code, unit, understood("Hb g/L")[1], understood("嗜酸细胞(%)")[0]
    ('kappa_flc', 'mg/L', 'g/L', None)
    """
    text = plain(heading)
    for base, unit in _with_unit(text):
        code = _named(base)
        if code and (unit in accepted(code) or not code.numeric):
            return code, unit
    return _named(text), None


def method_in(heading: str, code: Code) -> str | None:
    """The method that a heading names, for the codes whose value depends on it: `MRD(NGF)`, `骨髓涂片浆细胞`."""
    if code.code not in _BY_METHOD:
        return None
    return next((method for words, method in _METHODS if re.search(words, plain(heading).lower())), None)


def _with_unit(text: str) -> list[tuple[str, str]]:
    """The ways to cut a unit off a heading: a bracket, or the last words."""
    cuts = [(text[: m.start()] + text[m.end() :], m[1]) for m in _BRACKETS.finditer(text)]
    cuts += [(text[: m.start()], text[m.end() :]) for m in re.finditer(r"[\s,_:|]+", text)]
    if text.endswith("%"):
        cuts.append((text[:-1], "%"))
    found = [(base, canonical(unit.strip())) for base, unit in cuts if base.strip() and unit.strip()]
    return [(base, unit) for base, unit in found if unit]


def _named(text: str) -> Code | None:
    """The code of a name, also with a second name of the same thing in brackets, or a word such as 测定 behind it."""
    code = find(text, *GRAINS)
    if code:
        return code
    bare = _BRACKETS.sub("", text)
    if bare != text:
        code = _named(bare)
        inner = [m[1] for m in _BRACKETS.finditer(text) if m[1].strip()]
        return code if code and all(find(i, *GRAINS) is code or method_in(i, code) for i in inner) else None
    shorter = _TAILS.sub("", text)
    return _named(shorter) if shorter and shorter != text else None


def unit_of(heading: str) -> Code | None:
    """The code whose unit stands in a column headed `Hb单位` or `Hb_unit`."""
    base = re.sub(r"(?:单位|[\s_(]*units?\)?)$", "", plain(heading), flags=re.IGNORECASE)
    return _named(base) if base and base != plain(heading) else None
