"""A registry that was filled under an earlier schema keeps every row when it is brought up to date."""

import shutil
from contextlib import closing
from datetime import date

import pytest
import sqlalchemy as sa
from alembic import command
from homes import ADMIN, ALL, HOMES, LEAD, small

from bence.chart import join
from bence.registry import Access, Store
from bence.registry.backup import POINTED_TO
from bence.registry.database import _config, _engine, url_of
from bence.registry.models import METADATA, VERSIONS

CHAIR = Access("gu", ["mdt_chair"], ["WH"])
MADE_NEW = ("counters", "secrets")  # a new registry has rows in them


@pytest.fixture(params=["0002", "0003"])
def revision(request):
    """An earlier schema that registries were filled under."""
    return request.param


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    """A registry with rows in every table of the first of these schemas, with edited, removed and shared ones."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    with closing(Store.create(path, HOMES, ADMIN)) as store:
        store.set_user(ADMIN, "wang", ["centre_lead"], ["WH"])
        store.set_password(Access("wang", ["centre_lead"], ["WH"]), "wang", "correct horse battery")
        store.begin_session(store.access("wang"), "test")
        store.import_chart(ALL, join([small("P1"), small("P2"), small("P3", "XA")]), "first")
        row, other = store.patient(LEAD, "P1").rows["observations"]["id"][:2]
        store.edit(LEAD, "observations", row, 1, {"value": 99.0}, "typed wrongly")
        store.remove(LEAD, "observations", other, 1, "of another patient")
        store.findings_for(LEAD, "P1")
        store.share(LEAD, "P1", "YC", "form 3")
    return path


@pytest.fixture
def filled(filled_once, tmp_path, revision):
    """The same with rows in every table of the schema that is asked for, merged ones among them."""
    with closing(Store(shutil.copy(filled_once, tmp_path / "filled.db"))) as store:
        if revision >= "0003":
            clinical(store)
        yield store


def clinical(store):
    """What stands beside the chart."""
    store.judge(LEAD, "P1", "iss", "II", "the sample was old")
    meeting = store.plan_meeting(CHAIR, "WH", date(2026, 3, 10), "Tuesday")
    store.decide(CHAIR, store.put_on_agenda(CHAIR, meeting, "P1", "What now?"), "relapse", None, "Wait", "frail", ["Gu"])
    store.invite(LEAD, "P1", "follow_up")
    store.merge(LEAD, "P1", "P2", "same identity card")


def all_rows(connection):
    """Every row of every table that is there."""
    there = sa.inspect(connection).get_table_names()
    return {table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in METADATA.sorted_tables
            if table.name in there}  # fmt: skip


def test_every_row_is_kept_and_the_registry_works(filled, empty, revision):
    engine = _engine(url_of(empty))
    with filled._database.snapshot() as connection:
        rows = all_rows(connection)
    with engine.connect().execution_options(bence_write=True) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        there = sa.inspect(connection).get_table_names()
        for table in sorted(METADATA.sorted_tables, key=lambda table: table.name not in POINTED_TO):
            if table.name in there:
                if table.name in MADE_NEW:
                    connection.execute(sa.delete(table))
                own = [row for row in rows[table.name] if table.name != "counters" or row["name"] in there]
                if own:
                    connection.execute(sa.insert(table), own)
        connection.commit()
    with engine.connect() as connection:
        before = all_rows(connection)
    assert [name for name, held in before.items() if not held] == ["attempts"], "a table without rows proves nothing"
    with closing(Store.create(empty, HOMES, ADMIN)) as store:
        with engine.connect() as connection:
            after = all_rows(connection)
        for name, held in before.items():
            left = [row for row in after[name] if name != "counters" or row["name"] in there]
            assert sorted(map(repr, left)) == sorted(map(repr, held)), name
        assert {row["person"]: row["change"] for row in after["last_changes"]} == last_changes(after)
        assert store.verify(ADMIN).whole
        assert store.patient(LEAD, "P1").chart.observations.height == filled.patient(LEAD, "P1").chart.observations.height
        assert store.import_chart(LEAD, small("P9"), "after it").counts["new"] > 0
    engine.dispose()


def last_changes(tables):
    """By hand: for every person the last change that began or ended a version."""
    found = {}
    for table in VERSIONS:
        for row in tables[table]:
            found[row["person"]] = max(found.get(row["person"], 0), row["from_change"], row["to_change"] or 0)
    return found


def test_the_last_change_of_everybody_is_kept_up_to_date(filled):
    with filled._database.snapshot() as connection:
        tables = all_rows(connection)
    kept = {row["person"]: row["change"] for row in tables["last_changes"]}
    assert kept == last_changes(tables)
