"""SMS: what a ``[[channel]]`` of kind ``sms`` says of the gateway of short messages that it speaks to."""

import re
from collections.abc import Mapping
from typing import Final, Literal, cast

from edge.load.entry import SECRET_WORDS, Entry
from edge.load.mistake import meant, show
from gateway.config import SmsOptions
from gateway.push.sms import PLACEHOLDER, PLACEHOLDERS

CONTENTS: Final = ("json", "form")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def read_sms(entry: Entry) -> SmsOptions:
    """Read the template of requests and what answers mean."""
    fields = _templates(entry, "fields")
    said = " ".join(fields.values())
    for word in ("phone", "text"):
        if f"{{{word}}}" not in said:
            shown = _braced(word)
            entry.wrong("fields", f"no field holds {shown}.", f"Give a field the value {shown}.")
    headers = _templates(entry, "headers")
    for name in headers:
        if not _HEADER.fullmatch(name):
            entry.wrong(("headers", name), f"header {show(name)} is none.", "Write letters, digits and hyphens.")
    code, ok = entry.text("code"), entry.texts("ok")
    if bool(code) != bool(ok):
        entry.wrong(
            "code" if ok else "ok",
            "code and ok belong together: where the answer has its result, and which results are good.",
            'Write both, e.g. code = "code" and ok = ["0"].',
        )
    if not code:
        entry.warn(
            "code",
            "the answer's body is not looked at; a refusal within status 200 passes for sent.",
            'Write code = "code" and ok = ["0"], as the gateway documents.',
        )
    return SmsOptions(
        content=cast(Literal["json", "form"], entry.choice("content", CONTENTS, "json")),
        fields=fields,
        headers=headers,
        code=code,
        ok=ok,
        throttled=entry.texts("throttled"),
        refused=entry.texts("refused"),
    )


def _templates(entry: Entry, key: str) -> Mapping[str, str]:
    table = entry.section(key)
    found: dict[str, str] = {}
    for name in table.values:
        text = table.text(name)
        for word in PLACEHOLDER.findall(text):
            if word not in PLACEHOLDERS:
                entry.wrong((key, name), f"{_braced(word)} is no placeholder.", meant(word, PLACEHOLDERS))
        if text and "{token}" not in text and any(word in name.lower() for word in (*SECRET_WORDS, "authorization")):
            entry.wrong(
                (key, name),
                f"{name} is written into the file; a secret comes from the environment or from a file of its own.",
                "Write the placeholder token there and name token_env or token_file; change the secret: it was seen.",
            )
        found[name] = text
    return found


def _braced(word: str) -> str:
    return show("{" + word + "}")
