"""Quotas: never more in any window than the vendor allows, whoever asks and whenever."""

import numpy as np
import pytest

from alerting.push.quota import Bucket, Limit

DING = Limit(most=20, window_s=60.0)


def eager(bucket: Bucket, until_s: float, start_s: float = 0.0) -> list[float]:
    """Send whenever it is allowed."""
    now_s, sent = start_s, []
    while now_s < until_s:
        wait_s = bucket.wait_s(now_s)
        if wait_s > 0:
            now_s += wait_s
            continue
        bucket.take(now_s)
        sent.append(now_s)
    return sent


def most_in(times: list[float], window_s: float) -> int:
    return max(sum(at <= other <= at + window_s for other in times) for at in times)


@pytest.mark.parametrize("most", [4, 5, 7, 20, 100])
def test_no_window_ever_has_more_than_the_vendor_allows_less_one(most: int) -> None:
    sent = eager(Bucket([Limit(most=most, window_s=60.0)], 0.0), 600.0)
    assert most_in(sent, 60.0) <= most - 1 + 1e-9
    assert len(sent) >= (most - 1 - max(1, most // 4)) * 9, "what is allowed is used"


@pytest.mark.parametrize("seed", range(20))
def test_pauses_of_any_length_gain_nothing(seed: int) -> None:
    dice = np.random.default_rng(seed)
    bucket, now_s, sent = Bucket([DING], 0.0), 0.0, []
    while now_s < 900:
        now_s += float(dice.exponential(2.0)) if dice.random() < 0.9 else float(dice.uniform(0, 120))
        while bucket.wait_s(now_s) == 0 and dice.random() < 0.8:
            bucket.take(now_s)
            sent.append(now_s)
    assert most_in(sent, 60.0) <= 19


def test_every_limit_of_two_holds() -> None:
    """Feishu's: 5 a second and 100 a minute."""
    sent = eager(Bucket([Limit(most=5, window_s=1.0), Limit(most=100, window_s=60.0)], 0.0), 300.0)
    assert most_in(sent, 1.0) <= 4
    assert most_in(sent, 60.0) <= 99


def test_a_new_bucket_is_empty_so_that_restarts_give_nothing_away() -> None:
    sent: list[float] = []
    for start_s in range(0, 120, 7):
        sent += eager(Bucket([DING], start_s), start_s + 7, start_s)
    assert most_in(sent, 60.0) <= 19


def test_free_and_wait_agree() -> None:
    bucket = Bucket([DING], 0.0)
    assert bucket.free(0.0) == 0
    assert bucket.wait_s(0.0) == pytest.approx(60 / 14)
    assert bucket.free(1_000.0) == 5
    assert Bucket([], 0.0).free(5.0) is None
    assert Bucket([], 0.0).wait_s(5.0) == 0.0


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = Bucket([DING], 100.0)
    assert bucket.wait_s(50.0) > 0
    assert bucket.free(99.0) == 0
