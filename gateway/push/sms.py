"""SMS over HTTP: a gateway of short messages, spoken to by a template of the site file.

Flow: text, number -> [fill in the template] -> POST -> [code in the body] -> handed over, or an error
Why: there are hundreds of such gateways and no standard; what they have in common is fields, a token and a number in
    the answer.
Never: takes "accepted" for a receipt: the gateway has the message then, and nobody else; shows its token.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from alerting.push.mapped import take
from alerting.push.message import Message, mobile
from gateway.config import Destination, SmsOptions
from gateway.push.address import Resolve
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.post import Poster
from gateway.push.receipt import read_answer
from gateway.push.robot import OK, TOO_MANY

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
#: What may stand in a template.
PLACEHOLDERS: Final = ("phone", "text", "title", "key", "token")
CONTENT: Final = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
}


class Sms:
    """The channel of one gateway of short messages.

    Raises:
        ValueError: The URL cannot be used.
    """

    def __init__(self, destination: Destination, *, resolve: Resolve | None = None) -> None:
        reach = destination.reach
        assert reach is not None, destination.id
        assert reach.sms is not None, destination.id
        self._options, self._token = reach.sms, reach.token
        self._poster = Poster(destination, resolve=resolve)

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand one message over."""
        assert parcel.message is not None, parcel.key
        if not parcel.message.reader.phone:
            who = parcel.message.reader.person or "the group"
            raise PushError(retry=False, reason="no_number", detail=f"{who} has no phone number", is_final=True)
        known = words(parcel.message, parcel.body.decode(), parcel.key, self._token)
        headers = {name: filled(text, known) for name, text in self._options.headers.items()}
        headers["content-type"] = CONTENT[self._options.content]
        posted = await self._poster.post(body_of(self._options, known), headers)
        text = posted.answer.decode("utf-8", "replace")
        told = read_answer(posted.answer)
        code = "" if told is None or not self._options.code else _word(take(told, self._options.code))
        detail = f"{code or '-'}: {text[:280]}"
        if posted.status == TOO_MANY or code in self._options.throttled:
            raise PushError(
                retry=True, reason="throttled", detail=detail, after_s=posted.after_s, status=posted.status
            )  # fmt: skip
        if posted.status not in OK:
            raise PushError(retry=True, reason=f"status_{posted.status}", detail=text[:300], status=posted.status)
        if code in self._options.refused:
            raise PushError(retry=False, reason="refused", detail=detail, is_final=True, status=posted.status)
        if self._options.code and code not in self._options.ok:
            raise PushError(retry=True, reason="not_accepted", detail=detail, status=posted.status)
        return Receipt(status=posted.status, id=code, answer=text, is_proof=False)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()


def words(message: Message, text: str, key: str, token: str) -> dict[str, str]:
    """Give what stands for each placeholder."""
    phone = mobile(message.reader.phone)
    return {"phone": phone, "text": text, "title": message.title, "key": key, "token": token}


def filled(template: str, known: Mapping[str, str]) -> str:
    """Fill a template in, once: what stands in a text is never filled in itself."""
    return PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), template)


def body_of(options: SmsOptions, known: Mapping[str, str]) -> bytes:
    """Write the body of a request."""
    fields = {name: filled(text, known) for name, text in options.fields.items()}
    if options.content == "form":
        return urlencode(fields).encode()
    nested: dict[str, Any] = {}
    for name, text in fields.items():
        place = nested
        *path, last = name.split(".")
        for part in path:
            place = place.setdefault(part, {})
        place[last] = text
    return json.dumps(nested, ensure_ascii=False).encode()


def _word(found: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""
