"""The audit names every read and change, and shows where anybody laid hands on it."""

import csv
import json
from contextlib import contextmanager
from datetime import date

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ENTRY, LEAD, OTHER, PHYSICIAN, small
from hypothesis import given, settings
from hypothesis import strategies as st

from bence.chart import join
from bence.registry import AccessError
from bence.registry.audit import numbers, ranges, verify
from bence.registry.content import hashes
from bence.registry.models import audit


@pytest.fixture
def busy(store):
    """A registry in which some things happened."""
    store.import_chart(LEAD, small("P1"), "first")
    store.import_chart(OTHER, small("P2", "XA"), "second")
    store.patient(PHYSICIAN, "P1")
    row = store.patient(ENTRY, "P1").rows["observations"].row(0, named=True)
    store.edit(ENTRY, "observations", row["id"], 1, {"value": 99.0}, "slip")
    store.chart(OTHER)
    return store


@contextmanager
def tampered(store, *statements):
    """The registry after what only the owner of the database can do; it is as before at the end."""
    with store._database.engine.connect().execution_options(bence_write=True) as connection:
        if not store._database.postgres:
            connection.execute(sa.text("drop trigger audit_kept"))
            connection.execute(sa.text("drop trigger audit_stays"))
        for statement in statements:
            connection.execute(sa.text(statement))
        yield connection
        connection.rollback()


def test_every_read_and_change_is_there_for_each_patient(busy, tmp_path):
    table = busy.export_audit(ADMIN, tmp_path / "audit.csv")
    said = table.filter(table["patient"].is_not_null()).select("who", "action", "centre", "patient").rows()
    assert said == [
        ("wang", "import", "WH", "P1"),
        ("zhao", "import", "XA", "P2"),
        ("li", "read", "WH", "P1"),
        ("chen", "read", "WH", "P1"),
        ("chen", "edit", "WH", "P1"),
        ("zhao", "read", "XA", "P2"),
    ]
    assert json.loads(table.filter(table["action"] == "edit")["detail"][0])["why"] == "slip"
    with (tmp_path / "audit.csv").open(encoding="utf-8") as file:
        assert [row["patient"] for row in csv.DictReader(file)][1:7] == ["P1", "P2", "P1", "P1", "P1", "P2"]
    assert set(busy.export_audit(LEAD)["centre"]) == {"WH"}
    assert busy.export_audit(ADMIN)["action"].to_list()[-3:] == ["audit", "audit", "audit"]  # exports are entered themselves


def test_the_audit_itself_holds_no_key_of_a_patient(busy):
    with busy._database.transaction() as connection:
        told = str(connection.execute(sa.select(audit)).all())
    assert "P1" not in told


def test_an_unbroken_chain_is_whole(busy):
    found = busy.verify(ADMIN)
    assert (found.whole, found.entries) == (True, 7)
    assert busy.verify(ADMIN, found.head).whole
    busy.chart(LEAD)
    assert busy.verify(ADMIN, found.head).whole
    assert not busy.verify(ADMIN, "0" * 64).whole


BROKEN = [
    (["update audit set who = 'nobody' where id = 4"], 4, "altered"),
    (["update audit set detail = replace(detail, 'slip', 'snip') where action = 'edit'"], 6, "altered"),
    (["delete from audit where id = 3"], 3, "entries 3 to 3 are missing"),
    (["delete from audit where id >= 6"], 6, "missing at the end"),
    (["delete from audit where id >= 6", "update counters set last = 5 where name = 'audit'"], 6, "missing at the end"),
    (["update audit set hash = 'x' where id = 2"], 2, "altered"),
    (["update audit set previous = 'x' where id = 5"], 5, "does not follow"),
]


def test_it_says_where_the_chain_was_broken(busy):
    for statements, place, fault in BROKEN:
        with tampered(busy, *statements) as connection:
            found = verify(connection)
        assert (found.whole, found.broken_at, found.entries) == (False, place, place - 1)
        assert fault in found.fault
    assert busy.verify(ADMIN).whole


def test_a_chain_cut_with_care_is_told_by_the_noted_head(busy):
    head = busy.verify(ADMIN).head
    with tampered(busy, "delete from audit where id = 7", "update counters set last = 6 where name = 'audit'") as connection:
        assert verify(connection).whole  # the last entry was a read: nothing inside can tell
        found = verify(connection, head)
    assert (found.broken_at, "noted head" in found.fault) == (7, True)


REFUSED = [  # what was tried, by whom, about whom, what the entry tells of it
    (lambda store: store.patient(OTHER, "P1"), "zhao", ["P1"], {"tried": "patient"}),
    (lambda store: store.add(OTHER, "events", "P1", {}, "slip"), "zhao", ["P1"], {"tried": "add", "table": "events"}),
    (lambda store: store.undo(OTHER, 1, "no"), "zhao", [None], {"tried": "undo", "change": 1}),
    (lambda store: store.export(PHYSICIAN, "nowhere"), "li", [None], {"tried": "export"}),
    (lambda store: store.patient(PHYSICIAN, "P7"), "li", [None], {"tried": "patient"}),
    (lambda store: store.chart(LEAD, centres=["XA"]), "wang", [None], {"tried": "chart", "centres": ["XA"]}),
    (lambda store: store.decide(PHYSICIAN, 3, "relapse", None, "x", "", ["li"]), "li", [None], {"tried": "decide", "item": 3}),
]


