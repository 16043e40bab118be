"""The hazard register's ledgers: what they are, their records, history, search, and lists in and out.

Flow: request -> [read the row: every wrong field] -> [change under a revision, in the transaction of its act] -> record
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.register.field import Field as Column
from alerting.register.field import Kind, Words, Wrong
from alerting.register.ledger import STATE, Ledger, read_row
from alerting.register.ledgers import LEDGERS
from alerting.register.ledgers.commitments import COMMITMENTS
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from alerting.register.ledgers.inspections import INSPECTIONS
from alerting.register.ledgers.resources import RESOURCES, is_expired
from alerting.register.ledgers.tips import TIPS
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Cursor, Id
from gateway.api.door import ALL, OPERATE, PERMISSIONS, REGISTER, Doors, not_yours, user_of
from gateway.api.doors_commitment import found_now
from gateway.api.doors_photo import picture_of
from gateway.api.house import Act, House
from gateway.api.queries import seal, unseal
from gateway.config import Site
from gateway.disposal import photos
from gateway.live import iso
from gateway.register import commitment_notice, pictures, reading, records, reporter, search, sheets, traits
from gateway.register.around import around, today_of
from gateway.register.campaigns import camera_of
from gateway.register.hazard_notice import tell
from gateway.register.record import Acted, By, NotDone, NotRight, Record, Revision
from gateway.register.worksheet import gather, put_together

T = TypeVar("T")

LOOKED_MAX: Final = 4
MISTAKES_MAX: Final = 2_000
EXPORT_MAX: Final = 200_000
EXPORT_PAGE: Final = 5_000
REFERRING_MAX: Final = 50
TYPE_OF: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Reason = Annotated[str, Field(min_length=1, max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=500)]


class NewRecord(BaseModel):
    """Values by field, and why."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any] = Field(max_length=200)
    reason: str = Field(default="", max_length=2000)


class ChangedRecord(BaseModel):
    """All values as they shall be, the revision that was seen, and why."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any] = Field(max_length=200)
    revision: int = Field(ge=1, le=2**31 - 1)
    reason: Reason


class ActRecord(BaseModel):
    """What an act asks for, the revision that was seen, and why."""

    model_config = ConfigDict(extra="forbid")
    act: str = Field(min_length=1, max_length=24)
    values: dict[str, Any] = Field(default_factory=dict, max_length=60)
    revision: int = Field(ge=1, le=2**31 - 1)
    reason: str = Field(default="", max_length=2000)


class SeenRecord(BaseModel):
    """The revision that was seen, and why."""

    model_config = ConfigDict(extra="forbid")
    revision: int = Field(ge=1, le=2**31 - 1)
    reason: Reason


class Ticket(BaseModel):
    """The list that was looked at, and why it is taken over."""

    model_config = ConfigDict(extra="forbid")
    ticket: str = Field(min_length=1, max_length=64)
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A list that was looked at and may be applied."""

    ledger: str
    looked: sheets.Looked
    words: dict[str, list[str]]


