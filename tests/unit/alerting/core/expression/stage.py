"""A stage for expressions: tags that samples come of, programs that judge them when they must, and random texts."""

import re
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from hypothesis import strategies as st

from alerting.core.expression import Expression, Inputs, Program, State, Verdict, compile_programs, next_due, run
from tests.oracle.slow_expression import SlowTag

S = 1_000_000_000
GRID_NS = S // 10
START_NS = 1_700_000_000 * S
RETAINED, CLOCK = 64 + 12, 64 + 11
BAD = 128 + 2

NAMES = ("t0", "t1", "t2", "t3")
UNITS = dict.fromkeys(NAMES, "")


def at(t_s: float) -> int:
    return START_NS + round(t_s * 1e9)


class Stage:
    """Array programs of some expressions over tags; ``truth`` of each expression as it stands."""

    def __init__(self, expressions: Sequence[Expression], stale_s: float = 1e6, names: Sequence[str] = NAMES) -> None:
        self.expressions = tuple(expressions)
        self.names = tuple(names)
        self.tags = {name: SlowTag(START_NS, round(stale_s * 1e9)) for name in names}
        self.parts = [
            (places, program, State.fresh(program))
            for places, program in compile_programs(expressions, {name: row for row, name in enumerate(names)})
        ]
        self.truth = np.zeros(len(expressions), np.int8)
        self.cause = np.zeros(len(expressions), np.int32)
        self.moments = 0  # how often something was judged without a sample
        for places, program, state in self.parts:
            state.time_ns[:] = START_NS
            self._run(places, program, state, np.arange(len(program)), np.full(len(program), START_NS), set())

    def sample(self, t_ns: int, samples: dict[str, tuple[float, int]]) -> None:
        """Let a scan come; what had to happen before it happens first."""
        self.look(t_ns - 1)
        for name, (value, quality) in samples.items():
            self.tags[name].accept(t_ns, value, quality)
        new = {name for name in samples if self.tags[name].is_judged}
        for places, program, state in self.parts:
            rows = {self.names.index(name) for name in samples}
            rules = np.flatnonzero(np.isin(program.rows, list(rows)).any(axis=1))
            self._run(places, program, state, rules, np.full(len(rules), t_ns), new)

    def look(self, until_ns: int) -> None:
        """Judge at every moment up to a time at which something may change."""
        for places, program, state in self.parts:
            everyone = np.arange(len(program))
            while True:
                due = next_due(program, state, everyone, self._lapse(program))
                rules = np.flatnonzero(due <= until_ns)
                if len(rules) == 0:
                    break
                self.moments += len(rules)
                self._run(places, program, state, rules, due[rules], set())

    def restart(self) -> None:
        """Copy everything that is remembered into new states."""
        for index, (places, program, state) in enumerate(self.parts):
            fresh = State.fresh(program)
            order = np.random.default_rng(1).permutation(len(program))
            fresh.put(order, state.take(order))
            for column in fields(state):
                assert np.array_equal(getattr(fresh, column.name), getattr(state, column.name), equal_nan=True)
            self.parts[index] = (places, program, fresh)

    def _lapse(self, program: Program) -> np.ndarray:
        ends = [max(tag.last_ns, tag.start_ns) + tag.stale_after_ns for tag in self.tags.values()]
        return np.array(ends, np.int64)[program.rows]

    def _run(
        self, places: np.ndarray, program: Program, state: State, rules: np.ndarray, t_ns: np.ndarray, new: set[str]
    ) -> Verdict:
        tags = [self.tags[name] for name in self.names]
        rows = program.rows[rules]
        stale = np.array([[tags[row].is_stale(int(t)) for row in of] for of, t in zip(rows, t_ns, strict=True)], bool)
        stale = stale.reshape(rows.shape)

        def column(name: str) -> np.ndarray:
            return np.array([getattr(tag, name) for tag in tags])[rows]

        inputs = Inputs(
            value=column("value"),
            quality=column("quality").astype(np.uint8),
            is_known=column("is_judged") & ~stale,
            is_seen=column("is_seen"),
            is_stale=stale,
            is_new=np.array([name in new for name in self.names])[rows],
        )
        verdict = run(program, state, rules, inputs, t_ns)
        self.truth[places[rules]], self.cause[places[rules]] = verdict.truth, verdict.cause
        return verdict


# ---- random texts

SPANS = st.sampled_from(["200 ms", "0.5 s", "1 s", "3 s"])
SIGNS = st.sampled_from([">", ">=", "<", "<=", "==", "!="])
LEAVES = st.sampled_from(["0", "0.25", "0.5", "1", "2", "-1", "3.5e2", "1e308"])
TAGS = st.sampled_from(NAMES)


def _numbers(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(parts, st.sampled_from("+-*/"), parts).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    several = st.tuples(st.sampled_from(["min", "max", "avg"]), st.lists(parts, min_size=2, max_size=4)).map(
        lambda p: f"{p[0]}({', '.join(p[1])})"
    )
    return two | several | parts.map(lambda p: f"abs({p})") | parts.map(lambda p: f"-{p}")


CHANGES = st.tuples(st.sampled_from(["rate", "delta"]), TAGS, SPANS).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
NUMBERS = st.recursive(TAGS | TAGS | LEAVES | CHANGES, _numbers, max_leaves=5)
ASKED = (
    st.tuples(TAGS, st.integers(0, 3)).map(lambda p: f"bit({p[0]}, {p[1]})")
    | TAGS.map(lambda p: f"is_bad({p})")
    | TAGS.map(lambda p: f"is_stale({p})")
    | st.tuples(TAGS, st.sampled_from(["==", "!="]), st.sampled_from(["GOOD", "UNCERTAIN", "BAD"])).map(
        lambda p: f'quality({p[0]}) {p[1]} "{p[2]}"'
    )
)
COMPARED = st.tuples(NUMBERS, SIGNS, NUMBERS).map(" ".join)


def _truths(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.tuples(st.sampled_from([" and ", " or "]), st.lists(parts, min_size=2, max_size=3)).map(
        lambda p: f"({p[0].join(p[1])})"
    )
    held = st.tuples(parts, SPANS).map(lambda p: f"({p[0]} for {p[1]})")
    counted = st.tuples(parts, SPANS, SIGNS, st.integers(0, 4)).map(lambda p: f"count({p[0]}, {p[1]}) {p[2]} {p[3]}")
    voted = st.tuples(
        st.sampled_from(["vote", "vote_keep"]), st.integers(1, 4), st.lists(parts, min_size=2, max_size=4, unique=True)
    ).map(lambda p: f"{p[0]}({min(p[1], len(p[2]))}, {', '.join(p[2])})")
    return joined | held | counted | voted | parts.map(lambda p: f"not ({p})")


#: Texts that are right: those that name no tag, or divide by the number 0, are not.
TEXTS = st.recursive(COMPARED | COMPARED | ASKED | st.sampled_from(["true", "false"]), _truths, max_leaves=6).filter(
    lambda text: any(name in text for name in NAMES) and not re.search(r"/ -?0\)", text)
)
