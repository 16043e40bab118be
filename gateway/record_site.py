"""Recorded change of a site: what of tags, sources and units a recording must hold, so that a replay goes by them too.

Flow: Prepared -> [written] -> line of the recording -> [read] -> table of rules and Beside -> Prepared
Never: holds an address or a secret. What the safety path looks at is all that a replay needs of a source.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from pydantic import TypeAdapter

from alerting.model.derivation import Derivation
from alerting.model.pca import PcaModel
from alerting.model.shelving import Shelving
from alerting.model.tiering import Tiering, lines_as_json, lines_of_json
from alerting.model.unit import HazardUnit
from alerting.response.task import TaskTemplate
from alerting.swap import Beside, Prepared
from edge.config import Source
from edge.model import Tag, TagTable

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
    tags = tuple(replace(tag, address={}) for tag in prepared.exchange.new.tags)
    return {
        "tags": _TAGS.dump_python(tags, mode="json"),
        "sources": _SOURCES.dump_python(tuple(replace(each, **nothing) for each in beside.sources), mode="json"),
        "derived": [_derivation(each) for each in beside.derived],
        "units": _UNITS.dump_python(beside.units, mode="json"),
        "tasks": _TASKS.dump_python(beside.tasks, mode="json"),
        "tiering": {"lines": lines_as_json(beside.tiering.lines), "lower_after_s": beside.tiering.lower_after_s},
        "shelving": beside.shelving.named(),
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
    tags = [{**tag, **{key: math.nan for key in ("range_lo", "range_hi") if tag[key] is None}} for tag in line["tags"]]
    policy = line["tiering"]
    return TagTable(_TAGS.validate_python(tags)), Beside(
        sources=_SOURCES.validate_python(line["sources"]),
        derived=tuple(_derivation_of(each, models) for each in line["derived"]),
        units=_UNITS.validate_python(line["units"]),
        tasks=_TASKS.validate_python(line["tasks"]),
        tiering=Tiering(lines=lines_of_json(policy["lines"]), lower_after_s=policy["lower_after_s"]),
        shelving=Shelving.of_names(line.get("shelving")),
        restarted=frozenset(line["restarted"]),
        began=dict(line["began"]),
        unlike=frozenset(line["unlike"]),
    )


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
