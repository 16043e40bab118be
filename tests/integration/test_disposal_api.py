"""Disposals through their doors: listed, written, with photos; hostile uploads are refused, what is kept is inert."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting.model.disposal import DisposalPolicy, Opening
from alerting.model.event import What
from alerting.model.tier import Tier
from alerting.response.disposal import openings
from edge.model import Nature
from gateway.disposal.photos import PHOTO_BYTES_MAX, kind_of
from gateway.disposal.records import open_disposals
from gateway.store import schema
from gateway.store.rows import alarm_row
from tests.integration.test_api import NOW, Door, S, digest, door, is_error, make_alarm
from tests.unit.gateway.test_photo_location import DEGREES, exif
from tests.unit.gateway.test_photo_location import jpeg as phone_jpeg

__all__ = ["door"]

MINUTE = 60 * S


@pytest.fixture(autouse=True)
def _own_folder(door: Door, tmp_path: Path) -> None:
    """Photos of a test lie in its own folder."""
    door.house.site = replace(door.house.site, data=tmp_path / "data")


#: The smallest pictures there are of each kind, from their specifications.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\x00" * 40 + b"\xff\xd9"
WEBP = b"RIFF" + (26).to_bytes(4, "little") + b"WEBPVP8L" + (14).to_bytes(4, "little") + b"\x2f" + b"\x00" * 13
SAID = {"cause": "instrument", "finding": "probe was wet", "measures": "dried, checked against a dip"}


def opening(alarm: str = "a1", tier: Tier = Tier.ORANGE, due_ns: int = NOW + 60 * MINUTE) -> Opening:
    return Opening(
        alarm=alarm, key="k", nature=Nature.TEST, unit="TK-101", tag="TK-101.level", condition="HH", tier=tier,
        opened_ns=NOW - MINUTE, due_ns=due_ns,
    )  # fmt: skip


async def begin(door: Door, *each: Opening) -> None:
    await door.house.write(lambda c: open_disposals(c, each))


@pytest.mark.parametrize(("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
def test_the_content_says_what_a_picture_is(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind
    assert kind_of(content[:-4]) is None, "cut short"


HOSTILE = {
    "markup": b"<html><script>alert(1)</script></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "gif": b"GIF89a" + b"\x00" * 20,
    "program": b"MZ" + b"\x00" * 100,
    "script behind a picture's head": JPEG[:20] + b"<script>alert(1)</script>",
    "a picture's head before an archive": PNG + b"PK\x03\x04" + b"\x00" * 40,
    "empty": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_upload_is_refused_and_nothing_is_kept(door: Door, content: bytes) -> None:
    await begin(door, opening())
    client = await door.as_role("operator")
    answer = await client.post("/api/v1/disposals/a1/photo", content=content, headers={"content-type": "image/png"})
    assert is_error(answer, 415, "invalid")
    assert (await client.get("/api/v1/disposals/a1")).json()["photos"] == []
    assert not (door.house.site.data / "photos").exists()


async def test_a_large_upload_is_refused_before_it_is_read(door: Door) -> None:
    await begin(door, opening())
    client = await door.as_role("operator")
    answer = await client.post("/api/v1/disposals/a1/photo", content=b"\xff" * (PHOTO_BYTES_MAX + 1))
    assert is_error(answer, 413, "too_large")
    assert is_error(await client.post("/api/v1/disposals/a1/submit", content=b"x" * 70_000), 413, "too_large")


async def test_a_photo_is_kept_under_its_digest_and_given_back_inert(door: Door) -> None:
    await begin(door, opening())
    operator, viewer = await door.as_role("operator"), await door.as_role("viewer")
    assert is_error(await viewer.post("/api/v1/disposals/a1/photo", content=PNG), 403, "forbidden")
    assert is_error(await operator.post("/api/v1/disposals/none/photo", content=PNG), 404, "not_found")
    for _ in range(2):
        told = (await operator.post("/api/v1/disposals/a1/photo", content=PNG)).json()
    (photo,) = told["photos"]
    assert (photo["type"], photo["size"], photo["by"]) == ("image/png", len(PNG), "the-operator")

    answer = await viewer.get(f"/api/v1/photos/{photo['digest']}")
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    audit = await door.house.read(lambda c: c.scalars(select(schema.journal.c.body)).all())
    assert any(photo["digest"] in body and "photo_added" in body for body in audit)

    path = door.house.site.data / "photos" / photo["digest"][:2] / photo["digest"]
    path.write_bytes(JPEG)
    assert is_error(await viewer.get(f"/api/v1/photos/{photo['digest']}"), 409, "refused")
    assert is_error(await viewer.get(f"/api/v1/photos/{'0' * 64}"), 404, "not_found")
    for name in ("../register.db", "%2e%2e%2fregister.db", "0" * 63):
        assert (await viewer.get(f"/api/v1/photos/{name}")).status_code in (404, 422)


async def test_a_disposal_has_at_most_so_many_photos(door: Door) -> None:
    await begin(door, opening())
    client = await door.as_role("operator")
    for n in range(12):
        content = JPEG[:20] + b"\xff\xda\x00\x02" + bytes([n]) + JPEG[-2:]
        assert (await client.post("/api/v1/disposals/a1/photo", content=content)).status_code == 200
    assert is_error(await client.post("/api/v1/disposals/a1/photo", content=PNG), 409, "refused")


async def test_open_ones_are_listed_by_their_end_and_overdue_ones_are_counted(door: Door) -> None:
    await begin(door, opening("late", due_ns=NOW - 1), opening("soon", due_ns=NOW + MINUTE), opening("later", Tier.RED))
    client = await door.as_role("viewer")
    told = (await client.get("/api/v1/disposals")).json()
    assert [one["alarm"] for one in told["disposals"]] == ["late", "soon", "later"]
    assert [one["is_overdue"] for one in told["disposals"]] == [True, False, False]
    assert (told["total"], told["counts"]) == (3, {"open": 3, "overdue": 1})
    late = (await client.get("/api/v1/disposals", params={"state": "overdue"})).json()
    assert [one["alarm"] for one in late["disposals"]] == ["late"]
    page = (await client.get("/api/v1/disposals", params={"limit": 1, "offset": 1, "unit": "TK-101"})).json()
    assert ([one["alarm"] for one in page["disposals"]], page["total"]) == (["soon"], 3)


async def test_a_rise_takes_the_higher_tier_and_the_earlier_end_and_a_done_one_stays(door: Door) -> None:
    await begin(door, opening(due_ns=NOW + 60 * MINUTE), opening(tier=Tier.RED, due_ns=NOW + 5 * MINUTE))
    await begin(door, opening(tier=Tier.YELLOW, due_ns=NOW + 90 * MINUTE))
    client = await door.as_role("operator")
    one = (await client.get("/api/v1/disposals/a1")).json()
    assert (one["tier"], one["due"]) == ("RED", "2026-01-01T00:05:00.000Z")
    await client.post("/api/v1/disposals/a1/submit", json=SAID)
    await begin(door, opening(tier=Tier.RED, due_ns=NOW))
    assert (await client.get("/api/v1/disposals/a1")).json()["due"] == one["due"]


async def test_what_is_written_stays_and_the_last_entry_holds(door: Door) -> None:
    await begin(door, opening())
    client, viewer = await door.as_role("operator"), await door.as_role("viewer")
    assert is_error(await viewer.post("/api/v1/disposals/a1/submit", json=SAID), 403, "forbidden")
    assert is_error(await client.post("/api/v1/disposals/none/submit", json=SAID), 404, "not_found")
    for wrong in ({**SAID, "cause": "ghost"}, {**SAID, "finding": ""}, {**SAID, "measures": "  "}, {"cause": "real"}):
        assert is_error(await client.post("/api/v1/disposals/a1/submit", json=wrong), 422, "invalid")
    assert (await client.get("/api/v1/disposals/a1")).json()["state"] == "open"

    done = (await client.post("/api/v1/disposals/a1/submit", json=SAID)).json()
    assert (done["state"], done["entry"]["who"], done["entry"]["cause"], done["told"]) == (
        "done", "the-operator", "instrument", 0,
    )  # fmt: skip
    officer = await door.as_role("safety_officer")
    again = (await officer.post("/api/v1/disposals/a1/submit", json={**SAID, "cause": "real"})).json()
    assert [(entry["number"], entry["cause"], entry["who"]) for entry in again["entries"]] == [
        (1, "instrument", "the-operator"), (2, "real", "the-safety_officer"),
    ]  # fmt: skip
    assert again["done"] == done["done"]
    listed = (await viewer.get("/api/v1/disposals", params={"state": "done"})).json()
    assert (listed["disposals"][0]["entry"]["cause"], listed["counts"]["open"]) == ("real", 0)


async def test_authorities_that_know_the_alarm_are_told_of_its_disposal(door: Door) -> None:
    await begin(door, opening())
    row: dict[str, Any] = {
        "destination": "district", "chain": "a1", "event": "e", "nature": "test", "action": "alert", "tier": 3,
        "is_late": False, "created_ns": NOW, "body": "{}", "state": "delivered", "attempts": 1, "next_ns": 0,
        "last_error": "", "delivered_ns": NOW, "receipt": "",
    }  # fmt: skip
    door.fill(schema.outbox, {**row, "key": "k1"})
    door.fill(schema.outbox, {**row, "key": "k2", "action": "cancel"})
    client = await door.as_role("operator")
    assert (await client.post("/api/v1/disposals/a1/submit", json=SAID)).json()["told"] == 1
    assert (await client.post("/api/v1/disposals/a1/submit", json=SAID)).json()["told"] == 1
    assert door.house.woken == 2
    rows = await door.house.read(
        lambda c: c.execute(select(schema.outbox).where(schema.outbox.c.chain != "a1").order_by("seq")).all()
    )
    bodies = [json.loads(each.body) for each in rows]
    assert [(body["subject"], body["sequence"], body["cause"], body["alarm"]) for body in bodies] == [
        ("disposal", 1, "instrument", "a1"), ("disposal", 2, "instrument", "a1"),
    ]  # fmt: skip
    assert {(each.destination, each.state) for each in rows} == {("district", "waiting")}
    assert bodies[0]["text"]["zh"].startswith("【测试】报警处置")
    assert len({each.key for each in rows}) == 2


async def test_one_may_be_opened_by_hand_for_any_alarm_that_rang(door: Door) -> None:
    door.fill(schema.alarm, alarm_row(make_alarm(1)))
    client = await door.as_role("operator")
    id_ = digest("id", 1)
    for _ in range(2):
        told = (await client.post(f"/api/v1/disposals/{id_}/begin")).json()
    assert (told["alarm"], told["state"], told["entries"]) == (id_, "open", [])
    assert is_error(await client.post("/api/v1/disposals/none/begin"), 404, "not_found")


def test_which_events_open_a_disposal() -> None:
    from tests.unit.alerting.push.test_notice import event  # noqa: PLC0415 - made there

    policy = DisposalPolicy(minutes=(0, 0, 60, 10))
    made = openings(
        policy,
        [
            event(What.RAISED, Tier.YELLOW, 1), event(What.RAISED, Tier.ORANGE, 2), event(What.ESCALATED, Tier.RED, 3),
            event(What.LOWERED, Tier.ORANGE, 4), event(What.RAISED, Tier.RED, 5, suppression="by_design"),
            event(What.RAISED, Tier.RED, 6, suppression="out_of_service"),
            event(What.RAISED, Tier.RED, 7, suppression="shelved"), event(What.REALARMED, Tier.ORANGE, 8),
        ],
    )  # fmt: skip
    assert [(one.tier, (one.due_ns - one.opened_ns) // MINUTE) for one in made] == [
        (Tier.ORANGE, 60), (Tier.RED, 10), (Tier.RED, 10), (Tier.ORANGE, 60),
    ]  # fmt: skip
    assert openings(DisposalPolicy(), [event(What.RAISED, Tier.RED, 1)]) == []


async def test_where_the_phone_was_is_not_kept_unless_the_site_wants_it(door: Door) -> None:
    await begin(door, opening(), opening("a2"))
    client = await door.as_role("operator")
    content = phone_jpeg(exif())
    (photo,) = (await client.post("/api/v1/disposals/a1/photo", content=content)).json()["photos"]
    kept = (await client.get(f"/api/v1/photos/{photo['digest']}")).content
    assert (DEGREES in content, DEGREES in kept, len(kept)) == (True, False, photo["size"])
    assert is_error(await client.post("/api/v1/disposals/a1/photo", content=JPEG), 415, "invalid"), "no picture"
    philosophy = replace(door.house.site.philosophy, disposal=DisposalPolicy(keeps_location=True))
    door.house.site = replace(door.house.site, philosophy=philosophy)
    (photo,) = (await client.post("/api/v1/disposals/a2/photo", content=content)).json()["photos"]
    assert (await client.get(f"/api/v1/photos/{photo['digest']}")).content == content
