"""Free text of immunofixation: the table of cases, and that only the words matter, not how they are set."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bence.read.immunofixation import CHAINS, Finding, Refusal, electrophoresis, parse

TABLE = Path(__file__).parent / "data" / "immunofixation.md"


def cases() -> list[tuple[str, str, str]]:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return [(report, answer, small) for report, answer, small in rows if report != "report"]


def said(report: str) -> str:
    found = parse(report)
    if isinstance(found, Refusal):
        return "refused"
    return "not done" if found.not_done else found.text or ""


@pytest.mark.parametrize(("report", "answer", "small"), cases())
def test_a_report_is_read_as_its_signed_case_says(report, answer, small):
    assert said(report) == answer
    found = parse(report)
    assert bool(small) == (isinstance(found, Finding) and found.small)


def test_every_canonical_value_reads_as_itself():
    for text in (
        "negative",
        "positive",
        *CHAINS,
        "igg_kappa+iga_lambda",
        "igg_kappa+kappa",
        "iga_lambda+iga",
    ):
        assert parse(text) == Finding(text)


PARTS = {
    "IgG kappa": "igg_kappa", "IgG-κ": "igg_kappa", "monoclonal IgG lambda": "igg_lambda", "IgA-λ": "iga_lambda",
    "免疫球蛋白M κ": "igm_kappa", "IgM lambda": "igm_lambda", "IgD λ型": "igd_lambda", "IgE-κ型": "ige_kappa",
    "κ轻链": "kappa", "lambda light chain": "lambda", "游离轻链λ": "lambda", "free kappa": "kappa",
}  # fmt: skip
JOINTS = (" + ", "+", "、", " plus ", " and ", "和", ", ", "；")
FRAMES = ("{}", "阳性({})", "Biclonal gammopathy ({}).", "{} 阳性", "positive: {}", "发现单克隆 {}")


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


@given(
    parts=st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=3),
    joint=st.sampled_from(JOINTS),
    frame=st.sampled_from(FRAMES),
    setting=st.sampled_from([str, str.upper, str.lower, str.swapcase, wide, lambda t: t.replace(" ", "   "), str.title]),
)
def test_a_composition_reads_as_the_set_of_its_parts(parts, joint, frame, setting):
    found = parse(setting(frame.format(joint.join(parts))))
    assert isinstance(found, Finding)
    assert set(found.chains) == {PARTS[part] for part in parts}
    assert found.text == "+".join(chain for chain in CHAINS if chain in found.chains)


@given(st.text(max_size=60))
def test_any_text_gives_a_finding_or_a_reason(text):
    found = parse(text)
    assert isinstance(found, Refusal) or found.not_done or found.text in ("negative", "positive") or found.chains
    assert parse(text) == found


@pytest.mark.parametrize(
    ("report", "word"),
    [
        ("IgG kappa and lambda", "second band"),
        ("IgG(-) IgA(-)", "lanes"),
        ("可疑IgG-κ", "indeterminate"),
        ("Known IgG kappa", "before"),
        ("Negative. IgG kappa.", "contradicts"),
        ("IgG and IgA kappa", "each of the heavy chains"),
        ("IgG- κ+", "sign or a hyphen"),
        ("see comment", "no finding"),
    ],
)
def test_a_refusal_says_why(report, word):
    found = parse(report)
    assert isinstance(found, Refusal)
    assert word in found.reason


def test_a_therapeutic_antibody_is_noted_beside_the_chain():
    found = parse("Faint IgG kappa, likely daratumumab")
    assert found == Finding("igg_kappa", small=True, note="therapeutic antibody named: daratumumab")


@pytest.mark.parametrize(
    ("report", "answer"),
    [
        ("M-spike in gamma region.", "positive"),
        ("可见M带", "positive"),
        ("γ区可见M峰", "positive"),
        ("IgG kappa", "positive"),
        ("M-spike: 0 g/dL", "negative"),
        ("No apparent monoclonal protein on serum electrophoresis.", "negative"),
        ("未见M蛋白", "negative"),
        ("Polyclonal hypergammaglobulinemia", "negative"),
        ("Small abnormality in gamma fraction.", None),
        ("Fuzzy gamma", None),
    ],
)
def test_electrophoresis_sees_an_m_protein_or_not(report, answer):
    found = electrophoresis(report)
    assert (found.text if isinstance(found, Finding) else None) == answer
