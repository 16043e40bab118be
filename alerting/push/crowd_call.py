"""Crowd call: what a system of the site is told of an action for a crowd zone: that it begins, that it ends.

Never: does I/O, reads a clock, opens or closes anything: who is told does, or people do.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alerting.register.field import Words

BEGUN, ENDED = Words("begins", "开始"), Words("ends", "结束")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdCall:
    """One message.

    Attributes:
        number: Of the action, the same at its begin and its end.
        measure: hold_gates, one_way, divert, stop_sales or announce.
        persons: Head count; None where nobody knows it.
        takes: Capacity in force, persons.
        by: Who confirmed or ended it.
    """

    number: int
    zone: str
    name: str
    unit: str
    action: str
    measure: str
    title: Words
    text: Words
    do: Literal["begin", "end"]
    tier: str
    persons: float | None
    takes: int | None
    by: str
    reason: str


def crowd_body(
    call: CrowdCall, *, key: str, site: Mapping[str, Any], nature: str, prefix: str, time: str
) -> str:  # fmt: skip
    """Compose the message, canonical JSON.

    Args:
        site: Its id and title.
        prefix: What exercises and tests begin with.
        time: ISO 8601, by the site's clock.
    """
    does = BEGUN if call.do == "begin" else ENDED
    body = {
        "key": key,
        "subject": "crowd_action",
        "site": dict(site),
        "nature": nature,
        "time": time,
        "number": call.number,
        "zone": {"code": call.zone, "name": call.name},
        "unit": call.unit,
        "action": {
            "id": call.action,
            "measure": call.measure,
            "title": call.title.both(),
            "text": call.text.both(),
        },
        "do": call.do,
        "tier": call.tier,
        "persons": call.persons,
        "takes": call.takes,
        "by": call.by,
        "reason": call.reason,
        "text": {
            "en": f"{prefix}{call.name}: {call.title.en} {does.en}.",
            "zh": f"{prefix}{call.name}：{call.title.zh}{does.zh}。",
        },
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
