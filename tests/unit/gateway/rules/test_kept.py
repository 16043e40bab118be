"""What a revision leaves: written piece by piece it is the JSON it always was; its digest tells whether to read it."""

import zlib
from dataclasses import replace

import orjson
import pytest

from alerting.model.compact import Shape, compact, like
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Tag, TagTable
from gateway.load.overlay import Writer, written
from gateway.rules import kept
from gateway.rules.parts import Parts

TAGS = TagTable([Tag(name=f"t{n}", source="s") for n in range(7)])


def table(*, setpoint: float = 10.0, revision: int = 1) -> RuleTable:
    rules = [
        Rule(id=f"{tag.name}.{kind.name}", tag=tag.name, kind=kind, setpoint=3.0, tier=Tier.BLUE, revision=revision)
        for tag in TAGS
        for kind in (Kind.STALE, Kind.BAD)
    ]
    return RuleTable([*rules, Rule(id="t0.H", tag="t0", kind=Kind.H, setpoint=setpoint, tier=Tier.RED)], TAGS)


PARTS: Parts = {"tag": {f"t{n}": {"source": "s"} for n in range(7)}, "unit": {}, "task": {"a": {"b": 1}}}


@pytest.mark.parametrize("piece", [1, 2, 1_000])
def test_pieces_are_the_whole(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(kept, "PIECE", piece)
    content = kept.unpack(kept.pack(table(), PARTS))
    assert orjson.loads(zlib.decompress(content.body)) == {
        "rules": {rule.id: [written(rule), rule.revision] for rule in table()},
        "parts": PARTS,
    }
    assert content.read() == ({rule.id: written(rule) for rule in table()}, PARTS)
    assert content.digest == kept.digest_of(table(), PARTS)


def test_the_digest_tells_what_differs_but_not_the_revision() -> None:
    same = kept.digest_of(table(), PARTS)
    assert kept.digest_of(table(revision=4), PARTS) == same
    assert kept.digest_of(table(setpoint=11.0), PARTS) != same
    assert kept.digest_of(table(), {**PARTS, "unit": {"U": {}}}) != same
    assert kept.digest_of(table(), {**PARTS, "task": {}}) != same
    assert kept.digest_of(table(), {**PARTS, "kind": {}}) != same


def test_each_rule_has_its_revision_again() -> None:
    rules = table(revision=7)
    assert rules[rules.index_of["t0.H"]].revision != 7
    content = kept.unpack(kept.pack(rules, {}))
    assert [content.numbers.of(replace(rule, revision=99)) for rule in rules] == [rule.revision for rule in rules]
    assert content.numbers.there == {7, rules[rules.index_of["t0.H"]].revision}


@pytest.mark.parametrize("has_parts", [True, False])
def test_what_an_older_program_wrote_is_read(*, has_parts: bool) -> None:
    rules = {rule.id: (written(rule), 3) for rule in table()}
    old = zlib.compress(orjson.dumps({"rules": rules, "parts": PARTS} if has_parts else rules))
    content = kept.unpack(old)
    assert content.digest == ""
    assert {content.numbers.of(rule) for rule in table()} == {3}
    assert content.read() == ({rule.id: written(rule) for rule in table()}, PARTS if has_parts else None)


def test_the_writer_writes_what_is_written_of_each_alone() -> None:
    writer = Writer()
    rules = [
        Rule(id=f"t{n}.{kind.name}", tag=f"t{n}", kind=kind, setpoint=float(n), tier=Tier.BLUE, to=to, deadband=1.0)
        for n in range(3)
        for kind, to in ((Kind.H, ""), (Kind.STALE, ""), (Kind.TREND, ""), (Kind.RATE, ""))
    ]
    assert [writer.table(rule) for rule in compact(rules)] == [written(rule) for rule in rules]


def test_a_rule_made_like_another_is_the_rule() -> None:
    asked = Rule(id="t1.STALE", tag="t1", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE, response={"en": "look"})
    shape = Shape(replace(asked, id="", tag="", setpoint=0.0))
    assert like(shape, "t1", 5.0) == asked
    assert compact([asked])[0] == like(shape, "t1", 5.0)
