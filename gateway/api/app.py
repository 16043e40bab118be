"""The whole HTTP application, made from a house.

Flow: gate -> door (roles) -> route -> house
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from gateway.api.answer import CODES, ApiError, error
from gateway.api.checking import Checking
from gateway.api.door import COOKIE, Doors
from gateway.api.doors_account import open_account_doors
from gateway.api.doors_acts import open_act_doors
from gateway.api.doors_acts_many import open_acts_doors
from gateway.api.doors_alarm_list import open_alarm_list_doors
from gateway.api.doors_alarms import open_alarm_doors
from gateway.api.doors_call_out import open_call_out_doors
from gateway.api.doors_channels import open_channel_doors
from gateway.api.doors_checkout import open_checkout_doors
from gateway.api.doors_commitment import open_commitment_doors
from gateway.api.doors_config import open_config_doors
from gateway.api.doors_crowd import open_crowd_doors
from gateway.api.doors_delivery import open_delivery_doors
from gateway.api.doors_derived import open_derived_doors
from gateway.api.doors_disposal import open_disposal_doors
from gateway.api.doors_drill import open_drill_doors
from gateway.api.doors_duty import open_duty_doors
from gateway.api.doors_escalation import open_escalation_doors
from gateway.api.doors_exchange import open_exchange_doors
from gateway.api.doors_exposure import open_exposure_doors
from gateway.api.doors_handover import open_handover_doors
from gateway.api.doors_hazards import open_hazard_doors
from gateway.api.doors_incident import open_incident_doors
from gateway.api.doors_incident_after import open_incident_after_doors
from gateway.api.doors_kpi import open_kpi_doors
from gateway.api.doors_ledger import open_ledger_doors
from gateway.api.doors_node import open_node_doors
from gateway.api.doors_people import open_people_doors
from gateway.api.doors_photo import open_photo_doors
from gateway.api.doors_plant import open_plant_doors
from gateway.api.doors_probe import open_probe_doors
from gateway.api.doors_proposal import open_proposal_doors
from gateway.api.doors_push import open_push_doors
from gateway.api.doors_quiet import open_quiet_doors
from gateway.api.doors_register import open_register_doors
from gateway.api.doors_report import open_report_doors
from gateway.api.doors_report_mail import open_report_mail_doors
from gateway.api.doors_reporter import open_reporter_doors
from gateway.api.doors_response_plans import open_response_plan_doors
from gateway.api.doors_risk import open_risk_doors
from gateway.api.doors_roll_call import open_roll_call_doors
from gateway.api.doors_roster import open_roster_doors
from gateway.api.doors_rules import open_rule_doors, open_trial_doors
from gateway.api.doors_runs import open_run_doors
from gateway.api.doors_session import open_session_doors
from gateway.api.doors_stop import open_stop_doors
from gateway.api.doors_system import open_system_doors
from gateway.api.doors_zone import open_zone_doors
from gateway.api.feed import open_feed
from gateway.api.gate import BODY_MAX, CSRF_HEADER, FAILED, Gate
from gateway.api.house import House
from gateway.api.malformed import said_of
from gateway.api.page import DIST, open_page
from gateway.live import CLIENTS_MAX
from gateway.meter import Stage

ABOUT = (
    "Monitoring and early-warning gateway for major hazard sources. Times are ISO 8601 in UTC; fields ending in _ns "
    "are ns since 1970-01-01 UTC as strings. Methods other than GET need the header X-Fengsui-Request: 1. Every error "
    'is {"error": {"code", "message", "details"}}.'
)

SAID = {
    401: "Log in first.",
    404: "There is nothing at this path.",
    405: "This method is not for this path.",
    413: f"The body is larger than {BODY_MAX} bytes.",
}

#: Mistakes listed in one answer, and how much of each is echoed.
MISTAKES_MAX = 20


class Application:
    """The gate around the routes: an ASGI application.

    Attributes:
        doors: Every declared route, for tests and documents.
        openapi: Gives the description of the API.
    """

    def __init__(self, app: FastAPI, gate: ASGIApp, doors: Doors) -> None:
        self._gate = gate
        self.doors = doors
        self.openapi = app.openapi

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Serve one connection."""
        await self._gate(scope, receive, send)


