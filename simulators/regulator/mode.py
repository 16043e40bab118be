"""Mode: how the regulator behaves today."""

from dataclasses import dataclass, field
from typing import Any

MODES = ("good", "slow", "down", "picky")


class ModeError(Exception):
    """A mode that cannot be; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How notices are answered.

    Attributes:
        name: good; slow (waits before it answers); down (answers 503 or cuts the connection); picky (refuses some).
        delay_s: Of slow.
        cuts: Of down: cut the connection without a word instead of answering 503.
        status: Of picky: the status that refused notices get, 400 to 499.
        match: Of picky: notices whose top-level fields hold all these values are refused; empty for all.
    """

    name: str = "good"
    delay_s: float = 2.0
    cuts: bool = False
    status: int = 422
    match: dict[str, Any] = field(default_factory=dict)

    def refuses(self, body: Any) -> bool:  # noqa: ANN401 - whatever JSON came
        """Tell whether a picky regulator refuses this notice."""
        if self.name != "picky":
            return False
        return isinstance(body, dict) and all(body.get(name) == value for name, value in self.match.items())


def read_mode(content: Any) -> Mode:  # noqa: ANN401 - whatever JSON came
    """Read a mode from JSON such as ``{"mode": "slow", "delay_s": 3}``.

    Raises:
        ModeError: With a sentence.
    """
    if not isinstance(content, dict) or content.get("mode") not in MODES:
        raise ModeError(f"mode must be one of {', '.join(MODES)}.")
    unknown = set(content) - {"mode", "delay_s", "cuts", "status", "match"}
    if unknown:
        raise ModeError(f"Unknown: {', '.join(sorted(unknown))}.")
    delay_s, status = content.get("delay_s", 2.0), content.get("status", 422)
    if not isinstance(delay_s, int | float) or not 0 <= delay_s <= 600:
        raise ModeError("delay_s must be 0 to 600.")
    if not isinstance(status, int) or not 400 <= status <= 499:
        raise ModeError("status must be 400 to 499.")
    match = content.get("match", {})
    if not isinstance(match, dict):
        raise ModeError("match must be an object.")
    return Mode(name=content["mode"], delay_s=delay_s, cuts=bool(content.get("cuts")), status=status, match=match)
