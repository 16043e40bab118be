"""CAP: a notice as a message of the Common Alerting Protocol 1.2 (OASIS, 1 July 2010).

Flow: plain notice -> [compose_cap] -> XML, one message a notice
Why: alert, update and cancel of our chain are not CAP's. Who is told that the danger is over gets an Update with
    AllClear; who is told that there never was one gets a Cancel (§3.2.1, ``msgType``; §3.2.2, ``responseType``).
    The tier is our early warning and never becomes a statutory public warning by itself: scope is Restricted or
    Private unless a profile names an authority's mandate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from alerting.push.cap_options import LANGUAGE_OF, CapArea, CapOptions
from alerting.push.mapped import take
from alerting.push.words import TIER_ZH

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
STATUS: Final = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
#: Ours, in the order of CAP's own words; the colours' Chinese names go along as a parameter.
SEVERITY: Final = {"RED": "Extreme", "ORANGE": "Severe", "YELLOW": "Moderate", "BLUE": "Minor"}
URGENCY: Final = {"RED": "Immediate", "ORANGE": "Immediate", "YELLOW": "Expected", "BLUE": "Future"}
RESPONSE: Final = {"RED": "Execute", "ORANGE": "Prepare", "YELLOW": "Monitor", "BLUE": "Monitor"}
#: Kinds of condition that say what may come, and those that say that nobody knows.
#: Subjects that tell of monitoring that stops and comes back.
STOPS: Final = ("out_of_service", "stop")
LIKELY: Final = frozenset({"TREND", "DRIFT", "RATE", "DEVIATION"})
UNKNOWN: Final = frozenset({"STALE", "BAD", "FROZEN", "RANGE"})
#: At most so many earlier messages are named, the first and the last ones: an Update supersedes what it names, and each
#: of them has superseded those before it.
REFERENCES_MAX: Final = 32
#: CAP 1.2, §3.3.2: characters that XML cannot carry are not carried; what stands in their place is seen.
_FORBIDDEN: Final = {code: "�" for code in (*range(0x20), 0xFFFE, 0xFFFF) if code not in (0x9, 0xA, 0xD)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapMessage:
    """One message.

    Attributes:
        text: XML with its declaration.
        reference: ``sender,identifier,sent``, as later messages of the chain name it.
    """

    text: str
    reference: str


def compose_cap(
    options: CapOptions, body: Mapping[str, Any], references: Sequence[str], allot: Callable[[str], str]
) -> CapMessage | None:
    """Compose the message of one notice; None for what CAP has no place for (periodic data).

    Args:
        body: The plain notice.
        references: Of the chain's earlier messages.
        allot: Gives the next identifier of kind ``gb``.
    """
    if body.get("subject") not in ("alarm", *STOPS):
        return None
    identifier = allot(options.prefix) if options.identifier == "gb" else str(body["key"])
    sent = write_cap_time(str(body["received"]))
    alert = Element("alert", xmlns=NAMESPACE)
    kind = message_type(body, references)
    _put(alert, "identifier", identifier)
    _put(alert, "sender", options.sender)
    _put(alert, "sent", sent)
    _put(alert, "status", _status(body))
    _put(alert, "msgType", kind)
    _put(alert, "source", options.source)
    _put(alert, "scope", options.scope)
    if options.scope == "Restricted":
        _put(alert, "restriction", options.restriction)
    if options.scope == "Private":
        _put(alert, "addresses", " ".join(_quoted(address) for address in options.addresses))
    for code in options.code:
        _put(alert, "code", code)
    _put(alert, "note", _note(options, body))
    if references and kind != "Alert":
        named = references if len(references) <= REFERENCES_MAX else [references[0], *references[1 - REFERENCES_MAX :]]
        _put(alert, "references", " ".join(named))
    _put(alert, "incidents", str(body["alarm"]))
    for language in options.languages:
        _info(alert, options, body, language, is_cancel=kind == "Cancel")
    text = tostring(alert, encoding="unicode")
    return CapMessage(
        text=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', reference=f"{options.sender},{identifier},{sent}"
    )


def message_type(body: Mapping[str, Any], references: Sequence[str]) -> str:
    """Give the kind of message: what ends by itself is an Update with AllClear, what is withdrawn a Cancel.

    A chain whose earlier messages are not known to have gone out begins with an Alert: an Update of nothing would be
    refused.
    """
    if not references:
        return "Alert"
    return "Cancel" if body["action"] == "cancel" and body.get("ending") == "withdrawn" else "Update"


def write_cap_time(text: str) -> str:
    """Write an ISO 8601 time to the second with its offset; never ``Z``, and UTC as ``-00:00`` (§3.3.2)."""
    moment = datetime.fromisoformat(text).replace(microsecond=0)
    if not moment.utcoffset():
        return moment.replace(tzinfo=None).isoformat() + "-00:00"
    return moment.isoformat()


def _status(body: Mapping[str, Any]) -> str:
    """Give the status; that monitoring stops is no warning of anybody (``System``, §3.2.1)."""
    if body["nature"] == "actual" and body["subject"] in STOPS:
        return "System"
    return STATUS[str(body["nature"])]


def _note(options: CapOptions, body: Mapping[str, Any]) -> str:
    """Say what an exercise is for; the standard wants that of status Exercise."""
    return options.note if body["nature"] == "exercise" else ""


def _info(alert: Element, options: CapOptions, body: Mapping[str, Any], language: str, *, is_cancel: bool) -> None:
    is_over, is_stop = body["action"] == "cancel", body["subject"] in STOPS
    tier = str(body["tier"])
    info = SubElement(alert, "info")
    _put(info, "language", LANGUAGE_OF[language])
    for category in options.category:
        _put(info, "category", category)
    _put(
        info,
        "event",
        options.event.get(language) or {"zh": "重大危险源预警", "en": "Major hazard early warning"}[language],
    )
    if not is_stop and not is_cancel:
        _put(info, "responseType", "AllClear" if is_over else RESPONSE.get(tier, "Monitor"))
    is_past = bool(body["is_late"]) or is_over
    _put(info, "urgency", "Past" if is_past else "Unknown" if is_stop else URGENCY.get(tier, "Unknown"))
    _put(info, "severity", "Minor" if is_over else "Unknown" if is_stop else SEVERITY.get(tier, "Unknown"))
    _put(info, "certainty", _certainty(body))
    for name, value in _codes(body):
        _named(info, "eventCode", name, value)
    _put(info, "onset", write_cap_time(str(body.get("since") or body["time"])))
    sent = datetime.fromisoformat(str(body["received"]))
    _put(info, "expires", write_cap_time((sent + timedelta(seconds=options.expires_s)).isoformat()))
    _put(info, "senderName", options.sender_name.get(language, ""))
    said = str(take(body, f"text.{language}") or "")
    _put(info, "headline", said[:160])  # §3.2.2: about 160 characters, for short messages
    _put(info, "description", said)
    if not is_over:
        _put(info, "instruction", str(take(body, f"response.{language}") or ""))
    _put(info, "web", options.web)
    _put(info, "contact", options.contact)
    for name, value in _parameters(body, language):
        _named(info, "parameter", name, value)
    _area(info, options, body, language)


def _certainty(body: Mapping[str, Any]) -> str:
    if body["subject"] != "alarm" or body["condition"] in UNKNOWN:
        return "Unknown"
    return "Likely" if body["condition"] in LIKELY else "Observed"


def _codes(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(body[name])) for name in ("condition", "tag") if body[name]]


def _parameters(body: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """Give what CAP has no element for: the colour in Chinese words, the value and its limit, who sent it on."""
    tier = str(body["tier"])
    colour = ("预警颜色", TIER_ZH[tier]) if language == "zh" else ("tier", tier)
    found = [colour, ("chain", str(body["chain"])), ("sequence", str(body["sequence"]))]
    eu = f" {body['eu']}" if body["eu"] else ""
    found += [(name, f"{body[name]:.10g}{eu}") for name in ("value", "setpoint") if body[name] is not None]
    if body.get("zone"):
        zone = body["zone"]
        name, basis = ("危害区", "筛查结果，不是预测") if language == "zh" else ("zone", "screening, not prediction")
        said = (
            f"{zone['level']} {zone['value']:g} {zone['eu']}, {zone['distance_m']} m, {zone['confirmed_by']}: {basis}"
        )
        found.append((name, said))
    if body.get("head"):
        found.append(("journal", f"{body['head']['count']} {body['head']['hash']}"))
    return found


def _area(info: Element, options: CapOptions, body: Mapping[str, Any], language: str) -> None:
    unit = body["unit"]
    where = options.areas.get(str(unit["id"]), CapArea())
    area = SubElement(info, "area")
    titles = (where.title.get(language), take(unit, f"title.{language}"), unit["id"], body["site"]["id"])
    _put(area, "areaDesc", next((str(title) for title in titles if title and str(title).strip()), "-"))
    zone = body.get("zone")
    if zone:  # A person confirmed it; it stands for the area of the configuration.
        _put(area, "polygon", str(zone["polygon"]))
    else:
        _put(area, "polygon", where.polygon)
        _put(area, "circle", where.circle)
    code = where.geocode or options.geocode
    if code:
        _named(area, "geocode", "GB/T 2260", code)


def _named(parent: Element, tag: str, name: str, value: str) -> None:
    place = SubElement(parent, tag)
    _put(place, "valueName", name)
    _put(place, "value", value)


def _put(parent: Element, tag: str, text: str) -> None:
    """Add an element with a text; none for an empty text, because most of CAP's elements must not be empty."""
    if text.strip():
        SubElement(parent, tag).text = text.translate(_FORBIDDEN)


def _quoted(address: str) -> str:
    return f'"{address}"' if " " in address else address
