"""Users: no default, no weak password, locks that grow, sessions that end."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Engine, create_engine, select

from edge.clock_manual import ManualClock
from gateway.auth import (
    FAILURES_MAX,
    LOCK_S,
    LOCK_S_MAX,
    SESSION_S,
    SESSIONS_MAX,
    Role,
    UserError,
    add_user,
    begin_attempt,
    disable_user,
    enable_user,
    find_session,
    finish_attempt,
    hash_password,
    list_users,
    lock_s,
    make_link,
    redeem_link,
    set_password,
    verify,
)
from gateway.store import schema

S = 1_000_000_000
PASSWORD = "correct horse battery"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_fresh_store_has_no_user(engine: Engine) -> None:
    assert list_users(engine) == []


def test_a_user_is_made_once_and_his_password_is_not_kept(engine: Engine, clock: ManualClock) -> None:
    add_user(engine, clock, "李工", "operator", PASSWORD)
    with pytest.raises(UserError, match="exists already"):
        add_user(engine, clock, "李工", "viewer", PASSWORD)
    with engine.connect() as connection:
        hashed = connection.execute(select(schema.user.c.password_hash)).scalar_one()

    assert [(user.name, user.role) for user in list_users(engine)] == [("李工", Role.OPERATOR)]
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "RFC 9106, its profile for little memory"
    assert PASSWORD not in hashed
    assert verify(hashed, PASSWORD)
    assert not verify(hashed, PASSWORD + " ")


@pytest.mark.parametrize(
    "password", ["", "short", "123456789", "aaaaaaaaaaaa", "abababababab", "x" * 257, "LiLiLiLiLi"]
)
def test_a_weak_password_is_refused(engine: Engine, clock: ManualClock, password: str) -> None:
    with pytest.raises(UserError, match="password"):
        add_user(engine, clock, "lililiLILI", "operator", password)

    assert list_users(engine) == []


@pytest.mark.parametrize("name", ["", " li", "li ", "l\ni", "l\u0000i", "x" * 65, "fengsui"])
def test_an_odd_name_is_refused(engine: Engine, clock: ManualClock, name: str) -> None:
    with pytest.raises(UserError, match="name"):
        add_user(engine, clock, name, "operator", PASSWORD)


def test_an_unknown_role_is_refused_with_the_roles(engine: Engine, clock: ManualClock) -> None:
    with pytest.raises(UserError, match="safety_officer"):
        add_user(engine, clock, "li", "root", PASSWORD)


def attempt(engine: Engine, clock: ManualClock, *, right: bool) -> str:
    """Try once: gives locked, wrong or in."""
    with engine.begin() as connection:
        hashed = begin_attempt(connection, "li", clock.wall_ns())
        if hashed is None:
            return "locked"
        if not right:
            return "wrong"
        finish_attempt(connection, "li", clock.wall_ns())
        return "in"


def test_five_failures_lock_and_each_further_five_for_twice_as_long(engine: Engine, clock: ManualClock) -> None:
    add_user(engine, clock, "li", "operator", PASSWORD)
    for doubling in range(3):
        told = [attempt(engine, clock, right=False) for _ in range(FAILURES_MAX)]
        assert told == ["wrong"] * FAILURES_MAX
        assert attempt(engine, clock, right=True) == "locked"
        clock.advance_ns((LOCK_S * 2**doubling) * S - 1)
        assert attempt(engine, clock, right=True) == "locked"
        clock.advance_ns(1)
    assert attempt(engine, clock, right=True) == "in"
    assert [attempt(engine, clock, right=False) for _ in range(4)] == ["wrong"] * 4
    assert attempt(engine, clock, right=True) == "in"


def test_a_lock_never_outlasts_a_shift() -> None:
    assert lock_s(FAILURES_MAX) == LOCK_S
    assert lock_s(FAILURES_MAX * 1000) == LOCK_S_MAX


def test_nobody_has_a_hash_that_no_password_fits(engine: Engine, clock: ManualClock) -> None:
    with engine.begin() as connection:
        hashed = begin_attempt(connection, "nobody", clock.wall_ns())

    assert hashed is not None
    assert not verify(hashed, PASSWORD)
    with pytest.raises(VerifyMismatchError):  # It is computed in full: to take less time would tell who exists.
        PasswordHasher().verify(hashed, PASSWORD)
    assert extract_parameters(hashed) == extract_parameters(hash_password(PASSWORD))
    assert not verify("", "")
    assert not verify("not a hash", PASSWORD)


def test_a_disabled_user_is_out_at_once_and_can_come_back(engine: Engine, clock: ManualClock) -> None:
    add_user(engine, clock, "li", "operator", PASSWORD)
    link = make_link(engine, "li", "operator", clock)
    with engine.begin() as connection:
        token = finish_attempt(connection, "li", clock.wall_ns())
        assert find_session(connection, token, clock.wall_ns()) is not None
    disable_user(engine, "li")
    with engine.begin() as connection:
        assert find_session(connection, token, clock.wall_ns()) is None
        assert redeem_link(connection, link, clock.wall_ns()) is None
        hashed = begin_attempt(connection, "li", clock.wall_ns())
        assert hashed is not None
        assert not verify(hashed, PASSWORD)
    with pytest.raises(UserError, match="disabled"):
        make_link(engine, "li", "operator", clock)
    enable_user(engine, "li")
    assert attempt(engine, clock, right=True) == "in"
    with pytest.raises(UserError, match="no user"):
        disable_user(engine, "wu")


def test_a_new_password_ends_all_sessions(engine: Engine, clock: ManualClock) -> None:
    add_user(engine, clock, "li", "operator", PASSWORD)
    with engine.begin() as connection:
        token = finish_attempt(connection, "li", clock.wall_ns())
    set_password(engine, "li", "another long one")
    with engine.begin() as connection:
        assert find_session(connection, token, clock.wall_ns()) is None


def test_a_link_makes_a_user_without_password_but_never_changes_a_role(engine: Engine, clock: ManualClock) -> None:
    token = make_link(engine, "demo", "operator", clock)
    with pytest.raises(UserError, match="is operator, not administrator"):
        make_link(engine, "demo", "administrator", clock)
    with engine.begin() as connection:
        found = redeem_link(connection, token, clock.wall_ns())
        assert found is not None
        assert found[0] == "demo"
        assert redeem_link(connection, token, clock.wall_ns()) is None
        user = find_session(connection, found[1], clock.wall_ns())
        hashed = begin_attempt(connection, "demo", clock.wall_ns())
    assert user is not None
    assert user.role is Role.OPERATOR
    assert hashed is not None
    assert not verify(hashed, "")


def test_sessions_end_and_do_not_pile_up(engine: Engine, clock: ManualClock) -> None:
    add_user(engine, clock, "li", "operator", PASSWORD)
    tokens = []
    for _ in range(SESSIONS_MAX + 5):
        clock.advance_ns(S)
        with engine.begin() as connection:
            tokens.append(finish_attempt(connection, "li", clock.wall_ns()))
    with engine.begin() as connection:
        alive = [find_session(connection, token, clock.wall_ns()) is not None for token in tokens]
        assert alive == [False] * 5 + [True] * SESSIONS_MAX
        clock.advance_ns(SESSION_S * S)
        assert find_session(connection, tokens[-1], clock.wall_ns()) is None
        finish_attempt(connection, "li", clock.wall_ns())
        assert len(connection.execute(select(schema.session)).all()) == 1
