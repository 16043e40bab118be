"""The breaker of one device: when it opens, how its gaps grow, what a device that comes and goes costs."""

from edge.collect.modbus.breaker import GAP_S_LEAST, UNANSWERED_MAX, Breaker


def open_at(breaker: Breaker, now_s: float, most_s: float = 60.0) -> None:
    while not breaker.missed(now_s, most_s):
        pass


def test_it_opens_at_the_third_miss_in_a_row() -> None:
    breaker = Breaker()
    assert [breaker.missed(0.0, 60.0) for _ in range(UNANSWERED_MAX)] == [False, False, True]
    assert breaker.is_open
    other = Breaker()
    for _ in range(10):
        assert not other.missed(0.0, 60.0)
        assert not other.missed(0.0, 60.0)
        other.answered(0.0)
    assert not other.is_open, "an answer between them"


def test_gaps_double_up_to_the_most() -> None:
    breaker = Breaker()
    now_s = 0.0
    open_at(breaker, now_s)
    gaps = []
    for _ in range(8):
        before_s = now_s
        while not breaker.may_ask(now_s):
            now_s += 0.5
        gaps.append(now_s - before_s)
        assert not breaker.missed(now_s, 60.0), "it was silent already"
    assert gaps == [GAP_S_LEAST, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_on_probation_one_miss_is_enough_and_the_gap_goes_on_growing() -> None:
    breaker = Breaker()
    open_at(breaker, 0.0)
    breaker.missed(1.0, 60.0)
    breaker.answered(3.0)
    assert not breaker.is_open
    assert breaker.missed(4.0, 60.0)
    assert not breaker.may_ask(4.0 + 3.9)
    assert breaker.may_ask(4.0 + 4.0)


def test_who_answers_long_enough_is_in_good_standing_again() -> None:
    breaker = Breaker()
    open_at(breaker, 0.0)
    for now_s in range(2, 14):
        breaker.answered(float(now_s))
    assert [breaker.missed(20.0, 60.0) for _ in range(UNANSWERED_MAX)] == [False, False, True]
    assert breaker.may_ask(20.0 + GAP_S_LEAST)


def test_a_new_connection_is_probed_at_once() -> None:
    breaker = Breaker()
    open_at(breaker, 0.0)
    assert not breaker.may_ask(0.5)
    breaker.probe_now()
    assert breaker.may_ask(0.5)


def test_one_that_comes_and_goes_for_ever_costs_little() -> None:
    """Ten seconds there, ten away: after a while it is asked in vain once a minute at most."""
    breaker = Breaker()
    vain: list[int] = []
    for now_s in range(5 * 3_600):
        if not breaker.may_ask(now_s):
            continue
        if now_s // 10 % 2 == 0:
            breaker.answered(now_s)
        else:
            vain.append(now_s)
            breaker.missed(now_s, 60.0)
    assert len(vain) <= 5 * 60 + 20
    assert sum(now_s < 180 for now_s in vain) <= 12
