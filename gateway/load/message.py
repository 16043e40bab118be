"""Message: what ``[[message]]`` says of the words that channels tell of alarms by.

Why: a placeholder that does not exist would be found out on the telephone of somebody who was woken by it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from alerting.push.template import PLACEHOLDER, PLACEHOLDERS, Template
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, LANGUAGES, is_id, keys_of

PARTS: Final = ("title", "text", "line")
LENGTH_MAX: Final = 4_000  # characters


def read_messages(entries: Iterable[Entry]) -> dict[str, Template]:
    """Read the templates of the site, by id."""
    found: dict[str, Template] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("message"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each message its own id.")
        parts = {part: _words(entry, part) for part in PARTS}
        if not any(entry.has(part) for part in PARTS):
            entry.wrong("id", "it has neither title, text nor line.", "Write at least one of them.")
        for part in ("title", "line"):
            if any("\n" in text for text in parts[part].values()):
                entry.wrong(part, f"{part} is one line.", "Take the line breaks out.")
        if name:
            found.setdefault(name, Template(id=name, **parts))
    return found


def _words(entry: Entry, part: str) -> Mapping[str, str]:
    found = entry.titles(part, "")
    given = entry.values.get(part)
    for lang in LANGUAGES:
        if isinstance(given, dict) and isinstance(text := given.get(lang), str):
            _check(entry, part, lang, text)
    return found


def _check(entry: Entry, part: str, lang: str, text: str) -> None:
    for word in PLACEHOLDER.findall(text):
        if word not in PLACEHOLDERS:
            entry.wrong((part, lang), f"{show('{' + word + '}')} is no placeholder.", meant(word, tuple(PLACEHOLDERS)))
    if any(sign in PLACEHOLDER.sub("", text) for sign in "{}"):
        entry.wrong((part, lang), "a brace is no placeholder.", "Write {word}, with no format and nothing else in it.")
    if not text.strip():
        entry.wrong((part, lang), f"{part} is empty.", "Write a text, or leave it out for the usual one.")
    if len(text) > LENGTH_MAX:
        entry.wrong((part, lang), f"{part} has {len(text)} characters; {LENGTH_MAX} are the most.", "Shorten it.")
