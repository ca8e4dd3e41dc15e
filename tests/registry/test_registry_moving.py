"""One human, several records: merged, transferred, renamed; and every move and every edit is taken back, never over the work of another."""

from datetime import date

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ALL, ENTRY, LEAD, OTHER, PHYSICIAN, small, whole, with_rows

from bence.chart import TABLES, join
from bence.errors import UsageError
from bence.registry import Access, AccessError, ConflictError
from bence.registry import clock as registry_clock

pytestmark = pytest.mark.usefixtures("nothing_found")
VISIT = {"on": date(2025, 4, 1), "what": "relapse_clinical"}
THIRD = Access("qian", ["centre_lead"], ["YC"])


def state(store, access=ALL):
    """All that the store now says of patients: the chart and the shares in force."""
    shares = store.shared(access).filter(pl.col("until").is_null()).select("patient", "home", "centre", "consent")
    return whole(store.chart(access)), sorted(shares.rows())


@pytest.fixture
def two(store):
    """P1 and P2 are one woman: two of P2's rows are in P1, one value and an event are not."""
    store.import_chart(LEAD, small("P1", hemoglobin=(98, 102)), "first")
    other = small("P2", hemoglobin=(98, 102, 110), heavy_chain=["igg"])
    events = pl.DataFrame({"patient": ["P2"], "on": [date(2025, 5, 1)], "what": ["vte"]})
    store.import_chart(LEAD, with_rows(other, events=events), "second")
    return store


def test_two_records_become_one_and_identical_rows_stand_once(two):
    then = registry_clock.now()
    both = whole(two.chart(LEAD))
    two.merge(LEAD, "P1", "P2", "same identity card")
    chart = two.chart(LEAD)
    assert chart.patients.select("patient", "sex", "heavy_chain").rows() == [("P1", "female", "igg")]
    assert sorted(chart.observations["value"]) == [98, 102, 110]
    assert sorted(chart.events["what"]) == ["mm_diagnosis", "vte"]
    assert chart.treatments.height == 1
    assert whole(two.chart(LEAD, at_store_time=then)) == both
    assert two.patient(LEAD, "P2", at_store_time=then).chart.observations.height == 3
    with pytest.raises(UsageError, match="'P2' goes on as 'P1'"):
        two.patient(LEAD, "P2")
    row = next(row for row in two.patient(LEAD, "P1").rows["observations"].iter_rows(named=True) if row["value"] == 110)
    assert two.history(PHYSICIAN, "observations", row["id"])["why"].to_list() == ["second", "same identity card"]
    assert two.verify(ADMIN).whole


def test_what_differs_between_the_records_is_listed_and_must_be_resolved(store):
    store.import_chart(LEAD, small("P1"), "first")
    store.import_chart(LEAD, small("P2", born_on=["1961"], died_on=[date(2026, 1, 1)]), "second")
    store.edit(LEAD, "patients", store.patient(LEAD, "P2").rows["patients"]["id"][0], 1, {"sex": "male"}, "slip")
    with pytest.raises(UsageError, match=r"sex: female or male; born_on: 1960 or 1961"):
        store.merge(LEAD, "P1", "P2", "same")
    with pytest.raises(UsageError, match="differ in sex: female or male;"):
        store.merge(LEAD, "P1", "P2", "same", {"born_on": "1961"})
    with pytest.raises(UsageError, match="did you mean 'born_on'"):
        store.merge(LEAD, "P1", "P2", "same", {"bornon": "1961"})
    store.merge(LEAD, "P1", "P2", "same", {"born_on": "1961", "sex": "female"})
    told = store.chart(LEAD).patients.select("patient", "sex", "born_on", "died_on").rows()
    assert told == [("P1", "female", "1961", date(2026, 1, 1))]
    with pytest.raises(UsageError, match="same record"):
        store.merge(LEAD, "P1", "P1", "what?")


