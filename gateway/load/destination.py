"""Who is told: destinations of notices, each with its profile, its way and its keys."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypedDict

from alerting.model.tier import Tier
from alerting.push.profile import PLAIN, Profile
from edge.config import MqttOptions
from edge.load.broker import read_broker, wrong_topic
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.source import is_host
from edge.load.words import ID_RULE, is_id, keys_of
from edge.model import Nature
from gateway.config import Destination
from gateway.load.draft import TIERS
from gateway.load.outside import split_url

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret, not one
SECRET_BYTES: Final = (24, 64)  # Standard Webhooks, "Signature scheme": 192 to 512 bits
CONNECTIONS_MAX: Final = 8
MINUTES: Final = Span(least=1, most=10_080)  # up to a week
BLOCK: Final = 16  # bytes, of AES and SM4
AES_BYTES: Final = (16, 24, 32)
_SM2: Final = re.compile(r"[0-9a-fA-F]{64}")
_PHONE: Final = re.compile(r"[^\n]{0,60}\+?[0-9][0-9 ()-]{2,30}[0-9][^\n]{0,60}")

#: Keys of each way beside those that every destination has.
_BROKER_KEYS: Final = (
    "host", "port", "also", "version", "client_id", "username", "password_env", "password_file", "keepalive_s", "tls",
    "ca_file", "cert_file", "key_file", "server_name", "topic", "ack_topic",
)  # fmt: skip
_KEYS_OF_WAY: Final = {"http": ("url",), "tcp": ("url", "ca_file", "server_name"), "mqtt": _BROKER_KEYS}


def read_destinations(entries: Iterable[Entry], profiles: Mapping[str, Profile], site: str) -> list[Destination]:
    """Read the authorities that notices are pushed to."""
    destinations: dict[str, Destination] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("destination"))
        name = entry.required("id", ID_RULE, is_id)
        if name in destinations:
            entry.wrong("id", "id stands twice.", "Give each destination its own id.")
        profile = _profile(entry, profiles)
        _refuse_other_ways(entry, profile)
        is_loopback_allowed = entry.flag("allow_loopback", default=False)
        destination = Destination(
            id=name,
            profile=profile,
            secret=read_signing_secret(entry, profile),
            tier_least=Tier[entry.choice("tier_least", TIERS, Tier.YELLOW.name)],
            natures=read_natures(entry, profile),
            timeout_s=entry.number("timeout_s", 10.0, Span(least=0.1, most=120)),
            is_loopback_allowed=is_loopback_allowed,
            confirm_min=entry.number("confirm_min", 10.0, MINUTES),
            phones=_phones(entry),
            quarantine_min=entry.number("quarantine_min", 1440.0, MINUTES),
            connections=entry.whole("connections", 1, 1, CONNECTIONS_MAX),
            **_keys(entry, profile),
            **_way(entry, profile, name, site, is_loopback_allowed=is_loopback_allowed),
        )
        destinations.setdefault(name, destination)
    return list(destinations.values())


def _profile(entry: Entry, profiles: Mapping[str, Profile]) -> Profile:
    name = entry.text("profile", PLAIN.id) or PLAIN.id
    if name not in profiles:
        entry.wrong("profile", f"profile {show(name)} does not exist.", meant(name, tuple(profiles)))
    return profiles.get(name, PLAIN)


def _refuse_other_ways(entry: Entry, profile: Profile) -> None:
    own = _KEYS_OF_WAY[profile.transport]
    for key in dict.fromkeys(key for keys in _KEYS_OF_WAY.values() for key in keys):
        if entry.has(key) and key not in own:
            entry.wrong(key, f"{key} is not for a profile whose transport is {profile.transport}.", f"Remove {key}.")


class _Way(TypedDict, total=False):
    url: str
    broker: MqttOptions | None
    topic: str
    ack_topic: str
    ca_file: Path | None
    server_name: str


def _way(entry: Entry, profile: Profile, name: str, site: str, *, is_loopback_allowed: bool) -> _Way:
    """Read where the destination is."""
    if profile.transport == "mqtt":
        return _broker_way(entry, profile, name, site, is_loopback_allowed=is_loopback_allowed)
    url = entry.required("url", "it is the address that notices are sent to")
    if profile.transport == "http":
        if url:
            check_url(entry, url, is_loopback_allowed=is_loopback_allowed)
        return {"url": url}
    parts = split_url(entry, url, ("tls", "tcp")) if url else None
    if parts is not None and parts.port is None:
        entry.wrong("url", f"url {show(url)} has no port.", "Write tls://host:port.")
    if parts is not None:
        is_near = is_near_host(parts.hostname or "")
        check_near(entry, url, is_near=is_near, is_loopback_allowed=is_loopback_allowed)
        if parts.scheme == "tcp" and not is_near and profile.cipher == "none":
            entry.wrong("url", f"url {show(url)} is not encrypted, nor is what goes there.", "Write tls://host:port.")
    ca_file = entry.text("ca_file")
    path = entry.reading.path.parent / ca_file if ca_file else None
    if path is not None and not path.is_file():
        entry.wrong("ca_file", f"ca_file {show(ca_file)} is no file.", "Give the path of a file in PEM.")
    return {"url": url, "ca_file": path, "server_name": entry.text("server_name")}


def _broker_way(entry: Entry, profile: Profile, name: str, site: str, *, is_loopback_allowed: bool) -> _Way:
    options = read_far_broker(entry, f"fengsui-{site}-{name}", is_loopback_allowed=is_loopback_allowed)
    topic = entry.required("topic", "notices are published there")
    ack_topic = entry.text("ack_topic")
    for key, text in (("topic", topic), ("ack_topic", ack_topic)):
        rule = wrong_topic(text) if text else ""
        if rule:
            entry.wrong(key, f"{key} {show(text)} cannot be one; {rule}.", "Write one topic, e.g. authority/in.")
    if (profile.receipt.by == "later") != bool(ack_topic):
        entry.wrong(
            "ack_topic",
            f"the profile's receipt comes {'later, and nothing says where' if not ack_topic else 'not later'}.",
            "Name ack_topic where receipt.by is later, and only there.",
        )
    return {"url": "", "broker": options, "topic": topic, "ack_topic": ack_topic}


def read_far_broker(entry: Entry, client_id: str, *, is_loopback_allowed: bool) -> MqttOptions:
    """Read the broker that notices or calls go to."""
    host = entry.required("host", "it is a name or an address without port", is_host)
    options = read_broker(entry, host, client_id)
    if host:
        is_near = is_near_host(host)
        check_near(entry, host, is_near=is_near, is_loopback_allowed=is_loopback_allowed, key="host")
        if options.tls is None and not is_near:
            entry.wrong("tls", "notices leave the house encrypted.", "Add tls = true and the broker's TLS port.")
    return options


class _Keys(TypedDict):
    cipher_key: bytes
    vector: bytes


def _keys(entry: Entry, profile: Profile) -> _Keys:
    """Read the cipher's key and the vector that was agreed upon, as text of so many bytes or ``hex:`` and digits."""
    found: dict[str, bytes] = {}
    needed = {"cipher_key": profile.cipher != "none", "vector": profile.cipher != "none" and profile.vector == "fixed"}
    sizes = {"cipher_key": AES_BYTES if profile.cipher == "aes-cbc" else (BLOCK,), "vector": (BLOCK,)}
    for word, is_needed in needed.items():
        key = f"{word}_env" if entry.has(f"{word}_env") else f"{word}_file"
        is_given = entry.has(key)
        if is_given and not is_needed:
            entry.wrong(key, f"the profile {profile.id} does not use {word}.", f"Remove {key}.")
        if not is_given and is_needed:
            entry.wrong(
                f"{word}_env", f"the profile {profile.id} enciphers, and no {word} is named.", f"Add {word}_env."
            )
        found[word] = _bytes(entry.secret(word))
        if is_given and is_needed and found[word] and len(found[word]) not in sizes[word]:
            said = " or ".join(str(size) for size in sizes[word])
            entry.wrong(
                key, f"{word} has {len(found[word])} bytes; it has {said}.", "Take the one that was agreed upon."
            )
    return {"cipher_key": found["cipher_key"], "vector": found["vector"]}


