"""Passwords and sessions, on both databases: what is let in, what is refused, and that a refusal tells nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from homes import ADMIN, HOMES, LEAD, OTHER, small

from bence.errors import UsageError
from bence.registry import AccessError, SignInError, accounts, clock, sessions

PASSWORD = "correct horse battery"


@pytest.fixture
def ward(store):
    store.set_user(ADMIN, "wang", ["centre_lead"], ["WH"])
    store.set_password(LEAD, "wang", PASSWORD)
    return store


def test_a_session_is_its_user(ward):
    session = ward.session(ward.sign_in("wang", PASSWORD, "10.0.0.1"))
    assert session.access == LEAD
    assert len(session.csrf) >= 24
    assert not session.must_change


def test_neither_password_nor_token_is_kept(ward):
    token = ward.sign_in("wang", PASSWORD, "10.0.0.1")
    with ward._database.transaction() as connection:
        kept = [str(row) for table in ("users", "sessions") for row in connection.exec_driver_sql(f"select * from {table}")]
    assert not any(PASSWORD in row or token in row for row in kept)


def test_after_sign_out_the_token_is_worth_nothing(ward):
    token = ward.sign_in("wang", PASSWORD, "10.0.0.1")
    ward.sign_out(token)
    with pytest.raises(AccessError):
        ward.session(token)


def test_all_sessions_of_a_user_can_be_ended(ward):
    tokens = [ward.sign_in("wang", PASSWORD, "10.0.0.1") for _ in range(2)]
    with pytest.raises(AccessError):
        ward.end_sessions(OTHER, "wang")
    ward.end_sessions(ADMIN, "wang")
    for token in tokens:
        with pytest.raises(AccessError):
            ward.session(token)


@pytest.mark.parametrize(("column", "age"), [("seen", sessions.IDLE), ("since", sessions.LONGEST)])
def test_an_idle_and_an_old_session_end(ward, monkeypatch, column, age):
    token = ward.sign_in("wang", PASSWORD, "10.0.0.1")
    ward.session(token)
    later = datetime.now(UTC) + age + timedelta(seconds=1)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return later

    monkeypatch.setattr(sessions, "datetime", Later)
    if column == "since":  # used to the last minute
        monkeypatch.setattr(sessions, "IDLE", 2 * age)
    with pytest.raises(AccessError):
        ward.session(token)


def test_a_user_who_was_barred_is_out_at_once(ward):
    token = ward.sign_in("wang", PASSWORD, "10.0.0.1")
    ward.set_user(ADMIN, "wang", ["centre_lead"], ["WH"], active=False)
    with pytest.raises(AccessError):
        ward.session(token)
    with pytest.raises(SignInError):
        ward.sign_in("wang", PASSWORD, "10.0.0.1")


def test_rights_that_change_change_in_running_sessions(ward):
    token = ward.sign_in("wang", PASSWORD, "10.0.0.1")
    ward.set_user(ADMIN, "wang", ["physician"], ["XA"])
    assert ward.session(token).access.centres == ("XA",)


def test_too_many_failures_shut_an_account_for_everybody_and_the_answer_is_the_same(ward):
    messages = set()
    for _ in range(accounts.PER_ACCOUNT):
        with pytest.raises(SignInError) as refused:
            ward.sign_in("wang", "wrong", "10.0.0.1")
        messages.add(refused.value.message)
    with pytest.raises(SignInError) as refused:
        ward.sign_in("WANG".lower(), PASSWORD, "10.0.0.2")  # right, but shut
    messages.add(refused.value.message)
    with pytest.raises(SignInError) as refused:
        ward.sign_in("nobody", PASSWORD, "10.0.0.1")
    assert {refused.value.message} == messages


def test_the_failures_are_forgotten_after_the_window(ward, monkeypatch):
    for _ in range(accounts.PER_ACCOUNT):
        with pytest.raises(SignInError):
            ward.sign_in("wang", "wrong", "10.0.0.1")
    past = (datetime.now(UTC) - accounts.WINDOW - timedelta(minutes=1)).strftime(clock.FORM)
    with ward._database.engine.begin() as connection:
        connection.exec_driver_sql(f"update attempts set at = '{past}'")
    ward.sign_in("wang", PASSWORD, "10.0.0.1")


def test_success_does_not_count_as_a_failure(ward):
    for _ in range(accounts.PER_ACCOUNT + 2):
        ward.sign_in("wang", PASSWORD, "10.0.0.1")


def test_many_names_from_one_address_are_stopped(ward, monkeypatch):
    monkeypatch.setattr(accounts, "PER_ADDRESS", 3)
    for n in range(3):
        with pytest.raises(SignInError):
            ward.sign_in(f"guess{n}", "wrong", "10.0.0.9")
    with pytest.raises(SignInError):
        ward.sign_in("wang", PASSWORD, "10.0.0.9")
    ward.sign_in("wang", PASSWORD, "10.0.0.1")


def test_an_account_without_password_cannot_sign_in(ward):
    ward.set_user(ADMIN, "li", ["physician"], ["WH"])
    for tried in ("", "None"):
        with pytest.raises(SignInError):
            ward.sign_in("li", tried, "10.0.0.1")


@pytest.mark.parametrize("new", ["short", "x" * 201, "wang.wang.wang"])
def test_a_poor_password_is_refused(ward, new):
    ward.set_user(ADMIN, "wang.wang.wang", ["physician"], ["WH"])
    with pytest.raises(UsageError):
        ward.set_password(ADMIN, "wang.wang.wang", new)


def test_ones_own_password_needs_the_old_one(ward):
    with pytest.raises(SignInError):
        ward.set_password(LEAD, "wang", "another long one", "wrong")
    ward.set_password(LEAD, "wang", "another long one", PASSWORD)
    ward.sign_in("wang", "another long one", "10.0.0.1")


def test_a_password_set_by_another_must_be_changed(ward):
    with pytest.raises(AccessError):
        ward.set_password(OTHER, "wang", "taken over by zhao")
    ward.set_password(ADMIN, "wang", "given by the administrator")
    assert ward.session(ward.sign_in("wang", "given by the administrator", "a")).must_change
    ward.set_password(LEAD, "wang", "chosen by wang herself", "given by the administrator")
    assert not ward.session(ward.sign_in("wang", "chosen by wang herself", "a")).must_change


def test_listed_are_those_within_reach_with_their_last_change(store):
    first = store.import_chart(LEAD, small("P1"), "first").change
    store.import_chart(OTHER, small("P2", "XA"), "other")
    assert store.listed(LEAD).select("patient", "centre", "change").rows() == [("P1", "WH", first)]
    number = store.listed(LEAD)["person"][0]
    row = store.patient(LEAD, "P1").rows["observations"].row(0, named=True)
    store.edit(LEAD, "observations", row["id"], row["version"], {"value": 99.0}, "typed wrongly")
    assert store.person(LEAD, number).change == first + 2
    assert store.listed(LEAD)["change"][0] == first + 2
    with pytest.raises(AccessError):
        store.person(OTHER, number)


def test_the_secret_is_of_this_registry(store):
    assert len(store.secret("handles")) == 32
    assert set(store.centres()) == set(HOMES)
