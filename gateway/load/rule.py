"""Rules: what the columns of the tag tables and the ``[[rule]]`` tables say, put together and judged per tag.

Why: a limit that can never trip, or never let go, is worse than none, because somebody relies on it.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Final

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import RULE_COLUMNS, keys_of
from edge.model import Tag
from gateway.load.condition import CONDITIONS, condition_of_entry, refuse_foreign
from gateway.load.draft import RuleDraft, tier_of
from gateway.load.drift import drift_of_entry
from gateway.load.enable import EnableReader
from gateway.load.expression import ExpressionReader
from gateway.load.no_data import NoData
from gateway.load.overlay import NOTHING, Overlay, id_of
from gateway.load.rationale import give_rationale
from gateway.load.schedule import ScheduleReader
from gateway.load.silent import keep_silent
from gateway.load.trend import TREND_KEYS, settle_trend, trend_of_entry, trend_of_row
from gateway.load.vote import Votes, read_votes

#: Limits from the lowest setpoint to the highest.
ORDER: Final = (Kind.LL, Kind.L, Kind.H, Kind.HH)
TIER_DEFAULT: Final = {
    Kind.EXPRESSION: Tier.YELLOW,
    Kind.LL: Tier.ORANGE, Kind.L: Tier.YELLOW, Kind.H: Tier.YELLOW, Kind.HH: Tier.ORANGE,
    Kind.DRIFT: Tier.BLUE,
    Kind.RATE: Tier.YELLOW, Kind.STALE: Tier.BLUE, Kind.BAD: Tier.BLUE, Kind.TREND: Tier.YELLOW,
    Kind.DEVIATION: Tier.YELLOW, Kind.STATE: Tier.YELLOW, Kind.FROZEN: Tier.YELLOW, Kind.RANGE: Tier.YELLOW,
}  # fmt: skip

DAY_S: Final = 86_400
DELAY: Final = Span(least=0, most=DAY_S)  # Longer than a day is a report, not an alarm.
WINDOW: Final = Span(above=0, most=DAY_S)


def read_rules(
    tags: list[TagDraft],
    entries: Iterable[Entry],
    schedules: ScheduleReader,
    overlay: Overlay = NOTHING,
    learned: Collection[str] = (),
    votes: Votes | None = None,
) -> list[Rule]:
    """Read all rules of all tags; each tag has a STALE and a BAD rule unless its row turns one off.

    Args:
        overlay: Rules that stand otherwise than here; they are judged with the others.
        learned: Tags that only a learned detector speaks for; a rule about nothing else is BLUE.
        votes: Read last, because they ask for limits; their tags are appended to the tags.
    """
    by_tag: dict[str, dict[Kind, RuleDraft]] = {draft.tag.name: _rules_of_row(draft) for draft in tags}
    moved: set[str] = set()  # Tags of which a rule of the row stands in the overlay.
    if overlay and tags:
        for name, rules in by_tag.items():
            for kind in [kind for kind, draft in rules.items() if draft.rule.id in overlay.rules]:
                moved.add(name)
                del rules[kind]
        entries = [entry for entry in entries if id_of(entry.values) not in overlay.rules]
        voting = {entry.values.get("id") for entry in (votes or Votes()).entries}
        entries += [each for each in overlay.entries(tags[0].row.reading) if each.values.get("tag") not in voting]
    named: dict[str, RuleDraft] = {}
    tag_of = {draft.tag.name: draft.tag for draft in tags}
    expressions = ExpressionReader(tags)
    for entry in entries:
        if entry.values.get("kind") == Kind.EXPRESSION.name:
            expressions.take(entry, tier_of(entry, "tier", TIER_DEFAULT[Kind.EXPRESSION]))
            continue
        draft = read_rule(entry, by_tag, tag_of)
        if draft is None:
            continue
        rule, rules = draft.rule, by_tag[draft.rule.tag]
        where = named.get(rule.id) if rule.name else rules.get(rule.kind)
        if where is not None:
            place = where.entry.place(where.setpoint_key)
            what = f"{rule.kind.name} {rule.name}" if rule.name else rule.kind.name
            can_be_named = rule.kind in (*CONDITIONS, Kind.TREND, Kind.DRIFT) and rule.kind is not Kind.RANGE
            entry.wrong(
                "kind",
                f"{what} of tag {rule.tag} is given already, in {place.file}:{place.line}.",
                "Give each a name of its own, or remove one." if can_be_named else "Remove one of the two.",
            )
            check_tag(tag_of[rule.tag], {rule.kind: draft})
        elif rule.name:
            named[rule.id] = draft
        else:
            rules[rule.kind] = draft
    _keep_silent(chain(named.values(), *(rules.values() for rules in by_tag.values())), learned)
    plain = _complete(tags, by_tag, named.values(), NoData(overlay.rules))
    can_fall_stale = {rule.tag for rule in plain}
    can_fall_stale |= {name for name, rules in by_tag.items() if Kind.STALE in rules}
    asked = expressions.settle(can_fall_stale, learned)
    known = [*plain, *(draft.rule for rules in by_tag.values() for draft in rules.values())]
    known += [*(draft.rule for draft in named.values()), *asked]
    voted = read_votes(tags, known, votes or Votes(), overlay, tier_of)
    enables = EnableReader(tags)
    read = [
        *plain,
        *(_whole(draft.rule, draft.entry, enables, schedules) for rules in by_tag.values() for draft in rules.values()),
        *(_whole(draft.rule, draft.entry, enables, schedules) for draft in named.values()),
        *(_whole(rule, expressions.found[rule.id].entry, enables, schedules) for rule in asked),
        *(_whole(rule, entry, enables, schedules) for rule, entry in voted if not rule.is_hidden),
        *(rule for rule, _ in voted if rule.is_hidden),
    ]
    of_files = [draft for draft in tags if draft.tag.name not in moved]
    enables.settle(can_fall_stale, of_files)
    schedules.settle(of_files)
    return read


def _complete(
    tags: Iterable[TagDraft], by_tag: Mapping[str, dict[Kind, RuleDraft]], named: Iterable[RuleDraft], no_data: NoData
) -> list[Rule]:
    """Let each tag have its no-data rules, and judge its rules together; give those of tags that say nothing."""
    trends: dict[str, list[RuleDraft]] = {}
    for draft in named:
        if draft.rule.kind is Kind.TREND:
            trends.setdefault(draft.rule.tag, []).append(draft)
    plain: list[Rule] = []
    for tag in tags:
        rules = by_tag[tag.tag.name]
        if not rules and no_data.is_plain(tag):
            plain += no_data.plain(tag.tag)
            continue
        no_data.add(tag, rules)
        _settle_trends(tag.tag, rules, trends.get(tag.tag.name, ()))
        check_tag(tag.tag, rules)
    return plain


def _whole(rule: Rule, entry: Entry, enables: EnableReader, schedules: ScheduleReader) -> Rule:
    """Give a rule with what every kind may have: when it is judged at all, and why it is there."""
    return give_rationale(schedules.give(enables.give(rule, entry), entry), entry)


def judge_refused(tags: Iterable[TagDraft]) -> None:
    """Judge the rows of tags whose names stand already; what the ``[[rule]]`` tables say is about the first ones."""
    no_data = NoData()
    for tag in tags:
        rules = _rules_of_row(tag)
        no_data.add(tag, rules)
        trend = rules.get(Kind.TREND)
        if trend is not None and Kind[trend.rule.to] in rules:
            _settle_trends(tag.tag, rules, ())
        check_tag(tag.tag, rules)


def _rules_of_row(draft: TagDraft) -> dict[Kind, RuleDraft]:
    """Read the limits and the rate of one row; STALE and BAD follow when the ``[[rule]]`` tables are known."""
    row, name = draft.row, draft.tag.name
    rules: dict[Kind, RuleDraft] = {}
    if not row.has_any(RULE_COLUMNS):
        return rules
    deadband = row.number("deadband", 0.0, Span(least=0))
    on_delay_s = row.number("on_delay_s", 0.0, DELAY)
    off_delay_s = row.number("off_delay_s", 0.0, DELAY)
    is_latching = row.flag("latching", default=False)
    response = row.titles("response", "")
    window_s = row.number_or_none("rate_window_s", WINDOW)
    for kind in (*ORDER, Kind.RATE):
        column = "rate" if kind is Kind.RATE else kind.name
        tier_column = f"tier_{column}"
        setpoint = row.number_or_none(column, Span(above=0) if kind is Kind.RATE else Span())
        tier = tier_of(row, tier_column, TIER_DEFAULT[kind])
        if setpoint is None:
            if row.has(tier_column) and not row.has(column):
                row.wrong(tier_column, f"{tier_column} is given without {column}.", f"Add {column}, or leave it empty.")
            continue
        is_rate = kind is Kind.RATE
        rule = Rule(
            id=f"{name}.{kind.name}",
            tag=name,
            kind=kind,
            setpoint=setpoint,
            tier=tier,
            deadband=0.0 if is_rate else deadband,  # in eu, and a rate is in eu per second
            on_delay_s=on_delay_s,
            off_delay_s=off_delay_s,
            window_s=(window_s or 0.0) if is_rate else 0.0,
            is_latching=is_latching,
            response=response,
        )
        rules[kind] = RuleDraft(rule, row, column, tier_column)
    if row.has("rate") and not row.has("rate_window_s"):
        row.wrong("rate_window_s", "rate is given without rate_window_s.", "Add the span that the rate is taken over.")
    if row.has("rate_window_s") and not row.has("rate"):
        row.wrong("rate", "rate_window_s is given without rate.", "Add rate, in eu per second.")
    trend = trend_of_row(row, name, tier_of(row, "tier_trend", TIER_DEFAULT[Kind.TREND]))
    if trend is not None:
        rules[Kind.TREND] = RuleDraft(trend, row, "trend_to", "tier_trend")
    return rules


def read_rule(entry: Entry, by_tag: Mapping[str, object], tag_of: Mapping[str, Tag]) -> RuleDraft | None:
    """Read one ``[[rule]]``."""
    entry.refuse_unknown(keys_of("rule"))
    tag = entry.required("tag", "a rule is about one tag")
    if tag and tag not in by_tag:
        entry.wrong("tag", f"tag {show(tag)} does not exist.", meant(tag, tuple(by_tag)))
    name = entry.choice("kind", tuple(kind.name for kind in Kind if kind in TIER_DEFAULT), "")
    refuse_foreign(entry, name)
    if name == Kind.TREND.name:
        trend = trend_of_entry(entry, tag, tier_of(entry, "tier", TIER_DEFAULT[Kind.TREND]))
        return None if trend is None or tag not in by_tag else RuleDraft(trend, entry, "to", "tier")
    if name == Kind.DRIFT.name:
        drift = drift_of_entry(entry, tag, tag_of, tier_of(entry, "tier", TIER_DEFAULT[Kind.DRIFT]))
        return None if drift is None else RuleDraft(drift, entry, "kind", "tier")
    for key in TREND_KEYS:
        if name and entry.has(key):
            entry.wrong(key, f"{key} is given; only a TREND has one.", f"Remove {key}.")
    if name and Kind[name] in CONDITIONS:
        rule_or_none = condition_of_entry(
            entry, Kind[name], tag, tag_of, tier_of(entry, "tier", TIER_DEFAULT[Kind[name]])
        )
        where = "states" if name == Kind.STATE.name else "setpoint"
        return None if rule_or_none is None else RuleDraft(rule_or_none, entry, where, "tier")
    if not entry.has("setpoint"):
        entry.wrong("setpoint", "setpoint is missing; it is what the value is compared with.", "Add setpoint.")
    kind = Kind[name] if name else Kind.H
    is_limit = kind in ORDER
    setpoint = entry.number_or_none("setpoint", Span() if is_limit or not name else Span(above=0))
    is_rate = kind is Kind.RATE
    if is_rate and not entry.has("window_s"):
        entry.wrong("window_s", "window_s is missing; a RATE is taken over a span.", "Add window_s.")
    if name and not is_rate and entry.has("window_s"):
        entry.wrong("window_s", f"window_s is given; a {name} has no window.", "Remove window_s.")
    if name and not (is_limit or is_rate) and entry.has("deadband"):
        entry.wrong("deadband", f"deadband is given; a {name} has none.", "Remove deadband.")
    rule = Rule(
        id=f"{tag}.{kind.name}",
        tag=tag,
        kind=kind,
        setpoint=setpoint or 0.0,
        tier=tier_of(entry, "tier", TIER_DEFAULT[kind] if name else Tier.YELLOW),
        deadband=entry.number("deadband", 0.0, Span(least=0)),
        on_delay_s=entry.number("on_delay_s", 0.0, DELAY),
        off_delay_s=entry.number("off_delay_s", 0.0, DELAY),
        window_s=entry.number("window_s", 0.0, WINDOW),
        is_latching=entry.flag("latching", default=False),
        response=entry.titles("response", ""),
    )
    if tag not in by_tag or not name or setpoint is None:
        return None
    return RuleDraft(rule, entry, "setpoint", "tier")


def _keep_silent(drafts: Iterable[RuleDraft], learned: Collection[str]) -> None:
    for draft in drafts:
        draft.rule = keep_silent(draft.rule, draft.entry, draft.tier_key, learned)


def _settle_trends(tag: Tag, rules: Mapping[Kind, RuleDraft], named: Sequence[RuleDraft]) -> None:
    """Give the TRENDs of a tag the limits that they run to, now that all are known."""
    own = [rules[Kind.TREND]] if Kind.TREND in rules else []
    if not own and not named:
        return
    limits = {kind: rules[kind].rule for kind in ORDER if kind in rules}
    for draft in [*own, *named]:
        draft.rule, wrong = settle_trend(draft.rule, tag, limits)
        is_column = draft.setpoint_key == "trend_to"
        for key, sentence, remedy in wrong:
            about = "" if is_column else f"tag {tag.name}: "
            draft.entry.wrong(f"trend_{key}" if is_column else key, about + sentence, remedy)


# ---- what must hold between the rules of one tag


def check_tag(tag: Tag, rules: Mapping[Kind, RuleDraft]) -> None:
    """Judge the rules of one tag together; what is wrong is noted."""
    limits = [rules[kind] for kind in ORDER if kind in rules]
    for draft in limits:
        _check_range(tag, draft)
    for lower, upper in pairwise(limits):
        _check_pair(tag, lower, upper)
    for inner, outer in ((Kind.H, Kind.HH), (Kind.L, Kind.LL)):
        if inner in rules and outer in rules:
            _check_tiers(rules[inner], rules[outer])
    _check_times(tag, rules)


def _wrong(draft: RuleDraft, key: str, tag: Tag, sentence: str, remedy: str) -> None:
    """Note a mistake of a rule; a ``[[rule]]`` does not have the tag's name in its own."""
    about = "" if draft.setpoint_key != "setpoint" else f"tag {tag.name}: "
    draft.entry.wrong(key, about + sentence, remedy)


