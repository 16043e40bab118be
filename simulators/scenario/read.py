"""Read a scenario file: all its mistakes at once, each with its line and what to do about it.

Flow: TOML -> [entries asked key by key] -> Scenario
Why: an expectation that can never be met, or always is, makes a run worthless; it is refused before the run.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge.load.entry import Entry, Span
from edge.load.locate import Path as KeyPath
from edge.load.locate import line_of
from edge.load.mistake import ConfigError, Mistake, Place, meant, show
from edge.load.reading import Reading
from simulators.instrument.fault import LINE_KINDS, VALUE_KINDS, Fault
from simulators.plant import Act
from simulators.plant.kinds import PLANTS
from simulators.plant.port import PlantKind
from simulators.scenario.act_words import words_of
from simulators.scenario.flooding import check_first_out, check_flood, check_suppressed
from simulators.scenario.model import TIERS, Expectation, Known, Scenario, See, Tripping, rank
from simulators.story import Moment

SCENARIOS: Final = Path(__file__).parents[1] / "stories"
WEEKS: Final = SCENARIOS / "weeks"  # Long ones, in which nothing happens: what rings is false.
#: Gives what is known of the site: the one that a scenario names, or its plant's own.
KnownOf = Callable[[Path | None, PlantKind], Known]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
BEGINS: Final = datetime(2026, 1, 1, tzinfo=UTC)  # Any fixed day will do.
DAY_S: Final = 86_400.0
SECONDS, LONG = Span(least=0.0, most=DAY_S), Span(above=0.0, most=DAY_S)
LASTS: Final = Span(above=0.0, most=8 * DAY_S)
ALONE: Final = Span(least=0.0, most=400 * DAY_S)
STEP: Final = Span(least=0.1, most=60.0)
STEP_PART: Final = 1e-6  # Of a step: tenths are no binary numbers.
EVERY: Final = Span(least=60.0, most=8 * DAY_S)
KEYS: Final = {
    "": (
        "title", "plant", "site", "begins", "forward_s", "lasts_s", "after_s", "step_s", "seed", "completes_s", "act",
        "fault", "expect",
    ),
    "act": ("at_s", "every_s", "verb", "unit", "amount", "say"),
    "fault": ("at_s", "for_s", "tag", "source", "kind", "amount", "say"),
    "expect": (
        "id", "see", "tag", "condition", "rule", "unit", "tier", "from_s", "until_s", "before", "lead_s", "within_s",
        "least", "over_by_s", "say",
    ),
}  # fmt: skip
#: Keys that each kind of expectation needs, and those that it may have beside id, see, say and the window.
NEEDS: Final[Mapping[See, tuple[str, ...]]] = {
    See.TIER: ("unit", "tier"),
    See.FIRST_OUT: ("tag", "condition"),
}
MAY: Final[Mapping[See, frozenset[str]]] = {
    See.ALARM: frozenset({"tag", "condition", "rule", "before", "lead_s"}),
    See.TIER: frozenset({"unit", "tier", "before", "lead_s"}),
    See.QUIET: frozenset({"tag", "unit", "condition", "tier", "before", "lead_s"}),
    See.NOTICE: frozenset({"tag", "condition", "rule", "within_s"}),
    See.FLOOD: frozenset({"least", "over_by_s"}),
    See.FIRST_OUT: frozenset({"unit", "tag", "condition"}),
    See.SUPPRESSED: frozenset({"tag", "condition", "rule"}),
}
#: Kinds that expect something to ring.
RINGS: Final = frozenset({See.ALARM, See.TIER, See.NOTICE, See.FIRST_OUT})
ALWAYS: Final = frozenset({"id", "see", "say", "from_s", "until_s"})


def find_scenario(name: str) -> Path:
    """Give the file of a scenario by its name among those that ship, or by its path.

    Raises:
        ConfigError: There is no such file.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = next((f for f in (SCENARIOS / f"{name}.toml", WEEKS / f"{name}.toml") if f.is_file()), path)
    if not path.is_file():
        known = sorted(file.stem for file in SCENARIOS.rglob("*.toml"))
        raise ConfigError(
            [
                Mistake(
                    file=name, line=1, path="file", sentence=f"There is no scenario {show(name)}.",
                    remedy=f"{meant(name, known)} The path of a file ends in .toml.",
                )
            ]
        )  # fmt: skip
    return path


