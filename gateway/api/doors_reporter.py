"""Who reported: kept, opened and forgotten by few; each time the audit says by whom and why, and never who it is."""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from alerting.register.field import Words
from alerting.register.ledgers.tips import TIPS
from gateway.api.answer import ApiError, Json
from gateway.api.asked import Id
from gateway.api.door import REPORTER, Doors, person_of
from gateway.api.house import Act
from gateway.register import reporter
from gateway.register.reading import get
from gateway.register.record import NotDone
from gateway.register.reporter import Reporter

TEXT_MAX: Final = 200
#: What is done in the transaction of its act: store, key, now in ns.
Doing = Callable[[Connection, bytes, int], None]
#: An answer that names a person stays in no cache.
UNKEPT: Final = {"cache-control": "no-store"}


class Told(BaseModel):
    """Who reported; at least a name or a telephone."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=TEXT_MAX)
    phone: str = Field(default="", max_length=40)
    answer_to: str = Field(default="", max_length=TEXT_MAX)
    note: str = Field(default="", max_length=2000)


class Why(BaseModel):
    """Why it is opened or forgotten; it stands in the audit, so it names nobody."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)


def open_reporter_doors(doors: Doors) -> None:  # noqa: C901 - a list of routes
    """Declare them."""
    house = doors.house

    async def stands(record: Id) -> Response:
        """Say whether somebody is kept as who reported; not who."""

        def query(c: Connection) -> bool:
            get(c, TIPS.id, record)
            return reporter.is_kept(c, record)

        try:
            return Json({"is_kept": await house.read(query)})
        except NotDone as refusal:
            raise _refuse(refusal) from None

    async def keep(record: Id, asked: Told, request: Request) -> Response:
        """Keep who reported, sealed; refused where the record itself names the person."""
        who = Reporter(**{name: said.strip() for name, said in asked.model_dump().items()})
        if not who.name and not who.phone:
            raise ApiError(
                422, "name, phone: give one of them.",
                details=Words("Give a name or a telephone.", "请填写姓名或电话。").both(),
            )  # fmt: skip
        await _do(
            record, "reporter_kept", "", request, lambda c, key, now_ns: reporter.keep(c, key, record, who, now_ns)
        )
        return Json({"is_kept": True}, headers=UNKEPT)

    async def opened(record: Id, asked: Why, request: Request) -> Response:
        """Give who reported, to a person, with a reason that the audit keeps."""
        found: list[Reporter] = []

        def look(c: Connection, key: bytes, _: int) -> None:
            found[:] = [reporter.open_for(c, key, record)]
            if found[0].is_in([asked.reason]):
                raise NotDone(
                    "names_reporter",
                    Words(
                        "The reason stands in the audit and names the person; write it without.",
                        "原因会写入审计，其中含有举报人信息，请改写。",
                    ),
                )

        await _do(record, "reporter_opened", asked.reason, request, look)
        who = found[0]
        told = {"name": who.name, "phone": who.phone, "answer_to": who.answer_to, "note": who.note}
        return Json(told, headers=UNKEPT)

    async def forget(record: Id, asked: Why, request: Request) -> Response:
        """Forget who reported, for good."""

        def drop(c: Connection, key: bytes, _: int) -> None:
            if reporter.open_for(c, key, record).is_in([asked.reason]):
                raise NotDone(
                    "names_reporter",
                    Words("The reason names the person; write it without.", "原因中含有举报人信息，请改写。"),
                )
            reporter.forget(c, record)

        await _do(record, "reporter_forgotten", asked.reason, request, drop)
        return Json({"is_kept": False})

    async def _do(record: str, what: str, reason: str, request: Request, fn: Doing) -> None:
        by, now_ns = person_of(request), house.clock.wall_ns()
        try:
            tip = await house.read(lambda c: get(c, TIPS.id, record))
            key = await asyncio.to_thread(reporter.key_of, house.site.data)
            facts = {"ledger": TIPS.id, "code": tip.code, "record": record} | ({"reason": reason} if reason else {})
            act = Act(who=by.name, what=what, time_ns=now_ns, facts=facts)
            await house.write(lambda c: fn(c, key, now_ns), act)
        except NotDone as refusal:
            raise _refuse(refusal) from None

    at = "/api/v1/register/tips/{record}/reporter"
    doors.open("GET", at, REPORTER, stands, tag="register")
    doors.open("POST", at, REPORTER, keep, tag="register")
    doors.open("POST", f"{at}/open", REPORTER, opened, tag="register")
    doors.open("POST", f"{at}/forget", REPORTER, forget, tag="register")


def _refuse(refusal: NotDone) -> ApiError:
    status = 404 if refusal.code == "not_there" else 409
    return ApiError(status, refusal.said.en, code=refusal.code, details=refusal.said.both())
