"""Who may do what where: every role, every place of a patient, every action, on both databases; and the walls behind it."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import sqlalchemy as sa
from homes import ADMIN, ANALYST, ENTRY, HOMES, LEAD, OTHER, PHYSICIAN, small

from bence import Chart
from bence.errors import UsageError
from bence.registry import RIGHTS, ROLES, Access, AccessError, Store, kept_findings
from bence.registry.models import VERSIONS

CLINICAL = ("verdicts", "meetings", "agenda", "decisions", "invitations", "moves")
KEY = b"a secret of the tests only"
PLACES = {"own": "WH", "shared": "XA", "other": "YC"}  # the user's centre is WH; XA shares its patient with WH

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


class Ward:
    """A registry with a patient in each place, and what can be tried on them."""

    def __init__(self, store, tmp_path):
        self.store, self.tmp_path, self.n = store, tmp_path, 0
        self.lead = {centre: Access(f"lead-{centre}", ["centre_lead"], [centre]) for centre in HOMES}
        for i, (place, centre) in enumerate(PLACES.items()):
            own = (60.0 + 20 * i,)  # so that de-identified values tell the places apart
            store.import_chart(self.lead[centre], small(place, centre, own), place)
        self.shares = {}
        store.share(self.lead["XA"], "shared", "WH", "consent form, file 7")

    def attempt(self, action, place, access):
        """Was it allowed? Refused is refused by name, or the patient is not among what is given."""
        try:
            return getattr(self, action)(place, PLACES[place], access) is not False
        except AccessError:
            return False

    def row(self, place, table="observations"):
        return self.store.patient(self.lead[PLACES[place]], place).rows[table].row(0, named=True)

    def patient(self, place, centre, access):
        assert self.store.patient(access, place).chart.patients["patient"].to_list() == [place]

    def chart(self, place, centre, access):
        return place in self.store.chart(access).observations["patient"]

    def history(self, place, centre, access):
        return self.store.history(access, "observations", self.row(place)["id"]).height > 0

    def add(self, place, centre, access):
        self.store.add(access, "events", place, VISIT, "visit")

    def edit(self, place, centre, access):
        row = self.row(place)
        self.store.edit(access, "observations", row["id"], row["version"], {"value": row["value"] + 1}, "edit")

    def remove(self, place, centre, access):
        number = self.store.add(self.lead[centre], "events", place, VISIT, "to be removed")
        self.store.remove(access, "events", number, 1, "removed")

    def add_patient(self, place, centre, access):
        self.n += 1
        self.store.add_patient(access, f"new-{self.n}", centre, {"sex": "male"}, "new")

    def findings(self, place, centre, access):
        assert self.store.findings_for(access, place)["status"].height == 1

    def do_import(self, place, centre, access):
        self.n += 1
        return self.store.import_chart(access, small(f"new-{self.n}", centre), "import").counts["rejected"] == 0

    def undo(self, place, centre, access):
        self.n += 1
        done = self.store.import_chart(self.lead[centre], small(f"new-{self.n}", centre), "to be undone")
        self.store.undo(access, done.change, "undo")

    def undo_edit(self, place, centre, access):
        row = self.row(place)
        self.store.edit(self.lead[centre], "observations", row["id"], row["version"], {"value": row["value"] + 1}, "edit")
        changed = self.store.listed(self.lead[centre]).filter(pl.col("patient") == place)["change"][0]
        self.store.undo(access, changed, "undo")

    def judge(self, place, centre, access):
        self.store.judge(access, place, "iss", "II", "seen")

    def verdicts(self, place, centre, access):
        assert self.store.verdicts(access, place).height >= 0

    def plan_meeting(self, place, centre, access):
        self.store.plan_meeting(access, centre, VISIT["on"], "board")

    def item(self, place):
        """An item on the agenda of the user's own centre, put there by the lead of all centres while the patient was shared."""
        lead = Access("lead", ["centre_lead"], HOMES)
        meeting = self.store.plan_meeting(lead, "WH", VISIT["on"], "board")
        share = None if place == "own" else self.store.share(self.lead[PLACES[place]], place, "WH", "for this board")
        number = self.store.put_on_agenda(lead, meeting, place, "what next?")
        if share is not None:
            self.store.revoke(self.lead[PLACES[place]], share, "over")
        return meeting, number

    def put_on_agenda(self, place, centre, access):
        self.store.put_on_agenda(access, self.store.plan_meeting(self.lead["WH"], "WH", VISIT["on"], "board"), place, "what next?")

    def agenda(self, place, centre, access):
        return place in self.store.agenda(access, self.item(place)[0])["patient"]

    def decide(self, place, centre, access):
        self.store.decide(access, self.item(place)[1], "relapse", "d_pd", "D-Pd", "", ["all"])

    def decisions(self, place, centre, access):
        lead = Access("lead", ["centre_lead"], HOMES)
        meeting = self.store.plan_meeting(lead, centre, VISIT["on"], "board")
        item = self.store.put_on_agenda(lead, meeting, place, "what next?")
        self.store.decide(lead, item, "relapse", "d_pd", "D-Pd", "", ["all"])
        return place in self.store.decisions(access)["patient"]

    def invite(self, place, centre, access):
        self.store.invite(access, place, "follow_up")

    def invitations(self, place, centre, access):
        self.store.invite(self.lead[centre], place, "follow_up")
        return place in self.store.invitations(access)["patient"]

    def withdraw(self, place, centre, access):
        self.store.invite(self.lead[centre], place, "follow_up")
        try:
            self.store.withdraw(access, self.store.invitations(self.lead[centre])["id"][0], "withdrawn")
        except UsageError:
            return False

    def second(self, place, centre):
        """Another record beside that of the place."""
        self.n += 1
        self.store.import_chart(self.lead[centre], small(f"new-{self.n}", centre), "second record")
        return f"new-{self.n}"

    def merge(self, place, centre, access):
        self.store.merge(access, place, self.second(place, centre), "same")

    def undo_merge(self, place, centre, access):
        self.store.undo(access, self.store.merge(self.lead[centre], place, self.second(place, centre), "same"), "not the same")

    def transfer(self, place, centre, access):
        self.store.transfer(access, self.second(place, centre), "YC" if centre != "YC" else "XA", "moved house", "form")

    def rename(self, place, centre, access):
        self.store.rename(access, self.second(place, centre), f"renamed-{self.n}", "number")

    def duplicates(self, place, centre, access):
        self.n += 1
        names = [f"twin-{self.n}-{i}" for i in range(2)]
        for name in names:
            born = {"born_on": [f"19{10 + self.n % 80}-05-01"], "heavy_chain": ["igg"], "light_chain": ["kappa"]}
            self.store.import_chart(self.lead[centre], small(name, centre, **born), "twin")
        return names[0] in self.store.duplicates(access)["patient"]

    def share(self, place, centre, access):
        target = next(other for other in HOMES if other not in (centre, "WH")) if centre != "WH" else "YC"
        self.store.share(access, place, target, "consent form")

    def revoke(self, place, centre, access):
        target = "YC" if centre != "YC" else "XA"
        number = self.store.share(self.lead[centre], place, target, "consent form")
        try:
            self.store.revoke(access, number, "revoked")
        except UsageError:
            return False

    def export(self, place, centre, access):
        self.n += 1
        self.store.export(access, self.tmp_path / str(self.n))
        return f"\n{place}," in (self.tmp_path / str(self.n) / "patients.csv").read_text(encoding="utf-8")

    def deidentified(self, place, centre, access):
        row = self.row(place)
        return row["value"] in self.store.deidentified(access, KEY).observations["value"]

    def count(self, place, centre, access):
        return centre in self.store.count(access, ["centre"])["centre"]

    def audit(self, place, centre, access):
        return place in self.store.export_audit(access)["patient"]


setattr(Ward, "import", Ward.do_import)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_place_and_action(store, tmp_path, role, monkeypatch):
    monkeypatch.setattr(kept_findings, "assess", lambda *how: None)  # what is found is tested elsewhere
    monkeypatch.setattr(kept_findings, "tables_of", lambda found: {"status": pl.DataFrame({"patient": ["found"]})})
    ward, access = Ward(store, tmp_path), Access("user", [role], ["WH"])
    actions = [line[0] for line in LINES[1:]]
    found = {(action, place): ward.attempt(action, place, access) for action in actions for place in PLACES}
    reach = {"o": ("own",), "s": ("own", "shared"), ".": ()}
    assert found == {(action, place): place in reach[EXPECTED[action, role]] for action in actions for place in PLACES}


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
