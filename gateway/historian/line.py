r"""Samples as InfluxDB line protocol, built from columns.

``fengsui,nature=actual,site=demo,tag=TK-101.level,unit=TK-101 value=4.31,quality=0i 1767225600000000000``

A value that is no number cannot be written; such a line carries the quality alone. In tag values ``,`` ``=`` and space
are escaped as the protocol says. A backslash cannot be written so that all servers read the same (InfluxDB keeps
``\\`` as two, VictoriaMetrics reads one), nor can control characters: each becomes ``_``, and ``~`` with six hex
digits of the true name's digest keeps two such names apart.

Why: joining prepared prefixes with numbers that orjson printed costs 0.1 to 0.3 µs a value; objects cost 3.5 µs.
Never: does I/O.
"""

import hashlib
import re
from collections.abc import Sequence

import orjson

from edge.model.scan import QualityColumn, TimesNs, Values

MEASUREMENT = b"fengsui"
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_SPECIAL = re.compile(r"([,= ])")
_AFTER_VALUE = [b",quality=%di " % quality for quality in range(256)]
_ALONE = [b" quality=%di " % quality for quality in range(256)]


def escape(text: str) -> str:
    """Give text as a tag value of the line protocol, distinct for distinct texts."""
    plain = _UNSPEAKABLE.sub("_", text)
    if plain != text:
        plain = f"{plain}~{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"
    return _SPECIAL.sub(r"\\\1", plain)


def make_prefix(labels: dict[str, str]) -> bytes:
    """Give measurement and labels, up to the space before the fields; empty labels are left out."""
    named = (f",{key}={escape(text)}".encode() for key, text in sorted(labels.items()) if text)
    return MEASUREMENT + b"".join(named)


def compose(prefixes: Sequence[bytes], times_ns: TimesNs, values: Values, quality: QualityColumn) -> list[bytes]:
    """Give one line a sample, without line ends."""
    numbers = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    stamps = orjson.dumps(times_ns, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    return [
        prefix + _ALONE[q] + stamp if number == b"null" else prefix + b" value=" + number + _AFTER_VALUE[q] + stamp
        for prefix, number, q, stamp in zip(prefixes, numbers, quality.tolist(), stamps, strict=True)
    ]
