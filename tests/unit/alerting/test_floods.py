"""Floods: when they begin and end, which alarm came first, and that nothing is dropped."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from alerting.floods import FloodBook
from alerting.model.event import Event, What
from alerting.model.flood import Flood, FloodPolicy
from alerting.model.tier import Tier
from edge.model import Nature

S = 1_000_000_000
START = 1_700_000_000 * S


def ring(n: int, at_s: float, *, time_s: float | None = None, unit: str = "U", tier: Tier = Tier.YELLOW) -> Event:
    return Event(
        id=f"e{n}", what=What.RAISED, time_ns=START + int((at_s if time_s is None else time_s) * S),
        received_ns=START + int(at_s * S), nature=Nature.ACTUAL, unit=unit, alarm=f"a{n}", tag=f"t{n}", condition="H",
        tier=tier,
    )  # fmt: skip


def book(**policy: int) -> FloodBook:
    return FloodBook("site", FloodPolicy(**policy))


def feed(of: FloodBook, events: Iterable[Event]) -> list[Flood]:
    told: list[Flood] = []
    for event in events:
        told += of.follow([event], event.received_ns)
    return told


def pass_to(of: FloodBook, at_s: float) -> list[Flood]:
    return of.follow([], START + int(at_s * S))


def test_the_eleventh_within_ten_minutes_begins_one_and_fewer_than_five_end_it() -> None:
    of = book()
    assert feed(of, [ring(n, n * 50) for n in range(10)]) == []
    (flood,) = feed(of, [ring(10, 500)])
    assert (flood.count, flood.peak, flood.ended_ns, flood.first.alarm) == (11, 11, 0, "a0")
    assert flood.began_ns == START
    # a0 to a5 left the window by 850 s, so five remain; at 900 s a6 goes, and four end it.
    assert pass_to(of, 899.9) == []
    (ended,) = pass_to(of, 900)
    assert (ended is flood, ended.ended_ns) == (True, START + 900 * S)
    assert of.open == {}
    assert pass_to(of, 2000) == []


def test_ten_are_none_and_eleven_spread_over_more_than_the_window_are_none() -> None:
    assert feed(book(), [ring(n, 0) for n in range(10)]) == []
    assert feed(book(), [ring(n, n * 60) for n in range(40)]) == []


def test_the_first_out_is_what_came_first_in_the_plant_though_it_arrived_later() -> None:
    of = book()
    events = [ring(n, 10 + n, unit="U" if n % 2 else "V") for n in range(11)]
    events.append(ring(11, 30, time_s=9.5, unit="V"))
    flood = feed(of, events)[-1]
    assert flood.first.alarm == "a11"
    told = flood.described()
    assert [(one["unit"], one["count"], one["first"]["alarm"]) for one in told["units"]] == [
        ("V", 7, "a11"), ("U", 5, "a1"),
    ]  # fmt: skip


def test_equal_times_go_by_arrival() -> None:
    of = book(begins_above=1)
    (flood,) = of.follow([replace(ring(2, 5), time_ns=START), replace(ring(1, 6), time_ns=START)], START + 6 * S)
    assert flood.first.alarm == "a2"


def test_nothing_is_dropped_and_tiers_are_counted() -> None:
    of = book()
    events = [ring(n, n * 0.01, unit=f"U{n % 7}", tier=Tier.RED if n % 50 == 0 else Tier.BLUE) for n in range(5000)]
    flood = feed(of, events)[-1]
    assert (flood.count, flood.peak) == (5000, 5000)
    assert flood.by_tier == {"RED": 100, "BLUE": 4900}
    assert sum(share.count for share in flood.units.values()) == 5000


@pytest.mark.parametrize(
    "change",
    [{"suppression": "shelved"}, {"suppression": "by_design"}, {"is_late": True}, {"what": What.ESCALATED}],
    ids=str,
)
def test_what_calls_nobody_anew_makes_no_flood(change: dict[str, object]) -> None:
    assert feed(book(), [replace(ring(n, n), **change) for n in range(40)]) == []  # type: ignore[arg-type]


def test_natures_do_not_mix_and_zero_is_never() -> None:
    mixed = [replace(ring(n, n), nature=Nature.TEST if n % 2 else Nature.ACTUAL) for n in range(20)]
    assert feed(book(), mixed) == []
    assert feed(book(begins_above=0), [ring(n, n) for n in range(99)]) == []


def test_it_goes_on_after_a_restart() -> None:
    of = book()
    feed(of, [ring(n, n) for n in range(12)])
    again = book()
    again.adopt(of.open.values(), [(Nature.ACTUAL, one) for one in of._window[Nature.ACTUAL]])  # noqa: SLF001
    assert pass_to(again, 606.9) == []
    (flood,) = feed(again, [ring(12, 607)])
    assert flood.count == 13
    (ended,) = pass_to(again, 700)
    assert ended.id == flood.id


def test_it_says_when_it_must_be_looked_at_though_nothing_comes() -> None:
    of = book()
    feed(of, [ring(n, 1 + n) for n in range(10)])
    assert of.next_ns == 2**63 - 1, "what is no flood cannot end"
    feed(of, [ring(10, 11)])
    assert of.next_ns == START + 601 * S
    pass_to(of, 601)
    assert of.next_ns == START + 602 * S
