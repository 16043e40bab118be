"""``fengsui probe``: look at a device's registers before it is configured, or when its values look wrong."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

import typer

if TYPE_CHECKING:
    from edge.config import ModbusOptions

GOOD, FINDING, WRONG = 0, 1, 2
TABLES = ("holding", "input", "coil", "discrete")
SCHEMES = ("modbus-tcp", "modbus-rtu-tcp", "modbus-rtu")
SHOWN = 12


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def probe(
    target: Annotated[
        str,
        typer.Argument(
            help="modbus-tcp://HOST[:502], modbus-rtu-tcp://HOST:PORT or modbus-rtu:///dev/ttyUSB0?baudrate=9600&"
            "parity=none&stop_bits=1; or a site file, with --source."
        ),
    ],
    register: Annotated[int, typer.Argument(help="First register, from 0 as on the wire; 40001 of a manual is 0.")],
    count: Annotated[int, typer.Argument(help="How many; one before and four behind are read too.")] = 4,
    table: Annotated[str, typer.Option("--table", help="holding, input, coil or discrete.")] = "holding",
    device_id: Annotated[int | None, typer.Option("--device-id", help="Unit id; default 1, or the source's.")] = None,
    expect: Annotated[
        str, typer.Option("--expect", help="What the instrument shows: 4.2 (within 2 %), 0..5, or a text.")
    ] = "",
    source: Annotated[str, typer.Option("--source", help="A source of the site file.")] = "",
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds to wait for an answer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show raw registers beside every plausible way to read them; exit 1 where the device gives none. Reads only."""
    from edge.collect.modbus.address import BIT_TABLES
    from edge.collect.modbus.probe import COUNT_MAX, REGISTERS, survey_address
    from edge.decode.guess import expected
    from gateway.probe import Probed
    from gateway.probe_shown import probe_shown

    if table not in TABLES:
        _refuse(f"--table is {table}; it is one of {', '.join(TABLES)}.")
    try:
        wanted = expected(expect)
    except ValueError as mistake:
        _refuse(f"--expect: {mistake}")
    options = _device(target, source)
    if device_id is not None:
        options = replace(options, device_id=device_id)
    if not 0 <= options.device_id <= 255:  # noqa: PLR2004 - one byte
        _refuse(f"--device-id is {device_id}; it is 0 to 255.")
    if timeout is not None:
        if not 0 < timeout <= 60:  # noqa: PLR2004 - as timeout_s of a source
            _refuse(f"--timeout is {timeout:g}; it is up to 60 s.")
        options = replace(options, timeout_s=timeout)
    counts_from = options.coils_from if table in BIT_TABLES else options.registers_from
    first = register - counts_from
    if not 1 <= count <= COUNT_MAX:
        _refuse(f"COUNT is {count}; it is 1 to {COUNT_MAX}.")
    if not 0 <= first <= REGISTERS - count:
        _refuse(
            f"REGISTER is {register}; with {count} registers it is {counts_from} to {REGISTERS - count + counts_from}."
        )
    found, reason = asyncio.run(survey_address(options, table, first, count))  # type: ignore[arg-type]  # as checked
    facts = probe_shown(
        Probed(survey=found, source=source, reason=reason, seconds=0.0), wanted, counts_from, options.place
    )
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else render(facts))
    raise typer.Exit(GOOD if found.known.any() else FINDING)


def _device(target: str, source: str) -> "ModbusOptions":
    """Read where the device is."""
    if "://" in target:
        if source:
            _refuse("--source names a source of a site file; give the site file in place of the address.")
        return _of_address(target)
    path = Path(target)
    if not source:
        _refuse(
            f"{target} is no address such as modbus-tcp://10.0.0.5; if it is a site file, name one of its --source."
        )
    from gateway.load import ConfigError, load

    try:
        site = load(path)
    except ConfigError as mistakes:
        _refuse(str(mistakes))
    one = next((each for each in site.sources if each.id == source), None)
    if one is None:
        _refuse(f"--source is {source}; the site has {', '.join(each.id for each in site.sources)}.")
    if one.modbus is None or one.modbus.call is not None:
        what = "is no Modbus device" if one.modbus is None else "is a device that dials in"
        _refuse(f"Source {source} {what}; only the running gateway can look at it, on its page.")
    _check_alone(site.data, source)
    return one.modbus


