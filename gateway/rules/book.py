"""Rulebook: the configuration in force (rules, tags, sources, units), and the one way to put another in its place.

Flow: asked -> [compile aside, compare, prepare] -> road.swap -> end of a tick, one transaction -> in force
Why: what is compiled and judged aside costs the road nothing; what takes over does so between two ticks, whole, and
touches only what differs.
Never: applies with a mistake, or over a revision that the person has not seen.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from alerting.model.rule import Author, Rule, RuleTable
from alerting.swap import Beside, Prepared, prepare
from edge.load.mistake import ConfigError, Mistake
from edge.model import Nature
from gateway.config import Site
from gateway.executor import Executor
from gateway.load.overlay import NOTHING, Overlay, Replaced, Table
from gateway.rules import revision as kept
from gateway.rules.change import Change, overlay_after, overlay_of_text
from gateway.rules.kept import digest_of, pack
from gateway.rules.parts import PartDifference, beside_of, changed_secrets, fixed, part_differences, parts_of
from gateway.rules.revision import (
    ITSELF,
    Difference,
    Kept,
    Origin,
    Revision,
    author_of,
    before_all,
    differences,
    digests_of,
    tables_of,
)

#: Reads the site's files with an overlay and adds the gateway's own rules.
Compile = Callable[[Overlay, list[Mistake]], Site]
T = TypeVar("T")
#: Gives a file of the site's folder as it stands on the disk, by path relative to the site file; None for none.
ReadDisk = Callable[[str], bytes | None]
#: How the names of tables of tags end.
TABLES = (".csv", ".xlsx")
NEEDS_APPROVAL = (
    "Changes of this site need a second person: propose it at the page, or name with --approved-by who agreed."
)
CHANGED = "What would change is not what was proposed any more; look at it, and propose it anew."
NO_TABLE = "Name a table that stands in tags of the site file."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the configuration is to be.

    One of changes of rules on top of those in force, a whole overlay of rules, other tables of tags, the files anew, an
    undo.

    Attributes:
        tables: Contents of tables of tags by path, in place of those in force.
        is_forgotten: The files anew, and nothing on top of them any more.
    """

    changes: tuple[Change, ...] = ()
    text: str | None = None
    tables: Mapping[str, bytes] = field(default_factory=dict)
    is_files: bool = False
    is_forgotten: bool = False
    undo: int = 0

    @property
    def origin(self) -> Origin:
        """How the revision that comes of it came about."""
        return Origin.UNDO if self.undo else Origin.FILES if self.is_files or self.is_forgotten else Origin.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who asks, why, and who agreed.

    Attributes:
        is_approved: Another person than who asks has agreed, as a site with ``[approval]`` wants it.
    """

    who: str
    reason: str
    approved_by: str = ""
    is_approved: bool = False


#: Who only looks at what would come of something.
LOOKING: Final = By(who=ITSELF, reason="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What would come of it.

    Attributes:
        revision: In force when this was judged.
        changes: In the rules; ``others`` in tags, sources, units and the rest.
        restart: What else has changed in the files and comes in force with a restart only, in words.
        site: What is to be in force, with the rules of ``table``.
        beside: What changes beside the rules; None where nothing does.
        is_kept_otherwise: Nothing changes for the plant, but what stands on top of the files does.
    """

    revision: int
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    changes: tuple[Difference, ...] = ()
    restart: tuple[str, ...] = ()
    overlay: Overlay = NOTHING
    table: RuleTable | None = None
    files: str = ""
    others: tuple[PartDifference, ...] = ()
    site: Site | None = None
    beside: Beside | None = None
    is_kept_otherwise: bool = False


