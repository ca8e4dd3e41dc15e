"""The cohort: its numbers against the findings, what analysts do not see, choices, and the export."""

import csv
import io
import shutil

import polars as pl
import pytest
from browsing import OWNER, Browser, axe, check

from bence import assess
from bence.registry import Store
from bence.registry.cohort import blurred, gathered, is_withheld, narrowed, offered, responses
from bence.registry.worklist import Entry
from bence.web.pages.cohort import work_out


@pytest.fixture(scope="module")
def counted(demo_registry, tmp_path_factory):
    """The registry with the cohort worked out for the owner and for the analyst."""
    path = tmp_path_factory.mktemp("cohort") / "registry.db"
    shutil.copy(demo_registry, path)
    store = Store(path)
    for access in (OWNER, store.access("analyst")):
        work_out(store, access, "china")
    store.close()
    return path


@pytest.fixture
def registry_file(counted, tmp_path):
    """A copy that a test may write to."""
    shutil.copy(counted, tmp_path / "registry.db")
    return tmp_path / "registry.db"


@pytest.fixture
def analyst(app):
    browser = Browser(app)
    browser.sign_in("analyst")
    return browser


def table(browser, query=""):
    text = browser.get(f"/cohort.csv{query}").text
    return pl.DataFrame(list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))))


def test_the_numbers_are_those_of_the_findings(lead, app):
    chart = app.state.registry.store.chart(OWNER)
    found = assess(chart)
    told = table(lead)
    for name in ("diagnosis", "r_iss"):
        mine = {row["category"]: int(row["patients"]) for row in told.filter(table="patients", group=name).iter_rows(named=True)}
        assert mine == {word or "": n for word, n in found.status[name].cast(pl.String).value_counts().iter_rows()}
    first = found.lines.filter(line=1)
    deep = told.filter(table="response_by_line", group="1", category="VGPR").row(0, named=True)
    assert (int(deep["patients"]), int(deep["of"])) == (first.filter(best_response="VGPR").height, first.height)
    events = told.filter(table="os").row(0, named=True)
    assert (int(events["patients"]), int(events["of"])) == (first["os_event"].sum(), first["os_event"].count())


def test_a_choice_narrows_everything(lead, app):
    whole, part = table(lead), table(lead, "?stage=iss:III")
    wanted = int(whole.filter(table="patients", group="iss", category="III")["patients"][0])
    assert part.filter(table="patients", group="iss").select("category", "patients").rows() == [("III", str(wanted))]
    assert table(lead, "?centre=YC").height == 0 or "0 patients" in lead.get("/cohort?centre=YC").text
    assert "0 patients" in lead.get("/cohort?since=2090").text


def test_an_analyst_sees_no_number_below_five(analyst, lead):
    told, full = table(analyst), table(lead)
    numbers = [int(each) for each in told["patients"] if each]
    assert numbers
    assert min(each for each in numbers if each) >= 5
    assert any(0 < int(each) < 5 for each in full["patients"] if each)
    assert told["of"].drop_nulls().cast(pl.Int64).min() >= 5
    page = analyst.get("/cohort").text
    assert "/patients/" not in page.split("<main")[1]
    assert "D01" not in page


def test_no_masked_number_is_the_difference_of_those_that_are_shown(analyst):
    told = table(analyst).filter(table="patients")
    for _, rows in told.group_by("group"):
        masked = rows.filter(patients="")
        assert masked.height != 1 or rows.height == 1


def test_a_choice_that_leaves_too_few_in_or_out_shows_an_analyst_nothing(analyst, lead):
    rare = table(lead).filter(pl.col("table") == "patients", pl.col("group") == "diagnosis", pl.col("patients").cast(pl.Int64) < 5)
    for name in rare["category"]:
        if name:
            page = analyst.get(f"/cohort?diagnosis={name}").text
            assert "its numbers are not shown" in page
            assert table(analyst, f"?diagnosis={name}").height == 0


def people(*sizes):
    entries, number = [], 0
    for centre, size in sizes:
        for _ in range(size):
            case = {"sex": "male", "age": "65-74", "year": 2024, "diagnosis": "MM", "iss": None, "r_iss": None, "r2_iss": None,
                    "durie_salmon": None, "high_risk_2025": None, "advice": [["q", "o", "for"]],
                    "lines": [{"line": 1, "regimen": "VRd", "best_response": "CR" if number % 8 else "PD", "pfs_days": 100 + number,
                               "pfs_event": True, "os_days": 300, "os_event": False}]}  # fmt: skip
            entries.append(Entry(number, str(number), centre, [case]))
            number += 1
    return gathered(entries)


@pytest.mark.parametrize(("inside", "outside", "withheld"), [(4, 20, True), (5, 20, False), (20, 4, True), (20, 0, False), (0, 20, True)])
def test_withheld(inside, outside, withheld):
    whole = people(("A", inside), ("B", outside))
    assert is_withheld(whole, narrowed(whole, {"centre": "A"}), 5) == withheld


def test_small_parts_of_a_bar_are_masked_together():
    whole = people(("A", 16))
    told = responses(whole.lines, "line", 5)
    assert told["patients"].to_list() == [None, None]
    assert responses(whole.lines, "line")["patients"].to_list() == [14, 2]
    assert offered(whole.advice, 5)["patients"].to_list() == [16]


def test_a_blurred_curve_ends_where_few_are_at_risk_and_has_no_marks():
    from bence.assess.survival import kaplan_meier

    curve = kaplan_meier(range(30, 330, 30), [True] * 5 + [False] + [True] * 4)
    told = blurred(curve, 5)
    assert told.censored == ()
    assert len(told.days) == len(told.free) == len(told.low) == 5
    assert told.free[-1] == curve.free[4]
    assert all(day % 30.4375 == 0 for day in told.days)
    assert len(told.follow_up) == 1


def test_who_may_not_count_sees_nothing(app):
    for role in ("physician", "data_entry"):
        browser = Browser(app)
        browser.sign_in(role)
        assert browser.get("/cohort").status_code == 404
        assert browser.get("/cohort.csv").status_code == 404


def test_a_new_row_is_counted(lead, app):
    before = table(lead).filter(table="os").row(0, named=True)
    app.state.registry.store.add_patient(OWNER, "X1", "WH", {"sex": "male", "born_on": "1950"}, "test")
    assert "1 patients are still being worked out" in lead.get("/cohort").text
    work_out(app.state.registry.store, OWNER, "china")
    assert "still being worked out" not in lead.get("/cohort").text
    assert table(lead).filter(table="os").row(0, named=True) == before
    males = lambda rows: int(rows.filter(table="patients", group="sex", category="male")["patients"][0])  # noqa: E731
    assert males(table(lead)) == app.state.registry.store.chart(OWNER).patients.filter(sex="male").height


def test_in_a_browser(tab):
    tab.click('nav a[href="/cohort"]')
    tab.wait_for_selector("svg.km")
    assert axe(tab) == []
    tab.select_option("#diagnosis", "MM")
    tab.click(".filters button")
    tab.wait_for_selector("svg.km path")
    assert tab.locator("svg.km").count() == 2
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(tab) == []


def test_in_english(english_tab):
    english_tab.goto("/cohort")
    english_tab.wait_for_selector("svg.km path")
    assert english_tab.locator("svg.km").count() == 2
    check(english_tab)