def make_app(house: House, *, dist: Path = DIST, hosts: Sequence[str] = (), metrics_token: str = "") -> Application:
    """Make the application.

    Args:
        house: The gateway around it.
        dist: Folder of the built page.
        hosts: Host names that requests may be for (without port); empty for any.
        metrics_token: Bearer token that may read ``/metrics`` from elsewhere; empty for none.
    """
    app = FastAPI(
        title="Fengsui",
        version="0.1.0",
        description=ABOUT,
        docs_url=None,  # The framework's own pages load scripts from elsewhere.
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    doors = Doors(app, house)
    checking = Checking()
    open_session_doors(doors, checking)
    open_account_doors(doors, checking)
    open_people_doors(doors)
    open_plant_doors(doors)
    open_derived_doors(doors)
    open_alarm_doors(doors)
    open_act_doors(doors)
    open_acts_doors(doors)
    open_quiet_doors(doors)
    open_stop_doors(doors)
    open_disposal_doors(doors)
    open_photo_doors(doors)
    open_rule_doors(doors)
    open_proposal_doors(doors)
    open_alarm_list_doors(doors)
    open_config_doors(doors)
    open_trial_doors(doors)
    open_ledger_doors(doors)
    open_register_doors(doors)
    open_duty_doors(doors)
    open_risk_doors(doors)
    open_hazard_doors(doors)
    open_exposure_doors(doors)
    open_reporter_doors(doors)
    open_commitment_doors(doors)
    open_report_doors(doors)
    _open_response_doors(doors)
    open_push_doors(doors)
    open_exchange_doors(doors)
    open_system_doors(doors, metrics_token)
    open_node_doors(doors)
    open_probe_doors(doors)
    open_checkout_doors(doors)
    open_delivery_doors(doors)
    open_roster_doors(doors)
    open_drill_doors(doors)
    open_escalation_doors(doors)
    open_channel_doors(doors)
    open_report_mail_doors(doors)
    open_run_doors(doors)
    open_handover_doors(doors, checking)
    open_kpi_doors(doors)
    open_feed(doors)
    open_page(doors, dist)
    app.add_exception_handler(HTTPException, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_mistake)
    app.add_exception_handler(Exception, _on_failure)
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]  # FastAPI's own way of extending it
    house.meter.queue("live.clients", lambda: house.picture.clients, CLIENTS_MAX, lambda: house.picture.dropped)

    def failed(what: str) -> None:
        house.meter.error(Stage.FEED, what, house.clock.wall_ns())
        house.meter.noted(Stage.FEED, "request_failed")

    return Application(app, Gate(app, hosts=hosts, failed=failed), doors)


async def _on_refusal(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)
    if isinstance(refusal, ApiError):
        return error(
            refusal.status_code,
            str(refusal.detail),
            code=refusal.code,
            details=refusal.details,
            headers=dict(refusal.headers or {}),
        )
    status = refusal.status_code
    said = SAID.get(status, "The request cannot be read." if status in CODES else str(refusal.detail))
    return error(status, said, headers=dict(refusal.headers or {}))


async def _on_mistake(_: Request, mistake: Exception) -> Response:
    assert isinstance(mistake, RequestValidationError)
    details = []
    for found in mistake.errors()[:MISTAKES_MAX]:
        where, said = ".".join(str(part) for part in found["loc"])[:200], said_of(found)
        details.append(
            {"where": where, "message": said.en, "en": f"{where}: {said.en}.", "zh": f"{where}：{said.zh}。"}
        )
    return error(422, details[0]["en"], details=details)


async def _on_failure(_: Request, __: Exception) -> Response:
    return error(500, FAILED)  # The framework passes the exception on to the gate, which logs and counts it.


def _describe(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema:
        return app.openapi_schema
    described = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = described.setdefault("components", {})
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {"type": "http", "scheme": "bearer", "description": "An API token, made on the page or by token add."},
        "node": {"type": "http", "scheme": "bearer"},
    }
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {}},
            }
        },
    }
    shape = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            answers = route["responses"]
            answers.pop("422", None)
            answers["4XX"] = {"description": "Refused, with one sentence.", "content": shape}
            answers["5XX"] = {"description": "The gateway could not answer.", "content": shape}
            if method == "post":
                route.setdefault("parameters", []).append(
                    {"name": CSRF_HEADER, "in": "header", "required": True, "schema": {"const": "1"}}
                )
            _name_content(path, answers["200"])
    app.openapi_schema = described
    return described


def _name_content(path: str, answer: dict[str, Any]) -> None:
    if path == "/metrics":
        answer["content"] = {"text/plain": {"schema": {"type": "string"}}}
    elif path in ("/docs", "/login/{token}"):
        answer["content"] = {"text/html": {"schema": {"type": "string"}}}
    elif path.startswith("/api/v1/runs/{run}/"):
        answer["content"] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    elif path.endswith("/export"):
        answer["content"] = {"text/csv": {"schema": {"type": "string"}}}
    else:
        answer["content"] = {"application/json": {"schema": {"type": "object"}}}


def _open_response_doors(doors: Doors) -> None:
    open_response_plan_doors(doors)
    open_incident_doors(doors)
    open_incident_after_doors(doors)
    open_call_out_doors(doors)
    open_roll_call_doors(doors)
    open_crowd_doors(doors)
    open_zone_doors(doors)
