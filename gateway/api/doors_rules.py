"""Rules: those in force, what a change would do, applying one, every revision, and undo."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerting.model.rule import Kind, Rule, RuleTable
from edge.load.mistake import Mistake
from edge.load.words import RESERVED
from gateway.api.answer import ApiError, Json
from gateway.api.asked import Nothing, when
from gateway.api.door import ALL, ENGINEER, Doors, user_of
from gateway.api.house import House
from gateway.api.mistake import mistake_shown
from gateway.config import Site
from gateway.live import iso
from gateway.load.overlay import Overlay, written
from gateway.rules import revision as kept
from gateway.rules.approval import Declined
from gateway.rules.book import Asked, By, Checked, NotApplied
from gateway.rules.change import Change, text_of_overlay
from gateway.rules.parts import PartDifference
from gateway.rules.proposal import count_open
from gateway.rules.revision import Difference, Revision
from gateway.rules.trials import SPAN_NS_MAX, Busy, Trial, Trials

#: A swap is done at the end of the next tick; compiling a large site takes a few seconds before that.
ANSWER_S_MAX = 60.0
LIMIT_MAX = 5_000
CHANGES_MAX = 500
DAY_NS = 86_400_000_000_000
MISTAKES_MAX = 200
PARTS_MAX = 2_000
STATUS = {"mistakes": 422, "no_revision": 404}

Number = Annotated[int, InPath(ge=1, le=2**31)]


class RuleChange(BaseModel):
    """One of: ``set`` keys of a rule in force (null takes one away), ``remove``, ``as_in_files``, or ``add``."""

    model_config = ConfigDict(extra="forbid")
    rule: str = Field(default="", max_length=300)
    set: dict[str, Any] = Field(default_factory=dict, max_length=40)
    remove: bool = False
    as_in_files: bool = False
    add: dict[str, Any] | None = Field(default=None, max_length=40)


class CheckRules(BaseModel):
    """One of: ``changes`` on top of what is in force, a whole ``text``, the ``files`` anew, ``undo`` to a revision."""

    model_config = ConfigDict(extra="forbid")
    changes: list[RuleChange] = Field(default_factory=list, max_length=CHANGES_MAX)
    text: str | None = Field(default=None, max_length=60_000)
    files: bool = False
    undo: int = Field(default=0, ge=0, le=2**31)


class ApplyRules(CheckRules):
    """What to apply, why, and the revision that was seen; ``approved_by`` names who agreed, if the site asks for it."""

    reason: str = Field(min_length=1, max_length=2000)
    approved_by: str = Field(default="", max_length=64)
    expected: int = Field(ge=1, le=2**31)


class TryRules(CheckRules):
    """What to try, and on which span of the history."""

    begin: str = Field(alias="from", max_length=40)
    end: str = Field(alias="to", max_length=40)


class UndoRules(BaseModel):
    """Why, and the revision that was seen."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=2000)
    approved_by: str = Field(default="", max_length=64)
    expected: int = Field(ge=1, le=2**31)


def open_rule_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def rules(
        q: Annotated[str, Query(max_length=200, description="Part of a rule's id, its tag's title or unit.")] = "",
        tag: Annotated[str | None, Query(max_length=128)] = None,
        unit: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 500,
        offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
    ) -> Response:
        """List the rules in force with their values and revisions."""
        book, site, table = house.rulebook, house.site, house.rules
        number, overlay = book.number, book.overlay
        found = await asyncio.to_thread(_search, site, table, q, tag, unit)
        shown = [rule_shown(table, overlay, table[k]) for k in found[offset : offset + limit]]
        more = offset + limit if offset + limit < len(found) else None
        waiting = await house.read(count_open)
        return Json(
            {
                "revision": number,
                "can_change": book.compile is not None,
                "needs_approval": house.site.approval.is_needed,
                "waiting": waiting,
                "rules": shown,
                "total": len(found),
                "next": more,
            }
        )

    async def check(asked: CheckRules) -> Response:
        """Tell what a change would do, and what is wrong with it; changes nothing."""
        try:
            found = await house.rulebook.check(_asked(asked))
        except NotApplied as refusal:
            raise refused(refusal) from None
        return Json(checked_shown(found))

    async def apply(asked: ApplyRules, request: Request) -> Response:
        """Put other rules in force between two ticks; refused where another revision is in force than was seen."""
        return await put(request, _asked(asked), asked)

    async def undo(number: Number, asked: UndoRules, request: Request) -> Response:
        """Go back to a revision; this is a new revision itself."""
        return await put(request, Asked(undo=number), asked)

    async def put(request: Request, asked: Asked, said: ApplyRules | UndoRules) -> Response:
        if not said.reason.strip():
            raise ApiError(422, "reason: give a reason.")
        by = By(who=user_of(request).name, reason=said.reason.strip(), approved_by=said.approved_by.strip())
        return await put_in_force(house, asked, by, said.expected)

    async def revisions(
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    ) -> Response:
        """List revisions, the newest first: who, when, why, how many rules."""
        found = await house.read(lambda c: kept.listed(c, limit, before))
        more = found[-1].number if len(found) == limit and found[-1].number > 1 else None
        shown = [revision_shown(each, is_whole=False) for each in found]
        return Json({"running": house.rulebook.number, "revisions": shown, "next": more})

    async def one(number: Number) -> Response:
        """Give one revision with what it changed."""
        found = await house.read(lambda c: kept.one(c, number))
        if found is None:
            raise ApiError(404, f"There is no revision {number}.")
        return Json(revision_shown(found, is_whole=True) | {"text": text_of_overlay(found.overlay)})

    doors.open("GET", "/api/v1/rules", ALL, rules, tag="rules")
    doors.open("POST", "/api/v1/rules/check", ENGINEER, check, tag="rules")
    doors.open("POST", "/api/v1/rules/apply", ENGINEER, apply, tag="rules")
    doors.open("GET", "/api/v1/rules/revisions", ALL, revisions, tag="rules")
    doors.open("GET", "/api/v1/rules/revisions/{number}", ALL, one, tag="rules")
    doors.open("POST", "/api/v1/rules/revisions/{number}/undo", ENGINEER, undo, tag="rules")


