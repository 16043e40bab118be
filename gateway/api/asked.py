"""What was asked: query parameters as typed values, or one sentence that says what is wrong."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerting.model.tier import Tier
from gateway.api.answer import ApiError

NS_MAX = 2**62  # The year 2116; leaves room for sums of two times in 64 bits.

#: Alarms of one act: what one tick can answer at once. A page that has more asks again.
MANY_MAX = 1_000

TierName = Literal["NONE", "BLUE", "YELLOW", "ORANGE", "RED"]
Id = Annotated[str, StringConstraints(min_length=1, max_length=160)]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]
When = Annotated[
    str | None, Query(max_length=40, description="ISO 8601 with offset, or ns since 1970-01-01 UTC as an integer.")
]


class Nothing(BaseModel):
    """An empty body, or none."""

    model_config = ConfigDict(extra="forbid")


class LogIn(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    password: str = Field(max_length=256)


class NewPassword(BaseModel):
    """The password that was, empty for one who has none, and the one that shall be."""

    model_config = ConfigDict(extra="forbid")
    old: str = Field(default="", max_length=256)
    new: str = Field(max_length=256)


class NewUser(BaseModel):
    """A person's name and role; he chooses his password himself."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    role: str = Field(max_length=40)


class NewRole(BaseModel):
    """Another role, and why."""

    model_config = ConfigDict(extra="forbid")
    role: str = Field(max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class Reason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


class NewToken(BaseModel):
    """What a program comes in with: its name, the role that it needs, look only or act too, and for how long."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    role: str = Field(max_length=40)
    scope: str = Field(default="read", max_length=8)
    days: int = Field(default=90, ge=1, le=366)


class Acknowledge(BaseModel):
    """A comment may be empty; ``seen_tier`` is what the page showed: what rose since is not acknowledged unseen."""

    model_config = ConfigDict(extra="forbid")
    comment: str = Field(default="", max_length=2000)
    seen_tier: TierName | None = None


class Quieten(BaseModel):
    """Take out of service: why, until when, and the permit that it is worked on under where the site asks for one."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    until: str = Field(max_length=40, description="ISO 8601 with offset, or ns since 1970-01-01 UTC.")
    permit: str = Field(default="", max_length=64, description="Number of the permit to work.")


class Shelve(BaseModel):
    """Why, and until when; with ``one_shot`` until the first return to normal, at the latest until ``until``."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    until: str | None = Field(default=None, max_length=40, description="As of suppress; may be left out for one_shot.")
    one_shot: bool = False


class One(BaseModel):
    """One alarm of many, and the tier that the page showed of it."""

    model_config = ConfigDict(extra="forbid")
    alarm: Id
    seen_tier: TierName | None = None


class Many(BaseModel):
    """The alarms that one act is about."""

    model_config = ConfigDict(extra="forbid")
    alarms: list[One] = Field(min_length=1, max_length=MANY_MAX)


class AcknowledgeMany(Many):
    """One comment for all; may be empty."""

    comment: str = Field(default="", max_length=2000)


class ShelveMany(Many, Shelve):
    """One reason and one end for all."""


class QuietenMany(Many, Quieten):
    """One reason, one end and one permit for all."""


class Relearn(BaseModel):
    """Why what is there now is normal; ``forget_season`` forgets profile and noise too."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    forget_season: bool = False


class Done(BaseModel):
    """What was done, and for a step that asks, the answer."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=2000)
    answer: str = Field(default="", max_length=20)


class Note(BaseModel):
    """What was done."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=2000)


def when(text: str, name: str) -> int:
    """Read a time, ns since 1970-01-01 UTC.

    A time without offset is refused: nobody can know whose clock it was read from.

    Raises:
        ApiError: It is no time.
    """
    if text.isascii() and text.isdigit():
        time_ns = int(text)
    else:
        # "+" in a query string arrives as a space when the client forgot to quote it.
        try:
            moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        except ValueError:
            raise ApiError(422, f"{name}: {text!r} is neither ISO 8601 nor a whole number of ns.") from None
        if moment.tzinfo is None:
            raise ApiError(422, f"{name}: {text!r} has no offset from UTC; add Z or +08:00.")
        # Whole microseconds as integers; a float would lose the last digits.
        time_ns = round(moment.timestamp()) * 1_000_000_000 if moment.microsecond == 0 else _exact_ns(moment)
    if not 0 < time_ns < NS_MAX:
        raise ApiError(422, f"{name}: {text!r} is out of range.")
    return time_ns


def _exact_ns(moment: datetime) -> int:
    return round(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def when_or_none(text: str | None, name: str) -> int | None:
    """Read a time that may be missing."""
    return None if text is None else when(text, name)


def tiers_of(names: list[str]) -> list[Tier]:
    """Read tiers by name.

    Raises:
        ApiError: A name is unknown.
    """
    unknown = [name for name in names if name not in Tier.__members__]
    if unknown:
        raise ApiError(422, f"tier: {unknown[0][:40]!r} is none of {', '.join(Tier.__members__)}.")
    return [Tier[name] for name in names]
