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

import matplotlib
import polars as pl
import pytest
from matplotlib.figure import Figure

import bence
from bence.advise import facts
from bence.catalogue import codes
from bence.chart import Chart
from bence.errors import UsageError
from bence.report import cohort, words
from bence.report.cohort import SHOWN
from bence.report.curves import points
from bence.report.drawing import day, rows_without_overlap, shortened, text_width
from bence.report.figure import add_axes, mark_time, new_figure, styled
from bence.report.gaps import gaps
from bence.report.header import age, isotype
from bence.report.ladder import progressions
from bence.report.markers import log_scale, log_ticks
from bence.report.therapy import lanes
from bence.signoff import sources

UNTRUSTED = '<b>"P5"</b>&'
LANGUAGES = ["en", "zh"]
MARKERS = {"serum_m_protein": "g/L", "urine_m_protein": "mg/24h", "kappa_flc": "mg/L", "marrow_plasma_cells": "%"}


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


def four_patients():
    rejected = [("labs.csv", 30, "albumin", "3O <i>", "not a number", "a number", None),
                ("labs.csv", 999, "ldh", "oops", "not a number", "a number", None)]  # fmt: skip
    return chart_of(treated_patient(), nobody("P3"), smouldering_patient(), treated_patient(UNTRUSTED), rejected=rejected)


def other_patients():
    """Variants of the two, each by the name of what sets it apart."""
    person, rows, drugs, events = smouldering_patient("magnet alone")
    magnet = [row for row in rows if row["what"] != "lytic_lesions"] + [seen("magnet alone", "2024-01-05", "mri_focal_lesions", 0)]
    reimaged = person, magnet, drugs, events
    person, rows, drugs, _ = smouldering_patient("mgus")
    mild = {"serum_m_protein": 8, "marrow_plasma_cells": 4}
    rows = [row | {"value": float(mild.get(row["what"], row["value"]))} for row in rows]
    mgus = person, rows, drugs, [happened("mgus", "2024-01-05", "mgus_diagnosis")]
    person, rows, drugs, events = treated_patient("stage recorded")
    staged = person, [*rows, seen("stage recorded", "2024-01-05", "iss", text="I")], drugs, events
    person, rows, _, events = treated_patient("undated")
    undated = person, rows, [{"patient": "undated", "what": "bortezomib", "started_on": None, "stopped_on": None}], events
    person, rows, drugs, events = treated_patient("smouldered")
    then = {"serum_m_protein": 12, "marrow_plasma_cells": 11, "kappa_flc": 20, "lambda_flc": 10}
    rows = [*rows, *(seen("smouldered", "2022-01-05", what, value) for what, value in then.items())]
    smouldered = person, rows, drugs, [*events, happened("smouldered", "2022-01-05", "smm_diagnosis")]
    values = {"2024-01-01": 40, "2024-02-01": 4, "2024-03-01": 0.4, "2024-04-01": 0}
    curves = [seen("curves", on, name, value) for name in MARKERS for on, value in values.items()]
    curves += [seen("curves", "2024-05-01", name, 0.8, comparator="<") for name in MARKERS]
    blood = [seen("no curve", "2024-01-01", "hemoglobin", 104)]
    spurious = [seen("spurious", "2024-01-01", "kappa_flc", 40), seen("spurious", "2024-01-01", "serum_m_protein", 7, status="spurious")]
    bare = [({"patient": rows[0]["patient"]}, rows, [], []) for rows in (curves, blood, spurious)]
    return chart_of(reimaged, mgus, staged, undated, smouldered, *bare)


def pages_of(chart, findings):
    """The page of any one patient of a chart that was assessed once."""
    known = facts(findings, "china")
    return lambda patient, lang="en": bence.report(chart, patient, lang=lang, findings=findings, facts=known)


@pytest.fixture(scope="module")
def chart():
    return four_patients()


@pytest.fixture(scope="module")
def findings(chart):
    return bence.assess(chart)


