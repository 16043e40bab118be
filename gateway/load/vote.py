"""Votes: what a ``[[vote]]`` says, as a tag of its own with its rules, and what must hold for it.

Flow: [[vote]], limits -> [load] -> tag of the vote, its rule, the rule of its loss, limits of members that are tags
Why: one instrument that lies shall not ring for a whole group, and a group in which nobody can be judged any more shall
never look like a calm one.
Never: counts a member whose tag is BAD or silent.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerting.core.expression import Expression, ExpressionError, read
from alerting.core.expression.lexer import KEYWORDS
from alerting.model.derivation import DERIVED, source_of
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import is_name, keys_of
from edge.model import Tag
from gateway.load.overlay import Overlay, written
from gateway.load.rationale import KEYS as RATIONALE
from gateway.load.silent import keep_silent

#: Kinds of limit that can be a member.
LIMITS: Final = (Kind.LL, Kind.L, Kind.H, Kind.HH)
#: How a vote degrades while members are out.
DEGRADE: Final = ("lower-k", "keep-k")
#: Name of the rule that rings when too few members can be judged.
LOST: Final = "lost"
#: What may be otherwise in a vote's rules while the gateway runs; members and k stand in the site file.
CHANGEABLE: Final = ("tier", "on_delay_s", "off_delay_s", "latching", "response", *RATIONALE, "enable", "schedule")
MEMBERS_LEAST: Final = 2
MEMBERS_MOST: Final = 15  # As many as vote(…) takes.
SCANS_BEFORE_LOST: Final = 3  # As with BAD data of one tag (design §3): three scans, and 3 s at least.
LOST_S_LEAST: Final = 3.0
TIER: Final = Tier.YELLOW
DAY_S: Final = 86_400
DELAY: Final = Span(least=0, most=DAY_S)

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.:-][A-Za-z0-9_]+)*")
_ID_RULE: Final = "a vote's id is 1 to 32 letters, digits, dashes or underscores"

#: What to do where a vote can no longer be judged, in the words of one instrument without data.
LOST_RESPONSE: Final = {
    "en": "Check the instruments of the group, their power and their link; watch the values on site meanwhile.",
    "zh": "检查该组仪表、供电和通信链路；恢复前到现场监视该组参数。",
}


@dataclass(frozen=True, slots=True)
class Votes:
    """The ``[[vote]]`` tables of a site, and what they are judged against.

    Attributes:
        units: Ids of the hazard units, to which votes belong.
        learned: Tags that only learned detectors speak for; a vote among them alone is BLUE. Its loss is not.
    """

    entries: Sequence[Entry] = ()
    units: Sequence[str] = ()
    learned: Collection[str] = ()


def read_votes(
    tags: list[TagDraft],
    known: Iterable[Rule],
    votes: Votes,
    overlay: Overlay,
    tier_of: Callable[[Entry, str, Tier], Tier],
) -> list[tuple[Rule, Entry]]:
    """Read the votes: their rules, each with its entry; the tags of the votes are appended to the tags.

    Args:
        known: All other rules of the site, as they stand.
        overlay: What of a vote's rules was changed while the gateway ran.
        tier_of: Reads the tier at a key, or gives the default.
    """
    if not votes.entries:
        return []
    reader = VoteReader(tags, known, votes.units)
    found: list[tuple[Rule, Entry]] = []
    for entry in votes.entries:
        for rule in reader.take(entry, tier_of(entry, "tier", TIER), tier_of(entry, "tier_lost", TIER)):
            if rule.is_hidden:
                found.append((rule, entry))
                continue
            own = rule if rule.id in reader.losses else keep_silent(rule, entry, "tier", votes.learned)
            if rule.id not in overlay.rules:
                found.append((own, entry))
            elif overlay.rules[rule.id] is not None:
                found.append(_changed(own, overlay, entry, tier_of))
    tags += reader.drafts
    return found


def _changed(
    rule: Rule, overlay: Overlay, entry: Entry, tier_of: Callable[[Entry, str, Tier], Tier]
) -> tuple[Rule, Entry]:
    """Give a vote's rule as it stands in the overlay; only what is ``CHANGEABLE`` may be otherwise there."""
    table = overlay.rules[rule.id]
    given = next(each for each in overlay.entries(entry.reading) if each.values == table)
    own = written(rule)
    for key in sorted({*given.values, *own} - set(CHANGEABLE)):
        if given.values.get(key) != own.get(key):
            given.wrong(
                key, f"{key} of a vote stands in the site file.", f"Change {key} there; here {', '.join(CHANGEABLE)}."
            )
    return replace(
        rule,
        tier=tier_of(given, "tier", rule.tier),
        on_delay_s=given.number("on_delay_s", 0.0, DELAY),
        off_delay_s=given.number("off_delay_s", 0.0, DELAY),
        is_latching=given.flag("latching", default=False),
        response=given.titles("response", ""),
    ), given


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a vote: a tag and the limit that it is compared with.

    Attributes:
        rule: Id of the limit; empty where the vote makes it.
    """

    tag: str
    kind: Kind
    rule: str = ""


class VoteReader:
    """Reads the votes of a site, when its limits are known."""

    def __init__(self, tags: Sequence[TagDraft], rules: Iterable[Rule], units: Collection[str]) -> None:
        self.rows: Mapping[str, TagDraft] = {draft.tag.name: draft for draft in tags}
        self.tags: Mapping[str, Tag] = {name: draft.tag for name, draft in self.rows.items()}
        self.eus = {name: tag.eu for name, tag in self.tags.items()}
        self.rules = {rule.id: rule for rule in rules}
        self.limits = {name: rule for name, rule in self.rules.items() if rule.kind in LIMITS and not rule.name}
        self.can_fall_stale = {rule.tag for rule in self.rules.values() if rule.kind is Kind.STALE}
        self.units = units
        self.entry_of: dict[str, Entry] = {}  # by id of the vote
        self.losses: set[str] = set()  # ids of the rules that say that a vote is lost
        self.drafts: list[TagDraft] = []  # the tags of the votes

    def take(self, entry: Entry, tier: Tier, tier_lost: Tier) -> list[Rule]:
        """Read one ``[[vote]]``: its rules; none where there is a mistake."""
        entry.refuse_unknown(keys_of("vote"))
        name = self._id(entry)
        members = self._members(entry)
        k = self._k(entry)
        keeps_k = entry.choice("degrade", DEGRADE, DEGRADE[0]) == "keep-k"
        unit = self._unit(entry)
        title = entry.titles("title", name)
        on_delay_s = entry.number("on_delay_s", 0.0, DELAY)
        off_delay_s = entry.number("off_delay_s", 0.0, DELAY)
        lost_s = entry.number_or_none("lost_s", DELAY)
        is_latching = entry.flag("latching", default=False)
        response = entry.titles("response", "")
        if not (name and members and k and unit):
            return []
        # With k kept, fewer than k members can never meet the vote: it is lost as soon as n - k + 1 are out.
        least = len(members) - (k if keeps_k else 1) + 1
        lost = self._read(entry, f"vote_keep({least}, {', '.join(self._out(member.tag) for member in members)})")
        if lost is None:
            return []
        asked = tuple(member.tag for member in members)
        self._keep_tag(entry, name, unit, title, [self.tags[tag] for tag in asked])
        default_s = max(SCANS_BEFORE_LOST * max(self.tags[tag].period_s for tag in asked), LOST_S_LEAST)
        made = self._own_limits(entry, name, members)
        made += [
            Rule(
                id=f"{name}.VOTE",
                tag=name,
                kind=Kind.VOTE,
                setpoint=float(k),
                tier=tier,
                when=f"{entry.values['kind']} {entry.values['setpoint']}" if made else "",
                asked=asked,
                members=tuple(member.rule or _limit_id(member, name) for member in members),
                keeps_k=keeps_k,
                on_delay_s=on_delay_s,
                off_delay_s=off_delay_s,
                is_latching=is_latching,
                response=response,
            ),
            Rule(
                id=f"{name}.EXPRESSION:{LOST}",
                tag=name,
                kind=Kind.EXPRESSION,
                setpoint=math.nan,
                tier=tier_lost,
                name=LOST,
                when=lost.text,
                asked=lost.tags,
                on_delay_s=default_s if lost_s is None else lost_s,
                response=LOST_RESPONSE,
            ),
        ]
        self.losses.add(made[-1].id)
        return made

    def _id(self, entry: Entry) -> str:
        """Read the id, which is the name of the vote's tag; empty where it cannot be."""
        name = entry.required("id", _ID_RULE, is_name)
        if name in self.entry_of:
            place = self.entry_of[name].place("id")
            entry.wrong("id", f"id stands twice, first in {place.file}:{place.line}.", "Give each vote its own id.")
            return ""
        if name:
            self.entry_of[name] = entry
        if name in self.rows:
            place = self.rows[name].row.place("tag")
            entry.wrong(
                "id",
                f"{place.file}:{place.line} has a tag of this name; a vote is a tag of its own.",
                "Give the vote another id.",
            )
            return ""
        return name

    def _keep_tag(self, entry: Entry, name: str, unit: str, title: dict[str, str], members: Sequence[Tag]) -> None:
        """Make the tag of a vote: how many members agree."""
        sources = {each for tag in members for each in tag.source.removeprefix(f"{DERIVED}:").split("+")}
        tag = Tag(
            name=name,
            source=source_of(sources),
            title=title,
            unit=unit,
            resolution=1.0,
            period_s=min(tag.period_s for tag in members),
            nature=members[0].nature,
        )
        self.drafts.append(TagDraft(tag, entry))

    def _own_limits(self, entry: Entry, name: str, members: Sequence[Member]) -> list[Rule]:
        """Make the limits of members that are tags; they ring by no means themselves."""
        if not entry.has("setpoint"):
            return []
        setpoint, deadband = entry.number("setpoint", 0.0), entry.number("deadband", 0.0, Span(least=0))
        return [
            Rule(
                id=_limit_id(member, name),
                tag=member.tag,
                kind=member.kind,
                setpoint=setpoint,
                tier=Tier.NONE,
                deadband=deadband,
                name=name,
            )
            for member in members
        ]

    def _members(self, entry: Entry) -> list[Member]:
        """Read the members; none where one is wrong."""
        if not entry.has("members"):
            entry.wrong("members", "members is missing; it names the limits that vote.", "Add members.")
            return []
        named = entry.texts("members")
        if not named:
            if entry.values["members"] == []:
                entry.wrong("members", "members is empty; a vote has at least 2.", "Name the limits that vote.")
            return []
        is_common = entry.has("kind") or entry.has("setpoint")
        if entry.has("deadband"):
            self._deadband(entry, is_common=is_common)
        kind, setpoint = self._common(entry) if is_common else (None, None)
        found: list[Member | None] = []
        for name in dict.fromkeys(named):
            if named.count(name) > 1:
                entry.wrong("members", f"member {show(name)} stands twice.", "Each member has one vote: remove one.")
            if is_common:
                found.append(self._of_tag(entry, name, kind, setpoint))
            else:
                found.append(self._of_limit(entry, name))
        members = [member for member in found if member is not None]
        is_right = len(members) == len(found) == len(named) and self._may_vote(entry, members, is_common=is_common)
        if not MEMBERS_LEAST <= len(named) <= MEMBERS_MOST:
            entry.wrong(
                "members",
                f"the vote has {len(named)} member{'s' if len(named) > 1 else ''}; it takes {MEMBERS_LEAST} to "
                f"{MEMBERS_MOST}.",
                "Name more limits, or write one rule for one instrument." if len(named) == 1 else "Name fewer limits.",
            )
            return []
        return members if is_right and (not is_common or (kind is not None and setpoint is not None)) else []

    def _common(self, entry: Entry) -> tuple[Kind | None, float | None]:
        """Read the one condition of members that are tags."""
        word = entry.choice("kind", tuple(kind.name for kind in LIMITS), "")
        if not entry.has("setpoint"):
            entry.wrong("setpoint", "setpoint is missing; kind says that the members are tags.", "Add setpoint.")
        return Kind[word] if word else None, entry.number_or_none("setpoint")

    @staticmethod
    def _deadband(entry: Entry, *, is_common: bool) -> None:
        """Refuse a deadband where the members have their own; read it where they have not."""
        if is_common:
            entry.number("deadband", 0.0, Span(least=0))
        else:
            entry.wrong(
                "deadband",
                "deadband is given; members that are limits have their own.",
                "Write it beside their setpoints, or remove it.",
            )

    def _of_tag(self, entry: Entry, name: str, kind: Kind | None, setpoint: float | None) -> Member | None:
        tag = self.tags.get(name)
        if tag is None:
            remedy = meant(name, tuple(self.tags))
            if name in self.limits:
                remedy = f"Write {show(self.limits[name].tag)}, or remove kind and setpoint."
            entry.wrong("members", f"tag {show(name)} does not exist.", remedy)
            return None
        if kind is None or setpoint is None:
            return None
        if setpoint < tag.range_lo or setpoint > tag.range_hi:
            entry.wrong(
                "setpoint",
                f"setpoint {setpoint:g} is outside the instrument range of member {name} ({tag.range_lo:g} … "
                f"{tag.range_hi:g}); no good value can cross it.",
                "Put the setpoint or the range right.",
            )
            return None
        return Member(name, kind)

    def _of_limit(self, entry: Entry, name: str) -> Member | None:
        rule = self.limits.get(name)
        if rule is not None:
            return Member(rule.tag, rule.kind, rule.id)
        if name in self.tags:
            entry.wrong(
                "members",
                f"member {show(name)} is a tag, not a limit.",
                f'Name its limit, e.g. "{name}.H", or add kind and setpoint for all members.',
            )
        elif name in self.rules:
            entry.wrong(
                "members",
                f"member {show(name)} is no limit; {', '.join(kind.name for kind in LIMITS)} can vote.",
                "Name a limit, or write an EXPRESSION with vote(…).",
            )
        else:
            entry.wrong("members", f"limit {show(name)} does not exist.", meant(name, tuple(self.limits)))
        return None

    def _may_vote(self, entry: Entry, members: Sequence[Member], *, is_common: bool) -> bool:
        """Tell whether the members can stand in one vote."""
        is_right = True
        first_of: dict[str, Member] = {}
        for member in members:
            other = first_of.setdefault(member.tag, member)
            if other is not member:
                entry.wrong(
                    "members",
                    f"{other.kind.name} and {member.kind.name} of tag {member.tag} are both members; one instrument "
                    "has one vote.",
                    "Remove one of the two.",
                )
                is_right = False
        natures = {self.tags[member.tag].nature: member.tag for member in members}
        if len(natures) > 1:
            pairs = ", ".join(f"{tag} is {nature}" for nature, tag in natures.items())
            entry.wrong(
                "members", f"members of different natures: {pairs}; natures never mix.", "Name tags of one nature."
            )
            is_right = False
        eus = {self.tags[member.tag].eu: member.tag for member in members}
        if is_common and len(eus) > 1:
            pairs = ", ".join(f"{tag} in {eu or 'no unit'}" for eu, tag in eus.items())
            entry.wrong(
                "setpoint",
                f"one setpoint for members in different engineering units: {pairs}.",
                "Name a limit of each tag instead, without kind and setpoint.",
            )
            is_right = False
        return is_right

    def _k(self, entry: Entry) -> int:
        """Read k, from 1 to the number of members; 0 where it is wrong."""
        if not entry.has("k"):
            entry.wrong("k", "k is missing; it is how many members must agree.", "Add k, e.g. k = 2.")
            return 0
        named = entry.values.get("members")
        n = len(named) if isinstance(named, list) and MEMBERS_LEAST <= len(named) <= MEMBERS_MOST else MEMBERS_MOST
        return entry.whole_or_none("k", 1, n, advice=lambda _: f"The vote has {n} members: write k = 1 to {n}.") or 0

    def _unit(self, entry: Entry) -> str:
        unit = entry.required("unit", "the alarm of a vote belongs to one hazard unit")
        if unit and unit not in self.units:
            entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(self.units)))
            return ""
        return unit

    def _out(self, name: str) -> str:
        """Give the condition that a tag cannot be judged; one that cannot fall stale is asked for BAD alone."""
        tag = _quoted(name)
        return f"is_bad({tag}) or is_stale({tag})" if name in self.can_fall_stale else f"is_bad({tag})"

    def _read(self, entry: Entry, text: str) -> Expression | None:
        """Compile what was made; only its length can be wrong."""
        try:
            return read(text, self.eus)
        except ExpressionError as error:
            for fault in error.faults:
                entry.wrong("members", f"as an expression: {fault.sentence}", "Name fewer members.")
            return None


def _quoted(tag: str) -> str:
    """Write a tag's name into an expression."""
    return tag if _PLAIN.fullmatch(tag) and tag.lower() not in KEYWORDS else f"`{tag}`"


def _limit_id(member: Member, vote: str) -> str:
    """Name the limit that a vote makes for a member that is a tag."""
    return f"{member.tag}.{member.kind.name}:{vote}"
