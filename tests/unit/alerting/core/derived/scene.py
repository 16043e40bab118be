"""A desk with derived tags, fed scan by scan: the seam of the tests of derived tags."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alerting.desk import Desk
from alerting.model.derivation import Derivation, source_of
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import describe, encode

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
BAD = encode(Quality.BAD, Reason.TIMEOUT)
UNCERTAIN = encode(Quality.UNCERTAIN, Reason.CLOCK)


class Scene:
    """Measured tags of one source (or several, by ``source/tag``) and derived ones; times in s after the start."""

    def __init__(
        self,
        derivations: Sequence[Derivation],
        measured: Sequence[str],
        *,
        stale_s: float = 5.0,
        rules: Sequence[Rule] = (),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        start_s: float = 0.0,
    ) -> None:
        names = {name: name.split("/")[0] if "/" in name else "plc" for name in measured}
        raw: dict[str, set[str]] = {name: {source} for name, source in names.items()}
        waiting = list(derivations)
        ordered: list[Derivation] = []
        while waiting:
            ready = [each for each in waiting if all(name in raw for name in each.asked)]
            for each in ready:
                raw[each.tag] = set().union(*(raw[name] for name in each.asked))
                waiting.remove(each)
            ordered += ready
        bounds = ranges or {}
        none = (float("nan"), float("nan"))
        tags = [Tag(name=name, source=source, unit="T") for name, source in names.items()] + [
            Tag(
                name=each.tag, source=source_of(raw[each.tag]), unit="T",
                range_lo=bounds.get(each.tag, none)[0], range_hi=bounds.get(each.tag, none)[1],
            )
            for each in ordered
        ]  # fmt: skip
        self.tags = TagTable(tags)
        stale = [
            Rule(id=f"{tag.name}.STALE", tag=tag.name, kind=Kind.STALE, setpoint=stale_s, tier=Tier.BLUE)
            for tag in tags
        ]
        self.table = RuleTable([*stale, *rules], self.tags)
        self.desk = Desk("site", self.table, [HazardUnit(id="T")], [], START_NS + round(start_s * S), list(derivations))
        self.numbers: dict[str, int] = {}
        self.made: list[Scan] = []

    def feed(self, at_s: float, quality: int = 0, *, received_s: float | None = None, **values: float) -> None:
        """Feed values by tag; ``__`` in a name stands for ``/``. NaN with quality BAD for a BAD sample."""
        self.take(at_s, {name.replace("__", "/"): value for name, value in values.items()}, quality, received_s)

    def take(self, at_s: float, values: Mapping[str, float], quality: int = 0, received_s: float | None = None) -> None:
        """Feed one scan of one source."""
        rows = np.array([self.tags.row_of[name] for name in values], dtype=np.int32)
        source = self.tags[int(rows[0])].source
        self.numbers[source] = self.numbers.get(source, 0) + 1
        at_ns = START_NS + round(at_s * S)
        received_ns = at_ns if received_s is None else START_NS + round(received_s * S)
        scan = Scan(
            source=source,
            epoch=1,
            number=self.numbers[source],
            received_ns=received_ns,
            rows=rows,
            values=np.array(list(values.values()), dtype=np.float64),
            quality=np.full(len(rows), quality, dtype=np.uint8),
            times_ns=np.full(len(rows), at_ns, dtype=np.int64),
        )
        self.desk.begin(received_ns)
        self.made = self.desk.take(scan)
        self.desk.finish()

    def value(self, tag: str) -> float:
        """Give a tag's value; NaN where its last sample is BAD."""
        row = self.tags.row_of[tag]
        memory = next(iter(self.desk.memories.values()))
        return float(memory.value[row]) if memory.quality[row] < 0x80 and memory.last_ns[row] else float("nan")

    def quality(self, tag: str) -> str:
        """Give a tag's quality in words."""
        return describe(int(next(iter(self.desk.memories.values())).quality[self.tags.row_of[tag]]))

    def time_s(self, tag: str) -> float:
        """Give the time of a tag's last sample, s after the start."""
        return (int(next(iter(self.desk.memories.values())).last_ns[self.tags.row_of[tag]]) - START_NS) / S


def derivation(tag: str, kind: str, inputs: Mapping[str, Any], **more: Any) -> Derivation:  # noqa: ANN401
    """Make a derivation whose inputs are in the kind's units; an input is a name or a list of names."""
    roles = {role: (names,) if isinstance(names, str) else tuple(names) for role, names in inputs.items()}
    return Derivation(
        tag=tag, kind=kind, inputs=roles, scales={role: ((1.0, 0.0),) * len(names) for role, names in roles.items()},
        **more,
    )  # fmt: skip