def test_what_was_said_and_shared_goes_along(two):
    two.share(LEAD, "P2", "XA", "form 4")
    two.judge(PHYSICIAN, "P2", "iss", "II", "as read then")
    meeting = two.plan_meeting(LEAD, "WH", date(2025, 6, 3), "board")
    item = two.put_on_agenda(LEAD, meeting, "P2", "what next?")
    two.decide(LEAD, item, "relapse", "d_pd", "D-Pd", "", ["wang"])
    two.invite(LEAD, "P2", "follow_up")
    two.merge(LEAD, "P1", "P2", "same identity card")
    assert two.verdicts(PHYSICIAN, "P1")["value"].to_list() == ["II"]
    assert two.decisions(LEAD).select("patient", "option").rows() == [("P1", "d_pd")]
    assert two.agenda(LEAD, meeting)["patient"].to_list() == ["P1"]
    assert two.invitations(LEAD)["patient"].to_list() == ["P1"]
    assert two.chart(OTHER).patients["patient"].to_list() == ["P1"]
    assert two.decisions(OTHER).select("patient", "board").rows() == [("P1", "WH")]
    assert two.verdicts(OTHER, "P1")["value"].to_list() == ["II"]
    share = two.shared(LEAD).filter(pl.col("until").is_null())
    assert share.select("patient", "centre", "consent").rows() == [("P1", "XA", "form 4")]
    two.revoke(LEAD, share["id"][0], "the patient wishes so")
    assert two.chart(OTHER).patients.is_empty()
    with pytest.raises(AccessError):
        two.patient(OTHER, "P2", at_store_time=registry_clock.now())
    two.decide(LEAD, item, "relapse", "krd", "KRd", "", ["wang"])
    assert two.chart(LEAD).events.filter(pl.col("what") == "mdt_decision").select("patient", "text").rows() == [("P1", "KRd")]


def test_a_move_is_taken_back_as_if_it_had_not_been(two):
    two.share(LEAD, "P2", "XA", "form 4")
    before = state(two)
    ids = {table: two.patient(LEAD, "P2").rows[table]["id"].to_list() for table in TABLES}
    for do in (
        lambda: two.merge(LEAD, "P1", "P2", "same"),
        lambda: two.transfer(LEAD, "P2", "YC", "moved house", "form 9"),
        lambda: two.rename(ENTRY, "P2", "P9", "the number was wrong"),
    ):
        number = do()
        assert state(two) != before
        two.undo(LEAD, number, "they are two")
        assert state(two) == before
        assert {table: two.patient(LEAD, "P2").rows[table]["id"].to_list() for table in TABLES} == ids
        with pytest.raises(UsageError, match="was taken back"):
            two.undo(LEAD, number, "again")
        two.undo(LEAD, do(), "once more")
        assert state(two) == before
    assert two.verify(ADMIN).whole


WORK = {
    "row": lambda store, access, key: store.add(access, "events", key, VISIT, "visit"),
    "verdict": lambda store, access, key: store.judge(access, key, "iss", "II", "read again"),
    "share": lambda store, access, key: store.share(access, key, "XA", "form 5"),
    "invitation": lambda store, access, key: store.invite(access, key, "follow_up"),
    "move": lambda store, access, key: store.rename(access, key, f"{key}-again", "another number"),
}


def test_a_move_somebody_has_worked_on_is_not_taken_back(store):
    """Each in a pair of its own: the move, then the work, then the attempt."""
    pairs = [(kind, work, f"{kind}-{work}-1", f"{kind}-{work}-2") for kind in ("merge", "transfer") for work in WORK]
    both = [(small(first), small(second, hemoglobin=(98, 102, 110))) for *_, first, second in pairs]
    store.import_chart(LEAD, join([chart for pair in both for chart in pair]), "first")
    moves = {}
    for kind, work, first, second in pairs:
        if kind == "merge":
            moves[kind, work], access, key = store.merge(LEAD, first, second, "same"), LEAD, first
        else:
            moves[kind, work], access, key = store.transfer(LEAD, second, "YC", "moved house", "form 9"), THIRD, second
        WORK[work](store, access, key)
    after = state(store)
    for number in moves.values():
        with pytest.raises(ConflictError):
            store.undo(LEAD, number, "no")
    assert state(store) == after


def test_a_share_that_was_revoked_since_does_not_come_back(two):
    two.share(LEAD, "P2", "XA", "form 4")
    number = two.merge(LEAD, "P1", "P2", "same")
    two.revoke(LEAD, two.shared(LEAD).filter(pl.col("until").is_null())["id"][0], "the patient wishes so")
    two.undo(LEAD, number, "they are two")
    assert two.chart(OTHER).patients.is_empty()
    assert two.shared(LEAD).filter(pl.col("until").is_null()).is_empty()


