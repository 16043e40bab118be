r"""Feishu: the custom robot of a group.

Source: Feishu open platform, 自定义机器人使用指南: ``POST /open-apis/bot/v2/hook/…``, a body of at most 20 KB; with a
    signature ``timestamp`` in s and ``sign`` = base64 of HMAC-SHA256 over nothing by the key ``timestamp\nsecret``;
    people are rung for by ``<at user_id="open_id">``, never by a phone number; at most 100 messages a minute and 5 a
    second. Answers: ``code``, formerly ``StatusCode``; 9499 is said of too many and of a request that is wrong, by its
    words (nightingale, issue 1437, took it for a success).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import orjson

from alerting.push.message import Message
from gateway.config import Reach
from gateway.push.robot import Asked, Codes, number

CODES: Final = Codes(
    good=frozenset({0}),
    throttled=frozenset({11232}),
    throttled_words="too many",
    unwanted=frozenset({9499, 19002}),
)


class Feishu:
    """How Feishu's robots are spoken to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    @property
    def codes(self) -> Codes:
        """What its numbers mean."""
        return CODES

    def ask(self, text: str, message: Message, now_ns: int) -> Asked:
        """Write a request. What stands in the text rings for nobody: its angle brackets are escaped."""
        said = escape(text)
        reader = message.reader
        if self._reach.mention and reader.address:
            said += f"\n<at user_id={quoteattr(reader.address)}>{escape(reader.person)}</at>"
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": said}}
        if self._reach.sign_secret:
            body |= signed(self._reach.sign_secret, now_ns // 1_000_000_000)
        return Asked(body=orjson.dumps(body), path=self._reach.token)

    def answer(self, told: Mapping[str, Any]) -> tuple[int | None, str]:
        """Give the number and the words of an answer."""
        return number(told, "code", "StatusCode"), str(told.get("msg", told.get("StatusMessage", "")))


def signed(secret: str, now_s: int) -> dict[str, str]:
    """Give timestamp and signature, as the body has them."""
    key = f"{now_s}\n{secret}".encode()
    return {"timestamp": str(now_s), "sign": base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()}
