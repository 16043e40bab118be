"""Votes: members count while their own conditions stand; exact in time; nothing is counted that cannot be judged."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.desk import Desk
from alerting.model.event import Event
from alerting.model.rule import S_TO_NS, Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.swap import prepare
from edge.model import Nature, Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from tests.oracle.slow_evaluate import SlowCore
from tests.unit.alerting.core.scene import make_rule, make_tags, random_steps

START_NS = 1_700_000_000 * S_TO_NS  # as in the scenes
BAD = encode(Quality.BAD, Reason.COMMS)
RETAINED = encode(Quality.UNCERTAIN, Reason.RETAINED)
NAMES = ("a", "b", "c")


class Stage:
    """A desk with three tags, each a source of its own, their limits, and one vote."""

    def __init__(self, k: int = 2, *, keeps_k: bool = False, delay_s: float = 0.0, **limit: float) -> None:
        tags = [Tag(name=name, source=name.upper(), title={}, unit="U") for name in NAMES]
        self.tags = TagTable([*tags, Tag(name="gas", source="derived:A+B+C", title={"en": "Gas"}, unit="R")])
        self.rules = [
            *(Rule(id=f"{n}.H", tag=n, kind=Kind.H, setpoint=20, tier=Tier.BLUE, **limit) for n in NAMES),  # type: ignore[arg-type]
            *(Rule(id=f"{n}.STALE", tag=n, kind=Kind.STALE, setpoint=30, tier=Tier.BLUE) for n in NAMES),
            Rule(
                id="gas.VOTE", tag="gas", kind=Kind.VOTE, setpoint=k, tier=Tier.RED, asked=NAMES, keeps_k=keeps_k,
                members=tuple(f"{name}.H" for name in NAMES), on_delay_s=delay_s,
            ),
        ]  # fmt: skip
        self.desk = Desk("s", RuleTable(self.rules, self.tags), [HazardUnit(id="U"), HazardUnit(id="R")], (), START_NS)
        self.number = 0
        self.events: list[Event] = []

    def say(self, second: float, *, quality: int = 0, **values: float) -> list[Scan]:
        """Let some tags speak; the scans that the vote made."""
        self.desk.begin(START_NS + round(second * S_TO_NS))
        made: list[Scan] = []
        for name, value in values.items():
            self.number += 1
            made += self.desk.take(self.scan(name, value, second, quality))
        outcome = self.desk.finish()
        self.events += outcome.events
        return [*made, *outcome.made]

    def scan(self, name: str, value: float, second: float, quality: int = 0) -> Scan:
        at_ns = START_NS + round(second * S_TO_NS)
        return Scan(
            source=name.upper(), epoch=1, number=self.number, received_ns=at_ns,
            rows=np.array([self.tags.row_of[name]], np.int32), values=np.array([value]),
            quality=np.array([quality], np.uint8), times_ns=np.array([at_ns], np.int64), nature=Nature.ACTUAL,
        )  # fmt: skip

    @property
    def told(self) -> list[tuple[str, float, str]]:
        """What the vote's alarm did: event, second, unit."""
        mine = [each for each in self.events if each.tag == "gas"]
        return [(each.what.value, (each.time_ns - START_NS) / S_TO_NS, each.unit) for each in mine]


def about(*told: tuple[str, float]) -> list[tuple[str, float, str]]:
    """The same with a few ns of grace, which keep a tag's samples in order."""
    return [(what, pytest.approx(second, abs=1e-6), "R") for what, second in told]


def test_two_of_three_ring_as_the_vote_of_its_own_unit() -> None:
    stage = Stage()
    stage.say(1, a=5, b=5, c=5)
    stage.say(2, a=30)
    assert stage.told == []
    stage.say(3, c=30)
    stage.say(4, a=5)
    assert stage.told == about(("raised", 3), ("returned", 4))
    raised = next(each for each in stage.events if each.tag == "gas")
    assert (raised.condition, raised.group, raised.value, raised.setpoint) == ("VOTE", "vote", 2.0, 2.0)
    assert [(each["tag"], each["agrees"]) for each in raised.cause["members"]] == [
        ("a", True), ("b", False), ("c", True),
    ]  # fmt: skip


def test_a_member_counts_with_its_own_deadband() -> None:
    stage = Stage(deadband=5)
    stage.say(1, a=30, b=30, c=0)
    stage.say(2, a=17)  # below its setpoint, not past its deadband
    assert stage.told == about(("raised", 1))
    stage.say(3, a=14)
    assert stage.told == about(("raised", 1), ("returned", 3))


