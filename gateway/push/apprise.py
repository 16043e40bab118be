"""Apprise: mail, ntfy and the other services that its plug-ins know, handed over one message at a time.

Flow: text, reader -> [plug-in, in a thread of its own] -> its True: handed over; its False: what it said of that
Why: a plug-in blocks, tells its log what went wrong and its caller nothing, and writes addresses with what opens them
    into that log. Its log therefore ends here: warnings become the reason, without anything of the address.
Never: takes True for a receipt; follows redirects; keeps anything on disk; begins a second attempt while one hangs.
"""

import asyncio
import functools
import importlib
import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from alerting.push.message import Message, Reader, mobile
from gateway.config import Destination, MailOptions, Reach
from gateway.push.address import Resolve, make_resolver
from gateway.push.channel import Attached, Parcel, PushError, Receipt
from gateway.push.forms import PLACEHOLDER
from gateway.push.post import judged_address

#: What may stand in the address of a service.
PLACEHOLDERS: Final = ("email", "phone", "address")
#: Services that are programs of this machine, or that need a library which is not installed here.
LOCAL: Final = frozenset({"dbus", "qt", "glib", "kde", "gnome", "macosx", "windows", "syslog", "blink1", "deltachat"})
#: What a plug-in tells of a failure at the level of debugging, where the reason stands.
_TOLD: Final = ("Socket Exception", "I/O Exception")
#: Loggers of what it sends by, which others use, too: addresses stand there as well.
_WIRES: Final = ("urllib3.connectionpool", "requests")
#: Codes of SMTP (RFC 5321, 4.2.1: 4yz passes, 5yz does not) about a recipient; others of 5yz are about us.
_REFUSED: Final = re.compile(r"refused: 5\d\d|\{'[^']*': \(5\d\d,|\((?:550|551|553), ")
_NOT_NOW: Final = re.compile(r"refused: 4\d\d|\{'[^']*': \(4\d\d,")
_STATUS: Final = re.compile(r"error[=:]\s?(\d{3})")
TOO_MANY: Final = 429
DETAIL_MAX: Final = 300
#: Pieces of an address that are shorter say nothing, and hiding them would make the reason unreadable.
SECRET_LEAST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """What an address leads to.

    Attributes:
        name: Of the service, e.g. ``ntfy``; ``schema`` as the address begins.
        host: Where the address names one, else empty.
        is_secure: What is sent there is encrypted.
        is_verified: The other side must prove who it is.
        size_max: Most characters of one message.
    """

    name: str
    schema: str
    host: str
    is_secure: bool
    is_verified: bool
    size_max: int


class ByApprise:
    """The channel of one mail server or service.

    Args:
        resolve: How names become addresses; the system's own by default.
    """

    def __init__(self, destination: Destination, *, resolve: Resolve | None = None) -> None:
        assert destination.reach is not None, destination.id
        self._destination, self._reach = destination, destination.reach
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"apprise-{destination.id}")
        self._resolve = resolve or make_resolver(self._threads)
        self._running: Future[tuple[bool, str]] | None = None

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over."""
        assert parcel.message is not None, parcel.key
        if self._running is not None and not self._running.done():
            raise PushError(retry=True, reason="timeout", detail="the attempt before has not ended yet")
        message, text = parcel.message, parcel.body.decode()
        plan = plan_of(self._reach, message.reader)
        timeout_s = self._destination.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                if host := _host_of(self._reach):
                    near = self._destination.is_loopback_allowed
                    await judged_address(self._resolve, host, 0, is_local_allowed=near)
                self._running = self._threads.submit(
                    _hand_over, plan, message.title, text, parcel.attached, timeout_s
                )  # fmt: skip
                is_taken, said = await asyncio.shield(asyncio.wrap_future(self._running))
        except TimeoutError:
            raise PushError(retry=True, reason="timeout", detail=f"no answer within {timeout_s:g} s") from None
        if is_taken:
            return Receipt(status=0, answer="handed over", is_proof=False)
        raise _failure(scrubbed(said, self._reach))

    async def close(self) -> None:
        """Let go of threads; what runs ends by its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)


