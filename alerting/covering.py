"""Covering: alarms fall quiet with a declared state of the plant, and ring again when it ends.

Flow: changed rules -> [a state began: suppress] -> alarms -> [a state ended: let ring] -> Outcome
Why: what trips in the same scan in which the state begins is born quiet; what still stands when it ends is announced.
Never: hides. Each of them is judged, journalled and listed as suppressed by design.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerting.abreast import Ranks
from alerting.alarm_book import SELF
from alerting.core import Changes
from alerting.covers import Cover, Covers
from alerting.judge import UNSEEN, is_latching
from alerting.judging import JudgingDesk
from alerting.lifecycle import Turn, step
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.command import Command, Verb
from alerting.model.event import Event, What
from alerting.model.philosophy import Philosophy
from alerting.model.stop import PREFIX, Stop, StopState
from alerting.model.ticket_cover import PREFIX as TICKET_PREFIX
from alerting.model.unit import HazardUnit
from edge.model import Nature

STATE_ENDED = "the state that suppressed it has ended"
STOP_ENDED = "the declared stop of its device has ended"
TICKET_ENDED = "the work ticket that suppressed it has ended"


class CoveringDesk(JudgingDesk):
    """Suppression by design.

    Attributes:
        stops: Declared stops that are open, by id.
    """

    philosophy: Philosophy
    stops: dict[str, Stop]
    covers: Covers
    hazard_units: Sequence[HazardUnit]

    def _lay_covers(self) -> None:
        """Lay the declared suppressions and the stops that run over the table in force."""
        running = [stop for stop in self.stops.values() if stop.state is StopState.RUNNING]
        policy = self.philosophy
        self.covers = Covers(
            policy.suppressions, self.table, self.hazard_units, running, policy.stop.tier_most, policy.tickets
        )

    def ranks(self, nature: Nature) -> Ranks | None:
        """Give which scans may go abreast; none where a state of the plant may keep the alarms of others quiet."""
        return None if self.covers else super().ranks(nature)

    def _fold(
        self, changes: Changes, nature: Nature, scan_key: str, then: Changes | None = None, swap: int = 0
    ) -> None:
        is_state = bool(self.covers) and len(changes) > 0 and bool(self.covers.is_gate[changes.rule].any())
        if is_state:
            self._begin_by_design()
        super()._fold(changes, nature, scan_key, then, swap)
        if is_state:
            self._end_by_design()

    def _kept_quiet(self, place: int, event: Event, alarm: Alarm) -> tuple[Event, Alarm]:
        """Let an alarm that a state covers be born quiet."""
        if not self.covers or not alarm.is_active or alarm.suppression is not Suppression.NONE:
            return event, alarm
        cover = self.covers.over(place, self.memory(alarm.nature))
        if cover is None:
            return event, alarm
        alarm = replace(alarm, **self._by_design(cover))
        cause = {**event.cause, "by_design": cover.design}
        return replace(event, suppression=alarm.suppression.value, cause=cause), alarm

    def _settle_by_design(self) -> None:
        self._begin_by_design()
        self._end_by_design()

    def _begin_by_design(self) -> None:
        """Suppress what stands and is covered by a state that holds."""
        if not self.covers:
            return
        for key in sorted(key for keys in self._of_unit.values() for key in keys):
            alarm = self.alarms[key]
            cover = self._cover_of(alarm)
            if cover is None or alarm.suppression is Suppression.OUT_OF_SERVICE or alarm.design == cover.design:
                continue
            self._keep_by_design(alarm, cover)

    def _keep_by_design(self, alarm: Alarm, cover: Cover) -> Alarm:
        by = Command(
            verb=Verb.SUPPRESS, alarm=alarm.key, who=SELF, received_ns=self._outcome.now_ns, reason=_reason(cover)
        )
        return self._note(replace(alarm, **self._by_design(cover)), What.SUPPRESSED, by, self._outcome.now_ns)

    def _end_by_design(self) -> None:
        """Let ring what no state covers any more."""
        for key in sorted(self._suppressed):
            alarm = self.alarms[key]
            if alarm.suppression is Suppression.BY_DESIGN and self._cover_of(alarm) is None:
                why = _end_of(alarm.design)
                by = Command(verb=Verb.UNSUPPRESS, alarm=key, who=SELF, received_ns=self._outcome.now_ns, reason=why)
                self._announce(self._note(alarm.freed(), What.UNSUPPRESSED, by, self._outcome.now_ns), SELF)

    def _announce(self, alarm: Alarm, by: Command | str) -> Alarm:
        """Announce an alarm again where its condition is active."""
        if not alarm.is_active:
            return alarm
        now_ns = self._outcome.now_ns
        state = step(alarm.state, Turn.REALARM, is_latching=is_latching(self.table, alarm))
        return self._note(replace(alarm, state=state, raised_ns=now_ns, **UNSEEN), What.REALARMED, by, now_ns)

    def _cover_of(self, alarm: Alarm) -> Cover | None:
        """Give what covers an alarm now, or None; a rule that is no more covers nothing."""
        place = self.covers.place_of.get((alarm.tag, alarm.group))
        if place is None or (alarm.state is State.NORMAL and alarm.suppression is Suppression.NONE):
            return None
        return self.covers.over(place, self.memory(alarm.nature))

    def _by_design(self, cover: Cover) -> dict[str, Any]:
        return {
            "suppression": Suppression.BY_DESIGN,
            "suppressed_until_ns": 0,
            "suppressed_by": SELF,
            "suppression_reason": _reason(cover),
            "suppressed_ns": self._outcome.now_ns,
            "is_one_shot": False,
            "permit": "",
            "design": cover.design,
        }


def _end_of(design: str) -> str:
    if design.startswith(TICKET_PREFIX):
        return TICKET_ENDED
    return STOP_ENDED if design.startswith(PREFIX) else STATE_ENDED


def _reason(cover: Cover) -> str:
    return cover.words.get("en") or next(iter(cover.words.values()), cover.design)
