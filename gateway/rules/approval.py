"""Approval: changes of the configuration that wait until another person agrees, where the site asks for it.

Flow: asked -> [propose: check, keep] -> seen with its difference -> approve | refuse | withdraw | expire -> revision
Why: management of change: a limit is not moved by one person alone. What is put in force is what was seen: where the
    same change would do something else by now, it is proposed anew.
Never: lets one person stand for two, a token agree to anything, or a proposal outlive its time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection

from edge.clock import Clock
from gateway.rules import proposal as kept
from gateway.rules.book import Agreed, Asked, By, Checked, NotApplied, Rulebook, refuse
from gateway.rules.proposal import OPEN_MOST, Proposal, State
from gateway.rules.revision import ITSELF, NAMED_MAX

T = TypeVar("T")
NS_OF_HOUR: Final = 3_600_000_000_000
WATCH_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did, for the journal."""

    who: str
    what: str
    time_ns: int
    facts: dict[str, Any]


class Read(Protocol):
    """Runs a query."""

    async def __call__(self, fn: Callable[[Connection], T], /) -> T:
        """Give what it finds."""
        ...


class Write(Protocol):
    """Runs a write, with its deed in the journal, in one transaction."""

    async def __call__(self, fn: Callable[[Connection], None], deed: Deed, /) -> None:
        """Return when it is durable."""
        ...


class Declined(Exception):  # noqa: N818  # an answer to a person, not an error of ours
    """It was not done; says why.

    Attributes:
        code: ``none``, ``over``, ``same_person``, ``not_yours`` or ``too_many``.
        said: The sentence by language.
    """

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.code = code
        self.said = {"en": en, "zh": zh}


class Proposals:
    """The changes that wait for approval."""

    def __init__(self, *, book: Callable[[], Rulebook], clock: Clock, read: Read, write: Write) -> None:
        self._book, self._clock, self._read, self._write = book, clock, read, write
        self._turn = asyncio.Lock()

    async def propose(self, asked: Asked, by: By, expected: int) -> Proposal:
        """Let a change wait for another person.

        Raises:
            NotApplied: It could not be applied now either.
            Declined: Too many wait.
        """
        async with self._turn:
            book = self._book()
            checked = await book.check(asked)
            if expected != checked.revision:
                sentence = (
                    f"Revision {checked.revision} is in force, not {expected}; look at what changed and ask again."
                )
                raise NotApplied("stale", sentence, checked)
            refuse(checked)
            waiting, last = await self._read(lambda c: (len(kept.open_ones(c)), kept.last_number(c)))
            if waiting >= OPEN_MOST:
                raise Declined(
                    "too_many",
                    f"{waiting} proposals wait already; have them decided first.",
                    f"已有 {waiting} 项变更申请待审批,请先处理。",
                )
            now_ns = self._clock.wall_ns()
            made = Proposal(
                number=last + 1,
                made_ns=now_ns,
                expires_ns=now_ns + book.site.approval.hours * NS_OF_HOUR,
                who=by.who,
                reason=by.reason,
                revision=checked.revision,
                asked=asked,
                changes=checked.changes,
                others=checked.others,
                restarted=() if checked.beside is None else tuple(sorted(checked.beside.restarted)),
            )
            facts = {"proposal": made.number, "reason": by.reason, **_named(made)}
            deed = Deed(who=by.who, what="change_proposed", time_ns=now_ns, facts=facts)
            await self._write(lambda c: kept.propose(c, made), deed)
            return made

    async def look(self, number: int) -> tuple[Proposal, Checked | None]:
        """Give one, and what it would do now; None where it is over.

        Raises:
            Declined: There is none of this number.
        """
        found = await self._one(number)
        if not self._is_open(found):
            return found, None
        try:
            return found, await self._book().check(found.asked)
        except NotApplied as refusal:
            return found, refusal.checked

    async def approve(self, number: int, who: str, said: str, made_by: Callable[[str], str | None]) -> int:
        """Put a change in force in the name of both; give the new revision.

        Args:
            made_by: Gives who made the token of a name, None for a person.

        Raises:
            Declined: It is over, or this person may not.
            NotApplied: It cannot be applied, or would do something else by now.
        """
        async with self._turn:
            found = await self._open_one(number)
            if who == found.who or who == made_by(found.who):
                raise Declined(
                    "same_person",
                    "Who proposes a change may not approve of it.",
                    "变更申请人不得自行审批。",
                )

            def write(connection: Connection, revision: int, at_ns: int) -> None:
                kept.end(connection, number, State.APPROVED, who=who, at_ns=at_ns, said=said, result=revision)

            by = By(who=found.who, reason=found.reason, approved_by=who, is_approved=True)
            agreed = Agreed(is_this=found.is_this, write=write)
            return await self._book().apply(found.asked, by, None, agreed)

    async def refuse(self, number: int, who: str, said: str, *, is_own: bool) -> None:
        """Refuse a change of somebody else, or take back one's own.

        Raises:
            Declined: It is over, or somebody else's.
        """
        async with self._turn:
            found = await self._open_one(number)
            if is_own and who != found.who:
                raise Declined(
                    "not_yours",
                    f"{found.who} proposed this; refuse it instead.",
                    f"申请人为 {found.who},请改用“不批准”。",
                )
            if not is_own and who == found.who:
                raise Declined("same_person", "Take your own proposal back instead.", "自己的申请请改用“撤回”。")
            await self._end(found, State.WITHDRAWN if is_own else State.REFUSED, who, said)

    async def expire(self) -> int:
        """End those whose time is over; give how many."""
        async with self._turn:
            now_ns = self._clock.wall_ns()
            over = [each for each in await self._read(kept.open_ones) if each.expires_ns <= now_ns]
            for each in over:
                await self._end(each, State.EXPIRED, ITSELF, "")
            return len(over)

    async def watch(self) -> None:
        """End what expires, for ever."""
        while True:
            await self.expire()
            await asyncio.sleep(WATCH_S)

    async def _end(self, proposal: Proposal, state: State, who: str, said: str) -> None:
        now_ns = self._clock.wall_ns()
        facts = {"proposal": proposal.number, "proposed_by": proposal.who, "reason": said, **_named(proposal)}
        deed = Deed(who=who, what=f"change_{state.value}", time_ns=now_ns, facts=facts)
        await self._write(lambda c: kept.end(c, proposal.number, state, who=who, at_ns=now_ns, said=said), deed)

    async def _one(self, number: int) -> Proposal:
        found = await self._read(lambda c: kept.one(c, number))
        if found is None:
            raise Declined("none", f"There is no proposal {number}.", f"没有第 {number} 号变更申请。")
        return found

    async def _open_one(self, number: int) -> Proposal:
        found = await self._one(number)
        if not self._is_open(found):
            raise Declined("over", "This proposal is over.", "该变更申请已结束。")
        return found

    def _is_open(self, proposal: Proposal) -> bool:
        return proposal.state is State.OPEN and proposal.expires_ns > self._clock.wall_ns()


def _named(proposal: Proposal) -> dict[str, object]:
    """Name what would change, for the journal."""
    return {
        "rules": [each.rule for each in proposal.changes][:NAMED_MAX],
        "others": [f"{each.part} {each.name}" for each in proposal.others][:NAMED_MAX],
    }
