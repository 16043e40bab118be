"""Compiled: which of the delays that run are due, and when the tags of some blocks fall silent.

Flow: watermarks -> [find_due] -> rules that ``expire`` looks at; blocks -> [find_silent] -> when to look next
Why: where many limits are passed for a moment, a clock reading looks at each delay that has begun; one in thousands
    is due.
Never: ends a delay or trips a rule; what is found is looked at again by ``expire``, which decides.

As in ``kernel_samples``: cached by its own content, with constants that a test compares with those of the product.
"""

from numba import njit

REST, ON = 0, 1
PLAIN_MOST = 7  # Rules of greater kinds hang on more than the time of their own tag: they are always looked at.
LATEST_NS = 9223372036854775807 // 2
NEVER_NS = 9223372036854775807 // 4


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
    first, rules, block_source, wait, check_ns,
    # memory of rules, and of tags
    is_active, is_watched, last_ns, awaited_ns, stale_ns,
    # the table
    row,
):  # fmt: skip
    """Say when to look at blocks again, True; False, and nothing is said, when a tag of theirs is silent already."""
    for is_asking in (True, False):
        for block in blocks:
            now, least = watermark[block_source[block]], LATEST_NS
            for place in range(first[block], first[block + 1]):
                k = rules[place]
                r = row[k]
                due = max(last_ns[r], awaited_ns[r]) + stale_ns[r]
                least = min(least, due if is_watched[r] and not is_active[k] else LATEST_NS)
            if is_asking and least <= now:
                return False
            if not is_asking:
                ahead = min(least - now, LATEST_NS // 2)
                check_ns[block] = now + max(min(int(ahead * wait[block]), ahead), 1)
    return True
