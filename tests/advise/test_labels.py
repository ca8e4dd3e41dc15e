"""What a label allows: as of the day, in the region, for the patient; what nobody read decides nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bence.advise import advice, labels
from bence.advise.pathway import Option, pathway
from bence.advise.setting import settle
from bence.evidence import approvals

TODAY = date(2026, 11, 22)
HEAVILY = {
    **dict.fromkeys(("exposed_pi", "exposed_imid", "exposed_cd38", "exposed_lenalidomide"), True),
    **dict.fromkeys(("refractory_pi", "refractory_imid", "refractory_cd38", "refractory_lenalidomide"), True),
    "prior_lines": 5.0,
}  # meets what every label asks
NUMBERS = ("prior_lines", "prior_lines_low", "prior_lines_high")
ASKED = {"min_prior_lines": None, "max_prior_lines": None, "transplant": None, "exposed": [], "refractory": []}
MADE = {"drug": "teclistamab", "combination": [], "region": "us", "on": date(2022, 1, 1), "ends": None, "tag": "V", "population": "RRMM"}


def facts(**changed: Any) -> pl.DataFrame:
    """One patient who meets every label, asked today, but for what is changed."""
    told = {"patient": "A", "at": TODAY} | HEAVILY | changed
    kinds: dict[str, Any] = {"patient": pl.String, "at": pl.Date} | dict.fromkeys(NUMBERS, pl.Float64)
    return pl.DataFrame([told], schema={name: kinds.get(name, pl.Boolean) for name in told})


def allowed(option: str, region: str = "us", **changed: Any) -> str:
    """What the label of an option says."""
    return labels.labels(pathway().options, facts(**changed), region)[f"label_{option}"].item()


def given(monkeypatch: pytest.MonkeyPatch, *made: dict[str, Any], option: str = "teclistamab", **changed: Any) -> str:
    """What the label of an option says if these were all the approvals."""
    rows = [ASKED | MADE | one for one in made]
    monkeypatch.setattr(labels, "approvals", lambda: pl.DataFrame(rows, schema_overrides={"ends": pl.Date, "on": pl.Date}))
    return allowed(option, **changed)


# the base as it is shipped


@pytest.mark.parametrize(
    ("option", "region", "day", "answer"),
    [
        ("teclistamab", "us", date(2022, 10, 24), "not_approved"),
        ("teclistamab", "us", date(2022, 10, 25), "on_label"),
        ("teclistamab", "us", date(2026, 3, 4), "on_label"),
        ("teclistamab", "us", date(2026, 3, 5), "on_label"),  # the day on which one approval replaced the other
        ("tec_dara", "us", date(2026, 3, 4), "not_approved"),
        ("tec_dara", "us", date(2026, 3, 5), "on_label"),
        ("eque_cel", "china", date(2023, 6, 29), "not_approved"),
        ("eque_cel", "china", date(2023, 6, 30), "on_label"),
        ("bvd", "china", TODAY, "unverified"),  # nobody looked
        ("elranatamab", "china", TODAY, "unverified"),  # known from memory
        ("tec_dara", "china", TODAY, "not_approved"),  # alone it is licensed there, together it is not
        ("bvd", "us", date(2025, 10, 22), "not_approved"),
        ("bvd", "us", date(2025, 10, 23), "on_label"),  # the label names dexamethasone too
        ("bpd", "us", TODAY, "not_approved"),
        ("bpd", "eu", TODAY, "on_label"),
        ("cilta_cel", "eu", date(2022, 5, 25), "not_approved"),
        ("cilta_cel", "eu", date(2022, 5, 26), "on_label"),
        ("d_kd", "eu", TODAY, "on_label"),  # it stands in the label of carfilzomib
        ("d_kd", "us", TODAY, "off_label"),  # five lines are more than its three
        ("venetoclax_dexamethasone", "us", TODAY, "not_approved"),  # no myeloma in any label
        ("svd", "china", TODAY, "unverified"),  # with dexamethasone it is licensed there, with bortezomib nobody looked
        ("pvd", "us", TODAY, "not_approved"),
        ("pvd", "eu", TODAY, "unverified"),
    ],
)
def test_an_option_is_within_its_label_from_the_day_of_approval(option: str, region: str, day: date, answer: str) -> None:
    assert allowed(option, region, at=day) == answer


def test_every_label_that_an_option_names_is_one_of_the_base() -> None:
    """Partners and population as the records have them: else the option would stand as not approved for ever."""
    rows = approvals().select("drug", "combination", "population").rows()
    found = set()
    for option in (option for option in pathway().options.values() if option.label):
        label = option.label
        assert label
        regimen = {label.product, *label.given_with}
        mine = [({drug, *given} - {"dexamethasone"}, population) for drug, given, population in rows]
        if any(regimen == given and label.population in ("", population) for given, population in mine):
            found.add(option.key)
    unlicensed = {"tal_dara", "tal_dara_pom", "tal_tec", "kpd", "venetoclax_dexamethasone", "isa_krd", "d_krd"}  # when the base was made
    assert found == {option.key for option in pathway().options.values() if option.label} - unlicensed


@pytest.mark.parametrize("region", ["china", "us", "eu"])
@pytest.mark.parametrize("option", [option for option in pathway().options.values() if option.label], ids=lambda option: option.key)
def test_approvals_never_leak_from_the_future(option: Option, region: str) -> None:
    """On the day before the first approval that was read, and on any before it, nothing is allowed."""
    assert option.label
    mine = approvals().filter(pl.col("region") == region, pl.col("drug") == option.label.product, pl.col("tag").is_in(["V", "S"]))
    first = mine["on"].drop_nulls().min() or TODAY
    assert isinstance(first, date)
    for day in (first - timedelta(days=1), first - timedelta(days=400), date(2010, 1, 1)):
        assert allowed(option.key, region, at=day) in ("not_approved", "unverified")


@pytest.mark.parametrize("lines", range(6))
def test_lines_are_those_that_the_label_asks_for(lines: int) -> None:
    assert allowed("teclistamab", "eu", prior_lines=float(lines)) == ("on_label" if lines >= 3 else "off_label")
    assert allowed("teclistamab", "us", prior_lines=float(lines)) == ("on_label" if lines >= 4 else "off_label")
    assert allowed("tec_dara", "us", prior_lines=float(lines)) == ("on_label" if lines >= 1 else "off_label")


@pytest.mark.parametrize("lines", range(6))
def test_lines_are_not_more_than_the_label_allows(lines: int) -> None:
    some = "on_label" if 1 <= lines <= 3 else "off_label"
    assert allowed("krd", "us", prior_lines=float(lines)) == allowed("d_kd", "us", prior_lines=float(lines)) == some
    assert allowed("krd", "eu", prior_lines=float(lines)) == ("on_label" if lines else "off_label")
    assert allowed("selinexor_dexamethasone", "us", prior_lines=float(lines)) == ("on_label" if lines >= 4 else "off_label")


@pytest.mark.parametrize(("lines", "eligible", "answer"), [
    (0.0, False, "on_label"), (0.0, True, "off_label"), (0.0, None, "on_label|off_label"), (1.0, True, "on_label"), (1.0, None, "on_label"),
])  # fmt: skip
def test_a_label_for_those_not_for_transplant_asks_whether_they_are(lines: float, eligible: bool | None, answer: str) -> None:
    """D-Rd: newly diagnosed and not for transplant, or relapsed."""
    assert allowed("d_rd", "us", prior_lines=lines, transplant_eligible=eligible) == answer


@pytest.mark.parametrize(("option", "region", "day", "answers"), [  # for transplant, not for transplant
    ("d_vrd", "us", date(2024, 7, 29), ("not_approved", "not_approved")),
    ("d_vrd", "us", date(2024, 7, 30), ("on_label", "off_label")),
    ("d_vrd", "us", date(2026, 1, 26), ("on_label", "off_label")),
    ("d_vrd", "us", date(2026, 1, 27), ("on_label", "on_label")),
    ("d_vrd", "eu", date(2024, 9, 30), ("not_approved", "not_approved")),
    ("d_vrd", "eu", date(2025, 4, 6), ("on_label", "off_label")),
    ("d_vrd", "eu", date(2025, 4, 7), ("on_label", "on_label")),
    ("d_vrd", "china", TODAY, ("unverified", "unverified")),  # applied for, no decision seen
    ("isa_vrd", "us", date(2024, 9, 19), ("not_approved", "not_approved")),
    ("isa_vrd", "us", date(2024, 9, 20), ("off_label", "on_label")),
    ("isa_vrd", "eu", TODAY, ("on_label", "on_label")),
    ("isa_vrd", "china", TODAY, ("off_label", "on_label")),
    ("d_r", "us", TODAY, ("off_label", "on_label")),
    ("d_r", "china", TODAY, ("unverified", "unverified")),  # known from memory
    ("isa_krd", "eu", TODAY, ("unverified", "unverified")),  # in no label that was read
    ("d_krd", "us", TODAY, ("unverified", "unverified")),
])  # fmt: skip
def test_first_line_labels_say_for_whom(option: str, region: str, day: date, answers: tuple[str, str]) -> None:
    assert tuple(allowed(option, region, at=day, prior_lines=0.0, transplant_eligible=eligible) for eligible in (True, False)) == answers


def test_a_label_of_first_line_is_not_one_of_relapse() -> None:
    assert allowed("d_vrd", prior_lines=1.0) == "off_label"
    assert allowed("d_vrd", at=date(2025, 1, 1), prior_lines=0.0, transplant_eligible=None) == "on_label|off_label"


@pytest.mark.parametrize("fact", ["exposed_pi", "exposed_imid"])
def test_earlier_drugs_are_those_that_the_label_asks_for(fact: str) -> None:
    assert allowed("tec_dara", **{fact: False}) == "off_label"
    assert allowed("tec_dara", **{fact: None}) == "on_label|off_label"
    assert allowed("tec_dara", exposed_cd38=False) == "on_label"


def test_one_of_several_labels_is_enough() -> None:
    """Cilta-cel in the US: four lines and three classes, or one line and refractory to lenalidomide."""
    assert allowed("cilta_cel", prior_lines=1.0) == "on_label"
    assert allowed("cilta_cel", prior_lines=1.0, refractory_lenalidomide=False) == "off_label"
    assert allowed("cilta_cel", prior_lines=5.0, refractory_lenalidomide=False) == "on_label"
    assert allowed("cilta_cel", prior_lines=1.0, refractory_lenalidomide=None) == "on_label|off_label"
    assert allowed("cilta_cel", prior_lines=1.0, at=date(2024, 3, 31)) == "off_label"


def test_an_unknown_number_of_lines_leaves_both_open() -> None:
    assert allowed("teclistamab", prior_lines=None) == "on_label|off_label"
    assert allowed("teclistamab", prior_lines=None, exposed_pi=False) == "off_label"  # whatever the lines
    assert allowed("teclistamab", prior_lines=None, prior_lines_low=4.0, prior_lines_high=6.0) == "on_label"
    assert allowed("teclistamab", prior_lines=None, prior_lines_low=1.0, prior_lines_high=3.0) == "off_label"
    assert allowed("teclistamab", prior_lines=None, prior_lines_low=3.0, prior_lines_high=4.0) == "on_label|off_label"


# approvals made for the purpose


def test_what_is_known_from_memory_never_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    from_memory = {"tag": "M"}
    assert given(monkeypatch, from_memory) == "unverified"
    assert given(monkeypatch, from_memory, at=date(2015, 1, 1)) == "unverified"
    assert given(monkeypatch, from_memory | {"min_prior_lines": 9}) == "unverified"
    assert given(monkeypatch, from_memory, {"min_prior_lines": 9}) == "off_label"  # one that was read, and asks for more
    assert given(monkeypatch, from_memory, {"on": date(2026, 12, 1)}) == "unverified"  # one that was read, not yet in force
    assert given(monkeypatch, {"tag": "S"}) == "on_label"


def test_an_approval_without_its_day_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, {"on": None}, {"region": "eu"}) == "unverified"


def test_an_approval_ends_on_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = {"ends": date(2024, 5, 1)}
    days = [date(2021, 12, 31), date(2022, 1, 1), date(2024, 4, 30), date(2024, 5, 1)]
    assert [given(monkeypatch, ended, at=day) for day in days] == ["not_approved", "on_label", "on_label", "not_approved"]


def test_regions_partners_and_populations_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, {"region": "eu"}) == "not_approved"
    assert given(monkeypatch, {"combination": ["daratumumab"]}) == "not_approved"
    assert given(monkeypatch, {"combination": ["daratumumab"]}, option="tec_dara") == "on_label"
    assert given(monkeypatch, {"combination": ["dexamethasone", "daratumumab"]}, option="tec_dara") == "on_label"
    assert given(monkeypatch, {}, option="tec_dara") == "not_approved"
    watched = {"drug": "daratumumab"}
    assert given(monkeypatch, watched, option="daratumumab_36_months") == "not_approved"
    assert given(monkeypatch, watched | {"population": "SMM"}, option="daratumumab_36_months") == "on_label"


# what follows from it


def test_within_the_label_of_any_car_t_product() -> None:
    def within(region: str, **changed: Any) -> bool | None:
        return settle(facts(**changed), region)["car_t_within_label"].item()

    assert within("us") is True
    assert within("us", prior_lines=0.0) is False
    assert within("us", prior_lines=None) is None
    assert within("us", at=date(2020, 1, 1)) is not True
    assert within("china", prior_lines=3.0, exposed_cd38=False) is True


def test_an_option_off_its_label_is_against_one_not_approved_is_blocked_and_one_unverified_carries_a_caution() -> None:
    def said(region: str, option: str, **changed: Any) -> dict[str, dict[str, Any]]:
        told = facts(died=False, apheresis_done=False, triple_class_exposed=True, exposed_bcma=False, exposed_bcma_car_t=False, **changed)
        rows = advice(settle(told.with_columns(diagnosis=pl.lit("MM"), situation=pl.lit("relapse")), region), region)
        return {row["stance"]: row for row in rows.filter(pl.col("option") == option).iter_rows(named=True)}

    assert "GB4" in said("us", "teclistamab", prior_lines=3.0)["against"]["rules"]
    assert said("us", "teclistamab", prior_lines=3.0).keys() == {"against"}
    assert "GB1" in said("us", "teclistamab", at=date(2022, 10, 24))["blocked"]["rules"]
    unread, read = said("china", "bvd"), said("us", "bvd")
    assert unread
    assert all("GB3" in (row["cautions"] or "") for row in unread.values())
    assert read
    assert not any("GB3" in (row["cautions"] or "") for row in read.values())
