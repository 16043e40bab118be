"""Parts of the Sparkplug host application: order of messages, requests for rebirths, stamps of samples, topics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.collect.sparkplug.order import ROUND, WAITING_MAX, Order
from edge.collect.sparkplug.rebirths import SPACING_NS, Rebirths
from edge.collect.sparkplug.samples import MS_NS, Samples
from edge.collect.sparkplug.topic import Kind, address_of, filters_of, tag_of
from edge.config import SparkplugOptions
from edge.model.quality import describe

WAIT_NS = 2_000_000_000
NOON_MS = 1_767_268_800_000


def test_messages_that_overtook_one_another_are_read_as_they_were_sent() -> None:
    order: Order[str] = Order(WAIT_NS)
    assert order.begin(254) == ([], [])
    assert order.offer(0, "0", 10) == []
    assert order.due_ns == 10 + WAIT_NS
    assert order.offer(1, "1", 20) == []
    assert order.offer(255, "255", 30) == ["255", "0", "1"]
    assert order.due_ns is None


def test_what_is_missing_is_waited_for_and_then_given_up() -> None:
    order: Order[str] = Order(WAIT_NS)
    order.begin(0)
    for seq in (5, 3, 200):
        order.offer(seq, str(seq), 0)
    assert order.give_up(WAIT_NS - 1) is None
    overdue = order.give_up(WAIT_NS)
    assert overdue is not None
    assert (overdue.later, overdue.earlier) == (["3", "5"], ["200"])
    assert order.offer(6, "6", 0) == ["6"]


def test_a_birth_takes_what_overtook_it_and_leaves_what_is_of_another_session() -> None:
    order: Order[str] = Order(WAIT_NS)
    order.begin(40)
    order.offer(1, "new", 0)
    order.offer(43, "old", 0)
    assert order.begin(0) == (["new"], ["old"])


def test_before_any_birth_nothing_is_read() -> None:
    order: Order[str] = Order(WAIT_NS)
    assert order.offer(7, "7", 0) == []
    overdue = order.give_up(WAIT_NS)
    assert overdue is not None
    assert (overdue.later, overdue.earlier) == ([], ["7"])


def test_what_waits_is_bounded_and_twice_the_same_is_not_lost_uncounted() -> None:
    order: Order[int] = Order(WAIT_NS)
    order.begin(0)
    for seq in range(2, WAITING_MAX + 3):
        order.offer(seq, seq, 0)
    overdue = order.give_up(1)
    assert overdue is not None
    assert len(overdue.later) == WAITING_MAX + 1
    for _ in range(3):
        order.offer(90, 90, 5)
    overdue = order.give_up(5)
    assert overdue is not None
    assert (overdue.later, overdue.earlier) == ([90], [90, 90])


@given(st.integers(0, 255), st.permutations(range(1, 12)))
def test_any_order_of_arrival_within_the_wait_is_the_order_of_sending(first: int, places: list[int]) -> None:
    order: Order[int] = Order(WAIT_NS)
    order.begin(first)
    read = [item for place in places for item in order.offer((first + place) % ROUND, place, 0)]
    assert read == sorted(places)


def test_a_node_is_asked_with_growing_pauses_until_it_is_born() -> None:
    rebirths = Rebirths(10, 60)
    rebirths.wish("a", 0)
    asked = []
    for now in range(200):
        if rebirths.due(now):
            asked.append(now)
            rebirths._free_ns = 0  # noqa: SLF001 - pauses between nodes are another matter
    assert asked == [0, 10, 30, 70, 130, 190]
    rebirths.fulfil("a")
    assert rebirths.due_ns is None
    rebirths.wish("a", 200)
    assert rebirths.due(200) == [], "it was asked a moment ago"
    assert rebirths.due_ns == 250


def test_nodes_are_asked_one_after_another() -> None:
    rebirths = Rebirths(WAIT_NS, WAIT_NS)
    for name in "abc":
        rebirths.wish(name, 0)
    assert rebirths.due(0) == ["a"]
    assert rebirths.due(SPACING_NS - 1) == []
    assert rebirths.due(SPACING_NS) == ["b"]
    assert rebirths.due(2 * SPACING_NS) == ["c"]


def told(samples: Samples) -> list[tuple[float, str, int]]:
    live, _ = samples.take()
    return [
        (value, describe(quality), time_ns - NOON_MS * MS_NS)
        for value, quality, time_ns in zip(live.values, live.quality, live.times_ns, strict=True)
    ]


def test_two_values_within_a_millisecond_are_apart_in_their_order() -> None:
    samples = Samples()
    for value in (1.0, 2.0, 3.0):
        samples.add(0, (value, 0), NOON_MS, NOON_MS * MS_NS)
    assert told(samples) == [(1.0, "GOOD", 0), (2.0, "GOOD", 1), (3.0, "GOOD", 2)]


def test_a_clock_that_is_behind_does_not_hide_what_came_after_a_mark() -> None:
    samples, now_ns = Samples(), NOON_MS * MS_NS + 10_000 * MS_NS
    samples.add(0, (1.0, 0), NOON_MS, now_ns)
    samples.lose(0, now_ns)
    samples.lose(0, now_ns + 5)
    samples.add(0, (2.0, 0), NOON_MS + 5_000, now_ns + 5_000 * MS_NS)
    samples.add(0, (3.0, 0), NOON_MS + 9_000, now_ns + 9_000 * MS_NS)
    samples.add(0, (4.0, 0), NOON_MS + 20_000, now_ns + 20_000 * MS_NS)
    (_, first, _), (_, lost, lost_at), *rest = told(samples)
    assert (first, lost, lost_at) == ("GOOD", "BAD(comms)", 10_000 * MS_NS), "once"
    assert rest == [
        (2.0, "UNCERTAIN(clock)", 15_000 * MS_NS),
        (3.0, "UNCERTAIN(clock)", 19_000 * MS_NS),
        (4.0, "GOOD", 20_000 * MS_NS),
    ]


def test_a_stamp_of_years_ahead_does_not_spoil_all_that_come_after_it() -> None:
    samples, now_ns = Samples(), NOON_MS * MS_NS
    samples.add(0, (1.0, 0), NOON_MS + 30 * 365 * 86_400_000, now_ns)
    samples.lose(0, now_ns + 1_000 * MS_NS)
    samples.add(0, (2.0, 0), NOON_MS + 2_000, now_ns + 2_000 * MS_NS)
    assert told(samples)[1:][1] == (2.0, "GOOD", 2_000 * MS_NS)
    assert samples._mark_ns[0] == now_ns + 1_000 * MS_NS  # noqa: SLF001 - the mark itself


def test_a_time_that_no_clock_shows_is_the_receive_time_and_says_so() -> None:
    samples, now_ns = Samples(), NOON_MS * MS_NS + 7
    samples.add(0, (1.0, 0), -1, now_ns)
    samples.add(1, (1.0, 0), 0, now_ns)
    assert told(samples) == [(1.0, "UNCERTAIN(clock)", 7), (1.0, "GOOD", 7)]


OPTIONS = SparkplugOptions(group="Tank farm", nodes=("RTU 1", "B"), host_id="h", tag="{node}:{device}.{name}")


def test_topics_are_read_and_all_others_are_not() -> None:
    assert address_of("spBv1.0/g/DDATA/n/d") == (Kind.DDATA, "g", "n", "d")
    assert address_of("spBv1.0/g/NBIRTH/n") == (Kind.NBIRTH, "g", "n", "")
    for topic in (
        "spBv1.0/g/DDATA/n",
        "spBv1.0/g/NDATA/n/d",
        "spBv1.0/STATE/h",
        "spAv1.0/g/NDATA/n",
        "",
        "spBv1.0/g/X/n",
    ):
        assert address_of(topic) is None, topic
    assert filters_of(OPTIONS) == ["spBv1.0/Tank farm/+/RTU 1/#", "spBv1.0/Tank farm/+/B/#"]


@pytest.mark.parametrize(
    ("device", "metric", "tag"),
    [("TK 101", "Inputs/Level (m)", "RTU_1:TK_101.Inputs/Level__m_"), ("", "battery", "RTU_1.battery")],
)
def test_a_metric_names_its_tag(device: str, metric: str, tag: str) -> None:
    assert tag_of(OPTIONS, "RTU 1", device, metric) == tag
