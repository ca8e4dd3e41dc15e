"""A backup is the registry: on both kinds of database, from one to the other, and never half."""

import shutil
import zipfile
from contextlib import closing

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ALL, LEAD, PHYSICIAN, small, whole

from bence.chart import join
from bence.errors import BenceError, ChartError, UsageError
from bence.registry import AccessError, Store
from bence.registry.backup import LEFT_OUT
from bence.registry.models import METADATA

PASSWORD = "correct horse battery"


@pytest.fixture
def worked(store):
    """A registry in which there was some work."""
    store.import_chart(ALL, join([small(), small("P2", "XA", (70.0,))]), "first")
    row = store.patient(LEAD, "P1").rows["observations"].row(0, named=True)
    store.edit(LEAD, "observations", row["id"], row["version"], {"value": 99.0}, "typed wrongly")
    store.share(LEAD, "P1", "YC", "form 3")
    store.set_user(ADMIN, "wang", ["centre_lead"], ["WH"])
    store.set_password(LEAD, "wang", PASSWORD)
    return store


def everything(store):
    with store._database.everywhere() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in METADATA.sorted_tables
            if table.name not in LEFT_OUT
        }


@pytest.mark.usefixtures("nothing_found")
def test_a_restored_registry_is_the_one_backed_up(worked, empty, tmp_path):
    worked.findings_for(LEAD, "P1")
    done = worked.back_up(ADMIN, tmp_path / "backup.zip")
    expected = everything(worked)
    assert Store.restore(empty, tmp_path / "backup.zip") == done
    again = Store(empty)
    try:
        assert everything(again) == expected
        assert again.verify(ADMIN, done.head).whole
        assert whole(again.chart(ALL)) == whole(worked.chart(ALL))
        assert again.session(again.sign_in("wang", PASSWORD, "a")).access == LEAD
        again.import_chart(ALL, small("P3"), "work goes on")  # new numbers are new
        assert again.chart(ALL).patients.height == 3
    finally:
        again.close()


def test_only_the_administrator_backs_up(worked, tmp_path):
    for access in (LEAD, PHYSICIAN):
        with pytest.raises(AccessError):
            worked.back_up(access, tmp_path / "backup.zip")
    assert not list(tmp_path.glob("backup*"))


def test_nothing_is_written_over(worked, where, tmp_path):
    worked.back_up(ADMIN, tmp_path / "backup.zip")
    with pytest.raises(UsageError, match="there already"):
        worked.back_up(ADMIN, tmp_path / "backup.zip")
    with pytest.raises(UsageError, match="there is a registry"):
        Store.restore(where, tmp_path / "backup.zip")
    assert worked.chart(ALL).patients.height == 2


def _altered(path, name, change):
    """The backup with one part in another form."""
    other = path.with_name("altered.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for each in old.namelist():
            data = old.read(each)
            if each != name:
                new.writestr(each, data)
            elif change is not None:
                new.writestr(each, change(data))
    return other


ALTERED = [
    ("observations.parquet", lambda data: data.replace(b"hemoglobin", b"hemoglobim")),
    ("audit.parquet", None),
    ("manifest.json", lambda data: data.replace(b'"head": "', b'"head": "0')),
    ("manifest.json", lambda data: b"{}"),
    ("manifest.json", lambda data: data.replace(b'"tables": "0', b'"tables": "9')),
]


def test_a_backup_that_was_altered_makes_nothing(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "registry.db")
    with closing(Store(tmp_path / "registry.db")) as store:
        store.import_chart(ALL, small(), "first")
        store.back_up(ADMIN, tmp_path / "backup.zip")
    for n, (name, change) in enumerate(ALTERED):
        new = tmp_path / f"new-{n}.db"
        with pytest.raises(BenceError):
            Store.restore(new, _altered(tmp_path / "backup.zip", name, change))
        if new.exists():
            with closing(Store(new)) as left:
                assert left.centres() == {}


def test_what_is_no_backup_is_told(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(ChartError, match="is no backup"):
        Store.restore(tmp_path / "new.db", tmp_path / "x.zip")
    assert not (tmp_path / "new.db").exists()


def test_a_backup_can_be_read_without_bence(worked, tmp_path):
    worked.back_up(ADMIN, tmp_path / "backup.zip")
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive, archive.open("observations.parquet") as part:
        assert set(pl.read_parquet(part.read())["what"]) == {"hemoglobin"}
