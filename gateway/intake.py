"""Intake: which samples enter which lane, at which time, and which are refused.

Flow: collect -> [intake] -> live lane, late lane, display only, or refused with a reason
Why: clocks of devices are wrong, brokers redeliver, links break; the core must see each tag's samples once, in order.
Never: judges a value. Pure: the receive time comes with the scan.

The rules are those of design §3, "Time" and "Two lanes".
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.core.batch import AHEAD_NS_MAX, Room
from alerting.core.swap import Exchange
from alerting.late import Gap
from edge.config import Source
from edge.few import every, greatest, least
from edge.model import Link, Nature, Quality, Reason, Scan, TagTable
from edge.model.quality import encode, is_bad
from gateway.steps import STEP_NS_MIN, STEP_REFUSALS, ClockSteps

OUTAGES_KEPT = 64
RECEIVED, PLACE = attrgetter("received_ns"), attrgetter("place")
LATENESS, SILENT = attrgetter("lateness_ns"), attrgetter("silent_ns")
UNCERTAIN_CLOCK = encode(Quality.UNCERTAIN, Reason.CLOCK)
UNCERTAIN_RETAINED = encode(Quality.UNCERTAIN, Reason.RETAINED)


class Refusal(StrEnum):
    """Why a sample did not enter; the same words in code, metrics and page."""

    UNKNOWN_SOURCE = "unknown_source"
    UNKNOWN_TAG = "unknown_tag"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    SEQUENCE = "sequence"


class Lane(StrEnum):
    """Where samples go."""

    LIVE = "live"
    LATE = "late"
    UNJUDGED = "unjudged"  # back-fill that no open gap covers: historian only
    RETAINED = "retained"  # display only


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Samples that enter one lane."""

    lane: Lane
    scan: Scan
    gap: Gap | None = None


class LiveSide(Protocol):
    """What intake asks of the desk."""

    def memory(self, nature: Nature) -> Memory:
        """Give the live memory of one nature."""
        ...

    def open_gap(self, source: str, nature: Nature, to_ns: int) -> None:
        """Copy a source's rows before the first scan after a gap is evaluated."""
        ...

    def find_gap(self, source: str, nature: Nature, time_ns: int) -> Gap | None:
        """Find the gap that a late sample falls into."""
        ...

    def remark(self, kind: str, **facts: Any) -> None:  # noqa: ANN401  # facts are JSON values
        """Put a remark into the journal."""
        ...


@dataclass(slots=True)
class _Sequence:
    """What intake remembers of one source.

    Attributes:
        lateness_ns, silent_ns: How late its samples may be, and after how long it counts as silent.
        place: Its index in every memory; -1 where it has no tags.
        is_merged: It comes in parts by several ways: what is not newer came out of turn, and is no clock set back.
    """

    epoch: int = 0
    number: int = 0
    is_up: bool = True
    down_since_ns: int = 0
    received_ns: int = 0
    streak: int = 0  # scans refused for time in a row
    streak_received_ns: int = 0  # when the first of them came
    streak_time_ns: int = 0  # and its source time
    outages: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=OUTAGES_KEPT))
    memo: str = ""  # outages and link as they are committed, made anew when they change
    is_stepped: bool = False
    is_unjudged_told: bool = False
    lateness_ns: int = 0
    silent_ns: int = 0
    place: int = -1
    is_merged: bool = False

    def remember(self) -> None:
        """Write down outages and link, so that back-fill that comes after a restart is still late."""
        down_ns = 0 if self.is_up else self.down_since_ns
        self.memo = orjson.dumps({"outages": list(self.outages), "down_since_ns": down_ns}).decode()

    def recall(self, memo: str) -> None:
        """Put back what was written down."""
        if not memo:
            return
        known = orjson.loads(memo)
        self.outages.extend((from_ns, to_ns) for from_ns, to_ns in known["outages"])
        self.is_up, self.down_since_ns = not known["down_since_ns"], known["down_since_ns"]
        self.memo = memo


