"""Lines of the keys of a TOML text: ``("source", 2, "port")`` -> 41.

Why: ``tomllib`` gives values without lines, and a mistake without a line is a search.
Never: judges the text. It is scanned only after ``tomllib`` has accepted it, so this may be lenient.
"""

import re
import tomllib
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def locate(text: str) -> dict[Path, int]:
    """Give the line, from 1, of every table, key and list element in a valid TOML text."""
    return _Locator(text).scan()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Give the line of a path, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Locator:
    """One scan over one text; ``at`` is the next character, ``line`` its line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {(): 1}
        self.counts: dict[Path, int] = {}  # elements so far of each array of tables

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self.skip(_GAP)
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)
            self.skip(_GAP)
        return self.lines

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Go past what the pattern matches here; at least past one character where it must match."""
        match = pattern.match(self.text, self.at)
        found = match.group() if match else self.text[self.at : self.at + 1]
        self.at += len(found)
        self.line += found.count("\n")
        return found

    def mark(self, path: Path) -> None:
        self.lines.setdefault(path, self.line)

    def header(self) -> Path:
        """Read ``[a.b]`` or ``[[a.b]]`` and give its full path, with the place in each array of tables."""
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        path: Path = ()
        parts = self.key()
        for part in parts[:-1]:
            path = (*path, part)
            self.mark(path)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        path = (*path, parts[-1])
        self.mark(path)
        if is_array:
            self.counts[path] = self.counts.get(path, 0) + 1
            path = (*path, self.counts[path] - 1)
            self.mark(path)
        self.at += 2 if is_array else 1
        return path

    def key(self) -> list[str]:
        """Read a key, dotted or not, quoted or not."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.text[self.at : self.at + 1] in ('"', "'"):
                parts.append(str(tomllib.loads("k=" + self.skip(_STRING))["k"]))
            else:
                parts.append(self.skip(_BARE_KEY))
            self.skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def pair(self, table: Path) -> None:
        """Read ``key = value``."""
        path = table
        for part in self.key():
            path = (*path, part)
            self.mark(path)
        self.at += 1  # "="
        self.skip(_BLANK)
        self.value(path)

    def value(self, path: Path) -> None:
        sign = self.text[self.at : self.at + 1]
        if sign in ('"', "'"):
            self.skip(_STRING)
        elif sign == "[":
            self.elements(path)
        elif sign == "{":
            self.inline(path)
        else:
            self.skip(_SCALAR)

    def elements(self, path: Path) -> None:
        self.at += 1
        place = 0
        self.skip(_GAP)
        while self.at < len(self.text) and self.text[self.at] != "]":
            self.mark((*path, place))
            self.value((*path, place))
            place += 1
            self.comma()
        self.at += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        self.skip(_GAP)
        while self.at < len(self.text) and self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_GAP)
        if self.text.startswith(",", self.at):
            self.at += 1
            self.skip(_GAP)
