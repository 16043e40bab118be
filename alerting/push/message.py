"""Message: calls as a person reads them: one alarm whole, or many as a digest, cut to what a channel carries.

Flow: bodies of calls that wait for one reader -> [one_message, digest] -> title and text
Why: who is called needs what, where, value, limit, since when, what to do and a link, in this order; and where more
    alarms wait than a channel lets through, each must still be named.
Never: does I/O, reads a clock, leaves out an alarm: what does not fit waits for the next message.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from alerting.model.tier import Tier
from alerting.push.template import Template, filled
from alerting.push.words import TIER_ZH
from edge.model import Nature

Tongue: TypeAlias = Literal["zh", "en", "both"]
TONGUES: Final = ("zh", "en", "both")
Markup: TypeAlias = Literal["markdown", "plain"]
#: Gives the size of a text as a channel counts it.
Measure: TypeAlias = Callable[[str], int]

#: One letter in Chinese for a line of a digest; the words of ``TIER_ZH`` without their last character.
TIER_SHORT_ZH: Final = {name: word[:1] for name, word in TIER_ZH.items()}
#: Between the two languages of one message.
RULE: Final = {"markdown": "\n\n---\n\n", "plain": "\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a channel's messages look like.

    Attributes:
        size_max: Most that one message holds, by ``measure``.
        keyword: Must stand in every message, or the robot refuses it; empty for none.
        mention: People are named by their phone numbers, so that the chat rings for them.
        is_number_in_text: The numbers stand in the text, too; else beside it.
        is_by_person: A message goes to one person; else all read the same.
        template: Words of the site's own for calls and reminders; None for the usual ones.
    """

    markup: Markup
    tongue: Tongue
    size_max: int
    measure: Measure
    keyword: str = ""
    mention: bool = False
    is_number_in_text: bool = True
    is_by_person: bool = False
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a message; all empty for a group.

    Attributes:
        address: What the channel itself wants, e.g. an account of a chat.
    """

    person: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one use of a channel carries.

    Attributes:
        parts: Texts to send one after the other; more than one only where a single alarm's text is too long.
        phones: People who are to be named in a group.
        keys: Of the calls that it tells of, in order.
        tier: The gravest.
    """

    title: str
    parts: tuple[str, ...]
    reader: Reader
    phones: tuple[str, ...]
    keys: tuple[str, ...]
    tier: Tier


#: Kinds of calls that are told by their text, each by a message of its own: a trial, and what is about no alarm.
TRIAL: Final = "test"
NOTE: Final = "note"


def read_call(body: str | bytes) -> dict[str, Any]:
    """Read a body that waits for people; what is about no alarm, as a duty that falls due, is a note."""
    told: dict[str, Any] = json.loads(body)
    if told["subject"] == "call":
        return told
    defaults = {"kind": NOTE, "tier": Tier.NONE.name, "unit": told["site"], "since": told["time"]}
    return {**defaults, **told}


def is_alone(call: Mapping[str, Any]) -> bool:
    """Tell whether a call never stands in a digest."""
    return call["kind"] in (TRIAL, NOTE)


def reader_of(call: Mapping[str, Any]) -> Reader:
    """Give who a call is for."""
    to = call.get("to") or {}
    return Reader(
        person=to.get("person", ""),
        phone=to.get("phone", ""),
        email=to.get("email", ""),
        address=to.get("address", ""),
    )


def one_message(call: Mapping[str, Any], form: Form) -> Message:
    """Tell of one alarm, whole; a report in its own language, whatever the channel's is."""
    form = replace(form, tongue=call["language"]) if "language" in call else form
    blocks = [_block(call, lang, form) for lang in _languages(form.tongue)]
    text = RULE[form.markup].join(block for block in blocks)
    title = head(call, _languages(form.tongue)[0], form.template)
    phones = _phones([call], form)
    tail = _tail(phones, form, has_keyword=form.keyword in text)
    return Message(
        title=title,
        parts=tuple(split(text, tail, form)),
        reader=reader_of(call),
        phones=phones,
        keys=(str(call["key"]),),
        tier=Tier[call["tier"]],
    )


