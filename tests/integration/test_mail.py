"""Mails by a real server with STARTTLS and passwords, and a service of notifications over real sockets."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alerting.push.message import digest, one_message
from gateway.cli import app
from gateway.config import Destination, MailOptions, Reach
from gateway.load import load
from gateway.push.apprise import ByApprise, scrubbed, service_of
from gateway.push.channel import Attached, Parcel, PushError
from gateway.push.forms import form_of
from gateway.push.route import request_of
from tests.certificates import Authority
from tests.integration.test_robots import vendor
from tests.mail_server import PASSWORD, USER, MailBox, mail_server
from tests.robots import call

TO = {"person": "li", "title": "", "phone": "", "email": "li@plant.example", "address": "li-topic"}
TOKEN = "tk_s3cret0token"


def by_mail(port: int, *, timeout_s: float = 5.0, **more: Any) -> Destination:  # noqa: ANN401 - any field
    mail = MailOptions(
        host="localhost", port=port, security="starttls", sender="gw@plant.example", to=("room@plant.example",),
        username=USER, password=PASSWORD,
    )  # fmt: skip
    reach = Reach(kind="mail", tongue="both", mail=replace(mail, **more))
    return Destination(id="mail", url="", timeout_s=timeout_s, is_loopback_allowed=True, reach=reach)


def by_service(address: str) -> Destination:
    reach = Reach(kind="apprise", address=address, characters=4000)
    return Destination(id="ntfy", url="", timeout_s=2.0, is_loopback_allowed=True, reach=reach)


def parcel(by: Destination, *, attached: tuple[Attached, ...] = (), **more: Any) -> Parcel:  # noqa: ANN401 - any member
    assert by.reach is not None
    form = form_of(by.reach)
    assert form is not None
    message = one_message(call() | more, form)
    return Parcel(key="k" * 32, chain="c", body=message.parts[0].encode(), message=message, attached=attached)


async def failure(to: Destination, what: Parcel) -> PushError:
    one = ByApprise(to)
    with pytest.raises(PushError) as failed:
        await one.send(what)
    await one.close()
    return failed.value


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailBox]:
    """A server whose certificate our own authority signed, and the machine believes that authority."""
    authority = Authority(tmp_path, "house")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with mail_server(MailBox(), authority.issue("localhost")) as one:
        yield one


async def test_a_mail_goes_encrypted_with_a_password_and_is_handed_over_only(
    box: MailBox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    to = by_mail(box.port)
    one = ByApprise(to)
    report = Attached(name="shift.html", media="text/html", content="<p>班报</p>".encode())
    with caplog.at_level(logging.DEBUG):
        receipt = await one.send(parcel(to, attached=(report,)))
        await one.send(parcel(to, to=TO))
    await one.close()
    (group, first), (person, _) = box.mails
    assert (receipt.is_proof, receipt.status) == (False, 0)
    assert (group, person) == (("room@plant.example",), ("li@plant.example",)), "a person's own address, else the list"
    assert box.was_encrypted == [True, True]
    assert first["subject"] == "【红色预警】1号储罐"
    assert "gw@plant.example" in first["from"]
    text = first.get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert "TK-001.level 4.31 m ≥ 高高报设定值 4.20 m" in said
    assert "Do: Close the feed" in said
    (file,) = first.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("shift.html", "text/html")
    assert file.get_payload(decode=True) == "<p>班报</p>".encode()
    ours = [each.getMessage() for each in caplog.records if each.name != "mail.log"]  # That is the server's.
    heard = "".join((*ours, *capfd.readouterr()))
    assert PASSWORD not in heard
    assert "plant.example" not in heard, "the library's log ends at the adapter"


async def test_a_wrong_password_is_trouble_and_stands_nowhere(box: MailBox) -> None:
    to = by_mail(box.port, password="wrong-password")
    error = await failure(to, parcel(to))
    assert (error.retry, error.is_final, error.reason) == (True, False, "not_accepted")
    assert "535" in error.detail, "the server's own words say why"
    assert "wrong-password" not in str(error)
    assert box.mails == []


async def test_a_server_whose_certificate_nobody_signed_gets_no_password(
    box: MailBox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(other, "stranger").ca_file))
    to = by_mail(box.port)
    error = await failure(to, parcel(to))
    assert error.retry
    assert "certificate verify failed" in error.detail
    assert box.mails == []


@pytest.mark.parametrize(
    ("answer", "is_final"), [("550 5.1.1 no such mail box", True), ("452 4.2.2 the mail box is full", False)]
)
async def test_who_is_unknown_for_good_goes_to_the_next_channel_a_full_box_is_tried_again(
    answer: str, is_final: bool
) -> None:
    with mail_server(MailBox(refuses={"li@plant.example": answer})) as box:
        to = by_mail(box.port, security="none", username="", password="")
        error = await failure(to, parcel(to, to=TO))
    assert (error.retry, error.reason, error.is_final) == (False, "refused", is_final), "others get theirs meanwhile"
    assert answer[4:9] in error.detail


async def test_who_has_no_address_is_not_tried() -> None:
    to = by_mail(9)
    error = await failure(to, parcel(to, to=TO | {"email": ""}))
    assert (error.retry, error.reason, error.is_final) == (False, "no_address", True)
    nobody = by_mail(9, to=())
    assert (await failure(nobody, parcel(nobody))).detail == "the group has no e-mail address"


async def test_a_server_that_hangs_holds_one_thread_and_no_loop() -> None:
    with mail_server(MailBox(hangs_s=20)) as box:
        to = by_mail(box.port, timeout_s=0.4, security="none", username="", password="")
        one = ByApprise(to)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.02)

        ticking = asyncio.create_task(tick())
        for _ in range(2):
            with pytest.raises(PushError) as failed:
                await one.send(parcel(to))
            assert (failed.value.retry, failed.value.reason) == (True, "timeout")
        ticking.cancel()
        assert ticks > 5, "the loop went on"
        assert sum("apprise-mail" in each.name for each in threading.enumerate()) <= 2
        box.released.set()
        await one.close()


async def test_a_private_server_needs_to_be_allowed() -> None:
    to = replace(by_mail(9), is_loopback_allowed=False)
    assert (await failure(to, parcel(to))).reason == "address_refused"


async def test_a_service_is_told_and_says_nothing_of_who_reads() -> None:
    async with vendor(answer=(200, '{"id":"x"}')) as service:
        to = by_service(f"ntfy://{TOKEN}@127.0.0.1:{service.port}/{{address}}")
        one = ByApprise(to)
        receipt = await one.send(parcel(to, to=TO))
        await one.close()
    assert receipt.is_proof is False
    _, _, told = service.asked[0]
    assert (told["topic"], told["title"]) == ("li-topic", "【红色预警】1号储罐")
    assert told["message"].startswith("情况:TK-001.level 4.31 m"), "the title is not said twice"
    assert service.heads[0]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("answer", "reason"), [((429, "{}"), "throttled"), ((403, "{}"), "status_403"), ((500, "x"), "status_500")]
)
async def test_a_service_that_refuses_is_no_success_and_its_key_stands_in_no_error(
    answer: tuple[int, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with vendor(answer=answer) as service:
        to = by_service(f"ntfy://{TOKEN}@127.0.0.1:{service.port}/control-room")
        with caplog.at_level(logging.DEBUG):
            error = await failure(to, parcel(to))
    assert (error.retry, error.reason) == (True, reason)
    assert TOKEN not in str(error) + caplog.text
    assert "control-room" not in str(error) + caplog.text


async def test_a_service_that_is_not_there_is_trouble() -> None:
    to = by_service(f"ntfy://{TOKEN}@127.0.0.1:9/control-room")
    error = await failure(to, parcel(to))
    assert (error.retry, error.reason) == (True, "not_accepted")
    assert TOKEN not in str(error)


async def test_a_redirect_is_not_followed() -> None:
    async with vendor() as other:
        head = f"location: http://127.0.0.1:{other.port}/x\r\n"
        async with vendor(answer=(307, ""), headers=head) as service:
            to = by_service(f"ntfy://{TOKEN}@127.0.0.1:{service.port}/room")
            error = await failure(to, parcel(to))
    assert error.retry
    assert other.asked == []


def test_what_stands_in_an_address_is_filled_in_quoted_and_kept_out_of_reasons() -> None:
    reach = Reach(kind="apprise", address="ntfys://user:p%2Fss-w0rd@ntfy.example/{address}")
    assert scrubbed("login p/ss-w0rd or p%2Fss-w0rd failed at ntfy.example", reach) == (
        "login *** or *** failed at ntfy.example"
    )
    assert service_of(reach.address).host == "ntfy.example"
    with pytest.raises(ValueError, match="reaches nobody"):
        service_of("dbus://")


def test_a_dry_run_shows_whom_and_what_and_a_digest_goes_to_one_person() -> None:
    to = by_mail(9)
    form = form_of(to.reach or Reach())
    assert form is not None
    message = digest([call(n, to=TO) for n in range(3)], form)
    request = json.loads(request_of(to, message, 0))
    assert request["to"] == "li@plant.example"
    assert request["subject"].startswith("【预警汇总】3 条")
    assert PASSWORD not in json.dumps(request)
    assert form.is_by_person


SITE = """
[site]
id = "plant"
title = {{ en = "Plant", zh = "厂区" }}
timezone = "Asia/Shanghai"
tags = ["tags.csv"]

