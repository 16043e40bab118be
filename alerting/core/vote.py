"""Votes: how many members of a group agree, kept by their transitions, and the samples that say so.

Flow: transitions of members and of their silence, judged scan -> [poll] -> sample of the vote's own tag -> judged
Why: one instrument that lies shall not ring for a group, and a group in which nobody can be judged shall not look calm.
Never: counts a member whose tag is BAD, stale, retained or was never seen; compares a value by itself.

A member agrees while its own condition stands, with its deadband and delays. With y members agreeing and u out, the
vote holds at y >= max(1, k - u), or at y >= k where k is kept, and lets go at y + u + a < k, a being the members that
never came and are not overdue: after a start they do not make the group more sensitive, and do not calm it either.
Between the two nobody knows: the sample is BAD(input), so that a delay pauses and nothing trips or clears.

Time: where a member's delay ends, or a tag falls silent, without a sample, the vote has a sample of that moment, also
while the tag's STALE rule is disabled: that nobody is to be told of silence makes no silent tag a witness. One of a
scan has the newest time of the members, as derived tags have.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alerting.model.rule import RuleTable
from alerting.model.vote import VoteTable
from edge.few import greatest, greatest_across, places_of, some
from edge.model import Nature, Quality, Reason, Scan
from edge.model.quality import CLASS_MASK, encode, is_bad, is_judged

if TYPE_CHECKING:
    from alerting.core.derived.state import DerivedState
    from alerting.core.memory import Changes, Memory

Indexes = NDArray[np.int64]
REMEMBERED_MOST = 256  # Members, filled up; of more it would cost as much to see that nothing changed.
NOTHING: Indexes = np.empty(0, np.int64)
UNDECIDED = np.uint8(encode(Quality.BAD, Reason.INPUT))
DOUBTFUL = np.uint8(encode(Quality.UNCERTAIN, Reason.INPUT))


class VoteBook:
    """How the members of all votes stand in one memory; follows from the memory, so nothing of it is saved.

    Attributes:
        is_settled: It agrees with the memory.
        stands: The member's condition is active, bool (v, w).
        is_silent: Its tag's STALE rule is active, bool (v, w).
        is_dead: Its tag was BAD or retained when it was looked at last, or is overdue, bool (v, w).
        is_awaited: Nothing of its tag is known, bool (v, w): it never came, or not since a restart that kept no value.
        enough: How many must agree for the vote to hold, int64 (v,).
        few: It lets go below this many, int64 (v,).
    """

    def __init__(self, table: VoteTable) -> None:
        self.table = table
        shape = table.member.shape
        self.is_settled = False
        self.stands: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
        self.is_silent: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
        self.is_dead: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
        self.is_awaited: NDArray[np.bool_] = table.is_there.copy()
        self.enough: NDArray[np.int64] = table.k.copy()
        self.few: NDArray[np.int64] = table.k - table.is_there.sum(axis=1)
        self._known_key = b""
        self._known: tuple[NDArray[np.float64], NDArray[np.uint8]] = (np.empty(0), np.empty(0, np.uint8))

    def __eq__(self, other: object) -> bool:
        """Say yes to any other: it remembers nothing that Memory does not."""
        return isinstance(other, VoteBook) or NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_out(self) -> NDArray[np.bool_]:
        """Members that cannot be judged, bool (v, w)."""
        out: NDArray[np.bool_] = (self.is_silent | self.is_dead) & self.table.is_there
        return out

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """Members that vote for the alarm, bool (v, w)."""
        agree: NDArray[np.bool_] = self.stands & ~self.is_out & ~self.is_awaited
        return agree

    def settle(self, memory: "Memory") -> None:
        """Take over how the members stand in a memory."""
        if len(self.table) == 0 or self.is_settled:
            return
        self.is_settled, self._known_key = True, b""
        self._look(memory, np.arange(len(self.table)), None)
        for rule, places in self.table.silences.items():
            self._set(self.is_silent, places, truth=bool(memory.is_active[rule]))
        self._count(np.arange(len(self.table)))

    def move(self, rule: int, *, active: bool) -> list[int]:
        """Take a transition of a rule; give the votes that it touches."""
        stood, silent = self.table.places.get(rule, []), self.table.silences.get(rule, [])
        self._set(self.stands, stood, truth=active)
        self._set(self.is_silent, silent, truth=active)
        return [v for v, _ in (*stood, *silent)]

    def look(self, memory: "Memory", votes: Indexes, received_ns: int) -> None:
        """Look at the members of some votes after a scan."""
        self._look(memory, votes, memory.watermarks(received_ns))

    def lapses(self, table: RuleTable, memory: "Memory") -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the members that fall silent without a transition, because the STALE rule of their tag is disabled.

        Returns:
            Vote, place and STALE rule of each that is not out yet, int64 (n, 3), and when it falls silent if nothing
            comes, in its source's time, int64 (n,).
        """
        gated = self.table.gated
        if len(gated) == 0:
            return gated, NOTHING
        v, w, rule = gated.T
        row = table.row[rule]
        waits = memory.is_watched[row] & ~self.is_out[v, w] & table.gates.shut(memory.is_active, rule)
        return gated[waits], memory.silent_at_ns(row[waits])

    def fall_silent(self, gated: NDArray[np.int64]) -> list[int]:
        """Take some of these out; give the votes that it touches."""
        self.is_dead[gated[:, 0], gated[:, 1]] = True
        return [int(v) for v in gated[:, 0]]

    def sample(self, memory: "Memory", votes: Indexes) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Give how many agree, and the quality of that, (n,) each; remembered while the members stand as they did."""
        member_quality = memory.quality[self.table.member_row[votes]]
        if self.stands.size > REMEMBERED_MOST:
            return self._sample(votes, member_quality)
        columns = (votes, member_quality, self.stands, self.is_silent, self.is_dead, self.is_awaited)
        key = b"".join([column.tobytes() for column in columns])
        if key != self._known_key:
            self._known_key, self._known = key, self._sample(votes, member_quality)
        values, quality = self._known
        return values.copy(), quality.copy()

    def _sample(
        self, votes: Indexes, member_quality: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        self._count(votes)
        agree = self.agrees[votes].sum(axis=1)
        there, out = self.table.is_there[votes], self.is_out[votes] | self.is_awaited[votes]
        unsure = (member_quality & CLASS_MASK) == np.uint8(Quality.UNCERTAIN)
        quality = np.where((out | (there & unsure)).any(axis=1), DOUBTFUL, np.uint8(Quality.GOOD))
        quality[(agree < self.enough[votes]) & (agree >= self.few[votes])] = UNDECIDED
        return agree.astype(np.float64), quality

    def _look(self, memory: "Memory", votes: Indexes, watermark: NDArray[np.int64] | None) -> None:
        rows, there = self.table.member_row[votes], self.table.is_there[votes]
        quality, last_ns = memory.quality[rows], memory.last_ns[rows]
        self.stands[votes] = memory.is_active[self.table.member[votes]] & there
        dead = is_bad(quality) | ~is_judged(quality)
        # A restart sets tags to how far their source had come, those too that never came.
        unknown = (memory.value_ns[rows] == 0) & ~dead & ~self.stands[votes]
        self.is_awaited[votes] = ((last_ns == 0) | unknown) & there
        if watermark is not None:  # In a replay tags that the recording does not have are never silent.
            dead |= memory.is_watched[rows] & (watermark[memory.source[rows]] >= memory.silent_at_ns(rows))
        self.is_dead[votes] = dead & there

    def _count(self, votes: Indexes) -> None:
        out = self.is_out[votes]
        left = self.table.k[votes] - out.sum(axis=1)
        self.few[votes] = left - (self.is_awaited[votes] & ~out).sum(axis=1)
        self.enough[votes] = np.where(self.table.keeps_k[votes], self.table.k[votes], np.maximum(left, 1))

    @staticmethod
    def _set(column: NDArray[np.bool_], places: list[tuple[int, int]], *, truth: bool) -> None:
        for v, w in places:
            column[v, w] = truth


def poll(
    table: RuleTable,
    memory: "Memory",
    state: "DerivedState",
    nature: Nature,
    changes: tuple["Changes", "Changes"],
    scan: Scan | None = None,
    now_ns: int = 0,
) -> Iterator[Scan]:
    """Give the samples of votes that changes and a judged scan lead to; the caller judges each before the next.

    Args:
        changes: What came before the samples of the scan, and by them; of a clock reading all is before.
        scan: None for a clock reading.
        now_ns: Of that, its receive time; 0 where nobody read a clock.
    """
    votes, book = table.votes, memory.votes
    if len(votes) == 0:
        return
    before, after = changes
    moved = places_of(votes.is_trigger[before.rule]) if len(before) else NOTHING
    lapsed, lapse_ns = _lapsed(table, memory, now_ns)
    for at_ns in np.unique(np.append(before.time_ns[moved], lapse_ns)).tolist() if len(moved) + len(lapsed) else ():
        touched: set[int] = set()
        lag_ns = 0
        if len(lapsed):
            mine = lapsed[lapse_ns == at_ns]
            touched.update(book.fall_silent(mine))
            source = memory.source[table.row[mine[:, 2]]]
            lag_ns = int((memory.mark_received_ns[source] - memory.mark_ns[source]).max(initial=0))
        for place in moved[before.time_ns[moved] == at_ns].tolist():
            rule = int(before.rule[place])
            touched.update(book.move(rule, active=bool(before.is_active[place])))
            source = memory.source[table.row[rule]]
            lag_ns = max(lag_ns, int(memory.mark_received_ns[source] - memory.mark_ns[source]))
        mine = np.array(sorted(touched), dtype=np.int64)
        times = np.maximum(at_ns, memory.last_ns[votes.row[mine]] + 1)
        yield from _scans(table, memory, state, nature, mine, times, at_ns + lag_ns)
    if scan is None or (len(after) == 0 and not some(votes.is_member_row[scan.rows])):
        return
    due: NDArray[np.bool_] = np.zeros(len(votes), dtype=np.bool_)
    due[votes.with_members(scan.rows)] = True
    newest = np.zeros(len(votes), dtype=np.int64)
    for place in places_of(votes.is_trigger[after.rule]).tolist():
        for v in book.move(int(after.rule[place]), active=bool(after.is_active[place])):
            due[v], newest[v] = True, max(newest[v], int(after.time_ns[place]))
    mine = places_of(due)
    if len(mine) == 0:
        return
    book.look(memory, mine, scan.received_ns)
    seen = greatest_across(np.where(votes.is_there[mine], memory.last_ns[votes.member_row[mine]], 0))
    times = np.maximum(np.maximum(seen, newest[mine]), memory.last_ns[votes.row[mine]] + 1)
    yield from _scans(table, memory, state, nature, mine, times, scan.received_ns)


def _lapsed(table: RuleTable, memory: "Memory", now_ns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give what ``VoteBook.lapses`` finds that has come by a clock reading."""
    found, due_ns = memory.votes.lapses(table, memory)
    if len(found) == 0:
        return found, due_ns
    come = memory.watermarks(now_ns)[memory.source[table.row[found[:, 2]]]]
    is_due = (due_ns <= come) & (now_ns > 0)
    return found[is_due], due_ns[is_due]


