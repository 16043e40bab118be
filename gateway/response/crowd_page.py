"""Crowd pages: the post that acts is told that an action is offered, begins and ends; one message a person and moment.

Flow: actions that were offered, confirmed, ended -> [page, in their transaction] -> outbox; who was told, or nobody
Why: an offer that only stands on a page is decided by nobody when the square is full and everybody is outside.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, insert

from alerting.model.alarm import digest
from alerting.model.tier import Tier
from alerting.push.crowd_call import CrowdPage, Do, page_body
from alerting.push.post_call import Envelope
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.duty.book import Reach
from gateway.store.schema import outbox

NS: Final = 1_000_000_000
TOLD, PAGE, NOBODY = "told", "page", "nobody"
Row = RowMapping


def page(
    connection: Connection, site: Site, rows: Sequence[Row], do: Do, by: str, now_ns: int
) -> dict[int, list[dict[str, Any]]]:  # fmt: skip
    """Tell whoever acts about actions; gives by number whom, and by which notice.

    Args:
        rows: Actions of the store.
        by: Who decided; he is not told what he just did himself.
    """
    reach = Reach(connection, site, now_ns)
    channel = next((each for each in site.channels if each.id == site.incident.channel), None)
    found: dict[int, list[dict[str, Any]]] = {}
    bundles: defaultdict[tuple[str, Nature], list[Row]] = defaultdict(list)
    for row in rows:
        nature = Nature(row["nature"])
        names = reach.names(who, "") if (who := orjson.loads(row["facts"])["who"]) else []
        is_told = channel is not None and nature in channel.natures
        said = TOLD if is_told else PAGE
        mine = found.setdefault(row["number"], [])
        mine += [{"do": do, "person": name, "said": said, "notice": ""} for name in names if name != by]
        if not names:
            mine.append({"do": do, "person": "", "said": NOBODY, "notice": ""})
        if is_told:
            for name in names:
                if name != by:
                    bundles[name, nature].append(row)
    for (person, nature), told in bundles.items():
        assert channel is not None
        key = digest("crowd_page", person, channel.id, nature, do, *[str(row["number"]) for row in told])
        time = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).isoformat(timespec="seconds")
        envelope = Envelope(
            key=key, site={"id": site.id, "title": dict(site.title)}, nature=nature.value, prefix=nature.prefix,
            time=time, link=f"{site.page_url}/#/response?view=crowd" if site.page_url else "",
        )  # fmt: skip
        body = page_body([_told(row) for row in told], do, reach.addressee(person, channel.id), envelope)
        connection.execute(
            insert(outbox).values(
                key=key, destination=channel.id, chain=key, event="", nature=nature.value, action="call",
                tier=max(row["tier"] for row in told), is_late=False, created_ns=now_ns, body=body, state="waiting",
                attempts=0, next_ns=now_ns, last_error="", delivered_ns=0, receipt="",
            )
        )  # fmt: skip
        for row in told:
            for one in found[row["number"]]:
                if one["person"] == person:
                    one["notice"] = key
    return found


def _told(row: Row) -> CrowdPage:
    facts = orjson.loads(row["facts"])
    title = facts["title"]
    return CrowdPage(
        number=row["number"], zone=row["zone"], name=facts["name"], measure=row["measure"],
        title=Words(title.get("en", ""), title.get("zh", "")), tier=Tier(row["tier"]).name, persons=facts["persons"],
        takes=facts["takes"],
    )  # fmt: skip
