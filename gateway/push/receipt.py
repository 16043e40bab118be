"""Receipt: whether an answer is the authority's acknowledgement.

Flow: answer -> [read, judge] -> receipt, or an error that says whether the destination or this notice is the trouble
Why: a status of 200 is a promise of the web server, not of the authority. Where a profile knows what an acknowledgement
    holds, an answer without it is none.
Never: reads XML that declares a document type or an entity, or JSON that is too deep or too long to be an answer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from alerting.push.mapped import take
from alerting.push.profile import ReceiptRule
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.xml_answer import read_xml

ANSWER_MAX: Final = 4096
ID_MAX: Final = 128
_DEPTH_MAX: Final = 16


def read_answer(answer: bytes) -> Mapping[str, Any] | None:
    """Read an answer, JSON or XML; None where it is neither, is no object, or is not safe to read.

    Of XML the children of the root, by their names without namespace: CAP's own acknowledgement has all it says there
    (CAP 1.2, §3.2.1, ``msgType`` Ack and Error).
    """
    text = answer.strip()
    if len(text) > ANSWER_MAX:
        return None
    if text.startswith(b"<"):
        return read_xml(text)
    if text.count(b"{") + text.count(b"[") > _DEPTH_MAX * 4:
        return None
    try:
        told: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def judge(
    rule: ReceiptRule, parcel: Parcel, status: int, answer: bytes, believes: Callable[[Mapping[str, Any]], bool]
) -> Receipt:
    """Give the receipt that an answer is.

    Args:
        status: Of the transport, 0 where it has none.
        believes: Tells whether an answer carries a signature that we know.

    Raises:
        PushError: It is none. Only this notice is blamed: what an authority says of one says nothing of the next.
    """
    text = answer.decode("utf-8", "replace")[:ANSWER_MAX]
    if rule.by != "answer":
        return Receipt(status=status, answer=text, is_proof=False)
    if not (rule.id or rule.echo or rule.code or rule.is_signed):
        return Receipt(status=status, answer=text)
    told = read_answer(answer)
    if told is None:
        raise PushError(retry=False, reason="no_receipt", detail=text[:300])
    if rule.is_signed and not believes(told):
        raise PushError(retry=False, reason="receipt_not_signed", detail=text[:300])
    if rule.code:
        code = _word(take(told, rule.code))
        if code in rule.refused:
            raise PushError(retry=False, reason="refused", detail=f"{code}: {text[:280]}", is_final=True)
        if code not in rule.ok:
            raise PushError(retry=False, reason="not_accepted", detail=f"{code or '-'}: {text[:280]}")
    if rule.echo and not echoes(_word(take(told, rule.echo)), parcel):
        raise PushError(retry=False, reason="receipt_of_another", detail=text[:300])
    found = _word(take(told, rule.id)) if rule.id else ""
    if rule.id and not found:
        raise PushError(retry=False, reason="no_receipt", detail=text[:300])
    return Receipt(status=status, id=found[:ID_MAX], answer=text)


def echoes(word: str, parcel: Parcel) -> bool:
    """Tell whether an answer names the notice: by its key, or as CAP's ``references`` does."""
    return bool(word) and (word == parcel.key or bool(parcel.reference and parcel.reference in word.split()))


def _word(found: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""
