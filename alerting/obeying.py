"""Obeying: what people ask of alarms: acknowledge, reset, shelve, take out of service, empty, relearn.

Flow: Command -> [obey] -> Answer, events
Why: each command is carried out or refused with a sentence, in the tick, so that it is committed with what it changed.
"""

from dataclasses import replace

import numpy as np

from alerting.alarm_book import SELF
from alerting.core.drift import relearn
from alerting.judge import ceiling, is_latching
from alerting.lifecycle import Refused, Turn, step
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.command import Command, Verb
from alerting.model.event import What
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from alerting.outcome import Answer
from alerting.seconding import Awaits, SecondingDesk
from edge.model import Nature

NS = 1_000_000_000
TIER_ZH = {Tier.BLUE: "蓝色", Tier.YELLOW: "黄色", Tier.ORANGE: "橙色", Tier.RED: "红色"}
STILL_STANDS = "it was acknowledged and still stands"
BACK_IN_SERVICE = "an alarm of the tag is back in service"


class ObeyingDesk(SecondingDesk):
    """Commands, and the ends of what they asked for."""

    def obey(self, command: Command) -> None:
        """Carry out one command, or refuse it with a sentence."""
        if command.verb is Verb.EMPTY:
            self._outcome.answers.append(Answer(command=command, refused=self._empty(command.alarm)))
            return
        changed = None
        try:
            if command.verb is Verb.CONFIRM:
                changed = self._confirm(command)
            elif command.verb is Verb.WITHDRAW:
                self._withdraw(command)
            elif command.verb is Verb.RELEARN:
                self._relearn_asked(command)
            else:
                changed = self._carry_out(command, self._find(command.alarm))
        except Awaits as waiting:
            self._keep_request(waiting.request)
            self._outcome.answers.append(Answer(command=command, request=waiting.request))
            return
        except Refused as refusal:
            self._outcome.answers.append(Answer(command=command, refused=refusal.sentence))
            return
        self._outcome.answers.append(Answer(command=command, alarm=changed))

    def _find(self, name: str) -> Alarm:
        key = self.key_of_id.get(name, name)
        alarm = self.alarms.get(key)
        if alarm is not None:
            return alarm
        if not self._places:  # A digest for each alarm that may ever ring: made when somebody first asks.
            self._places = {
                self._key(tag.nature, place): (tag.nature, place)
                for place, (name, _) in enumerate(self.table.alarms)
                for tag in (self.table.tags[self.table.tags.row_of[name]],)
            }
        if key in self._places:
            nature, place = self._places[key]
            tag, group = self.table.alarms[place]
            unit = self.table.tags[self.table.tags.row_of[tag]].unit
            return Alarm(key=key, nature=nature, tag=tag, unit=unit, group=group)
        raise Refused("There is no such alarm.", "没有这条报警。")

    def _carry_out(self, command: Command, alarm: Alarm) -> Alarm:
        now_ns = self._outcome.now_ns
        match command.verb:
            case Verb.ACK:
                return self._acknowledge(command, alarm, now_ns)
            case Verb.SILENCE:
                return self._silence(command, alarm, now_ns)
            case Verb.RESET:
                state = step(alarm.state, Turn.RESET, is_latching=True)
                self._ask_second(command, alarm)
                return self._note(replace(alarm, state=state, tier_max=Tier.NONE), What.CLEARED, command, now_ns)
            case Verb.SHELVE:
                return self._shelve(command, alarm, now_ns)
            case Verb.SUPPRESS:
                return self._take_out(command, alarm, now_ns)
            case Verb.UNSHELVE:
                return self._unsuppress(alarm, Suppression.SHELVED, command.who, now_ns)
            case Verb.UNSUPPRESS:
                return self._unsuppress(alarm, Suppression.OUT_OF_SERVICE, command.who, now_ns)
            case _:
                raise AssertionError(command)  # It is about a tag, a rule, a request or a stop, not about an alarm.

    def _confirm(self, command: Command) -> Alarm:
        """Carry out what another person asked for, in that person's name."""
        request = self._open_request(command.alarm)
        if request.command.who == command.who:
            raise Refused("Another person must confirm this.", "须由另一人确认,不能由申请人本人确认。")
        asked = replace(request.command, alarm=request.key, confirmed_by=command.who)
        try:
            changed = self._carry_out(asked, self._find(request.key))
        except Refused:
            self._end_request(request, "refused", command.who)
            raise
        self._end_request(request, "confirmed", command.who)
        return changed

    def _empty(self, tag: str) -> dict[str, str] | None:
        """Set an occupancy to 0; give why not."""
        row = self.table.tags.row_of.get(tag)
        state = None if row is None else self.derived_states[self.table.tags[row].nature]
        if state is None or not self.derived.empty(state.of_group, tag):
            return {"en": "This tag is no occupancy.", "zh": "该位号不是区域人数。"}
        return None

    def _silence(self, command: Command, alarm: Alarm, now_ns: int) -> Alarm:
        """Silence the horn for an alarm (OPC UA Part 9, Silence): quiet at every screen, unanswered as before."""
        if alarm.state not in (State.UNACK, State.RTN_UNACK) or alarm.suppression is not Suppression.NONE:
            raise Refused("The horn does not sound for this alarm.", "该报警未触发音响,无需消音。")
        self._refuse_unseen(command, alarm)
        if alarm.silenced_ns:
            return alarm
        return self._note(replace(alarm, silenced_by=command.who, silenced_ns=now_ns), What.SILENCED, command, now_ns)

    def _refuse_unseen(self, command: Command, alarm: Alarm) -> None:
        if command.seen_tier is not None and alarm.tier > command.seen_tier:
            raise Refused("The alarm has escalated since; look again.", "报警已升级,请重新查看后确认。")

    def _acknowledge(self, command: Command, alarm: Alarm, now_ns: int) -> Alarm:
        self._refuse_unseen(command, alarm)
        state = step(alarm.state, Turn.ACK, is_latching=is_latching(self.table, alarm))
        if state is alarm.state:
            return alarm
        acked = replace(
            alarm,
            state=state,
            # What latches shows the highest tier of its episode until it is reset; else the answer was to what rings.
            tier_max=alarm.tier_max if is_latching(self.table, alarm) else alarm.tier,
            acked_by=command.who,
            acked_ns=now_ns,
            comment=command.reason,
        )
        acked = self._note(acked, What.ACKNOWLEDGED, command, now_ns)
        return self._note(acked, What.CLEARED, command, now_ns) if state is State.NORMAL else acked

    def _shelve(self, command: Command, alarm: Alarm, now_ns: int) -> Alarm:
        """Shelve for at most as long as the highest tier allows that the alarm can reach."""
        tier = ceiling(self.table, alarm)
        minutes = self.philosophy.shelving.most(tier)
        end_ns = now_ns + minutes * 60 * NS
        grave, grave_zh = max(tier, Tier.BLUE), TIER_ZH[max(tier, Tier.BLUE)]
        if minutes == 0:
            raise Refused(
                f"An alarm that can reach {grave.name} may not be shelved on this site.",
                f"本站规定:可达到{grave_zh}预警的报警不得搁置。",
            )
        if command.is_one_shot and not alarm.is_active:
            raise Refused(
                "A one-shot shelf lasts until the alarm returns to normal; it is not active now.",
                "单次搁置到报警恢复正常为止;该报警当前未触发。",
            )
        if command.until_ns > end_ns:
            raise Refused(
                f"An alarm that can reach {grave.name} may be shelved for at most {minutes} minutes.",
                f"可达到{grave_zh}预警的报警最长可搁置 {minutes} 分钟。",
            )
        if command.is_one_shot and command.until_ns == 0:
            command = replace(command, until_ns=end_ns)
        return self._suppress(command, alarm, Suppression.SHELVED, now_ns)

    def _take_out(self, command: Command, alarm: Alarm, now_ns: int) -> Alarm:
        """Take out of service, or extend that under the same permit unless another one is given."""
        service, tier = self.philosophy.absence, max(ceiling(self.table, alarm), Tier.BLUE)
        hours, name, name_zh = service.most_h(tier), tier.name, TIER_ZH[tier]
        if hours == 0:
            raise Refused(
                f"An alarm that can reach {name} may not be taken out of service on this site.",
                f"本站规定:可达到{name_zh}预警的报警不得停用。",
            )
        if command.until_ns > now_ns + hours * 3600 * NS:
            raise Refused(
                f"An alarm that can reach {name} may be out of service for at most {hours} hours from now.",
                f"可达到{name_zh}预警的报警,自现在起最长可停用 {hours} 小时。",
            )
        if alarm.suppression is Suppression.OUT_OF_SERVICE and not command.permit:
            command = replace(command, permit=alarm.permit)
        if service.needs_permit(tier) and not command.permit:
            raise Refused(
                f"An alarm that can reach {name} is taken out of service under a permit; give its number.",
                f"可达到{name_zh}预警的报警须凭作业票停用,请填写作业票编号。",
            )
        return self._suppress(command, alarm, Suppression.OUT_OF_SERVICE, now_ns)

    def _suppress(self, command: Command, alarm: Alarm, how: Suppression, now_ns: int) -> Alarm:
        if not command.reason.strip():
            raise Refused("Give a reason.", "请填写原因。")
        if command.until_ns <= now_ns:
            raise Refused("Give an end time in the future.", "结束时间必须晚于当前时间。")
        if alarm.suppression is Suppression.BY_DESIGN and how is Suppression.SHELVED:
            raise Refused(
                f"The alarm is suppressed by design ({alarm.design}) and says nothing until that state ends.",
                f"该报警处于设计抑制({alarm.design}),状态结束前不会报警,无需搁置。",
            )
        if alarm.suppression not in (Suppression.NONE, Suppression.BY_DESIGN, how):
            raise Refused(
                f"The alarm is suppressed already ({alarm.suppression.value}); end that first.",
                "该报警已处于抑制状态,请先解除。",
            )
        self._ask_second(command, alarm)
        suppressed = replace(
            alarm,
            design="",
            suppression=how,
            suppressed_until_ns=command.until_ns,
            suppressed_by=command.who,
            suppression_reason=command.reason,
            is_one_shot=command.is_one_shot and how is Suppression.SHELVED,
            suppressed_ns=alarm.suppressed_ns if alarm.suppression is how else now_ns,  # An extension keeps it.
            permit=command.permit if how is Suppression.OUT_OF_SERVICE else "",
        )
        what = What.SHELVED if how is Suppression.SHELVED else What.SUPPRESSED
        return self._note(
            suppressed, what, command, now_ns, extends_ns=alarm.suppressed_until_ns if alarm.suppression is how else 0
        )

    def _unsuppress(self, alarm: Alarm, how: Suppression, who: str, now_ns: int) -> Alarm:
        if alarm.suppression is Suppression.BY_DESIGN:
            raise Refused(
                f"The alarm is suppressed by design ({alarm.design}); it comes back when that state ends.",
                f"该报警处于设计抑制({alarm.design}),状态结束后自动恢复。",
            )
        if alarm.suppression is not how:
            raise Refused("The alarm is not suppressed in this way.", "该报警未处于此抑制状态。")
        what = What.UNSHELVED if how is Suppression.SHELVED else What.UNSUPPRESSED
        if how is Suppression.OUT_OF_SERVICE:  # The instrument may have been worked on.
            self._relearn(self._drifts_of(alarm.tag), alarm.nature, who, BACK_IN_SERVICE)
            alarm = self.alarms.get(alarm.key, alarm)
        free = self._note(alarm.freed(), what, who, now_ns)
        cover = self._cover_of(free)
        return self._announce(free, who) if cover is None else self._keep_by_design(free, cover)

    def _relearn_asked(self, command: Command) -> None:
        """Let a DRIFT rule learn anew, as a person says."""
        index = self.table.index_of.get(command.alarm)
        if index is None or self.table[index].kind is not Kind.DRIFT:
            raise Refused("There is no such DRIFT rule.", "没有这条漂移规则。")
        if not command.reason.strip():
            raise Refused("Give a reason.", "请填写原因。")
        tag = self.table.tags[self.table.row[index]]
        self._relearn([index], tag.nature, command.who, command.reason, forget=command.forget_season)

    def _drifts_of(self, tag: str) -> list[int]:
        row = self.table.tags.row_of.get(tag)
        mine = [] if row is None else range(int(self.table.first[row]), int(self.table.first[row + 1]))
        return [k for k in mine if self.table[k].kind is Kind.DRIFT]

    def _relearn(self, rules: list[int], nature: Nature, who: str, reason: str, *, forget: bool = False) -> None:
        if not rules:
            return
        now_ns = self._outcome.now_ns
        changes = relearn(self.table, self.memory(nature), np.array(rules, np.int64), now_ns, forget=forget)
        names = [self.table[k].id for k in rules]
        self.remark("drift_relearned", nature=nature.value, rules=names, who=who, reason=reason, forget_season=forget)
        self._fold(changes, nature, "")

    def _realarm_acked(self, now_ns: int) -> None:
        """Announce what was acknowledged so long ago and still stands."""
        for key, due_ns in self.realarms.take_due(now_ns):
            alarm = self.alarms[key]
            by = Command(verb=Verb.ACK, alarm=key, who=SELF, received_ns=now_ns, reason=STILL_STANDS)
            assert alarm.state is State.ACKED, (key, due_ns)
            self._announce(alarm, by)

    def _end_suppressions(self, now_ns: int) -> None:
        for key in sorted(self._suppressed):
            alarm = self.alarms[key]
            if 0 < alarm.suppressed_until_ns <= now_ns:
                self._unsuppress(alarm, alarm.suppression, SELF, now_ns)