def read_scenario(path: Path, known_of: KnownOf) -> Scenario:
    """Read one file.

    Raises:
        ConfigError: It has mistakes; all of them. Or its site has.
    """
    reading = Reading(path, {})
    values, lines = reading.document()
    root = Entry(reading, "Scenario", values, lambda at: Place(str(path), line_of(lines, at), _path_text(at)))
    root.refuse_unknown(KEYS[""])
    plant = root.choice("plant", tuple(PLANTS), "demonstration")
    kind = PLANTS[plant]
    site = root.text("site")
    own = path.parent / site if site else None
    if own is not None and not own.is_file():
        root.wrong(
            "site", f"the site file {show(site)} does not exist beside the scenario.", "Give its path from here."
        )
        own = None
    known = known_of(own, kind)
    completes_s = root.number("completes_s", 0.0, SECONDS)
    lasts_s = _span_s(root, "lasts_s", LASTS, max(completes_s, 1.0) if root.has("completes_s") else LASTS.most)
    if not root.has("lasts_s") and not root.has("completes_s"):
        root.wrong("lasts_s", "lasts_s is missing; it says how long the gateway is there.", "Add lasts_s, in seconds.")
    forward_s = _span_s(root, "forward_s", ALONE, 0.0)
    after_s = _span_s(root, "after_s", ALONE, 0.0)
    step_s = root.number("step_s", 1.0, STEP)
    for key, span_s in (("forward_s", forward_s), ("lasts_s", lasts_s), ("after_s", after_s)):
        _refuse_part_step(root, key, span_s, step_s)
    reader = _Reader(kind, known, lasts_s, forward_s, after_s)
    moments = [moment for entry in root.sections("act", "Act") for moment in reader.moments(entry)]
    faults = [reader.fault(entry) for entry in root.sections("fault", "Fault")]
    drafts = [(reader.expectation(entry), entry) for entry in root.sections("expect", "Expectation")]
    _refuse_overlaps(drafts, known)
    scenario = Scenario(
        path=path,
        name=path.stem,
        title=root.titles("title", path.stem),
        kind=kind,
        site=own,
        begins_ns=_begins(root),
        forward_s=forward_s,
        lasts_s=lasts_s,
        after_s=after_s,
        step_s=step_s,
        seed=root.whole("seed", 1, 0, 2**31),
        moments=tuple(sorted(moments, key=lambda moment: moment.at_s)),
        faults=tuple(fault for fault in faults if fault is not None),
        expectations=tuple(draft for draft, _ in drafts if draft is not None),
    )
    reading.mistakes.refuse()
    return scenario


def _span_s(root: Entry, key: str, span: Span, default: float) -> float:
    """Read how long something lasts, s; where that is wrong, so long that no time in the file is beyond it as well."""
    found = root.number_or_none(key, span)
    if found is not None:
        return found
    return LASTS.most if root.has(key) else default


def _refuse_part_step(root: Entry, key: str, span_s: float, step_s: float) -> None:
    """Refuse a length that is no whole number of steps: the plant would stand still at its end, unwatched."""
    steps = span_s / step_s
    if root.values.get(key) != span_s or abs(steps - round(steps)) <= STEP_PART:
        return  # One that is wrong by itself was refused already.
    fits = [step_s * whole for whole in (math.floor(steps), math.ceil(steps)) if whole]
    root.wrong(
        key,
        f"{key} is {span_s:g}, no whole number of steps of {step_s:g} s; its last part would not be played.",
        f"Write {' or '.join(f'{each:.12g}' for each in fits)}, or another step_s.",
    )


