"""A questionnaire by a link that serves once: no name on it, answers checked, written into the chart by the home centre."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from homes import ADMIN, ENTRY, LEAD, OTHER, PHYSICIAN, small

from bence.catalogue import codes
from bence.errors import UsageError
from bence.registry import AccessError, Store
from bence.registry.forms import questionnaires

TODAY = datetime.now(UTC).date()
GIVEN = {"weight": "６１．５", "pain": 3, "infection_reported": "no", "tingling_reported": "2", "missed_doses": None}
SHUT = "does not open anything"


@pytest.fixture
def ward(store):
    store.import_chart(LEAD, small("P1"), "first")
    store.import_chart(OTHER, small("P2", "XA"), "first")
    return store


def test_the_answers_are_written_into_the_chart_and_the_link_is_used_up(ward):
    token = ward.invite(PHYSICIAN, "P1", "follow_up", lang="en")
    opened = ward.invitation(token)
    assert (opened.questionnaire.key, opened.lang) == ("follow_up", "en")
    ward.answer(token, GIVEN, TODAY)
    number = ward.invitations(LEAD)["id"][0]
    rows = ward.patient(LEAD, "P1").rows["observations"]
    mine = rows.filter(rows["source"] == f"questionnaire:{number}")
    assert sorted(mine.select("what", "value", "text", "unit", "who").rows()) == [
        ("infection_reported", None, "no", None, f"invitation {number}"),
        ("pain", 3.0, None, None, f"invitation {number}"),
        ("tingling_reported", 2.0, None, None, f"invitation {number}"),
        ("weight", 61.5, None, "kg", f"invitation {number}"),
    ]
    assert ward.invitations(LEAD, "P1").select("questionnaire", "lang", "who", "state").rows() == [("follow_up", "en", "li", "used")]
    for again in (lambda: ward.invitation(token), lambda: ward.answer(token, GIVEN, TODAY)):
        with pytest.raises(UsageError, match=SHUT):
            again()
    assert ward.patient(LEAD, "P1").rows["observations"].height == rows.height
    assert ward.verify(ADMIN).whole


def test_unknown_expired_used_and_withdrawn_say_one_and_the_same(ward):
    used, expired, withdrawn = (ward.invite(ENTRY, "P1", "follow_up") for _ in range(3))
    ward.answer(used, GIVEN, TODAY)
    ward.withdraw(LEAD, 3, "wrong patient")
    with ward._database.engine.connect().execution_options(bence_write=True) as owner:
        if not ward._database.postgres:
            owner.execute(sa.text("drop trigger invitations_kept"))
        owner.execute(sa.text("update invitations set expires = '2020' where id = 2"))
        owner.commit()
    said = set()
    for token in ("", "guess", used, expired, withdrawn):
        for attempt in (lambda: ward.invitation(token), lambda: ward.answer(token, GIVEN, TODAY)):  # noqa: B023
            with pytest.raises(UsageError) as refused:
                attempt()
            said.add(str(refused.value))
    assert len(said) == 1
    assert ward.invitations(LEAD).select("id", "state").rows() == [(3, "withdrawn"), (2, "expired"), (1, "used")]
    with pytest.raises(UsageError, match="no open invitation 3"):
        ward.withdraw(LEAD, 3, "again")


def test_only_a_hash_of_the_token_is_kept_and_no_name_is_told(ward):
    token = ward.invite(PHYSICIAN, "P1", "follow_up")
    with ward._database.everywhere() as connection:
        kept = str(connection.execute(sa.text("select * from invitations")).all()) + str(
            connection.execute(sa.text("select detail from audit")).all()
        )
    assert token not in kept
    assert len(token) >= 43  # 256 bits
    assert "P1" not in str(ward.invitation(token))
    assert token != ward.invite(PHYSICIAN, "P1", "follow_up")


def test_on_postgres_a_token_shows_its_own_invitation_and_nothing_else(ward):
    if not ward._database.postgres:
        pytest.skip("SQLite has no second wall")
    ward.invite(PHYSICIAN, "P1", "follow_up")
    ward.invite(OTHER, "P2", "follow_up")
    with ward._database.transaction() as connection:
        digest = connection.execute(sa.text("select set_config('app.token', '', true)")).scalar_one()
        assert connection.execute(sa.text("select count(*) from invitations")).scalar_one() == 0
    with ward._database.everywhere() as connection:
        digest = connection.execute(sa.text("select hash from invitations where id = 2")).scalar_one()
    with ward._database.transaction() as connection:
        connection.execute(sa.text("select set_config('app.token', :digest, true)"), {"digest": digest})
        assert connection.execute(sa.text("select id from invitations")).scalars().all() == [2]
        assert connection.execute(sa.text("select count(*) from persons")).scalar_one() == 0
        assert connection.execute(sa.text("update invitations set used_at = 'x'")).rowcount == 0


WRONG = [
    ({"wieght": 61}, "did you mean 'weight'"),
    ({"weight": "much"}, "weight: 'much' is not possible; expected a number from 20 to 350 kg"),
    ({"weight": 400}, "not possible"),
    ({"weight": "nan"}, "not possible"),
    ({"pain": 11}, "none of the answers"),
    ({"pain": 2.5}, "none of the answers"),
    ({"infection_reported": "maybe"}, "none of the answers; expected no, yes"),
    ({}, "nothing was answered"),
    ({"weight": " ", "pain": None}, "nothing was answered"),
]


def test_what_is_no_answer_is_told_and_the_link_stays_open(ward):
    token = ward.invite(PHYSICIAN, "P1", "follow_up")
    for answers, said in WRONG:
        with pytest.raises(UsageError, match=said):
            ward.answer(token, answers, TODAY)
    for day in (TODAY - timedelta(days=3), TODAY + timedelta(days=3)):
        with pytest.raises(UsageError, match="not a day of this invitation"):
            ward.answer(token, GIVEN, day)
    assert ward.patient(LEAD, "P1").rows["observations"].height == 2
    ward.answer(token, GIVEN, TODAY)
    for wrong, said in (({"questionnaire": "followup"}, "did you mean"), ({"days": 0}, "0 days"), ({"lang": "fr"}, "'fr'")):
        with pytest.raises(UsageError, match=said):
            ward.invite(PHYSICIAN, "P1", **({"questionnaire": "follow_up"} | wrong))
    with pytest.raises(AccessError):
        ward.invite(PHYSICIAN, "P2", "follow_up")


def test_the_answers_follow_a_patient_who_moved(ward):
    token = ward.invite(PHYSICIAN, "P1", "follow_up")
    ward.transfer(LEAD, "P1", "XA", "moved house", "form 9")
    ward.answer(token, {"weight": 60}, TODAY)
    assert 60.0 in ward.patient(OTHER, "P1").chart.observations["value"]
    other = ward.invite(OTHER, "P2", "follow_up")
    ward.merge(OTHER, "P1", "P2", "same identity card")
    ward.answer(other, {"weight": 59}, TODAY)
    assert 59.0 in ward.patient(OTHER, "P1").chart.observations["value"]


def test_a_patient_who_is_no_longer_there_answers_nothing(ward):
    token = ward.invite(PHYSICIAN, "P1", "follow_up")
    ward.undo(LEAD, 1, "wrong file")
    with pytest.raises(UsageError):
        ward.answer(token, GIVEN, TODAY)
    assert ward.chart(LEAD).observations.is_empty()


def test_what_is_shipped_is_in_both_languages_and_of_no_published_instrument():
    for form in questionnaires().values():
        assert all(form.words)
        for item in form.items:
            assert all(item.words)
            assert not item.code.startswith(("qlq_", "eq5d_"))
            assert item.code in codes()
            assert all(all(choice.words) for choice in item.choices)


LICENSED = """
en = "QLQ-C30"
zh = "QLQ-C30"
[[item]]
code = "qlq_c30_1"
en = "as licensed"
zh = "授权文本"
answers = "1-4"
[[item]]
code = "eq5d_mobility"
en = "as licensed"
zh = "授权文本"
answers = "1-5"
"""


def test_a_centre_brings_licensed_wording_in_a_folder_of_its_own(ward, tmp_path, where):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "quality.toml").write_text(LICENSED, encoding="utf-8")
    store = Store(where, questionnaires=folder)
    assert set(store.questionnaires()) == {"follow_up", "quality"}
    store.answer(store.invite(PHYSICIAN, "P1", "quality"), {"qlq_c30_1": "4", "eq5d_mobility": 5}, TODAY)
    kept = store.patient(LEAD, "P1").chart.observations
    assert sorted(kept.filter(kept["on"] == TODAY).select("what", "value").rows()) == [("eq5d_mobility", 5.0), ("qlq_c30_1", 4.0)]
    store.close()


FAULTY = [
    ("quality.toml", LICENSED.replace("qlq_c30_1", "qlq_c30_01"), "quality.toml: .*did you mean 'qlq_c30_1"),
    ("quality.toml", LICENSED.replace("1-4", "1-5"), "qlq_c30_1 is never '5'"),
    ("quality.toml", LICENSED.replace('zh = "授权文本"', "", 1), "zh is missing"),
    ("quality.toml", LICENSED.replace("eq5d_mobility", "qlq_c30_1"), "asked twice|never"),
    ("quality.toml", "en = ", "not TOML"),
    ("quality.toml", 'en = "x"\nzh = "x"\n[[item]]\ncode = "weight"\nunit = "lb"\nen = "x"\nzh = "x"', "the unit 'kg'"),
    ("quality.toml", 'en = "x"\nzh = "x"\n[[item]]\ncode = "infection_reported"\nen = "x"\nzh = "x"', "not a number"),
    ("follow_up.toml", LICENSED, "already"),
]


@pytest.mark.parametrize(("name", "text", "said"), FAULTY)
def test_a_faulty_file_is_told(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        questionnaires(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        questionnaires(tmp_path / "absent")
