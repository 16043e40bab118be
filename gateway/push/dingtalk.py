r"""DingTalk: the custom robot of a group.

Source: DingTalk open platform, 自定义机器人接入 and 自定义机器人安全设置: ``POST /robot/send?access_token=…`` with a
    message of type markdown; with a signature ``timestamp`` in ms and ``sign`` = base64 of HMAC-SHA256 by the secret
    over ``timestamp\nsecret``; who is rung for stands in ``at.atMobiles`` and as ``@number`` in the text. Numbers of
    answers: ibid., 错误码. 130101 is the older one for too many (nightingale, issue 369), 90030 the one of calls a day.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import orjson

from alerting.push.message import Message
from gateway.config import Reach
from gateway.push.robot import Asked, Codes, number

CODES: Final = Codes(
    good=frozenset({0}),
    throttled=frozenset({130101, 410100, 90030}),
    # A link, a text, a picture or content that is not suitable; a message that cannot be read.
    unwanted=frozenset({430101, 430102, 430103, 430104, 40035, 400105}),
)
TITLE_MAX: Final = 100  # characters; it is what a telephone shows of the message


class DingTalk:
    """How DingTalk's robots are spoken to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    @property
    def codes(self) -> Codes:
        """What its numbers mean."""
        return CODES

    def ask(self, text: str, message: Message, now_ns: int) -> Asked:
        """Write a request."""
        body = {
            "msgtype": "markdown",
            "markdown": {"title": message.title[:TITLE_MAX], "text": text},
            "at": {"atMobiles": list(message.phones), "isAtAll": False},
        }
        query = {"access_token": self._reach.token}
        if self._reach.sign_secret:
            query |= signed(self._reach.sign_secret, now_ns // 1_000_000)
        return Asked(body=orjson.dumps(body), query=query)

    def answer(self, told: Mapping[str, Any]) -> tuple[int | None, str]:
        """Give the number and the words of an answer."""
        return number(told, "errcode"), str(told.get("errmsg", ""))


def signed(secret: str, now_ms: int) -> dict[str, str]:
    """Give timestamp and signature, as the query has them before it is encoded."""
    text = f"{now_ms}\n{secret}".encode()
    sign = base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()
    return {"timestamp": str(now_ms), "sign": sign}
