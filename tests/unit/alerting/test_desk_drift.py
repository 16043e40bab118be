"""The desk and drifts: learning anew as asked and after maintenance, silent to authorities, said in both languages."""

from typing import Any

import numpy as np
import pytest

from alerting.core.drift import Wait
from alerting.core.memory import Wander
from alerting.model.alarm import digest
from alerting.model.command import Command, Verb
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from alerting.push.words import clause
from edge.model import Nature
from tests.unit.alerting.core.drive import SITE, Drive
from tests.unit.alerting.core.scene import at, make_rule

RULE = Rule(
    id="t0.DRIFT", tag="t0", kind=Kind.DRIFT, setpoint=6.0, tier=Tier.BLUE,
    drift=Drift(season="none", span_s=20.0, base_s=400.0, warm_up_s=400.0),
)  # fmt: skip


def away() -> Drive:
    """A tag that has drifted; 620 s."""
    dice, drive = np.random.default_rng(1), Drive(RULE, make_rule(Kind.H, 80.0))
    for second in range(1, 621):
        drive.sample(second, float(dice.normal(5.0 if second < 580 else 5.5, 0.1)))
    assert [(event.what.value, event.tier) for event in drive.log if event.tag] == [("raised", Tier.BLUE)]
    return drive


def ask(drive: Drive, t_s: float, rule: str, **more: Any) -> dict[str, str] | None:  # noqa: ANN401
    asked = Command(verb=Verb.RELEARN, alarm=rule, who="Li", received_ns=at(t_s), **more)
    drive.tick(t_s, asked)
    return drive.outcome.answers[0].refused


def wait(drive: Drive) -> Wait:
    return Wait(int(drive.desk.memory(Nature.ACTUAL).drift_state[0, Wander.WAITS]))


def test_learning_anew_lets_the_alarm_go_and_says_so() -> None:
    drive = away()
    raised = next(event for event in drive.log if event.tag)
    assert "has drifted up by" in clause(raised.cause, "en")
    assert "向上漂移" in clause(raised.cause, "zh")
    assert ask(drive, 621, "t0.DRIFT", reason="recalibrated") is None
    assert drive.did() == ["returned"]
    assert "taken for normal from now on" in clause(drive.event.cause, "en")
    assert "重新学习" in clause(drive.event.cause, "zh")
    (remark,) = drive.outcome.remarks
    assert (remark["kind"], remark["who"], remark["reason"], remark["rules"]) == (
        "drift_relearned", "Li", "recalibrated", ["t0.DRIFT"],
    )  # fmt: skip
    assert wait(drive) is Wait.BASE
    assert drive.outcome.delays


def test_all_may_be_forgotten() -> None:
    drive = away()
    assert ask(drive, 621, "t0.DRIFT", reason="another process", forget_season=True) is None
    assert wait(drive) is Wait.WARM_UP


@pytest.mark.parametrize(
    ("rule", "reason", "sentence"),
    [
        ("t0.DRIFT", " ", "Give a reason."),
        ("t0.H", "x", "There is no such DRIFT rule."),
        ("t9.DRIFT", "x", "There is no such DRIFT rule."),
    ],
)
def test_what_is_refused(rule: str, reason: str, sentence: str) -> None:
    drive = away()
    refused = ask(drive, 621, rule, reason=reason)
    assert refused is not None
    assert refused["en"] == sentence
    assert set(refused) == {"en", "zh"}
    assert drive.did() == []
    assert wait(drive) is Wait.NO


@pytest.mark.parametrize("by_itself", [False, True])
def test_back_in_service_is_learnt_anew(by_itself: bool) -> None:
    """Whichever alarm of the tag was out of service, by hand or by its end time."""
    drive = away()
    high = digest(SITE, Nature.ACTUAL, "t0", "high")
    drive.ask(621, Verb.SUPPRESS, high, reason="calibration", until_s=700)
    assert wait(drive) is Wait.NO
    if by_itself:
        drive.tick(701)
    else:
        drive.ask(650, Verb.UNSUPPRESS, high)
    assert drive.did() == ["returned", "unsuppressed"]
    assert wait(drive) is Wait.BASE


def test_a_shelf_that_ends_changes_nothing() -> None:
    drive = away()
    drive.ask(621, Verb.SHELVE, drive.log[0].alarm_key, reason="known", until_s=700)
    drive.tick(701)
    assert wait(drive) is Wait.NO