@pytest.fixture(scope="module")
def page_of(chart, findings):
    return pages_of(chart, findings)


@pytest.fixture(scope="module")
def pages(page_of):
    return {(p, lang): page_of(p, lang) for p in ("P1", "P3", "P4", UNTRUSTED) for lang in LANGUAGES}


@pytest.fixture(scope="module")
def cohorts(chart, findings):
    return {lang: cohort(chart, findings, lang) for lang in LANGUAGES}


@pytest.fixture(scope="module")
def others():
    return other_patients()


@pytest.fixture(scope="module")
def found_of_others(others):
    return bence.assess(others)


@pytest.fixture(scope="module")
def page_of_other(others, found_of_others):
    return pages_of(others, found_of_others)


@pytest.fixture(scope="module")
def elsewhere():
    """Another process, in which text hashes otherwise: whether Matplotlib was loaded by a page without a picture, then the page of P1."""
    script = (
        "import sys, polars, bence, bence.report; from bence.chart import Chart; chart = Chart(polars.DataFrame({'patient': ['P']})); "
        "bence.report.cohort(chart, bence.assess(chart)); drawn = 'matplotlib' in sys.modules; "
        "sys.path[:0] = [sys.argv[1]]; import test_report as t; sys.stdout.reconfigure(encoding='utf-8', newline=''); "
        "sys.stdout.write(f'{drawn} ' + bence.report(t.four_patients(), 'P1'))"
    )
    command, seed = [sys.executable, "-c", script, os.path.dirname(__file__)], "1" if os.environ.get("PYTHONHASHSEED") == "2" else "2"
    done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True)
    drawn, _, page = done.stdout.decode("utf-8").partition(" ")
    return drawn, page


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


def test_pages_are_well_formed_and_load_nothing(pages, cohorts):
    for page in [*pages.values(), *cohorts.values()]:
        for tag, attributes in Tags(page).found:
            assert tag not in {"script", "link", "iframe", "object", "img", "image", "base", "form"}
            assert not {"src", "srcset", "srcdoc", "action"} & attributes.keys()
            assert not any(name.startswith("on") for name in attributes)
            if "href" in attributes:
                assert attributes["href"].startswith(("#", "https://doi.org/"))
        assert "@import" not in page
        assert set(re.findall(r"url\(.", page)) <= {"url(#"}
        assert all(page[m.start() :].startswith("https://doi.org/") for m in re.finditer("http", page))


def test_untrusted_text_is_escaped(pages, cohorts):
    for page in (pages[UNTRUSTED, "en"], cohorts["en"]):
        assert "<b>&#34;P5" not in page
        assert '<b>"P5"' not in page
        assert UNTRUSTED in "".join(Tags(page).text)
    assert "<i>" not in pages["P1", "en"]
    assert "3O <i>" in unescape(pages["P1", "en"])


def test_the_same_chart_gives_the_same_bytes(pages, page_of, elsewhere):
    assert page_of("P1") == pages["P1", "en"]
    assert elsewhere[1] == pages["P1", "en"]


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
    usual = {name for group in ("diagnosis", "frailty") for name in words.GROUPS[group]}
    staged = {name for group in ("stage", "risk") for name in words.GROUPS[group]}
    for (patient, lang), page in pages.items():
        rows = details(page)
        assert usual <= rows.keys()
        assert (staged & rows.keys()) == (set() if patient == "P4" else staged)
        assert (set(words.GROUPS["smouldering"]) <= rows.keys()) == (patient in ("P3", "P4"))
        for name, body in rows.items():
            assert words.FINDINGS[name][lang == "zh"] in body
            assert words.PAGE[lang]["source"] in body
    assert "β2-microglobulin = 6 mg/L 2024-01-05, labs.csv:30" in " ".join(details(pages["P1", "en"])["iss"].split())


