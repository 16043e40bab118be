"""Profiles: how authorities want to be told, read with every mistake at once."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from alerting.push.exchange import CODES, TABLES
from alerting.push.mapped import SOURCES, TIMES, is_form
from alerting.push.profile import (
    CIPHERS,
    DATA,
    ENVELOPES,
    PLAIN,
    RECEIPTS,
    SIGNATURES,
    TRANSPORTS,
    VECTORS,
    CodeList,
    DataLine,
    ExchangeOptions,
    FieldLine,
    Profile,
    ReceiptRule,
    RegionalOptions,
)
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.load.cap import read_cap

EVERY: Final = Span(least=1, most=604_800)  # a week
EXPIRES: Final = Span(least=1, most=2_592_000)  # 30 days
RESEND: Final = Span(least=5, most=86_400)
FIELDS_MAX: Final = 200

PAGE_MAX: Final = 500
#: A path below the receiver's address.
_PATH: Final = re.compile(r"[A-Za-z0-9_\-]+(?:/[A-Za-z0-9_\-]+){0,7}")

#: Tables that only one envelope has.
_OF_ENVELOPE: Final = {"field": "mapped", "cap": "cap", "regional": "regional", "exchange": "exchange"}
#: Envelopes that have code lists.
_CODED: Final = ("mapped", "exchange")


def read_profiles(entries: Iterable[Entry], units: Sequence[str]) -> dict[str, Profile]:
    """Read the profiles by id; one that is wrong stands there too, so that who names it is not blamed."""
    found: dict[str, Profile] = {PLAIN.id: PLAIN}
    for entry in entries:
        entry.refuse_unknown(keys_of("profile"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            said = "plain is there without being written." if name == PLAIN.id else "id stands twice."
            entry.wrong("id", said, "Give each profile its own id.")
        profile = _read_profile(entry, name, units)
        found.setdefault(name, profile)
    return found


def _read_profile(entry: Entry, name: str, units: Sequence[str]) -> Profile:
    transport = entry.choice("transport", TRANSPORTS, "http")
    envelope = entry.choice("envelope", ENVELOPES, "plain")
    for key, needed in _OF_ENVELOPE.items():
        if entry.has(key) and envelope != needed:
            entry.wrong(key, f"{key} is for envelope = {needed}; this one is {envelope}.", f"Remove {key}.")
        elif needed == envelope and not entry.has(key):
            entry.wrong("envelope", f"envelope = {envelope} needs {key}.", f"Add {key}, or choose another envelope.")
    if entry.has("codes") and envelope not in _CODED:
        said = f"codes is for envelope = {', '.join(_CODED)}; this one is {envelope}."
        entry.wrong("codes", said, "Remove codes.")
    codes = _read_codes(entry, CODES if envelope == "exchange" else None) if envelope in _CODED else {}
    if envelope == "exchange" and transport != "http":
        entry.wrong(
            "transport", f"the tables of an exchange go over http; transport is {transport}.", "Remove transport."
        )
    is_signed = transport == "http"
    signature = entry.choice("signature", SIGNATURES, "hmac-sha256" if is_signed else "none")
    if signature != "none" and not is_signed:
        entry.wrong(
            "signature",
            f"signature = {signature} travels in headers of HTTP; transport is {transport}.",
            "Remove signature; TLS and the broker's or server's own accounts say who we are.",
        )
    cipher = entry.choice("cipher", CIPHERS, "none")
    if cipher == "none":
        for key in ("vector", "sealed_as"):
            if entry.has(key):
                entry.wrong(key, f"{key} is given without cipher.", "Add cipher, or remove it.")
    if cipher != "none" and envelope == "cap":
        entry.wrong(
            "cipher", "a CAP message goes as XML; enciphered it is none.", "Remove cipher; TLS keeps it secret."
        )
    if envelope == "regional" and cipher == "none":
        entry.wrong("cipher", "the regional frame carries its rows enciphered.", 'Add cipher = "aes-cbc".')
    return Profile(
        id=name,
        transport=cast(Any, transport),
        envelope=cast(Any, envelope),
        signature=cast(Any, signature),
        cipher=cast(Any, cipher),
        vector=cast(Any, entry.choice("vector", VECTORS, "prefix")),
        sealed_as=entry.text("sealed_as"),
        fields=_read_fields(entry, codes) if envelope == "mapped" else (),
        codes=codes,
        receipt=_read_receipt(entry, transport, signature),
        cap=read_cap(entry, units) if envelope == "cap" and entry.has("cap") else None,
        regional=_read_regional(entry) if envelope == "regional" and entry.has("regional") else None,
        exchange=_read_exchange(entry) if envelope == "exchange" and entry.has("exchange") else None,
        data=_read_data(entry, envelope),
    )


def _read_fields(entry: Entry, codes: Mapping[str, CodeList]) -> tuple[FieldLine, ...]:
    lines: list[FieldLine] = []
    taken: set[str] = set()
    for line in entry.sections("field", f"{entry.who}: field"):
        line.refuse_unknown(keys_of("profile.field"))
        to = line.required("to", "it is the authority's name, names inside each other parted by dots", _is_path)
        if to in taken or any(to.startswith(f"{one}.") or one.startswith(f"{to}.") for one in taken):
            line.wrong("to", f"to {show(to)} stands twice, or inside another.", "Give each field its own place.")
        source, value = line.text("from"), line.text("value")
        if bool(source) == line.has("value"):
            line.wrong("from", "a field has either from or value.", "Write one of them.")
        if source and source not in SOURCES:
            line.wrong("from", f"from {show(source)} is nothing that a notice has.", meant(source, SOURCES))
        form, listed = line.text("form"), line.text("codes")
        if form and (source not in TIMES or not is_form(form)):
            line.wrong(
                "form",
                f"form {show(form)} is for times, written with yyyy MM dd HH mm ss, epoch_s or epoch_ms.",
                'Write e.g. form = "yyyyMMddHHmmss" for from = "time", or remove it.',
            )
            form = ""
        if listed and listed not in codes:
            line.wrong("codes", f"codes {show(listed)} is no list of this profile.", meant(listed, tuple(codes)))
            listed = ""
        if to:
            taken.add(to)
            lines.append(FieldLine(to=to, source=source, value=value, codes=listed, form=form))
    if len(lines) > FIELDS_MAX:
        entry.wrong("field", f"{len(lines)} fields; at most {FIELDS_MAX} are.", "Leave some out.")
    return tuple(lines)


def _is_path(text: str) -> bool:
    return bool(text) and all(name and name.isprintable() for name in text.split(".")) and len(text) <= 128  # noqa: PLR2004


def _read_codes(entry: Entry, lists: Mapping[str, Mapping[str, str]] | None) -> dict[str, CodeList]:
    """Read code lists.

    Args:
        lists: Those that are there, with the words of each; None where the profile makes its own.
    """
    found: dict[str, CodeList] = {}
    for one in entry.sections("codes", f"{entry.who}: codes"):
        one.refuse_unknown(keys_of("profile.codes"))
        name = one.required("id", ID_RULE, is_id)
        if name in found:
            one.wrong("id", "id stands twice.", "Give each list its own id.")
        if lists is not None and name and name not in lists:
            one.wrong("id", f"id {show(name)} is no list of an exchange.", meant(name, tuple(lists)))
        table = one.section("map").values
        if not table or not all(isinstance(value, str) for value in table.values()):
            one.wrong("map", "map gives the authority's code, a text, for each word of ours.", 'Write { RED = "1" }.')
        known = (lists or {}).get(name)
        for word in table if known is not None else ():
            if known is not None and word not in known:
                one.wrong("map", f"map: {show(word)} is no word of {name}.", meant(word, tuple(known)))
        other = one.text("other") if one.has("other") else None
        words = {str(word): str(code) for word, code in table.items()}
        found.setdefault(name, CodeList(map=words, other=other))
    return found


def _read_receipt(entry: Entry, transport: str, signature: str) -> ReceiptRule:
    one = entry.section("receipt")
    one.who = f"{entry.who}: receipt"
    one.refuse_unknown(keys_of("profile.receipt"))
    by = one.choice("by", RECEIPTS, "none" if transport == "mqtt" else "answer")
    if by == "answer" and transport == "mqtt":
        one.wrong("by", "a broker answers for itself, never for the authority.", 'Write by = "later" or "none".')
    given = {key: one.text(key) for key in ("id", "echo", "code")}
    ok, refused = one.texts("ok"), one.texts("refused")
    is_signed = one.flag("signed", default=False)
    if by == "none":
        for key in ("id", "echo", "code", "ok", "refused", "signed", "resend_s"):
            if one.has(key):
                one.wrong(key, f"{key} is given, and by is none.", f"Remove {key}, or say how the receipt comes.")
    if bool(given["code"]) != bool(ok):
        one.wrong("code", "code and ok belong together: where the result stands, and which mean taken.", "Write both.")
    if set(ok) & set(refused):
        one.wrong("refused", f"{show(min(set(ok) & set(refused)))} means both taken and refused.", "Write it once.")
    if transport == "tcp" and by == "answer" and not any(given.values()):
        one.wrong("by", "over TCP any frame would be a receipt.", 'Name id, echo or code, or write by = "none".')
    if is_signed and signature == "sm2":
        one.wrong("signed", "an answer is signed with a shared key; SM2 has none.", "Remove signed.")
    return ReceiptRule(
        by=cast(Any, by),
        id=given["id"],
        echo=given["echo"],
        code=given["code"],
        ok=ok,
        refused=refused,
        is_signed=is_signed,
        resend_s=one.number("resend_s", 300.0, RESEND),
    )


def _read_regional(entry: Entry) -> RegionalOptions:
    one = entry.section("regional")
    one.who = f"{entry.who}: regional"
    one.refuse_unknown(keys_of("profile.regional"))
    if one.flag("live", default=False):
        one.wrong(
            "live",
            "the frame of live data is hearsay (unverified): no published source says how it is written.",
            "Remove live; ask the platform for its interface document.",
        )
    return RegionalOptions(
        app_id=one.required("app_id", "the platform gives it"),
        district_code=one.required("district_code", "it has 6 to 12 digits (GB/T 2260, GB/T 10114)", _is_district),
        company_code=one.required("company_code", "the platform gives it"),
        service_sensors=one.text("service_sensors", "WC_ENT_CGQ") or "WC_ENT_CGQ",
        service_stops=one.text("service_stops", "WC_PROD_HIS") or "WC_PROD_HIS",
    )


def _read_exchange(entry: Entry) -> ExchangeOptions:
    one = entry.section("exchange")
    one.who = f"{entry.who}: exchange"
    one.refuse_unknown(keys_of("profile.exchange"))
    paths: dict[str, str] = {}
    for table, path in one.section("paths").values.items():
        if table not in TABLES:
            one.wrong("paths", f"paths: {show(table)} is no ledger that is exchanged.", meant(table, TABLES))
        elif not isinstance(path, str) or (path and not _PATH.fullmatch(path)):
            said = f"paths: {table} is {show(path)}; it must be a path below the receiver's address."
            one.wrong("paths", said, 'Write e.g. "sec_security_risk_unit", or "" for a ledger that is not told.')
        else:
            paths[table] = path
    form = one.text("form", "yyyy-MM-dd HH:mm:ss")
    if not is_form(form):
        one.wrong(
            "form",
            f"form {show(form)} is for times, written with yyyy MM dd HH mm ss, epoch_s or epoch_ms.",
            'Write e.g. form = "yyyyMMddHHmmss", or leave it out.',
        )
    return ExchangeOptions(
        paths=paths, page=one.whole("page", 50, 1, PAGE_MAX), form=form, is_dry=one.flag("dry_run", default=False)
    )


def _is_district(text: str) -> bool:
    return text.isascii() and text.isdigit() and 6 <= len(text) <= 12  # noqa: PLR2004 - as the sentence says


def _read_data(entry: Entry, envelope: str) -> tuple[DataLine, ...]:
    lines = []
    for one in entry.sections("data", f"{entry.who}: data"):
        one.refuse_unknown(keys_of("profile.data"))
        what = one.choice("what", DATA, "")
        is_there = (envelope == "regional") == (what == "sensors") and envelope in ("plain", "regional")
        if what and not is_there:
            one.wrong(
                "what",
                f"envelope = {envelope} has no place for {what}.",
                "values and states go with plain, sensors with regional.",
            )
        every_s = one.number("every_s", 60.0, EVERY)
        lines.append(
            DataLine(what=cast(Any, what), every_s=every_s, expires_s=one.number("expires_s", 2 * every_s, EXPIRES))
        )
    return tuple(lines)
