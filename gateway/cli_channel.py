"""The command line of channels: what one would send, and one trial, without a running gateway."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli_data import FINDING, GOOD, hand, refuse

if TYPE_CHECKING:
    from alerting.push.message import Message
    from gateway.config import Destination, Site

channels = typer.Typer(help="The ways by which people are called.", no_args_is_help=True)

SiteFile = Annotated[Path, typer.Argument(help="The site file.")]
ChannelId = Annotated[str, typer.Argument(help="Id of the [[channel]].")]
Phone = Annotated[str, typer.Option("--phone", help="Number of the one who is to be reached.")]
Email = Annotated[str, typer.Option("--email", help="E-mail address of the one who is to be reached.")]


def _found(path: Path, name: str) -> "tuple[Site, Destination]":
    from gateway.load import ConfigError, load

    try:
        site = load(path)
    except ConfigError as failure:
        refuse(str(failure))
    found = next((each for each in site.channels if each.id == name), None)
    if found is None:
        known = ", ".join(each.id for each in site.channels) or "none"
        refuse(f"There is no channel {name!r}; known here: {known}.")
    return site, found


def _body(site: "Site", channel: str, phone: str, email: str) -> str:
    from alerting.model.alarm import digest
    from alerting.push.call import Addressee, trial_body
    from edge.clock_system import SystemClock

    who, now_ns = hand().who, SystemClock().wall_ns()
    to = Addressee(person=who, phone=phone, email=email) if phone or email else None
    return trial_body(site, digest("test", channel, who, now_ns), who, to, now_ns)


@channels.command("draft")
def channel_draft(site_file: SiteFile, channel: ChannelId, phone: Phone = "", email: Email = "") -> None:
    """Print what a trial would send; sends nothing."""
    from edge.clock_system import SystemClock
    from gateway.push.trial import drafted

    site, to = _found(site_file, channel)
    found = drafted(to, [_body(site, channel, phone, email)], SystemClock().wall_ns())
    for part in found.parts:
        typer.echo(part)
    typer.echo(f"\n{found.request}")


@channels.command("send")
def channel_send(site_file: SiteFile, channel: ChannelId, phone: Phone = "", email: Email = "") -> None:
    """Send one trial past the outbox; exit 1 where it was not taken."""
    site, to = _found(site_file, channel)
    raise typer.Exit(asyncio.run(_send(to, _body(site, channel, phone, email))))


async def _send(to: "Destination", body: str) -> int:
    from alerting.push.message import one_message, read_call
    from edge.clock_system import SystemClock
    from gateway.push.channel import Parcel, PushError
    from gateway.push.forms import form_of
    from gateway.push.route import make_channel

    assert to.reach is not None, to.id
    told, form = read_call(body), form_of(to.reach, to.topic)
    message: Message | None = None if form is None else one_message(told, form)
    text = body if message is None else message.parts[0]
    way = make_channel(to, SystemClock(), lambda _channel, _text: None)
    try:
        receipt = await way.send(Parcel(key=told["key"], chain=told["key"], body=text.encode(), message=message))
    except PushError as failure:
        typer.echo(f"Not taken: {failure}", err=True)
        return FINDING
    finally:
        await way.close()
    said = "Delivered" if receipt.is_proof else "Handed over; nobody says whether it arrived"
    typer.echo(f"{said}: status {receipt.status}, {receipt.answer}")
    return GOOD
