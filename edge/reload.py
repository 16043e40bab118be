"""Reload: an edge node's files read again while it runs; what changed begins anew, and nothing else is touched.

Flow: SIGHUP, with what `fengsui reload` left in the data folder -> [Reload] -> node -> an answer there
Why: a restart of the process would cut every device for the sake of one; at a plant without staff nobody is there to
    see which did not come back.
Never: changes half; what would need another spool or another way to the gateway is refused and named.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import structlog

from edge.asking import LOOK, Mailbox
from edge.changes import restarted
from edge.clock import Clock
from edge.load.mistake import ConfigError
from edge.load.node import NodeSite
from edge.model.wire import NAMES_MAX

BOX: Final = Mailbox(
    lock="node.lock",
    process="node.pid",
    asked="reload-asked.json",
    answer="reload-answer.json",
    itself="the node",
)
#: What is made once, at the start, and the table of the file that says it.
FIXED: Final = {"id": "[site] id", "data": "[site] data", "uplink": "[uplink]", "spool": "[spool]"}
NAMED_MAX: Final = 200

log = structlog.get_logger("node")


class Running(Protocol):
    """A node as far as its files go."""

    #: Why what stands in its files is not in force; the gateway is told.
    reload_error: str
    reload_code: str

    @property
    def site(self) -> NodeSite:
        """What it runs with."""
        ...

    @property
    def clock(self) -> Clock:
        """Its clock."""
        ...

    @property
    def names(self) -> int:
        """How many names its spool has met."""
        ...

    async def take_over(self, site: NodeSite) -> None:
        """Go by another configuration from now on.

        Raises:
            OSError: The medium does not take the new epoch; nothing was changed.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Told:
    """What came of the last time that the files were read again.

    Attributes:
        at_ns: Wall clock; 0 for never.
        code: ``applied``, ``nothing``, ``looked``; or why it was refused: ``mistakes``, ``restart``, ``names``,
            ``medium``.
    """

    at_ns: int = 0
    is_ok: bool = True
    code: str = ""
    message: str = ""
    who: str = ""
    reason: str = ""
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)


class Reload:
    """Reads the files of a node again, one time after the other.

    Args:
        load: Reads them, with what the command line said in place of them.
        run: Runs a function that blocks.
    """

    def __init__(
        self,
        node: Running,
        load: Callable[[], NodeSite],
        run: Callable[[Callable[[], NodeSite]], Awaitable[NodeSite]] = asyncio.to_thread,
    ) -> None:
        self.told = Told()
        self._node, self._load, self._run = node, load, run
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        """Read them again, let them take over, and leave an answer."""
        async with self._turn:
            data = self._node.site.data
            said = BOX.take(data)
            told = await self._try(is_look=said["mode"] == LOOK)
            told.at_ns, told.who, told.reason = self._node.clock.wall_ns(), said["who"], said["reason"]
            if said["mode"] != LOOK:
                self.told = told
                self._node.reload_error = "" if told.is_ok else told.message
                self._node.reload_code = "" if told.is_ok else told.code
            tell = log.info if told.is_ok else log.warning
            tell("node.reload", code=told.code, message=told.message, who=told.who, reason=told.reason,
                 revision=self._node.site.revision[:12])  # fmt: skip
            answer = {
                "ticket": said["ticket"],
                "ok": told.is_ok,
                "code": told.code,
                "message": told.message,
                "revision": self._node.site.revision[:12],
                "mistakes": told.mistakes,
                "changes": told.changes,
            }
            try:
                BOX.say(data, answer)
            except OSError as failure:
                log.warning("node.reload_not_answered", error=str(failure))

    async def _try(self, *, is_look: bool) -> Told:
        old = self._node.site
        try:
            new = await self._run(self._load)
        except ConfigError as mistakes:
            said = "The files have mistakes; the node goes on with what it has."
            listed = [asdict(each) for each in mistakes.mistakes[:NAMED_MAX]]
            return Told(is_ok=False, code="mistakes", message=said, mistakes=listed)
        fixed = [where for part, where in FIXED.items() if getattr(old, part) != getattr(new, part)]
        if fixed:
            said = f"{', '.join(fixed)} changed, which takes a restart; the spool keeps everything over it."
            return Told(is_ok=False, code="restart", message=said)
        if self._node.names + len(new.tags) > NAMES_MAX:
            said = f"The spool has met {self._node.names} names and has room for {NAMES_MAX}; restart the node once."
            return Told(is_ok=False, code="names", message=said)
        changes = changes_told(old, new)
        if is_look:
            return Told(code="looked", changes=changes)
        if old.revision == new.revision or not (changes["parts"] or changes["restarted"]):
            return Told(code="nothing", message="The files say what runs already.", changes=changes)
        try:
            await self._node.take_over(new)
        except OSError as failure:
            said = f"The medium does not take it: {failure}. The node goes on with what it has."
            return Told(is_ok=False, code="medium", message=said)
        return Told(code="applied", changes=changes)


def changes_told(old: NodeSite, new: NodeSite) -> dict[str, Any]:
    """Give what differs: names of sources and tags that are new, changed and gone, and which sources begin anew."""
    parts: dict[str, dict[str, list[str]]] = {}
    for part, was, now in (
        ("source", {each.id: repr(each) for each in old.sources}, {each.id: repr(each) for each in new.sources}),
        ("tag", {each.name: repr(each) for each in old.tags}, {each.name: repr(each) for each in new.tags}),
    ):
        found = _differences(was, now)
        if found:
            parts[part] = found
    again = sorted(restarted(old.sources, old.tags, new.sources, new.tags))
    return {"parts": parts, "restarted": again}


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in {**was, **now}:
        if was.get(name) != now.get(name):
            how = "added" if name not in was else "removed" if name not in now else "changed"
            found.setdefault(how, []).append(name)
    return found
