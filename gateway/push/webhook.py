"""Webhook: a POST, signed after Standard Webhooks, in the form of the destination's profile.

Flow: parcel -> [sign, POST] -> receipt
"""

from dataclasses import replace

from edge.clock import Clock
from gateway.config import Destination
from gateway.push.address import Resolve
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.post import SKEW_S, Posted, Poster
from gateway.push.receipt import judge, read_answer
from gateway.push.sealing import Sealer

REPEAT = 409  # The receiver has this key already.
REDIRECTS = range(300, 400)
OK = range(200, 300)
#: Statuses that speak of the destination or of us, not of this notice: every other notice would fare the same.
TROUBLE = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 425, 429})
ID_NAMES = ("receipt_id", "receipt", "id")


class Webhook:
    """The channel of one destination.

    Args:
        resolve: How names become addresses; the system's own by default.

    Raises:
        ValueError: The URL or the secret cannot be used.
    """

    def __init__(self, destination: Destination, clock: Clock, *, resolve: Resolve | None = None) -> None:
        self._destination = destination
        self._clock = clock
        self._sealer = Sealer(destination)
        self._poster = Poster(destination, resolve=resolve)

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one notice within the destination's time-out, all told."""
        timestamp_s = self._clock.wall_ns() // 1_000_000_000
        body = self._sealer.body(parcel.body)
        headers = {
            "content-type": parcel.content,
            "webhook-id": parcel.key,
            "webhook-timestamp": str(timestamp_s),
        }
        if signature := self._sealer.signature(parcel.key, timestamp_s, body):
            headers["webhook-signature"] = signature
        is_exchange = self._destination.profile.envelope == "exchange"
        posted = await self._poster.post(body, headers, path=parcel.reference if is_exchange else "")
        try:
            return self._judge(parcel, posted)
        except PushError as error:
            error.status = posted.status
            raise

    def _judge(self, parcel: Parcel, posted: Posted) -> Receipt:
        """Turn an answer into a receipt or an error."""
        status, answer = posted.status, posted.answer
        text = answer.decode("utf-8", "replace")
        is_repeat = status == REPEAT
        if status in OK or is_repeat:
            rule = self._destination.profile.receipt
            if is_repeat:  # Whoever has it already gave the receipt when it came first.
                return Receipt(status=status, id=_receipt_id(answer), is_repeat=True, answer=text)
            found = judge(rule, parcel, status, answer, self._sealer.believes)
            return found if found.id or rule.id else replace(found, id=_receipt_id(answer))
        is_trouble = status in TROUBLE or status in REDIRECTS or not 400 <= status < 500  # noqa: PLR2004 - HTTP's borders
        reason, detail = f"status_{status}", text[:300]
        off_s = posted.clock_off_s(self._clock.wall_ns())
        if status in (401, 403) and abs(off_s) > SKEW_S:
            reason = "clock_skew"
            detail = f"the destination's clock is {off_s:+.0f} s from ours, and it refuses our signature. {detail}"
        raise PushError(retry=is_trouble, reason=reason, detail=detail, after_s=posted.after_s)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()


def _receipt_id(answer: bytes) -> str:
    told = read_answer(answer)
    if told is None:
        return ""
    return next((str(told[name])[:128] for name in ID_NAMES if isinstance(told.get(name), str | int)), "")
