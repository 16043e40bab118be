"""Where edge nodes send what they collected."""

from typing import Any

from fastapi import Request, Response

from gateway.api.answer import ApiError, Json
from gateway.api.door import Doors
from gateway.api.gate import INGEST
from gateway.live import iso
from gateway.nodes.reception import NodeStatus, Refusal


def open_node_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def ingest(request: Request) -> Response:
        """Take a batch of scans from an edge node; answers 200 when it is durable."""
        try:
            taken = await house.take_from_node(request.state.node, await request.body())
        except Refusal as refusal:
            headers = {} if refusal.retry_after_s is None else {"retry-after": str(refusal.retry_after_s)}
            raise ApiError(refusal.status, str(refusal), code=refusal.code, headers=headers) from None
        return Json(taken.told())

    doors.open_for_nodes(INGEST, ingest)


def node_shown(node: NodeStatus) -> dict[str, Any]:
    """Write how a node stands, for ``/flow``."""
    return {
        "name": node.name,
        "is_up": node.is_up,
        "last_contact": iso(node.last_contact_ns),
        "lag_s": round(node.lag_s, 3),
        "clock_offset_s": round(node.clock_offset_s, 3),
        "spool": {
            "waiting": node.waiting,
            "bytes": node.bytes,
            "dropped": node.dropped,
            "corrupt": node.corrupt,
        },
        "refused": dict(node.refused),
        "known": node.known,
        "missing": node.missing,
        "revision": node.revision,
        "error": node.error,
        "error_code": node.error_code,
        "sources": list(node.sources),
    }
