"""Files: the configuration read from the site's files again, while the gateway runs.

Flow: SIGHUP, with what `fengsui reload` left in the data folder -> [reload] -> rulebook -> an answer there
Why: see ``edge.asking``, which an edge node is asked by too.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection

from edge.asking import LOOK, Mailbox
from edge.clock_system import SystemClock
from edge.disk import SystemDisk
from edge.load.mistake import Mistake
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.load import load
from gateway.load.overlay import NOTHING, Overlay
from gateway.rules import revision as kept
from gateway.rules.book import (
    Asked,
    By,
    Checked,
    Compile,
    NotApplied,
    ReadDisk,
    Rulebook,
    begin,
    refuse,
)
from gateway.rules.kept import pack
from gateway.rules.parts import parts_of
from gateway.rules.revision import ITSELF, Origin, Revision
from gateway.store.engine import open_store, store_url
from gateway.store.journal import install_key
from gateway.store.store import Store
from gateway.system import main_nature, with_system

BOX: Final = Mailbox(
    lock="gateway.lock", process="gateway.pid", asked="rules-asked.json", answer="rules-answer.json", itself=ITSELF
)
DOES_NOT_FIT: Final = (
    "What was changed while the gateway ran no longer fits the files. Put the files right, or let the files alone "
    "count: fengsui rules forget CONFIG."
)
#: Mode of asking that lets the files alone count, without what stands on top of them.
FORGET: Final = "forget"
log = structlog.get_logger("rules")


class Running(Protocol):
    """The gateway as far as files go."""

    @property
    def site(self) -> Site:
        """The configuration."""
        ...

    @property
    def rulebook(self) -> Rulebook:
        """Where the rules are changed."""
        ...


def compile_from(config: Path, site: Site, given: Collection[str] = ("data", "host", "port")) -> Compile:
    """Make the function that reads a site's files anew.

    Args:
        given: What the command line said in place of the files; it stays.
    """
    said = {name: getattr(site, name) for name in given}

    def compile_site(overlay: Overlay, warnings: list[Mistake]) -> Site:
        return replace(load(config, overlay=overlay, warnings=warnings), **said)

    return compile_site


def disk_of(config: Path) -> ReadDisk:
    """Make the function that gives a file of a site's folder as it stands on the disk."""

    def read(name: str) -> bytes | None:
        try:
            return (config.parent / name).read_bytes()
        except OSError:  # What cannot be read is told by whoever loads the site.
            return None

    return read


async def reload(gateway: Running) -> None:
    """Read the files again and let them take over; leave an answer in the data folder, and a line in the log."""
    data = gateway.site.data
    said = BOX.take(data)
    approved_by = said["approved_by"].strip()
    is_approved = bool(approved_by) and approved_by.casefold() != said["who"].casefold()
    by = By(who=said["who"], reason=said["reason"], approved_by=approved_by, is_approved=is_approved)
    answer: dict[str, Any] = {"ticket": said["ticket"]}
    asked = Asked(is_forgotten=True) if said["mode"] == FORGET else Asked(is_files=True)
    try:
        checked = await gateway.rulebook.check(asked)
        answer |= {"changes": changes_told(checked)}
        if said["mode"] == LOOK:
            refuse(checked)
            answer |= {"ok": True, "code": "looked", "message": "", "mistakes": []}
            answer |= {"revision": gateway.rulebook.number}
            BOX.say(data, answer)
            return
        number = await gateway.rulebook.apply(asked, by, None)
    except NotApplied as refusal:
        mistakes: Sequence[Mistake] = refusal.checked.mistakes
        answer |= {"ok": refusal.code == "nothing", "code": refusal.code, "message": str(refusal)}
        answer |= {"revision": gateway.rulebook.number, "mistakes": [asdict(each) for each in mistakes]}
        log.warning("rules.not_applied", code=refusal.code, message=str(refusal))
    else:
        answer |= {"ok": True, "code": "applied", "message": "", "revision": number, "mistakes": []}
        log.info("rules.applied", revision=number, who=by.who)
    BOX.say(data, answer)


def changes_told(checked: Checked) -> dict[str, Any]:
    """Give what a reload changes, by part: names of what is new, changed and gone, and which devices begin anew."""
    found: dict[str, dict[str, list[str]]] = {}
    rules = [("rule", each.rule, each.before, each.after) for each in checked.changes]
    for part, name, before, after in [*rules, *((e.part, e.name, e.before, e.after) for e in checked.others)]:
        how = "added" if before is None else "removed" if after is None else "changed"
        found.setdefault(part, {}).setdefault(how, []).append(name)
    again = [] if checked.beside is None else sorted(checked.beside.restarted)
    return {"parts": found, "restarted": again}


def forget(config: Path, data: Path, who: str, reason: str) -> int | None:
    """Let the files alone count again, while no gateway runs; give the revision, None where they did already."""
    site = with_system(load(config))
    now_ns, disk = SystemClock().wall_ns(), SystemDisk(data)
    store = Store(open_store(store_url(data)), install_key(disk), disk, InlineExecutor(), InlineExecutor())

    def write(connection: Connection) -> int | None:
        before = kept.last(connection)
        if before is None or not before.revision.overlay:
            return None
        begun = begin(site, NOTHING, before, now_ns)
        changes = () if begun.revision is None else begun.revision.changes
        revision = Revision(
            number=before.revision.number + 1, time_ns=now_ns, who=who, origin=Origin.FILES, reason=reason,
            files=site.revision, overlay=NOTHING, changes=changes, contents=kept.digests_of(site.files),
            others=() if begun.revision is None else begun.revision.others,
        )  # fmt: skip
        kept.add(connection, revision, pack(begun.table, parts_of(site)), site.files)
        kept.audit(store, connection, main_nature(site), revision)
        return revision.number

    try:
        return store.write_now(write)
    finally:
        store.close()