def test_what_is_open_says_what_is_possible_and_what_would_settle_it(pages):
    body = " ".join(details(pages["P1", "en"])["r_iss"].split())
    assert "II or III" in body
    assert "would be settled by: del(17p), t(4;14), t(14;16), LDH, upper limit of LDH" in body
    assert "from memory, unchecked" in details(pages["P1", "en"])["durie_salmon"]
    assert "assumed: not recorded" in details(pages["P1", "en"])["diagnosis"]


def status_of(findings, patient):
    return findings.status.row(by_predicate=pl.col("patient") == patient, named=True)


def test_the_reasons_give_the_answer_of_the_table(found_of_others, page_of_other):
    assert status_of(found_of_others, "magnet alone")["diagnosis"] == "SMM"
    body = " ".join(details(page_of_other("magnet alone"))["diagnosis"].split())
    assert "Diagnosis = smouldering myeloma" in body
    assert "lytic lesions = 0 assumed: other bone imaging was done" in body


def test_stages_are_shown_only_where_the_disease_is_or_may_be_active_myeloma(pages):
    for lang in LANGUAGES:
        assert words.PAGE[lang]["active_only"] in pages["P4", lang]
        assert "r_iss" not in details(pages["P4", lang])
        for patient in ("P1", "P3"):  # of P3 nothing is known: it may be
            assert words.PAGE[lang]["active_only"] not in pages[patient, lang]
    assert "R-ISS" not in "".join(re.findall(r"<section>\s*<h2>What is missing.*?</section>", pages["P4", "en"], re.S))


def test_mgus_is_not_staged(found_of_others, page_of_other):
    assert status_of(found_of_others, "mgus")["diagnosis"] == "MGUS_non_IgM"
    assert not {"iss", "high_risk_2025", "aquila_eligible"} & details(page_of_other("mgus")).keys()


def test_a_recorded_stage_that_the_values_rule_out_is_told_as_such(page_of_other):
    page = " ".join(unescape(page_of_other("stage recorded")).split())
    assert "ISS was recorded as I, but the values give III; the derived answer stands" in page
    assert "the lower was taken at baseline" not in page
    assert "ISS分期：病历记录为Ⅰ期，按检查数据应为Ⅲ期" in page_of_other("stage recorded", "zh")


def test_a_treatment_without_a_start_is_named(others, page_of_other):
    assert unescape(page_of_other("undated")).count("Start date not recorded: bortezomib.") == 2
    assert "未记录开始日期：硼替佐米。" in page_of_other("undated", "zh")
    why = bence.why(others, "undated", "response")
    assert "no start date is recorded for bortezomib" in why.text()
    assert "硼替佐米未记录开始日期" in why.text("zh")


def test_findings_of_the_cohort_give_the_same_page(chart, pages, findings):
    for patient in ("P1", "P3", "P4"):
        assert bence.report(chart, patient) == pages[patient, "en"]
    with pytest.raises(UsageError, match="another day or other policies"):
        bence.report(chart, "P1", "2024-03-01", findings=findings)
    with pytest.raises(UsageError, match="another day or other policies"):
        bence.report(chart, "P1", findings=findings, serum_measurable=5)


def test_smouldering_scores_of_what_became_myeloma_are_those_of_then(page_of_other):
    page = page_of_other("smouldered")
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


def test_a_visit_names_the_value_that_decided(pages):
    assert "serum M-protein 18 g/L (-55 % from baseline)" in pages["P1", "en"]
    assert "serum M-protein up by 25 % and 5 g/L from nadir: 12 → 19 g/L" in pages["P1", "en"]
    assert "血清M蛋白较最低值升高≥25%且≥5 g/L：12 → 19 g/L" in pages["P1", "zh"]


def test_rejected_cells_are_those_of_the_own_lines(pages):
    assert "labs.csv:30, albumin" in pages["P1", "en"]
    assert "labs.csv:999" not in pages["P1", "en"]
    assert "the file does not tell whose they are: 1 (" in pages["P1", "en"]
    assert "labs.csv:30, albumin" not in pages["P4", "en"]