def _check_range(tag: Tag, draft: RuleDraft) -> None:
    """A value outside the instrument range is BAD, so a limit out there can never trip, or never let go."""
    rule, kind = draft.rule, draft.rule.kind
    if rule.setpoint < tag.range_lo or rule.setpoint > tag.range_hi:
        lo = "" if math.isnan(tag.range_lo) else f"{tag.range_lo:g}"
        hi = "" if math.isnan(tag.range_hi) else f"{tag.range_hi:g}"
        _wrong(
            draft,
            draft.setpoint_key,
            tag,
            f"{kind.name} ({rule.setpoint:g}) is outside the instrument range ({lo} … {hi}); no good value can "
            "cross it.",
            "Put the setpoint or the range right.",
        )
        return
    is_high = kind in (Kind.H, Kind.HH)
    back = rule.setpoint - rule.deadband if is_high else rule.setpoint + rule.deadband
    if (is_high and back <= tag.range_lo) or (not is_high and back >= tag.range_hi):
        _wrong(
            draft,
            "deadband" if draft.entry.has("deadband") else draft.setpoint_key,
            tag,
            f"{kind.name} ({rule.setpoint:g}) with deadband {rule.deadband:g} clears {'below' if is_high else 'above'} "
            f"{back:g}, beyond the instrument range; it could never clear.",
            "Make the deadband smaller, or put the setpoint right.",
        )