[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[unit]]
id = "TK-1"
kind = "tank"

[[channel]]
id = "mail"
kind = "mail"
host = "localhost"
port = {port}
allow_loopback = true
from = "gw@plant.example"
to = ["room@plant.example"]
username = "fengsui"
password_env = "FENGSUI_MAIL"

[[channel]]
id = "ntfy"
kind = "apprise"
url_env = "FENGSUI_NTFY"
"""


async def test_a_site_file_and_the_command_line_reach_the_mail_box(box: MailBox, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE.format(port=box.port), "utf-8")
    tags = Path(__file__).parents[1] / "golden" / "config" / "channel_mail_wrong" / "tags.csv"
    (tmp_path / "tags.csv").write_bytes(tags.read_bytes())
    environ = {"FENGSUI_MAIL": PASSWORD, "FENGSUI_NTFY": f"ntfys://{TOKEN}@ntfy.example/{{address}}"}
    mail, ntfy = load(tmp_path / "site.toml", environ=environ).channels
    assert (mail.timeout_s, mail.reach and mail.reach.limits[0].most) == (30.0, 30)
    assert (ntfy.reach and ntfy.reach.characters, ntfy.reach and ntfy.reach.limits[0].most) == (4000, 12)
    assert PASSWORD not in repr(mail)
    assert TOKEN not in repr(ntfy)
    asked = ["channel", "send", f"{tmp_path}/site.toml", "mail", "--email", "li@plant.example"]
    done = await asyncio.to_thread(CliRunner().invoke, app, asked, env=environ)
    assert done.exit_code == 0, done.output
    assert "Handed over; nobody says whether it arrived" in done.output
    assert [to for to, _ in box.mails] == [("li@plant.example",)]
    assert box.mails[0][1]["subject"] == "【测试】渠道测试 厂区"
    asked[1:2] = ["draft"]
    shown = await asyncio.to_thread(CliRunner().invoke, app, [*asked[:3], "ntfy"], env=environ)
    assert '"service": "ntfy"' in shown.output
    assert TOKEN not in shown.output