def open_register_doors(doors: Doors) -> None:  # noqa: C901, PLR0915 - a list of routes
    """Declare them."""
    house = doors.house

    async def ledgers() -> Response:
        """Say which ledgers there are, with their fields."""
        return Json({"ledgers": [_describe(ledger, house.site) for ledger in LEDGERS.values()]})

    async def listed(
        ledger: Id,
        q: Annotated[str, Query(max_length=100)] = "",
        unit: Annotated[str | None, Query(max_length=64)] = None,
        refers: Annotated[str | None, Query(max_length=100, description="`ledger:code` that the records name.")] = None,
        state: Annotated[str, Query(max_length=24, description="A state of the ledger, `open` or `overdue`.")] = "",
        removed: bool = False,  # noqa: FBT001, FBT002 - a query parameter
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """List the records of a ledger by code; with ``q`` those that say it, the last made first."""
        of = _ledger(ledger)
        states = _states(of, state)
        due_before = _today(house).isoformat() if state == "overdue" else ""
        if q.strip() and not search.is_asked(q):
            return Json({"records": [], "next": None})
        if q.strip():
            below = None if cursor is None else unseal(cursor, int)[0]
            found = await house.read(lambda c: reading.look_for(c, of.id, q, limit=limit, below=below))
            more = seal(found[-1].seq) if len(found) == limit else None
            if states:
                found = [one for one in found if one.values.get(of.stage or STATE) in states]
            if due_before:
                found = [one for one in found if of.is_overdue(one.values, due_before)]
        else:
            after = None if cursor is None else unseal(cursor, str, int)
            named = _named(refers)
            wanted = reading.Wanted(
                unit=unit, refers_to=named, states=states, due_before=due_before, is_removed=removed
            )
            found = await house.read(partial(reading.page, ledger=of.id, limit=limit, after=after, wanted=wanted))
            more = seal(found[-1].code, found[-1].seq) if len(found) == limit else None
        again = await _repeats(house, of, found)
        return Json({"records": [_shown(house, of, one) | again.get(one.id, {}) for one in found], "next": more})

    async def one(ledger: Id, record: Id) -> Response:
        """Give a record with its history and the records that name it."""
        of = _ledger(ledger)

        def query(c: Connection) -> tuple[Record, list[Revision], list[Record], list[dict[str, Any]], str]:
            found = reading.get(c, of.id, record)
            named_by = reading.referring(c, of.id, found.code, REFERRING_MAX)
            camera = camera_of(c, found) if of.id == INSPECTIONS.id else ""
            return found, reading.revisions(c, found.id), named_by, pictures.of_record(c, found.id), camera

        found, history, named_by, shots, camera = await _try(house.read(query))
        again = await _repeats(house, of, [found])
        return Json(
            {
                "record": _shown(house, of, found) | again.get(found.id, {}),
                "revisions": [
                    {
                        "revision": each.revision,
                        "time": iso(each.time_ns),
                        "who": each.who,
                        "what": each.what,
                        "reason": each.reason,
                        "values": each.values,
                    }
                    for each in history
                ],
                "referring": [shown(each) for each in named_by],
                "photos": shots,
            }
            | ({"camera": camera} if camera else {})
        )

    async def make(ledger: Id, asked: NewRecord, request: Request) -> Response:
        """Make a record."""
        of = _ledger(ledger)
        values = await _read(house, of, asked.values)
        by = _by(house, request, asked.reason)
        facts = {"ledger": of.id, "code": values[of.code], "values_sha256": records.digest_of(values)}

        def write(c: Connection) -> tuple[Record, int]:
            made = records.make(c, of, values, by)
            return made, tell(c, house.site, made, "made", by.time_ns)

        made, told = await _write(house, write, by, "record_made", facts)
        if told:
            house.wake_push()
        return Json({"record": shown(made)})

    async def change(ledger: Id, record: Id, asked: ChangedRecord, request: Request) -> Response:
        """Give a record other values; refused where somebody changed it meanwhile."""
        of = _ledger(ledger)
        had = await _try(house.read(lambda c: reading.get(c, of.id, record)))
        values = await _read(house, of, asked.values, had)
        by = _by(house, request, asked.reason)
        facts = {
            "ledger": of.id,
            "code": values[of.code],
            "revision": asked.revision,
            "values_sha256": records.digest_of(values),
        }

        def write(c: Connection) -> Record:
            _check_silent(house, c, of, record, [*values.values(), by.reason])
            return records.change(c, of, record, values, asked.revision, by)

        kept = await _write(house, write, by, "record_changed", facts)
        return Json({"record": shown(kept)})

    async def remove(ledger: Id, record: Id, asked: SeenRecord, request: Request) -> Response:
        """Take a record out of its ledger; refused where others name it. It can be restored."""
        of = _ledger(ledger)
        by = _by(house, request, asked.reason)
        facts = {"ledger": of.id, "record": record, "revision": asked.revision}
        kept = await _write(
            house, lambda c: records.remove(c, of, record, asked.revision, by), by, "record_removed", facts
        )
        return Json({"record": shown(kept)})

    async def restore(ledger: Id, record: Id, asked: SeenRecord, request: Request) -> Response:
        """Put a removed record back."""
        of = _ledger(ledger)
        by = _by(house, request, asked.reason)
        facts = {"ledger": of.id, "record": record, "revision": asked.revision}
        kept = await _write(
            house, lambda c: records.restore(c, of, record, asked.revision, by), by, "record_restored", facts
        )
        return Json({"record": shown(kept)})

    async def act(ledger: Id, record: Id, asked: ActRecord, request: Request) -> Response:
        """Carry out an act of a closed loop: class, plan, rectify, accept and the like."""
        of = _ledger(ledger)
        doing = of.act(asked.act)
        if doing is None:
            raise not_found("act", asked.act)
        user = user_of(request)
        if user.role not in PERMISSIONS[doing.permission]:
            raise not_yours(user.role, PERMISSIONS[doing.permission])
        by = _by(house, request, asked.reason)
        here = around(house.site, by.time_ns, user.name)
        if of.id == COMMITMENTS.id:
            here = replace(here, found=await found_now(house, by.time_ns), signers=house.site.commitment.signers)
        facts = {"ledger": of.id, "record": record, "act": doing.id, "revision": asked.revision}

        def write(c: Connection) -> tuple[Acted, int]:
            _check_silent(house, c, of, record, [*asked.values.values(), by.reason])
            acted = records.act(c, of, record, doing, asked.values, asked.revision, by, here)
            told = tell(c, house.site, acted.record, doing.id, by.time_ns)
            return acted, told + commitment_notice.tell(c, house.site, acted.record, doing.id, by.time_ns)

        acted, told = await _write(house, write, by, "record_acted", facts)
        if told:
            house.wake_push()
        return Json({"record": _shown(house, of, acted.record), "opened": [shown(one) for one in acted.opened]})

    async def photo(ledger: Id, record: Id, shows: Annotated[str, Query(max_length=12)], request: Request) -> Response:
        """Add a photo to a record, JPEG, PNG or WebP as the body; ``shows`` is a word of the ledger, e.g. after."""
        of = _ledger(ledger)
        if shows not in [choice.code for choice in of.photos]:
            raise ApiError(422, f"shows: {shows!r} is none of {', '.join(c.code for c in of.photos) or 'this ledger'}.")
        content, kind = await picture_of(request, house.site.philosophy.disposal)
        by, name = _by(house, request, ""), photos.digest_of(content)
        await asyncio.to_thread(photos.keep, house.site.data, content)
        facts = {"ledger": of.id, "record": record, "shows": shows, "photo": name, "size": len(content)}

        def write(c: Connection) -> list[dict[str, Any]]:
            had = reading.get(c, of.id, record)
            pictures.add(c, had, shows, name, kind, len(content), by.who, by.time_ns)
            return pictures.of_record(c, had.id)

        return Json({"photos": await _write(house, write, by, "photo_added", facts)})

    async def worksheet(code: Annotated[str, Query(max_length=64)]) -> Response:
        """Work out S, R and the grade of a hazard unit by GB 18218-2018, line by line."""
        gathered = await _try(house.read(lambda c: gather(c, code)))
        return Json(put_together(gathered, house.picture, _today(house)))

    at = "/api/v1/register"
    doors.open("GET", f"{at}/ledgers", ALL, ledgers, tag="register")
    doors.open("GET", f"{at}/worksheet", ALL, worksheet, tag="register")
    _open_sheet_doors(doors)
    doors.open("GET", f"{at}/ledgers/{{ledger}}", ALL, listed, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}", REGISTER, make, tag="register")
    doors.open("GET", f"{at}/ledgers/{{ledger}}/{{record}}", ALL, one, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}/{{record}}", REGISTER, change, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}/{{record}}/act", OPERATE, act, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}/{{record}}/photo", OPERATE, photo, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}/{{record}}/remove", REGISTER, remove, tag="register")
    doors.open("POST", f"{at}/ledgers/{{ledger}}/{{record}}/restore", REGISTER, restore, tag="register")


