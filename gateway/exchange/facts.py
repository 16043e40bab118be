"""Facts: a record of the register as an authority is told of it, with the ids of its parents; or why it cannot be.

Flow: records -> [Book.load: what they hang on, level by level] -> [Book.facts] -> Facts, or the reason for holding back
Why: a receiver refuses a row whose parent it does not have. What hangs on nothing, or on something that cannot be told
    itself, is held back with a sentence that says what is missing, and goes by itself once that is filled in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from alerting.push.exchange import PARENTS, Facts
from alerting.register.field import Words
from alerting.register.ledgers import LEDGERS
from gateway.register.record import Record, as_record
from gateway.store.schema import record, record_revision

CHUNK: Final = 500
S_TO_NS: Final = 1_000_000_000
#: What a hazard unit hangs on; no table of its own.
ENTERPRISE: Final = ("enterprise", "enterprises")

Key = tuple[str, str]  # ledger, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """When a record was made, and by whom."""

    time_ns: int
    who: str


@dataclass(slots=True)
class Book:
    """Records that others hang on, as far as they were asked for."""

    zone: ZoneInfo
    known: dict[Key, Record | None] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    held: dict[str, Words | None] = field(default_factory=dict)

    def load(self, connection: Connection, records: Iterable[Record]) -> None:
        """Read what records hang on, up to their enterprise, and when they were made."""
        own = list(records)
        self._load_made(connection, [one.id for one in own])
        wanted = {key for one in own for key in named_by(one)} - self.known.keys()
        while wanted:
            found = self._fetch(connection, wanted)
            self.known |= dict.fromkeys(wanted, None) | found
            wanted = {key for one in found.values() for key in named_by(one)} - self.known.keys()

    def _load_made(self, connection: Connection, ids: list[str]) -> None:
        table = record_revision
        for at in range(0, len(ids), CHUNK):
            query = select(table.c.id, table.c.time_ns, table.c.who).where(
                table.c.id.in_(ids[at : at + CHUNK]), table.c.revision == 1
            )
            self.made |= {row.id: Made(time_ns=row.time_ns, who=row.who) for row in connection.execute(query)}

    def _fetch(self, connection: Connection, wanted: Iterable[Key]) -> dict[Key, Record]:
        """Give records by ledger and code; a removed one where no other bears its code."""
        by_ledger: dict[str, list[str]] = {}
        for ledger, code in wanted:
            by_ledger.setdefault(ledger, []).append(code)
        found: dict[Key, Record] = {}
        for ledger, codes in by_ledger.items():
            for at in range(0, len(codes), CHUNK):
                query = select(record).where(record.c.ledger == ledger, record.c.code.in_(codes[at : at + CHUNK]))
                rows = connection.execute(query.order_by(record.c.is_removed.desc(), record.c.seq))
                found |= {(ledger, row.code): as_record(row) for row in rows}
        return found

    def why_held(self, one: Record) -> Words | None:
        """Say why a record cannot be told; None where it can."""
        if one.id not in self.held:
            self.held[one.id] = self._why_held(one)
        return self.held[one.id]

    def _why_held(self, one: Record) -> Words | None:
        if one.ledger == "units":
            return self._why_unit_held(one)
        if one.ledger == "hidden_hazards":
            if not one.values.get("class"):
                return Words("it is not classed yet", "尚未定级")
            if self.hazard_unit(one) is None:
                return Words("no hazard unit is named", "未关联危险源单元")
        above = self._above(one)
        if above is None:
            name, ledger = PARENTS[one.ledger][0]
            title = LEDGERS[one.ledger].field(name).title
            del ledger
            return Words(f"“{title.en}” is not filled in", f"未填写“{title.zh}”")
        why = self.why_held(above)
        if why is None:
            return None
        title = LEDGERS[above.ledger].title
        return Words(f"{title.en} {above.code} is held back: {why.en}", f"{title.zh} {above.code} 未能报送：{why.zh}")

    def _why_unit_held(self, one: Record) -> Words | None:
        if not one.values.get("hazard_code"):
            return Words("the hazard unit has no code of the registration system", "危险源单元未填写登记系统危险源编码")
        enterprise = self._named(one, *ENTERPRISE)
        if enterprise is None or not enterprise.values.get("company_code"):
            return Words("its enterprise has no code of the registration system", "所属企业未填写登记系统企业编码")
        return None

    def _named(self, one: Record, name: str, ledger: str) -> Record | None:
        code = one.values.get(name)
        return self.known.get((ledger, str(code))) if code else None

    def _above(self, one: Record) -> Record | None:
        """Give what a record hangs on: the first that is named."""
        if one.ledger == "hidden_hazards":
            return self.hazard_unit(one)
        return next((up for pair in PARENTS[one.ledger] if (up := self._named(one, *pair)) is not None), None)

    def hazard_unit(self, one: Record) -> Record | None:
        """Give the dossier that a record belongs to, by whatever it names."""
        if one.ledger == "units":
            return one
        ups = (self._named(one, *pair) for pair in PARENTS[one.ledger])
        return next((found for up in ups if up is not None and (found := self.hazard_unit(up)) is not None), None)

    def facts(self, one: Record) -> Facts:
        """Give what is told of a record that is not held back; what it names and cannot be told is left out."""
        unit = self.hazard_unit(one)
        enterprise = None if unit is None else self._named(unit, *ENTERPRISE)
        parents: dict[str, str] = {}
        for name, ledger in PARENTS[one.ledger]:
            up = self._named(one, name, ledger)
            if up is not None and self.why_held(up) is None:
                parents[name] = up.id
        made = self.made.get(one.id, Made(time_ns=one.time_ns, who=one.who))
        check = self._named(one, "check", "checks") if one.ledger == "hidden_hazards" else None
        inspection = None if check is None else self._named(check, "inspection", "inspections")
        return Facts(
            id=one.id,
            revision=one.revision,
            values=one.values,
            parents=parents,
            company="" if enterprise is None else str(enterprise.values.get("company_code", "")),
            hazard="" if unit is None else str(unit.values.get("hazard_code", "")),
            created=self._iso(made.time_ns),
            created_by=made.who,
            updated=self._iso(one.time_ns),
            updated_by=one.who,
            duty="" if inspection is None else str(inspection.values.get("duty", "")),
            is_removed=one.is_removed,
        )

    def _iso(self, time_ns: int) -> str:
        return datetime.fromtimestamp(time_ns // S_TO_NS, UTC).astimezone(self.zone).isoformat(timespec="seconds")


def named_by(one: Record) -> list[Key]:
    """Give what a record hangs on, by ledger and code."""
    pairs: Mapping[str, tuple[tuple[str, str], ...]] = {**PARENTS, "units": (ENTERPRISE,), "enterprises": ()}
    return [(ledger, str(one.values[name])) for name, ledger in pairs[one.ledger] if one.values.get(name)]
