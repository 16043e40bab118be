"""Second person: acts that another one must confirm before they are done, and what waits for it.

Why: who quiets the gravest alarm of a plant, by mistake or alone, must find somebody who agrees. Off unless asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.model.command import Command, Verb
from alerting.model.tier import Tier

MINUTES_MOST = 1_440
#: Acts that a site may ask a second person for.
ACTS = (Verb.SUPPRESS, Verb.SHELVE, Verb.RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPerson:
    """Which acts need a second person.

    Attributes:
        minutes: How long a request waits, min.
        tiers: By act, the tier from which an alarm that can reach it needs one; acts not named need none.
    """

    minutes: int = 15
    tiers: Mapping[Verb, Tier] = field(default_factory=dict)

    def is_needed(self, verb: Verb, highest: Tier) -> bool:
        """Tell whether an act on an alarm that can reach a tier needs one; NONE counts as BLUE."""
        least = self.tiers.get(verb)
        return least is not None and max(highest, Tier.BLUE) >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An act that waits for a second person, or did.

    Attributes:
        command: What was asked; its ``who`` is the first person.
        key, tag, unit: The alarm that it is about.
        state: ``open``, ``confirmed``, ``declined``, ``withdrawn``, ``expired``, or ``refused``: confirmed when it
            was possible no more.
        ended_by: The second person, or who withdrew it; empty while it is open and when it expired.
    """

    id: str
    command: Command
    key: str
    tag: str
    unit: str
    asked_ns: int
    expires_ns: int
    state: str = "open"
    ended_by: str = ""
    ended_ns: int = 0
