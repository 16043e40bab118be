"""No data: the STALE and the BAD rule that each tag has unless its row turns one off.

Why: no data is an alarm, never normal. Most rows say nothing of it, and a hundred thousand are alike but for tag and
    period: their rules are made from one of each kind.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from alerting.model.compact import Shape, like
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Span
from edge.load.source import SourceDraft
from edge.load.tag import TagDraft
from edge.load.words import RULE_COLUMNS
from edge.model import Tag
from gateway.load.draft import RuleDraft, tier_of

DAY_S: Final = 86_400
SPAN: Final = Span(least=0, most=7 * DAY_S)
SCANS: Final = 3  # Design §3: three scans without good data are an alarm.
LEAST_S: Final = 3.0  # One lost packet of a fast source is no alarm.
TIER: Final = Tier.BLUE
EVENT_S: Final = 600.0  # Ours: what happens more often than this is watched as a value.

#: What to do about an alarm of STALE or BAD where the table does not say.
RESPONSE: Final = {
    "en": "Check the instrument, its power and its link; watch the value on site meanwhile.",
    "zh": "检查仪表、供电和通信链路；恢复前到现场监视该参数。",
}
KINDS: Final = ((Kind.STALE, "stale_s", "tier_stale"), (Kind.BAD, "bad_s", "tier_bad"))


class NoData:
    """Gives tags their STALE and their BAD rule.

    Args:
        overlay: Rules that were changed while the gateway ran, by id; None for one that was removed.
    """

    def __init__(self, overlay: Mapping[str, object] | None = None) -> None:
        self._overlay = overlay or {}
        self._shapes = [
            Shape(Rule(id="", tag="", kind=kind, setpoint=0.0, tier=TIER, response=RESPONSE)) for kind, _, _ in KINDS
        ]
        self._after_s: dict[float, float] = {}

    def is_plain(self, draft: TagDraft) -> bool:
        """Tell whether a row says nothing of rules, and nothing else can."""
        return not self._overlay and not draft.row.has_any(RULE_COLUMNS)

    def plain(self, tag: Tag) -> list[Rule]:
        """Give the two rules of a tag whose row says nothing of rules."""
        after_s = self._after_s.get(tag.period_s)
        if after_s is None:
            after_s = self._after_s[tag.period_s] = _after_s(tag)
        return [like(shape, tag.name, after_s) for shape in self._shapes]

    def add(self, draft: TagDraft, rules: dict[Kind, RuleDraft]) -> None:
        """Add to the rules of a tag those that its row says, or else those that are usual."""
        row, tag = draft.row, draft.tag
        off: list[str] = []
        for kind, column, tier_column in KINDS:
            after_s = row.number_or_none(column, SPAN)
            tier = tier_of(row, tier_column, TIER)
            name = f"{tag.name}.{kind.name}"
            if name in self._overlay:
                off += [column] * (self._overlay[name] is None)
                continue
            if kind in rules:
                if after_s:
                    sentence = f"{column} is given and a [[rule]] of kind {kind.name} too."
                    row.wrong(column, sentence, "Remove one of them.")
                continue
            if after_s == 0:
                off.append(column)
                if row.has(tier_column):
                    row.wrong(tier_column, f"{tier_column} is given and {column} is 0.", "Leave one of them out.")
                continue
            rule = Rule(
                id=name,
                tag=tag.name,
                kind=kind,
                setpoint=_after_s(tag) if after_s is None else after_s,
                tier=tier,
                response=RESPONSE,
            )
            rules[kind] = RuleDraft(rule, row, column, tier_column)
        if len(off) == len(KINDS):
            row.wrong(
                "stale_s",
                "stale_s and bad_s are both 0; a tag without data would look normal.",
                "Leave one of them out or give it a time: no data is an alarm.",
            )


def warn_of_events(sources: Iterable[SourceDraft], drafts: Iterable[TagDraft], rules: Iterable[Rule]) -> None:
    """Warn once a source that sends events alone, which come when something happens, of tags that are soon silent."""
    telling = {
        draft.name
        for draft in sources
        if (mqtt := draft.source.mqtt) is not None and mqtt.topics and all(one.format == "event" for one in mqtt.topics)
    }
    if not telling:
        return
    after_s = {rule.tag: rule.setpoint for rule in rules if rule.kind is Kind.STALE}
    doubtful: dict[str, list[TagDraft]] = {}
    for draft in drafts:
        if draft.tag.source in telling and after_s.get(draft.tag.name, EVENT_S) < EVENT_S:
            doubtful.setdefault(draft.tag.source, []).append(draft)
    for source, found in doubtful.items():
        first, more = found[0], len(found) - 1
        others = f", and {more} more" if more else ""
        first.row.warn(
            "stale_s",
            f"source {source} sends events, and without one for {after_s[first.tag.name]:g} s this tag counts as "
            f"silent{others}.",
            "Write stale_s = 0, and let silent_after_s watch the source.",
        )


def _after_s(tag: Tag) -> float:
    return max(SCANS * tag.period_s, LEAST_S)
