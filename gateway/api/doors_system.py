"""Health, readiness, flow, metrics, and the description of this API."""

import hmac
import ipaddress
from dataclasses import asdict
from html import escape
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from gateway.api.answer import ApiError, Json, error
from gateway.api.door import ALL, PUBLIC, Doors
from gateway.api.doors_node import node_shown
from gateway.api.source_metrics import source_families
from gateway.live import iso
from gateway.meter import StageCount, expose

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def open_system_doors(doors: Doors, metrics_token: str) -> None:
    """Declare them."""
    house, app = doors.house, doors.app

    async def health() -> Response:
        """Tell that the process answers."""
        return Json({"status": "up"})

    async def ready() -> Response:
        """Tell whether scans are judged and committed: 200, or 503."""
        if house.ready():
            return Json({"status": "ready"})
        return error(503, "The gateway is starting or cannot commit.")

    async def flow() -> Response:
        """Give each stage's counters, the queues, and how each source and edge node stands."""
        snapshot = house.meter.snapshot()
        return Json(
            {
                "as_of": iso(house.clock.wall_ns()),
                "stages": [_stage(count) for count in snapshot.stages],
                "queues": [
                    {"name": queue.name, "size": queue.size, "max": queue.max, "dropped": queue.dropped}
                    for queue in snapshot.queues
                ],
                "sources": [
                    {
                        "id": source.id,
                        "protocol": source.protocol,
                        "is_up": source.is_up,
                        "last_scan": iso(source.last_scan_ns),
                        "scans": source.scans,
                        "refused": source.refused,
                        "refused_by": dict(source.refused_by),
                        "failures": dict(source.failures),
                        "last_success": iso(source.last_success_ns),
                        "samples": source.samples,
                        "requests": source.requests,
                        "skipped": source.skipped,
                        "overruns": source.overruns,
                        "reconnects": source.reconnects,
                        "crashes": source.crashes,
                        "bytes": {"sent": source.sent_bytes, "received": source.received_bytes},
                        "kept": [
                            {
                                "reason": kept.reason,
                                "origin": kept.origin,
                                "text": kept.text,
                                "size": kept.size,
                                "received": iso(kept.received_ns),
                            }
                            for kept in source.kept
                        ],
                    }
                    for source in house.sources()
                ],
                "nodes": [node_shown(node) for node in house.nodes()],
                "node_broker": None if (broker := house.node_broker()) is None else asdict(broker),
            }
        )

    async def metrics(request: Request) -> Response:
        """Give the counters to Prometheus: from this machine, or with the token as bearer."""
        if not _may_scrape(request, metrics_token):
            raise ApiError(403, "Metrics are for this machine, or for who has the token.")
        status = house.picture.status()
        sources = house.sources()
        gauges = [
            ("fengsui_ready", "1 when scans are judged and committed.", float(house.ready())),
            ("fengsui_sources_up", "Sources whose link is up.", float(sum(source.is_up for source in sources))),
            ("fengsui_sources", "Sources.", float(len(sources))),
            (
                "fengsui_alarms_listed",
                "Alarms not normal or suppressed, without those of a drill.",
                float(sum(not house.picture.is_exercise(alarm) for alarm in house.picture.alarms.values())),
            ),
            ("fengsui_alarms_unacked", "Alarms that want an answer.", float(status["unacked"])),
            ("fengsui_live_clients", "Pages on the live feed.", float(house.picture.clients)),
        ]
        nodes = house.nodes()
        gauges += [
            ("fengsui_nodes_up", "Edge nodes that speak.", float(sum(node.is_up for node in nodes))),
            ("fengsui_nodes", "Edge nodes.", float(len(nodes))),
            ("fengsui_nodes_waiting", "Records in the spools of edge nodes.", float(sum(n.waiting for n in nodes))),
            ("fengsui_nodes_lag_seconds", "Lag of the slowest edge node.", max((n.lag_s for n in nodes), default=0.0)),
        ]
        broker = house.node_broker()
        if broker is not None:
            said = "1 when the gateway's own link to the broker of the edge nodes is up."
            gauges.append(("fengsui_node_broker_up", said, float(broker.is_up)))
        return Response(expose(house.meter, gauges, source_families(sources)), media_type=METRICS_TYPE)

    async def described() -> Response:
        """Give this API as OpenAPI 3.1."""
        return Json(app.openapi())

    async def docs() -> Response:
        """Show this API on a plain page."""
        return HTMLResponse(_page(app.openapi()))

    doors.open("GET", "/api/v1/health", PUBLIC, health, tag="system")
    doors.open("GET", "/api/v1/ready", PUBLIC, ready, tag="system")
    doors.open("GET", "/api/v1/flow", ALL, flow, tag="system")
    doors.open("GET", "/metrics", PUBLIC, metrics, tag="system")
    doors.open("GET", "/api/v1/openapi.json", PUBLIC, described, tag="system")
    doors.open("GET", "/docs", PUBLIC, docs, tag="system")


def _stage(count: StageCount) -> dict[str, Any]:
    return {
        "stage": count.stage,
        "in": count.entered,
        "out": count.left,
        "held": count.held,
        "refused": count.refused,
        "noted": count.noted,
        "balance": count.balance,
        "delay_ms": {"p50": count.delay_p50_ms, "p99": count.delay_p99_ms},
        "last_error": count.last_error,
        "last_error_time": iso(count.last_error_ns),
    }


def _may_scrape(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    # A proxy on this machine speaks for the whole world; its header gives it away.
    if any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


def _page(described: dict[str, Any]) -> str:
    """Write the API as one page without scripts: it works offline and under the strictest content policy."""
    rows = []
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            asked = ", ".join(f"{p['name']}{'*' if p.get('required') else ''}" for p in route.get("parameters", ()))
            roles = ", ".join(route.get("x-roles", ()))
            rows.append(
                f"<tr><td><code>{escape(method.upper())}</code></td><td><code>{escape(path)}</code></td>"
                f"<td>{escape(route.get('summary', ''))}</td><td>{escape(asked)}</td><td>{escape(roles)}</td></tr>"
            )
    title = escape(f"{described['info']['title']} {described['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>'
        "body{font:14px system-ui,sans-serif;margin:24px;background:#E6E8EB;color:#1B1F24}"
        "table{border-collapse:collapse}td,th{border:1px solid #B8BCC4;padding:4px 8px;text-align:left;"
        "vertical-align:top}</style></head>"
        f"<body><h1>{title}</h1><p>{escape(described['info']['description'])}</p>"
        '<p>OpenAPI 3.1: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>'
        "<table><tr><th>Method</th><th>Path</th><th>What</th><th>Parameters (* required)</th><th>Roles</th></tr>"
        f"{''.join(rows)}</table></body></html>"
    )
