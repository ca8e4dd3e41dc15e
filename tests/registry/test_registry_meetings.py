"""The board: who may be on its agenda, what it decided, and that the chart tells it."""

from datetime import date

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ALL, ENTRY, LEAD, OTHER, PHYSICIAN, small

from bence.chart import join
from bence.errors import UsageError
from bence.registry import Access, AccessError, ConflictError, concordance

DAY = date(2025, 6, 3)
CHAIR = Access("gu", ["mdt_chair"], ["WH"])
HERE = ["gu", "li"]


@pytest.fixture
def board(store):
    """A meeting at Wuhan with P1 of Wuhan on its agenda; P2 is of Xi'an."""
    store.import_chart(ALL, join([small("P1"), small("P2", "XA")]), "first")
    meeting = store.plan_meeting(PHYSICIAN, "WH", DAY, "Tuesday board")
    return store, meeting, store.put_on_agenda(PHYSICIAN, meeting, "P1", "Transplant now, or wait?")


def events(store, access=PHYSICIAN, patient="P1"):
    chart = store.patient(access, patient).chart
    return chart.events.filter(pl.col("what") == "mdt_decision").select("on", "text").rows()


def test_a_decision_is_a_fact_of_the_chart(board):
    store, meeting, item = board
    number = store.decide(CHAIR, item, "transplant", "autologous_transplant", "Transplant in July", "MRD positive", HERE)
    assert events(store) == [(DAY, "Transplant in July")]
    row = store.decisions(PHYSICIAN).row(0, named=True)
    assert {name: row[name] for name in ("id", "item", "meeting", "day", "board", "patient", "centre", "option", "who", "stands")} == {
        "id": number, "item": item, "meeting": meeting, "day": DAY, "board": "WH", "patient": "P1", "centre": "WH",
        "option": "autologous_transplant", "who": "gu", "stands": True,
    }  # fmt: skip
    assert row["attendants"] == HERE
    assert store.agenda(PHYSICIAN, meeting).select("item", "position", "patient", "asked", "decision").rows() == [
        (item, 1, "P1", "Transplant now, or wait?", number)
    ]
    assert store.meetings(PHYSICIAN).select("id", "centre", "day", "items", "decided").rows() == [(meeting, "WH", DAY, 1, 1)]


def test_a_later_decision_takes_the_place_of_the_first_and_both_stay(board):
    store, _, item = board
    store.decide(CHAIR, item, "transplant", "autologous_transplant", "Transplant in July", "", HERE)
    store.decide(LEAD, item, "transplant", "defer_transplant", "Wait until autumn", "infection", HERE)
    assert events(store) == [(DAY, "Wait until autumn")]
    assert store.decisions(PHYSICIAN, "P1").select("option", "stands").rows() == [
        ("defer_transplant", True), ("autologous_transplant", False),
    ]  # fmt: skip
    row = store.patient(PHYSICIAN, "P1").rows["events"].filter(pl.col("what") == "mdt_decision").row(0, named=True)
    assert store.history(PHYSICIAN, "events", row["id"])["text"].to_list() == ["Transplant in July", "Wait until autumn"]
    store.remove(PHYSICIAN, "events", row["id"], row["version"], "by mistake")
    store.decide(LEAD, item, "transplant", None, "Ask again", "", HERE)
    assert events(store) == [(DAY, "Ask again")]


def test_a_shared_patient_may_be_on_the_agenda_and_no_other(board):
    store, meeting, _ = board
    with pytest.raises(AccessError):
        store.put_on_agenda(PHYSICIAN, meeting, "P2", "What next?")
    with pytest.raises(AccessError, match="neither of centre 'WH' nor shared"):
        store.put_on_agenda(ALL, meeting, "P2", "What next?")
    share = store.share(OTHER, "P2", "WH", "form 7")
    item = store.put_on_agenda(PHYSICIAN, meeting, "P2", "What next?")
    store.decide(CHAIR, item, "relapse", "d_pd", "D-Pd", "refractory to lenalidomide", HERE)
    assert events(store, OTHER, "P2") == [(DAY, "D-Pd")]  # the home centre reads it, though it was not its meeting
    assert store.decisions(OTHER)["board"].to_list() == ["WH"]
    assert store.meetings(OTHER).is_empty()
    store.revoke(OTHER, share, "the patient wishes so")
    assert store.decisions(PHYSICIAN).is_empty()
    assert store.agenda(PHYSICIAN, meeting)["patient"].to_list() == ["P1"]
    with pytest.raises(AccessError):
        store.decide(CHAIR, item, "relapse", "d_pd", "D-Pd", "", HERE)
    assert store.decisions(OTHER).height == 1


WRONG = [
    ({"question": "transplnt"}, "did you mean 'transplant'"),
    ({"option": "autologous_transplnt"}, "did you mean 'autologous_transplant'"),
    ({"option": "d_pd"}, "transplant has no option 'd_pd'"),
    ({"text": " "}, "in words"),
    ({"text": "无"}, "in words"),
    ({"attendants": [" "]}, "decision of nobody"),
]


