"""Stopping: declared stops of devices: declared, begun, extended, over; and what rings again when one ends.

Flow: Command STOP, EXTEND, RESUME -> [obey] -> stops -> covers -> alarms by design; the clock begins and ends them
Why: people declare one stop, not forty suppressions; what was forgotten rings again by itself.
Never: keeps anything quiet past the declared end, or an alarm that can be graver than the site allows.
"""

from dataclasses import replace

from alerting.alarm_book import SELF
from alerting.covers import places_of, places_of_ticket, tags_under
from alerting.lifecycle import Refused
from alerting.model.alarm import digest
from alerting.model.command import Command, Verb
from alerting.model.second_person import Request
from alerting.model.stop import OPEN, Plan, Stop, StopKind, StopState
from alerting.model.tier import Tier
from alerting.obeying import BACK_IN_SERVICE, ObeyingDesk
from alerting.outcome import Answer
from alerting.seconding import NS_OF_MINUTE, Awaits

DAY_NS = 86_400_000_000_000
VERBS = frozenset({Verb.STOP, Verb.EXTEND, Verb.RESUME})


def next_of(stop: Stop) -> int:
    """Give the receive time at which the clock will do something to a stop; 0 for never."""
    return {StopState.PLANNED: stop.begins_ns, StopState.RUNNING: stop.ends_ns}.get(stop.state, 0)


