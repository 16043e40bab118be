"""Rulebook: the rules in force, and the one way to put others in their place.

Flow: asked -> [compile aside, compare, prepare] -> road.swap -> end of a tick, one transaction -> in force
Why: what is compiled and judged aside costs the road nothing; what takes over does so between two ticks, whole.
Never: applies with a mistake, or over a revision that the person has not seen.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import Connection

from alerting.model.rule import RuleTable
from alerting.swap import Prepared, prepare
from edge.load.mistake import ConfigError, Mistake
from edge.model import Nature
from gateway.config import Site
from gateway.executor import Executor
from gateway.load.overlay import NOTHING, Overlay, Table
from gateway.rules import revision as kept
from gateway.rules.change import Change, overlay_after, overlay_of_text
from gateway.rules.revision import Difference, Kept, Origin, Revision, before_all, differences, tables_of

#: Reads the site's files with an overlay and adds the gateway's own rules.
Compile = Callable[[Overlay, list[Mistake]], Site]
#: Parts of a site that a swap of the rules cannot bring in.
FIXED = (
    *("id", "sources", "tags", "derived", "units", "tiering", "tasks", "destinations", "influx", "timezone"),
    "learned",
)
NAMED_MAX = 20
ITSELF = "fengsui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules are to be: one of changes on top of those in force, a whole overlay, the files anew, an undo."""

    changes: tuple[Change, ...] = ()
    text: str | None = None
    is_files: bool = False
    undo: int = 0

    @property
    def origin(self) -> Origin:
        """How the revision that comes of it came about."""
        return Origin.UNDO if self.undo else Origin.FILES if self.is_files else Origin.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who asks, why, and who agreed."""

    who: str
    reason: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What would come of it.

    Attributes:
        revision: In force when this was judged.
        restart: What else has changed in the files and comes in force with a restart only, in words.
    """

    revision: int
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    changes: tuple[Difference, ...] = ()
    restart: tuple[str, ...] = ()
    overlay: Overlay = NOTHING
    table: RuleTable | None = None
    files: str = ""


