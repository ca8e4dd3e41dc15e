"""Every kind of fault of an evidence record is found, and a sound record has none."""

import importlib
import tomllib

import pytest

from bence.errors import ChartError
from bence.evidence import KINDS, faults
from bence.evidence.faults import rounding

SOUND = {
    "targets/bcma": """
name = { en = "BCMA", zh = "BCMA" }
gene = "TNFRSF17"
expressed = { en = "plasma cells", zh = "浆细胞" }
why = { en = "needed to survive", zh = "为存活所需" }
tag = "M"
source = "from memory, unchecked"
""",
    "drugs/teclistamab": """
name = { en = "teclistamab", zh = "特立妥单抗" }
code = "teclistamab"
class = "bispecific"
format = "bispecific"
targets = ["bcma"]
status = "approved"
status_tag = "V"
status_source = "a label"
disputed = ["E05"]
[[dosing]]
step = "de-escalation"
text = { en = "every 2 weeks", zh = "每2周1次" }
needs = { response = "CR", held_months = 6 }
tag = "V"
source = "a label"
[[approvals]]
region = "us"
on = 2022-10-25
ends = 2026-03-05
kind = "accelerated"
min_prior_lines = 4
exposed = ["PI", "CD38_antibody"]
population = "RRMM"
indication = { en = "alone", zh = "单药" }
tag = "V"
source = "a page"
""",
    "trials/majestec-3": """
name = "MajesTEC-3"
title = { en = "teclistamab and daratumumab", zh = "特立妥单抗联合达雷妥尤单抗" }
design = "randomised"
status = "reported"
setting = "RRMM"
population = { en = "1 to 3 lines", zh = "1~3线" }
publication = { where = "N Engl J Med 2026", doi = "10.1056/nejmoa2514663", tag = "V" }
[[arms]]
key = "tec"
name = "Tec-Dara"
drugs = ["teclistamab", "daratumumab"]
n = 291
tag = "V"
source = "abstract"
[[arms]]
key = "control"
name = "DPd or DVd"
drugs = ["daratumumab"]
tag = "V"
source = "abstract"
[[numbers]]
what = { en = "randomised", zh = "随机" }
value = 587
tag = "V"
source = "abstract"
[[outcomes]]
arm = "tec"
measure = "orr"
percent = 89.0
n = 291
events = 259
tag = "V"
source = "abstract"
[[outcomes]]
arm = "tec"
measure = "pfs_rate"
percent = 83.4
low = 78.2
high = 87.4
denominator = "arm"
tag = "V"
source = "abstract"
[[comparisons]]
arm = "tec"
against = "control"
measure = "pfs"
kind = "hazard_ratio"
value = 0.17
low = 0.12
high = 0.23
p = 0.001
tag = "V"
source = "abstract"
""",
    "guidelines/emn-2025": """
name = { en = "EMN", zh = "欧洲骨髓瘤网络" }
where = "Lancet Haematol 2025;12:e635"
year = 2025
tag = "V"
source = "abstract"
[[statements]]
id = "first"
text = { en = "CAR T cells first", zh = "先用CAR-T" }
about = ["CAR_T"]
sources = ["majestec-3"]
tag = "V"
source = "abstract"
""",
    "mechanisms/bcma-loss": """
name = { en = "loss of BCMA", zh = "BCMA丢失" }
kind = "antigen"
[[links]]
to = "bcma-loss"
effect = "raises"
tag = "M"
source = "from memory, unchecked"
[[tests]]
what = "tnfrsf17_status"
text = { en = "sequencing", zh = "测序" }
supports = "tnfrsf17_status = biallelic_loss"
tag = "M"
source = "from memory, unchecked"
""",
    "disputed/E05": """
id = "E05"
severity = "H"
text = "004"
statement = { en = "three lines", zh = "3线" }
problem = { en = "four in the US", zh = "美国为4线" }
instead = { en = "by region", zh = "按地区" }
about = ["teclistamab"]
tag = "V"
source = "a label"
""",
}