def digest(calls: Sequence[Mapping[str, Any]], form: Form) -> Message:
    """Tell of as many alarms as one message holds, in the order given; the first always goes.

    An alarm that is called about twice stands once, with what was said last; both calls are told by it.
    """
    rows = [(_subject(call), _line(call, form)) for call in calls]
    least, most = 1, len(calls)
    while least < most:
        half = (least + most + 1) // 2
        fits = form.measure(_digest_text(calls[:half], dict(rows[:half]), form)) <= form.size_max
        least, most = (half, most) if fits else (least, half - 1)
    taken, lines = calls[:least], dict(rows[:least])
    if len(taken) == 1:
        return one_message(taken[0], form)
    return Message(
        title=_digest_head(taken, len(lines), _languages(form.tongue)[0]),
        parts=(_digest_text(taken, lines, form),),
        reader=reader_of(taken[0]),
        phones=_phones(taken, form),
        keys=tuple(str(call["key"]) for call in taken),
        tier=max(Tier[call["tier"]] for call in taken),
    )


def split(text: str, tail: str, form: Form) -> list[str]:
    """Cut a text into parts that fit, each with the tail; at lines where that is possible."""
    if form.measure(text + tail) <= form.size_max:
        return [text + tail]
    parts: list[str] = []
    rest = text
    while rest:
        most = _fitting(rest, tail, form)
        cut = most
        if most < len(rest):
            at = rest.rfind("\n", 0, most)
            cut = at + 1 if at > most // 2 else most
        parts.append(rest[:cut].rstrip("\n") + tail)
        rest = rest[cut:]
    return parts


def _fitting(text: str, tail: str, form: Form) -> int:
    """Give how many characters fit beside the tail; at least one."""
    least, most = 1, len(text)
    while least < most:
        half = (least + most + 1) // 2
        least, most = (half, most) if form.measure(text[:half] + tail) <= form.size_max else (least, half - 1)
    return least


# ------------------------------------------------------------------------------------------------------------- one


def head(call: Mapping[str, Any], lang: str, template: Template | None = None) -> str:
    """Say what and where, e.g. ``【红色预警】TK-101 储罐``."""
    prefix = Nature(call["nature"]).prefix
    where = _unit(call, lang)
    if template is not None and lang in template.title and not is_alone(call):
        return prefix + " ".join(filled(template.title[lang], call, lang))
    if call["kind"] == NOTE and "title" in call:
        return str(call["title"][lang])
    if call["kind"] == NOTE:
        return f"{prefix}【通知】{where}" if lang == "zh" else f"{prefix}[Notice] {where}"
    if call["kind"] == TRIAL:
        return f"{prefix}渠道测试 {where}" if lang == "zh" else f"{prefix}channel test {where}"
    if lang == "zh":
        kind = "提醒" if call["kind"] == "reminder" else "预警"
        return f"{prefix}【{TIER_ZH[call['tier']]}{kind}】{where}"
    kind = "reminder" if call["kind"] == "reminder" else "early warning"
    return f"{prefix}[{call['tier']} {kind}] {where}"


def _block(call: Mapping[str, Any], lang: str, form: Form) -> str:
    is_zh, is_rich = lang == "zh", form.markup == "markdown"
    said: Mapping[str, str] = call.get("clause") or call["text"]
    template = form.template
    if is_alone(call):
        lines = [call["text"][lang].removeprefix(Nature(call["nature"]).prefix)]
    else:
        lines = [_pair("情况" if is_zh else "What", said[lang], is_zh)]
        lines.append(_pair("始于" if is_zh else "Since", _since(call, is_zh), is_zh))
        if call["kind"] == "reminder" and call.get("acked_by"):
            text = (
                f"{call['acked_by']} 已确认,仍未恢复"
                if is_zh
                else f"{call['acked_by']} acknowledged it; it still stands"
            )
            lines.append(_pair("状态" if is_zh else "State", text, is_zh))
        if todo := (call.get("todo") or {}).get(lang):
            lines.append(_pair(_do(call.get("respond_min"), is_zh), todo, is_zh))
    if template is not None and lang in template.text and not is_alone(call):
        lines = filled(template.text[lang], call, lang)
    elif link := call.get("link"):
        word = "打开报警" if is_zh else "Open the alarm"
        lines.append(f"[{word}]({link})" if is_rich else str(link))
    lines = [_one_line(line) for line in lines]
    title = head(call, lang, template)
    if is_rich:
        return f"### {title}\n\n" + "\n".join(f"- {line}" for line in lines)
    return "\n".join([title, *lines])


def _do(within: float | None, is_zh: bool) -> str:  # noqa: FBT001 - which language
    """Give the head of what to do, with the time in which it works where that is stated."""
    if not within:
        return "处置" if is_zh else "Do"
    return f"处置(限 {within:g} 分钟内)" if is_zh else f"Do within {within:g} min"


