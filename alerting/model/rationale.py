"""Rationale: why an alarm is there: what causes it, what follows when nobody acts, in how long, why it has its tier.

Why: rationalisation as ISA-18.2-2016 (clause 9) and IEC 62682:2022 ask for it: an alarm calls for an act in time, and
the list of all alarms says which (both from memory, ``unverified``). The response itself stands at the rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: A text by language, as pairs, so that rules that share it are seen to share it.
Said = tuple[tuple[str, str], ...]
MINUTES_MOST: Final = 7 * 24 * 60.0
#: The texts of a rationale, in the order of the list.
TEXTS: Final = ("cause", "consequence", "basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rationale:
    """Why an alarm is there.

    Attributes:
        cause: What usually leads to it.
        consequence: What follows when nobody acts.
        basis: Why it has this tier: severity of the consequence and time to respond.
        respond_min: Within how long the response works, min; 0 for not stated.
    """

    cause: Said = ()
    consequence: Said = ()
    basis: Said = ()
    respond_min: float = 0.0

    def text(self, name: str) -> dict[str, str]:
        """Give one of its texts by language; empty where it is not stated."""
        return dict(getattr(self, name))


def rationale(texts: Mapping[str, Mapping[str, str]], respond_min: float = 0.0) -> Rationale | None:
    """Make a rationale; None where nothing is stated."""
    said = {name: tuple(texts[name].items()) for name in TEXTS if texts.get(name)}
    return Rationale(**said, respond_min=respond_min) if said or respond_min else None
