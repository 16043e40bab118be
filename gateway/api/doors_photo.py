"""Photos of disposals: taken by their content; photos of all kinds: given back as pictures and nothing else."""

import asyncio
from typing import Annotated

from fastapi import Path, Request, Response
from sqlalchemy import Connection

from alerting.model.disposal import DisposalPolicy
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id
from gateway.api.door import ALL, OPERATE, Doors, user_of
from gateway.api.house import Act
from gateway.disposal import photos, records
from gateway.disposal.location import without_location
from gateway.register import pictures

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


async def picture_of(request: Request, policy: DisposalPolicy) -> tuple[bytes, str]:
    """Take a picture, the body of a request; give it with its media type, by its content.

    Without the place where it was taken, unless the site keeps that.

    Raises:
        ApiError: It is no picture.
    """
    content = await request.body()
    kind = photos.kind_of(content)
    en = "This is no JPEG, PNG or WebP picture, or it is cut short."
    refusal = ApiError(415, en, details={"en": en, "zh": "不是 JPEG、PNG 或 WebP 图片,或文件不完整。"})
    if kind is None:
        raise refusal
    if not policy.keeps_location:
        try:
            content, _ = await asyncio.to_thread(without_location, content, kind)
        except ValueError:
            raise refusal from None
    return content, kind


def open_photo_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def add_photo(alarm: Id, request: Request) -> Response:
        """Add a photo, JPEG, PNG or WebP as the body; what it is, its content says."""
        content, kind = await picture_of(request, house.site.philosophy.disposal)
        now_ns, who = house.clock.wall_ns(), user_of(request).name
        name = photos.digest_of(content)
        await asyncio.to_thread(photos.keep, house.site.data, content)

        def write(connection: Connection) -> None:
            problem = records.add_photo(connection, alarm, name, kind, len(content), who, now_ns)
            if problem == "missing":
                raise not_found("disposal", alarm)
            if problem == "full":
                en = f"A disposal has at most {records.PHOTOS_MAX} photos."
                raise ApiError(409, en, details={"en": en, "zh": f"每条处置最多 {records.PHOTOS_MAX} 张照片。"})

        facts = {"alarm": alarm, "photo": name, "size": len(content)}
        await house.write(write, Act(who=who, what="photo_added", time_ns=now_ns, facts=facts))
        return Json(await house.read(lambda c: records.one(c, alarm, now_ns)))

    async def photo(digest: Digest) -> Response:
        """Give a photo; one that is not what was kept any more is refused."""
        kind = await house.read(lambda c: records.photo_kind(c, digest) or pictures.kind_of(c, digest))
        if kind is None:
            raise not_found("photo", digest)
        content = await asyncio.to_thread(photos.fetch, house.site.data, digest)
        if content is None:
            raise ApiError(409, "The file is gone, or is not what was kept; its digest is in the journal.")
        return Response(content, media_type=kind, headers=photos.INERT)

    doors.open("POST", "/api/v1/disposals/{alarm}/photo", OPERATE, add_photo, tag="disposal")
    doors.open("GET", "/api/v1/photos/{digest}", ALL, photo, tag="disposal")