def count_anew(
    table: RuleTable, memory: "Memory", state: "DerivedState", nature: Nature, rules: Indexes, now_ns: int
) -> Iterator[Scan]:
    """Give a sample of each vote among some rules by how its members stand, after a swap that changed or brought it.

    Members may speak seldom; what they said last counts at once, as for other rules that are new.
    """
    at = table.votes.of_rule[rules]
    votes = at[at >= 0].astype(np.int64)
    if len(votes) == 0:
        return
    book = memory.votes
    book.look(memory, votes, now_ns)
    votes = votes[(table.votes.is_there & ~book.is_awaited)[votes].any(axis=1)]
    come = memory.watermarks(now_ns)[memory.source[table.votes.member_row[votes]]]
    newest = np.where(table.votes.is_there[votes], come, 0).max(axis=1, initial=0)
    times = np.maximum(newest, memory.last_ns[table.votes.row[votes]] + 1)
    yield from _scans(table, memory, state, nature, votes, times, now_ns)


def _scans(
    table: RuleTable,
    memory: "Memory",
    state: "DerivedState",
    nature: Nature,
    votes: Indexes,
    times_ns: NDArray[np.int64],
    received_ns: int,
) -> Iterator[Scan]:
    """Make the samples of some votes; one scan for each source, because sources have clocks of their own."""
    values, quality = memory.votes.sample(memory, votes)
    rows = table.votes.row[votes]
    sources = memory.source[rows]
    for source in sorted(set(sources.tolist())):
        part = sources == source
        state.number += 1
        yield Scan(
            source=table.tags[int(rows[part][0])].source,
            epoch=state.epoch,
            number=state.number,
            received_ns=max(received_ns, int(memory.mark_received_ns[source]), greatest(times_ns[part])),
            rows=rows[part],
            values=values[part],
            quality=quality[part],
            times_ns=times_ns[part],
            nature=nature,
        )


