"""Compiled: two passes over a batch, with the same decisions as ``evaluate``.

Flow: Batch -> [take_samples] -> memory in place, a list of exceptions -> [judge_exceptions] -> memory in place,
    transitions in a buffer of fixed size
Why: a quiet sample costs a few comparisons, an exception one walk over its tag's rules; no Python in between. What an
    exception needs lies in some twenty places of memory: judged after all quiet samples, one exception's are fetched
    while those before it are judged, and none is waited for.
Never: judges a tag that the guard does not call plain; trips or clears on BAD quality.

Each tag comes once in a batch, so exceptions can wait until the others are taken. This file is compiled and cached by
its own content: everything that it calls or counts on stands in it, and a test compares its constants with those of
the product. Each pass is one function, because a compiled function that is called for each tag with many columns spends
its time on counting references. Neither buffer overflows: before each span there is room for all of it, before each
exception for all that its rules can do, else the pass stops and is called again from there.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

GOOD = 0x00
BAD = 0x80
RETAINED = 0x4C
BAD_NOT_A_NUMBER = 0x87
HH = 4
H, L, LL = 3, 1, 2
RATE, STALE, BAD_KIND = 5, 6, 7
REST, ON, OFF = 0, 1, 2
SLOTS = 8
GAP_WINDOWS = 2
AHEAD_NS_MAX = 5_000_000_000
NEVER_NS = 9223372036854775807 // 4
NONE_NS = -9223372036854775808
SPAN = 128  # Neighbours that are compared together.
DOUBTS = 1_024  # Samples that are not quiet by their span's comparison, looked at one by one together.
EVENTS_A_RULE = 2  # A delay that ended before the sample, and what the sample does.
RATE_MARGIN = 1e-9  # Relative; far above what rounding can do, far below what matters.
RATE_MOST = 1e300

# Places in ``at``, where the passes stand; JUDGED of the ODDS on the list are done.
SCAN, SAMPLE, TOLD, SERIAL, RISING, ODDS, JUDGED = 0, 1, 2, 3, 4, 5, 6
AHEAD = 6  # By so many exceptions memory is asked for before it is needed; what hangs on that, by half as many.
# What a sample is, before anything is done with it.
LEFT, LATER, QUIET, KEPT, ODD = 0, 1, 2, 3, 4


def _fetch(_typing: Any, column: Any, _at: Any) -> tuple[Any, Any]:  # the compiler's types
    """Ask the processor for a place of a column ahead of its use: it changes nothing, and no place is wrong."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = cgutils.get_item_pointer(context, builder, signature.args[0], made, [arguments[1]])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(call, [builder.bitcast(place, byte), number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(column, types.intp), build


fetch: Any = intrinsic(_fetch)


