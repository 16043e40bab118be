"""Reports over the API: what is mailed when and to whom, what became of each, its files; and once more by hand."""

import json
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerting.report.plan import ReportPlan, last_due
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id
from gateway.api.door import CHANNEL, RESEND, Doors, user_of
from gateway.api.house import Act, House
from gateway.live import iso
from gateway.report_mail.book import Again, ReportError, Run, file_of, receiver_of, runs, send_again
from gateway.roster.china import published

Name = Annotated[str, Path(max_length=120)]


class Send(BaseModel):
    """Why a report goes once more, and to whom; empty for all it was for."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    to: Annotated[str, Field(max_length=254)] = ""


def open_report_mail_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed() -> Response:
        """List the reports of the site, and those made last with what became of each mail."""
        found = await house.read(runs)
        plans = [_plan(house, plan) for plan in house.site.reports]
        return Json({"reports": plans, "runs": [_run(one) for one in found]})

    async def file(run: Id, name: Name) -> Response:
        """Give one file of a report, as it was mailed."""
        found = await house.read(lambda c: file_of(c, run, name))
        if found is None:
            raise not_found("file", name)
        headers = {"content-disposition": f'attachment; filename="{found.name}"'}
        return Response(found.content, media_type=found.media, headers=headers)

    async def again(run: Id, asked: Send, request: Request) -> Response:
        """Send a report once more, the same bytes."""
        who, now_ns = user_of(request).name, house.clock.wall_ns()
        reason = asked.reason.strip()
        if not reason:
            raise ApiError(422, "reason: it is empty.")
        wish = Again(run=run, to=asked.to, who=who, reason=reason, now_ns=now_ns)
        facts = {"run": run, "to": asked.to, "reason": reason}
        act = Act(who=who, what="report_sent_again", time_ns=now_ns, facts=facts)
        try:
            mails = await house.write(lambda c: send_again(c, wish), act)
        except ReportError as failure:
            details = {"en": str(failure), "zh": failure.zh}
            raise ApiError(409, str(failure), code="not_sent_again", details=details) from None
        house.push.wait_again(mails)
        return Json({"mails": mails})

    doors.open("GET", "/api/v1/reports", CHANNEL, listed, tag="channels")
    doors.open("GET", "/api/v1/reports/{run}/files/{name}", CHANNEL, file, tag="channels")
    doors.open("POST", "/api/v1/reports/{run}/send", RESEND, again, tag="channels")


def _plan(house: House, plan: ReportPlan) -> dict[str, Any]:
    site = house.site
    due = last_due(plan, site.roster, ZoneInfo(site.timezone), published, house.clock.wall_ns())
    return {
        "id": plan.id,
        "span": plan.span,
        "at_s": None if plan.span == "shift" else plan.at_s,
        "after_s": plan.after_s if plan.span == "shift" else None,
        "channel": plan.channel,
        "to": list(plan.to),
        "forms": list(plan.forms),
        "post": plan.post,
        "last_due": None if due is None else iso(due.due_ns),
    }


def _run(one: Run) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "report": row.report,
        "span": row.span,
        "shift": row.shift,
        "from": iso(row.from_ns),
        "to": iso(row.to_ns),
        "made": iso(row.made_ns),
        "files": list(one.files),
        "mails": [
            {
                "key": mail.key,
                "to": receiver_of(mail),
                "state": mail.state,
                "since": iso(mail.created_ns),
                "attempts": mail.attempts,
                "delivered": iso(mail.delivered_ns) if mail.delivered_ns else None,
                "last_error": mail.last_error,
                "receipt": json.loads(mail.receipt) if mail.receipt else None,
            }
            for mail in one.mails
        ],
    }
