"""Proposal: a change of the configuration that waits for another person, as it is kept; what it asks and what it shows.

Flow: Asked, Checked -> [propose] -> table ``rule_proposal`` -> approved, refused, withdrawn or expired
Why: who agrees must see what was asked, word by word, and what it would do; both are kept as they were seen.
Never: is deleted. What became of it stands beside it.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from gateway.rules.book import Asked, Checked
from gateway.rules.change import Change
from gateway.rules.parts import PartDifference
from gateway.rules.revision import Difference
from gateway.store.schema import rule_proposal

#: Open ones at a time; who finds as many waiting has them decided first.
OPEN_MOST: Final = 50
_PLAIN: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class State(StrEnum):
    """How a proposal stands."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposal.

    Attributes:
        number: From 1, by one.
        revision: In force when it was made.
        changes, others: What would change, as its maker saw it.
        ended_by, said: Who decided, and what was said with it; empty while it is open.
        result: The revision that came of it; 0 for none.
    """

    number: int
    made_ns: int
    expires_ns: int
    who: str
    reason: str
    revision: int
    asked: Asked
    changes: tuple[Difference, ...]
    others: tuple[PartDifference, ...]
    restarted: tuple[str, ...]
    state: State = State.OPEN
    ended_by: str = ""
    ended_ns: int = 0
    said: str = ""
    result: int = 0

    def is_this(self, checked: Checked) -> bool:
        """Tell whether what would come of it now is what its maker saw."""
        return _shown(self.changes, self.others) == _shown(checked.changes, checked.others)


def propose(connection: Connection, proposal: Proposal) -> None:
    """Write a proposal down."""
    shown = {
        "changes": [asdict(each) for each in proposal.changes],
        "others": [asdict(each) for each in proposal.others],
        "restarted": list(proposal.restarted),
    }
    connection.execute(
        insert(rule_proposal).values(
            number=proposal.number,
            made_ns=proposal.made_ns,
            expires_ns=proposal.expires_ns,
            who=proposal.who,
            reason=proposal.reason,
            revision=proposal.revision,
            asked=_deflated(_written(proposal.asked)),
            shown=_deflated(shown),
            state=proposal.state.value,
            ended_by=proposal.ended_by,
            ended_ns=proposal.ended_ns,
            said=proposal.said,
            result=proposal.result,
        )
    )


def end(
    connection: Connection, number: int, state: State, *, who: str, at_ns: int, said: str = "", result: int = 0
) -> None:
    """Write down what became of one that is open."""
    is_it = (rule_proposal.c.number == number) & (rule_proposal.c.state == State.OPEN.value)
    ended = {"state": state.value, "ended_by": who, "ended_ns": at_ns, "said": said, "result": result}
    connection.execute(update(rule_proposal).where(is_it).values(ended))


def last_number(connection: Connection) -> int:
    """Give the number of the newest; 0 for none."""
    return int(connection.execute(select(func.coalesce(func.max(rule_proposal.c.number), 0))).scalar_one())


def one(connection: Connection, number: int) -> Proposal | None:
    """Read one."""
    row = connection.execute(select(rule_proposal).where(rule_proposal.c.number == number)).first()
    return None if row is None else _proposal(row)


def count_open(connection: Connection) -> int:
    """Count those that are open."""
    query = select(func.count()).select_from(rule_proposal).where(rule_proposal.c.state == State.OPEN.value)
    return int(connection.execute(query).scalar_one())


def open_ones(connection: Connection) -> list[Proposal]:
    """Read those that are open, the oldest first."""
    query = select(rule_proposal).where(rule_proposal.c.state == State.OPEN.value).order_by(rule_proposal.c.number)
    return [_proposal(row) for row in connection.execute(query)]


def listed(connection: Connection, limit: int, before: int | None = None) -> list[Proposal]:
    """Read proposals, the newest first.

    Args:
        before: Only those with a smaller number.
    """
    query = select(rule_proposal).order_by(rule_proposal.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(rule_proposal.c.number < before)
    return [_proposal(row) for row in connection.execute(query)]


def _proposal(row: Row[Any]) -> Proposal:
    shown = _inflated(row.shown)
    return Proposal(
        number=row.number,
        made_ns=row.made_ns,
        expires_ns=row.expires_ns,
        who=row.who,
        reason=row.reason,
        revision=row.revision,
        asked=_read(_inflated(row.asked)),
        changes=tuple(Difference(**each) for each in shown["changes"]),
        others=tuple(PartDifference(**each) for each in shown["others"]),
        restarted=tuple(shown["restarted"]),
        state=State(row.state),
        ended_by=row.ended_by,
        ended_ns=row.ended_ns,
        said=row.said,
        result=row.result,
    )


def _shown(changes: Sequence[Difference], others: Sequence[PartDifference]) -> bytes:
    """Write out what would change, so that it compares as it reads back."""
    return orjson.dumps([[asdict(each) for each in changes], [asdict(each) for each in others]], option=_PLAIN)


def _written(asked: Asked) -> dict[str, Any]:
    tables = {name: base64.b64encode(content).decode() for name, content in asked.tables.items()}
    return {**asdict(asked), "changes": [asdict(each) for each in asked.changes], "tables": tables}


def _read(saved: dict[str, Any]) -> Asked:
    tables = {name: base64.b64decode(content) for name, content in saved["tables"].items()}
    changes = tuple(Change(**each) for each in saved["changes"])
    return Asked(**{**saved, "changes": changes, "tables": tables})


def _deflated(value: object) -> bytes:
    return zlib.compress(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), 1)


def _inflated(content: bytes) -> Any:  # noqa: ANN401  # JSON values
    return orjson.loads(zlib.decompress(content))
