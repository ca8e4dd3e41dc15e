"""The tables that the migrations make are those of the models, and those hold every column of a chart."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from homes import ADMIN, HOMES, LEAD, small

from bence.chart import SCHEMA, TABLES
from bence.errors import UsageError
from bence.registry import Access, Store
from bence.registry.models import METADATA, VERSIONS


def test_the_migrations_make_the_tables_of_the_models(store):
    with store._database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    sqlite_only = [("remove_fk", table) for table in sorted(VERSIONS)]
    left = sorted((difference[0], difference[1].parent.name) if difference[0] == "remove_fk" else difference for difference in found)
    assert left == ([] if store._database.postgres else sqlite_only)


def test_every_column_of_a_chart_is_kept():
    for table in TABLES:
        kept = set(VERSIONS[table].columns.keys()) | {"patient", "centre"}
        assert set(SCHEMA[table]) <= kept


def test_making_it_again_leaves_it_as_it_is(where, store):
    store.import_chart(LEAD, small(), "first")
    again = Store.create(where, {"QQ": ("Qiqihar", "齐齐哈尔")}, Access("somebody", ["administrator"], ["QQ"]))
    assert again.chart(LEAD).patients.height == 1
    assert again.access("root") == ADMIN
    with again._database.transaction() as connection:
        assert set(connection.execute(sa.text("select code from centres")).scalars()) == set(HOMES)
    again.close()


def test_a_registry_of_another_version_is_not_opened(where):
    store = Store(where)
    with store._database.engine.connect().execution_options(bence_write=True) as connection:
        connection.execute(sa.text("update alembic_version set version_num = '0000'"))
        connection.commit()
    store.close()
    with pytest.raises(UsageError, match="version 0000"):
        Store(where)


def test_sqlite_is_opened_with_its_safeguards(tmp_path):
    store = Store.create(tmp_path / "a.db", HOMES, ADMIN)
    with store._database.engine.connect() as connection:
        said = [connection.execute(sa.text(f"pragma {name}")).scalar_one() for name in ("journal_mode", "foreign_keys")]
    assert said == ["wal", 1]
    store.close()


@pytest.mark.parametrize(
    ("where", "said"),
    [("mysql://host/x", "'mysql'"), ("nothing://", "'nothing'"), ("postgresql://nobody@127.0.0.1:1/none", "can be reached")],
)
def test_what_is_no_registry_is_told(where, said):
    if where.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(UsageError, match=said):
        Store(where)