def _check_pair(tag: Tag, lower: RuleDraft, upper: RuleDraft) -> None:
    """Two neighbouring limits: the setpoints rise from LL to HH, and no deadband bridges the distance."""
    low, high = lower.rule, upper.rule
    if low.setpoint >= high.setpoint:
        _wrong(
            upper,
            upper.setpoint_key,
            tag,
            f"{high.kind.name} ({high.setpoint:g}) must be above {low.kind.name} ({low.setpoint:g}).",
            "Put the two setpoints in order: LL < L < H < HH.",
        )
        return
    distance = high.setpoint - low.setpoint
    for draft in (lower, upper):
        # Of two limits of one direction, the outer one lets go towards the inner one.
        is_towards = draft.rule.kind in (Kind.H, Kind.HH) if draft is upper else draft.rule.kind in (Kind.L, Kind.LL)
        if is_towards and draft.rule.deadband >= distance:
            other = low if draft is upper else high
            _wrong(
                draft,
                "deadband",
                tag,
                f"deadband {draft.rule.deadband:g} is as large as the distance from {draft.rule.kind.name} "
                f"({draft.rule.setpoint:g}) to {other.kind.name} ({other.setpoint:g}).",
                f"Make the deadband smaller than {distance:g}.",
            )


def _check_tiers(inner: RuleDraft, outer: RuleDraft) -> None:
    if outer.rule.tier < inner.rule.tier:
        tag = outer.rule.tag
        about = f"tag {tag}: " if outer.setpoint_key == "setpoint" else ""
        outer.entry.wrong(
            outer.tier_key,
            f"{about}tier of {outer.rule.kind.name} ({outer.rule.tier.name}) is below that of "
            f"{inner.rule.kind.name} ({inner.rule.tier.name}).",
            "Give the outer limit the same tier or a higher one.",
        )


def _check_times(tag: Tag, rules: Mapping[Kind, RuleDraft]) -> None:
    """A time shorter than the scan class would be always over."""
    if Kind.STALE in rules and rules[Kind.STALE].rule.setpoint <= tag.period_s:
        draft = rules[Kind.STALE]
        _wrong(
            draft,
            draft.setpoint_key,
            tag,
            f"STALE after {draft.rule.setpoint:g} s is not longer than period_s ({tag.period_s:g} s); it would ring "
            "between two scans.",
            "Write at least two periods.",
        )
    rate = rules.get(Kind.RATE)
    if rate is not None and 0 < rate.rule.window_s < tag.period_s:
        _wrong(
            rate,
            "window_s" if rate.setpoint_key == "setpoint" else "rate_window_s",
            tag,
            f"window of {rate.rule.window_s:g} s is shorter than period_s ({tag.period_s:g} s); it never holds two "
            "samples.",
            "Write at least two periods.",
        )
