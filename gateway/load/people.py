"""Units, response tasks, destinations and servers: what a site file says beside tags and rules."""

import base64
import binascii
import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import ID_RULE, RESERVED, is_id, keys_of
from edge.model import Nature
from gateway.config import Destination, Influx, TaskTemplate
from gateway.load.rule import TIERS

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret, not one
SECRET_BYTES: Final = (24, 64)  # Standard Webhooks, "Signature scheme": 192 to 512 bits
GRADES: Final = (1, 4)  # GB 18218-2018 §4.3.3: I to IV


def read_units(entries: Sequence[Entry], tags: Iterable[TagDraft], site: Entry) -> list[HazardUnit]:
    """Read the hazard units, and check that every tag's unit is one of them."""
    units: dict[str, HazardUnit] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("unit"))
        name = entry.required("id", ID_RULE, is_id)
        if name == RESERVED:
            entry.wrong("id", f'id "{RESERVED}" is kept for the gateway itself.', "Give the unit another id.")
        if name in units:
            entry.wrong("id", "id stands twice.", "Give each unit its own id.")
        kind = entry.text("kind", "area")
        if not kind:
            entry.wrong("kind", "kind is empty; it says what the unit is.", 'Write kind = "tank", or leave it out.')
        unit = HazardUnit(
            id=name,
            title=entry.titles("title", name),
            kind=kind,
            grade=entry.whole_or_none("grade", *GRADES) or 0,
            area=entry.text("area"),
        )
        if name:
            units.setdefault(name, unit)
    if not entries:
        site.wrong("unit", "the site has no hazard unit.", "Add a [[unit]] with id, title and kind.")
    for draft in tags:
        if units and draft.tag.unit and draft.tag.unit not in units:
            draft.row.wrong("unit", f"unit {show(draft.tag.unit)} does not exist.", meant(draft.tag.unit, tuple(units)))
    return list(units.values())


def read_tasks(entries: Iterable[Entry], units: Iterable[HazardUnit]) -> list[TaskTemplate]:
    """Read the response task templates."""
    kinds = {unit.kind for unit in units} | {"gateway", "*"}
    tasks: list[TaskTemplate] = []
    for entry in entries:
        entry.refuse_unknown(keys_of("task"))
        kind = entry.required("kind", "it is a kind of unit, or * for any")
        if kind and kind not in kinds:
            entry.wrong("kind", f"no unit is of kind {show(kind)}.", meant(kind, sorted(kinds)))
        tier = entry.choice("tier", TIERS, "")
        if not entry.has("title"):
            entry.wrong("title", "title is missing; it says what to do.", "Add title = { en = …, zh = … }.")
        if not entry.has("within_s"):
            entry.wrong("within_s", "within_s is missing; a task has a time.", "Add within_s.")
        task = TaskTemplate(
            kind=kind,
            tier=Tier[tier or "NONE"],
            title=entry.titles("title", ""),
            owner=entry.required("owner", "it is the role or the person who does it"),
            within_s=entry.number_or_none("within_s", Span(above=0, most=30 * 86_400)) or 0.0,
        )
        if task in tasks:
            entry.wrong("title", "the same task stands twice.", "Remove one of the two.")
        tasks.append(task)
    return tasks


def read_destinations(entries: Iterable[Entry]) -> list[Destination]:
    """Read the authorities that notices are pushed to."""
    destinations: dict[str, Destination] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("destination"))
        name = entry.required("id", ID_RULE, is_id)
        if name in destinations:
            entry.wrong("id", "id stands twice.", "Give each destination its own id.")
        is_loopback_allowed = entry.flag("allow_loopback", default=False)
        url = entry.required("url", "it is the address that notices are sent to")
        if url:
            _check_url(entry, url, is_loopback_allowed=is_loopback_allowed)
        destination = Destination(
            id=name,
            url=url,
            secret=_signing_secret(entry),
            tier_least=Tier[entry.choice("tier_least", TIERS, Tier.YELLOW.name)],
            natures=_natures(entry),
            timeout_s=entry.number("timeout_s", 10.0, Span(least=0.1, most=120)),
            is_loopback_allowed=is_loopback_allowed,
        )
        destinations.setdefault(name, destination)
    return list(destinations.values())


def _signing_secret(entry: Entry) -> str:
    """Take the key of the signature; every push is signed."""
    if not entry.has("secret_env") and not entry.has("secret_file"):
        entry.wrong(
            "secret_env",
            "no secret is named; every push is signed.",
            "Add secret_env with the name of a variable, or secret_file with a path.",
        )
    secret = entry.secret("secret")
    if not secret:
        return ""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    least, most = SECRET_BYTES
    if not secret.startswith(SECRET_PREFIX) or not least <= len(key) <= most:
        entry.wrong(
            "secret_env" if entry.has("secret_env") else "secret_file",
            f"the secret is not {SECRET_PREFIX} and the base64 of {least} to {most} bytes.",
            f"Take the one that the authority gave, or make one: {SECRET_PREFIX} and `openssl rand -base64 32`.",
        )
    return secret


def _natures(entry: Entry) -> tuple[Nature, ...]:
    if not entry.has("natures"):
        return (Nature.ACTUAL,)
    names = entry.texts("natures")
    known = tuple(nature.value for nature in Nature)
    for at, name in enumerate(names):
        if name not in known:
            entry.wrong(("natures", at), f"nature {show(name)} is one of {', '.join(known)}.", meant(name, known))
    if entry.values["natures"] == []:
        entry.wrong("natures", "natures is empty; nothing would ever be sent.", 'Write natures = ["actual"].')
    return tuple(Nature(name) for name in dict.fromkeys(names) if name in known)


def _split(entry: Entry, url: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """Take an address apart; None where it is none, which is a mistake."""
    parts: SplitResult | None = None
    with suppress(ValueError):  # brackets without an address, a port that is no number
        found = urlsplit(url)
        if found.scheme in schemes and found.hostname and found.port != 0:
            parts = found
    if parts is None or not url.isprintable() or " " in url:
        entry.wrong(
            "url", f"url {show(url)} is no address of the form {schemes[0]}://host/path.", "Write the whole address."
        )
        return None
    if parts.username is not None or parts.password is not None:
        entry.wrong("url", "url holds a name or a password.", "Remove what stands before the @; a push is signed.")
        return None
    return parts


def _check_url(entry: Entry, url: str, *, is_loopback_allowed: bool) -> None:
    """Warnings leave the house encrypted, and to the outside, unless the site says otherwise."""
    parts = _split(entry, url, ("https", "http"))
    if parts is None:
        return
    is_near = _is_near(parts.hostname or "")
    if is_near and not is_loopback_allowed:
        entry.wrong(
            "url",
            f"url {show(url)} points to this machine or a private network.",
            "Write a public address, or allow_loopback = true if this is meant.",
        )
    elif parts.scheme != "https" and not is_near:
        entry.wrong(
            "url", f"url {show(url)} is not encrypted; notices leave by https.", "Write https:// before the host."
        )


def _is_near(host: str) -> bool:
    """Tell whether a host is written as loopback or private; names are not looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not address.is_global


def read_influx(root: Entry) -> Influx | None:
    """Read the InfluxDB beside the embedded historian."""
    if not root.has("influx"):
        return None
    entry = root.section("influx")
    entry.who = "Influx"
    entry.refuse_unknown(keys_of("influx"))
    url = entry.required("url", "it is the address of the server")
    if url:
        _split(entry, url, ("http", "https"))
    return Influx(
        url=url,
        org=entry.text("org") or "fengsui",
        bucket=entry.text("bucket") or "fengsui",
        token=entry.secret("token"),
    )
