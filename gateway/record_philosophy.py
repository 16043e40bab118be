"""Alarm philosophy as a recording holds it, so that a replay obeys and refuses as the gateway did."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from alerting.model.philosophy import Philosophy
from alerting.model.shelving import Shelving

_PHILOSOPHY: Final = TypeAdapter(Philosophy)


def philosophy_as_json(philosophy: Philosophy) -> dict[str, Any]:
    """Write the philosophy out, as JSON values."""
    found: dict[str, Any] = _PHILOSOPHY.dump_python(philosophy, mode="json")
    return found


def philosophy_of(line: Mapping[str, Any]) -> Philosophy:
    """Read it back; what a recording does not know yet is as it was when it was made: not asked for."""
    if "philosophy" in line:
        return _PHILOSOPHY.validate_python(line["philosophy"])
    return Philosophy(shelving=Shelving.of_names(line.get("shelving")))
