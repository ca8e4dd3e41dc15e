"""Pages: one file each, nothing loaded, nothing invented, every answer with its reasons, in English and in Chinese."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
from datetime import date
from html import unescape
from html.parser import HTMLParser

import polars as pl
import pytest

import bence
from bence.catalogue import codes
from bence.chart import Chart
from bence.errors import UsageError
from bence.report import cohort, words
from bence.report.cohort import SHOWN
from bence.report.curves import points
from bence.report.drawing import month_ticks, rows_without_overlap, shortened
from bence.report.gaps import gaps
from bence.report.header import age, isotype
from bence.report.ladder import progressions
from bence.report.therapy import lanes
from bence.signoff import sources

UNTRUSTED = '<b>"P5"</b>&'
LANGUAGES = ["en", "zh"]


# ----------------------------------------------------------------------------------------------------------
# Charts


def seen(patient, on, what, value=None, **known):
    unit = codes()[what].unit if value is not None else None
    number = None if value is None else float(value)
    return {"patient": patient, "on": date.fromisoformat(on), "what": what, "value": number, "unit": unit or None, **known}


def given(patient, what, started_on, stopped_on=None, **known):
    stop = date.fromisoformat(stopped_on) if stopped_on else None
    return {"patient": patient, "what": what, "started_on": date.fromisoformat(started_on), "stopped_on": stop, **known}


def happened(patient, on, what, **known):
    return {"patient": patient, "on": date.fromisoformat(on), "what": what, **known}


def frame(rows):
    return pl.DataFrame(rows, infer_schema_length=None) if rows else None


def treated_patient(p="P1"):
    """IgG kappa, one line, PR then a confirmed progression, then a second line; a spurious and a censored value."""
    serum = [("2024-01-05", 40), ("2024-02-05", 18), ("2024-03-05", 12), ("2024-05-05", 19), ("2024-06-05", 24), ("2024-08-01", 6)]
    rows = [seen(p, on, "serum_m_protein", value, source=f"labs.csv:{i}") for i, (on, value) in enumerate(serum, 2)]
    rows += [
        seen(p, "2024-04-05", "serum_m_protein", 90, status="spurious", source="labs.csv:20"),
        seen(p, "2024-01-05", "kappa_flc", 300), seen(p, "2024-01-05", "lambda_flc", 0.5, comparator="<"),
        seen(p, "2024-03-05", "kappa_flc", 0), seen(p, "2024-03-05", "lambda_flc", 4),
        seen(p, "2024-01-05", "b2m", 6.0, source="labs.csv:30"), seen(p, "2024-01-05", "creatinine", 80),
        seen(p, "2024-01-05", "marrow_plasma_cells", 45), seen(p, "2024-01-05", "hemoglobin", 90),
        seen(p, "2024-01-05", "calcium", 2.3), seen(p, "2024-01-05", "lytic_lesions", 2),
        seen(p, "2024-03-05", "serum_ife", text="igg_kappa"), seen(p, "2024-08-01", "serum_ife", text="negative"),
        seen(p, "2024-08-01", "mrd", 0, text="negative", method="ngf", detection_limit=2e-6),
    ]  # fmt: skip
    person = {"patient": p, "centre": "North", "sex": "male", "born_on": "1958", "heavy_chain": "igg", "light_chain": "kappa"}
    drugs = [given(p, "bortezomib", "2024-01-10", "2024-06-10", line=1), given(p, "dexamethasone", "2024-01-10", line=1),
             given(p, "zoledronic_acid", "2024-01-12"), given(p, "ide_cel", "2024-07-01", "2024-07-01", line=2)]  # fmt: skip
    return person, rows, drugs, [happened(p, "2024-01-06", "mm_diagnosis"), happened(p, "2024-07-05", "crs", grade=2)]


def smouldering_patient(p="P4"):
    rows = [seen(p, "2024-01-05", what, value) for what, value in
            {"serum_m_protein": 24, "marrow_plasma_cells": 22, "hemoglobin": 128, "calcium": 2.3, "creatinine": 66,
             "lytic_lesions": 0, "kappa_flc": 6, "lambda_flc": 140}.items()]  # fmt: skip
    return {"patient": p, "heavy_chain": "iga", "light_chain": "lambda"}, rows, [], [happened(p, "2024-01-05", "smm_diagnosis")]


def chart_of(*patients, rejected=()):
    people, rows, drugs, events = ([row for each in column for row in each] for column in zip(
        *(([person], *others) for person, *others in patients), strict=True))  # fmt: skip
    columns = ["file", "line", "column", "value", "reason", "expected", "nearest"]
    refused = pl.DataFrame(rejected, schema=columns, orient="row") if rejected else None
    return Chart(frame(people), frame(rows), frame(drugs), frame(events), refused)


def nobody(p):
    return {"patient": p}, [], [], []


@pytest.fixture(scope="module")
def chart():
    rejected = [("labs.csv", 30, "albumin", "3O <i>", "not a number", "a number", None),
                ("labs.csv", 999, "ldh", "oops", "not a number", "a number", None)]  # fmt: skip
    return chart_of(treated_patient(), nobody("P3"), smouldering_patient(), treated_patient(UNTRUSTED), rejected=rejected)


@pytest.fixture(scope="module")
def pages(chart):
    return {(p, lang): bence.report(chart, p, lang=lang) for p in ("P1", "P3", "P4", UNTRUSTED) for lang in LANGUAGES}


@pytest.fixture(scope="module")
def findings(chart):
    return bence.assess(chart)


# ----------------------------------------------------------------------------------------------------------
# What holds of every page

VOID = {"meta", "br", "hr", "img", "input", "link"}
ALONE = {"circle", "path", "use", "rect", "g", "defs"}


class Tags(HTMLParser):
    """Follows tags so that what is opened is closed in order; gathers text and attributes."""

    def __init__(self, page):
        super().__init__()
        self.stack, self.text, self.found, self.names = [], [], [], []
        self.feed(page)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack[-1:] == [tag]
        self.stack.pop()

    def handle_data(self, data):
        if "style" not in self.stack:
            self.text.append(data)


def all_pages(pages, chart, findings):
    return [*pages.values(), *(cohort(chart, findings, lang) for lang in LANGUAGES)]


def test_pages_are_well_formed_and_load_nothing(pages, chart, findings):
    for page in all_pages(pages, chart, findings):
        for tag, attributes in Tags(page).found:
            assert tag not in {"script", "link", "iframe", "object", "img", "image", "base", "form"}
            assert not {"src", "srcset", "srcdoc", "action"} & attributes.keys()
            assert not any(name.startswith("on") for name in attributes)
            if "href" in attributes:
                assert attributes["href"].startswith(("#", "https://doi.org/"))
        assert "@import" not in page
        assert set(re.findall(r"url\(.", page)) <= {"url(#"}
        assert all(page[m.start() :].startswith("https://doi.org/") for m in re.finditer("http", page))


def test_untrusted_text_is_escaped(pages, chart, findings):
    for page in (pages[UNTRUSTED, "en"], cohort(chart, findings)):
        assert "<b>&#34;P5" not in page
        assert '<b>"P5"' not in page
        assert UNTRUSTED in "".join(Tags(page).text)
    assert "<i>" not in pages["P1", "en"]
    assert "3O <i>" in unescape(pages["P1", "en"])


def test_the_same_chart_gives_the_same_bytes(chart, pages):
    assert bence.report(chart, "P1") == pages["P1", "en"]
    script = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import test_report as t, bence, hashlib; "
        "print(hashlib.sha256(bence.report(t.chart_of(t.treated_patient()), 'P1', '2024-08-01').encode()).hexdigest())"
    )
    command = [sys.executable, "-c", script, os.path.dirname(__file__)]
    digests = {
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_ids_of_a_page_are_not_repeated_and_its_links_lead_somewhere(pages):
    for page in pages.values():
        found = Tags(page).found
        ids = [attributes["id"] for _, attributes in found if "id" in attributes]
        assert len(set(ids)) == len(ids)
        assert {a["href"][1:] for _, a in found if a.get("href", "").startswith("#")} <= set(ids)


# ----------------------------------------------------------------------------------------------------------
# Words


@pytest.mark.parametrize("table", [words.PAGE, words.PICTURE, words.COHORT, words.CLASSES], ids=["page", "picture", "cohort", "classes"])
def test_both_languages_say_the_same_things(table):
    fields = {lang: {k: sorted(f[1] or "" for f in string.Formatter().parse(v) if f[1] is not None) for k, v in table[lang].items()}
              for lang in LANGUAGES}  # fmt: skip
    assert fields["en"] == fields["zh"]


def test_a_chinese_page_is_in_chinese(pages):
    text = "".join(Tags(pages["P1", "zh"]).text)
    for source in sources().values():
        text = text.replace(source["title"], "").replace(source["where"], "")
    for english in (*words.PAGE["en"].values(), *words.PICTURE["en"].values()):
        if len(english) > 6 and "{" not in english and english not in {"IMWG 2016"}:
            assert english not in text, english
    for expected in ("疗效评估", "免疫固定电泳", "血清M蛋白", "硼替佐米", "β2微球蛋白", "尚缺检查", "Ⅲ期", "1线"):
        assert expected in text


# ----------------------------------------------------------------------------------------------------------
# The patient page


def details(page):
    """What stands under each finding that can be opened."""
    found = re.findall(r'<details class="row finding" data-name="(\w+)">(.*?)</details>', page, re.S)
    return {name: unescape(re.sub(r"<[^>]+>", "", body)) for name, body in found}


def test_every_finding_opens_to_its_reasons(pages):
    usual = {name for group, names in words.GROUPS.items() for name in names if group != "smouldering"}
    for (patient, lang), page in pages.items():
        rows = details(page)
        assert usual <= rows.keys()
        assert (set(words.GROUPS["smouldering"]) <= rows.keys()) == (patient in ("P3", "P4"))
        for name, body in rows.items():
            assert words.FINDINGS[name][lang == "zh"] in body
            assert words.PAGE[lang]["source"] in body
    assert "β2-microglobulin = 6 mg/L 2024-01-05, labs.csv:30" in " ".join(details(pages["P1", "en"])["iss"].split())


def test_what_is_open_says_what_is_possible_and_what_would_settle_it(pages):
    body = " ".join(details(pages["P1", "en"])["r_iss"].split())
    assert "II or III" in body
    assert "would be settled by: del(17p), t(4;14), t(14;16), LDH, upper limit of LDH" in body
    assert "from memory, not yet checked" in details(pages["P1", "en"])["durie_salmon"]
    assert "not recorded, taken as this" in details(pages["P1", "en"])["diagnosis"]


def test_the_reasons_give_the_answer_of_the_table():
    person, rows, drugs, events = smouldering_patient()
    rows = [row for row in rows if row["what"] != "lytic_lesions"] + [seen("P4", "2024-01-05", "mri_focal_lesions", 0)]
    chart = chart_of((person, rows, drugs, events))
    assert bence.assess(chart).status["diagnosis"][0] == "SMM"
    body = " ".join(details(bence.report(chart, "P4"))["diagnosis"].split())
    assert "Diagnosis = smouldering myeloma" in body
    assert "lytic lesions = 0 not recorded, taken as this" in body


def test_stages_are_named_as_not_made_for_smouldering_myeloma(pages):
    assert words.PAGE["en"]["active_only"] in pages["P4", "en"]
    assert words.PAGE["en"]["active_only"] not in pages["P1", "en"]


def test_smouldering_scores_of_what_became_myeloma_are_those_of_then():
    person, rows, drugs, events = treated_patient()
    rows = [*rows, seen("P1", "2022-01-05", "serum_m_protein", 12), seen("P1", "2022-01-05", "marrow_plasma_cells", 11),
            seen("P1", "2022-01-05", "kappa_flc", 20), seen("P1", "2022-01-05", "lambda_flc", 10)]  # fmt: skip
    page = bence.report(chart_of((person, rows, drugs, [*events, happened("P1", "2022-01-05", "smm_diagnosis")])), "P1")
    assert "at the diagnosis of smouldering myeloma, 2022-01-05" in page
    assert "low" in details(page)["smm_risk_mayo_2018"]
    assert "serum M-protein 12 g/L" in details(page)["smm_risk_mayo_2018"]


def test_visits_tell_confirmed_from_unconfirmed(pages):
    visits = re.findall(
        r'<details class="row visit">\s*<summary><span>([\d-]+)</span>\s*<span><span class="chip ([^"]+)"', pages["P1", "en"]
    )
    assert ("2024-02-05", "c-PR") in visits
    assert ("2024-05-05", "c-PD") in visits
    assert ("2024-04-05", "c-NE unsure") in visits
    unconfirmed = bence.report(chart_of(treated_patient()), "P1", at="2024-05-20")
    assert 'class="chip c-PD unsure"' in unconfirmed
    assert "not yet confirmed" in unconfirmed


def test_rejected_cells_are_those_of_the_own_lines(pages):
    assert "labs.csv:30, albumin" in pages["P1", "en"]
    assert "labs.csv:999" not in pages["P1", "en"]
    assert "1 more cells" in pages["P1", "en"]
    assert "labs.csv:30, albumin" not in pages["P4", "en"]


def test_the_foot_names_policies_that_differ(chart):
    assert "serum_measurable = 5.0 (default 10.0)" in bence.report(chart, "P3", serum_measurable=5)
    assert "all policies at their default" in bence.report(chart, "P3")
    with pytest.raises(UsageError):
        bence.report(chart, "P3", no_such_policy=1)
    with pytest.raises(UsageError):
        bence.report(chart, "P9")


def test_nothing_later_than_the_day_is_on_the_page(chart):
    page = bence.report(chart, "P1", at="2024-03-10")
    assert "2024-05-05" not in page
    assert "ide-cel" not in page


def test_gaps_are_ordered_by_what_they_unblock():
    table = pl.DataFrame({"finding": ["iss", "r_iss", "double_hit"], "missing": ["albumin", "albumin|ldh", "t_4_14|ldh|gain_1q"]})
    found = gaps(table, ["iss", "r_iss", "double_hit"], {"on": date(2024, 5, 1), "missing": "urine_ife"}, "en")
    assert [gap.test for gap in found] == ["albumin", "LDH", "urine immunofixation", "t(4;14)", "1q21"]
    assert found[0].answers == (("ISS", True), ("R-ISS", False))


# ----------------------------------------------------------------------------------------------------------
# The picture


def test_values_are_drawn_as_they_were_reported(chart):
    own = chart.only("P1").observations
    kinds = {point.shown: point.kind for name in ("serum_m_protein", "kappa_flc", "lambda_flc") for point in points(own, name, "en")}
    assert kinds["40"] == "value"
    assert kinds["90"] == "spurious"
    assert kinds["<0.5"] == "below"
    assert kinds["0"] == "zero"


def test_a_corrected_value_replaces_the_first():
    rows = [seen("P", "2024-01-01", "serum_m_protein", 20), seen("P", "2024-01-01", "serum_m_protein", 30, recorded_on=date(2024, 1, 9)),
            seen("P", "2024-02-01", "serum_m_protein", 99, status="entered_in_error")]  # fmt: skip
    found = points(chart_of(({"patient": "P"}, rows, [], [])).observations, "serum_m_protein", "en")
    assert [point.value for point in found] == [30]


def test_the_picture_names_the_confirming_sample(chart, pages):
    story = bence.why(chart, "P1", "response")
    (found,) = progressions(story.visits, story.values)
    assert (found.on, found.state, found.confirmed_on) == (date(2024, 5, 5), "confirmed", date(2024, 6, 5))
    assert "PD 2024-05-05, confirmed 2024-06-05" in pages["P1", "en"]
    assert "spurious, not graded" in pages["P1", "en"]
    assert "detection limit 2.0e-06" in pages["P1", "en"]


def test_therapy_lanes(chart):
    found = lanes(chart.only("P1").treatments, [date(2024, 1, 10), date(2024, 7, 1)], date(2024, 8, 1), "en")
    assert [lane.label for lane in found] == ["bortezomib", "ide-cel (CAR T)", "dexamethasone", "supportive care"]
    assert [len(lane.marks) for lane in found] == [0, 1, 0, 0]
    dexamethasone = found[2].bars[0]
    assert (dexamethasone.stop, dexamethasone.until) == (None, date(2024, 7, 1))


def test_marks_on_the_axis():
    ticks = month_ticks(date(2020, 2, 3).toordinal(), date(2026, 1, 1).toordinal())
    assert [text for _, text in ticks] == ["2020-07", "2021-01", "2021-07", "2022-01", "2022-07", "2023-01", "2023-07", "2024-01",
                                           "2024-07", "2025-01", "2025-07", "2026-01"]  # fmt: skip
    assert rows_without_overlap([(0, 10), (5, 15), (20, 30)]) == [0, 1, 0]
    assert shortened("idecabtagene vicleucel", 40).endswith("…")


BIRTHS = [
    ("1958-06-15", date(2024, 6, 14), "65 years"),
    ("1958-06", date(2024, 6, 14), "65 or 66 years"),
    ("1958", date(2024, 12, 31), "66 years"),
    (None, date(2024, 1, 1), "not recorded"),
]


@pytest.mark.parametrize(("born", "on", "years"), BIRTHS)
def test_age_is_as_sure_as_the_date_of_birth(born, on, years):
    assert age(born, on, "en") == years


def test_isotype():
    assert isotype("igg", "kappa", "en") == "IgG κ"
    assert isotype("igg", "kappa", "zh") == "IgG-κ型"
    assert isotype("none", "lambda", "en") == "light chain λ"
    assert isotype(None, None, "en") == "not recorded"


# ----------------------------------------------------------------------------------------------------------
# The cohort page


def bars(page):
    """Name, counts and total of every bar."""
    found = re.findall(r'<div class="name">(.*?)</div>.*?<div class="bar">(.*?)</div>.*?<div class="n">(\d+)</div>', page, re.S)
    return {name: ([int(n) for n in re.findall(r"flex-grow:(\d+)", parts)], int(total)) for name, parts, total in found}


def test_nobody_is_dropped_from_a_bar(chart, findings):
    found = bars(cohort(chart, findings))
    assert all(sum(counts) == total for counts, total in found.values())
    assert found["Diagnosis"][1] == 4
    assert found["ISS"] == ([2, 1], 3)  # the one with smouldering myeloma is not staged; the unknown one is
    assert found["Line 1"] == ([2], 2)


def test_the_table_of_gaps_counts_patients(chart, findings):
    page = cohort(chart, findings)
    cells = dict(re.findall(r'<tr><th scope="row">(.*?)</th><td><b>(\d+)</b></td>', page))
    missing = findings.completeness.filter(pl.col("finding").is_in(list(words.FINDINGS)))
    lacking = missing.filter(pl.col("missing").str.split("|").list.contains("circulating_plasma_cells"))["patient"].n_unique()
    assert int(cells["circulating plasma cells"]) == lacking


def test_links_and_the_first_patients():
    many = chart_of(*(nobody(f"P{i:04d}") for i in range(SHOWN + 3)))
    page = cohort(many, bence.assess(many), links={"P0001": "P0001.html?a=1&b=2"})
    assert '<a href="P0001.html?a=1&amp;b=2">P0001</a>' in page
    assert f"The first {SHOWN} patients; 3 more" in page
    assert f"P{SHOWN:04d}" not in page
    assert bars(page)["ISS"] == ([SHOWN + 3], SHOWN + 3)


def test_an_empty_chart_has_a_page():
    empty = Chart(pl.DataFrame({"patient": []}, schema={"patient": pl.String}))
    for lang in LANGUAGES:
        Tags(cohort(empty, bence.assess(empty), lang))
