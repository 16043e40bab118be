"""Compiled: one pass over all samples of a batch, with the same decisions as ``evaluate``.

Flow: Batch -> [take_samples] -> memory in place, transitions in a buffer of fixed size
Why: a quiet sample costs a few comparisons, an exception one walk over its tag's rules; no Python in between.
Never: judges a tag that the guard does not call plain; trips or clears on BAD quality.

This file is compiled and cached by its own content: everything that it calls or counts on stands in it, and a test
compares its constants with those of the product. The loop is one function, because a compiled function that is called
for each tag with many columns spends its time on counting references. The buffer of transitions never overflows:
before each exception there is room for all that its rules can do, else the pass stops and is called again from there.
"""

import numpy as np
from numba import njit

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
BLOCK = 64
EVENTS_A_RULE = 2  # A delay that ended before the sample, and what the sample does.
RATE_MARGIN = 1e-9  # Relative; far above what rounding can do, far below what matters.
RATE_MOST = 1e300

# Places in ``at``, where the pass stands.
SCAN, SAMPLE, TOLD, SERIAL, RISING = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True, error_model="numpy")
def take_samples(
    # the batch
    rows, values, quality, times_ns, first_of_scan, scan_source, received_ns, lateness_ns,
    # what became of it
    is_taken, left, newest_ns,
    # memory of tags
    last_ns, value, value_ns, tag_quality, is_watched, source, stale_ns,
    # memory of rules
    is_active, phase, since_ns, elapsed_ns, is_dirty, rate_of, ring_ns, ring_value,
    # the table
    first, kind, sign, setpoint, deadband, on_ns, off_ns, window_ns,
    # the guard
    low, high, limit_low, limit_high, keep_ns, rate_rule, is_plain, seen,
    # timers
    is_listed, listed, listed_count, block_of, check_ns,
    # transitions
    told_sample, told_rule, told_active, told_ns, told_value, told_quality, told_after,
    at,
):  # fmt: skip
    """Take what can be taken; True when done, False when the buffer is full and must be emptied first."""
    tags = len(last_ns)
    room = len(told_rule)
    told = at[TOLD]
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
                        seen[r] = serial + 1 if seen[r] >= serial else serial
        is_rising = at[RISING] != 0
        serial = 0 if is_rising else at[SERIAL]
        is_run = (
            is_rising
            and end > start
            and rows[start] >= 0
            and rows[end - 1] < tags
            and rows[end - 1] - rows[start] == end - 1 - start
        )

        # A run of rows is compared block by block, and taken at once where all of a block is quiet.
        base = rows[start] if is_run else 0
        width = end - start if is_run else 0
        v, q, t = values[start : start + width], quality[start : start + width], times_ns[start : start + width]
        lo, hi, la = low[base : base + width], high[base : base + width], last_ns[base : base + width]
        ke, so = keep_ns[base : base + width], source[base : base + width]
        va, vn, ta = value[base : base + width], value_ns[base : base + width], is_taken[start : start + width]

        i = begin
        checked = begin if is_run else end  # Up to here samples are known to be worth a look one by one.
        while i < end:
            if i >= checked:
                checked = min(i + BLOCK, end)
                j0, j1 = np.uint64(i - start), np.uint64(checked - start)  # Unsigned: they cannot count from the end.
                odd = 0
                for j in range(j0, j1):
                    odd += not (
                        (lo[j] < v[j])
                        & (v[j] < hi[j])
                        & (q[j] == GOOD)
                        & (t[j] > la[j])
                        & (t[j] < ke[j])
                        & (t[j] <= latest)
                        & (t[j] >= oldest)
                        & (so[j] == mine)
                    )
                if odd == 0:
                    for j in range(j0, j1):
                        counted = min(t[j], received)
                        va[j] = v[j]
                        vn[j] = counted
                        la[j] = counted
                        ta[j] = True
                        newest = max(newest, counted)
                    i = checked
                    continue

            r = rows[i]
            stamp = times_ns[i]
            if (
                r < 0
                or r >= tags
                or source[r] != mine
                or stamp > latest
                or stamp < oldest
                or stamp <= last_ns[r]
                or (serial > 0 and seen[r] != serial)
            ):
                left[scan] += 1
                i += 1
                continue
            now = min(stamp, received)
            v1 = values[i]
            q1 = quality[i]
            if low[r] < v1 and v1 < high[r] and q1 == GOOD:
                if now >= keep_ns[r]:
                    # Quiet, but its rate wants to keep a sample. Nothing holds: the bounds say so.
                    k = rate_rule[r]
                    ring, window = rate_of[k], window_ns[k]
                    is_gap = True
                    for slot in range(SLOTS):
                        is_gap &= ring_ns[ring, slot] == 0 or now - ring_ns[ring, slot] > GAP_WINDOWS * window
                    least, most = v1, v1
                    for slot in range(SLOTS - 1, 0, -1):
                        ring_ns[ring, slot] = 0 if is_gap else ring_ns[ring, slot - 1]
                        was = ring_value[ring, slot - 1]
                        ring_value[ring, slot] = was
                        if ring_ns[ring, slot] > 0:
                            least, most = min(least, was), max(most, was)
                    ring_ns[ring, 0] = now
                    ring_value[ring, 0] = v1
                    keep_ns[r] = now + window // (SLOTS - 2)
                    largest = max(abs(least), abs(most))
                    span = min(setpoint[k] * (window / 1e9) * (1.0 - RATE_MARGIN), RATE_MOST) - RATE_MARGIN * largest
                    if largest < RATE_MOST:
                        low[r] = max(limit_low[r], most - span)
                        high[r] = min(limit_high[r], least + span)
                    else:
                        low[r], high[r] = np.inf, -np.inf
                value[r] = v1
                value_ns[r] = now
                last_ns[r] = now
                is_taken[i] = True
                newest = max(newest, now)
                i += 1
                continue
            if not is_plain[r]:
                left[scan] += 1
                newest = max(newest, now)
                i += 1
                continue

            # ---- an exception: walk over the tag's rules as ``evaluate`` does
            k0, k1 = first[r], first[r + 1]
            if told + EVENTS_A_RULE * (k1 - k0) > room:
                newest_ns[scan] = newest
                at[SCAN], at[SAMPLE], at[TOLD] = scan, i, told
                return False
            is_taken[i] = True
            newest = max(newest, now)
            is_spoilt = q1 >= BAD or not np.isfinite(v1)
            is_judged = not is_spoilt and q1 != RETAINED

            # Delays that ended strictly before the sample; those whose tag fell stale first are paused.
            silent = last_ns[r] + stale_ns[r]
            for k in range(k0, k1):
                if phase[k] == REST or since_ns[k] == 0:
                    continue
                is_on = phase[k] == ON
                due = since_ns[k] + (on_ns[k] if is_on else off_ns[k]) - elapsed_ns[k]
                if min(now - 1, silent) >= due:
                    is_active[k] = is_on
                    is_dirty[k] = True
                    phase[k] = REST
                    since_ns[k] = 0
                    elapsed_ns[k] = 0
                    told_sample[told] = i
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
            bound_low, bound_high, keep = -np.inf, np.inf, NEVER_NS
            rate_low, rate_high = -np.inf, np.inf
            for k in range(k0, k1):
                what = kind[k]
                if is_spoilt and what < STALE and since_ns[k] != 0:  # Spoilt data pauses all that judges values.
                    elapsed_ns[k] = elapsed_ns[k] + max(now - since_ns[k], 0) if phase[k] == ON else 0
                    since_ns[k] = 0
                    is_dirty[k] = True
                holds, lets_go, when = False, False, now
                if what == STALE:
                    lets_go, when = True, received
                    is_asked = True
                elif what == BAD_KIND:
                    holds, lets_go = is_spoilt, not is_spoilt
                    is_asked = is_spoilt or is_judged
                elif what == RATE:
                    is_asked = is_judged
                    ring = rate_of[k]
                    if is_judged:
                        window = window_ns[k]
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
                            holds = rate >= setpoint[k]
                            lets_go = rate < setpoint[k] - deadband[k]
                        if not is_kept or now - ring_ns[ring, 0] >= window // (SLOTS - 2):
                            for slot in range(SLOTS - 1, 0, -1):
                                ring_ns[ring, slot] = ring_ns[ring, slot - 1] if is_kept else 0
                                ring_value[ring, slot] = ring_value[ring, slot - 1]
                            ring_ns[ring, 0] = now
                            ring_value[ring, 0] = v1
                else:
                    is_asked = is_judged
                    if is_judged:
                        holds = sign[k] * v1 >= sign[k] * setpoint[k]
                        lets_go = sign[k] * v1 < sign[k] * setpoint[k] - deadband[k]

                if is_asked:
                    wants_on = holds and not is_active[k]
                    wants_off = lets_go and is_active[k]
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
                        if elapsed_ns[k] + (when - since_ns[k]) >= (on_ns[k] if wants_on else off_ns[k]):
                            is_active[k] = wants_on
                            is_dirty[k] = True
                            phase[k] = REST
                            since_ns[k] = 0
                            elapsed_ns[k] = 0
                            told_sample[told] = i
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
                            listed_count[0] += 1

                # ---- where the next value of the tag is quiet
                active = is_active[k]
                if phase[k] != REST or (active and what > HH):
                    is_open = False
                elif what == H or what == HH:
                    if active:
                        bound_low = max(bound_low, np.nextafter(setpoint[k] - deadband[k], -np.inf))
                    else:
                        bound_high = min(bound_high, setpoint[k])
                elif what == L or what == LL:
                    if active:
                        bound_high = min(bound_high, np.nextafter(setpoint[k] + deadband[k], np.inf))
                    else:
                        bound_low = max(bound_low, setpoint[k])
                elif what == RATE:
                    ring = rate_of[k]
                    keep = 0
                    least, most = np.inf, -np.inf
                    if ring_ns[ring, 0] > 0:
                        keep = ring_ns[ring, 0] + window_ns[k] // (SLOTS - 2)
                    for slot in range(SLOTS):
                        if ring_ns[ring, slot] > 0:
                            was = ring_value[ring, slot]
                            least, most = min(least, was), max(most, was)
                    if least <= most:
                        largest = max(abs(least), abs(most))
                        span = min(setpoint[k] * (window_ns[k] / 1e9) * (1.0 - RATE_MARGIN), RATE_MOST)
                        span -= RATE_MARGIN * largest
                        rate_low, rate_high = most - span, least + span
                        is_open &= largest < RATE_MOST
            keep_ns[r] = keep
            limit_low[r] = bound_low if is_open else np.inf
            limit_high[r] = bound_high if is_open else -np.inf
            low[r] = max(limit_low[r], rate_low)
            high[r] = min(limit_high[r], rate_high)
            block = block_of[r]
            if block >= 0:
                check_ns[block] = min(check_ns[block], last_ns[r] + stale_ns[r])
            i += 1
        newest_ns[scan] = newest
    at[SCAN], at[SAMPLE], at[TOLD] = len(scan_source), len(rows), told
    return True