def _open_sheet_doors(doors: Doors) -> None:
    house = doors.house
    looked: OrderedDict[str, _Kept] = OrderedDict()

    async def export(
        ledger: Id,
        form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "xlsx",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
        blank: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Response:
        """Give a ledger as a sheet that can be read in again; with ``blank`` the empty form."""
        of = _ledger(ledger)
        found: list[Record] = []
        after: tuple[str, int] | None = None
        while not blank and len(found) < EXPORT_MAX:
            part = await house.read(partial(reading.page, ledger=of.id, limit=EXPORT_PAGE, after=after))
            found += part
            if len(part) < EXPORT_PAGE:
                break
            after = (part[-1].code, part[-1].seq)
        name = f"{house.site.id}-{of.id}.{form}"
        content = await asyncio.to_thread(sheets.write, of, found, name, lang)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=TYPE_OF[form], headers=headers)

    async def look(ledger: Id, name: Annotated[str, Query(max_length=200)], request: Request) -> Response:
        """Look at a list, the body of the request: every wrong cell by row, or what would be made and changed."""
        of = _ledger(ledger)
        content = await request.body()
        lines = await asyncio.to_thread(sheets.lines_of, content, name)
        here = around(house.site, house.clock.wall_ns())
        found = await house.read(lambda c: sheets.look(c, of, lines, here))
        ticket = None
        if not found.mistakes and (found.new or found.changed):
            words = await asyncio.to_thread(_words, of, found)
            ticket = sha256(of.id.encode() + b"\0" + content).hexdigest()[:32]
            looked[ticket] = _Kept(ledger=of.id, looked=found, words=words)
            looked.move_to_end(ticket)
            while len(looked) > LOOKED_MAX:
                looked.popitem(last=False)
        return Json(
            {
                "rows": found.rows,
                "new": len(found.new),
                "changed": [
                    {"code": had.code, "before": had.values, "after": values} for had, values in found.changed[:200]
                ],
                "changed_count": len(found.changed),
                "unchanged": found.unchanged,
                "mistakes": [_sheet_mistake(each) for each in found.mistakes[:MISTAKES_MAX]],
                "mistake_count": len(found.mistakes),
                "ticket": ticket,
            }
        )

    async def take(ledger: Id, asked: Ticket, request: Request) -> Response:
        """Take over a list that was looked at: all of it or nothing."""
        of = _ledger(ledger)
        kept = looked.get(asked.ticket)
        if kept is None or kept.ledger != of.id:
            raise _refuse("not_there", Words("Look at the list once more first.", "请先重新查看该文件。"), None)
        by = _by(house, request, asked.reason)
        facts = {"ledger": of.id, "made": len(kept.looked.new), "changed": len(kept.looked.changed)}

        def write(c: Connection) -> None:
            for had, values in kept.looked.changed:
                _check_silent(house, c, of, had.id, [*values.values(), by.reason])
            sheets.take(c, of, kept.looked, by, kept.words)

        await _write(house, write, by, "records_imported", facts)
        looked.pop(asked.ticket, None)
        return Json({"made": len(kept.looked.new), "changed": len(kept.looked.changed)})

    at = "/api/v1/register/ledgers/{ledger}"
    doors.open("GET", f"{at}/export", ALL, export, tag="register")
    doors.open("POST", f"{at}/look", REGISTER, look, tag="register")
    doors.open("POST", f"{at}/take", REGISTER, take, tag="register")


