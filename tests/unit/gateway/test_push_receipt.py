"""Receipts: what is an acknowledgement, what only looks like one, and answers that want to do harm."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert, select

from alerting.push.profile import Profile, ReceiptRule
from gateway.config import Destination
from gateway.push import acks, answers
from gateway.push.acks import Ack, Verdict
from gateway.push.answers import Said, What
from gateway.push.channel import Parcel, PushError
from gateway.push.counter import allot
from gateway.push.receipt import judge, read_answer
from gateway.store import schema

PARCEL = Parcel(key="k" * 32, chain="c", body=b"{}", reference="plant,k1,2026-01-01T08:00:00+08:00")
WHOLE = ReceiptRule(id="data.number", echo="data.key", code="code", ok=("0", "200"), refused=("500",))
GOOD = {"code": 0, "data": {"number": "R7", "key": "k" * 32}}

XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><id>&x;</id></a>'
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a><id>&d;</id></a>'
)
BLOW_UP = b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/x.dtd">%p;]><a><id>1</id></a>'


def believed(_: object) -> bool:
    return True


def doubted(_: object) -> bool:
    return False


def test_an_answer_with_all_that_was_agreed_upon_is_a_receipt() -> None:
    receipt = judge(WHOLE, PARCEL, 200, json.dumps(GOOD).encode(), doubted)
    assert (receipt.id, receipt.is_proof, receipt.status) == ("R7", True, 200)


@pytest.mark.parametrize(
    ("answer", "reason", "is_final"),
    [
        (b"OK", "no_receipt", False),  # a web server that answers 200 and forgets
        (b"", "no_receipt", False),
        (b'{"code": 0}', "receipt_of_another", False),
        (json.dumps(GOOD | {"code": 7}).encode(), "not_accepted", False),
        (json.dumps(GOOD | {"code": "500"}).encode(), "refused", True),
        (json.dumps(GOOD | {"data": {"number": "R7", "key": "other"}}).encode(), "receipt_of_another", False),
        (json.dumps(GOOD | {"data": {"key": "k" * 32}}).encode(), "no_receipt", False),
        (b"[" * 3000, "no_receipt", False),
        (XXE, "no_receipt", False),
        (LAUGHS, "no_receipt", False),
        (BLOW_UP, "no_receipt", False),
    ],
)
def test_what_is_no_receipt_blames_this_notice_alone(answer: bytes, reason: str, is_final: bool) -> None:
    with pytest.raises(PushError) as caught:
        judge(WHOLE, PARCEL, 200, answer, believed)
    assert (caught.value.reason, caught.value.retry, caught.value.is_final) == (reason, False, is_final)


def test_a_forged_answer_is_no_receipt() -> None:
    rule = ReceiptRule(id="receipt", is_signed=True)
    answer = b'{"receipt": "R1", "signature": "v1,x"}'
    assert judge(rule, PARCEL, 200, answer, believed).id == "R1"
    with pytest.raises(PushError, match="receipt_not_signed"):
        judge(rule, PARCEL, 200, answer, doubted)


def test_caps_own_acknowledgement_is_read() -> None:
    text = (
        '<?xml version="1.0"?><cap:alert xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2"><cap:identifier>A1'
        f"</cap:identifier><cap:msgType>Ack</cap:msgType><cap:references>{PARCEL.reference}</cap:references></cap:alert>"
    )
    rule = ReceiptRule(id="identifier", echo="references", code="msgType", ok=("Ack",), refused=("Error",))
    assert judge(rule, PARCEL, 200, text.encode(), doubted).id == "A1"
    with pytest.raises(PushError) as caught:
        judge(rule, PARCEL, 200, text.replace("Ack<", "Error<").encode(), doubted)
    assert caught.value.is_final
    with pytest.raises(PushError, match="receipt_of_another"):
        judge(rule, PARCEL, 200, text.replace("plant,k1", "plant,k2").encode(), doubted)


@pytest.mark.parametrize("answer", [XXE, LAUGHS, BLOW_UP, b"<a><b></a>", b"<" + b"a>" * 2000])
def test_xml_that_wants_to_do_harm_is_not_read_at_all(answer: bytes) -> None:
    assert read_answer(answer) is None


# ---- acknowledgements that come later


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as one:
        for key, destination, state in (("n1", "district", "waiting"), ("n2", "city", "waiting")):
            one.execute(
                insert(schema.outbox).values(
                    key=key, destination=destination, chain=f"chain {key}", event="e", nature="test", action="alert",
                    tier=3, is_late=False, created_ns=1, body="{}", state=state, attempts=1, next_ns=1, last_error="",
                    delivered_ns=0, receipt="", reference="plant,i1,t" if key == "n1" else "",
                )
            )  # fmt: skip
        yield one


def ack(key: str = "n1", *, is_refusal: bool = False) -> Ack:
    return Ack(key=key, id="R1", is_refusal=is_refusal, text="text")


def test_the_first_acknowledgement_counts_and_the_second_changes_nothing(connection: Connection) -> None:
    assert acks.put_ack(connection, "district", ack(), 5) == (Verdict.TAKEN, "chain n1")
    before = connection.execute(select(schema.outbox).where(schema.outbox.c.key == "n1")).one()
    assert acks.put_ack(connection, "district", ack(is_refusal=True), 9) == (Verdict.AGAIN, "chain n1")
    assert connection.execute(select(schema.outbox).where(schema.outbox.c.key == "n1")).one() == before
    told = [row.what for row in connection.execute(select(schema.push_answer))]
    assert told == ["receipt", "second_ack"]


def test_one_authority_cannot_acknowledge_what_another_was_told(connection: Connection) -> None:
    assert acks.put_ack(connection, "district", ack("n2"), 5) == (Verdict.UNKNOWN, "")
    assert acks.put_ack(connection, "district", ack("nothing"), 5) == (Verdict.UNKNOWN, "")
    assert acks.put_ack(connection, "district", ack("plant,i1,t"), 5)[0] is Verdict.TAKEN  # by CAP's reference


def test_an_acknowledgement_is_read_by_the_profiles_places() -> None:
    rule = ReceiptRule(by="later", id="no", echo="ref", code="result", ok=("1",), refused=("9",))
    to = Destination(id="d", url="", profile=Profile(id="p", receipt=rule))
    found = acks.read_ack(to, b'{"ref": "n1", "no": 17, "result": "1"}', doubted)
    assert isinstance(found, Ack)
    assert (found.key, found.id, found.is_refusal) == ("n1", "17", False)
    refusal = acks.read_ack(to, b'{"ref": "n1", "result": "9"}', doubted)
    assert isinstance(refusal, Ack)
    assert refusal.is_refusal
    assert acks.read_ack(to, b'{"ref": "n1", "result": "4"}', doubted) is Verdict.UNREADABLE
    assert acks.read_ack(to, b"hello", doubted) is Verdict.UNREADABLE
    signed = Destination(id="d", url="", profile=Profile(id="p", receipt=ReceiptRule(by="later", is_signed=True)))
    assert acks.read_ack(signed, b'{"key": "n1"}', doubted) is Verdict.FALSE


# ---- the chain of answers, the counter of identifiers


def test_an_answer_that_was_changed_or_dropped_is_found(connection: Connection) -> None:
    for n in range(5):
        answers.add(connection, n, f"n{n}", "district", Said(what=What.RECEIPT, status=200, text=f"R{n}"))
    assert list(answers.broken_at(connection)) == []
    table = schema.push_answer
    connection.execute(table.update().where(table.c.number == 3).values(text="R9"))
    assert list(answers.broken_at(connection)) == [3]
    connection.execute(table.delete().where(table.c.number == 2))
    assert 2 in answers.broken_at(connection)


def test_identifiers_come_ten_a_second_and_never_twice(connection: Connection) -> None:
    prefix, now_s = "32010100100000", 1_767_225_600
    told = [allot(connection, prefix, now_s) for _ in range(25)]
    assert len(set(told)) == 25
    assert all(len(one) == 31 for one in told)
    assert told[0] == "32010100100000_20260101080000_0"  # Beijing time
    assert told[10] == "32010100100000_20260101080001_0"
    assert allot(connection, prefix, now_s - 3600) not in told  # the clock was set back
    assert allot(connection, prefix, now_s + 60) == "32010100100000_20260101080100_0"
    assert allot(connection, "32010100100001", now_s) == "32010100100001_20260101080000_0"