# ------------------------------------------------------------------------------------------------------- what is asked


def plan_of(reach: Reach, reader: Reader) -> str | Mapping[str, Any]:
    """Give what a plug-in is made of: an address, or of a mail its fields, which nobody needs to quote.

    Raises:
        PushError: The one who is called has no address here.
    """
    if reach.mail is not None:
        return _mail(reach.mail, mail_to(reach.mail, reader))
    known = {"email": reader.email, "phone": mobile(reader.phone), "address": reader.address}
    asked = PLACEHOLDER.findall(reach.address)
    if missing := next((word for word in asked if not known.get(word)), ""):
        who = reader.person or "the group"
        raise PushError(retry=False, reason="no_address", detail=f"{who} has no {missing} here", is_final=True)
    return PLACEHOLDER.sub(lambda found: quote(known[found[1]], safe=""), reach.address)


def mail_to(mail: MailOptions, reader: Reader) -> tuple[str, ...]:
    """Give to whom a mail goes.

    Raises:
        PushError: To nobody.
    """
    to = (reader.email,) if reader.person else mail.to
    if not any(to):
        who = reader.person or "the group"
        raise PushError(retry=False, reason="no_address", detail=f"{who} has no e-mail address", is_final=True)
    return to


def _mail(mail: MailOptions, to: Sequence[str]) -> Mapping[str, Any]:
    mode = {"starttls": "starttls", "tls": "ssl", "none": "insecure"}[mail.security]
    return {
        "schema": "mailto" if mail.security == "none" else "mailtos",
        "host": mail.host, "smtp_host": mail.host, "port": mail.port, "secure_mode": mode,
        "user": mail.username, "password": mail.password, "from_addr": mail.sender, "targets": list(to),
    }  # fmt: skip


def shown_request(reach: Reach, message: Message) -> str:
    """Write what would be handed over, without what opens the service."""
    if reach.mail is None:
        asked = {"service": service_of(reach.address).name}
    else:
        try:
            to = list(mail_to(reach.mail, message.reader))
        except PushError as failure:
            to = [str(failure)]
        asked = {"server": f"{reach.mail.host}:{reach.mail.port}", "from": reach.mail.sender, "to": ", ".join(to)}
    return json.dumps({**asked, "subject": message.title, "text": message.parts[0]}, ensure_ascii=False)


@functools.cache
def service_of(address: str) -> Addressed:
    """Tell what an address leads to; placeholders are taken for somebody's.

    Raises:
        ValueError: The library knows no such address, or it leads to a program of this machine.
    """
    filled = PLACEHOLDER.sub(lambda found: "li@plant.example" if found[1] == "email" else "13800000000", address)
    schema = filled.partition("://")[0].lower()
    if schema in LOCAL:
        raise ValueError(f"{schema}:// is a program of this machine and reaches nobody")
    with _heard():
        plugin = _made(filled)
    if plugin is None:
        raise ValueError("no service that the library knows, or not in full")
    plain = plugin.protocol if isinstance(plugin.protocol, tuple) else (plugin.protocol or "",)
    return Addressed(
        name=str(plugin.service_name), schema=schema, host=_written_host(address),
        is_secure=schema not in plain,
        is_verified=bool(plugin.verify_certificate), size_max=int(plugin.body_maxlen),
    )  # fmt: skip


def _written_host(address: str) -> str:
    """Give the host that an address names; of many services there stands a key instead, which has no dot."""
    host = urlsplit(address).hostname or ""
    return host if "." in host or ":" in host or host == "localhost" else ""


def _host_of(reach: Reach) -> str:
    return reach.mail.host if reach.mail is not None else service_of(reach.address).host


# -------------------------------------------------------------------------------------------------------- the library


@functools.cache
def _library() -> Any:  # noqa: ANN401 - it has no types of its own
    """Load it, and let its log end here."""
    for name in ("apprise", *_WIRES):
        log = logging.getLogger(name)
        if _HEARING not in log.filters:
            log.addFilter(_HEARING)
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    return importlib.import_module("apprise")


