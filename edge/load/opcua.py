"""OPC UA sources and the columns of their tags."""

import importlib.util
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import SplitResult, urlsplit

from edge.config import OpcuaOptions
from edge.decode.opcua import read_node
from edge.load.address import read_map
from edge.load.entry import Entry, Span
from edge.load.loopback import is_loopback
from edge.load.mistake import show
from edge.load.words import MODBUS_COLUMNS, SHARED_COLUMNS

SECURITY: Final = ("sign-and-encrypt", "sign", "none")
POLICIES: Final = ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
FILES: Final = {
    "cert_file": "our own application certificate (PEM or DER), whose URI the server knows us by",
    "key_file": "its key (PEM or DER), without a password",
    "ca_file": "the server's certificate, or those that it must be signed by (PEM)",
}
LIBRARY: Final = "asyncua"


def read_opcua(entry: Entry) -> OpcuaOptions:
    """Read the options of an OPC UA source; what is wrong is noted."""
    if importlib.util.find_spec(LIBRARY) is None:
        entry.wrong(
            "protocol",
            f"protocol opcua needs the library {LIBRARY}, which is not installed.",
            'Install it: pip install "fengsui[opcua]".',
        )
    url = entry.required("url", "it is the server's endpoint, e.g. opc.tcp://10.0.1.5:4840", is_url)
    security = cast(Literal["sign-and-encrypt", "sign", "none"], entry.choice("security", SECURITY, SECURITY[0]))
    is_open = security == "none"
    if is_open:
        for key in ("policy", *FILES):
            if entry.has(key):
                entry.wrong(key, f"{key} is given, and security is none.", f"Remove {key}, or security.")
    username, password = entry.text("username"), entry.secret("password")
    if password and not username:
        entry.wrong("username", "a password is given without username.", "Add username.")
    if is_open and url and not is_loopback(urlsplit(url).hostname or ""):
        entry.warn(
            "security",
            "security is none: whoever is on the way can read and change values"
            + (", and may read the password." if password else "."),
            "Use sign-and-encrypt with certificates, or keep the line to the server to yourself.",
        )
    policy = entry.choice("policy", POLICIES, POLICIES[0]) if not is_open else POLICIES[0]
    return OpcuaOptions(
        url=url,
        security=security,
        policy=cast(Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"], policy),
        **({} if is_open else {key: _read_file(entry, key) for key in FILES}),
        username=username,
        password=password,
        timeout_s=entry.number("timeout_s", 5.0, Span(least=0.1, most=60)),
        retry_s_max=entry.number("retry_s_max", 30.0, Span(least=1, most=3600)),
        sampling_s=entry.number("sampling_s", 0.0, Span(least=0, most=3600)),
        queue_size=entry.whole("queue_size", 10, 1, 10_000),
        items_max=entry.whole("items_max", 1_000, 1, 10_000),
    )


def is_url(text: str) -> bool:
    """Tell whether a text is an endpoint without a name or a password."""
    parts: SplitResult | None = None
    try:
        parts = urlsplit(text)
        is_placed = bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an address, a port that is no number
        return False
    return is_placed and parts.scheme == "opc.tcp" and "@" not in parts.netloc and len(text) <= 4096  # noqa: PLR2004 - OPC 10000-6 §7.1.2.3


def _read_file(entry: Entry, key: str) -> Path | None:
    if not entry.has(key):
        entry.wrong(
            key,
            f"{key} is missing; it is the file of {FILES[key]}.",
            f'Add {key}; or, on a line of your own, security = "none".',
        )
        return None
    name = entry.required(key, f"it is the file of {FILES[key]}")
    file = entry.reading.path.parent / name
    if name and ("\0" in name or not file.is_file()):
        entry.wrong(key, f"{key} {show(name)} is no file.", f"Give the path of {FILES[key]}.")
    return file


def read_opcua_address(row: Entry) -> dict[str, Any]:
    """Read the OPC UA columns of a row."""
    for column in MODBUS_COLUMNS:
        if column not in SHARED_COLUMNS and row.has(column):
            row.wrong(column, f"{column} is a Modbus column; this source speaks opcua.", "Leave the cell empty.")
    text = row.required("node_id", "it is where the server has it, e.g. ns=2;s=Tank.Level or nsu=urn:plant;i=7")
    if text and read_node(text) is None:
        row.wrong(
            "node_id",
            f"node_id is {show(text)}; it is ns=N; or nsu=URI; and i=number, s=text, g=GUID or b=Base64.",
            "Write it as a browser of the server shows it; fengsui opcua browse lists them.",
        )
    scale = row.number("scale", 1.0)
    if scale == 0:
        row.wrong("scale", "scale is 0; every value would be the offset.", "Write the scale, or leave it out for 1.")
    address: dict[str, Any] = {"node_id": text, "scale": scale, "offset": row.number("offset", 0.0)}
    texts = read_map(row) if row.has("map") else ()
    return address | ({"map": texts} if texts else {})
