"""A slow scalar oracle of EXPRESSION rules without windows, written from ``docs/core.md`` and ``docs/expressions.md``.

* It is judged once for each scan that has one of its tags, at the newest time of any of them, and at each moment at
  which one of them falls stale by its own source's clock.
* Unknown pauses: the on-delay keeps what it counted, the off-delay starts anew. What falls unknown had its value until
  then; what changes otherwise had it until just before.
* Its delays expire on the watermark that is furthest; nothing but unknown pauses them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alerting.core.expression import read
from tests.oracle.slow_expression import SlowExpression
from tests.oracle.slow_gate import Asked

if TYPE_CHECKING:
    from tests.oracle.slow_evaluate import SlowRule, SlowSource, SlowTag, Transition


#: How far a source has come.
Come = Callable[["SlowSource"], int]


@dataclass
class SlowAsked:
    """An EXPRESSION and its tags, its own first."""

    rule: "SlowRule"
    tags: "list[SlowTag]"
    asked: dict[str, Asked] = field(default_factory=dict)
    seen_ns: int = 0  # when it was judged last

    def __post_init__(self) -> None:
        names = [tag.name for tag in self.tags]
        self.asked = {tag.name: Asked(tag) for tag in self.tags}
        self.expression = SlowExpression(read(self.rule.rule.when, dict.fromkeys(names, "")))

    def meet(self, at: int, *, by_scan: bool = False) -> "list[Transition]":
        """Judge it at a moment, by what is known of its tags then."""
        truth = self.expression.truth(at, self.asked, set())  # type: ignore[arg-type]
        self.seen_ns = at
        if self.rule.is_disabled:
            return []
        found = self.rule.hold(at if truth is None and not by_scan else at - 1, math.inf)
        if truth is None:
            self.rule.pause(at)
            return found
        return found + self.rule.see(at, holds=truth, lets_go=not truth)

    def fall_silent(self, until: int, come: Come, least: int) -> "list[Transition]":
        """Take the moments at which tags fall stale, the first one first; then end what ended since.

        Args:
            until: Where the rule's time has come to.
            come: How far each source has come by then.
            least: How long ago a tag must have fallen stale, ns.
        """
        found: list[Transition] = []
        overdue = {name: come(asked.tag.source) - asked.stale_at() for name, asked in self.asked.items()}
        new = {name: until - lag for name, lag in overdue.items() if not self.asked[name].is_silent}
        moments = {name: max(at, self.seen_ns + 1) for name, at in new.items()}
        for at in sorted({at for at in moments.values() if at <= until - least}):
            for name, own_at in moments.items():
                self.asked[name].is_silent |= own_at <= at
            found += self.meet(int(at))
        return found + ([] if self.rule.is_disabled else self.rule.hold(until - least, math.inf))

    def hear(self, until: int, come: Come) -> "list[Transition]":
        self.look(come)
        return self.meet(max(until, self.seen_ns), by_scan=True)

    def look(self, come: Come) -> None:
        for asked in self.asked.values():
            asked.is_silent = come(asked.tag.source) >= asked.stale_at()

    def with_scan(self, source: "SlowSource", newest: int, received_ns: int) -> Come:
        return lambda each: newest if each is source else each.watermark(received_ns)

    def before(self, source: "SlowSource", newest: int, received_ns: int) -> "list[Transition]":
        now = max(newest, *(tag.last_ns for tag in self.tags))
        return self.fall_silent(now, self.with_scan(source, newest, received_ns), 1)

    def after(self, source: "SlowSource", newest: int, received_ns: int) -> "list[Transition]":
        return self.hear(max(tag.last_ns for tag in self.tags), self.with_scan(source, newest, received_ns))

    def read_clock(self, now_ns: int) -> "list[Transition]":
        until = max(tag.source.watermark(now_ns) for tag in self.tags)
        return self.fall_silent(until, lambda source: source.watermark(now_ns), 0)

    def judge_again(self, now_ns: int) -> "list[Transition]":
        """Ask it at a swap; what cannot be told pauses."""
        until = max(tag.source.watermark(now_ns) for tag in self.tags)
        self.look(lambda source: source.watermark(now_ns))
        truth = self.expression.truth(until, self.asked, set())  # type: ignore[arg-type]
        self.seen_ns = max(until, self.seen_ns)
        if truth is None:
            self.rule.pause(self.seen_ns)
            return []
        return self.rule.see(self.seen_ns, holds=truth, lets_go=not truth)