def test_the_foot_names_policies_that_differ(chart, pages):
    assert "serum_measurable = 5.0 (default 10.0)" in bence.report(chart, "P3", serum_measurable=5)
    assert "all policies at their default" in pages["P3", "en"]
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


def drawn(page, name):
    """Where the tips of one marker lie: day and value in words, and the place from the top, in points."""
    found = re.findall(r'<circle cx="[\d.]+" cy="(-?[\d.]+)" r="3.2"><title>([^<]+)</title>', page)
    return {unescape(tip): float(y) for y, tip in found if unescape(tip).startswith(name)}


@pytest.fixture(scope="module")
def curves(page_of_other):
    return page_of_other("curves")


@pytest.mark.parametrize(("name", "unit"), MARKERS.items())
def test_every_marker_is_on_a_log_scale_with_a_floor_for_what_was_not_found(curves, name, unit):
    forty, four, less, none, bound = drawn(curves, codes()[name].en).values()
    assert four - forty == pytest.approx(less - four, abs=0.05)  # a tenth is a tenth
    assert none > less  # below every value that was found
    assert four < bound < less  # a bound lies at its bound
    assert curves.count(f">{words.PICTURE['en']['zero']}</text>") == len(MARKERS)
    assert any(tip.startswith(f"{codes()[name].en} <0.8 {unit}") for tip in drawn(curves, codes()[name].en))


def test_where_there_is_nothing_to_draw_there_is_no_picture(page_of_other):
    page = page_of_other("no curve")
    assert "<svg" not in page
    assert words.PAGE["en"]["nothing"] in page


def test_a_marker_of_which_nothing_counts_has_a_page(page_of_other):
    assert len(drawn(page_of_other("spurious"), "serum M-protein")) == 1


def test_what_was_reported_as_negative_lies_on_the_floor():
    rows = [seen("P", "2024-01-01", "serum_m_protein", 20), seen("P", "2024-02-01", "serum_m_protein", text="negative")]
    found = points(chart_of(({"patient": "P"}, rows, [], [])).observations, "serum_m_protein", "en")
    assert [(point.kind, point.shown) for point in found] == [("value", "20"), ("zero", "neg")]


def place(ax, value):
    """How far up axes a value lies, 0 to 1."""
    return float(ax.transAxes.inverted().transform(ax.transData.transform((0, value)))[1])


def test_a_log_scale_holds_all_values_and_does_not_blow_up_small_changes():
    for values in ([20.0], [20.0, 20.4], [0.5, 300.0], [0.0], [0.0, 5.0]):
        ax = Figure().add_subplot()
        floor = log_scale(ax, values, "0/neg")
        assert all(0 <= place(ax, max(value, floor)) <= 1 for value in values)
        assert ("0/neg" in [label.get_text() for label in ax.get_yticklabels()]) == (0.0 in values)
    steady = Figure().add_subplot()
    log_scale(steady, [20.0, 20.4], "0/neg")
    assert place(steady, 20.4) - place(steady, 20.0) < 0.01
    assert log_ticks(0.4, 300) == [1, 10, 100]
    assert log_ticks(3, 40) == [3, 10, 30]
    assert log_ticks(5, 25) == [5, 10, 20]


def test_no_text_of_the_picture_lies_beyond_its_edges(pages):
    for (patient, _), page in pages.items():
        wide = [*map(float, re.findall(r'<svg viewBox="0 0 ([\d.]+) ', page))]
        texts = re.findall(r'<text style="([^"]*)" x="([\d.-]+)"[^>]*>([^<]*)<', page)
        assert len(texts) == page.count("<text")
        assert (len(texts) > 10) == (patient != "P3")
        for style, x, text in texts:
            (size,) = re.findall(r"font-size: ([\d.]+)px", style)
            width = text_width(unescape(text), float(size))
            left = float(x) - width * (1 if "anchor: end" in style else 0.5 if "anchor: middle" in style else 0)
            assert left > -3, text
            assert left + width < wide[0] + 3, text


