"""Window: an amount gathered over a moving span of time, and how much of that span was measured.

Flow: increments between two judged moments -> [bins] -> amount over the span, covered time
Why: gaps must neither count as nothing nor be forgotten; and 10⁷ updates must not drift, so there is no running total:
    each bin begins at 0, and the sum over the bins is taken anew each time.
Never: counts the time before the first judged moment as missing.

The span is cut into ``BINS`` bins; one more holds what leaves the span, of which the share that is still inside counts
(linear within a bin).

Letters: n instances, m of them moved now, b bins.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import BAD_INCOMPLETE, GOOD, UNCERTAIN_INCOMPLETE, Indexes, State
from edge.model.quality import is_bad

#: Share of the span that may be missing before the value is UNCERTAIN, and before it is BAD. Ours.
MISSING_UNCERTAIN: Final = 0.05
MISSING_BAD: Final = 0.25


def fresh(count: int, bins: int) -> State:
    """Give the columns of windows in which nothing was seen.

    ``amount`` and ``covered_s``: per bin, float64 (n, b + 1); ``bin``: which one is filled now, counted since 1970;
    ``first_ns``: first judged moment, 0 for none; ``before_ns``: last one, 0 where what follows begins anew.
    """
    return {
        "amount": np.zeros((count, bins + 1)),
        "covered_s": np.zeros((count, bins + 1)),
        "bin": np.zeros(count, dtype=np.int64),
        "first_ns": np.zeros(count, dtype=np.int64),
        "before_ns": np.zeros(count, dtype=np.int64),
    }


def move(state: State, at: Indexes, now_ns: NDArray[np.int64], width_ns: NDArray[np.int64]) -> None:
    """Move windows on to a time: bins that left are emptied."""
    bins = state["amount"].shape[1]
    here = now_ns // width_ns
    age = (here[:, None] - np.arange(bins)) % bins
    is_new = here[:, None] - age > state["bin"][at][:, None]
    for name in ("amount", "covered_s"):
        column = state[name][at]
        column[is_new] = 0.0
        state[name][at] = column
    state["bin"][at] = np.maximum(here, state["bin"][at])


def add(
    state: State, at: Indexes, now_ns: NDArray[np.int64], rate: NDArray[np.float64], width_ns: NDArray[np.int64]
) -> None:
    """Add a steady rate from the last judged moment to now, cut at the borders of bins; the windows have moved.

    Args:
        rate: Amount per second, float64 (m,).
    """
    bins = state["amount"].shape[1]
    start_ns = state["before_ns"][at].copy()
    while True:
        open_ = np.flatnonzero(start_ns < now_ns)
        if len(open_) == 0:
            return
        k, width = at[open_], width_ns[open_]
        here = start_ns[open_] // width
        end_ns = np.minimum(now_ns[open_], (here + 1) * width)
        span_s = (end_ns - start_ns[open_]) / 1e9
        is_inside = here > state["bin"][k] - bins  # A pause may be longer than the window.
        k, place, span_s = k[is_inside], (here % bins)[is_inside], span_s[is_inside]
        state["amount"][k, place] += rate[open_][is_inside] * span_s
        state["covered_s"][k, place] += span_s
        start_ns[open_] = end_ns


def judge_moment(
    state: State, at: Indexes, now_ns: NDArray[np.int64], is_whole: NDArray[np.bool_], gap_ns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell where the time since the last judged moment was measured: both ends whole and no longer than a gap."""
    before_ns = state["before_ns"][at]
    covered: NDArray[np.bool_] = is_whole & (before_ns > 0) & (now_ns - before_ns <= gap_ns)
    return covered


def end_moment(state: State, at: Indexes, now_ns: NDArray[np.int64], is_whole: NDArray[np.bool_]) -> None:
    """Remember this moment; after one that was not whole the next begins anew."""
    first_ns = state["first_ns"][at]
    state["first_ns"][at] = np.where((first_ns == 0) & is_whole, now_ns, first_ns)
    state["before_ns"][at] = np.where(is_whole, now_ns, 0)


def total(
    state: State, at: Indexes, now_ns: NDArray[np.int64], width_ns: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the amount over the span and the covered seconds of it, float64 (m,) each."""
    bins = state["amount"].shape[1]
    here = now_ns // width_ns
    weight = np.ones((len(at), bins))
    leaving = (here + 1) % bins  # the oldest bin: what of it is still inside the span
    weight[np.arange(len(at)), leaving] = 1.0 - (now_ns - here * width_ns) / width_ns
    return (state["amount"][at] * weight).sum(axis=1), (state["covered_s"][at] * weight).sum(axis=1)


def missing(
    state: State, at: Indexes, now_ns: NDArray[np.int64], covered_s: NDArray[np.float64], span_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the share of the span that was not measured though measuring had begun, 0 to 1, float64 (m,)."""
    first_ns = state["first_ns"][at]
    elapsed_s = np.where(first_ns > 0, np.minimum((now_ns - first_ns) / 1e9, span_s), 0.0)
    share: NDArray[np.float64] = np.clip((elapsed_s - covered_s) / span_s, 0.0, 1.0)
    return share


def quality_of(worst: NDArray[np.uint8], share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Give the quality by what is missing; inputs that are UNCERTAIN now are said first."""
    by_share = np.where(share > MISSING_UNCERTAIN, UNCERTAIN_INCOMPLETE, GOOD).astype(np.uint8)
    quality = np.where(worst == GOOD, by_share, worst)
    quality[(share > MISSING_BAD) & ~is_bad(worst)] = BAD_INCOMPLETE
    return quality.astype(np.uint8)
