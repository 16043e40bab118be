"""Duties in the store: they follow records and alarms, reach people, and are told once."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from alerting.duty.kind import Step
from alerting.duty.plan import DutyPlan
from alerting.duty.table import ACK, KINDS
from alerting.model.tier import Tier
from alerting.register.ledgers import LEDGERS
from gateway.duty.book import DUE_MAX, due_now, work_out_anew
from gateway.duty.feed import changes
from gateway.register import records
from gateway.register.record import By
from gateway.store import schema
from tests.unit.gateway.duty.duty_house import Town, hazard, ns


def test_a_hazard_is_prompted_warned_of_and_supervised_until_it_is_closed() -> None:
    town = Town()
    had = town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look_until("2026-01-12 09:00")
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07", state="closed"), "2026-01-12 10:00", had)
    town.look_until("2026-02-01 00:00")

    assert town.steps() == [
        ("2026-01-06 08:00:00", "prompt", "li", "told"),
        ("2026-01-08 08:00:00", "warning", "li", "told"),
        ("2026-01-08 08:00:00", "warning", "zhao", "told"),
        ("2026-01-09 08:00:00", "supervision", "li", "told"),
        ("2026-01-09 08:00:00", "supervision", "zhao", "told"),
        ("2026-01-12 08:00:00", "supervision", "li", "told"),
        ("2026-01-12 08:00:00", "supervision", "zhao", "told"),
    ]
    (duty,) = town.rows("duty")
    assert (duty["state"], duty["closed_ns"]) == ("done", ns("2026-01-12 10:00"))
    body = town.messages()[0]
    assert body["to"]["person"] == "li"
    assert "提示 隐患整改 H1 gauge H1,期限 2026-01-07,责任人 li" in body["text"]["zh"]
    assert "第 2 次" in town.messages()[-1]["text"]["zh"]
    assert "SAWS order 16" in body["text"]["en"]


def test_who_leads_the_shift_is_told_and_called_so_in_words() -> None:
    town = Town()
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07") | {"responsible": "leader"}, "2026-01-02 10:00")
    town.look_until("2026-01-07 00:00")
    (body,) = town.messages()
    assert body["to"]["person"] == "zhao"
    assert "责任人 带班领导" in body["text"]["zh"]
    assert "shift leader answers for it" in body["text"]["en"]
    (told,) = body["duties"]
    assert (told["holder"], told["holder_said"]["en"]) == ("leader", "shift leader")


def test_an_extension_begins_anew_and_the_history_stays() -> None:
    town = Town()
    had = town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look_until("2026-01-08 09:00")
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-20"), "2026-01-08 10:00", had)
    town.look_until("2026-01-19 00:00")

    assert sorted((row["state"], row["day"], row["step"]) for row in town.rows("duty")) == [
        ("moved", "2026-01-07", "warning"),
        ("open", "2026-01-20", "prompt"),
    ]


def test_a_removed_record_takes_its_duty_along_and_a_restored_one_brings_it_back() -> None:
    town = Town()
    one = town.put("enterprises", {"code": "E", "name": "E", "insurance_until": "2026-01-20"}, "2026-01-02 10:00")
    by = By(who="li", time_ns=ns("2026-01-03 10:00"), reason="x")
    with town.store() as connection:
        gone = records.remove(connection, LEDGERS["enterprises"], one.id, one.revision, by)
    assert [row["state"] for row in town.rows("duty")] == ["gone"]
    with town.store() as connection:
        records.restore(connection, LEDGERS["enterprises"], one.id, gone.revision, by)
    assert sorted(row["state"] for row in town.rows("duty")) == ["gone", "open"]


def test_a_record_that_is_renamed_is_told_by_its_new_name() -> None:
    town = Town()
    had = town.put("enterprises", {"code": "E", "name": "Old", "licence_until": "2026-01-20"}, "2026-01-02 10:00")
    town.put("enterprises", {"code": "E", "name": "New", "licence_until": "2026-01-20"}, "2026-01-02 11:00", had)
    (duty,) = town.rows("duty")
    assert (duty["state"], duty["title"]) == ("open", "New")


def test_holders_are_found_by_user_or_by_what_people_call_them_and_nobody_is_written_down() -> None:
    town = Town()
    for code, who in (("A", "wang"), ("B", "王工"), ("C", "somebody else")):
        values = hazard(code, "2026-01-01", "2026-01-07", responsible=who)
        town.put("hidden_hazards", values, "2026-01-02 10:00")
    town.look_until("2026-01-06 09:00")

    assert sorted((person, said) for _, _, person, said in town.steps()) == [
        ("", "nobody"), ("wang", "told"), ("wang", "told"),
    ]  # fmt: skip


def test_all_that_a_look_tells_one_person_is_one_message() -> None:
    town = Town()
    for number in range(7):
        town.put("hidden_hazards", hazard(f"H{number}", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look_until("2026-01-06 09:00")

    (body,) = town.messages()
    assert len(body["duties"]) == 7
    assert "提示 7 项" in body["text"]["zh"]
    assert "另有 2 项" in body["text"]["zh"]
    assert {row["notice"] for row in town.rows("duty_step")} == {body["key"]}


def test_without_a_channel_the_page_alone_says_it() -> None:
    town = Town(channels=())
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look_until("2026-01-06 09:00")
    assert town.steps() == [("2026-01-06 08:00:00", "prompt", "li", "page")]
    assert town.messages() == []


def test_an_alarm_that_nobody_acknowledges_is_a_duty_by_its_tier() -> None:
    town = Town(duties=DutyPlan(channel="sms", ack_s={Tier.RED: 900.0}))
    row = {column.name: "" for column in schema.alarm.columns if column.type.python_type is str}
    row |= {column.name: 0 for column in schema.alarm.columns if column.type.python_type is int}
    row |= {"state": "UNACK", "suppression": "none", "raised_ns": ns("2026-01-05 12:00"), "nature": "actual"}
    row |= {"is_one_shot": False}
    with town.store() as connection:
        for name, tier in (("a", Tier.RED), ("b", Tier.ORANGE)):
            connection.execute(insert(schema.alarm).values({**row, "key": name, "id": name, "tier": int(tier)}))
        assert not due_now(connection, town.site, ns("2026-01-05 12:11"))[0]
        assert due_now(connection, town.site, ns("2026-01-05 12:12"))[0]
    for at in ("12:12", "12:15", "12:25"):
        town.look(f"2026-01-05 {at}")
    with town.store() as connection:
        connection.execute(update(schema.alarm).where(schema.alarm.c.key == "a").values(state="ACKED"))
    town.look("2026-01-05 12:26")
    town.look("2026-01-06 12:25")

    (duty,) = town.rows("duty")
    assert (duty["kind"], duty["subject"], duty["state"], duty["times"]) == (ACK, "a", "done", 1)
    assert {what for _, what, _, _ in town.steps()} == {"prompt", "warning", "supervision"}


def test_a_disposal_that_is_due_sooner_moves_its_duty() -> None:
    town = Town()
    town.dispose("a", "2026-01-05 12:00", "2026-01-05 16:00")
    town.look("2026-01-05 12:00")
    with town.store() as connection:
        connection.execute(update(schema.disposal).values(due_ns=ns("2026-01-05 12:30")))
    town.look("2026-01-05 12:01")
    town.look_until("2026-01-05 13:00")
    assert [at for at, what, _, _ in town.steps() if what == "warning"] == ["2026-01-05 12:30:00"]


def test_a_row_that_is_off_tells_nobody_and_one_that_is_on_again_does() -> None:
    off = tuple(replace(kind, is_on=False) for kind in KINDS)
    town = Town(duties=DutyPlan(kinds=off))
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look("2026-01-09 09:00")
    assert town.steps() == []
    town.site = replace(town.site, duties=DutyPlan())
    with town.store() as connection:
        work_out_anew(connection)
    town.look("2026-01-09 09:01")
    assert [(what, said) for _, what, _, said in town.steps()] == [
        ("prompt", "passed"), ("warning", "passed"), ("supervision", "page"), ("supervision", "page"),
    ]  # fmt: skip


def test_receivers_of_a_row_go_before_those_of_the_site() -> None:
    kinds = tuple(
        replace(kind, to={Step.PROMPT: ("person:wang", "post:board")}) if kind.ledger == "hidden_hazards" else kind
        for kind in KINDS
    )
    town = Town(duties=DutyPlan(channel="sms", kinds=kinds))
    town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    town.look_until("2026-01-06 09:00")
    assert [(person, said) for _, _, person, said in town.steps()] == [("wang", "told")]


def test_the_report_of_the_five_lots_is_a_duty_of_the_month_after_until_it_was_filed() -> None:
    town = Town(duties=DutyPlan(five_lots_day=15))
    town.look("2026-01-01 00:10")
    (one,) = town.rows("duty")
    assert (one["code"], one["day"], one["begins"]) == ("M-2025-12", "2026-01-15", "2026-01-01")
    entry = {"code": "M-2025-12", "title": "December", "punished": 1, "banned": 0}
    kept = town.put("monthly", entry, "2026-01-09 10:00")
    town.look_until("2026-01-19 09:00")
    assert [(at, what) for at, what, _, _ in town.steps()] == [
        ("2026-01-13 08:00:00", "prompt"), ("2026-01-16 08:00:00", "warning"), ("2026-01-17 08:00:00", "supervision"),
        ("2026-01-19 08:00:00", "supervision"),
    ], "what was entered is not yet filed"  # fmt: skip
    town.look("2026-02-01 00:10")
    assert [(row["code"], row["state"]) for row in town.rows("duty")] == [("M-2025-12", "open"), ("M-2026-01", "open")]
    town.put("monthly", {**entry, "filed_on": "2026-02-01"}, "2026-02-01 10:00", kept)
    town.look("2026-02-01 10:01")
    town.look("2026-02-01 10:02")
    assert [(row["code"], row["state"]) for row in town.rows("duty")] == [("M-2025-12", "done"), ("M-2026-01", "open")]
    town.site = replace(town.site, duties=DutyPlan())
    town.look("2026-02-01 10:03")
    assert [row["state"] for row in town.rows("duty")] == ["done", "gone"]
    assert Town().look("2026-01-01 00:10").next_ns is None, "a site that says no day has no such duty"


def test_what_was_there_before_is_found_and_nothing_twice() -> None:
    town = Town()
    one = town.put("hidden_hazards", hazard("H1", "2026-01-01", "2026-01-07"), "2026-01-02 10:00")
    with town.store() as connection:
        assert not changes(connection, "hidden_hazards", [one], 1)
        connection.execute(schema.duty.delete())
        assert len(changes(connection, "hidden_hazards", [one], 1).new) == 1


@pytest.mark.parametrize("n", [DUE_MAX + 20])
def test_a_look_is_bounded_and_goes_on(n: int) -> None:
    town = Town(channels=())
    with town.store() as connection:
        by = By(who="li", time_ns=ns("2026-01-02 10:00"), reason="")
        rows = [hazard(f"H{i}", "2026-01-01", "2026-01-07") for i in range(n)]
        records.put(connection, LEDGERS["hidden_hazards"], rows, [], by)
    first = town.look("2026-01-06 08:00")
    second = town.look("2026-01-06 08:00")
    assert (first.taken, first.is_more, second.taken, second.is_more) == (DUE_MAX, True, n - DUE_MAX, False)
    with town.store() as connection:
        assert len(connection.execute(select(schema.duty_step.c.seq)).all()) == n
