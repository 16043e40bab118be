"""Artefact: what was learnt, as a JSON file.

Why: read strictly, because a threshold taken from a file that means something else is worse than none.
Never: written half; a new file takes the old one's place in one step.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from alerting.model.learned import FORMAT, VERSION, Learned, Threshold, as_json

T = TypeVar("T")
AGAIN = "Run fengsui learn again."


class ArtefactError(ValueError):
    """The text is no artefact that this version can use; one sentence."""


def write(path: Path, learned: Learned) -> None:
    """Write an artefact; the old file stays until the new one is whole.

    Raises:
        OSError: It cannot be written.
    """
    text = json.dumps(as_json(learned), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def read(text: str) -> Learned:
    """Read an artefact.

    Raises:
        ArtefactError: It is none, or of another version, or a part is missing or of the wrong kind.
    """
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as failure:
        raise ArtefactError(f"it is not JSON ({failure}).") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ArtefactError(f"it is no artefact of fengsui learn (format {FORMAT}).")
    version = body.get("version")
    if version != VERSION:
        raise ArtefactError(f"it is of version {version!r}; this version of fengsui reads version {VERSION}.")
    rules = [_threshold(_Facts(each)) for each in _Facts(body).take("rules", _objects)]
    facts = _Facts(body)
    return Learned(
        site=facts.take("site", _text),
        config=facts.take("config", _text),
        tags=facts.take("tags", _text),
        recording=facts.take("recording", _text),
        from_ns=facts.take("from_ns", _whole),
        to_ns=facts.take("to_ns", _whole),
        seed=facts.take("seed", _whole),
        per_year=facts.take("per_year", _number),
        rules=tuple(rules),
        models=tuple(facts.take("models", _models)),
    )


def _threshold(facts: "_Facts") -> Threshold:
    return Threshold(
        rule=facts.take("rule", _text),
        kind=facts.take("kind", _text),
        shape=facts.take("shape", _text),
        value=facts.take("value", _number_or_none),
        low=facts.take("low", _number_or_none),
        high=facts.take("high", _number_or_none),
        now=facts.take("now", _number_or_none),
        days=facts.take("days", _number),
        peaks=facts.take("peaks", _whole),
        tail=facts.take("tail", _number),
        alarms_now=facts.take("alarms_now", _whole_or_none),
        alarms_then=facts.take("alarms_then", _whole_or_none),
        refused=facts.take("refused", _sentence_or_none),
    )


class _Facts:
    """One JSON object, asked key by key."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    def take(self, key: str, read_as: Callable[[Any], T]) -> T:
        if key not in self._body:
            raise ArtefactError(f"{key} is missing.")
        try:
            return read_as(self._body[key])
        except (TypeError, ValueError):
            raise ArtefactError(f"{key} is not what it should be.") from None


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _text(value: Any) -> str:  # noqa: ANN401  # what JSON gave, here and below
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Any) -> int:  # noqa: ANN401
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _whole_or_none(value: Any) -> int | None:  # noqa: ANN401
    return None if value is None else _whole(value)


def _number(value: Any) -> float:  # noqa: ANN401
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _number_or_none(value: Any) -> float | None:  # noqa: ANN401
    return None if value is None else _number(value)


def _objects(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError
    return value


def _models(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Read models as far as all have it in common; what is inside belongs to whoever fits one."""
    models = _objects(value)
    for model in models:
        _text(model.get("name"))
        _sentence_or_none(model.get("refused"))
    return models


def _sentence_or_none(value: Any) -> dict[str, str] | None:  # noqa: ANN401
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise TypeError
    return value
