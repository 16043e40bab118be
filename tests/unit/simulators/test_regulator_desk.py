"""The regulator's desk: signatures by the published vector, receipts, modes, a ledger that survives."""

import base64
import json
from http import HTTPStatus
from pathlib import Path

import pytest

from edge.clock_manual import ManualClock
from simulators.regulator.ledger import ConflictError, Ledger
from simulators.regulator.mode import ModeError, read_mode
from simulators.regulator.server import Desk
from simulators.regulator.signature import SignatureError, read_secret, sign, verify

#: The example of the Standard Webhooks reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
TOKEN = "control-token-of-the-test"


def headers(**changes: str) -> dict[str, str]:
    fresh = {"webhook-id": MESSAGE, "webhook-timestamp": STAMP, "webhook-signature": SIGNATURE}
    return fresh | {f"webhook-{name}": value for name, value in changes.items()}


def desk(tmp_path: Path) -> Desk:
    clock = ManualClock(start_ns=int(STAMP) * 1_000_000_000)
    return Desk(read_secret(SECRET), TOKEN, Ledger(tmp_path / "ledger.jsonl"), clock)


def signed(key: str, content: object) -> tuple[dict[str, str], bytes]:
    body = json.dumps(content).encode()
    return headers(id=key, signature=sign(read_secret(SECRET), key, STAMP, body)), body


def set_mode(at: Desk, **mode: object) -> None:
    status, _ = at.control(f"Bearer {TOKEN}", json.dumps(mode).encode())

    assert status == HTTPStatus.OK


def test_the_published_vector_is_signed_and_believed() -> None:
    assert sign(read_secret(SECRET), MESSAGE, STAMP, BODY) == SIGNATURE
    assert verify(read_secret(SECRET), headers(), BODY, int(STAMP)) == MESSAGE


def test_any_of_several_signatures_will_do() -> None:
    """While a secret is changed, the sender signs with both."""
    assert verify(read_secret(SECRET), headers(signature=f"v1,AAAA {SIGNATURE}"), BODY, int(STAMP)) == MESSAGE


@pytest.mark.parametrize(
    ("changes", "body", "off_s", "sentence"),
    [
        ({}, b'{"test": 2432232315}', 0, "No signature fits"),
        ({"id": "msg_other"}, BODY, 0, "No signature fits"),
        ({"timestamp": "1614265331"}, BODY, 0, "No signature fits"),
        ({"signature": SIGNATURE.replace("v1,", "v2,")}, BODY, 0, "No signature fits"),
        ({"signature": ""}, BODY, 0, "must all be there"),
        ({"timestamp": "1e9"}, BODY, 0, "not a number"),
        ({"timestamp": "١٦١"}, BODY, 0, "not a number"),
        ({}, BODY, 301, "more than 300 s off"),
        ({}, BODY, -301, "more than 300 s off"),
    ],
)
def test_anything_else_is_not_believed(changes: dict[str, str], body: bytes, off_s: int, sentence: str) -> None:
    with pytest.raises(SignatureError, match=sentence):
        verify(read_secret(SECRET), headers(**changes), body, int(STAMP) + off_s)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***", "whsec_AAAA"])
def test_a_bad_secret_is_refused(secret: str) -> None:
    with pytest.raises(SignatureError, match="secret"):
        read_secret(secret)


def test_a_notice_gets_a_receipt_and_the_same_one_again(tmp_path: Path) -> None:
    at = desk(tmp_path)
    first, again = at.receive(*signed("k1", {"a": 1})), at.receive(*signed("k1", {"a": 1}))

    assert first == again
    assert first is not None
    assert first[0] == HTTPStatus.OK
    assert set(first[1]) == {"receipt_id", "received_at", "key"}
    assert first[1]["received_at"] == "2021-02-25T15:02:10+00:00"
    listing = at.listing()
    assert listing["distinct"] == 1
    assert listing["notices"][0]["times"] == 2
    assert listing["counts"] == {"accepted": 1, "repeated": 1}


def test_a_known_key_with_another_body_is_a_conflict(tmp_path: Path) -> None:
    at = desk(tmp_path)
    at.receive(*signed("k1", {"a": 1}))
    answer = at.receive(*signed("k1", {"a": 2}))

    assert answer is not None
    assert answer[0] == HTTPStatus.CONFLICT
    assert at.listing()["notices"][0]["body"] == {"a": 1}


def test_an_unsigned_notice_leaves_no_trace(tmp_path: Path) -> None:
    at = desk(tmp_path)
    answer = at.receive(headers(id="k1"), b"{}")

    assert answer is not None
    assert answer[0] == HTTPStatus.UNAUTHORIZED
    assert not (tmp_path / "ledger.jsonl").exists()


def test_the_ledger_survives_a_restart(tmp_path: Path) -> None:
    before = desk(tmp_path)
    receipt = before.receive(*signed("k1", {"名": "储罐"}))
    before.receive(*signed("k1", {"名": "储罐"}))
    before.receive(*signed("k2", {}))
    after = desk(tmp_path)

    assert [(notice["key"], notice["times"]) for notice in after.listing()["notices"]] == [("k1", 2), ("k2", 1)]
    assert after.receive(*signed("k1", {"名": "储罐"})) == receipt


def test_a_torn_line_never_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.keep("k1", b"{}", "t")
    ledger.keep("k2", b"{}", "t")
    path.write_bytes(path.read_bytes()[:-9])
    again = Ledger(path)
    again.keep("k3", b"{}", "t")

    assert list(again.kept) == ["k1", "k3"]
    assert list(Ledger(path).kept) == ["k1", "k3"]


def test_the_ledger_refuses_a_conflict(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.keep("k", b"1", "t")

    with pytest.raises(ConflictError):
        ledger.keep("k", b"2", "t")


def test_down_answers_503_or_nothing(tmp_path: Path) -> None:
    at = desk(tmp_path)
    set_mode(at, mode="down")
    answer = at.receive(*signed("k1", {}))
    set_mode(at, mode="down", cuts=True)

    assert answer is not None
    assert answer[0] == HTTPStatus.SERVICE_UNAVAILABLE
    assert at.receive(*signed("k1", {})) is None
    assert at.listing()["distinct"] == 0


def test_picky_refuses_what_matches(tmp_path: Path) -> None:
    at = desk(tmp_path)
    set_mode(at, mode="picky", status=403, match={"tier": "RED"})
    refused, taken = at.receive(*signed("k1", {"tier": "RED"})), at.receive(*signed("k2", {"tier": "BLUE"}))

    assert refused is not None
    assert taken is not None
    assert (refused[0], taken[0]) == (403, HTTPStatus.OK)


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", TOKEN, f"bearer {TOKEN}", "Bearer é"])
def test_the_mode_needs_its_token(tmp_path: Path, authorization: str) -> None:
    at = desk(tmp_path)

    assert at.control(authorization, b'{"mode": "down"}')[0] == HTTPStatus.UNAUTHORIZED
    assert at.mode.name == "good"


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"mode": "x"},
        {"mode": "slow", "delay_s": -1},
        {"mode": "picky", "status": 200},
        {"mode": "good", "x": 1},
    ],
)
def test_an_impossible_mode_is_refused(content: object) -> None:
    with pytest.raises(ModeError):
        read_mode(content)


def test_a_short_token_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ModeError, match="16 characters"):
        Desk(base64.b64decode("AAAA"), "short", Ledger(tmp_path / "x"), ManualClock())