@njit(cache=True, nogil=True, error_model="numpy")
def take_samples(
    # the batch
    rows, values, quality, times_ns, first_of_scan, scan_source, received_ns, lateness_ns,
    # what became of it
    is_taken, left, newest_ns,
    # memory of tags
    last_ns, value, value_ns,
    # memory of rates
    ring_ns, ring_value,
    # the table, as records: what is needed of a tag lies together
    tag,
    # the guard
    low, high, exact, keep_least_ns,
    # exceptions
    odd_sample, odd_scan,
    is_odd_here, look_at, what_is, at,
):  # fmt: skip
    """Take what is quiet and list the exceptions; True when done, False when the list must be judged first."""
    tags = len(last_ns)
    odds = at[ODDS]
    begin = at[SAMPLE]
    for scan in range(at[SCAN], len(scan_source)):
        start, end = first_of_scan[scan], first_of_scan[scan + 1]
        begin = max(begin, start)
        mine = scan_source[scan]
        received = received_ns[scan]
        latest, oldest = received + AHEAD_NS_MAX, received - lateness_ns[scan]
        newest = newest_ns[scan]

        # Does any tag come twice? Rising rows tell at once, others are marked; once for a scan.
        if begin == start:
            is_rising = True
            for i in range(start + 1, end):
                is_rising &= rows[i] > rows[i - 1]
            at[RISING] = is_rising
            if not is_rising:
                at[SERIAL] += 2
                serial = at[SERIAL]
                for i in range(start, end):
                    r = rows[i]
                    if 0 <= r < tags:
                        exact[r].seen = serial + 1 if exact[r].seen >= serial else serial
        is_rising = at[RISING] != 0
        serial = 0 if is_rising else at[SERIAL]
        is_run = (
            is_rising
            and end > start
            and rows[start] >= 0
            and rows[end - 1] < tags
            and rows[end - 1] - rows[start] == end - 1 - start
            and exact[rows[start]].source == mine
            and tag[rows[start]].run_end > rows[end - 1]
        )

        # A run of rows is compared span by span, and taken at once where all of a span is quiet.
        base = rows[start] if is_run else 0
        to_row = np.uint64(base - start)  # Unsigned numbers cannot count from the end; they may run over and come back.
        i = begin
        count, is_keeping = 0, False
        while i < end:
            stop = min(i + SPAN, end)
            if odds + SPAN > len(odd_sample):
                newest_ns[scan] = newest
                at[SCAN], at[SAMPLE], at[ODDS] = scan, i, odds
                return False
            span0, span1 = 0, 0
            before = count
            if is_run:
                span0, span1 = (base + i - start) // SPAN, (base + stop - 1 - start) // SPAN
                least = min(keep_least_ns[span0], keep_least_ns[span1])
                top = min(least - 1, latest)
                j0, j1 = np.uint64(i), np.uint64(stop)
                odd, newest_all = 0, newest
                for j in range(j0, j1):
                    r_j = j + to_row
                    is_odd = not (
                        (low[r_j] < values[j])
                        & (values[j] < high[r_j])
                        & (quality[j] == GOOD)
                        & (times_ns[j] > last_ns[r_j])
                        & (times_ns[j] <= top)
                        & (times_ns[j] >= oldest)
                    )
                    is_odd_here[j - j0] = is_odd
                    odd += is_odd
                if odd == 0:
                    for j in range(j0, j1):
                        r_j = j + to_row
                        counted = min(times_ns[j], received)
                        value[r_j] = values[j]
                        value_ns[r_j] = counted
                        last_ns[r_j] = counted
                        is_taken[j] = True
                        newest_all = max(newest_all, counted)
                    newest = newest_all
                else:
                    for j in range(j0, j1):  # Which ones, without a branch that guesses wrong.
                        look_at[count] = j
                        count += is_odd_here[j - j0]
                    for n in range(before, count):
                        fetch(exact, look_at[n] - start + base)
                        is_keeping |= times_ns[look_at[n]] >= least
                    if odd < stop - i:
                        # One column at a time: of more at once the compiler does not see that they are apart.
                        for j in range(j0, j1):
                            r_j = j + to_row
                            value[r_j] = value[r_j] if is_odd_here[j - j0] else values[j]
                        for j in range(j0, j1):
                            r_j = j + to_row
                            value_ns[r_j] = value_ns[r_j] if is_odd_here[j - j0] else min(times_ns[j], received)
                        for j in range(j0, j1):
                            r_j = j + to_row
                            counted = last_ns[r_j] if is_odd_here[j - j0] else min(times_ns[j], received)
                            last_ns[r_j] = counted
                            newest_all = max(newest_all, NONE_NS if is_odd_here[j - j0] else counted)
                        for j in range(j0, j1):
                            is_taken[j] = not is_odd_here[j - j0]
                        newest = newest_all
            else:
                for j in range(i, stop):
                    look_at[count] = j
                    count += 1
                    r = rows[j]
                    if 0 <= r < tags:
                        fetch(exact, r)
                        fetch(last_ns, r)
                        fetch(value, r)
                        fetch(value_ns, r)
            i = stop
            if i < end and count + SPAN <= DOUBTS and odds + count + SPAN <= len(odd_sample) and not is_keeping:
                continue  # Those of the next spans too; what is asked for now is here by then.

            # ---- first what each sample is: nothing waits for anything, so memory is read for many at once
            for n in range(count):
                j = look_at[n]
                r = rows[j]
                stamp = times_ns[j]
                what = LEFT
                if (
                    r >= 0
                    and r < tags
                    and exact[r].source == mine
                    and stamp <= latest
                    and stamp >= oldest
                    and stamp > last_ns[r]
                    and (serial == 0 or exact[r].seen == serial)
                ):
                    v1 = values[j]
                    is_in = (exact[r].limit_low < v1) & (v1 < exact[r].limit_high)
                    is_in &= (exact[r].rate_low < v1) & (v1 < exact[r].rate_high)
                    is_in &= exact[r].is_plain & (quality[j] == GOOD)
                    if is_in:
                        what = KEPT if min(stamp, received) >= exact[r].keep_ns else QUIET
                    else:
                        what = ODD if exact[r].is_plain else LATER
                what_is[n] = what

            # ---- then what it does
            for n in range(count):
                what, j = what_is[n], look_at[n]
                r = rows[j]
                if what == LEFT:
                    left[scan] += 1
                    continue
                now = min(times_ns[j], received)
                newest = max(newest, now)
                v1 = values[j]
                if what == QUIET:
                    value[r] = v1
                    value_ns[r] = now
                    last_ns[r] = now
                    is_taken[j] = True
                    continue
                if what == LATER:
                    left[scan] += 1
                    continue
                if what == KEPT:
                    # Quiet, but its rate wants to keep a sample. Nothing holds: the bounds say so.
                    ring, window = tag[r].ring, tag[r].window_ns
                    is_gap = True
                    for slot in range(SLOTS):
                        is_gap &= ring_ns[ring, slot] == 0 or now - ring_ns[ring, slot] > GAP_WINDOWS * window
                    least_kept, most_kept = v1, v1
                    for slot in range(SLOTS - 1, 0, -1):
                        ring_ns[ring, slot] = 0 if is_gap else ring_ns[ring, slot - 1]
                        was = ring_value[ring, slot - 1]
                        ring_value[ring, slot] = was
                        if ring_ns[ring, slot] > 0:
                            least_kept, most_kept = min(least_kept, was), max(most_kept, was)
                    ring_ns[ring, 0] = now
                    ring_value[ring, 0] = v1
                    exact[r].keep_ns = now + window // (SLOTS - 2)
                    largest = max(abs(least_kept), abs(most_kept))
                    reach = tag[r].reach - RATE_MARGIN * largest
                    exact[r].rate_low = most_kept - reach if largest < RATE_MOST else np.inf
                    exact[r].rate_high = least_kept + reach if largest < RATE_MOST else -np.inf
                    exact_low = max(exact[r].limit_low, exact[r].rate_low)
                    exact_high = min(exact[r].limit_high, exact[r].rate_high)
                    near = np.float32(exact_low)
                    low[r] = np.nextafter(near, np.float32(np.inf)) if near < exact_low else near
                    near = np.float32(exact_high)
                    high[r] = np.nextafter(near, np.float32(-np.inf)) if near > exact_high else near
                    value[r] = v1
                    value_ns[r] = now
                    last_ns[r] = now
                    is_taken[j] = True
                    continue

                odd_sample[odds] = j
                odd_scan[odds] = scan
                odds += 1
                is_taken[j] = True
                fetch(tag, r)

            if is_keeping:  # The least of a span may have moved on; without it the span is looked at one by one.
                for span in (span0, span1):
                    keep_least = NEVER_NS
                    for r in range(span * SPAN, min((span + 1) * SPAN, tags)):
                        keep_least = min(keep_least, exact[r].keep_ns)
                    keep_least_ns[span] = keep_least
            count, is_keeping = 0, False
        newest_ns[scan] = newest
    at[SCAN], at[SAMPLE], at[ODDS] = len(scan_source), len(rows), odds
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def judge_exceptions(
    # the batch
    rows, values, quality, times_ns, received_ns,
    # memory of tags
    last_ns, value, value_ns, tag_quality, is_watched,
    # memory of rules
    is_active, phase, since_ns, elapsed_ns, is_dirty, ring_ns, ring_value,
    # the table, as records: what is needed of a tag or a rule lies together
    tag, rule,
    # the guard
    low, high, exact, keep_least_ns,
    # timers
    is_listed, listed, listed_ns, listed_count, check_ns,
    # transitions
    told_sample, told_rule, told_active, told_ns, told_value, told_quality, told_after,
    # exceptions
    odd_sample, odd_scan,
    at,
):  # fmt: skip
    """Judge the exceptions on the list; True when done, False when the buffer is full and must be emptied first."""
    room = len(told_rule)
    told, odds = at[TOLD], at[ODDS]
    for n in range(at[JUDGED], odds):
        j = np.uint64(odd_sample[n])  # Unsigned numbers are not asked each time whether they count from the end.
        r = np.uint64(rows[j])
        if n + AHEAD < odds:
            ahead = rows[odd_sample[n + AHEAD]]
            fetch(tag, ahead)
            fetch(exact, ahead)
            fetch(last_ns, ahead)
            fetch(value, ahead)
            fetch(value_ns, ahead)
            fetch(tag_quality, ahead)
            fetch(is_watched, ahead)
            fetch(low, ahead)
            fetch(high, ahead)
        if n + AHEAD // 2 < odds:
            ahead = rows[odd_sample[n + AHEAD // 2]]
            k0, k1 = tag[ahead].first, tag[ahead].end
            fetch(is_active, k0)
            fetch(phase, k0)
            fetch(is_dirty, k0)
            fetch(since_ns, k0)
            fetch(since_ns, k1 - 1)
            fetch(elapsed_ns, k0)
            fetch(elapsed_ns, k1 - 1)
            fetch(is_listed, k0)
            for k in range(k0, k1):
                fetch(rule, k)
        k0, k1 = np.uint64(tag[r].first), np.uint64(tag[r].end)
        if told + EVENTS_A_RULE * (tag[r].end - tag[r].first) > room:
            at[JUDGED], at[TOLD] = n, told
            return False
        received = received_ns[odd_scan[n]]
        now = min(times_ns[j], received)
        v1 = values[j]
        q1 = quality[j]
        is_spoilt = q1 >= BAD or not np.isfinite(v1)
        is_judged = not is_spoilt and q1 != RETAINED
        stale = tag[r].stale_ns

        # Delays that ended strictly before the sample; those whose tag fell stale first are paused.
        silent = last_ns[r] + stale
        for k in range(k0, k1):
            if phase[k] == REST or since_ns[k] == 0:
                continue
            is_on = phase[k] == ON
            due = since_ns[k] + (rule[k].on_ns if is_on else rule[k].off_ns) - elapsed_ns[k]
            if min(now - 1, silent) >= due:
                is_active[k] = is_on
                is_dirty[k] = True
                phase[k] = REST
                since_ns[k] = 0
                elapsed_ns[k] = 0
                told_sample[told] = j
                told_rule[told] = k
                told_active[told] = is_on
                told_ns[told] = due
                told_value[told] = value[r]
                told_quality[told] = tag_quality[r]
                told_after[told] = False
                told += 1
            elif now - 1 >= silent:
                elapsed_ns[k] = elapsed_ns[k] + max(silent - since_ns[k], 0) if is_on else 0
                since_ns[k] = 0
                is_dirty[k] = True

        if is_judged:
            value[r] = v1
            value_ns[r] = now
        tag_quality[r] = BAD_NOT_A_NUMBER if is_spoilt and q1 < BAD else q1
        is_watched[r] = True
        last_ns[r] = max(last_ns[r], now)

        is_open = tag_quality[r] == GOOD
        bound_low, bound_high = -np.inf, np.inf
        rate_low, rate_high, keep = exact[r].rate_low, exact[r].rate_high, exact[r].keep_ns
        if tag[r].rate_rule < 0:
            rate_low, rate_high, keep = -np.inf, np.inf, NEVER_NS
        for k in range(k0, k1):
            kind = rule[k].kind
            setpoint, deadband = rule[k].setpoint, rule[k].deadband
            active = is_active[k]
            if is_spoilt and kind < STALE and since_ns[k] != 0:  # Spoilt data pauses all that judges values.
                elapsed_ns[k] = elapsed_ns[k] + max(now - since_ns[k], 0) if phase[k] == ON else 0
                since_ns[k] = 0
                is_dirty[k] = True
            holds, lets_go, when, is_asked = False, False, now, is_judged
            if kind == H or kind == HH:
                if is_judged:
                    holds = v1 >= setpoint
                    lets_go = v1 < setpoint - deadband
            elif kind == L or kind == LL:
                if is_judged:
                    holds = -v1 >= -setpoint
                    lets_go = -v1 < -setpoint - deadband
            elif kind == STALE:
                lets_go, when, is_asked = True, received, True
            elif kind == BAD_KIND:
                holds, lets_go = is_spoilt, not is_spoilt
                is_asked = is_spoilt or is_judged
            elif is_judged and (
                active or phase[k] != REST or now >= keep or not (rate_low < v1 and v1 < rate_high)
            ):  # Else its bounds say that it neither holds nor keeps the sample, and it is at rest.
                ring, window = np.uint64(tag[r].ring), tag[r].window_ns
                newest_slot, is_kept = -1, False
                for slot in range(SLOTS):
                    age = now - ring_ns[ring, slot]
                    if ring_ns[ring, slot] > 0 and age <= GAP_WINDOWS * window:
                        is_kept = True
                        if newest_slot < 0 and age >= window:
                            newest_slot = slot
                if newest_slot >= 0:
                    age = now - ring_ns[ring, newest_slot]
                    rate = abs(v1 - ring_value[ring, newest_slot]) / (age / 1e9)
                    holds = rate >= setpoint
                    lets_go = rate < setpoint - deadband
                if not is_kept or now - ring_ns[ring, 0] >= window // (SLOTS - 2):
                    for slot in range(SLOTS - 1, 0, -1):
                        ring_ns[ring, slot] = ring_ns[ring, slot - 1] if is_kept else 0
                        ring_value[ring, slot] = ring_value[ring, slot - 1]
                    ring_ns[ring, 0] = now
                    ring_value[ring, 0] = v1
                keep = ring_ns[ring, 0] + window // (SLOTS - 2)
                least_kept, most_kept = np.inf, -np.inf
                for slot in range(SLOTS):
                    if ring_ns[ring, slot] > 0:
                        was = ring_value[ring, slot]
                        least_kept, most_kept = min(least_kept, was), max(most_kept, was)
                largest = max(abs(least_kept), abs(most_kept))
                reach = tag[r].reach - RATE_MARGIN * largest
                rate_low = most_kept - reach if largest < RATE_MOST else np.inf
                rate_high = least_kept + reach if largest < RATE_MOST else -np.inf

            if is_asked:
                wants_on = holds and not active
                wants_off = lets_go and active
                if not (wants_on or wants_off):
                    if phase[k] != REST:
                        is_dirty[k] = True
                        phase[k] = REST
                        since_ns[k] = 0
                        elapsed_ns[k] = 0
                else:
                    wanted = ON if wants_on else OFF
                    if phase[k] != wanted:
                        phase[k] = wanted
                        elapsed_ns[k] = 0
                        since_ns[k] = 0
                    if since_ns[k] == 0:
                        since_ns[k] = when
                        is_dirty[k] = True
                    wait = rule[k].on_ns if wants_on else rule[k].off_ns
                    if elapsed_ns[k] + (when - since_ns[k]) >= wait:
                        active = wants_on
                        is_active[k] = wants_on
                        is_dirty[k] = True
                        phase[k] = REST
                        since_ns[k] = 0
                        elapsed_ns[k] = 0
                        told_sample[told] = j
                        told_rule[told] = k
                        told_active[told] = wants_on
                        told_ns[told] = when
                        told_value[told] = value[r]
                        told_quality[told] = tag_quality[r]
                        told_after[told] = True
                        told += 1
                    elif not is_listed[k]:
                        is_listed[k] = True
                        listed[listed_count[0]] = k
                        on_ns, off_ns = rule[k].on_ns, rule[k].off_ns
                        wait = min(on_ns if on_ns > 0 else NEVER_NS, off_ns if off_ns > 0 else NEVER_NS)
                        listed_ns[listed_count[0]] = min(since_ns[k] + wait - elapsed_ns[k], last_ns[r] + stale)
                        listed_count[0] += 1

            # ---- where the next value of the tag is quiet
            if phase[k] != REST or (active and kind > HH):
                is_open = False
            elif kind == H or kind == HH:
                if active:
                    bound_low = max(bound_low, np.nextafter(setpoint - deadband, -np.inf))
                else:
                    bound_high = min(bound_high, setpoint)
            elif kind == L or kind == LL:
                if active:
                    bound_high = min(bound_high, np.nextafter(setpoint + deadband, np.inf))
                else:
                    bound_low = max(bound_low, setpoint)
        if not is_open:
            bound_low, bound_high = np.inf, -np.inf
        exact[r].limit_low, exact[r].limit_high = bound_low, bound_high
        exact[r].rate_low, exact[r].rate_high = rate_low, rate_high
        exact[r].keep_ns = keep
        span = r // np.uint64(SPAN)
        keep_least_ns[span] = min(keep_least_ns[span], keep)
        exact_low, exact_high = max(bound_low, rate_low), min(bound_high, rate_high)
        near = np.float32(exact_low)
        low[r] = np.nextafter(near, np.float32(np.inf)) if near < exact_low else near
        near = np.float32(exact_high)
        high[r] = np.nextafter(near, np.float32(-np.inf)) if near > exact_high else near
        block = tag[r].block
        if block >= 0:
            check_ns[block] = min(check_ns[block], last_ns[r] + stale)
    at[JUDGED], at[TOLD] = odds, told
    return True
