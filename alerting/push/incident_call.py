"""Incident call: what a member of a headquarters is told when an incident opens or its response grade is raised.

Why: whoever is called at night must read where, what, which grade and which duty is his in one message; all incidents
    of one tick are one message.
Never: does I/O, tells the phone number of one person to another.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from alerting.push.call import Addressee
from alerting.register.field import Words

#: So many are written out; the page shows the others.
SHOWN: Final = 5
GRADES: Final = ("–", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One duty in one incident.

    Attributes:
        unit: Title of its hazard unit.
        accident: Title of the type of accident.
        grade: Response grade, 1 to 4.
    """

    incident: int
    unit: Words
    accident: Words
    grade: int
    headquarters: Words
    duty: Words


def incident_body(
    called: Sequence[Called], to: Addressee, *, key: str, site: Mapping[str, Any], nature: str, prefix: str, time: str
) -> str:
    """Compose the message, canonical JSON.

    Args:
        site: Its id and title.
        prefix: What exercises and tests begin with.
        time: ISO 8601, by the site's clock.
    """
    ordered = sorted(called, key=lambda one: (one.grade, one.incident))
    zh = f"{prefix}应急指挥部召集:" + ";".join(
        f"{one.incident} 号事件 {one.unit.zh} {one.accident.zh},{GRADES[one.grade]}级响应,"
        f"您在{one.headquarters.zh}任{one.duty.zh}"
        for one in ordered[:SHOWN]
    )
    en = f"{prefix}Headquarters called: " + "; ".join(
        f"incident {one.incident}, {one.unit.en}, {one.accident.en}, response grade {GRADES[one.grade]}; "
        f"you are {one.duty.en} in {one.headquarters.en}"
        for one in ordered[:SHOWN]
    )
    more = len(ordered) - SHOWN
    if more > 0:
        zh, en = f"{zh};另有 {more} 项", f"{en}; {more} more"
    body = {
        "key": key,
        "subject": "headquarters",
        "site": dict(site),
        "nature": nature,
        "to": asdict(to),
        "time": time,
        "incidents": [
            {
                "incident": one.incident,
                "unit": one.unit.both(),
                "accident": one.accident.both(),
                "grade": one.grade,
                "headquarters": one.headquarters.both(),
                "duty": one.duty.both(),
            }
            for one in ordered
        ],
        "text": {"zh": f"{zh}。", "en": f"{en}."},
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
