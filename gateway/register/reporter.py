"""Reporter: who reported (举报人), kept apart from the record, sealed, and opened by few.

Flow: name, telephone, way to answer -> [seal: AES-256-GCM under a key beside the store] -> one row -> [open_for]
Why: a record is read by everybody, searched, exported, kept under revisions and copied into backups; an identity that
    was in it once is in all of them. Here it is in one row that says nothing without the key, and can be forgotten.
Never: writes it, or anything worked out of it, to a journal, a log, a list, an answer of another door. Not even a
    digest: of a telephone number that is found by trying.
"""

import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, exists, insert, select

from alerting.register.field import Words
from gateway.register.reading import revisions
from gateway.register.record import NotDone
from gateway.store.schema import reporter

KEY: Final = "reporter.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
#: Shorter words are in too many texts to be looked for.
LOOKED_FOR_MIN: Final = 2
#: A name is looked for in each script in which it is given.
SCRIPTS: Final = re.compile("[\u3400-\u9fff]+|[^\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who reported.

    Attributes:
        name, phone: As given; either may be empty.
        answer_to: How the answer reaches the person.
        note: What else only those may know who open it.
    """

    name: str = ""
    phone: str = ""
    answer_to: str = ""
    note: str = ""

    def __repr__(self) -> str:
        """Say nothing: what is printed by mistake stands in a log."""
        return "Reporter(…)"

    def is_in(self, texts: Iterable[str]) -> bool:
        """Tell whether a text names the person: by name, telephone or address."""
        known = [_plain(said) for said in (*SCRIPTS.findall(self.name), self.phone, self.answer_to)]
        known = [said for said in known if len(said) >= LOOKED_FOR_MIN]
        return any(said in _plain(text) for text in texts for said in known)


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def key_of(folder: Path) -> bytes:
    """Give the key of a site, made at its first use; readable by the gateway's user alone.

    Raises:
        NotDone: The file is no key.
    """
    path = folder / KEY
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(secrets.token_bytes(KEY_BYTES))
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        pass
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise NotDone("no_key", Words(f"{KEY} in the data folder is damaged.", f"数据目录中的 {KEY} 已损坏。"))
    return key


def keep(connection: Connection, key: bytes, record: str, who: Reporter, time_ns: int) -> None:
    """Keep who reported; what was kept before is gone.

    Raises:
        NotDone: A revision of the record names the person: it would be read there by everybody.
    """
    said = (str(value) for one in revisions(connection, record) for value in (*one.values.values(), one.reason))
    if who.is_in(said):
        raise NotDone(
            "names_reporter",
            Words(
                "The record itself, or its history, names the person. Make another record without it, "
                "and remove this one.",
                "记录或其历史中已出现举报人信息。请另建不含该信息的记录，并删除本记录。",
            ),
        )
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, orjson.dumps(asdict(who)), record.encode())
    forget(connection, record)
    connection.execute(insert(reporter).values(record=record, sealed=b64encode(sealed).decode(), kept_ns=time_ns))


def open_for(connection: Connection, key: bytes, record: str) -> Reporter:
    """Give who reported.

    Raises:
        NotDone: Nobody is kept, or the key is another than it was sealed with.
    """
    found = connection.scalar(select(reporter.c.sealed).where(reporter.c.record == record))
    if found is None:
        raise NotDone("not_there", Words("Nobody is kept: the report is anonymous.", "未登记举报人：匿名举报。"))
    sealed = b64decode(found)
    try:
        text = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], record.encode())
    except InvalidTag:
        raise NotDone(
            "no_key",
            Words(
                f"It was sealed with another key; put {KEY} of that time back into the data folder.",
                f"加密密钥不符，请将当时的 {KEY} 放回数据目录。",
            ),
        ) from None
    told = orjson.loads(text)
    return Reporter(**{each.name: str(told.get(each.name, "")) for each in fields(Reporter)})


def check_silent(connection: Connection, folder: Path, record: str, said: Iterable[object]) -> None:
    """Refuse what is to be written into a record that would name who reported it.

    Where the key is gone nobody can tell; the record can be changed all the same.

    Raises:
        NotDone: It names the person.
    """
    if not is_kept(connection, record):
        return
    try:
        who = open_for(connection, key_of(folder), record)
    except NotDone:
        return
    if who.is_in(str(value) for value in said):
        raise NotDone(
            "names_reporter",
            Words(
                "It names who reported; everybody would read it here. Write it without.",
                "内容中出现举报人信息，此处所有人可见，请改写。",
            ),
        )


def is_kept(connection: Connection, record: str) -> bool:
    """Tell whether somebody is kept."""
    return bool(connection.scalar(select(exists().where(reporter.c.record == record))))


def forget(connection: Connection, record: str) -> None:
    """Forget who reported."""
    connection.execute(delete(reporter).where(reporter.c.record == record))
