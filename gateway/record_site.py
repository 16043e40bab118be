"""Recorded change of a site: what of tags, sources and units a recording must hold, so that a replay goes by them too.

Flow: Prepared -> [written] -> line of the recording -> [read] -> table of rules and Beside -> Prepared
Never: holds an address or a secret. What the safety path looks at is all that a replay needs of a source.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from alerting.late import GapBook, Part
from alerting.model.derivation import Derivation
from alerting.model.pca import PcaModel
from alerting.model.rule import Author, Rule, RuleTable
from alerting.model.tiering import Tiering, lines_as_json, lines_of_json
from alerting.model.unit import HazardUnit
from alerting.response.task import TaskTemplate
from alerting.swap import Beside, Prepared
from edge.config import Source
from edge.model import Tag, TagTable
from gateway.record_philosophy import philosophy_as_json, philosophy_of
from gateway.store.gaps import gap_of, gap_rows
from gateway.store.rows import entry_of, entry_row

_TAGS: Final = TypeAdapter(tuple[Tag, ...])
_SOURCES: Final = TypeAdapter(tuple[Source, ...])
_UNITS: Final = TypeAdapter(tuple[HazardUnit, ...])
_TASKS: Final = TypeAdapter(tuple[TaskTemplate, ...])
#: Parts of a source that only its collector looks at; they may hold passwords.
_OF_COLLECTOR: Final = ("modbus", "mqtt", "hj212")


def written(prepared: Prepared) -> dict[str, Any] | None:
    """Write down what changes beside the rules, as JSON values; None where nothing does."""
    beside = prepared.beside
    if beside is None:
        return None
    nothing: dict[str, Any] = dict.fromkeys(_OF_COLLECTOR)
    tags = tuple(replace(tag, address={}, title=dict(tag.title)) for tag in prepared.exchange.new.tags)
    return {
        "tags": _TAGS.dump_python(tags, mode="json"),
        "sources": _SOURCES.dump_python(tuple(replace(each, **nothing) for each in beside.sources), mode="json"),
        "derived": [_derivation(each) for each in beside.derived],
        "units": _UNITS.dump_python(beside.units, mode="json"),
        "tasks": _TASKS.dump_python(beside.tasks, mode="json"),
        "tiering": {"lines": lines_as_json(beside.tiering.lines), "lower_after_s": beside.tiering.lower_after_s},
        "philosophy": philosophy_as_json(beside.philosophy),
        "restarted": sorted(beside.restarted),
        "began": dict(beside.began),
        "unlike": sorted(beside.unlike),
    }


def read(line: Mapping[str, Any], known: Iterable[Derivation]) -> tuple[TagTable, Beside]:
    """Read it back.

    Args:
        known: How tags were derived before; what was learnt stands there, for it changes with a restart only.
    """
    models = {each.model.digest: each.model for each in known if each.model is not None}
    policy = line["tiering"]
    return TagTable(_tags_of(line["tags"])), Beside(
        sources=_SOURCES.validate_python(line["sources"]),
        derived=tuple(_derivation_of(each, models) for each in line["derived"]),
        units=_UNITS.validate_python(line["units"]),
        tasks=_TASKS.validate_python(line["tasks"]),
        tiering=Tiering(lines=lines_of_json(policy["lines"]), lower_after_s=policy["lower_after_s"]),
        philosophy=philosophy_of(line),
        restarted=frozenset(line["restarted"]),
        began=dict(line["began"]),
        unlike=frozenset(line["unlike"]),
    )


def authors_written(table: RuleTable) -> dict[str, Any]:
    """Write down who made the revisions of a table's rules; nothing where no person did."""
    if not table.authors:
        return {}
    return {"authors": {str(at): [author.who, author.approved_by] for at, author in table.authors.items()}}


def authors_of(saved: Mapping[str, Any]) -> dict[int, Author]:
    """Read who made the revisions of the rules that a recording begins with, or that a swap led to."""
    return {int(at): Author(*names) for at, names in saved.get("authors", {}).items()}


def gaps_written(gaps: GapBook) -> dict[str, Any]:
    """Write down the open gaps of the late lane, as JSON values; with their own rules where others are in force."""
    found = []
    for gap, row in zip(gaps.open_ones(), gap_rows(gaps.open_ones()), strict=True):
        line = {**asdict(row), "content": b64encode(row.content).decode()}
        if gap.revision != gaps.revision:
            tags = tuple(replace(tag, address={}, title=dict(tag.title)) for tag in gap.part.table.tags)
            line |= {
                "rules": [asdict(rule) for rule in gap.part.table],
                **authors_written(gap.part.table),
                "tags": _TAGS.dump_python(tags, mode="json"),
                "placed": [column.tolist() for column in gap.part.placed],
            }
        found.append(line)
    entries = [entry_row(entry) for entry in gaps.entries.values()]
    return {"revision": gaps.revision, "open": found, "entries": entries}


def adopt_gaps(written: Mapping[str, Any], gaps: GapBook, rules_of: Callable[[dict[str, Any]], list[Rule]]) -> None:
    """Open the gaps again with which a recording begins.

    Args:
        rules_of: Reads rules of a recording.
    """
    gaps.revision = written["revision"]
    found = []
    for line in written["open"]:
        part = gaps.part(line["source"])
        if "rules" in line:
            part = Part(RuleTable(rules_of(line), TagTable(_tags_of(line["tags"])), authors_of(line)), line["source"])
            here, there = (np.array(column, dtype=np.int32) for column in line["placed"])
            part.follow(here, there)
        found.append(gap_of({**line, "content": b64decode(line["content"])}, part))
    gaps.adopt(found, [entry_of(row) for row in written["entries"]])


def _tags_of(lines: Iterable[Mapping[str, Any]]) -> tuple[Tag, ...]:
    tags = [{**tag, **{key: math.nan for key in ("range_lo", "range_hi") if tag[key] is None}} for tag in lines]
    return _TAGS.validate_python(tags)


def _derivation(derivation: Derivation) -> dict[str, Any]:
    model = derivation.model
    return {**asdict(replace(derivation, model=None)), "model": None if model is None else model.digest}


def _derivation_of(saved: Mapping[str, Any], models: Mapping[str, PcaModel]) -> Derivation:
    return Derivation(
        **{
            **saved,
            "inputs": {role: tuple(names) for role, names in saved["inputs"].items()},
            "scales": {role: tuple((f, o) for f, o in pairs) for role, pairs in saved["scales"].items()},
            "scale": (saved["scale"][0], saved["scale"][1]),
            "numbers": {name: math.nan if number is None else number for name, number in saved["numbers"].items()},
            "table": tuple((x, y) for x, y in saved["table"]),
            "model": None if saved["model"] is None else models[saved["model"]],
        }
    )
