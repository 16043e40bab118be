"""Drift: a tag has left, for good, where it usually is at this time of the day.

Flow: samples -> [profile, baseline, scale, EWMA or CUSUM] -> holds, lets go -> delays
Why: a slow creep and a small lasting shift are below every limit and too slow for every slope.
Never: judges before it has learnt, lets one spike speak, takes what it is warning of for the new normal.

Letters: v value, s season, d = v - origin - s, b baseline, x = d - b residual, cut at GATE standard deviations.

Season: a profile of 15-minute steps, read between the middles of two steps. The first day (week) is learnt as a whole:
each step is its mean, less the mean of all. From then on each step goes by 1/n, at least 1/5, of the mean residual that
it had when it was last passed.
Baseline: an exponential average of d over ``base_s``, at first the mean of what was seen; during the first day (week)
over one step only, so that spikes can be cut.
Noise: mean square R of x and its lag-1 covariance, over six times ``base_s``, while the score is below half of
the setpoint: over a short time rho lies, and a drift would pass for noise.

EWMA: z += l (x - z), l = dt/(span + dt), at first the mean of what was seen (Roberts 1959; Hunter 1986). Its variance
in units of R under first-order correlated noise, exact for uneven steps, with c = cov(z, x):

    c  = (1 - l) rho c + l          V = (1 - l)^2 V + 2 l (1 - l) rho c + l^2

which settles at l/(2 - l) (1 + rho (1 - l))/(1 - rho (1 - l)) (Lu, Reynolds 1999, J. Quality Technology 31(3)).
Score = |z| / sqrt(R V).

CUSUM: S = max(0, S + (x/u - k) dt/span), u the standard deviation of a mean over ``span``:
u^2 = R (1 + rho)/(1 - rho) period/span (Page 1954; k and h as in Montgomery, Introduction to Statistical Quality
Control). With span = period and white noise it is the tabular CUSUM.

While it is beyond its setpoint, baseline, season and noise hold still: the alarm stays until the value comes back, or
until a person says that this is normal now (``relearn``).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from alerting.core.delay import report
from alerting.core.memory import PAUSED, Changes, Memory, Phase, Wander
from alerting.model.drift import BIN_S, DriftTable
from alerting.model.rule import RuleTable

Indexes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
W = Wander

HOLD = 0.5  # What has tripped lets go below this share of its setpoint.
NOISE_SPANS = 6.0  # Memory of the noise, in ``base_s``.
GATE = 4.0
GATE_NEW = 25.0  # At a time of the day that was never seen nobody knows what is usual.
SEEN_LEAST = 3  # Samples before an outlier can be told.
RHO_MOST = 0.999
DAYS = 5.0  # A step of the profile goes by one in so many: an average over four days (measured).
DAYS_MOST = 200
BASE_SHARE = 0.5  # Share of ``base_s`` that the baseline must be known from.
COVER_SHARE = 0.5  # Share of a step's samples that must have come for it to count.
SUM_MOST = 2.0  # A CUSUM grows to so many setpoints, so that it can come back.
BIN_NS = BIN_S * 1_000_000_000
BLOCK = 4096  # Rules that are moved on at once.


class Wait(IntEnum):
    """Why a DRIFT is not judged."""

    NO = 0
    WARM_UP = 1  # has not seen enough yet
    BASE = 2  # learns its baseline after a gap or a relearn
    SEASON = 3  # has never seen this time of the day
    START = 4  # the statistic has just started


class Drifted:
    """Where tags stand, as columns of equal length n.

    Attributes:
        time_ns: Time of the last judged sample, int64 (n,); 0 for none.
        waits: ``Wait``, int64 (n,).
        ready_in_s: Judged time until it is judged, at least, s, float64 (n,).
        usual: Where the tag usually is at this time: baseline and season, eu, float64 (n,).
        away: How far it is from there, filtered, eu.
        sigma: Standard deviation that it is measured in, eu: of the EWMA, or of a mean over ``span_s``.
        score: What is compared with the setpoint.
    """

    def __init__(self, table: RuleTable, memory: Memory, rules: Indexes) -> None:
        place = memory.drift_of[rules]
        drifts, state = table.drifts, memory.drift_state[place]
        self.time_ns: NDArray[np.int64] = memory.drift_ns[place]
        self.waits: NDArray[np.int64] = state[:, W.WAITS].astype(np.int64)
        self.waits[(self.time_ns == 0) & (self.waits == Wait.NO)] = Wait.WARM_UP
        warm_s = drifts.warm_up_s[place] - state[:, W.KNOWN_S]
        base_s = BASE_SHARE * drifts.base_s[place] - state[:, W.BASE_S]
        start_s = drifts.span_s[place] - state[:, W.FAST_S]
        self.ready_in_s: Floats = np.where(
            self.waits == Wait.NO, 0.0, np.maximum(np.maximum(warm_s, base_s), np.maximum(start_s, 0.0))
        )
        season, _ = _season(drifts, memory, place, self.time_ns, state[:, W.KNOWN_S] < drifts.season_s[place])
        self.usual: Floats = state[:, W.ORIGIN] + (state[:, W.BASE] + season)
        self.away: Floats = state[:, W.FAST]
        noise, few = _noise(drifts, state.T, place), 1 + 4 / np.maximum(state[:, W.SEEN], 1)
        rho = _correlation(state[:, W.LAG], noise, state[:, W.SEEN])
        self.sigma: Floats = np.where(
            drifts.is_cusum[place],
            _of_mean(drifts, place, noise, rho, state[:, W.ORIGIN]),
            np.maximum(np.sqrt(noise * state[:, W.VARIANCE]), _floor(drifts, place, state[:, W.ORIGIN])) * few,
        )
        self.score: Floats = state[:, W.SCORE]


def judge_drifts(
    table: RuleTable, memory: Memory, rules: Indexes, value: Floats, time_ns: NDArray[np.int64]
) -> tuple[Flags, Flags]:
    """Move the detectors on by a sample each and compare their scores with their setpoints.

    Returns:
        Which drifts hold, and which are gone; bool (n,), both False while a rule is not judged.
    """
    advance(table, memory, rules, value, time_ns)
    return compare_drifts(table, memory, rules)


def compare_drifts(table: RuleTable, memory: Memory, rules: Indexes) -> tuple[Flags, Flags]:
    """Compare scores as they stand with setpoints; no detector is moved on, a new one says nothing."""
    place = memory.drift_of[rules]
    state = memory.drift_state[place]
    judged = (state[:, W.WAITS] == Wait.NO) & (memory.drift_ns[place] > 0)
    setpoint = table.drifts.setpoint[place]
    score = state[:, W.SCORE]
    return judged & (score >= setpoint), judged & (score < HOLD * setpoint)


def advance(table: RuleTable, memory: Memory, rules: Indexes, value: Floats, time_ns: NDArray[np.int64]) -> None:
    """Move the detectors of DRIFT rules on by a sample each, in place."""
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(rules), BLOCK):
            part = slice(first, first + BLOCK)
            _advance(table.drifts, memory, memory.drift_of[rules[part]], value[part], time_ns[part])


def relearn(table: RuleTable, memory: Memory, rules: Indexes, now_ns: int, *, forget: bool) -> Changes:
    """Let DRIFT rules take what comes next for normal.

    Args:
        now_ns: The clock reading; the events have the time that each rule's source has come to.
        forget: Forget season and noise too; else only the baseline is learnt anew.

    Returns:
        The rules that let go.
    """
    place, drifts = memory.drift_of[rules], table.drifts
    is_all = forget | (memory.drift_state[place, W.KNOWN_S] < drifts.season_s[place])
    memory.drift_ns[place] = 0  # The next sample is the first of a new level.
    for slot in (W.OUT, W.BIN_SUM, W.BIN_COUNT, W.SCORE, W.FAST, W.UP, W.DOWN):
        memory.drift_state[place, slot] = 0.0
    memory.drift_state[place, W.WAITS] = Wait.BASE
    memory.drift_state[place[is_all]] = 0.0
    memory.drift_state[place[is_all], W.WAITS] = Wait.WARM_UP
    _forget_season(drifts, memory, place[is_all])
    changed = rules[memory.is_active[rules] | (memory.phase[rules] != Phase.REST)]
    was_active = changed[memory.is_active[changed]]
    memory.is_active[changed], memory.phase[changed] = False, Phase.REST
    memory.since_ns[changed], memory.elapsed_ns[changed] = PAUSED, 0
    memory.is_dirty[changed] = True
    at_ns = memory.watermarks(now_ns)[memory.source[table.row[was_active]]]
    return report(table, memory, was_active, at_ns, active=False)


def _forget_season(drifts: DriftTable, memory: Memory, place: NDArray[np.int32]) -> None:
    for each in place[drifts.season_s[place] > 0].tolist():
        mine = slice(int(drifts.first[each]), int(drifts.first[each] + drifts.bins[each]))
        memory.season[mine] = 0.0
        memory.season_days[mine] = 0


def _advance(
    drifts: DriftTable, memory: Memory, place: NDArray[np.int32], value: Floats, time_ns: NDArray[np.int64]
) -> None:
    """Move some detectors on; few enough that their columns stay in the cache."""
    is_seasonal = drifts.season_s[place] > 0
    _turn_bins(drifts, memory, place[is_seasonal], time_ns[is_seasonal])
    s = np.ascontiguousarray(memory.drift_state[place].T)
    now = _Moment.of(drifts, memory, place, time_ns, s)
    _begin(drifts, s, now, value)

    least = np.maximum(s[W.NOISE], _least(drifts, place, s[W.ORIGIN]))
    gate = GATE * (1 + 8 / np.maximum(s[W.SEEN], 1)) * np.sqrt(least)
    gate = np.where(s[W.SEEN] >= SEEN_LEAST, gate, np.inf)
    # Where the instrument tells no finer, the cut must leave room for what is to be found.
    reach = np.where(drifts.is_cusum[place], GATE, 2 * drifts.setpoint[place])
    room = np.maximum(gate, reach * _floor(drifts, place, s[W.ORIGIN]))
    uncut = value - s[W.ORIGIN] - now.season - s[W.BASE]
    wide = np.clip(uncut, -GATE_NEW * room, GATE_NEW * room)
    x = np.clip(uncut, -room, room)

    _judge(drifts, s, now, x, least)
    is_new = is_seasonal & (memory.season_days[_step_of(drifts, place, time_ns)] == 0)
    adds = is_seasonal & (s[W.OUT] == 0)
    # By the baseline before it moves: in the first round the value itself, later how far the profile is off.
    s[W.BIN_SUM] += np.where(
        adds, np.where(now.is_first_round, s[W.BASE] + x, np.where(is_new, wide + now.season, x)), 0
    )
    s[W.BIN_COUNT] += adds
    _learn(drifts, s, now, x, np.clip(x, -gate, gate))

    # A device may send 1e308, whose square is no number: the rule forgets all and begins at the next sample.
    wild = ~np.isfinite(s.sum(axis=0))
    s[:, wild] = 0.0
    s[W.WAITS, wild] = Wait.WARM_UP
    memory.drift_state[place] = s.T
    memory.drift_ns[place] = np.where(wild, 0, time_ns)
    if wild.any():
        _forget_season(drifts, memory, place[wild])
    ends = now.is_first_round & ~wild & (s[W.KNOWN_S] >= drifts.season_s[place])
    for each in place[ends].tolist():
        _end_first_round(drifts, memory, each)


@dataclass(slots=True, kw_only=True)
class _Moment:
    """One sample of each of some rules: what came since the last one, and what is known of this time of the day.

    Attributes:
        begins: First sample ever, or after a relearn.
        starts: The same, or the first after a gap.
        passed_s: Time since the last sample; ``dt`` the same where it counts.
    """

    place: NDArray[np.int32]
    begins: Flags
    starts: Flags
    passed_s: Floats
    dt: Floats
    is_first_round: Flags
    season: Floats
    is_known: Flags

    @classmethod
    def of(
        cls, drifts: DriftTable, memory: Memory, place: NDArray[np.int32], time_ns: NDArray[np.int64], s: Floats
    ) -> "_Moment":
        last_ns = memory.drift_ns[place]
        begins = last_ns == 0
        passed_s = np.where(begins, 0.0, (time_ns - last_ns) / 1e9)
        starts = begins | (time_ns - last_ns > drifts.gap_ns[place])
        is_first_round = s[W.KNOWN_S] < drifts.season_s[place]
        season, is_known = _season(drifts, memory, place, time_ns, is_first_round)
        return cls(
            place=place, begins=begins, starts=starts, passed_s=passed_s, dt=np.where(starts, 0.0, passed_s),
            is_first_round=is_first_round, season=season, is_known=is_known,
        )  # fmt: skip


def _begin(drifts: DriftTable, s: Floats, now: _Moment, value: Floats) -> None:
    """Let a first sample be the level; after a gap the baseline counts for less, unless it is being held."""
    memory_s = drifts.base_s[now.place]
    s[W.ORIGIN] = np.where(now.begins, value - now.season, s[W.ORIGIN])
    s[W.BASE] = np.where(now.begins, 0.0, s[W.BASE])
    fades = np.where(now.starts & (s[W.OUT] == 0), memory_s / (memory_s + now.passed_s), 1.0)
    s[W.BASE_S] = np.where(now.begins, drifts.period_s[now.place], s[W.BASE_S] * fades)
    s[W.KNOWN_S] += now.dt


def _judge(drifts: DriftTable, s: Floats, now: _Moment, x: Floats, noise: Floats) -> None:
    """Move the statistics on and compare them with the setpoint, by the noise known before this sample."""
    place, dt, starts = now.place, now.dt, now.starts
    span_s, setpoint = drifts.span_s[place], drifts.setpoint[place]
    rho = _correlation(s[W.LAG], noise, s[W.SEEN])
    few = 1 + 4 / np.maximum(s[W.SEEN], 1)

    weight = np.where(starts, 1.0, np.maximum(dt / (span_s + dt), dt / np.maximum(s[W.FAST_S] + dt, 1e-9)))
    rest = 1 - weight
    s[W.VARIANCE] = rest * rest * s[W.VARIANCE] + 2 * weight * rest * rho * s[W.SHARED] + weight * weight
    s[W.SHARED] = rest * rho * s[W.SHARED] + weight
    s[W.FAST] += weight * (x - s[W.FAST])
    since_s = np.where(starts, drifts.period_s[place], s[W.FAST_S] + dt)
    s[W.FAST_S] = np.where(now.is_known, since_s, 0.0)  # What is measured from nowhere is no start.
    signed = s[W.FAST] / (np.maximum(np.sqrt(noise * s[W.VARIANCE]), _floor(drifts, place, s[W.ORIGIN])) * few)

    is_warm = ~now.is_first_round & (s[W.KNOWN_S] >= drifts.warm_up_s[place])
    has_base = s[W.BASE_S] >= BASE_SHARE * drifts.base_s[place]
    keeps = is_warm & has_base & ~(starts & (s[W.OUT] == 0))
    share = np.where(now.is_known, dt / span_s, 0.0)
    step = x / _of_mean(drifts, place, noise, rho, s[W.ORIGIN])
    for slot, way in ((W.UP, 1.0), (W.DOWN, -1.0)):
        total = np.clip(s[slot] + (way * step - drifts.allowance[place]) * share, 0.0, SUM_MOST * setpoint)
        s[slot] = np.where(keeps, total, 0.0)

    is_cusum = drifts.is_cusum[place]
    upwards = np.where(drifts.looks_up[place], np.where(is_cusum, s[W.UP], signed), 0.0)
    downwards = np.where(drifts.looks_down[place], np.where(is_cusum, s[W.DOWN], -signed), 0.0)
    s[W.WAITS] = np.select(
        [~is_warm, ~has_base, ~now.is_known, s[W.FAST_S] < span_s],
        [Wait.WARM_UP, Wait.BASE, Wait.SEASON, Wait.START],
        Wait.NO,
    )
    judged = s[W.WAITS] == Wait.NO
    s[W.SCORE] = np.where(judged, np.maximum(upwards, downwards), 0.0)
    s[W.OUT] = np.where(judged & (s[W.SCORE] >= setpoint), 1.0, s[W.OUT])
    s[W.OUT] = np.where(judged & (s[W.SCORE] < HOLD * setpoint), 0.0, s[W.OUT])


def _learn(drifts: DriftTable, s: Floats, now: _Moment, x: Floats, residual: Floats) -> None:
    """Let baseline and noise follow, unless it is beyond its setpoint or does not know this time of the day.

    Beyond half of it the noise holds still already: what drifts must not pass for noise while it does.

    Args:
        residual: What says something about the noise: x, never beyond its gate.
    """
    memory_s, dt = drifts.base_s[now.place], now.dt
    learns = (s[W.OUT] == 0) & now.is_known
    says = learns & ~now.starts
    slow_s = np.minimum(s[W.BASE_S], np.where(now.is_first_round, float(BIN_S), memory_s))
    s[W.BASE] += np.where(says, dt / (slow_s + dt), 0.0) * x
    s[W.BASE_S] += np.where(learns, dt, 0.0)
    says &= s[W.SCORE] < HOLD * drifts.setpoint[now.place]
    share = np.where(says, np.maximum(2 / (s[W.SEEN] + 2), dt / (NOISE_SPANS * memory_s + dt)), 0.0)
    s[W.NOISE] += share * (residual * residual - s[W.NOISE])
    s[W.LAG] += share * (residual * s[W.LAST] - s[W.LAG])
    s[W.SEEN] += says
    s[W.LAST] = np.where(learns, residual, 0.0)


def _turn_bins(drifts: DriftTable, memory: Memory, place: NDArray[np.int32], time_ns: NDArray[np.int64]) -> None:
    """Put steps of the profile away that are over."""
    now = (time_ns // BIN_NS).astype(np.float64)
    turned = memory.drift_state[place, W.BIN] != now
    if not turned.any():
        return
    p, now = place[turned], now[turned]
    state = memory.drift_state[p]
    count = state[:, W.BIN_COUNT]
    covered = count >= np.maximum(COVER_SHARE * BIN_S / drifts.period_s[p], 1.0)
    at = drifts.first[p] + state[:, W.BIN].astype(np.int64) % drifts.bins[p]
    days = memory.season_days[at].astype(np.float64)
    mean = state[:, W.BIN_SUM] / np.maximum(count, 1.0)
    is_first = state[:, W.KNOWN_S] < drifts.season_s[p]
    known = memory.season[at]
    # In the first round a step holds the value itself; later the mean residual says how far it is off.
    goes = np.where(
        is_first, (mean - known) / (days + 1), np.where(days == 0, mean, mean * np.maximum(1 / (days + 1), 1 / DAYS))
    )
    memory.season[at] = np.where(covered, known + goes, known)
    memory.season_days[at] = np.where(covered, np.minimum(days + 1, DAYS_MOST), days).astype(np.uint8)
    memory.drift_state[p, W.BIN] = now
    memory.drift_state[p, W.BIN_SUM] = memory.drift_state[p, W.BIN_COUNT] = 0.0


def _end_first_round(drifts: DriftTable, memory: Memory, place: int) -> None:
    """Part what the first day (week) gave into a profile whose mean is 0, and the baseline."""
    mine = slice(int(drifts.first[place]), int(drifts.first[place] + drifts.bins[place]))
    seen = memory.season_days[mine] > 0
    state = memory.drift_state[place]
    mean = float(memory.season[mine][seen].mean()) if seen.any() else float(state[W.BASE])
    memory.season[mine] = np.where(seen, memory.season[mine] - mean, 0.0)
    state[W.BASE], state[W.BASE_S] = mean, drifts.base_s[place]
    state[W.LAST] = state[W.FAST] = state[W.FAST_S] = 0.0
    state[W.BIN_SUM] = state[W.BIN_COUNT] = 0.0


def _step_of(drifts: DriftTable, place: NDArray[np.int32], time_ns: NDArray[np.int64]) -> Indexes:
    """Give the place in ``Memory.season`` of the step that a time is in."""
    step: Indexes = drifts.first[place] + (time_ns // BIN_NS) % drifts.bins[place]
    return step


def _season(
    drifts: DriftTable, memory: Memory, place: NDArray[np.int32], time_ns: NDArray[np.int64], is_first_round: Flags
) -> tuple[Floats, Flags]:
    """Read the profile between the middles of two steps; tell where it is known. In the first round it is 0."""
    first, bins = drifts.first[place], drifts.bins[place]
    step = time_ns // BIN_NS
    part = (time_ns % BIN_NS) / BIN_NS - 0.5
    left = first + (step - (part < 0)) % bins
    right = first + (step + (part >= 0)) % bins
    share = np.where(part < 0, part + 1, part)
    is_known = memory.season_days[first + step % bins] > 0
    has_both = (memory.season_days[left] > 0) & (memory.season_days[right] > 0)
    share = np.where(has_both, share, np.where(part < 0, 1.0, 0.0))  # Its own step alone.
    season = (1 - share) * memory.season[left] + share * memory.season[right]
    is_plain = is_first_round | (drifts.season_s[place] == 0)
    return np.where(is_plain | ~is_known, 0.0, season), is_plain | is_known


def _least(drifts: DriftTable, place: NDArray[np.int32], origin: Floats) -> Floats:
    """Give the variance that one sample has at least, eu^2: its rounding, and what is nothing beside its size."""
    least: Floats = np.maximum(drifts.resolution[place] ** 2 / 12, (1e-9 * np.maximum(1.0, np.abs(origin))) ** 2)
    return least


def _floor(drifts: DriftTable, place: NDArray[np.int32], origin: Floats) -> Floats:
    """Give the standard deviation of a mean that is the least, eu: half of what the instrument can tell."""
    floor: Floats = np.maximum(drifts.resolution[place] / 2, 1e-9 * np.maximum(1.0, np.abs(origin)))
    return floor


def _noise(drifts: DriftTable, state: Floats, place: NDArray[np.int32]) -> Floats:
    noise: Floats = np.maximum(state[W.NOISE], _least(drifts, place, state[W.ORIGIN]))
    return noise


def _of_mean(drifts: DriftTable, place: NDArray[np.int32], noise: Floats, rho: Floats, origin: Floats) -> Floats:
    """Give the standard deviation of a mean over ``span_s``, eu."""
    variance = noise * (1 + rho) / (1 - rho) * (drifts.period_s[place] / drifts.span_s[place])
    of_mean: Floats = np.maximum(np.sqrt(variance), _floor(drifts, place, origin))
    return of_mean


def _correlation(lag: Floats, noise: Floats, seen: Floats) -> Floats:
    """Give the lag-1 correlation of the residuals; what few of them say counts less."""
    rho: Floats = np.clip(lag / noise * (seen / (seen + 16)), 0.0, RHO_MOST)
    return rho
