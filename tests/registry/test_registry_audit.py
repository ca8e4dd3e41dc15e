"""The audit names every read and change, and shows where anybody laid hands on it."""

import csv
import json
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from homes import ADMIN, ENTRY, LEAD, OTHER, PHYSICIAN, small
from hypothesis import given, settings
from hypothesis import strategies as st

from bence.registry.audit import numbers, ranges, verify
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


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(1, 60)))
def test_ranges_lose_no_number(people):
    assert numbers(ranges(people)) == sorted(people)
