"""Kept: all rules and other parts as the newest revision leaves them, so that the next start knows what changed.

Flow: rules, parts -> [pack] -> ``rule_revision.content`` -> [unpack] -> numbers at once, rules and parts when asked
Why: a site of 100,000 tags is 50 MB of text. It is written piece by piece, and at a start it is read only if its digest
    says that something differs.

Layout: ``FSK1``, length of the head u32 little-endian, head (JSON: ``digest``, ``common``, ``others``), body (deflated
JSON: ``rules``: by id (written out, revision), ``parts``). Older programs wrote the body alone.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from alerting.model.rule import Rule, RuleTable
from gateway.load.overlay import Table, Writer
from gateway.rules.parts import Parts

if TYPE_CHECKING:
    from hashlib import _Hash

T = TypeVar("T")
MARK: Final = b"FSK1"
_HEAD: Final = struct.Struct("<4sI")
PIECE: Final = 1_000  # Rules or tags that are written out at once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Which revision each rule has.

    Attributes:
        common: The revision of all but ``others``, by id.
    """

    common: int = 1
    others: Mapping[str, int] = field(default_factory=dict)

    def of(self, rule: Rule) -> int:
        """Give the revision of a rule that was kept; what the table made for others keeps its own."""
        if rule.is_hidden:
            return rule.revision
        return self.others.get(rule.id, self.common) if self.others else self.common

    @property
    def there(self) -> set[int]:
        """Revisions that rules have."""
        return {self.common, *self.others.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a revision left.

    Attributes:
        digest: Of rules and parts without revisions, in hex; empty where an older program wrote it.
    """

    digest: str
    numbers: Numbers
    body: bytes

    def read(self) -> tuple[dict[str, Table], Parts | None]:
        """Give the rules written out by id, and the parts; None where an older program knew rules alone."""
        rules, parts = _body(self.body)
        return {name: table for name, (table, _) in rules.items()}, parts


def pack(table: RuleTable, parts: Parts) -> bytes:
    """Write all rules and parts out."""
    counted = Counter(rule.revision for rule in table if not rule.is_hidden)
    common = counted.most_common(1)[0][0] if counted else 1
    others: dict[str, int] = {}
    if len(counted) > 1:
        others = {rule.id: rule.revision for rule in table if not rule.is_hidden and rule.revision != common}
    numbers = Numbers(common=common, others=others)
    digest, deflated = sha256(), zlib.compressobj(1)
    body = [deflated.compress(piece) for piece in _written(table, parts, numbers, digest)]
    head = _json({"digest": digest.hexdigest(), "common": common, "others": others})
    return b"".join([_HEAD.pack(MARK, len(head)), head, *body, deflated.flush()])


def digest_of(table: RuleTable, parts: Parts) -> str:
    """Give the SHA-256 of rules and parts without revisions, in hex."""
    digest = sha256()
    for name, piece in _shown(table, parts):
        digest.update(_json([name, [shown for _, shown in piece]]))
    return digest.hexdigest()


def unpack(content: bytes) -> Content:
    """Read the head of what was written out, or all where an older program wrote it."""
    if content[: len(MARK)] != MARK:
        rules, _ = _body(content)
        numbers = Numbers(common=0, others={name: number for name, (_, number) in rules.items()})
        return Content(digest="", numbers=numbers, body=content)
    _, length = _HEAD.unpack_from(content)
    head = orjson.loads(content[_HEAD.size : _HEAD.size + length])
    numbers = Numbers(common=head["common"], others=head["others"])
    return Content(digest=head["digest"], numbers=numbers, body=content[_HEAD.size + length :])


def _shown(table: RuleTable, parts: Parts) -> Iterator[tuple[str, Sequence[tuple[Rule | None, tuple[str, Any]]]]]:
    """Write rules and parts out: pieces of (id, written out) with the rule, each with its part's name; "" is the rules.

    A part that has nothing is one empty piece.
    """
    writer = Writer()
    for rules in _pieces(rule for rule in table if not rule.is_hidden):
        yield "", [(rule, (rule.id, writer.table(rule))) for rule in rules]
    for part, named in parts.items():
        for names in _pieces(named) if named else [[]]:
            yield part, [(None, (name, named[name])) for name in names]


def _written(table: RuleTable, parts: Parts, numbers: Numbers, digest: "_Hash") -> Iterator[bytes]:
    """Give the JSON of rules and parts in pieces, and let the digest have them."""
    yield b'{"rules":{'
    before, begin = "", b""
    for name, piece in _shown(table, parts):
        digest.update(_json([name, [shown for _, shown in piece]]))
        if name != before:
            yield (b"}," if before else b'},"parts":{') + _json(name) + b":{"
            before, begin = name, b""
        found = {id_: shown if rule is None else (shown, numbers.of(rule)) for rule, (id_, shown) in piece}
        yield begin + _json(found)[1:-1]
        begin = b","
    yield b"}}}" if before else b'},"parts":{}}'


def _body(deflated: bytes) -> tuple[Mapping[str, tuple[Table, int]], Parts | None]:
    content = orjson.loads(zlib.decompress(deflated))
    return (content["rules"], content["parts"]) if "parts" in content else (content, None)


def _pieces(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, PIECE)):
        yield piece


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