def test_what_is_no_decision_is_told(board):
    store, meeting, item = board
    given = {"question": "transplant", "option": "autologous_transplant", "text": "Transplant", "reasons": "", "attendants": HERE}
    for wrong, told in WRONG:
        with pytest.raises(UsageError, match=told):
            store.decide(CHAIR, item, **(given | wrong))
    for access in (PHYSICIAN, ENTRY, ADMIN, OTHER):
        with pytest.raises(AccessError):
            store.decide(access, item, **given)
    with pytest.raises(AccessError):
        store.plan_meeting(PHYSICIAN, "XA", DAY, "elsewhere")
    with pytest.raises(AccessError, match="no meeting"):
        store.agenda(OTHER, meeting)
    with pytest.raises(UsageError, match="asks something"):
        store.put_on_agenda(PHYSICIAN, meeting, "P1", " ")
    assert events(store) == []
    assert store.decisions(PHYSICIAN).is_empty()


def test_a_decision_is_taken_back_by_another_one_not_by_undo(board):
    store, _, item = board
    store.decide(CHAIR, item, "transplant", None, "Ask again", "", HERE)
    change = store.listed(LEAD).filter(pl.col("patient") == "P1")["change"][0]
    with pytest.raises(UsageError, match="cannot be taken back"):
        store.undo(LEAD, change, "not like this")
    assert not issubclass(UsageError, ConflictError)


@pytest.mark.usefixtures("nothing_found")
def test_what_the_board_wrote_is_not_altered(board):
    store, _, item = board
    store.decide(CHAIR, item, "transplant", None, "Ask again", "", HERE)
    store.judge(PHYSICIAN, "P1", "iss", "II", "because")
    for table in ("decisions", "agenda", "meetings", "verdicts"):
        for statement in (f"delete from {table}", f"update {table} set who = 'nobody'"):
            with pytest.raises(sa.exc.DBAPIError, match=r"here|permission denied"), store._database.transaction(["WH"], write=True) as own:
                own.execute(sa.text(statement))


def decided(option, patient="P1", day=DAY):
    return pl.DataFrame({"id": [1], "patient": [patient], "day": [day], "question": ["relapse"], "option": [option], "stands": [True]},
                        schema_overrides={"option": pl.String})  # fmt: skip


def given(*rows):
    schema = {"patient": pl.String, "what": pl.String, "started_on": pl.Date, "stopped_on": pl.Date}
    return pl.DataFrame([("P1", *row) for row in rows], schema=schema, orient="row")


def day(month, number):
    return date(2025, month, number)


RVD = [("bortezomib", day(1, 1), day(5, 1)), ("lenalidomide", day(1, 1), None), ("dexamethasone", day(1, 1), None)]
CASES = [  # option, treatments, what is said
    ("d_pd", [("daratumumab", day(6, 10), None), ("pomalidomide", day(6, 12), None), ("dexamethasone", day(6, 10), None)], "followed"),
    ("d_pd", [*RVD, ("daratumumab", day(6, 3), None), ("pomalidomide", day(8, 2), None)], "followed"),  # both ends of the 60 days count
    ("d_pd", [("daratumumab", day(6, 10), None)], "other"),
    ("d_pd", [("daratumumab", day(6, 10), None), ("pomalidomide", day(8, 3), None)], "other"),
    ("d_pd", [("carfilzomib", day(6, 10), None)], "other"),
    ("d_pd", [("daratumumab", day(6, 2), day(6, 2)), ("zoledronic_acid", day(6, 10), None)], "nothing_yet"),
    ("d_rd", [*RVD, ("daratumumab", day(6, 10), None)], "followed"),  # lenalidomide went on
    ("d_vd", [*RVD, ("daratumumab", day(6, 10), None)], "other"),  # bortezomib had been stopped
    ("cilta_cel", [("cyclophosphamide", day(7, 10), None), ("cilta_cel", day(7, 15), None)], "followed"),
    ("cilta_cel", [("cyclophosphamide", day(7, 10), None)], "other"),
    ("autologous_transplant", [("melphalan", day(7, 1), None), ("autologous_transplant", day(7, 2), None)], "followed"),
    ("d_pd", [], "nothing_yet"),
    ("observe_biochemical_relapse", [], "not_comparable"),
    (None, [("daratumumab", day(6, 10), None)], "not_comparable"),
]


@pytest.mark.parametrize(("option", "treatments", "said"), CASES)
def test_what_was_begun_is_compared_with_what_was_decided(option, treatments, said):
    assert concordance(decided(option), given(*treatments), until=day(12, 1))["concordance"].to_list() == [said]


def test_concordance_waits_for_the_whole_time(board):
    treatments = given(("carfilzomib", day(6, 10), None))
    assert concordance(decided("d_pd"), treatments, until=day(8, 1))["concordance"].to_list() == ["not_comparable"]
    assert concordance(decided("d_pd"), treatments, until=day(8, 2))["concordance"].to_list() == ["other"]
    assert concordance(decided("d_pd"), treatments, until=day(7, 3), within_days=30)["begun_on"].to_list() == [day(6, 10)]
    store, _, item = board
    store.decide(CHAIR, item, "relapse", "krd", "KRd", "", HERE)
    store.decide(CHAIR, item, "relapse", "d_pd", "D-Pd", "", HERE)
    for drug in ("daratumumab", "pomalidomide"):
        store.add(PHYSICIAN, "treatments", "P1", {"started_on": day(6, 10), "what": drug}, "visit")
    told = concordance(store.decisions(LEAD), store.chart(LEAD).treatments, until=day(12, 1))
    assert told.select("patient", "option", "begun", "concordance").rows() == [("P1", "d_pd", "daratumumab+pomalidomide", "followed")]
