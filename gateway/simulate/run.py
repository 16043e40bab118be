"""Run: what one play of one story came to, in the numbers of its score."""

from dataclasses import dataclass

from gateway.simulate.mix import Mix
from gateway.simulate.score import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One story with one seed and one mix of faults.

    Attributes:
        is_passed: Everything came out as the story says. With a fault drawn by chance it need not.
        missed: The sentences of what did not, by language.
    """

    seed: int
    mix: Mix
    is_passed: bool
    score: Score
    pace: float
    missed: tuple[dict[str, str], ...]