def _begins(root: Entry) -> int:
    value = root.values.get("begins", BEGINS)
    if not isinstance(value, datetime) or value.tzinfo is None:
        root.wrong(
            "begins",
            f"begins is {show(value)}; it must be a date and time with its offset.",
            "Write begins = 2026-01-01T00:00:00Z.",
        )
        value = BEGINS
    return (value - EPOCH) // timedelta(microseconds=1) * 1000


def _path_text(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "file"


class _Reader:
    """Reads the parts of one scenario against its plant and its site."""

    def __init__(self, kind: PlantKind, known: Known, lasts_s: float, forward_s: float, after_s: float) -> None:
        self.kind, self.known = kind, known
        self.lasts_s, self.forward_s, self.after_s = lasts_s, forward_s, after_s

    # ---- acts and faults

    def moments(self, entry: Entry) -> list[Moment]:
        """Read one act, and when it comes again."""
        entry.refuse_unknown(KEYS["act"])
        at_s = self._time(entry, "at_s", least=0.0 - self.forward_s, after_s=self.after_s)
        verb, unit = entry.choice("verb", tuple(self.kind.verbs), ""), entry.text("unit")
        say = entry.titles("say", "")
        every_s = entry.number_or_none("every_s", EVERY)
        until_s = self.lasts_s + self.after_s
        if every_s is not None and at_s + every_s > until_s >= at_s:
            entry.wrong(
                "every_s",
                f"every_s is {every_s:g}; from {at_s:g} s it never comes again, the plant runs for {until_s:g} s.",
                "Shorten it, or remove it.",
            )
        if not verb:
            return []
        can = self.kind.verbs[verb]
        if unit not in can.units:
            entry.wrong(
                "unit", f"the plant {self.kind.name} has no unit {show(unit)} that can {verb}.", meant(unit, can.units)
            )
        amount = entry.number_or_none("amount", Span(least=can.least, most=can.most)) or 0.0
        if can.amount and not entry.has("amount"):
            entry.wrong("amount", f"amount is missing; {verb} takes {can.amount}.", "Add amount.")
        if not can.amount and entry.has("amount"):
            entry.wrong("amount", f"{verb} takes no amount.", "Remove amount.")
        act = Act(verb=verb, unit=unit, amount=amount)
        say = say or words_of(act, can)
        times = [at_s] if every_s is None else np.arange(at_s, until_s + 1e-9, every_s).tolist()
        return [Moment(at_s=time_s, act=act, say=say) for time_s in times]

    def fault(self, entry: Entry) -> Fault | None:
        """Read one fault."""
        entry.refuse_unknown(KEYS["fault"])
        at_s = self._time(entry, "at_s", least=0.0)
        for_s = entry.number_or_none("for_s", LONG)
        name = entry.titles("say", "").get("en", "")
        kind = entry.choice("kind", (*VALUE_KINDS, *LINE_KINDS), "")
        if not kind:
            return None
        is_line = kind in LINE_KINDS
        target = self._target(entry, kind, is_line=is_line)
        what = LINE_KINDS[kind] if is_line else VALUE_KINDS[kind]
        amount = entry.number_or_none("amount", Span(least=what.least, most=what.most)) or 0.0
        if what.amount and not entry.has("amount"):
            entry.wrong("amount", f"amount is missing; {kind} takes {what.amount}.", "Add amount.")
        if not what.amount and entry.has("amount"):
            entry.wrong("amount", f"{kind} takes no amount.", "Remove amount.")
        until_s = math.inf if for_s is None else at_s + for_s
        return Fault(kind=kind, target=target, from_s=at_s, until_s=until_s, amount=amount, name=name)

    def _target(self, entry: Entry, kind: str, *, is_line: bool) -> str:
        right, wrong = ("source", "tag") if is_line else ("tag", "source")
        names = sorted(self.known.sources if is_line else self.known.ranges)
        if entry.has(wrong):
            entry.wrong(wrong, f"{kind} is a fault of a {right}, not of a {wrong}.", f"Write {right} = … in its place.")
        target = entry.required(right, f"{kind} is a fault of a {right}")
        if target and target not in names:
            entry.wrong(right, f"the site has no {right} {show(target)}.", meant(target, names))
        elif kind in ("cut", "short") and not all(map(math.isfinite, self.known.ranges.get(target, (0.0, 0.0)))):
            entry.wrong(right, f"{target} has no range, so no current stands for its values.", "Give it a range.")
        return target

    # ---- expectations

    def expectation(self, entry: Entry) -> Expectation | None:
        """Read one expectation, and refuse it where it can never be met or asks for nothing."""
        entry.refuse_unknown(KEYS["expect"])
        word = entry.choice("see", tuple(See), "")
        name = entry.required("id", "an expectation is called by it")
        if not word:
            return None
        see = See(word)
        for key in entry.values:
            if key in KEYS["expect"] and key not in MAY[see] | ALWAYS:
                entry.wrong(key, f"{key} says nothing where see is {see.value}.", f"Remove {key}.")
        for key in NEEDS.get(see, ()):
            if not entry.has(key):
                entry.wrong(key, f"{key} is missing; see = {show(see.value)} needs it.", f"Add {key}.")
        draft = Expectation(
            id=name,
            see=see,
            tag=entry.text("tag"),
            condition=entry.text("condition"),
            rule=entry.text("rule"),
            unit=entry.text("unit"),
            tier=entry.choice("tier", TIERS[1:], "BLUE") if entry.has("tier") else "",
            from_s=self._time(entry, "from_s", least=0.0, default=0.0),
            until_s=self._time(entry, "until_s", least=0.0, default=self.lasts_s),
            before=entry.text("before"),
            before_say=self.kind.milestones.get(entry.text("before"), {}),
            lead_s=entry.number("lead_s", 0.0, SECONDS),
            within_s=entry.number("within_s", 0.0, Span(above=0.0, most=DAY_S)),
            least=entry.whole("least", 0, 1, 1_000_000),
            over_by_s=self._time(entry, "over_by_s", least=0.0) if entry.has("over_by_s") else math.inf,
            say=entry.titles("say", ""),
            line=entry.place().line,
        )
        self._check_window(entry, draft)
        if see in (See.FLOOD, See.FIRST_OUT):
            check_flood(entry, draft, self.known)
        if see is See.TIER:
            self._check_unit(entry, draft)
        elif see is See.QUIET:
            self._check_quiet(entry, draft)
        elif see is not See.FLOOD and (see is not See.FIRST_OUT or draft.tag):
            self._check_alarm(entry, draft)
        return draft

    def _time(
        self, entry: Entry, key: str, *, least: float, default: float | None = None, after_s: float = 0.0
    ) -> float:
        """Read a moment of the story."""
        if default is None and not entry.has(key):
            entry.wrong(key, f"{key} is missing; it is a moment of the story, s.", f"Add {key}.")
        if default is None:
            found = entry.number_or_none(key, Span(least=least)) or 0.0
        else:
            found = entry.number(key, default, Span(least=least))
        if found > self.lasts_s + after_s:
            what = "the gateway is there" if not after_s else "the plant runs"
            entry.wrong(
                key,
                f"{key} is {found:g}, and {what} for {self.lasts_s + after_s:g} s.",
                "Give an earlier time, or a longer lasts_s.",
            )
        return found

    def _check_window(self, entry: Entry, draft: Expectation) -> None:
        if draft.until_s <= draft.from_s:
            entry.wrong(
                "until_s" if entry.has("until_s") else "from_s",
                f"the window ends at {draft.until_s:g} s and begins at {draft.from_s:g} s; nothing can be in it.",
                "Let it end after it begins.",
            )
        if draft.before and draft.before not in self.kind.milestones:
            entry.wrong(
                "before",
                f"the plant {self.kind.name} has no milestone {show(draft.before)}.",
                meant(draft.before, tuple(self.kind.milestones)),
            )
        if draft.lead_s and not draft.before:
            entry.wrong("lead_s", "lead_s says how long before a milestone, and there is none.", "Add before.")
        ends_s = self.lasts_s + self.after_s
        if draft.before and draft.from_s + draft.lead_s > ends_s:
            entry.wrong(
                "lead_s",
                f"{draft.lead_s:g} s after {draft.from_s:g} s the plant runs no longer, it ends at {ends_s:g} s; "
                "the milestone can never come late enough.",
                "Give a shorter lead_s, or a longer after_s.",
            )

    def _check_unit(self, entry: Entry, draft: Expectation) -> None:
        if not draft.unit:
            return
        most = self.known.units.get(draft.unit)
        if most is None:
            entry.wrong(
                "unit", f"the site has no unit {show(draft.unit)}.", meant(draft.unit, sorted(self.known.units))
            )
        elif draft.tier and rank(draft.tier) > rank(most):
            entry.wrong(
                "tier",
                f"{draft.unit} can never reach {draft.tier}; its rules and tiering lines go to {most}.",
                f"Expect {most} at most, or give the site a rule that says {draft.tier}.",
            )

    def _check_quiet(self, entry: Entry, draft: Expectation) -> None:
        if bool(draft.tag) == bool(draft.unit):
            entry.wrong("tag", "quiet is said of a tag or of a unit, one of them.", "Give tag or unit.")
        elif draft.unit and draft.unit not in self.known.units:
            entry.wrong(
                "unit", f"the site has no unit {show(draft.unit)}.", meant(draft.unit, sorted(self.known.units))
            )
        elif draft.tag and not any(rule.tag == draft.tag for rule in self.known.rules):
            tags = sorted({rule.tag for rule in self.known.rules})
            if draft.tag in self.known.ranges:
                entry.wrong("tag", f"{draft.tag} has no rule; it is always quiet.", "Expect it of a tag with a rule.")
            else:
                entry.wrong("tag", f"the site has no tag {show(draft.tag)}.", meant(draft.tag, tags))

    def _check_alarm(self, entry: Entry, draft: Expectation) -> None:
        if bool(draft.rule) == bool(draft.tag):
            entry.wrong("tag", "an alarm is said by tag and condition, or by rule.", "Give tag and condition, or rule.")
            return
        if draft.tag and not draft.condition:
            if "condition" in NEEDS.get(draft.see, ()):
                return  # That it is missing was said already.
            entry.wrong("condition", "condition is missing; it says which one of the tag.", 'Add condition = "HH".')
            return
        found = [rule for rule in self.known.rules if _means(draft, rule)]
        if not found:
            self._refuse_unknown_alarm(entry, draft)
            return
        takes_s = min(rule.on_delay_s + rule.least_s for rule in found)
        if draft.until_s < takes_s:
            entry.wrong(
                "until_s",
                f"{found[0].rule} needs {takes_s:g} s before it can ring, and the window ends at {draft.until_s:g} s.",
                "Give a later window.",
            )
        if draft.see is See.NOTICE:
            self._check_notice(entry, found)
        elif draft.see is See.FIRST_OUT:
            check_first_out(entry, draft, self.known, found)
        elif draft.see is See.SUPPRESSED:
            check_suppressed(entry, draft, self.known, found)

    def _refuse_unknown_alarm(self, entry: Entry, draft: Expectation) -> None:
        rules = self.known.rules
        if draft.rule:
            entry.wrong(
                "rule", f"the site has no rule {show(draft.rule)}.", meant(draft.rule, [rule.rule for rule in rules])
            )
        elif draft.tag not in self.known.ranges and not any(rule.tag == draft.tag for rule in rules):
            names = sorted({*self.known.ranges, *(rule.tag for rule in rules)})
            entry.wrong("tag", f"the site has no tag {show(draft.tag)}.", meant(draft.tag, names))
        else:
            own = sorted({rule.condition for rule in rules if rule.tag == draft.tag})
            entry.wrong(
                "condition",
                f"{draft.tag} has no rule of the kind {show(draft.condition)}; it can never ring.",
                meant(draft.condition, own),
            )

    def _check_notice(self, entry: Entry, found: Sequence[Tripping]) -> None:
        if not entry.has("within_s"):
            entry.wrong("within_s", "within_s is missing; it says how soon the notice is held.", "Add within_s.")
        most = max((rule.tier for rule in found), key=rank)
        if not self.known.told_from:
            entry.wrong("see", "the site has no destination; nobody is told.", "Give the site a [[destination]].")
        elif rank(most) < rank(self.known.told_from):
            entry.wrong(
                "see",
                f"{found[0].rule} is {most}, and nobody is told below {self.known.told_from}.",
                "Expect a notice of a graver alarm, or lower tier_least of the destination.",
            )


def _means(draft: Expectation, rule: Tripping) -> bool:
    """Tell whether an expectation speaks of a rule."""
    return rule.rule == draft.rule if draft.rule else (rule.tag, rule.condition) == (draft.tag, draft.condition)


def _refuse_overlaps(drafts: Sequence[tuple[Expectation | None, Entry]], known: Known) -> None:
    """Refuse expectations that say the same twice or contradict each other in the same time."""
    whole = [(draft, entry) for draft, entry in drafts if draft is not None]
    for (one, _), (other, entry) in combinations(whole, 2):
        if one.id and one.id == other.id:
            entry.wrong("id", f"id {show(other.id)} stands in line {one.line} already.", "Give each its own id.")
        if other.from_s > one.until_s or one.from_s > other.until_s:
            continue
        if (
            one.see is other.see
            and one.see in (See.ALARM, See.TIER, See.FLOOD, See.FIRST_OUT, See.SUPPRESSED)
            and _same(one, other, known)
        ):
            entry.wrong(
                "see",
                f"it overlaps with {show(one.id)} in line {one.line}: the same, in windows that meet.",
                "Join them, or part their windows.",
            )
        for kept, ringing in ((one, other), (other, one)):
            is_within = kept.from_s <= ringing.from_s and ringing.until_s <= kept.until_s
            if (
                is_within
                and kept.see is See.SUPPRESSED
                and ringing.see in (See.ALARM, See.NOTICE)
                and _same(kept, ringing, known)
            ):
                entry.wrong(
                    "see",
                    f"it contradicts {show(one.id)} in line {one.line}: all the time that it may ring, it is to be "
                    "suppressed.",
                    "Part their windows.",
                )
        for quiet, ringing in ((one, other), (other, one)):
            is_within = quiet.from_s <= ringing.from_s and ringing.until_s <= quiet.until_s
            if is_within and quiet.see is See.QUIET and ringing.see in RINGS and _contradicts(quiet, ringing, known):
                entry.wrong(
                    "see",
                    f"it contradicts {show(one.id)} in line {one.line}: all the time that {quiet.tag or quiet.unit} "
                    "may ring, it is to be quiet.",
                    "Part their windows, or narrow what is to be quiet by condition or tier.",
                )


def _same(one: Expectation, other: Expectation, known: Known) -> bool:
    """Tell whether two expectations mean the same, be it that one says by its id what the other says by its tag."""

    def of(each: Expectation) -> tuple[Any, ...]:
        return each.tag, each.condition, each.rule, each.unit, each.tier

    if of(one) == of(other):
        return True
    if bool(one.rule) == bool(other.rule) or (one.unit, one.tier) != (other.unit, other.tier):
        return False
    meant_by_one, meant_by_other = ([rule.rule for rule in known.rules if _means(each, rule)] for each in (one, other))
    return len(meant_by_one) == 1 and meant_by_one == meant_by_other


def _contradicts(quiet: Expectation, ringing: Expectation, known: Known) -> bool:
    """Tell whether what is to ring is all of it something that is to be quiet."""
    if ringing.see is See.TIER:
        return quiet.unit == ringing.unit and not quiet.condition and rank(ringing.tier) >= rank(quiet.tier or "BLUE")
    rules = [rule for rule in known.rules if _means(ringing, rule)]
    return bool(rules) and all(
        (rule.tag == quiet.tag if quiet.tag else rule.unit == quiet.unit)
        and (not quiet.condition or rule.condition == quiet.condition)
        and rank(rule.tier) >= rank(quiet.tier or "BLUE")
        for rule in rules
    )
