"""Compiled: which of the delays that run are due, when the tags of some blocks fall silent, which rules changed.

Flow: watermarks -> [find_due] -> rules that ``expire`` looks at; blocks -> [find_silent] -> when to look next;
    flags -> [take_flagged] -> places
Why: where many limits are passed for a moment, a clock reading looks at each delay that has begun; one in thousands
    is due, and one in thousands has changed.
Never: ends a delay or trips a rule; what is found is looked at again by ``expire``, which decides.

As in ``kernel_samples``: cached by its own content, with constants that a test compares with those of the product.
"""

import numpy as np
from numba import njit

REST, ON = 0, 1
PLAIN_MOST = 7  # Rules of greater kinds hang on more than the time of their own tag: they are always looked at.
LATEST_NS = 9223372036854775807 // 2
NEVER_NS = 9223372036854775807 // 4
FLAGS = 8  # Flags of a byte each that are one number.
WORDS = 32  # Such numbers that are asked together whether any flag is set.


@njit(cache=True, nogil=True, error_model="numpy")
def find_due(
    watermark,
    # timers
    is_listed, listed, listed_ns, listed_count,
    # memory of rules, and of tags
    phase, since_ns, elapsed_ns, last_ns, stale_ns, source,
    # the table
    row, rule,
    found,
):  # fmt: skip
    """Put the rules into ``found`` whose delay ended or whose tag fell stale by the watermark; how many, or -1.

    A delay is looked at when the time comes that stands beside it on the list, before which it is neither due nor its
    tag stale. Then the list is cleared of it, or the time moved on. -1 tells that ``found`` was too small.
    """
    latest = 0
    for each in watermark:
        latest = max(latest, each)
    kept, count = 0, 0
    for n in range(listed_count[0]):
        k, next_ns = listed[n], listed_ns[n]
        if next_ns <= latest:
            if phase[k] == REST or since_ns[k] == 0:
                is_listed[k] = False
                continue
            r = row[k]
            due = since_ns[k] + (rule[k].on_ns if phase[k] == ON else rule[k].off_ns) - elapsed_ns[k]
            next_ns = min(due, last_ns[r] + stale_ns[r])
            if rule[k].kind > PLAIN_MOST or watermark[source[r]] >= next_ns:
                next_ns = 0
                if count < len(found):
                    found[count] = k
                count += 1
            # The rule's other delay may begin before it is looked at again: later than this one, and as long as it is.
            # One of no length never runs.
            on_ns, off_ns = rule[k].on_ns, rule[k].off_ns
            wait = min(on_ns if on_ns > 0 else NEVER_NS, off_ns if off_ns > 0 else NEVER_NS)
            next_ns = min(next_ns, since_ns[k] + wait - elapsed_ns[k])
        listed[kept], listed_ns[kept] = k, next_ns
        kept += 1
    listed_count[0] = kept
    return count if count <= len(found) else -1


@njit(cache=True, nogil=True, error_model="numpy")
def find_silent(
    blocks, watermark,
    # the blocks
    first, rules, rows, block_source, wait, check_ns,
    # memory of rules, and of tags
    is_active, is_watched, last_ns, awaited_ns, stale_ns,
    least_ns,
):  # fmt: skip
    """Say when to look at blocks again, True; False, and nothing is said, when a tag of theirs is silent already."""
    for n in range(len(blocks)):
        block = blocks[n]
        now, least = watermark[block_source[block]], LATEST_NS
        # Unsigned numbers are not asked each time whether they count from the end.
        start, end = np.uint64(first[block]), np.uint64(first[block + 1])
        r0 = np.uint64(rows[start])
        if np.uint64(rows[end - np.uint64(1)]) - r0 == end - start - np.uint64(1):
            for r in range(r0, r0 + (end - start)):  # A run of rows, as it mostly is: many are compared at once.
                least = min(least, max(last_ns[r], awaited_ns[r]) + stale_ns[r])
        else:
            for place in range(start, end):
                of = np.uint64(rows[place])
                least = min(least, max(last_ns[of], awaited_ns[of]) + stale_ns[of])
        if least <= now:  # Perhaps only of tags whose silence rings, or that nobody waits for.
            least = LATEST_NS
            for place in range(start, end):
                of = np.uint64(rows[place])
                due = max(last_ns[of], awaited_ns[of]) + stale_ns[of]
                least = min(least, due if is_watched[of] and not is_active[rules[place]] else LATEST_NS)
        if least <= now:
            return False
        least_ns[n] = least
    for n in range(len(blocks)):
        block = blocks[n]
        now = watermark[block_source[block]]
        ahead = min(least_ns[n] - now, LATEST_NS // 2)
        check_ns[block] = now + max(min(int(ahead * wait[block]), ahead), 1)
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def take_flagged(words, flags, set_words, found):
    """Put the places of the flags that are set into ``found``, ascending, and take the flags down; how many.

    ``words`` are the same flags, eight to a number, without those that are left over at the end;
    ``set_words`` has room for ``WORDS`` places.
    """
    count = np.uint64(0)
    whole = len(words)
    for begin in range(0, whole, WORDS):
        # Unsigned numbers are not asked each time whether they count from the end.
        first, end = np.uint64(begin), np.uint64(min(begin + WORDS, whole))
        together = np.uint64(0)
        for at in range(first, end):
            together |= words[at]
        if together == 0:
            continue
        some = np.uint64(0)
        for at in range(first, end):  # Which ones, without a branch that guesses wrong.
            set_words[some] = at
            some += np.uint64(words[at] != 0)
        for n in range(some):
            at = set_words[n]
            place = at * np.uint64(FLAGS)
            for k in range(place, place + np.uint64(FLAGS)):
                found[count] = k
                count += np.uint64(flags[k])
            words[at] = 0
    for k in range(whole * FLAGS, len(flags)):
        if flags[k]:
            found[count] = k
            count += np.uint64(1)
            flags[k] = False
    return int(count)