def test_a_transferred_patient_has_a_new_home_and_the_old_one_its_past(two):
    two.judge(PHYSICIAN, "P2", "iss", "II", "as read then")
    then = registry_clock.now()
    row = two.patient(LEAD, "P2").rows["events"]["id"][0]
    two.transfer(LEAD, "P2", "YC", "moved house", "form 9", "Y-77")
    assert two.chart(THIRD).patients.select("patient", "centre").rows() == [("Y-77", "YC")]
    assert two.chart(LEAD).patients["patient"].to_list() == ["P1"]
    assert sorted(set(two.chart(LEAD, at_store_time=then).observations["patient"])) == ["P1", "P2"]
    two.edit(THIRD, "events", row, 2, {"grade": 3}, "seen at Yichang")
    assert two.history(THIRD, "events", row)["why"].to_list() == ["second", "moved house", "seen at Yichang"]
    assert two.history(LEAD, "events", row)["why"].to_list() == ["second"]
    assert two.verdicts(THIRD, "Y-77")["value"].to_list() == ["II"]
    with pytest.raises(UsageError, match="transferred to another centre"):
        two.patient(LEAD, "P2")
    with pytest.raises(AccessError):
        two.patient(LEAD, "Y-77")
    assert "P2" in two.export_audit(LEAD)["patient"].to_list()
    two.share(THIRD, "Y-77", "WH", "form 10")
    assert two.history(LEAD, "events", row)["why"].to_list() == ["second", "moved house", "seen at Yichang"]
    two.transfer(THIRD, "Y-77", "WH", "back home", "form 11", "P2")  # one's own former key is free for oneself
    assert sorted(two.chart(LEAD).patients["patient"]) == ["P1", "P2"]
    assert two.history(LEAD, "events", row).height == 4
    assert two.verdicts(LEAD, "P2")["value"].to_list() == ["II"]
    assert two.verify(ADMIN).whole


def test_a_key_that_was_given_up_is_nobody_elses(two):
    two.rename(ENTRY, "P2", "P9", "the number was wrong")
    with pytest.raises(UsageError, match="was the key of a patient who now has another"):
        two.add_patient(ENTRY, "P2", "WH", {"sex": "male"}, "new")
    done = two.import_chart(LEAD, small("P2", hemoglobin=(77,)), "an old file")
    assert done.rejected.select("column", "value", "reason").rows() == [
        ("patient", "P2", "patient P2: now has another key; the patient is left out")
    ]
    assert done.counts["new"] == 0
    for patient, key, said in (("P9", "P1", "taken"), ("P1", "P2", "taken"), ("P9", "P9", "already")):
        with pytest.raises(UsageError, match=said):
            two.rename(ENTRY, patient, key, "no")
    two.rename(ENTRY, "P9", "P2", "it was right")
    assert two.patient(LEAD, "P2").chart.observations.height == 3


def test_who_may_not_move_moves_nobody(two):
    two.import_chart(OTHER, small("X1", "XA"), "Xi'an")
    two.share(OTHER, "X1", "WH", "form 2")
    number = two.rename(ENTRY, "P2", "P9", "number")
    for attempt in (
        lambda: two.merge(LEAD, "P1", "X1", "same"),
        lambda: two.transfer(LEAD, "X1", "WH", "to us", "form 3"),
        lambda: two.rename(LEAD, "X1", "X2", "number"),
        lambda: two.merge(PHYSICIAN, "P1", "P9", "same"),
        lambda: two.duplicates(ENTRY),
        lambda: two.undo(OTHER, number, "not mine"),
        lambda: two.undo(PHYSICIAN, number, "not mine"),
    ):
        with pytest.raises(AccessError):
            attempt()
    for wrong, said in (({"to_centre": "QQ"}, "no centre"), ({"consent": " "}, "consent"), ({"to_centre": "WH"}, "at home in")):
        with pytest.raises(UsageError, match=said):
            two.transfer(LEAD, "P1", **({"to_centre": "XA", "why": "moved", "consent": "form"} | wrong))


def test_single_edits_additions_and_removals_are_taken_back(store):
    store.import_chart(LEAD, small(), "first")
    row = store.patient(LEAD, "P1").rows["observations"].row(0, named=True)
    for what in (
        lambda: store.edit(PHYSICIAN, "observations", row["id"], 1, {"value": 55.0}, "slip"),
        lambda: store.add(PHYSICIAN, "events", "P1", VISIT, "slip"),
        lambda: store.remove(PHYSICIAN, "treatments", store.patient(LEAD, "P1").rows["treatments"]["id"][0], 1, "slip"),
        lambda: store.add_patient(PHYSICIAN, "P5", "WH", {"sex": "male"}, "slip"),
    ):
        before = state(store)
        what()
        assert state(store) != before
        number = _last(store)
        with pytest.raises(AccessError):
            store.undo(OTHER, number, "not mine")
        store.undo(PHYSICIAN, number, "taken back")
        assert state(store) == before
    assert store.history(LEAD, "observations", row["id"])["value"].to_list() == [98, 55, 98]
    with pytest.raises(UsageError, match="cannot be taken back"):
        store.undo(LEAD, _last(store), "an undo")
    assert store.verify(ADMIN).whole


