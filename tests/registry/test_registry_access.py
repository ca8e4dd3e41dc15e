"""Who may do what where: every role, every place of a patient, every action, on both databases; and the walls behind it."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ALL, ANALYST, ENTRY, LEAD, OTHER, PHYSICIAN, small

from bence import Chart
from bence.chart import join
from bence.errors import UsageError
from bence.registry import RIGHTS, ROLES, Access, AccessError, Store
from bence.registry.models import VERSIONS

CLINICAL = ("verdicts", "meetings", "agenda", "decisions", "invitations", "moves")
KEY = b"a secret of the tests only"
PLACES = {"own": "WH", "shared": "XA", "other": "YC"}  # the user's centre is WH; XA shares its patient with WH
AWAY = {"own": "YC", "shared": "YC", "other": "XA"}  # neither the centre of the patient nor that of the user

# Written by hand, not taken from the code: o own, s own and shared, . never.
MATRIX = """
                data_entry physician mdt_chair centre_lead analyst administrator
patient         s          s         s         s           .       .
chart           s          s         s         s           .       .
history         s          s         s         s           .       .
add             s          s         s         s           .       .
edit            s          s         s         s           .       .
remove          s          s         s         s           .       .
add_patient     o          o         o         o           .       .
findings        .          s         s         s           .       .
import          o          .         .         o           .       .
undo            o          .         .         o           .       .
undo_edit       s          s         s         s           .       .
judge           .          s         s         s           .       .
verdicts        .          s         s         s           .       .
plan_meeting    .          o         o         o           .       .
put_on_agenda   .          s         s         s           .       .
agenda          .          s         s         s           .       .
decide          .          .         s         s           .       .
decisions       s          s         s         s           .       .
invite          s          s         s         s           .       .
invitations     s          s         s         s           .       .
withdraw        s          s         s         s           .       .
merge           .          .         .         o           .       .
undo_merge      .          .         .         o           .       .
transfer        .          .         .         o           .       .
rename          o          .         .         o           .       .
duplicates      .          .         .         o           .       .
share           .          o         o         o           .       .
revoke          .          o         o         o           .       .
export          .          .         .         o           .       .
deidentified    .          .         .         o           o       .
count           .          .         o         o           o       .
audit           .          .         .         o           .       o
"""
LINES = [line.split() for line in MATRIX.strip().splitlines()]
EXPECTED = {(line[0], role): reach for line in LINES[1:] for role, reach in zip(LINES[0], line[1:], strict=True)}
VISIT = {"on": date(2025, 4, 1), "what": "relapse_clinical"}


def small_charts(i, place):
    """The patients of a place; values and days of birth tell the places apart."""
    centre, twin = PLACES[place], {"born_on": [f"{1930 + i}-05-01"], "heavy_chain": ["igg"], "light_chain": ["kappa"]}
    yield small(place, centre, (60.0 + 20 * i, 67.0 + 20 * i))
    for key in ("merged", "parted", "parted-second", "transferred", "renamed"):
        yield small(f"{key}-{place}", centre)
    for key in ("twin", "twin-second"):
        yield small(f"{key}-{place}", centre, **twin)


def prepared(store):
    """A patient in each place and all that is to be tried on them; the numbers of what was made, by action and place."""
    store.import_chart(ALL, join([chart for i, place in enumerate(PLACES) for chart in small_charts(i, place)]), "all")
    meeting, empty = (store.plan_meeting(ALL, "WH", VISIT["on"], "board") for _ in range(2))
    made = {"agenda": meeting, "put_on_agenda": empty}
    for place, centre in PLACES.items():
        lead = Access(f"lead-{centre}", ["centre_lead"], [centre])
        rows = store.patient(lead, place).rows
        made["edit", place] = rows["observations"].sort("on")["id"][0]
        store.edit(lead, "treatments", rows["treatments"]["id"][0], 1, {"dose": 1.0}, "edit")
        made["undo_edit", place] = store.listed(lead).filter(pl.col("patient") == place)["change"][0]
        made["remove", place] = store.add(lead, "events", place, VISIT, "to be removed")
        made["undo", place] = store.import_chart(lead, small(f"undone-{place}", centre), "to be undone").change
        made["undo_merge", place] = store.merge(lead, f"parted-{place}", f"parted-second-{place}", "same")
        store.invite(lead, place, "follow_up")
        made["invite", place] = store.invitations(lead)["id"][0]
        own = store.put_on_agenda(ALL, store.plan_meeting(ALL, centre, VISIT["on"], "board"), place, "what next?")
        made["decisions", place] = store.decide(ALL, own, "relapse", "d_pd", "D-Pd", "", ["all"])
        # on the agenda of the user's own centre while the patient was shared
        share = None if place == "own" else store.share(lead, place, "WH", "for this board")
        made["decide", place] = store.put_on_agenda(ALL, meeting, place, "what next?")
        if share is not None:
            store.revoke(lead, share, "over")
        made["revoke", place] = store.share(lead, place, AWAY[place], "consent form")
        if place == "shared":
            for key in (place, *(f"{key}-{place}" for key in ("parted", "transferred", "renamed", "twin"))):
                store.share(lead, key, "WH", "consent form, file 7")
    return made


class Ward:
    """A registry that was prepared, and what can be tried in it."""

    def __init__(self, store, made, folder):
        self.store, self.made, self.folder = store, made, folder

    def attempt(self, action, place, access):
        """Was it allowed? Refused is refused by name, or the patient is not among what is given."""
        try:
            return getattr(self, action)(place, PLACES[place], access) is not False
        except AccessError:
            return False

    def patient(self, place, centre, access):
        assert self.store.patient(access, place).chart.patients["patient"].to_list() == [place]

    def chart(self, place, centre, access):
        return place in self.store.chart(access).observations["patient"]

    def history(self, place, centre, access):
        return self.store.history(access, "observations", self.made["edit", place]).height > 0

    def add(self, place, centre, access):
        self.store.add(access, "events", place, VISIT, "visit")

    def edit(self, place, centre, access):
        self.store.edit(access, "observations", self.made["edit", place], 1, {"value": 61.0}, "edit")

    def remove(self, place, centre, access):
        self.store.remove(access, "events", self.made["remove", place], 1, "removed")

    def add_patient(self, place, centre, access):
        self.store.add_patient(access, f"new-{place}", centre, {"sex": "male"}, "new")

    def findings(self, place, centre, access):
        assert self.store.findings_for(access, place)["status"].height == 1

    def do_import(self, place, centre, access):
        return self.store.import_chart(access, small(f"imported-{place}", centre), "import").counts["rejected"] == 0

    def undo(self, place, centre, access):
        self.store.undo(access, self.made["undo", place], "undo")

    def undo_edit(self, place, centre, access):
        self.store.undo(access, self.made["undo_edit", place], "undo")

    def judge(self, place, centre, access):
        self.store.judge(access, place, "iss", "II", "seen")

    def verdicts(self, place, centre, access):
        assert self.store.verdicts(access, place).height >= 0

    def plan_meeting(self, place, centre, access):
        self.store.plan_meeting(access, centre, VISIT["on"], "board")

    def put_on_agenda(self, place, centre, access):
        self.store.put_on_agenda(access, self.made["put_on_agenda"], place, "what next?")

    def agenda(self, place, centre, access):
        return place in self.store.agenda(access, self.made["agenda"])["patient"]

    def decide(self, place, centre, access):
        self.store.decide(access, self.made["decide", place], "relapse", "d_pd", "D-Pd", "", ["all"])

    def decisions(self, place, centre, access):
        return self.made["decisions", place] in self.store.decisions(access)["id"]

    def invite(self, place, centre, access):
        self.store.invite(access, place, "follow_up")

    def invitations(self, place, centre, access):
        return self.made["invite", place] in self.store.invitations(access)["id"]

    def withdraw(self, place, centre, access):
        try:
            self.store.withdraw(access, self.made["invite", place], "withdrawn")
        except UsageError:
            return False

    def merge(self, place, centre, access):
        self.store.merge(access, place, f"merged-{place}", "same")

    def undo_merge(self, place, centre, access):
        self.store.undo(access, self.made["undo_merge", place], "not the same")

    def transfer(self, place, centre, access):
        self.store.transfer(access, f"transferred-{place}", AWAY[place], "moved house", "form")

    def rename(self, place, centre, access):
        self.store.rename(access, f"renamed-{place}", f"renamed-again-{place}", "number")

    def duplicates(self, place, centre, access):
        return f"twin-{place}" in self.store.duplicates(access)["patient"]

    def share(self, place, centre, access):
        self.store.share(access, place, AWAY[place], "consent form")

    def revoke(self, place, centre, access):
        try:
            self.store.revoke(access, self.made["revoke", place], "revoked")
        except UsageError:
            return False

    def export(self, place, centre, access):
        folder = self.folder / f"{access.roles[0]}-{place}"
        self.store.export(access, folder)
        return f"\n{place}," in (folder / "patients.csv").read_text(encoding="utf-8")

    def deidentified(self, place, centre, access):
        return 67.0 + 20 * list(PLACES).index(place) in self.store.deidentified(access, KEY).observations["value"]

    def count(self, place, centre, access):
        return centre in self.store.count(access, ["centre"])["centre"]

    def audit(self, place, centre, access):
        return place in self.store.export_audit(access)["patient"]


setattr(Ward, "import", Ward.do_import)


@pytest.mark.usefixtures("nothing_found")
def test_every_role_place_and_action(where, copied, tmp_path):
    with closing(Store(where)) as store:
        made = prepared(store)
    reach = {"o": ("own",), "s": ("own", "shared"), ".": ()}
    for role in ROLES:
        access = Access("user", [role], ["WH"])
        with closing(Store(copied(where))) as store:
            ward = Ward(store, made, tmp_path)
            found = {(role, line[0], place): ward.attempt(line[0], place, access) for line in LINES[1:] for place in PLACES}
        assert found == {(role, action, place): place in reach[EXPECTED[action, role]] for _, action, place in found}


def test_the_matrix_names_every_role_and_only_administrators_manage(store):
    assert tuple(LINES[0]) == tuple(ROLES)
    assert {role for rights in RIGHTS.values() for role in rights} == set(ROLES)
    for role in ROLES:
        access = Access("user", [role], ["WH"])
        if role == "administrator":
            store.set_user(access, "new", ["physician"], ["WH"])
            store.add_centre(access, "YA", ("Yan'an", "延安"))
            continue
        with pytest.raises(AccessError, match="may not manage"):
            store.set_user(access, "new", ["administrator"], ["WH"])
        with pytest.raises(AccessError, match="may not manage"):
            store.add_centre(access, "YB", ("Yibin", "宜宾"))
    assert store.access("new") == Access("new", ["physician"], ["WH"])
    store.set_user(ADMIN, "new", ["physician"], ["WH"], active=False)
    with pytest.raises(AccessError, match="not a user"):
        store.access("new")


def test_a_share_holds_from_its_consent_until_it_ends(store):
    store.import_chart(OTHER, small("P1", "XA"), "first")
    assert store.chart(LEAD).patients.is_empty()
    number = store.share(OTHER, "P1", "WH", "form 12")
    store.add(PHYSICIAN, "events", "P1", VISIT, "seen at Wuhan")
    assert store.chart(OTHER).events.height == 2
    assert store.shared(OTHER).select("patient", "home", "centre", "consent").rows() == [("P1", "XA", "WH", "form 12")]
    store.revoke(OTHER, number, "the patient wishes so")
    assert store.chart(LEAD).patients.is_empty()
    with pytest.raises(AccessError):
        store.patient(PHYSICIAN, "P1")
    store.share(OTHER, "P1", "WH", "form 13", until=datetime.now(UTC) - timedelta(days=1))
    assert store.chart(LEAD).patients.is_empty()
    with pytest.raises(UsageError, match="no centre"):
        store.share(OTHER, "P1", "QQ", "form")
    with pytest.raises(UsageError, match="consent"):
        store.share(OTHER, "P1", "WH", " ")


def test_nobody_reaches_into_a_centre_by_naming_it(store):
    store.import_chart(OTHER, small("P1", "XA"), "first")
    with pytest.raises(AccessError, match="no rights in centre 'XA'"):
        store.chart(LEAD, centres=["XA"])
    with pytest.raises(AccessError):
        store.patient(LEAD, "P1", "XA")
    done = store.import_chart(OTHER, small("P2", "XA"), "second")
    with pytest.raises(AccessError, match="centres in which wang may not undo"):
        store.undo(LEAD, done.change, "not mine")
    with pytest.raises(UsageError, match="centre"):
        Access("x", ["physician"], ["WH,XA"])
    with pytest.raises(UsageError, match="did you mean 'physician'"):
        Access("x", ["physican"], ["WH"])


def test_small_cells_are_masked_for_those_who_see_no_patient(store):
    people = pl.DataFrame({"patient": [f"P{i}" for i in range(20)], "centre": "WH", "sex": ["female"] * 17 + ["male"] * 3})
    store.import_chart(LEAD, Chart(people), "many")
    assert store.count(LEAD, ["sex"]).rows() == [("female", 17, False), ("male", 3, False)]
    assert store.count(ANALYST, ["sex"]).rows() == [("female", None, True), ("male", None, True)]
    assert store.count(ANALYST, ["sex"], smallest=1).rows() == [("female", None, True), ("male", None, True)]
    assert store.count(ANALYST).rows() == [(20, False)]
    with pytest.raises(UsageError, match="heavy_chain"):
        store.count(ANALYST, ["patient"])


def refused(store, centres, statement):
    """What the database says to a statement that goes round the store."""
    with pytest.raises(sa.exc.DBAPIError) as error, store._database.transaction(centres, write=True) as connection:
        connection.execute(sa.text(statement))
    return str(error.value.orig)


FORBIDDEN = [f"delete from {table}" for table in (*VERSIONS, "audit", "changes", "persons", "shares")]
FORBIDDEN += [f"update {table} set who = 'nobody'" for table in ("audit", "changes")]
FORBIDDEN += [f"update {table} set person = 2" for table in VERSIONS]


def test_the_database_itself_refuses_to_erase(store):
    store.import_chart(LEAD, small(), "first")
    store.import_chart(OTHER, small("P2", "XA"), "first")
    store.share(LEAD, "P1", "XA", "form")
    for statement in FORBIDDEN:
        said = refused(store, ["WH", "XA"], statement)
        assert "permission denied" in said or "here" in said or "a version stays" in said


def test_on_postgres_the_database_itself_shows_a_centre_its_own_patients_only(store):
    if not store._database.postgres:
        pytest.skip("SQLite has no second wall")
    store.import_chart(LEAD, small("P1", "WH"), "first")
    store.import_chart(OTHER, small("P2", "XA"), "first")
    third = Access("qian", ["centre_lead"], ["YC"])
    store.import_chart(third, small("P3", "YC"), "first")
    store.share(third, "P3", "WH", "form")

    def seen(centres, table):
        with store._database.transaction(centres) as connection:
            return connection.execute(sa.text(f"select distinct person from {table} order by person")).scalars().all()

    for table in VERSIONS:
        assert [seen(centres, table) for centres in ([], ["WH"], ["XA"], ["YC"], ["WH", "XA"])] == [[], [1, 3], [2], [3], [1, 2, 3]]
    insert = "insert into events (id, version, from_change, person, what) values (900, 1, 1, 2, 'vte')"
    assert "row-level security" in refused(store, ["WH"], insert)
    assert "row-level security" in refused(store, ["WH"], "insert into persons values (77, 'XA', 'P9')")
    assert "row-level security" in refused(store, ["WH"], "insert into shares values (9, 2, 'XA', 'WH', '2020', null, 'none')")
    assert "foreign key" in refused(store, ["WH"], "insert into shares values (9, 2, 'WH', 'WH', '2020', null, 'none')")
    with store._database.transaction(["WH"]) as connection:
        assert connection.execute(sa.text("update events set to_change = 99 where person = 2")).rowcount == 0
        assert connection.execute(sa.text("select current_user")).scalar_one() == "bence_app"
        owners = sa.text("select tableowner from pg_tables where schemaname = 'public'")
        assert "bence_app" not in connection.execute(owners).scalars().all()
    engine = store._database.engine
    with engine.connect() as connection:  # the wall stands for the owner of the tables, too
        forced = sa.text("select relname from pg_class where relrowsecurity and relforcerowsecurity")
        assert set(connection.execute(forced).scalars()) == {*VERSIONS, "persons", "shares", "findings", "refused_cells", *CLINICAL}


def test_two_users_of_one_connection_pool_never_see_with_the_eyes_of_the_other(store):
    store.import_chart(LEAD, small("P1", "WH"), "first")
    store.import_chart(OTHER, small("P2", "XA"), "first")
    for _ in range(3):
        assert store.chart(LEAD).patients["patient"].to_list() == ["P1"]
        assert store.chart(OTHER).patients["patient"].to_list() == ["P2"]


def test_data_entry_reads_what_it_enters(store):
    store.import_chart(ENTRY, small(), "first")
    assert store.patient(ENTRY, "P1").centre == "WH"


def test_a_store_is_opened_where_one_was_made(tmp_path):
    with pytest.raises(UsageError, match="bence registry init"):
        Store(tmp_path / "absent.db")