# ------------------------------------------------------------------------------------------------------------- inside


def _ledger(name: str) -> Ledger:
    found = LEDGERS.get(name)
    if found is None:
        raise not_found("ledger", name)
    return found


def _check_silent(house: House, connection: Connection, of: Ledger, record: str, said: Iterable[object]) -> None:
    """Refuse that a report by a person comes to name the person."""
    if of.id == TIPS.id:
        reporter.check_silent(connection, house.site.data, record, said)


def _named(refers: str | None) -> tuple[str, str] | None:
    if refers is None:
        return None
    ledger, mark, code = refers.partition(":")
    if not mark or ledger not in LEDGERS or not code:
        raise ApiError(422, f"refers: {refers!r} is no ledger:code.")
    return ledger, code


def _words(of: Ledger, found: sheets.Looked) -> dict[str, list[str]]:
    rows = [*found.new, *(values for _, values in found.changed)]
    return {str(values[of.code]): search.tokens_of(of.id, records.said_in(of, values)) for values in rows}


def _states(of: Ledger, state: str) -> list[str]:
    """Give the states that a filter means.

    Raises:
        ApiError: The ledger has no such state.
    """
    known = [choice.code for choice in of.states]
    if state == "":
        return []
    if known and state in {"open", "overdue"}:
        done = of.shut | of.in_time if state == "overdue" else of.shut
        return [code for code in known if code not in done]
    if state not in known:
        raise ApiError(
            422, f"state: {state!r} is none of {', '.join(['open', 'overdue', *known]) if known else 'none'}."
        )
    return [state]


