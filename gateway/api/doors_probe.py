"""Probe: raw registers of a device beside every plausible way to read them."""

from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from edge.collect.modbus.address import BIT_TABLES
from edge.collect.modbus.probe import COUNT_MAX, REGISTERS
from edge.config import ModbusOptions
from edge.decode.guess import expected
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.door import ENGINEER, Doors, user_of
from gateway.api.house import Act
from gateway.probe import Asked, ProbeRefused
from gateway.probe_allow import allowed
from gateway.probe_shown import probe_shown


class Look(BaseModel):
    """A running source's device, or an address; which registers; what the instrument shows, where one knows."""

    model_config = ConfigDict(extra="forbid")
    source: str = Field(default="", max_length=64)
    host: str = Field(default="", max_length=253)
    port: int = Field(default=502, ge=1, le=65_535)
    device_id: int = Field(default=1, ge=0, le=255)
    framing: Literal["tcp", "rtu"] = "tcp"
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    register_: int = Field(alias="register", ge=0, le=REGISTERS, description="As the source's tags count.")
    count: int = Field(default=4, ge=1, le=COUNT_MAX)
    expect: str = Field(default="", max_length=80, description="4.2 (within 2 %), 0..5, or a text.")


def open_probe_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def probe(look: Look, request: Request) -> Response:
        """Read some registers once, and say what they may mean; through a running source's own connection."""
        if bool(look.source) == bool(look.host):
            raise ApiError(422, "Give a source, or host, port and device_id.")
        try:
            wanted = expected(look.expect)
        except ValueError as mistake:
            raise ApiError(422, f"expect: {mistake}") from None
        options = _options(look)
        counts_from = options.coils_from if look.table in BIT_TABLES else options.registers_from
        register = look.register_ - counts_from
        if not 0 <= register <= REGISTERS - look.count:
            said = f"register: {look.count} from {look.register_} are not within {counts_from} to "
            raise ApiError(422, f"{said}{REGISTERS - 1 + counts_from}.")
        try:
            options = options if look.source else await allowed(options, house.site)
        except ProbeRefused as refusal:
            raise ApiError(refusal.status, str(refusal), details=refusal.said) from None
        asked = Asked(
            source=look.source,
            options=None if look.source else options,
            table=look.table,
            register=register,
            count=look.count,
        )
        facts = look.model_dump(exclude={"expect"}, by_alias=True) | {"place": options.place}
        act = Act(who=user_of(request).name, what="probed", time_ns=house.clock.wall_ns(), facts=facts)
        await house.write(lambda _: None, act)  # Before a byte leaves.
        try:
            found = await house.probe(asked)
        except ProbeRefused as refusal:
            raise ApiError(refusal.status, str(refusal), details=refusal.said) from None
        return Json(probe_shown(found, wanted, counts_from, options.place))

    def _options(look: Look) -> ModbusOptions:
        if not look.source:
            return ModbusOptions(host=look.host, port=look.port, device_id=look.device_id, framing=look.framing)
        source = next((one for one in house.site.sources if one.id == look.source), None)
        if source is None:
            raise not_found("source", look.source)
        if source.node:
            said = (
                f"Source {source.id} is collected by edge node {' and '.join(source.nodes)}: run fengsui probe there."
            )
            raise ApiError(409, said)
        if source.modbus is None:
            raise ApiError(409, f"Source {source.id} is no Modbus device; only those have registers.")
        return source.modbus

    doors.open("POST", "/api/v1/probe", ENGINEER, probe, tag="field")