def _pair(name: str, text: str, is_zh: bool) -> str:  # noqa: FBT001 - which language
    return f"{name}:{text}" if is_zh else f"{name}: {text}"


def _since(call: Mapping[str, Any], is_zh: bool) -> str:  # noqa: FBT001 - which language
    moment = str(call["since"])[:19].replace("T", " ")
    minutes = call.get("minutes", 0)
    return f"{moment},已 {minutes} 分钟" if is_zh else f"{moment}, for {minutes} min"


# ------------------------------------------------------------------------------------------------------------ many


def _subject(call: Mapping[str, Any]) -> str:
    """Give what two calls have in common that tell of one alarm."""
    return str(call.get("alarm") or call["key"])


def _line(call: Mapping[str, Any], form: Form) -> str:
    said: Mapping[str, str] = call.get("clause") or call["text"]
    at = str(call["since"])[11:19]
    texts = []
    for lang in _languages(form.tongue):
        if form.template is not None and lang in form.template.line:
            texts.append(" ".join(filled(form.template.line[lang], call, lang)))
            continue
        tier = TIER_SHORT_ZH[call["tier"]] if lang == "zh" else call["tier"]
        word = ",提醒" if lang == "zh" else ", reminder"
        again = word if call["kind"] == "reminder" else ""
        texts.append(f"{tier} {_unit(call, lang)} {said[lang]},{at}{again}" if lang == "zh"
                     else f"{tier} {_unit(call, lang)}: {said[lang]}, {at}{again}")  # fmt: skip
    return _one_line(" / ".join(texts))


def _digest_head(calls: Iterable[Mapping[str, Any]], alarms: int, lang: str) -> str:
    by_subject = {_subject(call): call for call in calls}
    count = {
        tier: sum(call["tier"] == tier.name for call in by_subject.values()) for tier in sorted(Tier, reverse=True)
    }
    prefix = Nature(next(iter(by_subject.values()))["nature"]).prefix
    if lang == "zh":
        said = "、".join(f"{TIER_SHORT_ZH[tier.name]} {n}" for tier, n in count.items() if n)
        return f"{prefix}【预警汇总】{alarms} 条:{said}"
    said = ", ".join(f"{tier.name} {n}" for tier, n in count.items() if n)
    return f"{prefix}[Early warnings] {alarms} alarms: {said}"


def _digest_text(calls: Sequence[Mapping[str, Any]], lines: Mapping[str, str], form: Form) -> str:
    is_rich = form.markup == "markdown"
    heads = [_digest_head(calls, len(lines), lang) for lang in _languages(form.tongue)]
    top = "\n".join(f"### {line}" if is_rich else line for line in heads)
    rows = [f"{place}. {line}" for place, line in enumerate(lines.values(), start=1)]
    text = top + ("\n\n" if is_rich else "\n") + "\n".join(rows)
    if page := calls[0].get("page"):
        text += (
            f"\n\n[{'打开报警列表' if form.tongue != 'en' else 'Open the alarms'}]({page})" if is_rich else f"\n{page}"
        )
    return text + _tail(_phones(calls, form), form, has_keyword=form.keyword in text)


# ---------------------------------------------------------------------------------------------------------- shared


def _languages(tongue: Tongue) -> tuple[Literal["zh", "en"], ...]:
    return ("zh", "en") if tongue == "both" else (tongue,)


def _unit(call: Mapping[str, Any], lang: str) -> str:
    title: str = call["unit"]["title"].get(lang, "")
    return title or str(call["unit"]["id"])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _phones(calls: Iterable[Mapping[str, Any]], form: Form) -> tuple[str, ...]:
    if not form.mention:
        return ()
    found = (mobile(reader_of(call).phone) for call in calls)
    return tuple(dict.fromkeys(phone for phone in found if phone))


def _tail(phones: Sequence[str], form: Form, *, has_keyword: bool) -> str:
    """Give what stands at the end of each part: the keyword where it is not in the text, and who is named."""
    words = ([] if has_keyword else [form.keyword]) + [f"@{phone}" for phone in phones if form.is_number_in_text]
    return "\n\n" + " ".join(words) if words else ""


def mobile(phone: str) -> str:
    """Write a number as chats of mainland China know it: 11 digits, others with ``+`` and digits."""
    digits = "".join(sign for sign in phone if sign.isdigit())
    national = 11
    if digits.startswith("86") and len(digits) == national + 2:
        return digits[2:]
    return f"+{digits}" if phone.strip().startswith("+") and digits else digits