class StoppingDesk(ObeyingDesk):
    """Declared stops."""

    def obey(self, command: Command) -> None:
        """Carry out one command, or refuse it with a sentence."""
        if command.verb not in VERBS and not self._is_of_stop(command):
            super().obey(command)
            return
        try:
            answer = Answer(command=command, stop=self._carry_out_stop(command))
        except Awaits as waiting:
            self._keep_request(waiting.request)
            answer = Answer(command=command, request=waiting.request)
        except Refused as refusal:
            answer = Answer(command=command, refused=refusal.sentence)
        self._outcome.answers.append(answer)

    def _is_of_stop(self, command: Command) -> bool:
        request = self.requests.get(command.alarm)
        return command.verb is Verb.CONFIRM and request is not None and request.command.verb in VERBS

    def _carry_out_stop(self, command: Command) -> Stop:
        match command.verb:
            case Verb.STOP:
                return self._declare(command)
            case Verb.EXTEND:
                return self._extend(command)
            case Verb.RESUME:
                return self._resume(command)
            case _:
                return self._confirm_stop(command)

    def _confirm_stop(self, command: Command) -> Stop:
        request = self._open_request(command.alarm)
        if request.command.who == command.who:
            raise Refused("Another person must confirm this.", "须由另一人确认,不能由申请人本人确认。")
        try:
            stop = self._carry_out_stop(replace(request.command, confirmed_by=command.who))
        except Refused:
            self._end_request(request, "refused", command.who)
            raise
        self._end_request(request, "confirmed", command.who)
        return stop

    def _declare(self, command: Command) -> Stop:
        now_ns, plan = self._outcome.now_ns, command.plan
        if plan is None:
            raise Refused("Say what is down.", "请说明停用的设备。")
        if plan.kind is StopKind.TICKET:
            return self._open_ticket(command, plan)
        names = self._names_of(plan)
        begins_ns = max(plan.begins_ns, now_ns)
        self._check_span(command, begins_ns)
        if plan.kind is StopKind.OVERHAUL and self.philosophy.stop.needs_permit and not command.permit:
            raise Refused(
                "An overhaul is declared under a permit on this site; give its number.",
                "本站规定:检修须凭作业票申报,请填写作业票编号。",
            )
        natures = sorted({self.table.tags[self.table.tags.row_of[name]].nature for name in names})
        if len(natures) > 1:
            raise Refused(
                "These tags are of different natures; declare one stop for each.", "所选位号数据性质不同,请分别申报。"
            )
        nature = natures[0]
        quiet, grave = places_of(names, self.table, nature, self.philosophy.stop.tier_most)
        if not quiet:
            most = self.philosophy.stop.tier_most.name
            raise Refused(
                f"It would keep no alarm quiet: none there can reach {most} at most.",
                "所选设备没有可由停用抑制的报警,无需申报。",
            )
        for known in self.stops.values():
            is_same = (
                known.kind is not StopKind.TICKET
                and known.state in (StopState.PLANNED, StopState.RUNNING)
                and set(known.tags) & set(names)
            )
            if is_same and known.begins_ns < command.until_ns and begins_ns < known.ends_ns:
                raise Refused(
                    f"A stop of it is declared for that time already, by {known.who}; extend that one.",
                    f"{known.who} 已申报该设备此时段的停用,请延长原申报。",
                )
        stop = Stop(
            id=digest(self.site, plan.unit, *plan.tags, command.who, command.received_ns, plan.begins_ns)[:12],
            kind=plan.kind, nature=nature, unit=plan.unit or self.table.tags[self.table.tags.row_of[names[0]]].unit,
            tags=tuple(dict.fromkeys(self.table.alarms[place][0] for place in quiet)), is_whole=not plan.tags,
            covered=len(quiet), left=len(grave), reason=command.reason, permit=command.permit, who=command.who,
            confirmed_by=command.confirmed_by, declared_ns=now_ns, begins_ns=begins_ns, ends_ns=command.until_ns,
            state=StopState.PLANNED,
        )  # fmt: skip
        self._second_for(command, stop, self._highest(quiet))
        self._keep_stop(stop)
        self._pass_stops(now_ns)
        return self.stops[stop.id]

    def _open_ticket(self, command: Command, plan: Plan) -> Stop:
        """Take up special work; a ticket that covers nothing is taken up too, for a revision may let it cover more.

        The ticket was approved by a second person, and how long it may be valid says its ledger.
        """
        now_ns = self._outcome.now_ns
        if command.until_ns <= now_ns:
            raise Refused("The ticket is past its end.", "作业票已过有效期。")
        names = self._names_of(plan)
        of_ticket = (command.permit, plan.unit, plan.work, plan.begins_ns, command.until_ns)
        kept = []
        for nature in sorted({self.table.tags[self.table.tags.row_of[name]].nature for name in names}):
            quiet = places_of_ticket(
                plan.work, plan.unit, nature, self.philosophy.tickets, self.table, self.hazard_units
            )
            stop = Stop(
                id=digest(self.site, *of_ticket, nature)[:12],
                kind=plan.kind, nature=nature, unit=plan.unit, is_whole=True, covered=len(quiet), left=0,
                tags=tuple(dict.fromkeys(self.table.alarms[place][0] for place in quiet)), reason=command.reason,
                permit=command.permit, who=command.who, confirmed_by="", declared_ns=now_ns, work=plan.work,
                begins_ns=plan.begins_ns, ends_ns=command.until_ns, state=StopState.PLANNED,
            )  # fmt: skip
            self._keep_stop(stop)
            kept.append(stop.id)
        self._pass_stops(now_ns)
        return self.stops[kept[0]]

    def _names_of(self, plan: Plan) -> list[str]:
        """Give the tags that a plan names; refuse what the site does not have."""
        if plan.tags:
            missing = [name for name in plan.tags if name not in self.table.tags.row_of]
            if missing:
                raise Refused(f"There is no tag {missing[0]}.", f"没有位号 {missing[0]}。")
            return list(dict.fromkeys(plan.tags))
        if plan.unit not in {unit.id for unit in self.hazard_units}:
            raise Refused("There is no such hazard unit.", "没有这个危险源单元。")
        names = tags_under(plan.unit, self.table, self.hazard_units)
        if not names:
            raise Refused("This unit has no tags.", "该单元没有位号。")
        return names

    def _check_span(self, command: Command, begins_ns: int) -> None:
        if not command.reason.strip():
            raise Refused("Give a reason.", "请填写原因。")
        if command.until_ns <= max(begins_ns, self._outcome.now_ns):
            raise Refused("The end lies before the beginning, or is past.", "结束时间早于开始时间,或已过。")
        days = self.philosophy.stop.days_most
        if command.until_ns > self._outcome.now_ns + days * DAY_NS:
            raise Refused(
                f"A stop may be declared for at most {days} days from now; extend it later.",
                f"停用最长可申报至 {days} 天之后,到期前可延长。",
            )

    def _extend(self, command: Command) -> Stop:
        stop = self._open_stop(command.alarm)
        self._check_by_ticket(command, stop)
        self._check_span(command, stop.begins_ns)
        quiet, _ = places_of(stop.tags, self.table, stop.nature, self.philosophy.stop.tier_most)
        self._second_for(command, stop, self._highest(quiet))
        now_ns = self._outcome.now_ns
        state = StopState.PLANNED if stop.state is StopState.PLANNED else StopState.RUNNING
        self._keep_stop(replace(stop, ends_ns=command.until_ns, note=command.reason, state=state))
        self._settle_stops()
        self._pass_stops(now_ns)
        return self.stops[stop.id]

    def _resume(self, command: Command) -> Stop:
        """Take the word of a person that the device is back; before it began, that it is not stopped at all."""
        stop = self._open_stop(command.alarm)
        self._check_by_ticket(command, stop)
        state = StopState.WITHDRAWN if stop.state is StopState.PLANNED else StopState.ENDED
        over = replace(stop, state=state, over_by=command.who, over_ns=self._outcome.now_ns, note=command.reason)
        self._keep_stop(over)
        if stop.state is StopState.RUNNING:
            self._settle_stops()
            self._learn_anew(stop, command.who)
        return over

    def _check_by_ticket(self, command: Command, stop: Stop) -> None:
        """Let special work end with its ticket alone: who closes that says so in one place."""
        if stop.kind is StopKind.TICKET and (command.plan is None or command.plan.kind is not StopKind.TICKET):
            raise Refused(
                f"It lasts as long as work ticket {stop.permit}; change or close that one in the register.",
                f"该抑制随作业票 {stop.permit} 生效和结束,请在台账中修改或关闭作业票。",
            )

    def _open_stop(self, name: str) -> Stop:
        stop = self.stops.get(name)
        if stop is None:
            raise Refused("There is no such stop, or it is over.", "没有这条停用申报,或已结束。")
        return stop

    def _highest(self, places: list[int]) -> Tier:
        first = self.table.alarm_first
        return Tier(max((int(self.table.tier[first[k] : first[k + 1]].max()) for k in places), default=0))

    def _second_for(self, command: Command, stop: Stop, highest: Tier) -> None:
        """Let it wait for a second person where taking one of its alarms out of service would."""
        if command.confirmed_by or not self.philosophy.second.is_needed(Verb.SUPPRESS, highest):
            return
        for one in self.requests.values():
            asked = one.command
            if (asked.verb, asked.plan, asked.alarm) == (command.verb, command.plan, command.alarm):
                raise Refused(
                    f"The same waits for a second person already, asked by {asked.who}.",
                    f"{asked.who} 已提出同样的申请,正等待第二人确认。",
                )
        now_ns = self._outcome.now_ns
        raise Awaits(
            Request(
                id=digest("stop", stop.id, command.verb, command.who, now_ns), command=command, key=stop.id,
                tag="" if stop.is_whole else stop.tags[0], unit=stop.unit, asked_ns=now_ns,
                expires_ns=now_ns + self.philosophy.second.minutes * NS_OF_MINUTE,
            )
        )  # fmt: skip

    def _keep_stop(self, stop: Stop) -> None:
        if stop.state in OPEN:
            self.stops[stop.id] = stop
        else:
            self.stops.pop(stop.id, None)
        self._outcome.stops[stop.id] = stop

    def _pass_stops(self, now_ns: int) -> None:
        """Begin what falls due and end what is over; what was down while a stop came and went sees only its end."""
        changed, ended = False, []
        for stop in [one for one in self.stops.values() if 0 < next_of(one) <= now_ns]:
            if stop.state is StopState.PLANNED and stop.ends_ns > now_ns:
                self._keep_stop(replace(stop, state=StopState.RUNNING, began_ns=now_ns))
                self.remark("stop_began", id=stop.id, unit=stop.unit, nature=stop.nature.value)
            elif stop.kind is StopKind.TICKET:
                over = replace(stop, state=StopState.ENDED, began_ns=stop.began_ns or stop.begins_ns, over_ns=now_ns)
                self._keep_stop(over)
                self.remark("ticket_over", id=stop.id, permit=stop.permit, unit=stop.unit, nature=stop.nature.value)
            else:
                self._keep_stop(replace(stop, state=StopState.OVERDUE, began_ns=stop.began_ns or stop.begins_ns))
                self.remark("stop_overdue", id=stop.id, unit=stop.unit, nature=stop.nature.value)
                ended.append(stop)
            changed = True
        if changed:
            self._settle_stops()
        for stop in ended:
            self._learn_anew(stop, SELF)

    def _settle_stops(self) -> None:
        self._lay_covers()
        self._settle_by_design()

    def _learn_anew(self, stop: Stop, who: str) -> None:
        """Let drift detectors learn the device as it is now: it was worked on; special work leaves it as it was."""
        if stop.kind is StopKind.TICKET:
            return
        rules = [rule for tag in stop.tags for rule in self._drifts_of(tag)]
        self._relearn(rules, stop.nature, who, BACK_IN_SERVICE)