def _check_alone(data: Path, source: str) -> None:
    """Refuse while a gateway runs on the data folder: many devices take one client only."""
    from gateway.rules.files import BOX

    if BOX.is_running(data):
        _refuse(f"A gateway runs on {data} and is connected to source {source}; probe it on the page, under Field.")


def _of_address(target: str) -> "ModbusOptions":
    from edge.config import ModbusOptions, SerialOptions

    try:
        url = urlsplit(target)
        port = url.port
    except ValueError as failure:
        _refuse(f"{target} is no address: {failure}.")
    asked = dict(parse_qsl(url.query))
    if url.scheme not in SCHEMES:
        _refuse(f"{target} begins with {url.scheme}; it begins with one of {', '.join(SCHEMES)}.")
    if url.scheme == "modbus-rtu":
        parity = asked.pop("parity", "none")
        numbers = {name: asked.pop(name, default) for name, default in (("baudrate", "9600"), ("stop_bits", "1"))}
        if (
            asked
            or url.netloc
            or parity not in ("none", "even", "odd")
            or not all(map(str.isdecimal, numbers.values()))
        ):
            _refuse("A serial port is written modbus-rtu:///dev/ttyUSB0?baudrate=9600&parity=none&stop_bits=1.")
        serial = SerialOptions(
            path=url.path,
            baudrate=int(numbers["baudrate"]),
            parity=parity,  # type: ignore[arg-type]  # as checked
            stop_bits=int(numbers["stop_bits"]),
        )
        return ModbusOptions(framing="rtu", serial=serial)
    if not url.hostname or url.path not in ("", "/") or asked or url.username:
        _refuse(f"{target} is written {url.scheme}://HOST:PORT, with --device-id beside it.")
    framing = "tcp" if url.scheme == "modbus-tcp" else "rtu"
    return ModbusOptions(host=url.hostname, port=port or 502, framing=framing)  # type: ignore[arg-type]


def render(facts: dict[str, Any]) -> str:
    """Write a survey for people."""
    head = f"{facts['place']}, {facts['table']} (function {facts['function']}), {facts['requests']} requests."
    if facts["reason"]:
        return f"{head}\nNo connection: {facts['reason']}."
    lines = [head]
    for one in facts["registers"]:
        mark = ">" if one["is_asked"] else " "
        place = f"{mark} {one['counted']:>5}  {one['notation']:>5}"
        if "failure" in one:
            lines.append(f"{place}  -  {_why(one['failure'])}")
        elif "bit" in one:
            lines.append(f"{place}  {one['bit']}")
        else:
            bcd = "" if one["bcd"] is None else f"bcd {one['bcd']}"
            raw = f"{place}  {one['hex']}  {one['bits']}  {one['text']}"
            lines.append(f"{raw}  {one['uint16']:>5}  {one['int16']:>6}  {bcd}".rstrip())
    if facts["guesses"]:
        lines += ["", "Likeliest first:"]
        lines += [f"  {_guess(one)}" for one in facts["guesses"][:SHOWN]]
    elif facts["failure"] is None and "bit" not in facts["registers"][0]:
        lines += ["", "Nothing here reads as what is expected."]
    return "\n".join(lines)


def _guess(one: dict[str, Any]) -> str:
    said = json.dumps(one["text"], ensure_ascii=False) if one["text"] else f"{one['value']:.10g}"
    kind = "/".join(one["types"]) + ("" if one["order"] == "ABCD" else f" {one['order']}")
    scale = "" if one["scale"] == 1 else f", scale {one['scale']:g}"
    beside = f"  ({one['away']:+d} of what was asked)" if one["away"] else ""
    return f"{one['score']:4.2f}  register {one['counted']:>5}  {kind}{scale}  =  {said}{beside}"


def _why(failure: dict[str, Any] | None) -> str:
    if failure is None:
        return "not read"
    return f"exception {failure['code']}" if failure["code"] else str(failure["reason"])
