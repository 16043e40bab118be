"""Channels: what ``[[channel]]`` says of the ways by which people are called.

Why: a robot without its token, a fallback that leads back, two channels behind one robot: each would be found out in
    the night on which it counts.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Literal, cast

from alerting.push.message import TONGUES, Tongue
from alerting.push.profile import PLAIN
from alerting.push.quota import MOST_LEAST, Limit
from alerting.push.template import Template
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.config import CHANNEL_KINDS, ChannelKind, Destination, Reach
from gateway.load.destination import check_url, read_natures, read_signing_secret
from gateway.load.mail import read_address, read_mail
from gateway.load.message import read_messages
from gateway.load.modem import read_modem
from gateway.load.panel import read_panel, read_payload
from gateway.load.sms import read_sms
from gateway.push.forms import LIMITS

FALLBACK: Final = Span(least=10, most=3600)
TIMEOUT: Final = Span(least=0.1, most=120)
#: A mail server looks at who comes before it answers.
TIMEOUT_S: Final[Mapping[ChannelKind, float]] = {"mail": 30.0}
MINUTE_S: Final = 60.0
#: Of one short message: one segment in Chinese, to what gateways of mainland China take.
CHARACTERS: Final = (70, 1000)
FREE_MOST: Final = 6_000  # a minute
KEYWORD_MAX: Final = 20  # characters; DingTalk allows 10 words of 10 or so

#: Where a vendor's robots are, where the site file does not say otherwise.
URLS: Final[Mapping[ChannelKind, str]] = {
    "dingtalk": "https://oapi.dingtalk.com/robot/send",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook",
}
_ROBOT_KEYS: Final = ("message", "token_env", "token_file", "language", "keyword", "mention", "per_minute")
_SMS_KEYS: Final = (
    "message", "token_env", "token_file", "language", "keyword", "per_minute", "content", "fields", "headers", "code",
    "ok", "throttled", "refused", "characters",
)  # fmt: skip
#: Keys of each kind beside those that every channel has.
_KEYS_OF_KIND: Final[Mapping[ChannelKind, tuple[str, ...]]] = {
    "webhook": (),
    "dingtalk": _ROBOT_KEYS,
    "wecom": _ROBOT_KEYS,
    "feishu": _ROBOT_KEYS,
    "sms": _SMS_KEYS,
    "mail": (
        "language",
        "per_minute",
        "host",
        "port",
        "security",
        "username",
        "password_env",
        "password_file",
        "from",
        "to",
    ),
    "modem": (
        "language",
        "keyword",
        "per_minute",
        "characters",
        "serial",
        "baudrate",
        "pin_env",
        "pin_file",
        "centre",
        "report",
    ),
    "mqtt": (
        "language",
        "per_minute",
        "characters",
        "host",
        "port",
        "also",
        "version",
        "client_id",
        "username",
        "password_env",
        "password_file",
        "keepalive_s",
        "tls",
        "ca_file",
        "cert_file",
        "key_file",
        "server_name",
        "topic",
        "payload",
    ),
    "apprise": ("message", "language", "keyword", "per_minute", "characters", "url_env", "url_file"),
}
#: Kinds whose address is a URL in the site file, and kinds that a token opens.
_BY_URL: Final = ("webhook", "dingtalk", "wecom", "feishu", "sms")
_ROBOTS: Final = ("dingtalk", "wecom", "feishu")
#: Kinds with no limit of a vendor: the site file may allow more than is usual.
_FREE: Final = ("sms", "mail", "apprise", "mqtt", "modem")
#: What opens a robot, as vendors write it into the address.
_TOKEN_WORDS: Final = ("access_token=", "key=", "token=", "/hook/")


def read_channels(root: Entry, taken: Collection[str], site: str) -> list[Destination]:
    """Read the ways by which people are called.

    Args:
        taken: Ids of the authorities, which share the outbox.
        site: Id of the site, in the name by which brokers know us.
    """
    messages = read_messages(root.sections("message", "Message"))
    found: dict[str, Destination] = {}
    places: dict[str, Entry] = {}
    for entry in root.sections("channel", "Channel"):
        entry.refuse_unknown(keys_of("channel"))
        channel = _read(entry, site, messages)
        if channel.id and (channel.id in found or channel.id in taken):
            entry.wrong("id", "id stands twice, here or among the destinations.", "Give each its own id.")
        found.setdefault(channel.id, channel)
        places.setdefault(channel.id, entry)
    for name, channel in found.items():
        _check_fallback(places[name], channel, found)
    _check_twins(found, places)
    _check_ports(found, places)
    return list(found.values())


def _read(entry: Entry, site: str, messages: Mapping[str, Template]) -> Destination:
    name = entry.required("id", ID_RULE, is_id)
    kind = cast(ChannelKind, entry.choice("kind", CHANNEL_KINDS, "webhook"))
    others = dict.fromkeys(key for keys in _KEYS_OF_KIND.values() for key in keys)
    for key in others if kind in _BY_URL or kind == "apprise" else (*others, "url"):
        if entry.has(key) and key not in _KEYS_OF_KIND[kind]:
            entry.wrong(key, f"{key} is not for a channel whose kind is {kind}.", f"Remove {key}.")
    is_loopback_allowed = entry.flag("allow_loopback", default=False)
    secret = read_signing_secret(entry, PLAIN) if kind == "webhook" else ""
    return Destination(
        id=name,
        url=_url(entry, kind, is_loopback_allowed=is_loopback_allowed) if kind in _BY_URL else "",
        secret=secret,
        natures=read_natures(entry, PLAIN),
        timeout_s=entry.number("timeout_s", TIMEOUT_S.get(kind, 10.0), TIMEOUT),
        is_loopback_allowed=is_loopback_allowed,
        reach=replace(
            _reach(entry, kind, is_loopback_allowed=is_loopback_allowed), template=_template(entry, messages)
        ),
        **(
            read_panel(entry, f"fengsui-{site}-{name}", is_loopback_allowed=is_loopback_allowed)
            if kind == "mqtt"
            else {}
        ),
    )


def _url(entry: Entry, kind: ChannelKind, *, is_loopback_allowed: bool) -> str:
    usual = URLS.get(kind, "")
    url = entry.text("url", usual) if usual else entry.required("url", "it is the address that calls are sent to")
    if url:
        check_url(entry, url, is_loopback_allowed=is_loopback_allowed)
    if kind in _ROBOTS and any(word in url for word in _TOKEN_WORDS):
        # Not shown: whoever reads it can write into the group.
        entry.wrong(
            "url",
            "url holds what opens the robot; that is a secret.",
            "Write the address without it and token_env or token_file, and make a new robot: it has been seen.",
        )
        return usual
    return url


def _template(entry: Entry, messages: Mapping[str, Template]) -> Template | None:
    name = entry.text("message")
    if name and name not in messages:
        entry.wrong("message", f"message {show(name)} does not exist.", meant(name, tuple(messages)))
    return messages.get(name)


def _reach(entry: Entry, kind: ChannelKind, *, is_loopback_allowed: bool) -> Reach:
    token = ""
    if kind in (*_ROBOTS, "sms"):
        if kind != "sms" and not entry.has("token_env") and not entry.has("token_file"):
            entry.wrong(
                "token_env",
                "no token is named; it opens the robot.",
                "Add token_env with the name of a variable, or token_file with a path.",
            )
        token = entry.secret("token")
    keyword = entry.text("keyword")
    if len(keyword) > KEYWORD_MAX:
        entry.wrong("keyword", f"keyword has {len(keyword)} characters; {KEYWORD_MAX} are the most.", "Shorten it.")
    address, characters = "", 300
    payload: Literal["json", "text"] = "json"
    if kind in ("sms", "modem"):
        characters = entry.whole("characters", characters, *CHARACTERS)
    elif kind == "apprise":
        address, characters = read_address(entry, is_loopback_allowed=is_loopback_allowed)
    elif kind == "mqtt":
        payload, characters = read_payload(entry)
    return Reach(
        kind=kind,
        token=token,
        sign_secret=_sign_secret(entry, kind),
        tongue=cast(Tongue, entry.choice("language", TONGUES, "zh")),
        keyword=keyword,
        mention=entry.flag("mention", default=True),
        limits=_limits(entry, kind),
        characters=characters,
        sms=read_sms(entry) if kind == "sms" else None,
        mail=read_mail(entry, is_loopback_allowed=is_loopback_allowed) if kind == "mail" else None,
        modem=read_modem(entry) if kind == "modem" else None,
        payload=payload,
        address=address,
        fallback=entry.text("fallback"),
        fallback_s=entry.number("fallback_s", 60.0, FALLBACK),
    )


def _sign_secret(entry: Entry, kind: ChannelKind) -> str:
    if kind not in ("webhook", "dingtalk", "feishu"):
        for key in ("secret_env", "secret_file"):
            if entry.has(key):
                entry.wrong(key, f"{key} is not for a channel whose kind is {kind}.", f"Remove {key}.")
        return ""
    return "" if kind == "webhook" else entry.secret("secret")


def _limits(entry: Entry, kind: ChannelKind) -> tuple[Limit, ...]:
    """Take the vendor's limits, the one a minute lower where the site says so: others may use the robot, too."""
    usual = LIMITS[kind]
    per_minute = next((limit.most for limit in usual if limit.window_s == MINUTE_S), 0)
    if not per_minute:
        return usual
    most = entry.whole("per_minute", per_minute, MOST_LEAST, FREE_MOST if kind in _FREE else per_minute)
    return tuple(Limit(most=most, window_s=MINUTE_S) if limit.window_s == MINUTE_S else limit for limit in usual)


