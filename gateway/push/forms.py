"""Forms: what the messages of each kind of channel look like and how often it may be used, by its vendor's words."""

import json
import re
from dataclasses import replace
from typing import Final
from xml.sax.saxutils import escape

from alerting.push.message import Form
from alerting.push.quota import Limit
from gateway.config import ChannelKind, Reach

#: Stands in the address of a service for the one who is called.
PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

#: DingTalk, 自定义机器人接入: at most 20 messages a minute and robot, or it is silent for 10 minutes. The limit of
#: 20,000 bytes is of the whole request (prometheus-webhook-dingtalk, issue 30); the rest is left for what is around.
DINGTALK_LIMITS: Final = (Limit(most=20, window_s=60.0),)
DINGTALK_BYTES: Final = 19_000

#: WeCom, 群机器人配置说明 (document 91770): 20 a minute; a text of 2,048 bytes, or markdown of 4,096.
WECOM_LIMITS: Final = (Limit(most=20, window_s=60.0),)
WECOM_TEXT_BYTES, WECOM_MARKDOWN_BYTES = 2048, 4096
#: Feishu, 自定义机器人使用指南: 100 a minute and 5 a second; a request of 20 KB.
FEISHU_LIMITS: Final = (Limit(most=100, window_s=60.0), Limit(most=5, window_s=1.0))
FEISHU_BYTES: Final = 19_000

#: A gateway's own limit is its contract's; this keeps a flood from the bill.
SMS_LIMITS: Final = (Limit(most=30, window_s=60.0),)

#: Mail servers of a plant and of providers differ; this keeps a flood from the mail box.
MAIL_LIMITS: Final = (Limit(most=30, window_s=60.0),)
MAIL_BYTES: Final = 60_000
#: ntfy.sh, "Limitations": one message in 5 s once the first 60 are spent.
APPRISE_LIMITS: Final = (Limit(most=12, window_s=60.0),)
#: A modem takes 3 to 5 s for a segment, and a text has some; networks bar cards that send like machines.
MODEM_LIMITS: Final = (Limit(most=10, window_s=60.0),)
#: A board shows one line after the other; a program that takes JSON keeps up by itself.
PANEL_LIMITS: Final = (Limit(most=60, window_s=60.0),)

LIMITS: Final[dict[ChannelKind, tuple[Limit, ...]]] = {
    "webhook": (),
    "dingtalk": DINGTALK_LIMITS,
    "wecom": WECOM_LIMITS,
    "feishu": FEISHU_LIMITS,
    "sms": SMS_LIMITS,
    "mail": MAIL_LIMITS,
    "apprise": APPRISE_LIMITS,
    "mqtt": PANEL_LIMITS,
    "modem": MODEM_LIMITS,
}


def utf16_units(text: str) -> int:
    """Count a text as short messages do that are not in the GSM alphabet (3GPP TS 23.040, 9.2.3.16)."""
    return len(text.encode("utf-16-be")) // 2


def utf8_bytes(text: str) -> int:
    """Count the bytes of a text."""
    return len(text.encode())


def escaped_bytes(text: str) -> int:
    """Count the bytes of a text in JSON with its angle brackets escaped."""
    return json_bytes(escape(text))


def json_bytes(text: str) -> int:
    """Count the bytes of a text in JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def is_for_one(topic: str) -> bool:
    """Tell whether a topic is another one for each person."""
    return any(word in ("person", "address") for word in PLACEHOLDER.findall(topic))


def form_of(reach: Reach, topic: str = "") -> Form | None:
    """Give the form of a channel's messages, with the words of the site's own; None where each call goes as it is.

    Args:
        topic: Where a channel by MQTT publishes.
    """
    form = _usual_form(reach, topic)
    return None if form is None else replace(form, template=reach.template)


def _usual_form(reach: Reach, topic: str) -> Form | None:
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
        case "wecom":
            is_text = reach.mention  # Markdown cannot ring for anybody by his number.
            return Form(
                markup="plain" if is_text else "markdown",
                tongue=reach.tongue,
                size_max=WECOM_TEXT_BYTES if is_text else WECOM_MARKDOWN_BYTES,
                measure=utf8_bytes,
                keyword=reach.keyword,
                mention=is_text,
                is_number_in_text=False,
            )
        case "feishu":
            return Form(
                markup="plain",
                tongue=reach.tongue,
                size_max=FEISHU_BYTES,
                measure=escaped_bytes,
                keyword=reach.keyword,
            )
        case "sms" | "mail" | "apprise" | "mqtt" | "modem":
            return _plain_form(reach, topic)


def _plain_form(reach: Reach, topic: str) -> Form | None:
    """Give the form of what is read as it is, without any markup."""
    one = Form(
        markup="plain",
        tongue=reach.tongue,
        size_max=reach.characters,
        measure=utf16_units,
        keyword=reach.keyword,
        is_by_person=True,
    )
    match reach.kind:
        case "mqtt":
            return None if reach.payload == "json" else replace(one, is_by_person=is_for_one(topic))
        case "mail":
            return replace(one, size_max=MAIL_BYTES, measure=utf8_bytes)
        case "apprise":
            return replace(one, measure=utf8_bytes, is_by_person=bool(PLACEHOLDER.search(reach.address)))
        case _:
            return one
