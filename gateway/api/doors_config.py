"""Tables of tags over the API: look at a list on top of what runs, apply it, and give the tables back.

Flow: file -> [look: read, merge, compile aside] -> mistakes by row, or what would change -> [apply] -> a new revision
Why: an integrator with a spreadsheet sees each wrong cell, and what an upload would do to the plant, before it does it.
Never: writes to the site's folder. What is applied is kept in the register, on top of the files.
"""

import asyncio
import tempfile
import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from edge.load.mistake import ConfigError, Mistake
from edge.tables.opened import Asked as HowToRead
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, ENGINEER, Doors, user_of
from gateway.api.doors_rules import checked_shown, put_in_force, refused
from gateway.api.mistake import mistake_shown
from gateway.load.chinese import chinese
from gateway.rules.book import TABLES, Asked, By, NotApplied, Rulebook
from gateway.tables import Imported, bring_in, exported

LOOKED_MAX: Final = 8  # Lists that were looked at and may still be applied; the oldest is forgotten.
MISTAKES_MAX: Final = 2_000
ROWS_MAX: Final = 2_000
TYPE_OF: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

NO_FILES: Final = ApiError(409, "This gateway was started without files.", code="no_files")


class LookAt(BaseModel):
    """Which table a list goes into, how it is called, and how it is to be read (docs/tags.md)."""

    model_config = ConfigDict(extra="forbid")
    into: str = Field(max_length=500)
    name: str = Field(max_length=200)
    form: Literal["", "fengsui", "registers", "kepware", "thingsboard"] = ""
    sheet: str = Field(default="", max_length=200)
    source: str = Field(default="", max_length=200)
    unit: str = Field(default="", max_length=200)
    order: Literal["", "ABCD", "CDAB", "BADC", "DCBA"] = ""
    prefix: str = Field(default="", max_length=100)
    first: int = Field(default=0, ge=0, le=1)
    whole: bool = False


