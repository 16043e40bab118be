"""Opening: hidden hazards that alarms open by the site's rules.

Flow: alarms that stand, disposals that say what it was -> [look, one transaction] -> hidden hazards, duties, notices
Why: an alarm that stands for an hour is a hidden hazard, also where nobody has the time to enter it.
Never: opens a second one for an alarm, nor one while an earlier one of the same alarm key is open; touches an exercise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, select

from alerting.model.alarm import State, Suppression
from alerting.model.hazard_policy import OPENED_BY, Opening
from alerting.model.tier import Tier
from alerting.register.field import Values
from alerting.register.ledger import read_row
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from gateway.config import Site
from gateway.disposal.records import last_causes
from gateway.means import NS, Means, Standstill, look_on
from gateway.register import reading, records, traits
from gateway.register.around import around
from gateway.register.hazard_notice import tell
from gateway.register.record import By, Record
from gateway.store.acts import Hand, note
from gateway.store.schema import alarm, disposal
from gateway.system import main_nature

log = structlog.get_logger("register")

LOOK_S: Final = 10.0
#: Alarms in one look; the others come with the next.
LOOK_MAX: Final = 200
#: A disposal that says what it was opens one for so long: a rule that is written today opens none for last year.
DISPOSED_NS: Final = 86_400_000_000_000
STANDING: Final = (State.UNACK.value, State.ACKED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """An alarm that an opening is about."""

    opening: Opening
    id: str
    key: str
    tag: str
    unit: str
    condition: str
    tier: Tier
    raised_ns: int


def look(connection: Connection, site: Site, now_ns: int) -> int:
    """Open what is to be opened now; give how many."""
    opened = 0
    for one in meant(connection, site, now_ns):
        by = By(who=f"{OPENED_BY}{one.opening.id}", time_ns=now_ns, reason=f"alarm {one.id}")
        values = _values(connection, site, one, now_ns)
        here = records.surround(connection, HIDDEN_HAZARDS, [values], around(site, now_ns, by.who))
        row = read_row(HIDDEN_HAZARDS, values, here)
        if row.wrongs:  # The same every time: one alarm must not keep the others out, nor stop the gateway.
            log.error("hazards.not_opened", alarm=one.id, wrongs=[str(wrong.rule.en) for wrong in row.wrongs])
            continue
        made = records.make(connection, HIDDEN_HAZARDS, row.values, by)
        tell(connection, site, made, "made", now_ns)
        facts = {"ledger": made.ledger, "code": made.code, "alarm": one.id, "opening": one.opening.id}
        note(connection, Hand(who=by.who, time_ns=now_ns), "hazard_opened", **facts)
        opened += 1
    return opened


def meant(connection: Connection, site: Site, now_ns: int) -> list[Meant]:
    """Give the alarms that want a hidden hazard now and have none, at most ``LOOK_MAX``, each once."""
    openings = site.hazards.openings
    if not openings:
        return []
    asked = [*_standing(connection, site, now_ns), *_disposed(connection, site, now_ns)]
    first: dict[str, Meant] = {}
    for one in asked:
        if one.key not in {each.key for each in first.values()}:
            first.setdefault(one.id, one)
    has_one = traits.led_to(connection, first)
    is_open = traits.open_keys(connection, (one.key for one in first.values()))
    return [one for one in first.values() if one.id not in has_one and one.key not in is_open][:LOOK_MAX]


def _standing(connection: Connection, site: Site, now_ns: int) -> Iterable[Meant]:
    openings = [one for one in site.hazards.openings if not one.causes]
    if not openings:
        return
    least = min(one.after_s for one in openings)
    query = (
        select(alarm)
        .where(
            alarm.c.state.in_(STANDING), alarm.c.nature == main_nature(site).value,
            alarm.c.tier.in_(sorted({int(tier) for one in openings for tier in one.tiers})),
            alarm.c.suppression.in_([Suppression.NONE.value, Suppression.SHELVED.value]),
            alarm.c.raised_ns <= now_ns - round(least * 1e9),
        )
        .order_by(alarm.c.raised_ns, alarm.c.key)
    )  # fmt: skip
    for row in connection.execute(query):
        tier = Tier(row.tier)
        for one in openings:
            is_it = one.is_about(tier=tier, condition=row.condition, group=row.rule_group, unit=row.unit)
            if is_it and row.raised_ns <= now_ns - round(one.after_s * 1e9):
                yield Meant(
                    opening=one, id=row.id, key=row.key, tag=row.tag, unit=row.unit, condition=row.condition,
                    tier=tier, raised_ns=row.raised_ns,
                )  # fmt: skip
                break


def _stands(connection: Connection, site: Site) -> bool:
    """Tell whether any alarm stands that may want one when it has stood for longer."""
    query = select(alarm.c.key).where(alarm.c.state.in_(STANDING), alarm.c.nature == main_nature(site).value).limit(1)
    return connection.scalar(query) is not None


def _disposed(connection: Connection, site: Site, now_ns: int) -> Iterable[Meant]:
    openings = [one for one in site.hazards.openings if one.causes]
    if not openings:
        return
    query = (
        select(disposal, alarm.c.rule_group)
        .join(alarm, alarm.c.key == disposal.c.key)
        .where(disposal.c.done_ns > now_ns - DISPOSED_NS, disposal.c.nature == main_nature(site).value)
        .order_by(disposal.c.done_ns, disposal.c.alarm)
    )
    rows = list(connection.execute(query))
    causes = last_causes(connection, [row.alarm for row in rows])
    for row in rows:
        tier = Tier(row.tier)
        for one in openings:
            is_it = one.is_about(tier=tier, condition=row.condition, group=row.rule_group, unit=row.unit)
            if is_it and causes.get(row.alarm) in one.causes:
                yield Meant(
                    opening=one, id=row.alarm, key=row.key, tag=row.tag, unit=row.unit, condition=row.condition,
                    tier=tier, raised_ns=row.opened_ns,
                )  # fmt: skip
                break


def _values(connection: Connection, site: Site, one: Meant, now_ns: int) -> Values:
    """Write the record: title by tag and condition, the dossier where the unit has exactly one."""
    when = datetime.fromtimestamp(min(one.raised_ns, now_ns) // 10**9, ZoneInfo(site.timezone))
    row = site.tags.row_of.get(one.tag)
    names = dict(site.tags[row].title) if row is not None else {}
    called = " ".join(dict.fromkeys(each for each in (names.get("zh"), names.get("en")) if each)) or one.tag
    wanted = reading.Wanted(unit=one.unit)
    dossiers: Sequence[Record] = reading.page(connection, "units", limit=2, wanted=wanted) if one.unit else ()
    is_of_site = any(unit.id == one.unit for unit in site.units)
    said = f"{one.tag} {one.condition}, {one.tier.name}, {when:%Y-%m-%d %H:%M:%S}"
    values: Values = {
        "code": records.free_code(connection, HIDDEN_HAZARDS, f"HH-{when:%Y%m%d}-{one.id[:6]}"),
        "title": f"{called}: {one.condition} ({one.tag})"[:200],
        "source": "alarm",
        "found_on": when.date().isoformat(),
        "found_by": f"{OPENED_BY}{one.opening.id}",
        "alarm": one.id,
        "type": one.opening.type,
        "dossier": dossiers[0].code if len(dossiers) == 1 else "",
        "unit": one.unit if is_of_site else "",
        "description": (f"按规则 {one.opening.id} 由报警自动登记：{said}。\nOpened by rule {one.opening.id}: {said}."),
    }
    return values


class Opener:
    """Looks every few seconds whether an alarm wants a hidden hazard, while the gateway runs."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "hidden hazards", self.turn, lambda _: LOOK_S, self._still)

    async def turn(self) -> int:
        """Look once; nothing is written where nothing is to be opened."""
        site, now_ns = self._means.site(), self._means.clock.wall_ns()
        count, openings = self._means.changes.count, site.hazards.openings
        if not openings or self._still.holds(openings, now_ns=now_ns):
            return 0
        wanted, may_come = await self._means.read(lambda c: (meant(c, site, now_ns), _stands(c, site)))
        if not wanted:
            due_ns = now_ns + round(LOOK_S * NS) if may_come else None
            self._still.keep(count, openings, now_ns=now_ns, due_ns=due_ns)
            return 0
        opened = await self._means.write(lambda connection: look(connection, site, now_ns))
        log.info("hazards.opened", count=opened)
        self._means.wake_push()
        return opened