class NotApplied(Exception):  # noqa: N818  # it is an answer, not an error of ours
    """The rules stay as they are; says why.

    Attributes:
        code: ``stale``, ``mistakes``, ``needs_restart``, ``nothing``, ``no_files``, ``no_revision``, ``historian``,
            ``needs_approval`` or ``changed``.
        since: Of ``stale``: the revisions that came in between, the newest first.
    """

    def __init__(self, code: str, sentence: str, checked: Checked, since: Sequence[Revision] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.checked = checked
        self.since = tuple(since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What somebody approved of.

    Attributes:
        is_this: Tells whether what would come of it now is what was seen.
        write: Writes down what became of it, inside the tick's transaction; is given the revision and the time.
    """

    is_this: Callable[[Checked], bool]
    write: Callable[[Connection, int, int], None]


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

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in the executor of readers."""
        ...

    async def swap(self, swap: Swap) -> None:
        """Let a swap end the next tick; returns when it is committed."""
        ...

    def audit(self, connection: Connection, revision: Revision) -> None:
        """Write down in the journal who changed the rules, inside the caller's transaction."""
        ...

    async def ready(self, site: Site, beside: Beside) -> Beside:
        """Make ready for other tags and sources; give ``beside`` with the epochs of sources that were not there.

        Raises:
            NotApplied: The historian cannot make room.
        """
        ...

    def adopted(self, site: Site, prepared: Prepared) -> None:
        """Take note that this site is in force."""
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
    files: Mapping[str, bytes] = field(default_factory=dict)


def begin(site: Site, overlay: Overlay, before: Kept | None, now_ns: int) -> Begun:
    """Find out what changed while the gateway was down: each rule keeps its revision, or gets the next one.

    Args:
        overlay: What the site was compiled with.
    """
    parts, contents = parts_of(site), digests_of(site.files)
    if before is None:
        first = Revision(
            number=1, time_ns=now_ns, who=ITSELF, origin=Origin.START, reason="", files=site.revision,
            overlay=NOTHING, changes=(), contents=contents,
        )  # fmt: skip
        packed = pack(site.rules, parts)
        return Begun(table=site.rules, number=1, overlay=NOTHING, revision=first, content=packed, files=site.files)
    content, number = before.content, before.revision.number
    changes: tuple[Difference, ...] = ()
    others: tuple[PartDifference, ...] = ()
    if content.digest != digest_of(site.rules, parts):
        tables, parts_before = content.read()
        changes = differences(tables, tables_of(site.rules))
        others = () if parts_before is None else part_differences(parts_before, kept.as_kept(parts))
    if not changes and not others:
        table = _numbered(site.rules, content.numbers.of, (), number, before.authors)
        return Begun(table=table, number=number, overlay=overlay)
    number += 1
    table = _numbered(site.rules, content.numbers.of, changes, number, before.authors)
    fresh = Revision(
        number=number, time_ns=now_ns, who=ITSELF, origin=Origin.FILES,
        reason="the files had changed when the gateway started", files=site.revision, overlay=overlay, changes=changes,
        others=others, contents=contents,
    )  # fmt: skip
    packed = pack(table, parts)
    return Begun(table=table, number=number, overlay=overlay, revision=fresh, content=packed, files=site.files)


def _numbered(
    table: RuleTable,
    known: Callable[[Rule], int],
    changes: Sequence[Difference],
    number: int,
    authors: Mapping[int, Author],
) -> RuleTable:
    """Give the same table with the revision of each rule: that of its last change."""
    changed = {each.rule for each in changes}
    numbers = [number if changed and rule.id in changed else known(rule) for rule in table]
    return table.numbered(numbers, authors)


@dataclass(slots=True, kw_only=True)
class Rulebook:
    """The configuration in force.

    Attributes:
        compile: None where the gateway was started without files; then nothing can be changed.
        number: Revision in force.
        overlay: What of it stands otherwise than on the disk.
        disk: Gives what stands on the disk.
        config: The site file; None where the gateway was started without files.
    """

    site: Site
    compile: Compile | None
    executor: Executor
    road: Road
    table: RuleTable
    number: int
    overlay: Overlay
    disk: ReadDisk = field(default=lambda _: None)
    config: Path | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _applying: set[asyncio.Task[int]] = field(default_factory=set)

    # ------------------------------------------------------------------ doors

    async def check(self, asked: Asked) -> Checked:
        """Tell what would come of it; changes nothing.

        Raises:
            NotApplied: There is no such revision, or the gateway has no files.
        """
        back = await self._back(asked)
        return await self.executor.run(lambda: self._try(asked, back, LOOKING))

    async def apply(self, asked: Asked, by: By, expected: int | None, agreed: "Agreed | None" = None) -> int:
        """Put other rules in force; give the new revision's number, once it is durable.

        Args:
            expected: The revision that the person has seen; None for any, as a file that is read anew.
            agreed: What was approved of, where it waited.

        Raises:
            NotApplied: It was not done.
        """
        task = asyncio.create_task(self._apply(asked, by, expected, agreed), name="rules")
        self._applying.add(task)
        task.add_done_callback(self._applying.discard)
        return await asyncio.shield(task)  # A swap that is on its way cannot be taken back.

    async def _apply(self, asked: Asked, by: By, expected: int | None, agreed: "Agreed | None") -> int:
        async with self._turn:
            if self.site.approval.is_needed and not by.is_approved:
                raise NotApplied("needs_approval", NEEDS_APPROVAL, Checked(revision=self.number))
            if expected is not None and expected != self.number:
                since = await self.road.read(lambda c: kept.after(c, expected))
                raise NotApplied(
                    "stale",
                    f"Revision {self.number} is in force, not {expected}; look at what changed and ask again.",
                    Checked(revision=self.number),
                    since,
                )
            back = await self._back(asked)
            checked = await self.executor.run(lambda: self._try(asked, back, by))
            refuse(checked)
            if agreed is not None and not agreed.is_this(checked):
                raise NotApplied("changed", CHANGED, checked)
            assert checked.table is not None
            assert checked.site is not None
            table, site, number = checked.table, checked.site, self.number + 1
            beside = checked.beside if checked.beside is None else await self.road.ready(site, checked.beside)
            old, natures = self.table, tuple(self.road.natures)
            prepared, content, contents = await self.executor.run(
                lambda: (
                    prepare(old, table, natures, number, beside),
                    pack(table, parts_of(site)),
                    digests_of(site.files),
                )
            )

            def revision(time_ns: int) -> Revision:
                return Revision(
                    number=number, time_ns=time_ns, who=by.who, origin=asked.origin, reason=by.reason,
                    approved_by=by.approved_by, undoes=asked.undo, files=checked.files, overlay=checked.overlay,
                    changes=checked.changes, others=checked.others, contents=contents,
                )  # fmt: skip

            def write(connection: Connection, time_ns: int) -> None:
                kept.add(connection, revision(time_ns), content, site.files)
                self.road.audit(connection, revision(time_ns))
                if agreed is not None:
                    agreed.write(connection, number, time_ns)

            def adopt(_: int) -> None:
                self.table, self.number, self.overlay, self.site = table, number, checked.overlay, site
                self.road.adopted(site, prepared)

            await self.road.swap(Swap(prepared=prepared, write=write, adopt=adopt))
            return number

    # ------------------------------------------------------------------ aside

    async def _back(self, asked: Asked) -> "_Back":
        """Read what an undo goes back over, the newest first, and what to; nothing for anything else."""
        if self.compile is None:
            raise NotApplied(
                "no_files",
                "This gateway was started without files, so its configuration cannot be changed.",
                Checked(revision=self.number),
            )
        if not asked.undo:
            return _Back()
        if not 0 < asked.undo < self.number:
            there = f"1 to {self.number - 1}" if self.number > 1 else "none yet"
            raise NotApplied(
                "no_revision",
                f"There is no revision {asked.undo} to go back to; there is {there}.",
                Checked(revision=self.number),
            )

        def read(connection: Connection) -> "_Back":
            past = kept.after(connection, asked.undo)
            if not any(each.others for each in past):
                return _Back(past=tuple(past))
            to = kept.one(connection, asked.undo)
            files = kept.contents_of(connection, to.contents) if to is not None else {}
            return _Back(past=tuple(past), to=to, files=files)

        back = await self.road.read(read)
        if back.to is not None and not back.files:
            sentence = f"Revision {asked.undo} was written by an older version, which kept the rules alone."
            raise NotApplied("no_revision", sentence, Checked(revision=self.number))
        return back

    def _try(self, asked: Asked, back: "_Back", by: By) -> Checked:
        """Compile what is asked; runs aside."""
        number, table = self.number, self.table
        assert self.compile is not None
        own = {rule.id: rule for rule in table if not rule.is_hidden}
        now = tables_of(table)
        warnings: list[Mistake] = []
        mistakes: list[Mistake] = []
        overlay = self.overlay
        try:
            overlay, mistakes = self._overlay_for(asked, back, own, now)
            site = self.compile(overlay, warnings)
        except ConfigError as error:
            return Checked(revision=number, mistakes=(*mistakes, *error.mistakes), overlay=overlay)
        if mistakes:
            return Checked(revision=number, mistakes=tuple(mistakes), overlay=overlay)
        overlay = self._settled(overlay, site)
        changes = differences(now, tables_of(site.rules))
        others = part_differences(kept.as_kept(parts_of(self.site)), kept.as_kept(parts_of(site))) + changed_secrets(
            self.site, site
        )
        beside = beside_of(self.site, site)
        fresh = RuleTable(list(site.rules), self.site.tags) if beside is None else site.rules
        after = _numbered(
            fresh,
            lambda rule: own.get(rule.id, rule).revision,
            changes,
            number + 1,
            {**table.authors, **author_of(number + 1, by.who, by.approved_by)},
        )
        return Checked(
            revision=number,
            warnings=tuple(sorted(warnings)),
            changes=changes,
            others=others,
            restart=fixed(self.site, site),
            overlay=overlay,
            table=after,
            files=site.revision,
            site=replace(site, rules=after, tags=after.tags),
            beside=beside,
            is_kept_otherwise=asked.origin is Origin.FILES and overlay.files.keys() != self.overlay.files.keys(),
        )

    def _overlay_for(
        self, asked: Asked, back: "_Back", own: Mapping[str, Rule], now: Mapping[str, Table]
    ) -> tuple[Overlay, list[Mistake]]:
        """Give the overlay that makes of the files what is asked, and what is wrong with the asking itself."""
        overlay = self.overlay
        if back.to is not None:
            files = {name: Replaced(content, self._base(name)) for name, content in back.files.items()}
            return Overlay(back.to.overlay.rules, files), []
        if asked.undo:
            return self._overlay_of(before_all(now, back.past)), []
        if asked.is_forgotten:
            return NOTHING, []
        if asked.text is not None:
            found, mistakes = overlay_of_text(asked.text)
        else:
            found, mistakes = overlay_after(overlay, own, asked.changes)
        if asked.is_files:
            mistakes = [*mistakes, *self._contested()]
        for name in asked.tables:
            if name not in self.site.files or not name.lower().endswith(TABLES):
                sentence = f'"{name}" is no table of tags that the site reads.'
                mistakes.append(Mistake(file=name, line=1, path="file", sentence=sentence, remedy=NO_TABLE))
        files = dict(overlay.files)
        for name, content in asked.tables.items():
            files[name] = Replaced(content, files[name].base if name in files else self._base(name))
        return Overlay(found.rules, files), mistakes

    def _overlay_of(self, wanted: Mapping[str, Table]) -> Overlay:
        """Give the overlay that makes the rules of the present files those that are wanted."""
        assert self.compile is not None
        files = tables_of(self.compile(Overlay({}, self.overlay.files), []).rules)
        names = sorted(name for name in {**files, **wanted} if files.get(name) != wanted.get(name))
        return Overlay({name: wanted.get(name) for name in names}, self.overlay.files)

    def _contested(self) -> list[Mistake]:
        """Tell the files that were changed both here and on the disk."""
        return [
            Mistake(
                file=name,
                line=1,
                path="file",
                sentence=f"{name} was changed while the gateway ran, and on the disk since; which of the two counts?",
                remedy="fengsui reload --forget lets the disk alone count; else bring your change in at the page.",
            )
            for name, each in self.overlay.files.items()
            if self._base(name) not in (each.base, *digests_of({name: each.content}).values())
        ]

    def _settled(self, overlay: Overlay, site: Site) -> Overlay:
        """Leave out files that nobody reads, or that stand so on the disk."""
        files = {
            name: each
            for name, each in overlay.files.items()
            if name in site.files and self._base(name) != digests_of({name: each.content})[name]
        }
        return Overlay(overlay.rules, files)

    def _base(self, name: str) -> str:
        """Give the digest of a file as it stands on the disk; empty where there is none."""
        content = self.disk(name)
        return "" if content is None else digests_of({name: content})[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Back:
    """What an undo goes back over.

    Attributes:
        past: Revisions since, the newest first.
        to, files: The revision and the contents of its files, where more than rules changed since.
    """

    past: tuple[Revision, ...] = ()
    to: Revision | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


def refuse(checked: Checked) -> None:
    """Raise why this cannot be applied, if it cannot."""
    if checked.mistakes:
        first = checked.mistakes[0].sentence
        more = f" And {len(checked.mistakes) - 1} more." if len(checked.mistakes) > 1 else ""
        raise NotApplied("mistakes", f"{first}{more}", checked)
    if checked.restart:
        raise NotApplied("needs_restart", f"This needs a restart: {'; '.join(checked.restart)}.", checked)
    if not checked.changes and checked.beside is None and not checked.is_kept_otherwise:
        raise NotApplied("nothing", "Nothing would change.", checked)