@pytest.mark.parametrize("late", [False, True])
def test_a_member_counts_from_the_moment_its_own_delay_ends(late: bool) -> None:
    stage = Stage(on_delay_s=4)
    stage.say(1, a=30, b=0, c=0)
    stage.say(2, b=30)
    if not late:  # A clock reading at each second, or none until another tag speaks.
        for second in range(3, 9):
            stage.say(second)
    stage.say(9, b=0)
    assert stage.told == about(("raised", 6), ("returned", 9))


@pytest.mark.parametrize("step", [0.25, 1.0, 100.0])
def test_a_late_look_finds_the_same_at_the_same_times(step: float) -> None:
    stage = Stage(delay_s=5, on_delay_s=2, off_delay_s=3)
    stage.say(1, a=30, b=30, c=0)
    stage.say(2, b=0)  # Its off-delay has nothing to end: it never tripped.
    stage.say(10, b=30)  # The member at 12, the vote at 17.
    stage.say(20, a=0)  # The member at 23, the vote at once.
    second = 20.0
    while second < 200:
        second += step
        stage.say(min(second, 200))
    assert stage.told[:2] == about(("raised", 17), ("returned", 23))


def test_a_member_that_changed_its_mind_before_ends_the_delay_of_the_vote() -> None:
    stage = Stage(delay_s=10, off_delay_s=3)
    stage.say(1, a=30, b=30, c=0)
    stage.say(2, a=0)  # The member lets go at 5, so the vote never rings, however late somebody looks.
    stage.say(25)
    assert stage.told == []


