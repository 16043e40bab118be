"""Commitment policy of a site: by when, on which days and by whom the daily safety commitment is signed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

#: Before 10:00 each day, as provincial rules ask (found for Guangdong; elsewhere from memory, unverified).
BY_S: Final = 10 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentPolicy:
    """What a site lays down about its commitment.

    Attributes:
        is_asked: There is a duty to sign one; a site without the section may sign, and nobody is reminded.
        by_s: Second of the site's day until which it is in time.
        on: Days on which it is asked for, by the site's calendar.
        signers: Users who may sign; empty: whoever may write the register.
    """

    is_asked: bool = False
    by_s: int = BY_S
    on: Literal["all", "workdays"] = "all"
    signers: Collection[str] = ()