BROKEN = [  # where, what stands there, what is put in its place, what must be said
    ("drugs/teclistamab", 'format = "bispecific"', 'formats = "bispecific"', "formats: unknown field; did you mean 'format'?"),
    ("drugs/teclistamab", 'format = "bispecific"', "", "format: missing"),
    ("drugs/teclistamab", 'zh = "特立妥单抗"', 'zh = " "', "name: no text in zh"),
    ("drugs/teclistamab", ', zh = "每2周1次"', "", "dosing[1].text: no text in zh"),
    ("drugs/teclistamab", 'en = "alone", ', "", "approvals[1].indication: no text in en"),
    ("drugs/teclistamab", 'name = { en = "teclistamab", zh = "特立妥单抗" }', 'name = "teclistamab"', "name: expected a text"),
    ("drugs/teclistamab", 'status_tag = "V"', "", "status_tag: missing"),
    ("drugs/teclistamab", 'tag = "V"\nsource = "a page"', 'source = "a page"', "approvals[1].tag: missing"),
    ("drugs/teclistamab", 'source = "a page"', "", "approvals[1].source: missing"),
    ("drugs/teclistamab", '"a page"', '"clinical.md"', "approvals[1].source: a source names what was read"),
    ("drugs/teclistamab", '"a page"', '"from memory, unchecked"', "approvals[1].tag: V for what was written from memory"),
    ("drugs/teclistamab", '"a page"', '"majestec-33"', "approvals[1].source: unknown 'majestec-33'; did you mean 'majestec-3'?"),
    ("drugs/teclistamab", 'tag = "V"\nsource = "a label"\n[[appr', 'tag = "X"\nsource = "a label"\n[[appr', "dosing[1].tag: unknown 'X'"),
    ("drugs/teclistamab", 'code = "teclistamab"', 'code = "teclistmab"', "code: unknown 'teclistmab'; did you mean 'teclistamab'?"),
    ("drugs/teclistamab", 'code = "teclistamab"', 'code = "talquetamab"', "code: the file should be named talquetamab.toml"),
    ("drugs/teclistamab", '["bcma"]', '["bmca"]', "targets: unknown 'bmca'; did you mean 'bcma'?"),
    ("drugs/teclistamab", '["bcma"]', '"bcma"', "targets: expected a list"),
    ("drugs/teclistamab", '"CD38_antibody"]', '"CD38"]', "approvals[1].exposed: unknown 'CD38'"),
    ("drugs/teclistamab", '["E05"]', '["E99"]', "disputed: unknown 'E99'"),
    ("drugs/teclistamab", 'region = "us"', 'region = "usa"', "approvals[1].region: unknown 'usa'; did you mean 'us'?"),
    ("drugs/teclistamab", "on = 2022-10-25", 'on = "2022-10-25"', "approvals[1].on: expected a date"),
    ("drugs/teclistamab", "ends = 2026-03-05", "ends = 2021-03-05", "approvals[1].ends: 2021-03-05 is before it began"),
    ("drugs/teclistamab", "min_prior_lines = 4", "min_prior_lines = -1", "approvals[1].min_prior_lines: expected a whole number"),
    ("drugs/teclistamab", "held_months = 6", "held = 6", "dosing[1].needs.held: unknown field"),
    ("targets/bcma", 'tag = "M"', "", "tag: missing"),
    ("trials/majestec-3", '"teclistamab", "dara', '"teclstamab", "dara', "arms[1].drugs: unknown 'teclstamab'"),
    ("trials/majestec-3", 'key = "control"', 'key = "tec"', "arms: key 'tec' is used 2 times"),
    ("trials/majestec-3", 'value = 587\ntag = "V"\n', "value = 587\n", "numbers[1].tag: missing"),
    ("trials/majestec-3", "value = 587", 'value = "587"', "numbers[1].value: expected a number"),
    ("trials/majestec-3", "low = 0.12", "low = 0.21", "comparisons[1].low: 0.21 is above the value 0.17"),
    ("trials/majestec-3", "high = 0.23", "high = 0.13", "comparisons[1].high: 0.13 is below the value 0.17"),
    ("trials/majestec-3", "low = 78.2", "low = 87.2", "outcomes[2].low: 87.2 is above the value 83.4"),
    ("trials/majestec-3", "p = 0.001", "p = 1.001", "comparisons[1].p: 1.001 is not a probability"),
    ("trials/majestec-3", "events = 259", "events = 229", "outcomes[1].percent: 89.0, but 229 of 291 is 78.69"),
    ("trials/majestec-3", "events = 259", "events = 292", "outcomes[1].events: 292 of 291"),
    ("trials/majestec-3", "n = 291\nevents = 259\n", "", "outcomes[1].n: a proportion without its denominator"),
    ("trials/majestec-3", "n = 291\nevents", 'n = 291\ndenominator = "not stated"\nevents', "outcomes[1].denominator: it is stated"),
    ("trials/majestec-3", '"daratumumab"]\nn = 291', '"daratumumab"]', "outcomes[2].denominator: the size of the arm is not known"),
    ("trials/majestec-3", "percent = 83.4\nlow = 78.2\nhigh = 87.4", "percent = 183.4", "outcomes[2].percent: 183.4 is not a proportion"),
    ("trials/majestec-3", "percent = 83.4\nlow = 78.2\nhigh = 87.4\n", "", "outcomes[2].measure: expected one of percent"),
    ("trials/majestec-3", 'arm = "tec"\nmeasure = "orr"', 'arm = "teq"\nmeasure = "orr"', "outcomes[1].arm: unknown 'teq'"),
    ("trials/majestec-3", 'against = "control"', 'against = "dpd"', "comparisons[1].against: unknown 'dpd'"),
    ("guidelines/emn-2025", '["majestec-3"]', '["majestec-4"]', "statements[1].sources: unknown 'majestec-4'; did you mean 'majestec-3'?"),
    ("guidelines/emn-2025", '["CAR_T"]', '["CART"]', "statements[1].about: unknown 'CART'; did you mean"),
    ("guidelines/emn-2025", "year = 2025", 'year = "2025"', "year: expected a whole number"),
    ("mechanisms/bcma-loss", 'to = "bcma-loss"', 'to = "bcma-los"', "links[1].to: unknown 'bcma-los'"),
    ("mechanisms/bcma-loss", 'what = "tnfrsf17_status"', 'what = "tnfrsf17"', "tests[1].what: unknown 'tnfrsf17'"),
    ("disputed/E05", '["teclistamab"]', '["tecvayli-label"]', "about: unknown 'tecvayli-label'"),
]  # fmt: skip


