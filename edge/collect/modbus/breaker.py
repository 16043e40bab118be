"""Circuit breaker of one device on a line: a silent one leaves the cycle and is probed with growing gaps. Pure.

```
 CLOSED ──3 requests in a row without an answer──▶ OPEN ──the gap is over──▶ one request goes out
   ▲                                                ▲                         │        │
   └───────── answered for PROBATION gaps ── PROBATION ◀──── an answer ───────┘        │ none: the gap doubles
                                                    └──────────────────────────────────┘
```

Why: on a shared line each request to a dead device takes the whole time-out from all others. On probation one miss is
    enough, and the gap goes on growing, so that a device which comes and goes costs as little as a dead one.
"""

from typing import Final

#: Requests in a row without an answer, after which a device counts as silent.
UNANSWERED_MAX: Final = 3
GAP_S_LEAST: Final = 1.0
PROBATION_GAPS: Final = 2.0  # So many gaps of answering, and what was is forgotten.
PROBATION_S_LEAST: Final = 10.0


class Breaker:
    """Whether a device may be asked.

    Attributes:
        is_open: It is silent; only probes go out.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._unanswered = 0
        self._gap_s = 0.0  # The last gap; 0 in good standing.
        self._probe_at_s = 0.0
        self._answering_since_s = 0.0

    def may_ask(self, now_s: float) -> bool:
        """Tell whether a request may go out now; of a silent device only one does, the probe."""
        return not self.is_open or now_s >= self._probe_at_s

    def answered(self, now_s: float) -> None:
        """Note an answer."""
        self._unanswered = 0
        if self.is_open:
            self.is_open = False
            self._answering_since_s = now_s
        elif self._gap_s and now_s - self._answering_since_s >= max(PROBATION_GAPS * self._gap_s, PROBATION_S_LEAST):
            self._gap_s = 0.0

    def missed(self, now_s: float, gap_s_max: float) -> bool:
        """Note that no answer came; tell whether the device has just become silent."""
        self._unanswered += 1
        if not self.is_open and not self._gap_s and self._unanswered < UNANSWERED_MAX:
            return False
        was_open, self.is_open = self.is_open, True
        self._gap_s = min(max(2.0 * self._gap_s, GAP_S_LEAST), gap_s_max)
        self._probe_at_s = now_s + self._gap_s
        return not was_open

    def probe_now(self) -> None:
        """Let the next request out: there is reason to think that the device is back."""
        self._probe_at_s = 0.0
