"""Title: what people call a thing by language; where it has only its own name, 100,000 dicts of it are not made."""

from collections.abc import Iterator, Mapping
from typing import Final

LANGUAGES: Final = ("en", "zh")


class OneTitle(Mapping[str, str]):
    """The same text in each language; equal to the dict that says so."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, language: str) -> str:
        if language not in LANGUAGES:
            raise KeyError(language)
        return self.text

    def __iter__(self) -> Iterator[str]:
        return iter(LANGUAGES)

    def __len__(self) -> int:
        return len(LANGUAGES)

    def __repr__(self) -> str:
        return repr(dict(self))


def plain(title: Mapping[str, str]) -> dict[str, str]:
    """Give a title as a dict; of a hundred thousand, a mapping of our own is read ten times as slowly."""
    return dict.fromkeys(LANGUAGES, title.text) if isinstance(title, OneTitle) else dict(title)