def test_an_edit_somebody_has_worked_on_is_not_taken_back(store):
    store.import_chart(LEAD, small(), "first")
    row = store.patient(LEAD, "P1").rows["observations"].row(0, named=True)["id"]
    store.edit(PHYSICIAN, "observations", row, 1, {"value": 55.0}, "slip")
    first = _last(store)
    store.edit(ENTRY, "observations", row, 2, {"value": 56.0}, "better")
    with pytest.raises(ConflictError, match="chen changed it"):
        store.undo(PHYSICIAN, first, "no")
    store.add_patient(ENTRY, "P5", "WH", {"sex": "male"}, "new")
    entered = _last(store)
    added = store.add(ENTRY, "events", "P5", VISIT, "visit")
    with pytest.raises(ConflictError, match="added to a patient of this change"):
        store.undo(ENTRY, entered, "no")
    store.remove(ENTRY, "events", added, 1, "no")
    removal = _last(store)
    store.remove(ENTRY, "patients", store.patient(LEAD, "P5").rows["patients"]["id"][0], 1, "no")
    with pytest.raises(UsageError, match="no longer in the registry"):
        store.undo(ENTRY, removal, "back")
    store.undo(ENTRY, _last(store), "back first")
    store.undo(ENTRY, removal, "now")
    assert store.patient(LEAD, "P5").chart.events.height == 1


def _last(store):
    """The number of the last change."""
    with store._database.everywhere() as connection:
        return connection.execute(sa.text("select max(id) from changes")).scalar_one()


def test_possible_duplicates_are_suggested_with_their_reasons(store):
    born = {"born_on": ["1960-05-01"], "heavy_chain": ["igg"], "light_chain": ["kappa"]}
    here = [
        small("A", hemoglobin=(81, 82, 83), born_on=["1960"]),
        small("B", hemoglobin=(81, 82, 83, 99), born_on=["1960-05-01"]),
        small("C", hemoglobin=(81, 82, 83), born_on=["1961"]),  # another year
        small("D", hemoglobin=(71,), **born),
        small("E", hemoglobin=(72,), **born),
        small("F", hemoglobin=(81, 82), born_on=["1960"]),  # two rows may be chance
        small("G", hemoglobin=(81, 82, 83), **(born | {"born_on": ["1960-06-02"]})),  # another day
    ]
    store.import_chart(LEAD, join(here), "first")
    store.import_chart(OTHER, small("H", "XA", hemoglobin=(81, 82, 83), born_on=["1960"]), "elsewhere")
    told = store.duplicates(LEAD).select("patient", "patient_2", "same_results", "same_birth_day", "same_chains").rows()
    assert told == [("A", "B", 3, False, False), ("A", "G", 3, False, False), ("D", "E", 0, True, True)]


def test_only_measured_numbers_show_that_two_records_are_of_one_human(store):
    """ "Negative", 0 and "below 0.5" stand in the records of many on the same day."""
    often = {
        "on": [date(2025, 1, day) for day in (1, 2, 3)], "what": ["serum_ife", "serum_m_protein", "kappa_flc"],
        "value": [None, 0.0, 0.5], "text": ["negative", None, None], "comparator": [None, None, "<"], "unit": [None, "g/L", "mg/L"],
    }  # fmt: skip
    both = [with_rows(small(patient), observations=pl.DataFrame({"patient": patient, **often})) for patient in ("A", "B")]
    store.import_chart(LEAD, join(both), "first")
    assert store.duplicates(LEAD).is_empty()


def test_duplicates_are_looked_for_again_after_a_change(store):
    store.import_chart(LEAD, join([small(patient, hemoglobin=(81, 82, 83)) for patient in ("A", "B", "C")]), "first")
    assert store.duplicates(LEAD).select("patient", "patient_2").rows() == [("A", "B"), ("A", "C"), ("B", "C")]
    store.merge(LEAD, "A", "B", "same identity card")
    assert store.duplicates(LEAD).select("patient", "patient_2").rows() == [("A", "C")]
    assert store.duplicates(Access("zhou", ["centre_lead"], ["XA"])).is_empty()


def test_it_is_told_how_a_patient_came_here(two):
    two.merge(LEAD, "P1", "P2", "same identity card")
    change = two.transfer(LEAD, "P1", "YC", "moved house", "form 9")
    told = two.moved(THIRD, "P1").select("kind", "why", "from_centre", "to_centre", "consent", "stands").rows()
    assert ("transfer", "moved house", "WH", "YC", "form 9", True) in told
    assert two.moved(THIRD, "P1")["change"][0] == change
    with pytest.raises(AccessError):
        two.moved(OTHER, "P1")
