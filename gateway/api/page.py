"""The control-room page: built files, and the way to the page for every path that is its own.

Why: the page routes behind ``#``; whoever types ``/overview/TK-101`` is led to ``/#/overview/TK-101``, not to a 404 and
not to an empty page, whose files would be looked for in the wrong folder.
"""

from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

import dashboards
from gateway.api.answer import error
from gateway.api.door import PUBLIC, Door, Doors

#: Where the build puts the page; also inside the wheel.
DIST = Path(dashboards.__file__).parent / "web" / "dist"

#: Names that are never the page's.
OURS = ("api/", "metrics", "docs", "login/")

MISSING = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fengsui</title></head>'
    '<body style="font:16px system-ui,sans-serif;margin:48px;max-width:40em">'
    "<h1>The page is not built</h1><p>The gateway runs; only its page is missing. Build it with</p>"
    "<pre>cd dashboards/web &amp;&amp; npm ci &amp;&amp; npm run build</pre>"
    "<p>or run <code>bin/run</code>, which does it. The interface for programs is described at "
    '<a href="/docs">/docs</a>.</p>'
    '<h1 lang="zh">页面尚未构建</h1>'
    '<p lang="zh">网关正在运行,仅缺少页面文件。请执行上述命令,或运行 <code>bin/run</code>。</p>'
    "</body></html>"
)


def open_page(doors: Doors, dist: Path) -> None:
    """Declare the last route of all: everything that is nobody else's."""
    files = StaticFiles(directory=dist, check_dir=False)
    routes = list(doors.app.router.routes)

    async def page(request: Request) -> Response:
        path = request.url.path.lstrip("/")
        if path.startswith(OURS):
            # A known path with another method is 405, not 404.
            if any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes):
                return error(405, f"Method {request.method} is not for this path.")
            return error(404, "There is nothing at this path.")
        try:
            answer = await files.get_response(path or "index.html", request.scope)
            is_hashed = path.startswith("assets/")
        except HTTPException as missing:
            if missing.status_code != 404 or _is_file(path):  # noqa: PLR2004
                return error(missing.status_code, "There is nothing at this path.")
            if path:
                return RedirectResponse(f"/#/{quote(path)}", 302, {"cache-control": "no-cache"})
            return HTMLResponse(MISSING)
        # Names under assets/ change with their content; index.html must be asked for each time.
        answer.headers["cache-control"] = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return answer

    doors.declared.append(Door("GET", "/{path}", PUBLIC))
    doors.app.router.add_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)


def _is_file(path: str) -> bool:
    """Tell a missing file (``assets/x.js``) from a place of the page (``units/TK-101``)."""
    return path.startswith("assets/") or path.endswith(
        (".js", ".css", ".map", ".png", ".svg", ".ico", ".woff2", ".json")
    )