def _today(house: House) -> date:
    return today_of(house.site, house.clock.wall_ns())


async def _read(house: House, of: Ledger, raw: dict[str, Any], had: Record | None = None) -> dict[str, Any]:
    here = around(house.site, house.clock.wall_ns())
    full = await house.read(lambda c: records.surround(c, of, [raw], here, had.id if had else ""))
    row = read_row(of, raw, full, had.values if had else None)
    if row.wrongs:
        raise not_right(of, row.wrongs)
    return row.values


def not_right(of: Ledger, wrongs: Sequence[Wrong]) -> ApiError:
    """Give the answer to a record that is wrong: the first mistake as a sentence, all of them beside it."""
    first = wrongs[0]
    title = next((each.title for each in of.fields if each.name == first.field), Words(first.field, first.field))
    said = Words(f"{title.en}: {first.rule.en}. {first.remedy.en}", f"{title.zh}：{first.rule.zh}。{first.remedy.zh}")
    return ApiError(422, said.en, details={**said.both(), "wrongs": [_wrong(of, each) for each in wrongs]})


def _by(house: House, request: Request, reason: str) -> By:
    who, now_ns = user_of(request).name, house.clock.wall_ns()
    return By(who=who, time_ns=now_ns, reason=reason, here=around(house.site, now_ns, who))


async def _write(house: House, fn: Callable[[Connection], T], by: By, what: str, facts: dict[str, Any]) -> T:
    act = Act(who=by.who, what=what, time_ns=by.time_ns, facts={**facts, "reason": by.reason})
    try:
        return await _try(house.write(fn, act))
    except NotRight as refusal:
        raise not_right(LEDGERS[facts["ledger"]], refusal.wrongs) from None


async def _try(doing: Awaitable[T]) -> T:
    try:
        return await doing
    except NotDone as refusal:
        raise _refuse(refusal.code, refusal.said, refusal.details) from None


def _refuse(code: str, said: Words, details: object) -> ApiError:
    status = 404 if code == "not_there" else 409
    return ApiError(status, said.en, code=code, details={**said.both(), "more": details})


