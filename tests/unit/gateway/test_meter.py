"""The meter balances, stays bounded, and speaks Prometheus as Prometheus' own parser reads it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.meter import DELAYS_KEPT, REASONS_MAX, Meter, Stage, expose


def test_a_stage_balances_when_all_is_accounted_for() -> None:
    meter = Meter()
    meter.entered(Stage.INTAKE, 10)
    meter.left(Stage.INTAKE, 6)
    meter.refused(Stage.INTAKE, "duplicate", 3)

    assert meter.balance(Stage.INTAKE) == 1

    meter.held(Stage.INTAKE, lambda: 1)

    assert meter.balance(Stage.INTAKE) == 0


def test_what_is_noted_moves_no_balance() -> None:
    meter = Meter()
    meter.noted(Stage.PUSH, "retry", 5)

    assert meter.balance(Stage.PUSH) == 0
    assert meter.snapshot().stages[5].noted == {"retry": 5}


def test_stages_come_in_the_order_of_the_road() -> None:
    names = [count.stage.value for count in Meter().snapshot().stages]

    assert names == ["collect", "decode", "intake", "evaluate", "commit", "push", "feed", "historian"]


def test_quantiles_tell_of_the_last_delays_only() -> None:
    meter = Meter()
    for _ in range(DELAYS_KEPT):
        meter.delay(Stage.COMMIT, 9.0)
    for milli in range(DELAYS_KEPT):
        meter.delay(Stage.COMMIT, milli / 1e6)
    count = next(c for c in meter.snapshot().stages if c.stage is Stage.COMMIT)

    assert count.delay_p50_ms == pytest.approx(DELAYS_KEPT / 2 / 1e3, rel=0.01)
    assert count.delay_p99_ms == pytest.approx(DELAYS_KEPT * 0.99 / 1e3, rel=0.01)


def test_no_delay_is_not_zero_delay() -> None:
    assert Meter().snapshot().stages[0].delay_p50_ms is None


def test_reasons_are_bounded_and_none_is_lost() -> None:
    meter = Meter()
    for n in range(REASONS_MAX * 3):
        meter.refused(Stage.DECODE, f"code {n}")
    refused = next(c for c in meter.snapshot().stages if c.stage is Stage.DECODE).refused

    assert len(refused) == REASONS_MAX + 1
    assert sum(refused.values()) == REASONS_MAX * 3


def test_prometheus_reads_what_we_write() -> None:
    meter = Meter()
    meter.entered(Stage.PUSH, 7)
    meter.refused(Stage.PUSH, 'say "no"\n', 2)
    meter.delay(Stage.PUSH, 0.004)
    meter.delay(Stage.PUSH, 1e9)
    meter.queue("live", lambda: 3, 256, lambda: 1)
    families = {f.name: f for f in text_string_to_metric_families(expose(meter, [("fengsui_up", "Up.", 1)]).decode())}
    refused = families["fengsui_stage_refused"].samples

    assert [(s.labels["reason"], s.value) for s in refused] == [('say "no"\n', 2.0)]
    pushed = [s for s in families["fengsui_stage_delay_seconds"].samples if s.labels["stage"] == "push"]
    assert {s.labels["le"]: s.value for s in pushed if "le" in s.labels}["0.005"] == 1
    assert [s.value for s in pushed if s.name.endswith("_count")] == [2]
    assert families["fengsui_queue_size"].samples[0].value == 3
    assert families["fengsui_up"].samples[0].value == 1
