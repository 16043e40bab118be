"""Mapped: a notice by a field map, with the authority's names, codes and way to write a time."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from alerting.push.profile import FieldLine, Profile

#: Parts of a time as receivers' manuals write them, and their ``strftime`` words.
_PARTS: Final = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))
_FORM: Final = re.compile(r"(?:yyyy|MM|dd|HH|mm|ss|[-/:. T_])+|epoch_ms|epoch_s")
#: What a line may take from: every place of a plain notice, see ``alerting.push.notice``.
SOURCES: Final = (
    "key", "chain", "sequence", "action", "subject", "site.id", "site.title.zh", "site.title.en", "nature", "unit.id",
    "unit.title.zh", "unit.title.en", "unit.grade", "alarm", "event.id", "event.what", "tag", "condition", "tier",
    "state", "suppression", "value", "eu", "setpoint", "quality", "time", "received", "since", "is_late", "ending",
    "text.zh", "text.en", "response.zh", "response.en", "reason", "who", "until", "head.count", "head.hash",
)  # fmt: skip
TIMES: Final = ("time", "received", "since", "until")


def is_form(text: str) -> bool:
    """Tell whether a text says how a time is written."""
    return _FORM.fullmatch(text) is not None


def mapped(profile: Profile, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the content with the authority's names; what the notice does not have is null."""
    content: dict[str, Any] = {}
    for line in profile.fields:
        put(content, line.to, _value(profile, line, body))
    return content


def take(body: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Give what stands at a path of names parted by dots; None where nothing does."""
    found = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def put(content: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Put a value at a path of names parted by dots."""
    *above, last = path.split(".")
    place = content
    for name in above:
        inner = place.setdefault(name, {})
        assert isinstance(inner, dict), path  # the loader refuses a name that is both a value and a table
        place = inner
    place[last] = value


def write_time(text: str, form: str) -> str | int:
    """Write an ISO 8601 time in another form, in its own offset; ``epoch_s`` and ``epoch_ms`` as whole numbers."""
    moment = datetime.fromisoformat(text)
    if form == "epoch_s":
        return int(moment.timestamp())
    if form == "epoch_ms":
        return round(moment.timestamp() * 1000)
    for part, word in _PARTS:
        form = form.replace(part, word)
    return moment.strftime(form)


def _value(profile: Profile, line: FieldLine, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    if not line.source:
        return line.value
    found = take(body, line.source)
    if found is None:
        return None
    if line.form:
        return write_time(str(found), line.form)
    if line.codes:
        listed = profile.codes[line.codes]
        word = str(found).lower() if isinstance(found, bool) else str(found)
        return listed.map.get(word, word if listed.other is None else listed.other)
    return found
