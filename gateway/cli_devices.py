"""The command ``fengsui devices``: a site's field made of code, from the site's own tag tables."""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.config import Site
    from simulators.devices.served import Asked

WRONG = 2
#: What is served, and the formats of topics that are sent.
SERVED = ("modbus-tcp", "modbus-rtu", "modbus-rtu-tcp", "mqtt", "sparkplug", "hj212")
FORMATS = ("json-value", "json-batch")
SENT = ("mqtt", "sparkplug", "hj212")


def devices(
    config: Annotated[Path, typer.Argument(help="The site file (TOML): docs/configuration.md.")],
    speed: Annotated[
        float, typer.Option("--speed", min=0.01, max=10_000, help="Seconds of signals in a second.")
    ] = 1.0,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="End after so long.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Number that fixes the signals.")] = 7,
    bind: Annotated[str, typer.Option("--bind", help="Address to listen on and to call, not each source's own.")] = "",
    broker: Annotated[str, typer.Option("--broker", help="Broker to publish to, not each source's own.")] = "",
    serial: Annotated[
        list[str] | None, typer.Option("--serial", help="SITE'S=OURS: our end of a line, e.g. /dev/ttyUSB0=/dev/pts/4.")
    ] = None,
) -> None:
    """Simulate all devices of a site from its tag tables: Modbus, MQTT, Sparkplug B, HJ 212.

    Prints one JSON line when all listen, and one with the books at the end.
    """
    from gateway.load import ConfigError, check_text, load
    from simulators.devices.served import Asked

    try:
        site = load(config)
    except ConfigError:
        typer.echo(check_text(config)[0], err=True)
        raise typer.Exit(WRONG) from None
    ends = dict(one.partition("=")[::2] for one in serial or [])
    asked = Asked(site=config, seed=seed, speed=speed, seconds=seconds, bind=bind, broker=broker, serial=ends)
    wrong = refusals(site, asked)
    if wrong:
        typer.echo("\n".join(wrong), err=True)
        raise typer.Exit(WRONG)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # It logs what it then raises.
    try:
        asyncio.run(_serve(asked))
    except OSError as problem:
        typer.echo(f"The devices cannot start: {problem}", err=True)
        raise typer.Exit(WRONG) from None


async def _serve(asked: "Asked") -> None:
    from edge.clock_system import SystemClock
    from simulators.devices.served import Served

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Served(asked, SystemClock()).run(stop, _tell)


def _tell(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def refusals(site: "Site", asked: "Asked") -> list[str]:
    """Say of each source why it is not simulated, with what to do; nothing where all are."""
    found = [
        f"Table {name} is a workbook; the devices read CSV. Write it with `fengsui tags export`."
        for name in site.files
        if Path(name).suffix.lower() == ".xlsx"
    ]
    ports = {source.modbus.serial.path for source in site.sources if source.modbus and source.modbus.serial}
    for port, end in asked.serial.items():
        if port not in ports or not end:
            found.append(f"--serial {port}={end}: no source has this port. Write the site's own path, = and ours.")
    for source in site.sources:
        who, mqtt, modbus = f"Source {source.id}", source.mqtt, source.modbus
        if source.protocol not in SERVED:
            found.append(f"{who} speaks {source.protocol}, which is not simulated. Leave it out of a copy of the site.")
        if source.protocol in SENT and source.nature != "test" and not (asked.bind if mqtt is None else asked.broker):
            found.append(
                f"{who} is of nature {source.nature}; what is sent would be taken for the plant's own values. "
                f'Write nature = "test" in a copy of the site, or give {"--bind" if mqtt is None else "--broker"}.'
            )
        if modbus is not None and (modbus.tls is not None or modbus.call is not None):
            found.append(f"{who} has TLS or dials in, which is not simulated. Leave that out of a copy of the site.")
        if mqtt is not None and not asked.broker and (mqtt.tls is not None or mqtt.username):
            found.append(f"{who} has a broker with TLS or a password; the devices have neither. Give --broker.")
        for topic in mqtt.topics if mqtt is not None else ():
            if topic.format not in FORMATS:
                found.append(f"{who}: format {topic.format} is not sent. Use {' or '.join(FORMATS)} in a copy.")
            if "+" in topic.pattern or "#" in topic.pattern or topic.pattern.startswith("$"):
                found.append(f"{who}: pattern {topic.pattern} names no topic to publish to. Write it out in a copy.")
    return found
