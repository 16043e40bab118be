"""Report mail: the words of a mail that brings a report, which stands beside it as files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge.model import Nature

SPAN_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "shift": {"zh": "班报", "en": "Shift report"},
    "day": {"zh": "日报", "en": "Day report"},
    "month": {"zh": "月报", "en": "Month report"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A file as the mail names it; ``digest`` is its SHA-256."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a mail is about.

    Attributes:
        language: In which the report and its mail are written, ``zh`` or ``en``.
        first, last: Begin and end of the period, by the site's clock, e.g. ``2026-01-01 08:00``.
        alarms: Announced in it; ``floods`` how many floods.
    """

    run: str
    report: str
    span: str
    language: str
    first: str
    last: str
    alarms: int
    floods: int


def report_body(
    said: Reported, files: Sequence[Enclosed], to: str, *, key: str, site: Mapping[str, Any], nature: Nature, time: str,
    link: str,
) -> str:  # fmt: skip
    """Compose the mail of one receiver, canonical JSON.

    Args:
        to: His address.
    """
    name = {lang: str(site["title"].get(lang, "") or site["id"]) for lang in ("zh", "en")}
    span = SPAN_WORDS[said.span]
    listed = ", ".join(f"{each.name} (SHA-256 {each.digest})" for each in files)
    body = {
        "key": key,
        "subject": "report",
        "language": said.language,
        "run": said.run,
        "report": said.report,
        "site": dict(site),
        "unit": dict(site),
        "tag": "",
        "nature": nature.value,
        "to": {"person": to, "title": "", "phone": "", "email": to, "address": ""},
        "time": time,
        "link": link,
        "title": {
            "zh": f"{nature.prefix}【{span['zh']}】{name['zh']} {said.first} 至 {said.last}",
            "en": f"{nature.prefix}[{span['en']}] {name['en']} {said.first} to {said.last}",
        },
        "files": [{"name": each.name, "sha256": each.digest, "bytes": each.size} for each in files],
        "text": {
            "zh": f"报警 {said.alarms} 条,报警洪水 {said.floods} 次。详见附件:{listed}。",
            "en": f"{said.alarms} alarms, {said.floods} floods. Enclosed: {listed}.",
        },
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