def _check_fallback(entry: Entry, channel: Destination, all_of_them: Mapping[str, Destination]) -> None:
    assert channel.reach is not None, channel.id
    name = channel.reach.fallback
    if not name:
        if entry.has("fallback_s"):
            entry.wrong("fallback_s", "fallback_s is given, and no fallback is named.", "Add fallback, or remove it.")
        return
    if name not in all_of_them:
        others = [each for each in all_of_them if each != channel.id]
        entry.wrong("fallback", f"channel {show(name)} does not exist.", meant(name, others))
        return
    seen = {channel.id}
    while name in all_of_them:
        if name in seen:
            entry.wrong("fallback", f"fallback leads back to {name}.", "Let the last channel have none.")
            return
        seen.add(name)
        reach = all_of_them[name].reach
        name = reach.fallback if reach else ""


def _check_ports(found: Mapping[str, Destination], places: Mapping[str, Entry]) -> None:
    """A serial port has one reader."""
    first: dict[str, str] = {}
    for name, channel in found.items():
        modem = channel.reach.modem if channel.reach else None
        if modem is not None and modem.serial and first.setdefault(modem.serial, name) != name:
            places[name].wrong(
                "serial", f"{first[modem.serial]} has the port {show(modem.serial)} already.", "Give each its own."
            )


def _check_twins(found: Mapping[str, Destination], places: Mapping[str, Entry]) -> None:
    """Two channels behind one robot share its quota without knowing."""
    first: dict[tuple[str, str], str] = {}
    for name, channel in found.items():
        assert channel.reach is not None, name
        robot = (channel.reach.kind, channel.reach.token)
        if channel.reach.token and channel.reach.kind != "sms" and first.setdefault(robot, name) != name:
            key = "token_env" if places[name].has("token_env") else "token_file"
            places[name].wrong(
                key,
                f"{first[robot]} has the same robot, and its vendor counts the messages of both.",
                "Use one channel, or make a robot for each.",
            )
