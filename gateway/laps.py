"""Laps: how much real time each stage of the road takes, for who wants to know; a running gateway does without.

Why: a simulation is as quick as its slowest stage, and nobody guesses right which that is.
Never: decides anything; reads another clock than the one it was given.
"""

from edge.clock import Clock

NS = 1_000_000_000


class Laps:
    """Real time by stage.

    Attributes:
        seconds: So far, by stage, in the order in which they were met first.
    """

    def __init__(self, clock: Clock) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._since_ns = 0

    def begin(self) -> None:
        """Count from now on; what passed before belongs to nobody."""
        self._since_ns = self._clock.monotonic_ns()

    def end(self, stage: str) -> None:
        """Count what passed since the last call as a stage's."""
        now_ns = self._clock.monotonic_ns()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + (now_ns - self._since_ns) / NS
        self._since_ns = now_ns
