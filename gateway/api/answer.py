"""Answers: JSON bytes, and the one shape of an error.

Why: every error, from a typing mistake to a bug of ours, is ``{"error": {"code", "message", "details"}}``.
Never: shows a stack trace, an SQL text or a path.
"""

from typing import Any

import orjson
from fastapi import Response
from starlette.exceptions import HTTPException

#: Code of each status that the framework itself may answer with.
CODES = {
    400: "invalid",
    401: "log_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "refused",
    413: "too_large",
    415: "invalid",
    422: "invalid",
    429: "busy",
    500: "internal",
    503: "not_ready",
}


class Json(Response):
    """JSON by orjson: NumPy arrays as they are, NaN as null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - anything that JSON can say
        """Encode."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


class ApiError(HTTPException):
    """An answer that is no: status, code, one sentence, and details where a program can use them."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        details: Any = None,  # noqa: ANN401 - JSON
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code or CODES[status]
        self.details = details


def error(
    status: int,
    message: str,
    *,
    code: str = "",
    details: Any = None,  # noqa: ANN401 - JSON
    headers: dict[str, str] | None = None,
) -> Json:
    """Make the one error shape."""
    said = code or CODES.get(status, "invalid" if status < 500 else "internal")  # noqa: PLR2004 - HTTP's own border
    return Json({"error": {"code": said, "message": message, "details": details}}, status_code=status, headers=headers)


def not_found(what: str, name: str) -> ApiError:
    """Say that there is no such thing, without echoing more than a name's length of it."""
    return ApiError(404, f"There is no {what} {name[:128]!r}.")