def base(texts):
    """Records by kind and key, from their texts."""
    found = {kind: {} for kind in KINDS}
    for path, text in texts.items():
        kind, key = path.split("/")
        found[kind][key] = tomllib.loads(text)
    return found


def test_the_base_of_the_examples_has_no_fault():
    assert faults(base(SOUND)) == []


@pytest.mark.parametrize(("path", "old", "new", "said"), BROKEN, ids=[said for *_, said in BROKEN])
def test_a_fault_is_found(path, old, new, said):
    assert SOUND[path].count(old) == 1
    found = faults(base(SOUND | {path: SOUND[path].replace(old, new)}))
    assert [fault for fault in found if fault.startswith(f"{path}: {said}")], found


def test_a_key_used_twice_is_found():
    twice = base(SOUND | {"mechanisms/bcma": SOUND["mechanisms/bcma-loss"]})
    assert faults(twice) == ["bcma: the key is used by 2 records"]


def test_a_statement_identified_twice_is_found():
    text = SOUND["guidelines/emn-2025"]
    again = text + text[text.index("[[statements]]") :]
    assert faults(base(SOUND | {"guidelines/emn-2025": again})) == ["guidelines/emn-2025: statements: id 'first' is used 2 times"]


def test_two_statements_of_the_register_with_one_id_stop_the_reading(tmp_path, monkeypatch):
    (tmp_path / "disputed.toml").write_text('[[statement]]\nid = "E01"\n[[statement]]\nid = "E01"\n', encoding="utf-8")
    module = importlib.import_module("bence.evidence.records")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    module._register.cache_clear()
    with pytest.raises(ChartError, match=r"disputed\.toml: two statements have the same id"):
        module.records("disputed")


@pytest.mark.parametrize(("printed", "half"), [(63, 0.5), (63.0, 0.05), (2.75, 0.005)])
def test_rounding_is_half_of_the_last_digit_printed(printed, half):
    assert rounding(printed) == pytest.approx(half)
