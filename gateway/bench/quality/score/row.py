"""Row: what one detector reached on one collection."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        score: The collection's own figure.
        name: What that figure is called.
        is_more_better: A larger one is better.
        false_percent, missed_percent: At the alarm that the figure was taken at, %; None where the rule has none.
        more: Further figures of the rule by name.
    """

    score: float
    name: str
    is_more_better: bool = True
    false_percent: float | None = None
    missed_percent: float | None = None
    more: dict[str, float | int | None] = field(default_factory=dict)