def judge_votes(
    table: RuleTable, memory: "Memory", rules: Indexes, value: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which votes hold, and which let go, bool (n,) each."""
    at, book = table.votes.of_rule[rules], memory.votes
    return value >= book.enough[at], value < book.few[at]


def told_vote(table: RuleTable, memory: "Memory", rule: int) -> dict[str, Any]:
    """Give what a sentence needs of a vote: how many must agree, who does, who does not, who is out."""
    v, book = int(table.votes.of_rule[rule]), memory.votes
    agrees, out = book.agrees[v], book.is_out[v] | book.is_awaited[v]
    members: list[dict[str, Any]] = []
    for w in np.flatnonzero(table.votes.is_there[v]).tolist():
        limit, row = table[int(table.votes.member[v, w])], int(table.votes.member_row[v, w])
        value = float(memory.value[row])
        members.append(
            {
                "tag": limit.tag,
                "kind": limit.kind.name,
                "setpoint": limit.setpoint,
                "value": value if np.isfinite(value) and not out[w] else None,
                "eu": table.tags[row].eu,
                "agrees": None if out[w] else bool(agrees[w]),
            }
        )
    return {
        "title": dict(table.tags[int(table.votes.row[v])].title),
        "k": int(table.votes.k[v]),
        "degrade": "keep-k" if table.votes.keeps_k[v] else "lower-k",
        "enough": int(book.enough[v]),
        "members": members,
    }


def told_lost(table: RuleTable, memory: "Memory", rule: int) -> dict[str, Any]:
    """Give what a sentence needs of a vote that is lost: how many members there are and who is out; or nothing.

    Args:
        rule: Index of any rule; only those on a vote's own tag have something to say.
    """
    found = np.flatnonzero(table.votes.row == table.row[rule])
    if len(found) == 0:
        return {}
    v = int(found[0])
    silent = {place for stale, places in table.votes.silences.items() if memory.is_active[stale] for place in places}
    out = []
    for w in np.flatnonzero(table.votes.is_there[v]).tolist():
        row = int(table.votes.member_row[v, w])
        if memory.last_ns[row] == 0 or memory.quality[row] >= np.uint8(Quality.BAD) or (v, w) in silent:
            out.append(table.tags.names[row])
    title = dict(table.tags[int(table.votes.row[v])].title)
    return {"title": title, "members": int(table.votes.is_there[v].sum()), "out": out}
