"""What a profile says of CAP, with the checks that the standard asks of a sender."""

import re
from collections.abc import Sequence
from typing import Any, Final, cast

from alerting.push.cap_check import is_name, wrong_circle, wrong_polygon
from alerting.push.cap_options import CATEGORIES, IDENTIFIERS, LANGUAGE_OF, SCOPES, CapArea, CapOptions
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import keys_of

_PREFIX: Final = re.compile(r"\d{14}")
_AREA_CODE: Final = re.compile(r"\d{6}|\d{9}|\d{12}")
EXPIRES: Final = Span(least=60, most=2_592_000)


def read_cap(profile: Entry, units: Sequence[str]) -> CapOptions:
    """Read what a profile says of its CAP messages."""
    one = profile.section("cap")
    one.who = f"{profile.who}: cap"
    one.refuse_unknown(keys_of("profile.cap"))
    scope = one.choice("scope", SCOPES, "Restricted")
    restriction, addresses, mandate = one.text("restriction"), one.texts("addresses"), one.text("mandate")
    _check_scope(one, scope, restriction, addresses, mandate)
    identifier, prefix = one.choice("identifier", IDENTIFIERS, "key"), one.text("prefix")
    if (identifier == "gb") != bool(prefix) or (prefix and not _PREFIX.fullmatch(prefix)):
        one.wrong(
            "prefix",
            f"prefix is {show(prefix)}; identifiers of kind gb, and only they, begin with 14 digits: area, "
            "institution, sub-unit, extension.",
            'Write e.g. identifier = "gb" and prefix = "32010100100000".',
        )
    return CapOptions(
        sender=one.required("sender", "it has no space, comma, < or & (CAP 1.2, §3.2.1)", is_name),
        sender_name=one.titles("sender_name", ""),
        source=one.text("source"),
        scope=cast(Any, scope),
        restriction=restriction,
        addresses=addresses,
        mandate=mandate,
        identifier=cast(Any, identifier),
        prefix=prefix,
        languages=_known(one, "languages", tuple(LANGUAGE_OF), ("zh", "en")),
        category=_known(one, "category", CATEGORIES, ("Safety",)),
        event=one.titles("event", ""),
        contact=one.text("contact"),
        web=_web(one),
        note=one.text("note"),
        code=one.texts("code"),
        expires_s=one.number("expires_s", 86_400.0, EXPIRES),
        geocode=_code(one),
        areas=_read_areas(one, units),
    )


def _check_scope(one: Entry, scope: str, restriction: str, addresses: Sequence[str], mandate: str) -> None:
    for key, given, needed in (
        ("restriction", bool(restriction), "Restricted"),
        ("addresses", bool(addresses), "Private"),
        ("mandate", bool(mandate), "Public"),
    ):
        if given and scope != needed:
            one.wrong(key, f"{key} is for scope = {needed}; scope is {scope}.", f"Remove {key}.")
    if scope == "Restricted" and not restriction:
        one.wrong("restriction", "scope is Restricted and nothing says for whom.", 'Add restriction = "…".')
    if scope == "Private" and not addresses:
        one.wrong("addresses", "scope is Private and nobody is named.", 'Add addresses = ["…"].')
    if scope == "Public" and not mandate:
        one.wrong(
            "scope",
            "scope is Public: public warnings are issued by the government alone (突发事件应对法).",
            "Write Restricted or Private; or name in mandate the order of the authority that this gateway acts for.",
        )
    for at, address in enumerate(addresses):
        if not address or '"' in address:
            one.wrong(("addresses", at), f"{show(address)} is no address.", "Write it without quotation marks.")


def _known(one: Entry, key: str, known: Sequence[str], default: tuple[str, ...]) -> tuple[str, ...]:
    if not one.has(key):
        return default
    given = one.texts(key)
    for at, word in enumerate(given):
        if word not in known:
            one.wrong((key, at), f"{show(word)} is one of {', '.join(known)}.", meant(word, known))
    if one.values[key] == []:
        one.wrong(key, f"{key} is empty; CAP wants at least one.", f"Leave {key} out for {', '.join(default)}.")
    return tuple(dict.fromkeys(word for word in given if word in known))


def _web(one: Entry) -> str:
    web = one.text("web")
    if web and not web.startswith(("https://", "http://")):
        one.wrong("web", f"web {show(web)} is no full address (CAP 1.2, §3.2.2).", "Write https://…")
    return web


def _code(one: Entry) -> str:
    code = one.text("geocode")
    if code and not _AREA_CODE.fullmatch(code):
        one.wrong("geocode", f"geocode {show(code)} is no code of 6, 9 or 12 digits (GB/T 2260).", "Write e.g. 320101.")
        return ""
    return code


def _read_areas(one: Entry, units: Sequence[str]) -> dict[str, CapArea]:
    found: dict[str, CapArea] = {}
    for area in one.sections("area", f"{one.who}: area"):
        area.refuse_unknown(keys_of("profile.cap.area"))
        unit = area.required("unit", "it is the id of a hazard unit")
        if unit and unit not in units:
            area.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        if unit in found:
            area.wrong("unit", f"unit {show(unit)} has two areas.", "Write one.")
        polygon, circle = area.text("polygon"), area.text("circle")
        for key, text, rule_of in (("polygon", polygon, wrong_polygon), ("circle", circle, wrong_circle)):
            rule = rule_of(text) if text else ""
            if rule:
                remedy = 'Write e.g. polygon = "32.1,118.7 32.2,118.7 32.2,118.8 32.1,118.7".'
                area.wrong(key, f"{key} {show(text)} cannot be one; {rule}.", remedy if key == "polygon" else
                           'Write e.g. circle = "32.1,118.7 0.5".')  # fmt: skip
        found.setdefault(
            unit,
            CapArea(title=area.titles("title", ""), polygon=polygon, circle=circle, geocode=_code(area)),
        )
    return found