@pytest.mark.parametrize(
    ("keeps_k", "out", "agree", "says"),
    [
        (False, 0, 1, False), (False, 1, 1, True), (False, 2, 1, True), (False, 1, 0, False), (False, 2, 0, None),
        (False, 3, 0, None), (True, 1, 1, None), (True, 1, 2, True), (True, 2, 1, None), (True, 1, 0, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["bad", "retained", "nan"])
def test_members_out(keeps_k: bool, out: int, agree: int, says: bool | None, how: str) -> None:
    stage = Stage(keeps_k=keeps_k)
    values = [30.0] * agree + [0.0] * (3 - out - agree)
    made = stage.say(1, **dict(zip(NAMES, values, strict=False)))
    lost = dict.fromkeys(NAMES[3 - out :], float("nan") if how == "nan" else 99.0)
    made += stage.say(1, quality={"bad": BAD, "retained": RETAINED, "nan": 0}[how], **lost)
    memory = stage.desk.memories[Nature.ACTUAL]
    assert bool(memory.is_active[stage.desk.table.index_of["gas.VOTE"]]) is (says is True)
    if made:
        assert bool(made[-1].quality[0] >= Quality.BAD) is (says is None)
        assert made[-1].values[0] == agree


def test_members_that_have_not_come_yet_neither_ring_nor_calm_the_group() -> None:
    stage = Stage()
    (first,) = stage.say(1, b=30)  # After a start: one instrument alone is not the group.
    assert stage.told == []
    assert first.quality[0] >= Quality.BAD
    stage.say(29, b=30)
    stage.say(31)  # a and c never came and are overdue now.
    assert stage.told == about(("raised", 30))


def test_what_is_unknown_never_lets_go() -> None:
    stage = Stage()
    stage.say(1, a=30, b=30, c=0)
    stage.say(2, quality=BAD, a=0, b=0)  # c says no, the two others might still say yes
    assert stage.told == about(("raised", 1))
    stage.say(3, a=0, b=0)
    assert stage.told == about(("raised", 1), ("returned", 3))


def test_a_silent_member_leaves_by_the_clock_alone() -> None:
    stage = Stage()
    stage.say(1, a=0, b=30, c=0)
    stage.say(20, b=30, c=0)
    stage.say(32)  # a is stale since 31: one of the two left is enough
    assert stage.told == about(("raised", 31))


def test_a_restart_knows_how_the_members_stood() -> None:
    stage = Stage(delay_s=10)
    stage.say(1, a=30, b=30, c=0)
    memory = stage.desk.memories[Nature.ACTUAL]
    stage.desk = Desk("s", RuleTable(stage.rules, stage.tags), [HazardUnit(id="R")], (), START_NS)
    again = stage.desk.memories[Nature.ACTUAL]
    for name in ("last_ns", "value", "value_ns", "quality", "is_active", "phase", "since_ns", "elapsed_ns", "mark_ns",
                 "mark_received_ns"):  # fmt: skip
        getattr(again, name)[:] = getattr(memory, name)
    again.timers.forget()
    stage.say(12)
    assert stage.told == about(("raised", 11))


def test_a_restart_without_values_does_not_calm_the_group_by_members_that_never_came() -> None:
    stage = Stage()
    stage.say(1, a=30, b=30)
    memory = stage.desk.memories[Nature.ACTUAL]
    memory.last_ns[stage.tags.row_of["c"]] = START_NS  # As a restart sets it: how far its source has come.
    memory.votes.is_settled = False
    stage.say(2, b=0)  # a says yes, c might too
    assert stage.told == about(("raised", 1))
    stage.say(20, a=30, b=0)
    stage.say(31, a=30, b=0)  # c is overdue: one of the two left is enough
    assert stage.told == about(("raised", 1))


def change(stage: Stage, second: float, *vote: Rule) -> None:
    """Let another vote, or none, take the place of the stage's."""
    rules = [*(rule for rule in stage.rules if rule.kind is not Kind.VOTE), *vote]
    table = RuleTable(rules, stage.tags)
    swap = prepare(stage.desk.table, table, stage.desk.memories, 2)
    stage.desk.begin(START_NS + round(second * S_TO_NS))
    stage.events += stage.desk.finish(swap).events
    stage.rules = rules


def test_a_vote_that_is_new_rings_by_what_its_members_said_last() -> None:
    """Members may speak seldom: an instrument that sends changes only would keep the vote calm for hours."""
    stage = Stage()
    vote = stage.rules[-1]
    change(stage, 0.5)
    stage.say(1, a=30, b=30, c=0)
    change(stage, 2, vote)
    assert stage.told == about(("raised", 2))
    raised = next(each for each in stage.events if each.tag == "gas")
    assert [each["agrees"] for each in raised.cause["members"]] == [True, True, False]
    assert (raised.value, raised.cause["swap"]) == (2.0, 2)


def test_a_vote_that_loses_a_member_no_longer_counts_it() -> None:
    stage = Stage()
    stage.say(1, a=30, b=0, c=0)
    vote = stage.rules[-1]
    change(stage, 2, replace(vote, setpoint=1, members=("b.H", "c.H"), asked=("b", "c")))
    stage.say(3)
    assert stage.told == []
    change(stage, 4, replace(vote, setpoint=1, members=("a.H", "c.H"), asked=("a", "c")))
    assert stage.told == about(("raised", 4))


@pytest.mark.parametrize("seed", range(8))
def test_random_scenes_against_counting_by_hand(seed: int) -> None:
    """After each tick the vote stands as the slow oracle's members say, counted one by one."""
    rng = np.random.default_rng(seed)
    k, keeps_k = int(rng.integers(1, 4)), bool(rng.random() < 0.4)
    tags = TagTable([*make_tags(3, 2), Tag(name="gas", source="derived:s0+s1", unit="R")])
    kinds = (Kind.H, Kind.L, Kind.H)
    rules = [
        make_rule(kind, 0.5 if kind is Kind.H else -0.5, tag=f"t{n}", deadband=float(rng.choice([0.0, 0.25])),
                  on_delay_s=float(rng.choice([0.0, 0.3])), off_delay_s=float(rng.choice([0.0, 0.5])))
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    rules += [make_rule(Kind.STALE, 2.0, tag=f"t{n}") for n in range(3)]
    slow = SlowCore(rules, TagTable([tags[row] for row in range(3)]), START_NS)
    members = tuple(rule.id for rule in rules[:3])
    vote = make_rule(Kind.VOTE, float(k), tag="gas", asked=("t0", "t1", "t2"), keeps_k=keeps_k, members=members)
    desk = Desk("s", RuleTable([*rules, vote], tags), [], (), START_NS)
    memory = desk.memories[Nature.ACTUAL]
    stood, changes = False, 0
    for step in random_steps(rng, TagTable([tags[row] for row in range(3)]), 400, jitter=2):
        now_ns = step.received_ns if isinstance(step, Scan) else step
        desk.begin(now_ns)
        if isinstance(step, Scan) and len(step):
            slow.expire(now_ns - 1)
            slow.evaluate(step)
            desk.take(step)
        desk.finish()
        slow.expire(now_ns)
        agree = out = awaited = 0
        for tag in slow.tags:
            limit, silence = tag.rules
            if silence.active or (tag.last_ns and not tag.is_relied_on):
                out += 1
            elif not tag.last_ns:
                awaited += 1
            else:
                agree += limit.active
        if agree >= (k if keeps_k else max(1, k - out)):
            expected = True
        else:
            expected = stood if agree + out + awaited >= k else False
        changes += expected is not stood
        stood = bool(memory.is_active[desk.table.index_of["gas.VOTE"]])
        assert stood is expected, f"seed {seed}: {agree} agree, {out} out, {awaited} awaited, k {k} {keeps_k}"
    assert changes


def test_suppressed_members_still_vote_and_hidden_ones_never_ring() -> None:
    stage = Stage()
    stage.rules = [replace(rule, tier=Tier.NONE, name="gas") if rule.kind is Kind.H else rule for rule in stage.rules]
    stage.desk = Desk("s", RuleTable(stage.rules, stage.tags), [HazardUnit(id="R")], (), START_NS)
    stage.say(1, a=30, b=30, c=0)
    assert [each.tag for each in stage.events if each.alarm] == ["gas"]


def gated_stage(degrade: str = "lower-k") -> Stage:
    """The silence of c is not told while nobody works there; c votes all the same, while it speaks."""
    stage = Stage(keeps_k=degrade == "keep-k")
    rules = [replace(r, enable="w > 0", enable_asked=("w",)) if r.id == "c.STALE" else r for r in stage.rules]
    stage.tags = TagTable([*stage.tags, Tag(name="w", source="W", title={}, unit="U")])
    stage.desk = Desk("s", RuleTable(rules, stage.tags), [HazardUnit(id="U"), HazardUnit(id="R")], (), START_NS)
    return stage


@pytest.mark.parametrize("step", [0.5, 2.0])
def test_a_member_leaves_at_the_moment_it_falls_silent_though_nobody_is_to_be_told(step: float) -> None:
    """c speaks last at 2 s and is silent from 32 s on; a agrees alone, so that the vote is met as c leaves it.

    The others speak at 30 s and 34 s.
    """
    stage = gated_stage()
    stage.say(1, a=30, b=5, c=5, w=0)
    stage.say(2, c=5)
    second = 2.0
    while second < 46:
        second += step
        stage.say(second, **({"a": 30, "b": 5} if (second - 2) % 4 == 0 and second < 40 else {}))
    assert stage.told[:1] == about(("raised", 32))
    assert not any(event.condition == "STALE" and event.tag == "c" for event in stage.events)


def test_the_next_moment_knows_of_a_silence_that_is_not_told() -> None:
    """A replay stops there, although no rule does."""
    stage = gated_stage()
    stage.say(1, a=30, b=5, c=5, w=0)
    found = {stage.desk.next_due_ns()}
    stage.say(25, a=30, b=5, w=0)
    found.add(stage.desk.next_due_ns())
    assert START_NS + 31 * S_TO_NS in found


def test_a_silent_member_does_not_come_back_because_its_silence_is_no_longer_told() -> None:
    stage = gated_stage()
    stage.say(1, a=30, b=5, c=5, w=1)
    for second in range(4, 40, 3):
        stage.say(second, a=30, b=5, w=1)
    assert stage.told == about(("raised", 31))
    stage.say(40, w=0)  # STALE of c is let go; c is as silent as before.
    made = [*stage.say(41), *stage.say(43, a=30, b=5, w=0)]
    assert stage.told == about(("raised", 31))
    assert [scan.quality.tolist() for scan in made][-1:] == [[encode(Quality.UNCERTAIN, Reason.INPUT)]]
    stage.say(44, c=5)
    assert stage.told == about(("raised", 31), ("returned", 44))


def test_a_vote_of_silent_members_stands_alike_after_a_restart() -> None:
    """What follows from memory is looked at anew; the silence that nobody is told of is found again at once."""
    stage = gated_stage()
    stage.say(1, a=30, b=5, c=5, w=0)
    stage.say(30, a=30, b=5, w=0)
    stage.say(33)
    memory = stage.desk.memory(Nature.ACTUAL)
    before = memory.votes.is_out.copy()
    memory.votes.is_settled, memory.votes.is_dead[:] = False, False
    stage.say(34)
    assert (memory.votes.is_out == before).all()
    assert before.tolist() == [[False, False, True]]
    assert stage.told == about(("raised", 31))