def _bytes(text: str) -> bytes:
    if text.startswith("hex:"):
        with suppress(ValueError):
            return bytes.fromhex(text.removeprefix("hex:"))
    return text.encode()


def _phones(entry: Entry) -> tuple[str, ...]:
    phones = entry.texts("phones")
    for at, phone in enumerate(phones):
        if not _PHONE.fullmatch(phone):
            entry.wrong(
                ("phones", at), f"{show(phone)} has no number that can be dialled.", 'Write "区应急局 025-12345".'
            )
    return phones


def read_signing_secret(entry: Entry, profile: Profile) -> str:
    """Take the key of the signature; every push over HTTP is signed unless its profile says otherwise."""
    if profile.signature == "none" or profile.transport != "http":
        for key in ("secret_env", "secret_file"):
            if entry.has(key) and not profile.receipt.is_signed:
                entry.wrong(key, f"the profile {profile.id} signs nothing.", f"Remove {key}.")
        if not profile.receipt.is_signed:
            return ""
    if not entry.has("secret_env") and not entry.has("secret_file"):
        entry.wrong(
            "secret_env",
            "no secret is named; every push is signed.",
            "Add secret_env with the name of a variable, or secret_file with a path.",
        )
    secret = entry.secret("secret")
    if not secret:
        return ""
    if profile.signature == "sm2":
        if not _SM2.fullmatch(secret):
            named = "secret_env" if entry.has("secret_env") else "secret_file"
            entry.wrong(
                named, "the secret is no SM2 private key of 64 hexadecimal digits.", "Take ours, in hexadecimal."
            )
            return ""
        return secret
    try:
        raw = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    least, most = SECRET_BYTES
    if not secret.startswith(SECRET_PREFIX) or not least <= len(raw) <= most:
        entry.wrong(
            "secret_env" if entry.has("secret_env") else "secret_file",
            f"the secret is not {SECRET_PREFIX} and the base64 of {least} to {most} bytes.",
            f"Take the one that the authority gave, or make one: {SECRET_PREFIX} and `openssl rand -base64 32`.",
        )
    return secret


