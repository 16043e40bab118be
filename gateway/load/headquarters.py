"""Headquarters: what ``[[headquarters]]`` and its members say of who is called when an incident opens.

Why: a special headquarters without a general one, or a member whom nobody can reach, shows itself in an emergency.
"""

from collections.abc import Sequence
from typing import Final

from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.model.headquarters import Headquarters, Member
from alerting.register.accident_types import ACCIDENT_TYPES
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of

MEMBERS_MOST: Final = 40
GRADE_LEAST: Final = 4
RULE: Final = f'a member is "{LEADER}", "{POST}ID" or "{PERSON}NAME"'
TYPES: Final = tuple(choice.code for choice in ACCIDENT_TYPES)


def read_headquarters(entries: Sequence[Entry], roster: RosterPlan) -> tuple[Headquarters, ...]:
    """Read them.

    Args:
        entries: The ``[[headquarters]]`` of the site file.
    """
    found: dict[str, Headquarters] = {}
    general = [entry for entry in entries if not entry.texts("accidents")]
    for entry in general[1:]:
        en = "a second headquarters has no accidents; there is one general headquarters."
        entry.wrong("accidents", en, "Name the types of accident that this one is for.")
    if entries and not general:
        en = "every headquarters has accidents; there is no general one."
        entries[0].wrong("accidents", en, "Add a [[headquarters]] without accidents.")
    for entry in entries:
        entry.refuse_unknown(keys_of("headquarters"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each headquarters its own id.")
        accidents = entry.texts("accidents")
        for place, code in enumerate(accidents):
            if code not in TYPES:
                entry.wrong(("accidents", place), f"type of accident {show(code)} does not exist.", meant(code, TYPES))
        one = Headquarters(
            id=name,
            title=entry.titles("title", name),
            accidents=tuple(dict.fromkeys(accidents)),
            from_grade=entry.whole("from_grade", GRADE_LEAST, 1, GRADE_LEAST),
            members=_members(entry, roster),
        )
        found.setdefault(name, one)
    return tuple(one for name, one in found.items() if name)


def _members(entry: Entry, roster: RosterPlan) -> tuple[Member, ...]:
    given = entry.sections("member", f"{entry.who}, member")
    if not 0 < len(given) <= MEMBERS_MOST:
        en = f"it has {len(given)} members; a headquarters has 1 to {MEMBERS_MOST}."
        entry.wrong("member", en, "Write a [[headquarters.member]] for each.")
    return tuple(
        Member(duty=each.titles("duty", ""), who=who_of(each, "who", each.required("who", RULE), roster))
        for each in given
        if _is_known(each)
    )  # fmt: skip


def _is_known(entry: Entry) -> bool:
    entry.refuse_unknown(keys_of("headquarters.member"))
    if not entry.has("duty"):
        entry.wrong("duty", "duty is missing; it says what the member does.", 'Write duty = { en = "…", zh = "…" }.')
    return True


def who_of(entry: Entry, at: str | KeyPath, name: str, roster: RosterPlan) -> str:
    """Refuse who is nobody of the roster; gives the name as it was given.

    Args:
        at: The key under which it stands.
        name: ``leader``, ``post:ID`` or ``person:NAME``; empty was refused before.
    """
    posts = [post.id for post in roster.posts]
    if name.startswith(POST):
        post = name.removeprefix(POST)
        if post not in posts:
            entry.wrong(at, f"post {show(post)} does not exist.", meant(post, posts))
    elif name == LEADER:
        if not any(post.is_leader for post in roster.posts):
            entry.wrong(at, "no post has leader = true.", "Mark one, or name a post.")
    elif name and (not name.startswith(PERSON) or not name.removeprefix(PERSON)):
        entry.wrong(at, f"who has {show(name)}; {RULE}.", "Write one of them.")
    return name
