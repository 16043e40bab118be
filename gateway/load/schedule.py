"""Schedules: what ``[[schedule]]`` tables, rules and rows say of when a rule is judged, and what must hold for it.

Why: a schedule that never opens is an alarm that never rings, and nobody would notice.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from alerting.model.rule import DATA_KINDS, Rule
from alerting.model.schedule import DAY_S, DAYS, Schedule, Span
from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import ID_RULE, is_id, keys_of

SPANS_MAX: Final = 32
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
REMEDY: Final = (
    'Write schedule = { days = ["mon", "tue"], from = "08:00", to = "20:00" }, a list of such spans, or the id of a '
    "[[schedule]]."
)


class ScheduleReader:
    """Reads the schedules of a site."""

    def __init__(self, entries: Iterable[Entry], zone: str) -> None:
        self.zone = zone
        self.named: dict[str, Schedule | None] = {}
        self._entry_of: dict[str, Entry] = {}
        self._used: set[str] = set()
        self._read: dict[tuple[int, str], Schedule | None] = {}  # by entry: the rules of a row share what it says
        for entry in entries:
            self._take(entry)

    def give(self, rule: Rule, entry: Entry) -> Rule:
        """Give a rule the schedule that its entry says, if it says one."""
        key = "schedule_no_data" if entry.is_row and rule.kind in DATA_KINDS else "schedule"
        if not entry.has(key):
            return rule
        place = (id(entry), key)
        if place not in self._read:
            self._read[place] = self.of(entry, key)
        return replace(rule, schedule=self._read[place])

    def settle(self, rows: Iterable[TagDraft]) -> None:
        """Note what can only be told now that all rules are known."""
        for draft in rows:
            row = draft.row
            if row.has("schedule") and (id(row), "schedule") not in self._read:
                row.wrong(
                    "schedule",
                    "schedule is given, but the row has neither a limit nor a rate nor a trend that it could be of.",
                    "Add a setpoint, write it into a [[rule]], or leave it empty.",
                )
        for name, entry in self._entry_of.items():
            if name not in self._used:
                entry.warn(
                    "id",
                    "no rule and no escalation names this schedule.",
                    "Name it in a rule or a tag table, or remove it.",
                )

    def _take(self, entry: Entry) -> None:
        entry.refuse_unknown(keys_of("schedule"))
        name = entry.required("id", ID_RULE, is_id)
        if name in self.named:
            entry.wrong("id", "id stands twice.", "Give each schedule its own id.")
        if not entry.has("span"):
            entry.wrong("span", "span is missing; it says when rules are judged.", "Add a [[schedule.span]].")
            spans: list[Entry] = []
        else:
            spans = entry.sections("span", "Span")
        found = self._schedule([(span, ()) for span in spans], entry, "span")
        if name:
            self.named.setdefault(name, found)
            self._entry_of.setdefault(name, entry)

    def of(self, entry: Entry, key: str) -> Schedule | None:
        """Read what a rule or a row says: the id of a schedule, a span, or a list of spans."""
        value = entry.values[key]
        if isinstance(value, str):
            name = value.strip()
            self._used.add(name)
            if name not in self.named:
                entry.wrong(key, f"schedule {show(name)} does not exist.", meant(name, tuple(self.named)))
            return self.named.get(name)
        if isinstance(value, dict):
            return self._schedule([(entry.section(key), ())], entry, key)
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return self._schedule([(span, ()) for span in entry.sections(key, "Span")], entry, key)
        entry.wrong(key, f"{key} is {show(value)}; it must be a span, a list of spans or an id.", REMEDY)
        return None

    def _schedule(self, entries: Sequence[tuple[Entry, KeyPath]], about: Entry, key: str) -> Schedule | None:
        if not 0 < len(entries) <= SPANS_MAX:
            if about.has(key):
                about.wrong(key, f"{key} has {len(entries)} spans; it must have 1 to {SPANS_MAX}.", REMEDY)
            return None
        spans = [_span(entry) for entry, _ in entries]
        if any(span is None for span in spans):
            return None
        return Schedule(spans=tuple(span for span in spans if span is not None), zone=self.zone)


def _span(entry: Entry) -> Span | None:
    entry.refuse_unknown(keys_of("schedule.span"))
    days = _days(entry)
    begin, end = read_clock(entry, "from"), read_clock(entry, "to")
    if begin == DAY_S:
        entry.wrong("from", 'from is "24:00"; a day begins at 00:00.', 'Write from = "00:00" of the next day.')
        return None
    if begin is None or end is None or days is None:
        return None
    if begin == end:
        entry.wrong(
            "to",
            f"from and to are both {show(entry.values['from'])}; the span is empty, or a whole day.",
            'Write from = "00:00" and to = "24:00" for whole days.',
        )
        return None
    return Span(days=days, from_s=begin, to_s=end)


def _days(entry: Entry) -> tuple[int, ...] | None:
    if not entry.has("days"):
        return tuple(range(len(DAYS)))
    value = entry.values["days"]
    if not isinstance(value, list) or not value:
        entry.wrong("days", f"days is {show(value)}; it must be a list of days.", 'Write days = ["mon", "tue"].')
        return None
    wrong = [item for item in value if item not in DAYS]
    for item in wrong:
        entry.wrong("days", f"day {show(item)} is not known.", f"Write one of {', '.join(DAYS)}.")
    if wrong:
        return None
    if len(set(value)) < len(value):
        entry.wrong("days", "a day stands twice.", "Write each day once.")
        return None
    return tuple(sorted(DAYS.index(item) for item in value))


def read_clock(entry: Entry, key: str) -> int | None:
    """Read a time of the wall clock, s since midnight; None where it is missing or wrong."""
    text = entry.required(key, 'it is a time of the wall clock, e.g. "08:00"')
    if not text:
        return None
    if _CLOCK.fullmatch(text) is None:
        entry.wrong(key, f"{key} is {show(text)}; it must be a time from 00:00 to 24:00.", 'Write it as "08:00".')
        return None
    return int(text[:2]) * 3600 + int(text[3:]) * 60