@pytest.mark.filterwarnings("error")
def test_the_browser_chooses_the_font(page_of, pages, caplog):
    assert page_of("P1", "zh") == pages["P1", "zh"]  # without a word about letters that no font has
    assert not caplog.records
    assert ">血清M蛋白</text>" in pages["P1", "zh"]
    assert "svg text{font-family:inherit!important" in pages["P1", "zh"]


def test_settings_of_the_user_leave_the_picture_alone(page_of, pages):
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "path", "axes.spines.top": True, "lines.linewidth": 5}):
        assert page_of("P1") == pages["P1", "en"]


def test_matplotlib_is_left_alone_until_there_is_a_picture(elsewhere):
    assert elsewhere[0] == "False"


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


@pytest.mark.parametrize("days", [1, 20, 45, 100, 300, 700, 1500, 4500, 15000])
def test_marks_on_the_time_axis_stand_clear_of_each_other(days):
    with styled():
        ax = add_axes(new_figure(420, 100), 0, 0, 385, 100)
        mark_time(ax, day(date(2020, 2, 3)) - 10, day(date(2020, 2, 3)) + days + 10)
        names = [label.get_text() for label in ax.get_xticklabels()]
    places = ax.transData.transform([(x, 0) for x in ax.get_xticks()])[:, 0]
    assert len(names) >= 2
    assert all(re.fullmatch(r"\d{4}(-\d\d){0,2}", name) for name in names)
    assert min(pl.Series(places).diff().drop_nulls()) > max(map(text_width, names))


def test_rows_and_names_that_would_not_fit():
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


def test_nobody_is_dropped_from_a_bar(cohorts):
    found = bars(cohorts["en"])
    assert all(sum(counts) == total for counts, total in found.values())
    assert found["Diagnosis"][1] == 4
    assert found["ISS"] == ([2, 1], 3)  # the one with smouldering myeloma is not staged; the unknown one is
    assert found["Line 1"] == ([2], 2)


def test_the_table_of_gaps_counts_patients(cohorts, findings):
    cells = dict(re.findall(r'<tr><th scope="row">(.*?)</th><td><b>(\d+)</b></td>', cohorts["en"]))
    missing = findings.completeness.filter(pl.col("finding").is_in(list(words.FINDINGS)))
    lacking = missing.filter(pl.col("missing").str.split("|").list.contains("circulating_plasma_cells"))["patient"].n_unique()
    assert int(cells["circulating plasma cells"]) == lacking


def test_the_table_of_patients_stages_active_myeloma_alone(cohorts):
    rows = dict(re.findall(r'<tr><th scope="row">(P\d)</th>(.*?)</tr>', cohorts["en"]))
    assert re.findall(r"<td[^>]*>(.*?)</td>", rows["P1"])[1] == "III"
    assert re.findall(r"<td[^>]*>(.*?)</td>", rows["P4"])[:5] == ["smouldering myeloma", "–", "–", "–", "–"]


def test_links_and_the_first_patients():
    many = chart_of(*(nobody(f"P{i:04d}") for i in range(SHOWN + 3)))
    page = cohort(many, bence.assess(many), links={"P0001": "P0001.html?a=1&b=2"})
    assert '<a href="P0001.html?a=1&amp;b=2">P0001</a>' in page
    assert f"The first {SHOWN} patients; 3 more" in page
    assert f"P{SHOWN:04d}" not in page
    assert bars(page)["ISS"] == ([SHOWN + 3], SHOWN + 3)


def test_an_empty_chart_has_a_page():
    empty = Chart(pl.DataFrame({"patient": []}, schema={"patient": pl.String}))
    findings = bence.assess(empty)
    for lang in LANGUAGES:
        Tags(cohort(empty, findings, lang))
