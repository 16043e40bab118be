"""Instrument notes: what is said beside a value because of the instrument that gives it.

Why: a calibration that has ended makes a value doubtful to a person, not BAD to a rule: alarms go on as they are.
Never: does I/O, reads a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from alerting.register.field import Words
from alerting.register.ledger import STATE
from alerting.register.ledgers.instruments import BYPASSED, RETIRED

What: TypeAlias = Literal["calibration", "proof", "bypass", "bypass_over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing to say.

    Attributes:
        day: The last day in time, ISO 8601; of a bypass the one until which it is meant.
    """

    what: What
    day: str
    said: Words


def notes_of(values: Mapping[str, Any], today: str) -> list[Note]:
    """Give what is to be said of an instrument on a day, ISO 8601; the last day in time is not overdue."""
    if values.get(STATE) == RETIRED:
        return []
    code, found = values["code"], []
    day = str(values.get("calibrated_until", ""))
    if day and day < today:
        said = Words(f"{code}: calibration ended on {day}", f"{code}：检定有效期已于 {day} 届满")
        found.append(Note(what="calibration", day=day, said=said))
    day = str(values.get("proof_due", ""))
    if day and day < today:
        said = Words(f"{code}: proof test was due on {day}", f"{code}：功能测试已于 {day} 到期")
        found.append(Note(what="proof", day=day, said=said))
    if values.get(STATE) == BYPASSED:
        since, until = values["bypass_on"], str(values["bypass_until"])
        trips = values.get("interlock", "")
        said = Words(
            f"{code}: bypassed since {since}, until {until}{f' (trips: {trips})' if trips else ''}",
            f"{code}：自 {since} 起旁路，期限 {until}{f'（联锁：{trips}）' if trips else ''}",
        )
        found.append(Note(what="bypass", day=until, said=said))
        if until < today:
            over = Words(f"{code}: the bypass should have ended on {until}", f"{code}：旁路已超过期限 {until}")
            found.append(Note(what="bypass_over", day=until, said=over))
    return found
