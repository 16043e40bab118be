"""Suppression by design: alarms that say nothing while the plant is in a state, as the configuration lays down.

Why: a tank that is being cleaned has no level; its low alarms would ring for hours and teach people not to look. What
    is kept quiet, while which state lasts and why, is written down beforehand and stands in the list while it lasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.model.tier import Tier

PREFIX = "@suppression."


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignSuppression:
    """One declared suppression.

    Attributes:
        id: Unique in the site.
        when: The state, an expression; judged by the hidden rule ``gate``.
        units: Units whose alarms it covers, with everything under them.
        tags: Tags whose alarms it covers beside those.
        groups: Rule groups that it covers, e.g. ``low``; empty for all.
        tier_most: Alarms that can reach a higher tier are never covered.
        reason: Why, by language.
    """

    id: str
    when: str
    units: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tier_most: Tier = Tier.ORANGE
    reason: Mapping[str, str]

    @property
    def design(self) -> str:
        """What alarms name as what keeps them quiet."""
        return self.id

    @property
    def words(self) -> Mapping[str, str]:
        """Why, by language."""
        return self.reason

    @property
    def gate(self) -> str:
        """Id of the hidden rule that judges the state."""
        return PREFIX + self.id