def test_what_was_refused_is_entered_though_nothing_came_of_it(busy):
    for n, (attempt, who, whom, said) in enumerate(REFUSED):
        with pytest.raises(AccessError):
            attempt(busy)
        told = busy.export_audit(ADMIN).filter(pl.col("action") == "refused")[n:]
        assert told["who"].unique().to_list() == [who]
        assert told["patient"].to_list() == whom
        assert json.loads(told["detail"][0]) == said
    assert busy.verify(ADMIN).whole


def behind(store, *statements):
    """What the owner of the database finds after statements that go round all guards; they are rolled back."""
    with store._database.engine.connect().execution_options(bence_write=True) as connection:
        if not store._database.postgres:
            for name in connection.execute(sa.text("select name from sqlite_master where type = 'trigger'")).scalars().all():
                connection.execute(sa.text(f"drop trigger {name}"))
        for statement in statements:
            connection.execute(sa.text(statement))
        found = verify(connection)
        connection.rollback()
    return found


ALTERED = [  # an entry of the audit, and what it says: 1 created, 2 and 3 imports, 6 the edit
    ("update observations set value = 97 where id = 1 and version = 1", 2, "change 1 were altered in observations"),
    ("update observations set value = 97 where id = 1 and version = 2", 6, "change 3 were altered in observations"),
    ("update observations set value = null where id = 3", 3, "change 2 were altered in observations"),
    ("update events set what = 'vte' where person = 1", 2, "change 1 were altered in events"),
    ("update events set \"on\" = '2025-01-04' where person = 1", 2, "change 1 were altered in events"),
    ("update patients set sex = 'male' where id = 2", 3, "change 2 were altered in patients"),
    ("update treatments set person = 2 where person = 1", 2, "change 1 were altered in treatments"),
    ("update treatments set to_change = 3 where person = 1", 6, "change 3 were altered in treatments"),
    ("delete from events where person = 2", 3, "change 2 were altered in events"),
    ("insert into events (id, version, from_change, person, what) values (99, 1, 3, 1, 'vte')", 6, "change 3 were altered in events"),
    ("insert into events (id, version, from_change, person, what) values (99, 1, 77, 1, 'vte')", 0, "rows of no change in events"),
    ("update changes set why = 'better' where id = 3", 6, "when or why was altered"),
    ("update changes set who = 'nobody' where id = 1", 2, "who made change 1"),
    ("delete from changes where id = 2", 3, "change 2 is missing"),
]


def test_rows_altered_behind_its_back_are_found_and_the_change_is_named(busy):
    for statement, place, said in ALTERED:
        found = behind(busy, statement)
        assert (found.whole, found.broken_at) == (False, place), statement
        assert said in found.fault
    assert behind(busy).whole


def test_a_lead_of_one_centre_verifies_what_all_wrote(busy):
    assert busy.verify(LEAD).whole
    assert busy.verify(OTHER).whole


def test_the_hash_of_what_was_written_is_the_same_for_the_same_content():
    day = pl.Series("on", [date(2025, 1, 1), None])
    rows = pl.DataFrame(
        {"id": [1, 2], "version": [1, 1], "person": [1, 1], "what": ["crp", "ldh"], "value": [-0.0, None], "text": ["", "b"]}
    )
    rows = rows.with_columns(day)
    other = rows.with_columns(value=pl.Series([0.0, float("nan")]), text=pl.Series([None, "b"]), id=pl.col("id").cast(pl.Int32)).reverse()
    halves = [rows.head(1), rows.tail(1).drop("value")]
    said = hashes({"observations": [rows]}, {})
    assert said == hashes({"observations": [other]}, {}) == hashes({"observations": halves}, {})
    assert said != hashes({}, {"observations": [rows]})
    for name, value in (("value", 1e-9), ("text", "c"), ("what", "crpl"), ("person", 2), ("version", 2), ("on", date(2025, 1, 2))):
        assert hashes({"observations": [rows.with_columns(pl.lit(value).alias(name))]}, {}) != said
    shifted = rows.with_columns(what=pl.Series(["crpl", "dh"]))  # the same letters, parted elsewhere
    assert hashes({"observations": [shifted]}, {}) != said
    assert hashes({}, {}) == {}


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(1, 60)))
def test_ranges_lose_no_number(people):
    assert numbers(ranges(people)) == sorted(people)


BESIDE = [
    ("update verdicts set value = 'III'", "verdict 1 was altered"),
    ("update decisions set text = 'Treat'", "decision 1 was altered"),
    ("update decisions set attendants = '[]'", "decision 1 was altered"),
    ("update invitations set expires = '2099'", "invitation 1 was altered"),
    ("update verdicts set person = 2", "verdict 1 is of another patient"),
    ("delete from invitations", "invitation 1 is missing"),
    ('insert into verdicts select 9, person, finding, line, "on", value, derived, why, who, at from verdicts', "verdict 9 was never"),
]


@pytest.mark.usefixtures("nothing_found")
def test_what_stands_beside_the_chart_is_compared_with_its_entries(store):
    store.import_chart(LEAD, join([small("P1"), small("P2")]), "first")
    store.judge(LEAD, "P1", "iss", "II", "the sample was old")
    item = store.put_on_agenda(LEAD, store.plan_meeting(LEAD, "WH", date(2026, 3, 10), "Tuesday"), "P1", "What now?")
    store.decide(LEAD, item, "relapse", None, "Wait", "frail", ["Gu"])
    store.invite(LEAD, "P1", "follow_up")
    for statement, said in BESIDE:
        assert said in behind(store, statement).fault
    assert store.verify(ADMIN).whole
