"""Frozen: the value keeps coming and does not change, while it should.

Flow: samples -> [frozen] -> holds, lets go -> delays
Why: at Buncefield the gauge showed two thirds full and flat while the tank was filled until it overflowed; the signal
was good, and no limit was ever reached (Buncefield MIIB, third progress report, 2006).
Never: counts time in which nothing came, what came was BAD, or the expected activity was absent.

The anchor is the value at which the present flat stretch began: while |v - anchor| <= band it stays, else it moves to v
and the flat time begins anew. Flat time is the time between samples in a row that were both judged; what passed
since the tag's last own sample counts only when the next one has come and is within the band. With ``while_tag`` only
the time counts in which that tag was above ``while_above``. Active while the flat time >= setpoint, in s; it clears
when the value moves, not when the activity ends, because only a value that moves proves the instrument alive.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Flat, Memory
from alerting.model.rule import RuleTable

FEW: Final = 12  # More are added up faster as columns.
CARDS_MAX: Final = 512  # Beyond it all are forgotten: the sources send something else each time.
#: Tag rows, rows of ``while_tag``, and of each rule whether it has one, its band, ``while_above`` and setpoint, ns.
_Cards: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], list[tuple[bool, float, float, int]]]


def judge_frozen(
    table: RuleTable,
    memory: Memory,
    rules: NDArray[np.int64],
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Add up flat time and compare it with the setpoint.

    Args:
        rules: Indexes of FROZEN rules, (n,), each once.
        value: The tag's value for each, (n,); finite. Memory has taken it, and the value of ``while_tag``.
        time_ns: When each is judged, int64 (n,); never back.

    Returns:
        Which conditions hold, and which let go; both bool (n,).
    """
    if len(rules) <= FEW:
        return _judge_few(table, memory, rules, value, time_ns)
    f = memory.flat_of[rules]
    row, other = table.row[rules], table.other_row[rules]
    flat = memory.flat[f]
    passed = time_ns - flat[:, Flat.AT]
    counts = (flat[:, Flat.AT] > 0) & (flat[:, Flat.IS_EXPECTED] > 0) & (passed < memory.stale_ns[row])
    waiting = flat[:, Flat.WAITING] + np.where(counts, passed, 0)

    is_own = memory.value_ns[row] != flat[:, Flat.OWN]
    with np.errstate(over="ignore"):
        left = is_own & ~(np.abs(value - memory.anchor[f]) <= table.band[rules])
    memory.anchor[f] = np.where(left, value, memory.anchor[f])
    memory.flat[f, Flat.NS] = np.where(left, 0, flat[:, Flat.NS] + np.where(is_own, waiting, 0))
    memory.flat[f, Flat.WAITING] = np.where(is_own, 0, waiting)
    memory.flat[f, Flat.AT] = time_ns
    memory.flat[f, Flat.OWN] = memory.value_ns[row]
    memory.flat[f, Flat.IS_EXPECTED] = (other < 0) | (memory.value[other] > table.while_above[rules])
    holds = is_frozen(table, memory, rules)
    return holds, ~holds


def _judge_few(
    table: RuleTable,
    memory: Memory,
    rules: NDArray[np.int64],
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Do the same one rule after the other: of a few rules an array costs as much as of a hundred."""
    row, other, cards = _cards(table, rules)
    place = memory.flat_of[rules]
    flats, anchors = memory.flat[place].tolist(), memory.anchor[place].tolist()
    own, stale, others = memory.value_ns[row].tolist(), memory.stale_ns[row].tolist(), memory.value[other].tolist()
    holds = []
    for at, (v, now_ns, (has_other, band, above, most_ns)) in enumerate(
        zip(value.tolist(), time_ns.tolist(), cards, strict=True)
    ):
        flat_ns, waiting, at_ns, own_ns, is_expected = flats[at]
        if at_ns > 0 and is_expected > 0 and now_ns - at_ns < stale[at]:
            waiting += now_ns - at_ns
        if own[at] != own_ns:
            flat_ns, waiting = flat_ns + waiting, 0
            if not abs(v - anchors[at]) <= band:  # An anchor that is no number is left as well.
                anchors[at], flat_ns = v, 0
        flats[at] = (flat_ns, waiting, now_ns, own[at], int(not has_other or others[at] > above))  # as in ``Flat``
        holds.append(flat_ns >= most_ns)
    memory.flat[place], memory.anchor[place] = flats, anchors
    found = np.array(holds, dtype=np.bool_)
    return found, ~found


def _cards(table: RuleTable, rules: NDArray[np.int64]) -> _Cards:
    """Give what a few FROZEN rules ask for, worked out once: rows, the other tags' rows, and plain numbers."""
    known: dict[bytes, _Cards] = table.made.setdefault("frozen_cards", {})
    key = rules.tobytes()
    found = known.get(key)
    if found is None:
        if len(known) >= CARDS_MAX:
            known.clear()
        other = table.other_row[rules]
        columns = (other >= 0, table.band[rules], table.while_above[rules], table.flat_ns[rules])
        cards = list(zip(*(column.tolist() for column in columns), strict=True))
        found = known[key] = (table.row[rules], other, cards)
    return found


def forget(memory: Memory, rules: NDArray[np.int64]) -> None:
    """Begin the flat stretch of FROZEN rules anew with their next judged sample, because they are disabled."""
    f = memory.flat_of[rules]
    f = f[f >= 0]
    memory.flat[f] = 0
    memory.anchor[f] = np.nan


def is_frozen(table: RuleTable, memory: Memory, rules: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Compare the flat time so far with the setpoint, bool (n,); nothing is added up."""
    holds: NDArray[np.bool_] = memory.flat[memory.flat_of[rules], Flat.NS] >= table.flat_ns[rules]
    return holds


def interrupt(memory: Memory, rules: NDArray[np.int64]) -> None:
    """Let the time up to the next judged sample not count, because an input of these rules cannot be relied on."""
    f = memory.flat_of[rules]
    memory.flat[f[f >= 0], Flat.AT] = 0
