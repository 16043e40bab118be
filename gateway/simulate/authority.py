"""Authority: the simulated regulator in the same process, behind the channel that a webhook would be.

Flow: parcel -> sign -> [regulator's desk: signature, ledger] -> receipt
Why: both ends stay what they are, signature and all; only the wire is gone, because a socket lives in real time.
"""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from edge.clock import Clock
from gateway.config import Destination
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.signature import read_keys, sign
from simulators.regulator.ledger import Ledger
from simulators.regulator.server import Desk
from simulators.regulator.signature import read_secret
from simulators.scenario import Notice

NS = 1_000_000_000
TOKEN = "of a door that nobody can reach"  # noqa: S105  # the control door is not there


class Authority:
    """One destination's channel and the desk at its end."""

    def __init__(self, destination: Destination, clock: Clock, folder: Path) -> None:
        self._clock = clock
        self._keys = read_keys(destination.secret)
        self._ledger = Ledger(folder / f"{destination.id}.jsonl")
        self.desk = Desk(read_secret(destination.secret), TOKEN, self._ledger, clock)

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one notice."""
        second = self._clock.wall_ns() // NS
        headers = {
            "webhook-id": parcel.key,
            "webhook-timestamp": str(second),
            "webhook-signature": sign(self._keys, parcel.key, second, parcel.body),
        }
        answer = self.desk.receive(headers, parcel.body)
        if answer is None:
            raise PushError(retry=True, reason="connection", detail="cut")
        status, body = answer
        if status != HTTPStatus.OK:
            raise PushError(retry=True, reason=f"status_{int(status)}", detail=str(body)[:300])
        return Receipt(status=int(status), id=str(body["receipt_id"]), answer=str(body))

    async def close(self) -> None:
        """Nothing is open."""

    def held(self, begins_ns: int) -> Iterator[Notice]:
        """Give the notices that it holds, as it wrote them down itself.

        Args:
            begins_ns: Second 0 of the story.
        """
        yield from notices_of(self._ledger, begins_ns)


def notices_of(ledger: Ledger, begins_ns: int) -> Iterator[Notice]:
    """Give the notices that an authority's ledger holds.

    Args:
        begins_ns: Second 0 of the story.
    """
    for kept in ledger.kept.values():
        at_s = (datetime.fromisoformat(kept.received_at).timestamp() * NS - begins_ns) / NS
        yield Notice(event=str(kept.body["event"]["id"]), held_s=round(at_s, 6))
