"""Topic patterns: which filter to subscribe to, and which tag a topic means. Pure.

A pattern is a topic in which ``{tag}`` (or another name in braces), ``+`` and a last ``#`` stand for what varies:
``plant/gas/{tag}/lel`` hears ``plant/gas/GD-7/lel`` and fills ``{tag}`` with ``GD-7``. Behind ``$share/<group>/`` the
broker deals out what the rest of the pattern hears among the members of the group (MQTT 5.0, §4.8.2); topics come
without it.
"""

import re
from functools import lru_cache
from typing import Final

_NAME = re.compile(r"\{([a-z_]+)\}")
SHARE: Final = "$share/"


def parted(pattern: str) -> tuple[str, str]:
    """Give the group of a shared subscription and what it hears; no group for what each hears whole."""
    if not pattern.startswith(SHARE):
        return "", pattern
    group, _, heard = pattern.removeprefix(SHARE).partition("/")
    return group, heard


def overlap(one: str, other: str) -> bool:
    """Tell whether a topic can match two patterns."""
    a, b = (filter_of(parted(pattern)[1]).split("/") for pattern in (one, other))
    for place in range(max(len(a), len(b))):
        if "#" in (a[place : place + 1] or [""])[0] or "#" in (b[place : place + 1] or [""])[0]:
            return True
        if place >= len(a) or place >= len(b):
            return False
        if a[place] != b[place] and "+" not in (a[place], b[place]):
            return False
    return True


def filter_of(pattern: str) -> str:
    """Give the MQTT topic filter of a pattern: a level with braces becomes ``+``."""
    return "/".join("+" if _NAME.search(level) else level for level in pattern.split("/"))


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    for level in pattern.split("/"):
        if level == "+":
            parts.append("[^/]*")
        elif level == "#":
            parts.append(".*")
        else:
            parts.append("".join(_piece(piece, place % 2 == 1, seen) for place, piece in enumerate(_NAME.split(level))))
    text = "/".join(parts)
    return re.compile(text.removesuffix("/.*") + "(?:/.*)?" if text.endswith("/.*") else text)


def _piece(text: str, is_name: bool, seen: set[str]) -> str:  # noqa: FBT001 - alternates with the split
    if not is_name:
        return re.escape(text)
    if text in seen:
        return f"(?P={text})"
    seen.add(text)
    return f"(?P<{text}>[^/]+)"


def match(pattern: str, topic: str) -> dict[str, str] | None:
    """Give what fills the braces when a topic matches a pattern, else None.

    As MQTT wants it, a pattern that begins with a wildcard hears no topic that begins with ``$``.
    """
    if topic.startswith("$") and pattern[:1] in {"+", "#", "{"}:
        return None
    found = _regex(pattern).fullmatch(topic)
    return None if found is None else found.groupdict()


def fill(text: str, found: dict[str, str]) -> str:
    """Fill the braces of a tag's name from a topic; unknown braces stay as they are."""
    return _NAME.sub(lambda name: found.get(name.group(1), name.group(0)), text)
