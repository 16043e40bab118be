"""Persons in a story: they come by a link and act by the doors of the gateway, at seconds of the story."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import httpx
import pypdfium2

from gateway.api import make_app
from gateway.api.app import Application
from gateway.app import Gateway
from gateway.auth import find_user, make_link

INCIDENTS: Final = "/api/v1/response/incidents"
Json = dict[str, Any]


class Hands:
    """The hands of everybody who acts in one story; users that the roster has not are safety officers."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._app: Application = make_app(gateway)
        self._cookies: dict[str, httpx.Cookies] = {}
        self.kept: Json = {}

    async def ask(self, person: str, method: str, path: str, /, **body: Any) -> httpx.Response:  # noqa: ANN401
        """Let somebody go through a door."""
        if person not in self._cookies:
            with self.gateway.engine.connect() as connection:
                known = find_user(connection, person)
            role = "safety_officer" if known is None else str(known.role)
            link = make_link(self.gateway.engine, person, role, self.gateway.clock)
            self._cookies[person] = (await self._send(httpx.Cookies(), "GET", f"/login/{link}")).cookies
        return await self._send(self._cookies[person], method, path, **body)

    async def _send(self, cookies: httpx.Cookies, method: str, path: str, /, **body: Any) -> httpx.Response:  # noqa: ANN401
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url="http://gateway", trust_env=False, cookies=cookies,
            headers={"X-Fengsui-Request": "1"},
        ) as client:  # fmt: skip
            return await client.request(method, path, **({"json": body} if method == "POST" else {}))

    async def get(self, who: str, path: str) -> Json:
        """Read."""
        answer = await self.ask(who, "GET", path)
        assert answer.status_code == 200, f"{who} {path}: {answer.text}"
        found: Json = answer.json()
        return found

    async def post(self, person: str, path: str, /, **body: Any) -> Json:  # noqa: ANN401
        """Act; it is let through."""
        answer = await self.ask(person, "POST", path, **body)
        assert answer.status_code == 200, f"{person} {path}: {answer.text}"
        found: Json = answer.json()
        return found

    async def refused(self, who: str, path: str, /, **body: Any) -> str:  # noqa: ANN401
        """Act; it is refused. Gives the code of the refusal."""
        answer = await self.ask(who, "POST", path, **body)
        assert answer.status_code in (403, 404, 409, 422), f"{who} {path}: {answer.text}"
        return str(answer.json()["error"]["code"])

    # ------------------------------------------------------------------------------------------------ at an incident

    async def incident(self, who: str, number: int) -> Json:
        """Look at an incident."""
        return await self.get(who, f"{INCIDENTS}/{number}")

    async def lead(self, who: str, number: int, what: str, /, **more: Any) -> Json:  # noqa: ANN401
        """Lead an incident, having looked at it."""
        seen = (await self.incident(who, number))["revision"]
        return await self.post(who, f"{INCIDENTS}/{number}/{what}", revision=seen, **{"reason": "story", **more})

    async def done(self, number: int, step: str, answer: str = "", part: str = "tasks") -> Json:
        """Let whom a step belongs to say that it is done."""
        one = next(each for each in (await self.incident("li.min", number))[part] if each["step"] == step)
        return await self.post(one["owners"][0], f"/api/v1/response/tasks/{one['id']}/done", note="", answer=answer)

    async def say(self, person: str, number: int, what: str, text: str, /, **more: str) -> Json:
        """Write a line into the timeline."""
        return await self.post(person, f"{INCIDENTS}/{number}/line", what=what, text=text, **more)


Script = Mapping[float, Callable[[Hands], Awaitable[None]]]


class Persons:
    """Everybody who acts in one run of a story, by a script."""

    def __init__(self, script: Script) -> None:
        self._script = dict(script)
        self.hands: Hands | None = None

    async def attend(self, time_s: float, gateway: Gateway) -> None:
        """Act what the script has for this second."""
        act = self._script.pop(time_s, None)
        if act is not None:
            self.hands = self.hands or Hands(gateway)
            await act(self.hands)

    @property
    def kept(self) -> Json:
        """Give what they looked at."""
        assert self.hands is not None
        return self.hands.kept

    def read_papers(self, number: int, languages: Sequence[str]) -> dict[str, str]:
        """Give the text of the after-action report by language, as an independent reader of PDF finds it, without gaps.

        The run is over: setting a page takes a thread, for which the story's time would not stand still.
        """
        assert not self._script, f"nobody acted at {sorted(self._script)} s"
        hands = self.hands
        assert hands is not None
        found = {}
        for language in languages:
            path = f"{INCIDENTS}/{number}/after-action?lang={language}"
            answer = asyncio.run(hands.ask("li.min", "GET", path))
            assert answer.headers["content-type"] == "application/pdf", answer.text
            sheets = pypdfium2.PdfDocument(io.BytesIO(answer.content))
            found[language] = "".join("".join(each.get_textpage().get_text_range().split()) for each in sheets)
        return found