async def put_in_force(house: House, asked: Asked, by: By, expected: int) -> Response:
    """Apply a change; where the site asks for a second person let it wait for one: answered with 202 and its number."""
    if house.site.approval.is_needed:
        try:
            made = await house.proposals.propose(asked, replace(by, approved_by=""), expected)
        except NotApplied as refusal:
            raise refused(refusal) from None
        except Declined as said:
            raise ApiError(409, str(said), code=said.code, details=said.said) from None
        return Json({"revision": None, "applied": None, "proposal": made.number}, status_code=202)
    try:
        number = await asyncio.wait_for(house.rulebook.apply(asked, by, expected), ANSWER_S_MAX)
    except TimeoutError:
        raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None
    except NotApplied as refusal:
        raise refused(refusal) from None
    done = await house.read(lambda c: kept.one(c, number))
    shown = None if done is None else revision_shown(done, is_whole=True)
    return Json({"revision": number, "applied": shown, "proposal": None})


def open_trial_doors(doors: Doors) -> None:
    """Declare those of trials on the site's own history."""
    house = doors.house
    trials = Trials(house)

    async def try_them(asked: TryRules, request: Request) -> Response:
        """Try a change on the site's own history, beside the rules in force; one at a time."""
        from_ns, to_ns = when(asked.begin, "from"), min(when(asked.end, "to"), house.clock.wall_ns())
        if not 0 < to_ns - from_ns <= SPAN_NS_MAX:
            raise ApiError(422, f"from must be before to, and before now, by at most {SPAN_NS_MAX // DAY_NS} days.")
        try:
            trial = await trials.start(_asked(asked), user_of(request).name, from_ns, to_ns)
        except Busy:
            who = trials.last.who if trials.last else "somebody"
            raise ApiError(409, f"A trial of {who} is running; wait or stop it.", code="busy") from None
        except NotApplied as refusal:
            raise refused(refusal) from None
        return Json({"trial": _trial(trial)})

    async def trial() -> Response:
        """Tell how far the trial is that runs, or what the last one gave."""
        return Json({"trial": None if trials.last is None else _trial(trials.last)})

    async def stop(asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Stop the trial that runs."""
        trials.cancel()
        last = await trials.wait()
        return Json({"trial": None if last is None else _trial(last)})

    doors.open("POST", "/api/v1/rules/backtest", ENGINEER, try_them, tag="rules")
    doors.open("GET", "/api/v1/rules/backtest", ENGINEER, trial, tag="rules")
    doors.open("POST", "/api/v1/rules/backtest/cancel", ENGINEER, stop, tag="rules")


def _search(site: Site, table: RuleTable, q: str, tag: str | None, unit: str | None) -> list[int]:
    """Find rules by their own words and those of their tags, in the order of the tags."""
    words = q.casefold().split()
    found = []
    for k, rule in enumerate(table):
        if rule.is_hidden:
            continue
        row = int(table.row[k])
        own = site.tags[row]
        if (tag is not None and own.name != tag) or (unit is not None and own.unit != unit):
            continue
        if words:
            said = " ".join((rule.id, own.unit, *own.title.values())).casefold()
            if not all(word in said for word in words):
                continue
        found.append(k)
    return found


def rule_shown(table: RuleTable, overlay: Overlay, rule: Rule) -> dict[str, Any]:
    """Give a rule as the API and the page know it."""
    tag = table.tags[table.tags.row_of[rule.tag]]
    return {
        "id": rule.id,
        "tag": rule.tag,
        "title": dict(tag.title),
        "unit": tag.unit,
        "eu": tag.eu,
        "resolution": tag.resolution,
        "kind": Kind(rule.kind).name,
        "group": rule.group,
        "tier": rule.tier.name,
        "revision": rule.revision,
        "is_changed": rule.id in overlay.rules,
        "is_own": rule.id.startswith(f"{RESERVED}."),
        "table": written(rule),
    }


def revision_shown(revision: Revision, *, is_whole: bool) -> dict[str, Any]:
    """Give a revision as the API and the page know it; what it changed only where the whole is asked for."""
    shown: dict[str, Any] = {
        "number": revision.number,
        "time": iso(revision.time_ns),
        "who": revision.who,
        "origin": revision.origin,
        "reason": revision.reason,
        "approved_by": revision.approved_by,
        "undoes": revision.undoes or None,
        "files": revision.files,
        "count": len(revision.changes),
        "count_others": len(revision.others),
        "others": [f"{each.part} {each.name}" for each in revision.others[:10]],
        "rules": [each.rule for each in revision.changes[:10]],
    }
    if is_whole:
        shown["changes"] = [difference_shown(each) for each in revision.changes]
        shown["parts"] = [part_shown(each) for each in revision.others[:PARTS_MAX]]
    return shown


def part_shown(each: PartDifference) -> dict[str, Any]:
    """Give what differs in a tag, source or other part."""
    return {"part": each.part, "name": each.name, "before": each.before, "after": each.after, "keys": each.keys}


def difference_shown(each: Difference) -> dict[str, Any]:
    """Give what differs in a rule."""
    return {"rule": each.rule, "before": each.before, "after": each.after, "keys": each.keys}


def _asked(asked: CheckRules) -> Asked:
    given = [bool(asked.changes), asked.text is not None, asked.files, asked.undo > 0]
    if sum(given) != 1:
        raise ApiError(422, "Give one of changes, text, files and undo.")
    return Asked(
        changes=tuple(_change(number, each) for number, each in enumerate(asked.changes, start=1)),
        text=asked.text,
        is_files=asked.files,
        undo=asked.undo,
    )


def _change(number: int, asked: RuleChange) -> Change:
    given = [bool(asked.set), asked.remove, asked.as_in_files, asked.add is not None]
    if sum(given) != 1 or (asked.add is None) is not bool(asked.rule):
        said = "give rule and one of set, remove and as_in_files, or add alone."
        raise ApiError(422, f"changes, number {number}: {said}")
    return Change(
        rule=asked.rule,
        set=asked.set,
        is_removed=asked.remove,
        is_as_in_files=asked.as_in_files,
        add=asked.add,
    )


def checked_shown(found: Checked) -> dict[str, Any]:
    """Give what would come of a change, as the API and the page know it."""
    return {
        "revision": found.revision,
        "ok": is_applicable(found),
        "mistakes": _mistakes(found.mistakes),
        "warnings": _mistakes(found.warnings),
        "changes": [difference_shown(each) for each in found.changes],
        "needs_restart": list(found.restart),
        "parts": [part_shown(each) for each in found.others[:PARTS_MAX]],
        "count_others": len(found.others),
        "restarted": [] if found.beside is None else sorted(found.beside.restarted),
    }


def is_applicable(found: Checked) -> bool:
    """Tell whether applying it would be done and do something."""
    return not found.mistakes and not found.restart and (bool(found.changes) or found.beside is not None)


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "who": trial.who,
        "state": trial.state,
        "share": trial.share,
        "started": iso(trial.started_ns),
        "from": iso(trial.from_ns),
        "to": iso(trial.to_ns),
        "revision": trial.checked.revision,
        "changes": [difference_shown(each) for each in trial.checked.changes],
        "code": trial.code,
        "message": trial.message,
        "result": trial.result,
    }


def _mistakes(mistakes: Sequence[Mistake]) -> list[dict[str, Any]]:
    return [mistake_shown(each) for each in mistakes[:MISTAKES_MAX]]


def refused(refusal: NotApplied) -> ApiError:
    """Say why a change was not applied, with all that is wrong."""
    since = [revision_shown(each, is_whole=True) for each in refusal.since]
    details = checked_shown(refusal.checked) | {"since": since}
    return ApiError(STATUS.get(refusal.code, 409), str(refusal), code=refusal.code, details=details)