def read_natures(entry: Entry, profile: Profile) -> tuple[Nature, ...]:
    """Read of which natures it is told."""
    if not entry.has("natures"):
        return (Nature.ACTUAL,)
    names = entry.texts("natures")
    known = tuple(nature.value for nature in Nature)
    for at, name in enumerate(names):
        if name not in known:
            entry.wrong(("natures", at), f"nature {show(name)} is one of {', '.join(known)}.", meant(name, known))
    if entry.values["natures"] == []:
        entry.wrong("natures", "natures is empty; nothing would ever be sent.", 'Write natures = ["actual"].')
    natures = tuple(Nature(name) for name in dict.fromkeys(names) if name in known)
    others = [nature.value for nature in natures if nature is not Nature.ACTUAL]
    if others and not profile.carries_nature:
        entry.wrong(
            "natures",
            f"the profile {profile.id} does not carry the nature; {others[0]} would be taken for the real thing.",
            'Write natures = ["actual"], or map a field from nature.',
        )
    if Nature.EXERCISE in natures and profile.cap is not None and not profile.cap.note:
        entry.wrong(
            "natures",
            f"CAP wants a note on every exercise, and the profile {profile.id} has none (CAP 1.2, §3.2.1).",
            "Add note to the profile's cap.",
        )
    return natures


def check_near(entry: Entry, where: str, *, is_near: bool, is_loopback_allowed: bool, key: str = "url") -> None:
    """Notices go to the outside unless the site says otherwise."""
    if is_near and not is_loopback_allowed:
        entry.wrong(
            key,
            f"{key} {show(where)} points to this machine or a private network.",
            "Write a public address, or allow_loopback = true if this is meant.",
        )


def check_url(entry: Entry, url: str, *, is_loopback_allowed: bool) -> None:
    """Warnings leave the house encrypted, and to the outside, unless the site says otherwise."""
    parts = split_url(entry, url, ("https", "http"))
    if parts is None:
        return
    is_near = is_near_host(parts.hostname or "")
    check_near(entry, url, is_near=is_near, is_loopback_allowed=is_loopback_allowed)
    if parts.scheme != "https" and not is_near:
        entry.wrong(
            "url", f"url {show(url)} is not encrypted; notices leave by https.", "Write https:// before the host."
        )


def is_near_host(host: str) -> bool:
    """Tell whether a host is written as loopback or private; names are not looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not address.is_global
