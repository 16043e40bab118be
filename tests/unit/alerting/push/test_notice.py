"""Notices: who is told what about which event, and that every alerted chain gets its end."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.push.notice import Composer, Head, Notice, chain_of, decimals_of, follow
from alerting.push.words import clause, quality_zh
from edge.model import Nature, Tag, TagTable

NOW = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


@dataclass(frozen=True)
class Receiver:
    id: str = "district"
    tier_least: Tier = Tier.YELLOW
    natures: tuple[Nature, ...] = (Nature.TEST,)


@dataclass(frozen=True)
class Site:
    destinations: tuple[Receiver, ...] = (Receiver(),)
    id: str = "demo"
    timezone: str = "Asia/Shanghai"

    @property
    def title(self) -> dict[str, str]:
        return {"en": "Demo", "zh": "演示"}

    @property
    def tags(self) -> TagTable:
        return TagTable([Tag(name="TK-101.level", source="s", unit="TK-101", eu="m", resolution=0.01)])

    @property
    def units(self) -> tuple[HazardUnit, ...]:
        return (HazardUnit(id="TK-101", title={"en": "Tank TK-101", "zh": "TK-101 储罐"}, grade=2),)


def event(what: What = What.RAISED, tier: Tier = Tier.ORANGE, n: int = 1, **more: Any) -> Event:  # noqa: ANN401
    told: dict[str, Any] = {
        "id": digest("event", n), "what": what, "time_ns": NOW + 123_456_789, "received_ns": NOW + 200_000_000,
        "nature": Nature.TEST, "unit": "TK-101", "alarm": "a" * 32, "alarm_key": "k" * 32, "tag": "TK-101.level",
        "group": "high", "condition": "HH", "tier": tier, "state": "UNACK", "value": 4.31, "setpoint": 4.2,
        "cause": {"scan": "s/1/2", "quality": "GOOD", "on_delay_s": 3.0},
    }  # fmt: skip
    return Event(**(told | more))


def compose(*events: Event, site: Site | None = None, head: Head | None = None) -> list[Notice]:
    return Composer(site or Site()).compose_all(events, {}, {}, head)


def actions(*events: Event, site: Site | None = None) -> list[str]:
    return [notice.action for notice in compose(*events, site=site)]


YELLOW, ORANGE, BLUE, NONE = Tier.YELLOW, Tier.ORANGE, Tier.BLUE, Tier.NONE
OUT, DESIGN, SHELVED = Suppression.OUT_OF_SERVICE, Suppression.BY_DESIGN, Suppression.SHELVED


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # a whole life
        ([(What.RAISED, YELLOW), (What.ESCALATED, ORANGE), (What.LOWERED, YELLOW), (What.CLEARED, NONE)],
         ["alert", "update", "update", "cancel"]),
        # below the least tier nothing is told, and nothing is cancelled
        ([(What.RAISED, BLUE), (What.CLEARED, NONE)], []),
        # it rises into what this destination wants
        ([(What.RAISED, BLUE), (What.ESCALATED, ORANGE), (What.CLEARED, NONE)], ["alert", "cancel"]),
        # once alerted, an update follows even below the least tier
        ([(What.RAISED, ORANGE), (What.LOWERED, BLUE), (What.CLEARED, NONE)], ["alert", "update", "cancel"]),
        # what concerns only the operator is not told
        ([(What.RAISED, ORANGE), (What.ACKNOWLEDGED, ORANGE), (What.RETURNED, NONE)], ["alert"]),
        # a shelf silences the horn, not the authority
        ([(What.RAISED, ORANGE), (What.SHELVED, ORANGE, SHELVED), (What.ESCALATED, Tier.RED, SHELVED)],
         ["alert", "update"]),
        # out of service: no alarm push, but the end of an alerted chain
        ([(What.RAISED, ORANGE, OUT), (What.ESCALATED, Tier.RED, OUT), (What.CLEARED, NONE, OUT)], []),
        ([(What.RAISED, ORANGE, DESIGN)], []),
        ([(What.RAISED, ORANGE), (What.ESCALATED, Tier.RED, OUT), (What.CLEARED, NONE, OUT)], ["alert", "cancel"]),
        # back in service with the condition still there
        ([(What.RAISED, ORANGE, OUT), (What.REALARMED, ORANGE)], ["alert"]),
        ([(What.RAISED, ORANGE), (What.RAISED, ORANGE)], ["alert", "update"]),  # a trip from RTN_UNACK keeps the id
    ],
)  # fmt: skip
def test_what_a_destination_is_told(told: list[tuple[Any, ...]], expected: list[str]) -> None:
    events = [
        event(what, tier, n, suppression=(rest[0] if rest else Suppression.NONE).value)
        for n, (what, tier, *rest) in enumerate(told)
    ]

    assert actions(*events) == expected


@pytest.mark.parametrize("group", ["drift", "drift:slow"])
def test_what_is_learnt_is_silent_whatever_a_destination_takes(group: str) -> None:
    site = Site(destinations=(Receiver(tier_least=BLUE),))
    heard = event(tier=BLUE, group="stale", condition="STALE")
    assert actions(heard, site=site) == ["alert"]
    for what in (What.RAISED, What.RETURNED, What.SUPPRESSED, What.UNSUPPRESSED):
        assert actions(event(what, tier=BLUE, group=group, condition="DRIFT"), site=site) == []


@pytest.mark.parametrize(
    ("ended_by", "en", "zh"),
    [
        ("enable t1 == 1", "its enable-condition t1 == 1 is not true", "启用条件 t1 == 1 不成立"),
        ("schedule mon 08:00-20:00", "it is judged mon 08:00-20:00 only", "仅在 周一 08:00-20:00 判定"),
        ("gone", "its rule is no longer in the configuration", "规则已不在配置中"),
    ],
)
def test_a_cancel_of_what_was_let_go_does_not_say_that_it_is_back_to_normal(ended_by: str, en: str, zh: str) -> None:
    cleared = event(What.CLEARED, NONE, 2, cause={"who": "Li", "ended_by": ended_by})
    text = json.loads(compose(event(), cleared)[-1].body)["text"]
    assert en in text["en"]
    assert zh in text["zh"]
    assert "normal" not in text["en"]
    assert "恢复正常" not in text["zh"]


def test_a_stop_record_is_a_chain_of_its_own_whatever_the_tier() -> None:
    cause = {"who": "li", "reason": "calibration", "until_ns": NOW + 3600 * 10**9}
    stop = event(What.SUPPRESSED, Tier.NONE, 1, alarm="", suppression="out_of_service", cause=cause)
    back = event(What.UNSUPPRESSED, Tier.NONE, 2, alarm="", cause={"who": "fengsui"})
    notices = compose(stop, back, event(What.RAISED, ORANGE, 3))

    assert [notice.action for notice in notices] == ["alert", "cancel", "alert"]
    assert notices[0].chain == notices[1].chain != notices[2].chain
    body = json.loads(notices[0].body)
    assert (body["subject"], body["reason"], body["until"]) == (
        "out_of_service", "calibration", "2026-01-01T09:00:00.000+08:00",
    )  # fmt: skip
    assert body["text"]["zh"].startswith("【测试】监测停用")


def test_a_unit_event_is_not_a_chain() -> None:
    assert compose(event(What.UNIT_RAISED, alarm="", alarm_key="", tag="")) == []


def test_a_destination_gets_only_the_natures_it_accepts() -> None:
    site = Site((Receiver(), Receiver(id="ministry", natures=(Nature.ACTUAL,))))

    assert [n.destination for n in compose(event(), site=site)] == ["district"]
    assert [n.destination for n in compose(event(nature=Nature.ACTUAL), site=site)] == ["ministry"]


def test_each_destination_has_its_own_chain_and_keys() -> None:
    site = Site((Receiver(), Receiver(id="city", tier_least=Tier.RED)))
    notices = compose(event(n=1), event(What.ESCALATED, Tier.RED, 2), event(What.CLEARED, NONE, 3), site=site)

    assert [(n.destination, n.action) for n in notices] == [
        ("district", "alert"), ("district", "update"), ("city", "alert"), ("district", "cancel"), ("city", "cancel"),
    ]  # fmt: skip
    assert len({n.key for n in notices}) == 5
    assert [json.loads(n.body)["sequence"] for n in notices] == [1, 2, 1, 3, 2]


def test_a_late_event_never_ends_a_live_chain() -> None:
    late = {"is_late": True, "cause": {"gap": "s@1"}}
    live = event(What.RAISED, ORANGE, 1)

    assert actions(live, event(What.CLEARED, NONE, 2, **late)) == ["alert"]
    notices = compose(live, event(What.RAISED, ORANGE, 2, **late), event(What.CLEARED, NONE, 3, **late))
    assert [n.action for n in notices] == ["alert", "alert", "cancel"]
    assert notices[0].chain != notices[1].chain == notices[2].chain
    assert "补报" in json.loads(notices[1].body)["text"]["zh"]
    assert notices[1].is_late


def test_the_body_says_everything_once_in_canonical_json() -> None:
    (notice,) = compose(event(), head=Head(count=7, hash="ab"))
    body = json.loads(notice.body)

    assert notice.body == json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert notice.key == digest(event().id, "district") == body["key"]
    assert body["time"] == "2026-01-01T08:00:00.123+08:00"
    assert (body["value"], body["eu"], body["setpoint"], body["condition"]) == (4.31, "m", 4.2, "HH")
    assert (body["nature"], body["chain"], body["action"], body["tier"]) == ("test", "a" * 32, "alert", "ORANGE")
    assert body["head"] == {"count": 7, "hash": "ab"}
    assert body["unit"] == {"id": "TK-101", "title": {"en": "Tank TK-101", "zh": "TK-101 储罐"}, "grade": 2}
    assert body["text"] == {
        "zh": "【测试】橙色预警:TK-101 储罐,TK-101.level 4.31 m ≥ 高高报设定值 4.20 m,持续 3 秒。"
              "2026-01-01T08:00:00.123+08:00",
        "en": "【测试】ORANGE early warning: Tank TK-101, TK-101.level 4.31 m ≥ HH 4.20 m for 3 s. "
              "2026-01-01T08:00:00.123+08:00",
    }  # fmt: skip


def test_every_text_of_an_exercise_says_so_and_an_actual_one_does_not() -> None:
    site = Site((Receiver(natures=tuple(Nature)),))
    told = {nature: json.loads(compose(event(nature=nature), site=site)[0].body)["text"] for nature in Nature}

    assert all(text.startswith("【演练】") for text in told[Nature.EXERCISE].values())
    assert not any(text.startswith("【") for text in told[Nature.ACTUAL].values())


def test_a_value_that_json_cannot_say_does_not_stop_the_commit() -> None:
    (notice,) = compose(event(value=float("nan"), tag="no such tag", unit="no such unit"))

    assert json.loads(notice.body)["value"] is None


def test_hostile_words_stay_text() -> None:
    (notice,) = compose(event(unit='"}],"tier":"NONE'))

    assert json.loads(notice.body)["tier"] == "ORANGE"


def test_a_row_is_ready_for_the_outbox() -> None:
    row = compose(event())[0].row()

    assert (row["state"], row["attempts"], row["next_ns"], row["tier"]) == ("waiting", 0, event().received_ns, 3)


WHATS = (What.RAISED, What.ESCALATED, What.LOWERED, What.CHANGED, What.REALARMED, What.RETURNED, What.CLEARED)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(WHATS), st.sampled_from(list(Tier)), st.sampled_from(["none", "out_of_service"])),
        max_size=12,
    )
)
def test_in_any_life_a_chain_begins_with_an_alert_and_nothing_follows_a_cancel(told: list[Any]) -> None:
    made = actions(*(event(w, t, n, suppression=s) for n, (w, t, s) in enumerate(told)))
    lives = "".join(action[0] for action in made).split("c")

    assert all(life == "" or (life[0] == "a" and set(life[1:]) <= {"u"}) for life in lives)
    assert "" not in lives[:-1]  # no cancel without an alert before it


def test_composing_tick_by_tick_equals_composing_at_once() -> None:
    events = [event(n=1), event(What.ESCALATED, Tier.RED, 2), event(What.CLEARED, NONE, 3), event(n=4)]
    pen, chains, made = Composer(Site()), {}, []  # type: ignore[var-annotated]
    for each in events:
        notices = pen.compose_all([each], {}, chains)
        follow(chains, notices)
        made += notices

    assert made == compose(*events)


def test_chains_are_named_alike_for_all_events_of_an_alarm() -> None:
    assert chain_of(event()) == chain_of(event(What.CLEARED, n=9)) == event().alarm


@pytest.mark.parametrize(
    ("facts", "en", "zh"),
    [
        ({"kind": "LL", "value": 0.4, "setpoint": 0.5, "eu": "m"},
         "T 0.4 m ≤ LL 0.5 m", "T 0.4 m ≤ 低低报设定值 0.5 m"),
        ({"kind": "RATE", "value": 2.0, "setpoint": 0.05, "eu": "m", "window_s": 10.0},
         "T changes by 0.05 m/s or more over 10 s, now 2 m", "T 10 秒内变化率达到 0.05 m/s,当前值 2 m"),
        ({"kind": "STALE", "setpoint": 3.0}, "T has given no sample for 3 s", "T 数据中断达 3 秒"),
        ({"kind": "BAD", "setpoint": 3.0}, "T has had bad quality for 3 s", "T 数据质量坏持续 3 秒"),
        ({"kind": "H", "value": None, "setpoint": 1.0}, "T ? ≥ H 1", "T ? ≥ 高报设定值 1"),
    ],
)  # fmt: skip
def test_each_kind_of_condition_has_its_clause(facts: dict[str, Any], en: str, zh: str) -> None:
    assert (clause({"tag": "T", **facts}, "en"), clause({"tag": "T", **facts}, "zh")) == (en, zh)


def test_quality_is_named_in_chinese() -> None:
    assert (quality_zh("GOOD"), quality_zh("BAD(timeout)")) == ("良好", "坏(超时)")


@pytest.mark.parametrize(("resolution", "decimals"), [(0.01, 2), (0.05, 2), (5.0, 0), (1e-7, 7), (100.0, 0)])
def test_a_resolution_says_how_many_decimals(resolution: float, decimals: int) -> None:
    assert decimals_of(resolution) == decimals


def test_alarm_and_state_words_are_those_of_the_model() -> None:
    assert Alarm(key="k", nature=Nature.TEST, tag="t", unit="u", group="high").state is State.NORMAL
