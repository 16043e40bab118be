"""Rebirths: whom to ask to tell all anew, and when. Pure.

Why limited: an edge node that is asked again and again tells again and again all it has; a host that asks a thousand
nodes at once brings the network down that it wants to hear.
"""

from dataclasses import dataclass

GROWTH = 2
QUIET = 10  # Times the least pause without a wish: what was wrong is over.
SPACING_NS = 50_000_000  # Between two requests to different nodes: twenty a second.


@dataclass(slots=True)
class _Wish:
    is_open: bool = False
    pause_ns: int = 0
    asked_ns: int = 0
    next_ns: int = 0


class Rebirths:
    """What is wished of each node of a source.

    Args:
        least_ns: Pause between two requests to one node; each further one doubles it.
        most_ns: Longest pause.
    """

    def __init__(self, least_ns: int, most_ns: int) -> None:
        self._least_ns = least_ns
        self._most_ns = max(least_ns, most_ns)
        self._wishes: dict[str, _Wish] = {}
        self._free_ns = 0

    def wish(self, node: str, now_ns: int) -> None:
        """Wish a rebirth; it stays a wish until the birth comes or the node is known to be dead."""
        wish = self._wishes.setdefault(node, _Wish())
        if not wish.is_open:
            wish.is_open = True
            if not wish.pause_ns or now_ns - wish.asked_ns > QUIET * wish.pause_ns:
                wish.pause_ns = self._least_ns
                wish.next_ns = now_ns

    def fulfil(self, node: str) -> None:
        """Forget a wish: the birth came, or nobody is there to be born."""
        if node in self._wishes:
            self._wishes[node].is_open = False

    def due(self, now_ns: int) -> list[str]:
        """Give the nodes to ask now; each counts as asked."""
        found: list[str] = []
        for node, wish in self._wishes.items():
            if wish.is_open and wish.next_ns <= now_ns and self._free_ns <= now_ns:
                wish.asked_ns = now_ns
                wish.next_ns = now_ns + wish.pause_ns
                wish.pause_ns = min(GROWTH * wish.pause_ns, self._most_ns)
                self._free_ns = now_ns + SPACING_NS
                found.append(node)
        return found

    @property
    def due_ns(self) -> int | None:
        """When the next node may be asked; None for no wish."""
        times = [wish.next_ns for wish in self._wishes.values() if wish.is_open]
        return max(min(times), self._free_ns) if times else None
