"""Payloads of the publisher: shapes and stamps."""

import json
import math

import pytest

from simulators.devices.mqtt import Publisher, compose
from simulators.wiring import Broker, Topic

#: 2026-01-01T00:00:00.123Z
TIME_NS = 1_767_225_600_123_000_000
NO_NUMBERS = (math.nan, math.inf, -math.inf)


def topic(**changes: object) -> Topic:
    facts = {
        "source": "s", "name": "n", "tags": ("a",), "is_batch": False, "is_listed": False, "value": "v", "time": "ts",
        "period_s": 1.0,
    }  # fmt: skip
    return Topic(**{**facts, **changes})  # type: ignore[arg-type]


def test_a_single_value_is_stamped_in_local_time_with_its_offset() -> None:
    payload = compose(topic(), TIME_NS, {"a": 1.23456})

    assert json.loads(payload) == {"ts": "2026-01-01T08:00:00.123+08:00", "v": 1.2346}


def test_a_listed_batch_keeps_the_order_of_its_tags() -> None:
    payload = compose(topic(is_batch=True, is_listed=True, tags=("b", "a")), TIME_NS, {"a": 1.0, "b": 2.5})

    assert json.loads(payload) == {"ts": 1_767_225_600_123, "v": [2.5, 1]}


def test_a_named_batch_names_its_tags() -> None:
    payload = compose(topic(is_batch=True, tags=("a", "b")), TIME_NS, {"a": 1.0, "b": 2.5})

    assert json.loads(payload) == {"ts": 1_767_225_600_123, "v": {"a": 1, "b": 2.5}}


def test_paths_make_nested_objects() -> None:
    payload = compose(topic(value="body.value", time="body.at"), TIME_NS, {"a": 7.0})

    assert json.loads(payload) == {"body": {"at": "2026-01-01T08:00:00.123+08:00", "value": 7}}


def test_what_is_no_number_is_sent_as_text_which_a_gateway_reads_as_such() -> None:
    payload = compose(topic(is_batch=True, tags=("a", "b", "c")), TIME_NS, dict(zip("abc", NO_NUMBERS, strict=True)))

    assert json.loads(payload, parse_constant=pytest.fail)["v"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity"}


def test_topics_are_due_again_when_time_begins_anew() -> None:
    publisher = Publisher(Broker(host="127.0.0.1", port=1, topics=(topic(), topic(period_s=2.0))))
    publisher.publish(30.0, TIME_NS, {"a": 1.0})
    publisher.publish(0.5, TIME_NS, {"a": 1.0})
    before = publisher.sent
    publisher.begin_anew()
    publisher.publish(0.5, TIME_NS, {"a": 1.0})

    assert (before, publisher.sent) == (2, 4)
