"""Growing pauses between tries, so that a dead device or broker is not hammered."""


class BackOff:
    """Pauses that double from the least to the most, s."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s = least_s
        self._most_s = max(least_s, most_s)
        self._next_s = least_s

    def pause_s(self) -> float:
        """Give the pause before the next try; the one after that is twice as long."""
        pause_s = self._next_s
        self._next_s = min(self._next_s * 2.0, self._most_s)
        return pause_s

    def reset(self) -> None:
        """Begin again with the least pause, after a success."""
        self._next_s = self._least_s
