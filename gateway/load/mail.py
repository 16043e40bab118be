"""Mail: what a ``[[channel]]`` of kind ``mail`` says of its server, and one of kind ``apprise`` of its service."""

import re
from typing import Final, cast

from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.source import is_host
from gateway.config import MailOptions, MailSecurity
from gateway.load.destination import check_near, is_near_host
from gateway.push.apprise import PLACEHOLDERS, Addressed, service_of
from gateway.push.forms import PLACEHOLDER

#: Ports of submission (RFC 8314, 3.3), of TLS from the first byte (3.2), and of the server itself.
PORTS: Final[dict[MailSecurity, int]] = {"starttls": 587, "tls": 465, "none": 25}
#: RFC 5322 allows far more than any server takes; what stands here can be meant.
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
#: Most bytes of one message of a service, where it would take more.
SERVICE_BYTES: Final = 4000
BYTES: Final = (200, 30_000)


def read_mail(entry: Entry, *, is_loopback_allowed: bool) -> MailOptions:
    """Read the server and who writes."""
    host = entry.required("host", "it is the mail server, a name or an address without port", is_host)
    security = cast(MailSecurity, entry.choice("security", tuple(PORTS), "starttls"))
    if host:
        check_near(entry, host, is_near=is_near_host(host), is_loopback_allowed=is_loopback_allowed, key="host")
        if security == "none" and not is_near_host(host):
            entry.wrong("security", "mails to this server would go in clear.", 'Write security = "starttls", or "tls".')
    username, password = entry.text("username"), entry.secret("password")
    is_named = entry.has("password_env") or entry.has("password_file")
    if bool(username) != is_named:
        entry.wrong(
            "username" if username else ("password_env" if entry.has("password_env") else "password_file"),
            "username and password belong together.",
            "Give username and password_env or password_file, or neither.",
        )
    if security == "none" and username:
        entry.wrong("username", "the password would go in clear.", 'Write security = "starttls", or "tls".')
    to = entry.texts("to")
    for place, one in enumerate(to):
        if not ADDRESS.fullmatch(one):
            entry.wrong(("to", place), f"{show(one)} is no e-mail address.", 'Write "control-room@plant.example".')
    return MailOptions(
        host=host,
        port=entry.whole("port", PORTS[security], 1, 65535),
        security=security,
        sender=entry.required("from", "it is the address that mails are from", lambda x: bool(ADDRESS.fullmatch(x))),
        to=to,
        username=username,
        password=password,
    )


def read_address(entry: Entry, *, is_loopback_allowed: bool) -> tuple[str, int]:
    """Read the address of a service, which is a secret whole, and how many bytes one message there holds."""
    key = "url_file" if entry.has("url_file") else "url_env"
    if entry.has("url"):
        entry.wrong(
            "url",
            "the address of a service holds what opens it; that is a secret.",
            "Write url_env with the name of a variable, or url_file with a path, and make a new key: it has been seen.",
        )
    elif not entry.has("url_env") and not entry.has("url_file"):
        entry.wrong("url_env", "no address is named.", "Add url_env with the name of a variable, or url_file.")
    address = entry.secret("url")
    most = SERVICE_BYTES
    if address:
        for word in PLACEHOLDER.findall(address):
            if word not in PLACEHOLDERS:
                entry.wrong(key, f"{show('{' + word + '}')} is no placeholder.", meant(word, PLACEHOLDERS))
        try:
            service = service_of(address)
        except ValueError:
            # Not shown: whoever reads it may be able to write there.
            entry.wrong(
                key,
                "the address is of no service that Apprise knows and that reaches people, or it is not in full.",
                "Write it as Apprise documents the service.",
            )
        else:
            _check_service(entry, key, service, is_loopback_allowed=is_loopback_allowed)
            most = min(most, service.size_max)
    return address, entry.whole("characters", most, *BYTES)


def _check_service(entry: Entry, key: str, service: Addressed, *, is_loopback_allowed: bool) -> None:
    if service.host:
        near = is_near_host(service.host)
        check_near(entry, service.host, is_near=near, is_loopback_allowed=is_loopback_allowed, key=key)
    if not service.is_secure and not (service.host and is_near_host(service.host)):
        entry.wrong(
            key, f"{service.schema}:// is not encrypted; messages leave the house encrypted.",
            f"Begin the address with {service.schema}s://.",
        )  # fmt: skip
    if not service.is_verified:
        entry.wrong(
            key, "verify=no: anybody in between could be the service.", "Take verify=no out of the address."
        )  # fmt: skip