def shown(one: Record) -> dict[str, Any]:
    """Write a record for an answer."""
    return {
        "id": one.id,
        "ledger": one.ledger,
        "code": one.code,
        "title": one.title,
        "unit": one.unit,
        "revision": one.revision,
        "changed": iso(one.time_ns),
        "changed_by": one.who,
        "values": one.values,
        "is_removed": one.is_removed,
    }


def _shown(house: House, of: Ledger, one: Record) -> dict[str, Any]:
    """Write a record with what is derived of it today."""
    today = _today(house).isoformat()
    told = shown(one)
    if fixed := of.follows(one.values):
        told["fixed"] = sorted(fixed)
    if of.id == RESOURCES.id:
        told["is_expired"] = is_expired(one.values, today)
    elif of.due:
        told["is_overdue"] = of.is_overdue(one.values, today)
    return told


async def _repeats(house: House, of: Ledger, found: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Say of hidden hazards which was here before."""
    if of.id != HIDDEN_HAZARDS.id or not found:
        return {}
    days = house.site.hazards.repeat_days

    def query(c: Connection) -> dict[str, dict[str, Any]]:
        again = traits.repeats(c, [one.id for one in found], days)
        known = reading.of_ids(c, [one.before for one in again.values()])
        return {
            which: {"repeat": {"id": one.before, "code": known[one.before].code, "days": one.days, "times": one.times}}
            for which, one in again.items()
        }

    return await house.read(query)


def _describe(ledger: Ledger, site: Site) -> dict[str, Any]:
    return {
        "id": ledger.id,
        "title": ledger.title.both(),
        "about": ledger.about.both(),
        "code": ledger.code,
        "named": ledger.named,
        "fields": [_describe_field(each, site) for each in ledger.fields],
        "shut": sorted(ledger.shut),
        "photos": [{"code": choice.code, "title": choice.title.both()} for choice in ledger.photos],
        "has_due": bool(ledger.due),
        "stage": ledger.stage,
        "acts": [
            {
                "id": each.id,
                "title": each.title.both(),
                "begins": sorted(each.begins),
                "ends": each.ends,
                "fields": list(each.fields),
                "needed": sorted(each.needed),
                "permission": each.permission,
                "unless": each.unless,
            }
            for each in ledger.acts
        ],
    }


def _describe_field(column: Column, site: Site) -> dict[str, Any]:
    is_number = column.kind in (Kind.NUMBER, Kind.WHOLE)
    return {
        "name": column.name,
        "title": column.title.both(),
        "kind": column.kind,
        "eu": column.eu,
        "is_required": column.is_required,
        "is_listed": column.is_listed,
        "is_by_act": column.is_by_act,
        "is_derived": column.is_derived,
        "ledger": column.ledger,
        "least": column.least if is_number and column.least > float("-inf") else None,
        "most": column.most if is_number and column.most < float("inf") else None,
        "choices": _choices(column, site),
        "help": None if column.help is None else column.help.both(),
    }


def _choices(column: Column, site: Site) -> list[dict[str, Any]]:
    """Give the words that a field takes; those of posts are the site's."""
    if column.kind in (Kind.POST, Kind.STEPS):
        return [{"code": post.id, "title": dict(post.title)} for post in site.roster.posts]
    return [{"code": choice.code, "title": choice.title.both()} for choice in column.choices]


def _wrong(of: Ledger, wrong: Wrong) -> dict[str, Any]:
    title = next((each.title for each in of.fields if each.name == wrong.field), Words(wrong.field, wrong.field))
    return {
        "field": wrong.field,
        "title": title.both(),
        "value": wrong.value,
        "rule": wrong.rule.both(),
        "remedy": wrong.remedy.both(),
    }


def _sheet_mistake(mistake: sheets.SheetMistake) -> dict[str, Any]:
    return {
        "sheet": mistake.sheet,
        "row": mistake.row,
        "column": mistake.column,
        "value": mistake.value,
        "rule": mistake.rule.both(),
        "remedy": mistake.remedy.both(),
    }
