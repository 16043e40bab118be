"""Words for votes: how many members agree and which, or that too many are out for anybody to say.

Flow: cause of an event of a vote -> [voted] -> clause
"""

from collections.abc import Mapping
from typing import Any, Literal

Facts = Mapping[str, Any]


def voted(facts: Facts, lang: Literal["en", "zh"], kinds_zh: Mapping[str, str]) -> str:
    """Say how a vote stands, or that it is lost.

    Args:
        facts: ``title, enough, members``, each with ``tag, kind, setpoint, value, eu, agrees``; where it is lost
            ``lost``: ``title, members, out``; ``holds``, ``on_delay_s``.
        kinds_zh: What the kinds of limit are called in Chinese.
    """
    holds = bool(facts.get("holds", facts.get("tier") != "NONE"))
    delay_s = facts.get("on_delay_s") if holds else None
    lost = facts.get("lost")
    if lang == "zh":
        delay = f",持续 {delay_s:g} 秒" if delay_s else ""
        return _lost_zh(facts, delay, holds=holds) if lost else _voted_zh(facts, delay, kinds_zh, holds=holds)
    delay = f" for {delay_s:g} s" if delay_s else ""
    return _lost_en(facts, delay, holds=holds) if lost else _voted_en(facts, delay, holds=holds)


def _voted_en(facts: Facts, delay: str, *, holds: bool) -> str:
    """``vote gas (Gas in R-2): 2 of 3 agree, 2 are enough: G-1.lel 30 %LEL (H 20 %LEL), …; not …; out G-4.lel``."""
    agree, others, out = _sides(facts, {}, " ({})")
    enough = facts.get("enough", "?")
    said = f"vote {_name(facts, 'en')}: {len(agree)} of {len(facts.get('members', ()))} agree"
    said += f", {enough} {'is' if enough == 1 else 'are'} enough" if holds else f", fewer than {enough}"
    parts = [", ".join(agree), f"not {', '.join(others)}" if others else "", f"out {', '.join(out)}" if out else ""]
    told = "; ".join(filter(None, parts))
    return f"{said}{delay}: {told}" if told else said + delay


def _voted_zh(facts: Facts, delay: str, kinds: Mapping[str, str], *, holds: bool) -> str:
    """``表决 gas(…):3 个成员中 2 个成立,达到所需 2 个:成立 G-1.lel 30 %LEL(高报 20 %LEL)…``."""
    agree, others, out = _sides(facts, kinds, "({})")
    said = f"表决 {_name(facts, 'zh')}:{len(facts.get('members', ()))} 个成员中 {len(agree)} 个成立"
    said += f",{'达到' if holds else '不足'}所需 {facts.get('enough', '?')} 个{delay}"
    parts = [
        f"成立 {'、'.join(agree)}" if agree else "",
        f"不成立 {'、'.join(others)}" if others else "",
        f"退出 {'、'.join(out)}" if out else "",
    ]
    told = ";".join(filter(None, parts))
    return f"{said}:{told}" if told else said


def _sides(facts: Facts, kinds: Mapping[str, str], about: str) -> tuple[list[str], list[str], list[str]]:
    """Part the members into those that agree, those that do not, and those that are out."""
    found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for member in facts.get("members", ()):
        said = str(member["tag"])
        if member["agrees"] is not None:
            limit = f"{kinds.get(member['kind'], member['kind'])} {_number(member, 'setpoint')}"
            said += f" {_number(member, 'value')}{about.format(limit)}"
        found[member["agrees"]].append(said)
    return found[True], found[False], found[None]


def _lost_en(facts: Facts, delay: str, *, holds: bool) -> str:
    """``vote gas is lost: 2 of 3 members cannot be judged for 3 s: G-1.lel, G-2.lel``."""
    lost = facts["lost"]
    said = f"vote {_name(facts, 'en')} {'is lost' if holds else 'can be judged again'}"
    said += f": {len(lost['out'])} of {lost['members']} members cannot be judged{delay}"
    return f"{said}: {', '.join(lost['out'])}" if lost["out"] else said


def _lost_zh(facts: Facts, delay: str, *, holds: bool) -> str:
    lost = facts["lost"]
    said = f"表决 {_name(facts, 'zh')} {'失效' if holds else '恢复判定'}"
    said += f":{lost['members']} 个成员中 {len(lost['out'])} 个无法判定{delay}"
    return f"{said}:{'、'.join(lost['out'])}" if lost["out"] else said


def _name(facts: Facts, lang: str) -> str:
    """Give the vote's id, and its title where that says more."""
    tag = str(facts.get("tag", "?"))
    title = (facts.get("lost") or facts).get("title", {}).get(lang) or tag
    if title == tag:
        return tag
    return f"{tag}({title})" if lang == "zh" else f"{tag} ({title})"


def _number(member: Facts, name: str) -> str:
    number = member.get(name)
    text = "?" if number is None else f"{number:.6g}"
    return f"{text} {member['eu']}" if member.get("eu") else text
