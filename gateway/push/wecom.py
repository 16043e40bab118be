"""WeCom: the robot of a group.

Source: WeCom developer centre, 群机器人配置说明 (document 91770): ``POST /cgi-bin/webhook/send?key=…``; text of at most
    2,048 bytes with ``mentioned_mobile_list``, markdown of at most 4,096 bytes that can ring for nobody by his number;
    at most 20 messages a minute. Numbers of answers: 全局错误码 (document 90313).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from alerting.push.message import Message
from gateway.config import Reach
from gateway.push.robot import Asked, Codes, number

CODES: Final = Codes(
    good=frozenset({0}),
    throttled=frozenset({45009, 45033}),
    # A text that is too long, empty or of no known type; a parameter that is none.
    unwanted=frozenset({40058, 45002, 44004, 40008}),
)


class WeCom:
    """How WeCom's robots are spoken to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    @property
    def codes(self) -> Codes:
        """What its numbers mean."""
        return CODES

    def ask(self, text: str, message: Message, now_ns: int) -> Asked:  # noqa: ARG002 - nothing is signed
        """Write a request: text where people are named, markdown else."""
        body: dict[str, Any]
        if self._reach.mention:
            body = {"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": list(message.phones)}}
        else:
            body = {"msgtype": "markdown", "markdown": {"content": text}}
        return Asked(body=orjson.dumps(body), query={"key": self._reach.token})

    def answer(self, told: Mapping[str, Any]) -> tuple[int | None, str]:
        """Give the number and the words of an answer."""
        return number(told, "errcode"), str(told.get("errmsg", ""))
