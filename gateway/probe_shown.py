"""A survey and its guesses as facts, for the API and for ``fengsui probe --json``.

All registers are given from 0 as on the wire (``register``), as the source's tag table counts (``counted``), and in the
notation of manuals (``notation``: 40001 is holding register 0).
"""

import math
from typing import Any

from edge.collect.modbus.address import BIT_TABLES, FUNCTION
from edge.collect.modbus.frame import Failure
from edge.decode.guess import Expected, Guess, guesses
from edge.model import Reason
from gateway.probe import Probed

#: First number of each table in the notation of manuals, which counts from 1.
NOTATION = {"coil": 1, "discrete": 10_001, "input": 30_001, "holding": 40_001}
NOTATION_MAX = 9_999


def probe_shown(found: Probed, wanted: Expected | None, counts_from: int, place: str) -> dict[str, Any]:
    """Give a survey for people: each register as it came, and the guesses."""
    survey = found.survey
    best = [] if survey.table in BIT_TABLES else guesses(survey.words, survey.known, survey.first, survey.asked, wanted)
    return {
        "place": place,
        "source": found.source,
        "reason": found.reason,
        "seconds": round(found.seconds, 3),
        "table": survey.table,
        "function": FUNCTION[survey.table],
        "requests": survey.requests,
        "counts_from": counts_from,
        "failure": None if survey.failure is None else failure_shown(survey.failure),
        "registers": [
            _register(at, int(word), bool(known), counts_from, found)
            for at, (word, known) in enumerate(zip(survey.words, survey.known, strict=True), start=survey.first)
        ],
        "guesses": [_guess(one, survey.asked, counts_from) for one in best],
    }


def failure_shown(failure: Failure) -> dict[str, Any]:
    """Give why a request gave no values; ``budget`` where it was not sent any more."""
    reason = "budget" if failure.reason is Reason.NONE else failure.reason.name.lower()
    return {"reason": reason, "code": failure.code}


def _register(at: int, word: int, known: bool, counts_from: int, found: Probed) -> dict[str, Any]:  # noqa: FBT001
    survey = found.survey
    shown = {
        "register": at,
        "counted": at + counts_from,
        "notation": str(NOTATION[survey.table] + at).zfill(5) if at < NOTATION_MAX else "",
        "is_asked": at in survey.asked,
    }
    if not known:
        failure = survey.failures.get(at)
        return shown | {"failure": None if failure is None else failure_shown(failure)}
    if survey.table in BIT_TABLES:
        return shown | {"bit": word}
    said = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in word.to_bytes(2, "big"))  # noqa: PLR2004
    digits = f"{word:04X}"
    return shown | {
        "hex": digits,
        "uint16": word,
        "int16": word - 65_536 if word > 32_767 else word,  # noqa: PLR2004 - the border of two's complement
        "bcd": int(digits) if digits.isdecimal() else None,
        "bits": f"{word:016b}",
        "text": said,
    }


def _guess(one: Guess, asked: range, counts_from: int) -> dict[str, Any]:
    return {
        "register": one.register,
        "counted": one.register + counts_from,
        "away": one.register - asked.start if one.register not in asked or len(asked) == 1 else 0,
        "words": one.words,
        "types": list(one.types),
        "order": one.order,
        "scale": one.scale,
        "value": one.value if math.isfinite(one.value) else None,
        "text": one.text,
        "score": one.score,
    }
