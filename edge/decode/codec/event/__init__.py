"""Events as JSON: what happened, where, and whether it began or ended, as camera and access systems send it.

An event has a code (``4001``, ``smoke``) that names the tag, and a state (``start``, ``1``, a count) that is its value.
Codes and states are the sender's; two lists in the configuration translate them. A state that no list names and that
is no number is BAD(unmapped): it is seen, and never taken for an end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from edge.decode.moment import moment_ns
from edge.decode.payload import NO_TIME, Batch, Path, Refusal, number_of
from edge.model import Quality, Reason
from edge.model.quality import encode

EVENTS_MAX: Final = 1_000  # In one payload.
BAD_UNMAPPED: Final = encode(Quality.BAD, Reason.UNMAPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLayout:
    """Where things stand in an event, and what the sender's words mean.

    Attributes:
        event: Keys down to the code.
        device: Keys down to the device's name; None where events have none.
        value: Keys down to the state.
        time: Keys down to the time; None for the receive time.
        names: Our name of a code; one that is not here keeps its own.
        codes: Value of a state that is a text.
        tag: How tags are named, with ``{name}`` and perhaps ``{device}``.
    """

    event: Path = ("event",)
    device: Path | None = None
    value: Path = ("state",)
    time: Path | None = ("ts",)
    names: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, float] = field(default_factory=dict)
    tag: str = "{name}"


def read_event(payload: bytes, layout: EventLayout) -> Batch | Refusal:
    """Read one event, or a list of them; a payload with one that is none is refused whole."""
    try:
        document = orjson.loads(payload)
        events = document if isinstance(document, list) else [document]
        if not 0 < len(events) <= EVENTS_MAX:
            return Refusal.MALFORMED
        read = [_read(event, layout) for event in events]
    except (ValueError, KeyError, TypeError, IndexError):
        return Refusal.MALFORMED
    return Batch(
        names=[name for name, *_ in read],
        values=np.array([value for _, value, _, _ in read], dtype=np.float64),
        quality=np.array([quality for _, _, quality, _ in read], dtype=np.uint8),
        times_ns=np.array([time_ns for *_, time_ns in read], dtype=np.int64),
    )


def _read(event: object, layout: EventLayout) -> tuple[str, float, int, int]:
    code = _text(_at(event, layout.event))
    device = "" if layout.device is None else _text(_at(event, layout.device))
    name = layout.tag.replace("{device}", device).replace("{name}", layout.names.get(code, code))
    value, quality = _state(_at(event, layout.value), layout.codes)
    stamp = None if layout.time is None else _at_or_none(event, layout.time)
    time_ns = NO_TIME if stamp is None else moment_ns(stamp)
    if time_ns is None:
        raise ValueError("a time that is none")
    return name, value, quality, time_ns


def _state(found: object, codes: Mapping[str, float]) -> tuple[float, int]:
    if isinstance(found, bool):
        found = "true" if found else "false"
        if found not in codes:
            return float(found == "true"), int(Quality.GOOD)
    text = str(found) if isinstance(found, int | str) else ""
    if text in codes:
        return codes[text], int(Quality.GOOD)
    value, quality = number_of(found)
    return (math.nan, BAD_UNMAPPED) if quality and isinstance(found, str) else (value, quality)


def _at(event: object, path: Path) -> object:
    found: Any = event
    for key in path:
        found = found[key]
    return found


def _at_or_none(event: object, path: Path) -> object:
    found: Any = event
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _text(found: object) -> str:
    if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
        return str(found)
    raise ValueError("a code or a device is a text or a whole number")
