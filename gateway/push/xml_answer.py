"""XML as an authority may answer it: the children of one root, as texts. The only XML from outside that is read.

Never: declares an entity or a document type. Whoever sends one wants to read our files or to fill our memory (XXE,
    "billion laughs"), so the whole answer is refused, before anything in it is expanded.
"""

from typing import Final
from xml.parsers import expat

DEPTH_MAX: Final = 32


class _RefusedError(Exception):
    """The answer declares what no answer needs."""


class _Reader:
    """Collects the texts of the root's children, by their names without namespace; of several alike the last."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._text = ""

    def begin(self, name: str, _: object) -> None:
        self._path.append(name.rpartition("}")[2].rpartition(":")[2])
        self._text = ""
        if len(self._path) > DEPTH_MAX:
            raise _RefusedError

    def take(self, text: str) -> None:
        self._text += text

    def end(self, _: str) -> None:
        name = self._path.pop()
        if len(self._path) == 1:
            self.found[name] = self._text.strip()

    def refuse(self, *_: object) -> int:
        raise _RefusedError


def read_xml(text: bytes) -> dict[str, str] | None:
    """Give the texts of the root's children by name; None where it is no XML, or not safe to read.

    Args:
        text: Bounded by the caller.
    """
    reader, parser = _Reader(), expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = reader.begin
    parser.CharacterDataHandler = reader.take
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = reader.refuse
    try:
        parser.Parse(text, True)  # noqa: FBT003 - expat's own word for "this is all"
    except (expat.ExpatError, _RefusedError, LookupError, ValueError):
        return None
    return reader.found