class NotApplied(Exception):  # noqa: N818  # it is an answer, not an error of ours
    """The rules stay as they are; says why.

    Attributes:
        code: ``stale``, ``mistakes``, ``needs_restart``, ``nothing``, ``no_files`` or ``no_revision``.
        since: Of ``stale``: the revisions that came in between, the newest first.
    """

    def __init__(self, code: str, sentence: str, checked: Checked, since: Sequence[Revision] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.checked = checked
        self.since = tuple(since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A prepared swap on its way through the road.

    Attributes:
        write: Writes the revision down inside the tick's transaction; is given the tick's receive time.
        adopt: Told when the tick has judged with the new rules.
    """

    prepared: Prepared
    write: Callable[[Connection, int], None]
    adopt: Callable[[int], None]


class Road(Protocol):
    """What the book needs of the gateway around it."""

    async def read(self, fn: Callable[[Connection], list[Revision]]) -> list[Revision]:
        """Run a query in the executor of readers."""
        ...

    async def swap(self, swap: Swap) -> None:
        """Let a swap end the next tick; returns when it is committed."""
        ...

    def audit(self, connection: Connection, revision: Revision) -> None:
        """Write down in the journal who changed the rules, inside the caller's transaction."""
        ...

    def adopted(self, table: RuleTable) -> None:
        """Take note that these rules are in force."""
        ...

    @property
    def natures(self) -> Sequence[Nature]:
        """Those that have a memory."""
        ...


@dataclass(slots=True, kw_only=True)
class Begun:
    """The rules at a start: numbered as they were, and the revision that must be written down, if any."""

    table: RuleTable
    number: int
    overlay: Overlay
    revision: Revision | None = None
    content: bytes = b""


def begin(site: Site, overlay: Overlay, before: Kept | None, now_ns: int) -> Begun:
    """Find out what changed while the gateway was down: each rule keeps its revision, or gets the next one.

    Args:
        overlay: What the site was compiled with.
    """
    if before is None:
        first = Revision(
            number=1, time_ns=now_ns, who=ITSELF, origin=Origin.START, reason="", files=site.revision,
            overlay=NOTHING, changes=(),
        )  # fmt: skip
        return Begun(table=site.rules, number=1, overlay=NOTHING, revision=first, content=kept.pack(site.rules))
    tables = {name: table for name, (table, _) in before.rules.items()}
    changes = differences(tables, tables_of(site.rules))
    number = before.revision.number
    if not changes:
        return Begun(table=_numbered(site.rules, before.rules, (), number), number=number, overlay=overlay)
    number += 1
    table = _numbered(site.rules, before.rules, changes, number)
    fresh = Revision(
        number=number, time_ns=now_ns, who=ITSELF, origin=Origin.FILES,
        reason="the files had changed when the gateway started", files=site.revision, overlay=overlay, changes=changes,
    )  # fmt: skip
    return Begun(table=table, number=number, overlay=overlay, revision=fresh, content=kept.pack(table))


def _numbered(
    table: RuleTable, known: Mapping[str, tuple[Table, int]], changes: Sequence[Difference], number: int
) -> RuleTable:
    """Give the same table with the revision of each rule: that of its last change."""
    changed = {each.rule for each in changes}
    numbers = [number if rule.id in changed else known.get(rule.id, ({}, rule.revision))[1] for rule in table]
    if all(rule.revision == mine for rule, mine in zip(table, numbers, strict=True)):
        return table
    numbered = copy(table)
    numbered.rules = tuple(
        rule if rule.revision == mine else replace(rule, revision=mine)
        for rule, mine in zip(table, numbers, strict=True)
    )
    return numbered


@dataclass(slots=True, kw_only=True)
class Rulebook:
    """The rules in force.

    Attributes:
        compile: None where the gateway was started without files; then its rules cannot be changed.
        number: Revision in force.
        overlay: What of it stands otherwise than in the files.
    """

    site: Site
    compile: Compile | None
    executor: Executor
    road: Road
    table: RuleTable
    number: int
    overlay: Overlay
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _applying: set[asyncio.Task[int]] = field(default_factory=set)

    # ------------------------------------------------------------------ doors

    async def check(self, asked: Asked) -> Checked:
        """Tell what would come of it; changes nothing.

        Raises:
            NotApplied: There is no such revision, or the gateway has no files.
        """
        past = await self._past(asked)
        return await self.executor.run(lambda: self._try(asked, past))

    async def apply(self, asked: Asked, by: By, expected: int | None) -> int:
        """Put other rules in force; give the new revision's number, once it is durable.

        Args:
            expected: The revision that the person has seen; None for any, as a file that is read anew.

        Raises:
            NotApplied: It was not done.
        """
        task = asyncio.create_task(self._apply(asked, by, expected), name="rules")
        self._applying.add(task)
        task.add_done_callback(self._applying.discard)
        return await asyncio.shield(task)  # A swap that is on its way cannot be taken back.

    async def _apply(self, asked: Asked, by: By, expected: int | None) -> int:
        async with self._turn:
            if expected is not None and expected != self.number:
                since = await self.road.read(lambda c: kept.after(c, expected))
                raise NotApplied(
                    "stale",
                    f"Revision {self.number} is in force, not {expected}; look at what changed and ask again.",
                    Checked(revision=self.number),
                    since,
                )
            past = await self._past(asked)
            checked = await self.executor.run(lambda: self._try(asked, past))
            refuse(checked)
            assert checked.table is not None
            table, number = checked.table, self.number + 1
            old, natures = self.table, tuple(self.road.natures)
            prepared, content = await self.executor.run(
                lambda: (prepare(old, table, natures, number), kept.pack(table))
            )

            def revision(time_ns: int) -> Revision:
                return Revision(
                    number=number, time_ns=time_ns, who=by.who, origin=asked.origin, reason=by.reason,
                    approved_by=by.approved_by, undoes=asked.undo, files=checked.files, overlay=checked.overlay,
                    changes=checked.changes,
                )  # fmt: skip

            def write(connection: Connection, time_ns: int) -> None:
                kept.add(connection, revision(time_ns), content)
                self.road.audit(connection, revision(time_ns))

            def adopt(_: int) -> None:
                self.table, self.number, self.overlay = table, number, checked.overlay
                self.road.adopted(table)

            await self.road.swap(Swap(prepared=prepared, write=write, adopt=adopt))
            return number

    # ------------------------------------------------------------------ aside

    async def _past(self, asked: Asked) -> list[Revision]:
        """Read the revisions that an undo goes back over, the newest first; nothing for anything else."""
        if self.compile is None:
            raise NotApplied(
                "no_files",
                "This gateway was started without files, so its rules cannot be changed.",
                Checked(revision=self.number),
            )
        if not asked.undo:
            return []
        if not 0 < asked.undo < self.number:
            there = f"1 to {self.number - 1}" if self.number > 1 else "none yet"
            raise NotApplied(
                "no_revision",
                f"There is no revision {asked.undo} to go back to; there is {there}.",
                Checked(revision=self.number),
            )
        return await self.road.read(lambda c: kept.after(c, asked.undo))

    def _try(self, asked: Asked, past: Sequence[Revision]) -> Checked:
        """Compile what is asked; runs aside."""
        number, table = self.number, self.table
        assert self.compile is not None
        own = {rule.id: rule for rule in table if not rule.is_hidden}
        now = tables_of(table)
        warnings: list[Mistake] = []
        mistakes: list[Mistake] = []
        overlay = self.overlay
        try:
            if asked.undo:
                overlay = self._overlay_of(before_all(now, past))
            elif asked.text is not None:
                overlay, mistakes = overlay_of_text(asked.text)
            else:
                overlay, mistakes = overlay_after(overlay, own, asked.changes)
            site = self.compile(overlay, warnings)
        except ConfigError as error:
            return Checked(revision=number, mistakes=(*mistakes, *error.mistakes), overlay=overlay)
        if mistakes:
            return Checked(revision=number, mistakes=tuple(mistakes), overlay=overlay)
        restart = _restart(self.site, site)
        if site.tags.names != self.site.tags.names or repr(site.tags.tags) != repr(self.site.tags.tags):
            return Checked(revision=number, restart=restart, overlay=overlay, files=site.revision)
        changes = differences(now, tables_of(site.rules))
        known = {rule.id: (now[rule.id], rule.revision) for rule in own.values()}
        fresh = RuleTable(list(site.rules), self.site.tags)
        return Checked(
            revision=number,
            warnings=tuple(sorted(warnings)),
            changes=changes,
            restart=restart,
            overlay=overlay,
            table=_numbered(fresh, known, changes, number + 1),
            files=site.revision,
        )

    def _overlay_of(self, wanted: Mapping[str, Table]) -> Overlay:
        """Give the overlay that makes the rules of the present files those that are wanted."""
        assert self.compile is not None
        files = tables_of(self.compile(NOTHING, []).rules)
        names = sorted(name for name in {**files, **wanted} if files.get(name) != wanted.get(name))
        return Overlay({name: wanted.get(name) for name in names})


def refuse(checked: Checked) -> None:
    """Raise why this cannot be applied, if it cannot."""
    if checked.mistakes:
        first = checked.mistakes[0].sentence
        more = f" And {len(checked.mistakes) - 1} more." if len(checked.mistakes) > 1 else ""
        raise NotApplied("mistakes", f"{first}{more}", checked)
    if checked.restart:
        raise NotApplied("needs_restart", f"This needs a restart: {'; '.join(checked.restart)}.", checked)
    if not checked.changes:
        raise NotApplied("nothing", "Nothing would change.", checked)


def _restart(old: Site, new: Site) -> tuple[str, ...]:
    """Say what differs beside the rules."""
    found = []
    for part in FIXED:
        one, other = getattr(old, part), getattr(new, part)
        if part == "tags":
            one, other = one.tags, other.tags
        if repr(one) == repr(other):
            continue
        if not isinstance(one, tuple):
            found.append(part)
            continue
        before, after = ({_name(each): repr(each) for each in each_of} for each_of in (one, other))
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        shown = ", ".join(names[:NAMED_MAX]) + (f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else "")
        found.append(f"{part}: {shown}" if names else f"{part}: another order")
    return tuple(found)


def _name(each: object) -> str:
    for key in ("id", "name", "title"):
        if hasattr(each, key):
            return str(getattr(each, key))
    return str(each)
