"""Live feed: the picture over a WebSocket.

Flow: picture -> [feed] -> page
Why: one task per client; a client that does not read is left behind, and after a while let go.
Never: takes orders from a client, keeps messages for one.
"""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.api.door import ALL, Doors
from gateway.api.house import House
from gateway.live import TooManyClients
from gateway.meter import Stage

#: A client that has not taken one message by then is let go, s; it may come back with its revision.
STALL_S_MAX = 30.0

#: A session that ended or was revoked ends its feed at the latest then, s.
RECHECK_S = 30.0

CLOSE_S_MAX = 1.0

#: Close codes: of our own, and 1013 "try again later".
LOG_IN, BUSY, STALLED = 4401, 4429, 1013


def open_feed(doors: Doors) -> None:
    """Declare the one WebSocket."""

    async def live(websocket: WebSocket) -> None:
        if await doors.who(websocket) is None:
            await websocket.close(LOG_IN, "Log in first.")
            return
        asked = websocket.query_params.get("since", "")
        since = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None  # noqa: PLR2004 - int64
        await websocket.accept()
        telling = asyncio.create_task(_tell(websocket, doors.house, since), name="live-feed")
        try:
            await _listen(websocket, doors)
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    doors.open_feed("/api/v1/live", ALL, live)


async def _listen(websocket: WebSocket, doors: Doors) -> None:
    """Wait until the client leaves or its session ends; whatever it says is dropped."""
    with doors.feed() as ended:
        leaving = asyncio.create_task(_until_left(websocket), name="live-left")
        try:
            while True:
                asking = asyncio.create_task(ended.wait(), name="live-ended")
                await asyncio.wait({leaving, asking}, timeout=RECHECK_S, return_when=asyncio.FIRST_COMPLETED)
                asking.cancel()
                if leaving.done():
                    leaving.result()
                    return
                ended.clear()
                if await doors.who(websocket) is None:
                    await websocket.close(LOG_IN, "The session is over.")
                    return
        finally:
            leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await leaving


async def _until_left(websocket: WebSocket) -> None:
    """Take whatever the client says, and drop it, until it leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _tell(websocket: WebSocket, house: House, since: int | None) -> None:
    try:
        async with contextlib.aclosing(house.picture.subscribe(since)) as messages:
            async for message in messages:
                async with asyncio.timeout(STALL_S_MAX):
                    await websocket.send_text(message.decode())
                house.meter.noted(Stage.FEED, "message")
    except TooManyClients:
        house.meter.noted(Stage.FEED, "too_many_clients")
        await websocket.close(BUSY, "Too many pages are open.")
    except TimeoutError:
        house.meter.noted(Stage.FEED, "stalled_client")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S_MAX):
                await websocket.close(STALLED, "The client does not read.")
    except WebSocketDisconnect:
        house.meter.noted(Stage.FEED, "left_while_told")
