"""Sparkplug B: the payload of births, data and deaths, and the one command that we give.

Flow: payload -> [read_payload] -> metrics -> births know tag and type -> [reading_of] -> value and quality
Why in two steps: a data message names a metric by its alias alone; its type stands in the birth.
Never: raises for what was sent.

Chapters are those of the Sparkplug specification 3.0.0.

======================  =======================================================================
type                    value
======================  =======================================================================
Int8 … Int64, UInt…     the number; two's complement in the type's own width, in 32 or in 64 bits
Float, Double           the number; NaN and infinity are BAD(not_a_number)
Boolean                 1, 0
String, Text            the number that the text is, else BAD(malformed)
DateTime                milliseconds since 1970 UTC
anything else           BAD(malformed): a tag is one number
``is_null``             BAD(device)
property ``Quality``    192 GOOD, 500 (stale) BAD(comms), 64 to 127 UNCERTAIN(device), others BAD(device)
======================  =======================================================================
"""

import math
from typing import Any, Final, NamedTuple

from edge.decode.codec.sparkplug.schema import PAYLOAD, DecodeError
from edge.decode.payload import BAD_DEVICE, BAD_MALFORMED, GOOD, Refusal, number_of
from edge.model import Quality, Reason
from edge.model.quality import encode

METRICS_MAX: Final = 10_000  # In one payload; each costs some 100 bytes while it is read.
SEQ_MAX: Final = 255  # §6.4.3
BOOLEAN: Final = 11
REBIRTH: Final = "Node Control/Rebirth"  # §5.12
BDSEQ: Final = "bdSeq"
#: Later stamps than this do not fit into int64 nanoseconds (the year 2262).
TIME_MS_MAX: Final = (2**63 - 1) // 1_000_000

#: Width in bits and sign of the whole numbers, by index of the type (§6.4.16).
_WHOLE: Final = {
    1: (8, True), 2: (16, True), 3: (32, True), 4: (64, True),
    5: (8, False), 6: (16, False), 7: (32, False), 8: (64, False),
    13: (64, False),
}  # fmt: skip
_FLOATS: Final = (9, 10)
_TEXTS: Final = (12, 14)

BAD_COMMS: Final = encode(Quality.BAD, Reason.COMMS)
UNCERTAIN_DEVICE: Final = encode(Quality.UNCERTAIN, Reason.DEVICE)
_QUALITY: Final = b"Quality"  # §6.4.15
_GOOD, _STALE, _UNCERTAIN = range(192, 256), 500, range(64, 128)


class Metric(NamedTuple):
    """One metric as it was sent.

    Attributes:
        name: Empty where only the alias is given.
        alias: -1 for none.
        time_ms: Since 1970 UTC; 0 for none, -1 for one that no clock shows.
        datatype: Index of its type; 0 for none.
        kind: Name of the field that holds the value; empty for none that is read.
        value: What that field holds; texts as bytes.
        quality: Quality byte by its property ``Quality``.
    """

    name: str
    alias: int
    time_ms: int
    datatype: int
    is_historical: bool
    is_null: bool
    kind: str
    value: int | float | bytes
    quality: int


class Payload(NamedTuple):
    """One payload.

    Attributes:
        time_ms: As of a metric.
        seq: 0 to 255; -1 for none.
    """

    time_ms: int
    seq: int
    metrics: list[Metric]


def read_payload(payload: bytes) -> Payload | Refusal:
    """Read a payload; what is no protobuf, has no such sequence number or too many metrics is refused whole."""
    try:
        message = PAYLOAD.FromString(payload)
        seq = int(message.seq) if message.HasField("seq") else -1
        if seq > SEQ_MAX or len(message.metrics) > METRICS_MAX:
            return Refusal.MALFORMED
        return Payload(_time_ms(message.timestamp), seq, [_metric(one) for one in message.metrics])
    except (DecodeError, UnicodeDecodeError):
        return Refusal.MALFORMED


def _metric(one: Any) -> Metric:  # noqa: ANN401 - see schema
    kind = one.WhichOneof("value") or ""
    return Metric(
        one.name.decode(),
        one.alias if one.HasField("alias") else -1,
        _time_ms(one.timestamp),
        one.datatype,
        one.is_historical,
        one.is_null,
        kind,
        getattr(one, kind) if kind else 0,
        _quality_of(one.properties) if one.HasField("properties") else GOOD,
    )


def _time_ms(time_ms: int) -> int:
    return time_ms if time_ms <= TIME_MS_MAX else -1


def _quality_of(properties: Any) -> int:  # noqa: ANN401 - see schema
    keys = list(properties.keys)
    if _QUALITY not in keys:
        return GOOD
    at = keys.index(_QUALITY)
    if at >= len(properties.values):
        return BAD_MALFORMED
    value = properties.values[at]
    kind = value.WhichOneof("value")
    code = getattr(value, kind) if kind and not value.is_null else -1
    if code in _GOOD:
        return GOOD
    if code in _UNCERTAIN:
        return UNCERTAIN_DEVICE
    return BAD_COMMS if code == _STALE else BAD_DEVICE


def reading_of(metric: Metric, datatype: int) -> tuple[float, int]:
    """Give value and quality byte of a metric whose type is known, by the table in the module head."""
    if metric.quality >= Quality.BAD:
        return math.nan, metric.quality
    if metric.is_null:
        return math.nan, BAD_DEVICE
    value, quality = _value_of(metric, datatype)
    return value, metric.quality if quality == GOOD else quality


def _value_of(metric: Metric, datatype: int) -> tuple[float, int]:
    kind, value = metric.kind, metric.value
    if datatype in _WHOLE:
        if kind in ("int_value", "long_value"):
            assert isinstance(value, int), kind
            whole = _whole(value, *_WHOLE[datatype])
            if whole is not None:
                return float(whole), GOOD
    elif datatype in _FLOATS:
        if kind in ("float_value", "double_value"):
            return number_of(value)
    elif datatype == BOOLEAN:
        if kind == "boolean_value":
            return float(value), GOOD
    elif datatype in _TEXTS and kind == "string_value":
        assert isinstance(value, bytes), kind
        return number_of(value.decode("utf-8", "replace"))
    return math.nan, BAD_MALFORMED


def _whole(raw: int, bits: int, is_signed: bool) -> int | None:  # noqa: FBT001 - a row of the table
    """Read a whole number; senders write a negative one in the type's own width, in 32 or in 64 bits."""
    if not is_signed:
        return raw if raw < 1 << bits else None
    half = 1 << (bits - 1)
    if raw < half:
        return raw
    for width in (bits, 32, 64):
        if -half <= raw - (1 << width) < 0:
            return raw - (1 << width)
    return None


def bdseq_of(payload: Payload) -> int:
    """Give the number that pairs a death with its birth (§6.4.19), -1 where there is none."""
    for metric in payload.metrics:
        if metric.name == BDSEQ and metric.kind in ("int_value", "long_value"):
            assert isinstance(metric.value, int), metric
            return metric.value
    return -1


def rebirth_payload(time_ms: int) -> bytes:
    """Compose a rebirth request (§5.12): the one metric, true; a command has a time and no sequence number."""
    metric = {"name": REBIRTH.encode(), "timestamp": time_ms, "datatype": BOOLEAN, "boolean_value": True}
    composed: bytes = PAYLOAD(timestamp=time_ms, metrics=[metric]).SerializeToString(deterministic=True)
    return composed