@dataclass(slots=True)
class Plain:
    """Scans of one nature that simply follow their predecessors, as columns.

    Attributes:
        places: Their places among the items of the tick.
        states: The sequences of their sources.
        source: Index of each one's source in the memory, int32 (n,).
        received_ns: int64 (n,).
        lateness_ns: By how much their samples may be late without a second thought, int64 (n,).
    """

    places: list[int] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    states: list[_Sequence] = field(default_factory=list)
    source: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    received_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    lateness_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class Intake:
    """The gate of the road; one for all sources."""

    def __init__(self, sources: Sequence[Source], tags: TagTable) -> None:
        self.state: dict[str, _Sequence] = {}
        self._lay_out(sources, tags, {})
        self.steps = ClockSteps(len(tags))
        self.room = Room()
        self.refused: dict[Refusal, int] = dict.fromkeys(Refusal, 0)
        self.replaced: dict[str, int] = {"future": 0, "wrong_clock": 0, "clock_step": 0}

    def _lay_out(self, sources: Sequence[Source], tags: TagTable, began: Mapping[str, int]) -> None:
        self._sources = {source.id: source for source in sources}
        self._place = {source.id: place for place, source in enumerate(sources)}
        self._source_of: NDArray[np.int32] = np.array([self._place.get(tag.source, -1) for tag in tags], dtype=np.int32)
        self._tags = len(tags)
        self._names = tags.names
        known, self.state = self.state, {}
        place_of = {name: place for place, name in enumerate(dict.fromkeys(tag.source for tag in tags))}
        for each in sources:
            state = self.state[each.id] = known.get(each.id) or _Sequence(began.get(each.id, 0))
            state.lateness_ns, state.silent_ns = round(each.lateness_s * 1e9), round(each.silent_after_s * 1e9)
            state.place = place_of.get(each.id, -1)  # As in ``Memory.fresh``.
            state.is_merged = each.is_merged

    def follow(self, exchange: Exchange, sources: Sequence[Source], began: Mapping[str, int]) -> None:
        """Go by other sources and tags from now on; a source whose collector begins anew begins a new epoch.

        Args:
            began: Epochs of sources that were not there.
        """
        self._lay_out(sources, exchange.new.tags, began)
        self.steps = self.steps.follow(exchange)
        for name in exchange.restarted:
            state = self.state[name]
            state.epoch, state.number = state.epoch + 1, 0
            state.streak, state.is_stepped = 0, False

    # ------------------------------------------------------------------ doors

    def note(self, link: Link) -> None:
        """Remember when a source's link was down; samples from then are late, not wrong."""
        state = self.state.get(link.source)
        if state is None:
            return
        if state.is_up and not link.is_up:
            state.down_since_ns = link.received_ns
        elif not state.is_up and link.is_up:
            state.outages.append((state.down_since_ns, link.received_ns))
        if state.is_up is not link.is_up:
            state.is_up = link.is_up
            state.remember()

    def plain(self, items: Sequence[Scan | Link], live: LiveSide) -> dict[Nature, "Plain"]:
        """Find the scans that simply follow their predecessors: no gap, no back-fill, no clock in doubt.

        A second scan of a source waits for what the first one does, and one after a change of its link for that.
        """
        found: dict[Nature, Plain] = {}
        seen: set[str] = set()
        state_of, see = self.state.get, seen.add
        for place, item in enumerate(items):
            name = item.source
            if name in seen:
                continue
            see(name)
            state = state_of(name)
            if (
                state is None
                or type(item) is not Scan
                or item.number != state.number + 1
                or item.epoch != state.epoch
                or item.is_backfill
                or item.is_retained
                or state.is_stepped
                or state.streak
                or item.received_ns - state.received_ns > state.silent_ns
                or len(item.rows) == 0
            ):
                continue
            plain = found.get(item.nature)
            if plain is None:
                plain = found[item.nature] = Plain()
            plain.places.append(place)
            plain.scans.append(item)
            plain.states.append(state)
        for nature, plain in found.items():
            self._look_up(plain, live.memory(nature))
        return found

    def _look_up(self, plain: "Plain", memory: Memory) -> None:
        """Look up the sources of plain scans, and leave out those that were not heard for too long."""
        n, scans, states = len(plain.scans), plain.scans, plain.states
        plain.source = np.fromiter(map(PLACE, states), np.int32, n)
        plain.received_ns = np.fromiter(map(RECEIVED, scans), np.int64, n)
        plain.lateness_ns = np.fromiter(map(LATENESS, states), np.int64, n)
        silent_ns = np.fromiter(map(SILENT, states), np.int64, n)
        heard = plain.received_ns - memory.mark_received_ns[plain.source] <= silent_ns
        heard &= plain.source >= 0
        if not every(heard):
            at = np.flatnonzero(heard).tolist()
            plain.places = [plain.places[k] for k in at]
            plain.scans = [plain.scans[k] for k in at]
            plain.states = [plain.states[k] for k in at]
            plain.source, plain.received_ns = plain.source[heard], plain.received_ns[heard]
            plain.lateness_ns = plain.lateness_ns[heard]

    def follows_simply(
        self, scan: Scan, at: slice | NDArray[np.int32], memory: Memory, plain: "Plain", picked: Sequence[int]
    ) -> bool:
        """Take plain scans put side by side into their sequences, if all of their samples are live as they are.

        Args:
            scan: Their samples; each tag comes once, and is its source's.
            at: Their rows, as a slice where they are a run.
            picked: Which of the plain scans they are.
        """
        received = scan.received_ns
        lateness_ns = min(plain.states[place].lateness_ns for place in picked)
        time_ns = scan.times_ns
        if greatest(time_ns) > received + AHEAD_NS_MAX or least(time_ns) < received - lateness_ns:
            return False
        if not every(time_ns > memory.last_ns[at]):
            return False
        for place in picked:
            state = plain.states[place]
            state.number, state.received_ns, state.streak = plain.scans[place].number, received, 0
        if self.steps.is_any:
            self.steps.clear(scan.rows)
        return True

    def note_plain(self, plain: "Plain") -> None:
        """Take plain scans into their sequences; their samples are admitted in bulk or by ``admit_rest``."""
        for state, scan in zip(plain.states, plain.scans, strict=True):
            state.number = scan.number
            state.received_ns = scan.received_ns

    def admit_rest(self, scan: Scan, live: LiveSide, *, is_part: bool) -> Iterator[Admitted]:
        """Admit a plain scan that is noted already, or the part of it that was not settled in bulk."""
        state = self.state[scan.source]
        streak_began = (state.streak_received_ns, state.streak_time_ns)
        yield from self._by_time(self._known(scan), state, live.memory(scan.nature), live)
        if is_part:  # The scan as a whole was not refused: no streak begins.
            state.streak = 0
            state.streak_received_ns, state.streak_time_ns = streak_began

    def admit(self, scan: Scan, live: LiveSide) -> Iterator[Admitted]:
        """Give the parts of a scan with the lane of each; the caller judges one part before asking for the next."""
        state = self.state.get(scan.source)
        if state is None:
            self._refuse(Refusal.UNKNOWN_SOURCE, len(scan))
            return
        scan = self._known(scan)
        if scan.is_retained:
            yield Admitted(lane=Lane.RETAINED, scan=_as_retained(scan))
            return
        follows, ends_silence = True, False
        if not scan.is_backfill:
            if (scan.epoch, scan.number) <= (state.epoch, state.number):
                self._refuse(Refusal.SEQUENCE, len(scan))
                return
            follows = (scan.epoch, scan.number) == (state.epoch, state.number + 1)
            ends_silence = self._end_silence(scan, state)
            state.epoch, state.number = scan.epoch, scan.number
        memory = live.memory(scan.nature)
        if not follows or ends_silence:
            live.open_gap(scan.source, scan.nature, self._first_new_ns(scan, memory))
        yield from self._by_time(scan, state, memory, live)

    def _known(self, scan: Scan) -> Scan:
        """Leave out samples of tags that are not the source's."""
        rows, mine = scan.rows, self._place[scan.source]
        if len(rows) and least(rows) >= 0 and greatest(rows) < self._tags and every(self._source_of[rows] == mine):
            return scan
        known = (scan.rows >= 0) & (scan.rows < self._tags)
        known[known] = self._source_of[scan.rows[known]] == self._place[scan.source]
        if not every(known):
            self._refuse(Refusal.UNKNOWN_TAG, int((~known).sum()))
            scan = take(scan, known)
        return scan

    # ------------------------------------------------------------------- time

    def _by_time(self, scan: Scan, state: _Sequence, memory: Memory, live: LiveSide) -> Iterator[Admitted]:
        if self._simply_follows(scan, state, memory):
            self.steps.clear(scan.rows)
            state.streak = 0
            yield Admitted(lane=Lane.LIVE, scan=scan)
            return
        received = scan.received_ns
        time_ns = scan.times_ns.copy()
        quality = scan.quality.copy()
        ahead = time_ns > received + AHEAD_NS_MAX
        old = time_ns < received - state.lateness_ns
        # Of several ways one may lag for long; its old values must not stand for what another brought meanwhile.
        late = old & (scan.is_backfill | state.is_merged | self._was_down(state, time_ns))
        wrong = old & ~late
        if state.is_stepped and not scan.is_backfill:
            behind = ~wrong & ~late & (time_ns < received - AHEAD_NS_MAX)
            state.is_stepped = bool(behind.any())
            self.replaced["clock_step"] += int(behind.sum())
            time_ns[behind] = received
            quality[behind] = _uncertain(quality[behind])
        self.replaced["future"] += int(ahead.sum())
        self.replaced["wrong_clock"] += int(wrong.sum())
        replaced = ahead | wrong
        time_ns[replaced] = received
        quality[replaced] = _uncertain(quality[replaced])
        _set_apart(scan.rows, time_ns, received)
        scan = replace(scan, times_ns=time_ns, quality=quality)

        newer = time_ns > memory.last_ns[scan.rows]
        if scan.is_backfill:  # What fell into a gap belongs to it, even if it is not old yet.
            late |= ~newer
        elif state.is_merged:
            late |= time_ns < memory.last_ns[scan.rows]
        late_part = take(scan, late)
        if scan.is_backfill and len(late_part):
            self._open_for_backfill(late_part, memory, live)
        yield from self._late(late_part, live, state)
        yield from self._live(take(scan, ~late), state, memory, live)

    def _simply_follows(self, scan: Scan, state: _Sequence, memory: Memory) -> bool:
        """Tell whether all samples are live as they are, each of another tag: no stamp is in doubt, none is old."""
        if scan.is_backfill or state.is_stepped or len(scan) == 0:
            return False
        time_ns, received = scan.times_ns, scan.received_ns
        return bool(
            greatest(time_ns) <= received + AHEAD_NS_MAX
            and least(time_ns) >= received - state.lateness_ns
            and _is_rising(scan.rows)
            and every(time_ns > memory.last_ns[scan.rows])
        )

    def _live(self, scan: Scan, state: _Sequence, memory: Memory, live: LiveSide) -> Iterator[Admitted]:
        if len(scan) == 0:
            return
        rounds = list(_rounds(scan))
        admitted = 0
        for part in rounds:
            newer = part.times_ns > memory.last_ns[part.rows]
            if not newer.all():
                same = part.times_ns == memory.last_ns[part.rows]
                gap = live.find_gap(part.source, part.nature, int(part.times_ns[~newer][0]))
                if not newer.any() and admitted == 0 and not state.is_merged and self._is_step(part, state):
                    yield from self._clock_step(part, state, live)
                    return
                if gap is not None:
                    yield Admitted(lane=Lane.LATE, scan=take(part, ~newer), gap=gap)
                elif state.is_merged:  # Two of a tag with one time: the second is it once more.
                    self._refuse(Refusal.DUPLICATE, int((~newer).sum()))
                else:
                    older = ~same & ~newer
                    stepped = self.steps.meet(part, older) & (part.received_ns > memory.last_ns[part.rows])
                    self._refuse(Refusal.DUPLICATE, int((same & ~newer).sum()))
                    self._refuse(Refusal.OUT_OF_ORDER, int((older & ~stepped).sum()))
                    if stepped.any():
                        admitted += int(stepped.sum())
                        yield from self._rows_step(take(part, stepped), live)
                part = take(part, newer)  # noqa: PLW2901  # the rest of this round
            if len(part):
                self.steps.clear(part.rows)
                admitted += len(part)
                yield Admitted(lane=Lane.LIVE, scan=part)
        if admitted:
            state.streak = 0
            return
        if state.streak == 0:
            state.streak_received_ns, state.streak_time_ns = scan.received_ns, int(scan.times_ns[0])
        state.streak += 1

    def _is_step(self, scan: Scan, state: _Sequence) -> bool:
        """Tell a clock that was set back, and runs on, from messages that come once more."""
        passed_ns = scan.received_ns - state.streak_received_ns
        claimed_ns = int(scan.times_ns[0]) - state.streak_time_ns
        return state.streak + 1 >= STEP_REFUSALS and passed_ns >= STEP_NS_MIN and claimed_ns <= 2 * passed_ns

    def _rows_step(self, scan: Scan, live: LiveSide) -> Iterator[Admitted]:
        """Take the receive time of tags whose device's clock was set back, while others of the source run on."""
        for row in self.steps.news(scan.rows):
            at = int(np.flatnonzero(scan.rows == row)[0])
            live.remark(
                "clock_step",
                source=scan.source,
                scan=scan.key,
                tag=self._names[row],
                time_ns=int(scan.times_ns[at]),
            )
        self.replaced["clock_step"] += len(scan)
        yield Admitted(lane=Lane.LIVE, scan=_at_receipt(scan))

    def _clock_step(self, scan: Scan, state: _Sequence, live: LiveSide) -> Iterator[Admitted]:
        """Take the receive time while a source's clock stands behind what it already sent."""
        if not state.is_stepped:
            state.is_stepped = True
            live.remark("clock_step", source=scan.source, scan=scan.key, time_ns=int(scan.times_ns[0]))
        state.streak += 1
        self.replaced["clock_step"] += len(scan)
        yield Admitted(lane=Lane.LIVE, scan=_at_receipt(scan))

    def _open_for_backfill(self, scan: Scan, memory: Memory, live: LiveSide) -> None:
        """Open a gap for back-fill that comes before anything live: a source may have fallen silent meanwhile."""
        newest_ns = int(scan.times_ns.max())
        source = int(memory.source[scan.rows[0]])
        if newest_ns > int(memory.mark_ns[source]) and live.find_gap(scan.source, scan.nature, newest_ns) is None:
            live.open_gap(scan.source, scan.nature, scan.received_ns)

    def _late(self, scan: Scan, live: LiveSide, state: _Sequence) -> Iterator[Admitted]:
        if len(scan) == 0:
            return
        for part in _rounds(scan):
            gaps = [live.find_gap(part.source, part.nature, int(t)) for t in part.times_ns]
            for gap in {id(g): g for g in gaps}.values():
                mine = np.array([g is gap for g in gaps], dtype=np.bool_)
                if gap is None and not state.is_unjudged_told:
                    state.is_unjudged_told = True
                    live.remark("late_not_judged", source=part.source, scan=part.key)
                lane = Lane.UNJUDGED if gap is None else Lane.LATE
                yield Admitted(lane=lane, scan=take(part, mine), gap=gap)

    # ---------------------------------------------------------------- silence

    def _was_down(self, state: _Sequence, time_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which times fall into a known outage of the source."""
        down = np.zeros(len(time_ns), dtype=np.bool_)
        for from_ns, to_ns in state.outages:
            down |= (time_ns >= from_ns - AHEAD_NS_MAX) & (time_ns <= to_ns)
        if not state.is_up:
            down |= time_ns >= state.down_since_ns
        return down

    def _end_silence(self, scan: Scan, state: _Sequence) -> bool:
        is_end = bool(state.received_ns) and scan.received_ns - state.received_ns > state.silent_ns
        if is_end:
            state.outages.append((state.received_ns, scan.received_ns))
            state.remember()
            state.is_unjudged_told = False
        state.received_ns = scan.received_ns
        return is_end

    def _first_new_ns(self, scan: Scan, memory: Memory) -> int:
        """First time after the gap that this scan ends."""
        newer = scan.times_ns[scan.times_ns > memory.last_ns[scan.rows]]
        fresh = newer[newer >= scan.received_ns - self.state[scan.source].lateness_ns]
        return min(int(fresh.min()), scan.received_ns) if len(fresh) else scan.received_ns

    def _refuse(self, reason: Refusal, count: int) -> None:
        self.refused[reason] += count


def take(scan: Scan, mask: NDArray[np.bool_]) -> Scan:
    """Give the part of a scan where the mask is true; the scan itself where all of it is."""
    if every(mask):
        return scan
    return replace(
        scan,
        rows=scan.rows[mask],
        values=scan.values[mask],
        quality=scan.quality[mask],
        times_ns=scan.times_ns[mask],
    )


def _is_rising(rows: NDArray[np.int32]) -> bool:
    """Tell whether each tag comes once, as is plain where rows stand in order."""
    return every(rows[1:] > rows[:-1])


def _set_apart(rows: NDArray[np.int32], time_ns: NDArray[np.int64], received_ns: int) -> None:
    """Samples of one tag that all got the receive time came one after the other: 1 ns apart, the last at that time."""
    if _is_rising(rows):
        return
    at = np.flatnonzero(time_ns == received_ns)
    order = at[np.argsort(rows[at], kind="stable")]
    _, start, count = np.unique(rows[order], return_index=True, return_counts=True)
    time_ns[order] -= np.repeat(start + count - 1, count) - np.arange(len(order))


def _rounds(scan: Scan) -> Iterator[Scan]:
    """Split a scan so that each part holds each tag at most once, in order of time."""
    if _is_rising(scan.rows) or len(np.unique(scan.rows)) == len(scan):
        yield scan
        return
    order = np.lexsort((np.arange(len(scan)), scan.times_ns, scan.rows))
    rows = scan.rows[order]
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    nth = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = nth
    for turn in range(int(nth.max()) + 1):
        yield take(scan, place == turn)


def _at_receipt(scan: Scan) -> Scan:
    """Give a scan the time at which it came, its quality saying so."""
    times_ns = np.full(len(scan), scan.received_ns, dtype=np.int64)
    return replace(scan, times_ns=times_ns, quality=_uncertain(scan.quality))


def _uncertain(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark a replaced stamp; BAD stays BAD with its own reason."""
    marked: NDArray[np.uint8] = np.where(is_bad(quality), quality, np.uint8(UNCERTAIN_CLOCK))
    return marked


def _as_retained(scan: Scan) -> Scan:
    quality = np.where(is_bad(scan.quality), scan.quality, np.uint8(UNCERTAIN_RETAINED))
    return replace(scan, quality=quality, times_ns=np.minimum(scan.times_ns, scan.received_ns))