def _made(plan: str | Mapping[str, Any]) -> Any:  # noqa: ANN401 - a plug-in
    library = _library()
    asset = library.AppriseAsset(
        app_id="Fengsui", app_desc="Fengsui", app_url="", async_mode=False, http_redirects=False, pgp_autogen=False,
        pem_autogen=False, storage_mode=importlib.import_module("apprise.common").PersistentStoreMode.MEMORY,
        interpret_escapes=False, interpret_emojis=False, image_url_mask="", image_url_logo="",
    )  # fmt: skip
    return library.Apprise.instantiate(plan if isinstance(plan, str) else dict(plan), asset=asset)


def _hand_over(
    plan: str | Mapping[str, Any], title: str, text: str, attached: Sequence[Attached], timeout_s: float
) -> tuple[bool, str]:
    """Run a plug-in to its end, in a thread; give whether it says True, and what it told its log."""
    with _heard() as said:
        plugin = _made(plan)
        if plugin is None:
            return False, "; ".join(said)
        plugin.socket_connect_timeout = plugin.socket_read_timeout = timeout_s
        files = None
        if attached:
            memory = importlib.import_module("apprise.attachment.memory").AttachMemory
            files = _library().AppriseAttachment()
            for each in attached:
                assert each.name.isascii(), each.name
                files.add(memory(content=each.content, name=each.name, mimetype=each.media))
        subject = " ".join(title.split())
        body = text.removeprefix(f"{title}\n") if plugin.title_maxlen > 0 and isinstance(plan, str) else text
        is_taken = plugin.notify(
            body=body, title=subject if plugin.title_maxlen > 0 else "", body_format="text", attach=files
        )
    return bool(is_taken), "; ".join(said)


class _Hearing(logging.Filter):
    """Keeps what a plug-in says, for the thread that runs it, and lets nothing of it through to anybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[int, list[str]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Take a warning, or the reason of one; what others say over the same wires passes."""
        lines = self.said.get(threading.get_ident())
        text = record.getMessage()
        if lines is not None and (record.levelno >= logging.WARNING or text.startswith(_TOLD)):
            lines.append(text)
        return lines is None and record.name != "apprise"


_HEARING: Final = _Hearing()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Hear what plug-ins say in this thread."""
    _library()
    lines: list[str] = []
    _HEARING.said[threading.get_ident()] = lines
    try:
        yield lines
    finally:
        del _HEARING.said[threading.get_ident()]


# ------------------------------------------------------------------------------------------------------------- reasons


def scrubbed(said: str, reach: Reach) -> str:
    """Take everything out of what a plug-in said that stands in the address or opens the server."""
    for secret in sorted(_secrets(reach), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said[:DETAIL_MAX]


def _secrets(reach: Reach) -> set[str]:
    if reach.mail is not None:
        found = {reach.mail.password, quote(reach.mail.password, safe="")}
    else:
        parts = urlsplit(reach.address)
        pieces = re.split(r"[/?&=:@,]", reach.address.partition("://")[2])
        found = {reach.address, *pieces, *(unquote(piece) for piece in pieces)} - {parts.hostname or ""}
    return {one for one in found if len(one) >= SECRET_LEAST}


def _failure(said: str) -> PushError:
    """Tell whose trouble it is, by the little that plug-ins say."""
    status = int(found[1]) if (found := _STATUS.search(said)) else 0
    if _REFUSED.search(said):
        return PushError(retry=False, reason="refused", detail=said, is_final=True)
    if _NOT_NOW.search(said):  # This mail box, as one that is full; others take theirs.
        return PushError(retry=False, reason="refused", detail=said)
    if status == TOO_MANY:
        return PushError(retry=True, reason="throttled", detail=said, status=status)
    if status:
        return PushError(retry=True, reason=f"status_{status}", detail=said, status=status)
    return PushError(retry=True, reason="not_accepted", detail=said or "the plug-in does not say why")
