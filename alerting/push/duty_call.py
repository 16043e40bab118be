"""Duty call: what a person is told of duties that fall due, are due, or are overdue.

Why: whoever gets it must know what is to be done where, by when, by which basis; all that a look tells one person
    is one message, so that a month's end is not thirty of them.
Never: does I/O, tells the phone number of one person to another.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from alerting.duty.kind import STEP_TITLES, STEPS, Step
from alerting.push.call import Addressee
from alerting.register.field import Words

#: So many are written out; the page shows the others.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One duty in a message.

    Attributes:
        number: How often supervision was told, this time included; 1 for the other steps.
        due: Day or moment, as people read it.
        holder: A user's name, or a word for programs: ``leader``, ``post:ID``, ``person:NAME``.
        holder_said: The same, as people read it.
    """

    duty: str
    kind: str
    step: Step
    number: int
    title: Words
    code: str
    about: str
    unit: str
    due: str
    holder: str
    holder_said: Words
    basis: Words


def duty_body(
    told: Sequence[Told],
    to: Addressee | None,
    *,
    key: str,
    site: Mapping[str, Any],
    nature: str,
    prefix: str,
    time: str,
) -> str:
    """Compose the message, canonical JSON.

    Args:
        to: None for the channel itself, a group.
        site: Its id and title.
        prefix: What exercises and tests begin with.
        time: ISO 8601, by the site's clock.
    """
    ordered = sorted(told, key=lambda one: (-STEPS.index(one.step), one.due, one.code))
    zh = f"{prefix}{_counted(ordered, 'zh')}:" + ";".join(_line(one, "zh") for one in ordered[:SHOWN])
    en = f"{prefix}{_counted(ordered, 'en')}: " + "; ".join(_line(one, "en") for one in ordered[:SHOWN])
    more = len(ordered) - SHOWN
    if more > 0:
        zh, en = f"{zh};另有 {more} 项", f"{en}; {more} more"
    body = {
        "key": key,
        "subject": "duties",
        "site": dict(site),
        "nature": nature,
        "to": None if to is None else asdict(to),
        "time": time,
        "duties": [
            {
                **asdict(one),
                "title": one.title.both(),
                "basis": one.basis.both(),
                "step": one.step.value,
                "holder_said": one.holder_said.both(),
            }
            for one in ordered
        ],
        "text": {"zh": f"{zh}。", "en": f"{en}."},
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _counted(told: Sequence[Told], language: str) -> str:
    counts = [(step, sum(one.step is step for one in told)) for step in reversed(STEPS)]
    if language == "zh":
        return "、".join(f"{STEP_TITLES[step].zh} {n} 项" for step, n in counts if n)
    return ", ".join(f"{STEP_TITLES[step].en} {n}" for step, n in counts if n)


def _line(one: Told, language: str) -> str:
    again = one.number > 1
    if language == "zh":
        tail = f",责任人 {one.holder_said.zh}" if one.holder else ""
        head = f"{STEP_TITLES[one.step].zh}{f'(第 {one.number} 次)' if again else ''}"
        return f"{head} {one.title.zh} {one.code} {one.about},期限 {one.due}{tail}(依据:{one.basis.zh})"
    tail = f", {one.holder_said.en} answers for it" if one.holder else ""
    head = f"{STEP_TITLES[one.step].en}{f' {one.number}' if again else ''}"
    return f"{head}: {one.title.en}, {one.code} {one.about}, due {one.due}{tail} (basis: {one.basis.en})"