class ApplyTable(BaseModel):
    """Which list to apply, as the look named it; why, and the revision that was seen."""

    model_config = ConfigDict(extra="forbid")
    ticket: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=2000)
    approved_by: str = Field(default="", max_length=64)
    expected: int = Field(ge=1, le=2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A list that was looked at: the table that came of it."""

    table: str
    content: bytes


def open_config_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def config() -> Response:
        """Name the revision in force, and the tables of tags that it is read from."""
        book = house.rulebook
        tags = _named_tables(book)
        tables = [
            {
                "path": name,
                "bytes": len(content),
                "is_on_top": name in book.overlay.files,
                "can_import": name.lower().endswith(".csv") and name in tags,
            }
            for name, content in sorted(book.site.files.items())
            if name.lower().endswith(TABLES)
        ]
        sources = [source.id for source in book.site.sources if source.protocol != "system"]
        can_change = book.compile is not None and book.config is not None
        return Json(
            {
                "revision": book.number,
                "can_change": can_change,
                "needs_approval": house.site.approval.is_needed,
                "tables": tables,
                "sources": sources,
            }
        )

    async def export(
        form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "csv",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
    ) -> Response:
        """Give all tags that are in force as one table, those of templates filled in."""
        book = house.rulebook
        if book.config is None:
            raise NO_FILES
        name, path, files = f"tags.{form}", book.config, book.site.files
        content, _ = await asyncio.to_thread(exported, path, name, lang, files)
        return Response(content, media_type=TYPE_OF[form], headers=_as_file(f"{book.site.id}-{book.number}.{form}"))

    async def table(path: Annotated[str, Query(max_length=500)]) -> Response:
        """Give a table of tags as it is in force."""
        content = house.rulebook.site.files.get(path)
        if content is None or not path.lower().endswith(TABLES):
            raise ApiError(404, f"There is no table {path[:100]!r}.")
        kind = path.lower().rpartition(".")[2]
        return Response(content, media_type=TYPE_OF[kind], headers=_as_file(f"table.{kind}"))

    doors.open("GET", "/api/v1/config", ALL, config, tag="config")
    doors.open("GET", "/api/v1/config/export", ENGINEER, export, tag="config")
    doors.open("GET", "/api/v1/config/table", ENGINEER, table, tag="config")
    _open_change_doors(doors)


def _open_change_doors(doors: Doors) -> None:
    house = doors.house
    looked: OrderedDict[str, _Looked] = OrderedDict()

    async def look(asked: Annotated[LookAt, Query()], request: Request) -> Response:
        """Look at a list of tags, the body of the request: every mistake by row, or what it would change."""
        book = house.rulebook
        content = await request.body()
        found = await asyncio.to_thread(_bring_in, book, content, asked)
        shown = _import_shown(found)
        if found.mistakes:
            return Json({"ok": False, "revision": book.number, "import": shown, "ticket": None, "checked": None})
        table = _Looked(table=asked.into, content=found.text.encode())
        try:
            checked = await book.check(Asked(tables={table.table: table.content}))
        except NotApplied as refusal:
            raise refused(refusal) from None
        ticket = sha256(asked.into.encode() + b"\0" + table.content).hexdigest()[:32]
        looked[ticket] = table
        looked.move_to_end(ticket)
        while len(looked) > LOOKED_MAX:
            looked.popitem(last=False)
        told = checked_shown(checked)
        told["mistakes"] = [mistake_shown(each) for each in checked.mistakes[:MISTAKES_MAX]]
        answer = {"ok": told["ok"], "revision": checked.revision, "import": shown, "ticket": ticket, "checked": told}
        return Json(answer)

    async def apply(asked: ApplyTable, request: Request) -> Response:
        """Put a list that was looked at in force, between two ticks; only changed devices begin anew."""
        if not asked.reason.strip():
            raise ApiError(422, "reason: give a reason.")
        table = looked.get(asked.ticket)
        if table is None:
            raise ApiError(409, "This list was looked at too long ago; look at it again.", code="stale")
        by = By(who=user_of(request).name, reason=asked.reason.strip(), approved_by=asked.approved_by.strip())
        wanted = Asked(tables={table.table: table.content})
        return await put_in_force(house, wanted, by, asked.expected)

    doors.open("POST", "/api/v1/config/look", ENGINEER, look, tag="config")
    doors.open("POST", "/api/v1/config/apply", ENGINEER, apply, tag="config")


def _named_tables(book: Rulebook) -> set[str]:
    """Name the tables that the site file names itself; those of templates hold devices, not tags."""
    raw = None if book.config is None else book.site.files.get(book.config.name)
    return set() if raw is None else set(tomllib.loads(raw.decode("utf-8-sig"))["site"].get("tags", ()))


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _bring_in(book: Rulebook, content: bytes, asked: LookAt) -> Imported:
    """Read a list that came as bytes; runs aside."""
    if book.config is None:
        raise NO_FILES
    plain = Path(asked.name.replace("\\", "/")).name
    if not plain.isprintable() or plain.startswith(".") or not plain.lower().endswith((*TABLES, ".json")):
        raise ApiError(422, "name: give a file that ends with .csv, .xlsx or .json.")
    if asked.into not in book.site.files or not asked.into.lower().endswith(".csv"):
        raise ApiError(422, f"into: {asked.into[:100]!r} is no table of the site that is CSV.")
    how = HowToRead(**asked.model_dump(exclude={"into", "name", "whole"}))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / plain
        file.write_bytes(content)
        try:
            found = bring_in(book.config, file, asked.into, how, is_whole=asked.whole, overlay=book.overlay)
        except ConfigError as error:
            raise ApiError(409, f"The site's own files have mistakes: {error}", code="mistakes") from None
    for told in (found.mistakes, found.warnings):
        told[:] = [_at_home(each, f"{folder}/") for each in told]
    return found


def _at_home(mistake: Mistake, folder: str) -> Mistake:
    """Name the file as the user does."""
    sentence = mistake.sentence.replace(folder, "")
    return replace(mistake, file=mistake.file.replace(folder, ""), sentence=sentence)


def _import_shown(found: Imported) -> dict[str, Any]:
    difference = found.difference
    return {
        "form": found.foreign.form,
        "rows": len(found.foreign.lines),
        "added": difference.added[:ROWS_MAX],
        "removed": difference.removed[:ROWS_MAX],
        "changed": [
            {"tag": change.tag, "cells": {column: list(cells) for column, cells in change.cells.items()}}
            for change in difference.changed[:ROWS_MAX]
        ],
        "count": {
            "added": len(difference.added),
            "removed": len(difference.removed),
            "changed": len(difference.changed),
            "unchanged": difference.unchanged,
        },
        "assumed": _notes(found.foreign.notes),
        "left_out": list(found.foreign.left_out),
        "mistakes": [mistake_shown(each) for each in found.mistakes[:MISTAKES_MAX]],
        "mistakes_total": len(found.mistakes),
        "warnings": [mistake_shown(each) for each in found.warnings[:MISTAKES_MAX]],
    }


def _notes(notes: Mapping[str, int]) -> list[tuple[str, int, str | None]]:
    """Give what was assumed of a list: the sentence, of how many rows, the sentence in Chinese."""
    return [(note, rows, chinese().said(note)) for note, rows in notes.items()]
