"""Push: acknowledgements of authorities, the ledger of notices, what people do about them."""

from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api import queries
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Cursor, Id, When, when_or_none
from gateway.api.door import ALL, AUDIT, CONFIRM, RESEND, Doors, user_of
from gateway.api.house import Act, House
from gateway.live import iso
from gateway.push.acks import Verdict
from gateway.push.export import export
from gateway.push.ledger import Again, Asked, LedgerError, Preview, again, answers_of, chosen, notice_of, preview

Name = Annotated[str, Path(max_length=64)]
Named = Annotated[str | None, Query(max_length=64)]
State = Literal["waiting", "delivered", "handed", "quarantined", "expired", "moved", "withdrawn"]
Limit = Annotated[int, Query(ge=1, le=500)]
From = Annotated[When, Query(alias="from")]
To = Annotated[When, Query(alias="to")]

#: What an acknowledgement that is not taken is answered.
_REFUSED: Final = {
    Verdict.UNREADABLE: (422, "The acknowledgement is not what was agreed upon for this destination."),
    Verdict.FALSE: (403, "The acknowledgement does not carry the signature of the shared key."),
    Verdict.UNKNOWN: (404, "No such notice was sent to this destination."),
}


class Resend(BaseModel):
    """Why a notice goes once more; ``anew``: written by the profile in force, where nobody can have it yet."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    anew: bool = False


def open_push_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def acknowledge(destination: Name, request: Request) -> Response:
        """Take an authority's acknowledgement of one notice."""
        if destination not in {one.id for one in house.site.destinations}:
            raise not_found("destination", destination)
        verdict = await house.push.take_ack(destination, await request.body())
        if verdict in _REFUSED:
            status, said = _REFUSED[verdict]
            raise ApiError(status, said, code=verdict)
        return Json({"verdict": verdict})

    async def ledger(
        state: Annotated[State | None, Query()] = None,
        destination: Named = None,
        begin: From = None,
        end: To = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """List notices to authorities with what was answered, the last composed first."""
        before = 0 if cursor is None else int(queries.unseal(cursor, int)[0])
        asked = _asked(state, destination, begin, end, before)
        found, more = await house.read(lambda c: _page(c, asked, limit))
        return Json({"notices": found, "next": more})

    async def one(key: Name) -> Response:
        """Give one notice word for word, with all that was answered and done about it."""
        found = await house.read(lambda c: _whole(c, key))
        if found is None:
            raise not_found("notice", key)
        return Json(found)

    async def look(key: Name) -> Response:
        """Compare a notice as it was kept with what the profile in force would write; sends nothing."""
        found = await house.read(lambda c: preview(c, house.site, key))
        if found is None:
            raise not_found("notice", key)
        return Json(_preview(found))

    async def resend(key: Id, asked: Resend, request: Request) -> Response:
        """Let a notice go once more; out of quarantine with all that waits behind it."""
        who, now_ns = user_of(request).name, house.clock.wall_ns()
        if not asked.reason.strip():
            raise ApiError(422, "reason: say why.")
        wish = Again(key=key, who=who, reason=asked.reason, now_ns=now_ns, anew=asked.anew)
        act = Act(who=who, what="notice_resent", time_ns=now_ns,
                  facts={"key": key, "reason": asked.reason, "anew": asked.anew})  # fmt: skip
        try:
            n = await house.write(lambda c: again(c, house.site, wish), act)
        except LedgerError as refusal:
            raise ApiError(409, str(refusal), code="not_sent", details={"en": str(refusal), "zh": refusal.zh}) from None
        house.push.wait_again(n)
        return Json({"key": key, "notices": n})

    doors.open("POST", "/api/v1/push/ack/{destination}", CONFIRM, acknowledge, tag="push")
    doors.open("GET", "/api/v1/push/ledger", ALL, ledger, tag="push")
    doors.open("GET", "/api/v1/push/notices/{key}", ALL, one, tag="push")
    doors.open("GET", "/api/v1/push/notices/{key}/preview", ALL, look, tag="push")
    doors.open("POST", "/api/v1/push/notices/{key}/resend", RESEND, resend, tag="push")
    doors.open("GET", "/api/v1/push/ledger/export", AUDIT, _exporter(house), tag="push")


def _exporter(house: House) -> Any:  # noqa: ANN401 - an endpoint
    async def export_ledger(
        request: Request,
        state: Annotated[State | None, Query()] = None,
        destination: Named = None,
        begin: From = None,
        end: To = None,
        lang: Literal["zh", "en"] = "zh",
    ) -> Response:
        """Give the ledger as one signed file that `fengsui ledger verify` checks off-line."""
        asked = _asked(state, destination, begin, end, 0)
        facts = {"site": house.site.id, "made_by": user_of(request).name, "made_at": iso(house.clock.wall_ns())}
        content = await house.read(lambda c: export(c, asked, facts, lang, house.sign))
        name = f"ledger-{house.site.id}.zip".encode("ascii", "replace").decode().replace("?", "_")
        return Response(
            content, media_type="application/zip", headers={"content-disposition": f'attachment; filename="{name}"'}
        )

    return export_ledger


def _asked(state: str | None, destination: str | None, begin: str | None, end: str | None, before: int) -> Asked:
    return Asked(
        state=state,
        destination=destination,
        from_ns=when_or_none(begin, "from") or 0,
        to_ns=when_or_none(end, "to") or 0,
        before=before,
    )


def _page(connection: Connection, asked: Asked, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    rows = connection.execute(chosen(asked).limit(limit + 1)).all()
    told = answers_of(connection, [row.key for row in rows[:limit]])
    found = [{**queries.notice(row), "answers": [_answer(one) for one in told[row.key]]} for row in rows[:limit]]
    return found, queries.seal(rows[limit - 1].seq) if len(rows) > limit else None


def _whole(connection: Connection, key: str) -> dict[str, Any] | None:
    row = notice_of(connection, key)
    if row is None:
        return None
    told = answers_of(connection, [key])[key]
    return {**queries.notice(row), "sent": row.wire or row.body, "answers": [_answer(one) for one in told]}


def _answer(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a result row
    return {
        "number": row.number,
        "time": iso(row.time_ns),
        "what": row.what,
        "status": row.status,
        "text": row.text,
        "who": row.who,
        "reason": row.reason,
    }


def _preview(found: Preview) -> dict[str, Any]:
    return {"sent": found.sent, "now": found.now, "diff": list(found.diff), "wrong": list(found.wrong)}
