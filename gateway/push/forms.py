"""Forms: what the messages of each kind of channel look like and how often it may be used, by its vendor's words."""

import json
from typing import Final

from alerting.push.message import Form
from alerting.push.quota import Limit
from gateway.config import ChannelKind, Reach

#: DingTalk, 自定义机器人接入: at most 20 messages a minute and robot, or it is silent for 10 minutes. The limit of
#: 20,000 bytes is of the whole request (prometheus-webhook-dingtalk, issue 30); the rest is left for what is around.
DINGTALK_LIMITS: Final = (Limit(most=20, window_s=60.0),)
DINGTALK_BYTES: Final = 19_000

LIMITS: Final[dict[ChannelKind, tuple[Limit, ...]]] = {"webhook": (), "dingtalk": DINGTALK_LIMITS}


def json_bytes(text: str) -> int:
    """Count the bytes of a text in JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def form_of(reach: Reach) -> Form | None:
    """Give the form of a channel's messages; None where each call goes as it is."""
    match reach.kind:
        case "webhook":
            return None
        case "dingtalk":
            return Form(
                markup="markdown",
                tongue=reach.tongue,
                size_max=DINGTALK_BYTES,
                measure=json_bytes,
                keyword=reach.keyword,
                mention=reach.mention,
            )
