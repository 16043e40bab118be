"""Derivation: how one derived tag is computed from other tags."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain

from alerting.model.pca import PcaModel

#: First part of the source of every derived tag; what follows names the sources of its inputs.
DERIVED = "derived"

#: ``value * factor + offset`` is a value in the unit that a kind computes in.
Scale = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What one derived tag is computed from, and how.

    Attributes:
        tag: Name of the derived tag.
        kind: Name of the method, see ``alerting.core.derived.methods``.
        inputs: Names of tags by role, e.g. ``{"level": ("TK-101.level",)}``.
        scales: For each input, by role, what brings it into the unit that the kind computes in.
        scale: The same for the tag's own value.
        numbers: Parameters by name, in the units that the kind's module states.
        words: Parameters that are one of some words.
        table: Pairs (x, y) with x strictly rising, e.g. a strapping table of level in m and volume in m³.
        model: What was learnt, of a kind that needs it.
    """

    tag: str
    kind: str
    inputs: Mapping[str, tuple[str, ...]]
    scales: Mapping[str, tuple[Scale, ...]]
    scale: Scale = (1.0, 0.0)
    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    table: tuple[tuple[float, float], ...] = ()
    model: PcaModel | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of all tags that it is computed from, each once, in the order of the roles."""
        return tuple(dict.fromkeys(chain.from_iterable(self.inputs.values())))

    @property
    def identity(self) -> str:
        """The tag and a digest of all that shapes its memory; one that is computed otherwise starts anew."""
        shape = repr(
            (
                self.kind,
                sorted(self.inputs.items()),
                sorted(self.scales.items()),
                self.scale,
                sorted(self.numbers.items()),
                sorted(self.words.items()),
                self.table,
                *(() if self.model is None else (self.model.digest,)),
            )
        )
        return f"{self.tag} {blake2b(shape.encode(), digest_size=8).hexdigest()}"


def source_of(sources: set[str]) -> str:
    """Name the source of derived tags whose inputs come from these sources.

    Tags of one such set share one sense of time; sets are kept apart, because clocks of sources differ.
    """
    names = sorted(sources)
    if len(names) <= 3:  # noqa: PLR2004  # beyond it a name is longer than what it tells
        return f"{DERIVED}:{'+'.join(names)}"
    return f"{DERIVED}:{len(names)}-sources-{blake2b('+'.join(names).encode(), digest_size=4).hexdigest()}"
