"""The derived tags of a site as columns: who is computed from whom, in which order.

Letters: d derived tag (its place here), g group (a kind with its instances), t tag row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import Indexes, Method, State
from alerting.core.derived.methods import METHODS
from alerting.core.derived.occupancy import Occupancy
from alerting.core.spread import spread
from alerting.model.derivation import Derivation
from edge.few import every
from edge.model import TagTable

SAMPLES_MAX: Final = 1024  # Of larger scans nothing is remembered: computing them outweighs it.
KNOWN_MAX: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Role:
    """The inputs of one role of a group, n instances by the widest one's w.

    Attributes:
        row: Tag rows, int32 (n, w); 0 where there is none.
        is_there: bool (n, w).
        factor, offset: What brings the values into the kind's unit, float64 (n, w).
    """

    row: NDArray[np.int32]
    is_there: NDArray[np.bool_]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """A kind with all its instances.

    Attributes:
        members: In the order of their places.
        row: Tag row of each, int32 (n,).
        factor, offset: Of each own value, float64 (n,).
        newest_of: Tag rows of all inputs of each, filled up with its first one, int32 (n, w).
    """

    kind: str
    method: Method
    members: tuple[Derivation, ...]
    row: NDArray[np.int32]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    roles: dict[str, Role]
    newest_of: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """Some instances of one group, m of them, and what they are computed from.

    Attributes:
        at: Which instances, int64 (m,), ascending.
        row, factor, offset, newest_of, roles: As in ``Group``, of these alone.
    """

    group: Group
    number: int
    at: Indexes
    row: NDArray[np.int32]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    newest_of: NDArray[np.int32]
    roles: dict[str, Role]

    @classmethod
    def of(cls, group: Group, number: int, at: Indexes) -> "Cut":
        """Cut some instances out of a group; ``number`` is its place in the table."""
        row = group.row[at]
        row.flags.writeable = False  # Scans share it.
        return cls(
            group=group,
            number=number,
            at=at,
            row=row,
            factor=group.factor[at],
            offset=group.offset[at],
            newest_of=group.newest_of[at],
            roles={
                name: Role(row=role.row[at], is_there=role.is_there[at], factor=role.factor[at], offset=role.offset[at])
                for name, role in group.roles.items()
            },
        )

    def where(self, mask: NDArray[np.bool_]) -> "Cut":
        """Give those where the mask is true; itself where it is true for all."""
        return self if every(mask) else Cut.of(self.group, self.number, self.at[mask])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What is computed together, by group; nothing of it hangs on what tags say."""

    cuts: tuple[Cut, ...]

    @classmethod
    def of(cls, table: "DerivedTable", mine: Indexes) -> "Plan":
        """Sort derived tags by group."""
        group = table.group[mine]
        return cls(
            cuts=tuple(
                Cut.of(table.groups[g], g, table.place[mine[group == g]].astype(np.int64))
                for g in np.unique(group).tolist()
            )
        )


T = TypeVar("T")


def _remember(known: dict[bytes, T], key: bytes, what: T) -> None:
    """Remember what was found for some tags; all is forgotten where the sources send something else each time."""
    if key:
        if len(known) >= KNOWN_MAX:
            known.clear()
        known[key] = what


class DerivedTable:
    """All derived tags.

    Attributes:
        groups: One a kind.
        group, place: Where each derived tag is, int32 (d,).
        level: 0 for tags computed from measured ones only, else one more than the highest of its inputs', int32 (d,).
        levels: How many levels there are.
        is_input: Tag rows that a derived tag is computed from, bool (tags,).
        of_row: Place of a tag row among the derived tags, int32 (tags,); -1 for measured tags.
        input_rows: The rows where ``is_input`` is true.
    """

    def __init__(self, derivations: Sequence[Derivation], tags: TagTable) -> None:
        self.tags = tags
        self.derivations = tuple(derivations)
        kinds = list(dict.fromkeys(each.kind for each in derivations))
        n = len(self.derivations)
        self.group: NDArray[np.int32] = np.array([kinds.index(each.kind) for each in derivations], dtype=np.int32)
        self.place: NDArray[np.int32] = np.zeros(n, dtype=np.int32)
        for g in range(len(kinds)):
            mine = np.flatnonzero(self.group == g)
            self.place[mine] = np.arange(len(mine), dtype=np.int32)
        self.groups = tuple(_group(kind, [d for d in derivations if d.kind == kind], tags) for kind in kinds)
        #: Groups of which some instances turn at a time of day.
        self.timed: tuple[int, ...] = tuple(
            g for g, group in enumerate(self.groups) if isinstance(group.method, Occupancy)
        )
        self.of_row: NDArray[np.int32] = np.full(len(tags), -1, dtype=np.int32)
        for d, each in enumerate(self.derivations):
            self.of_row[tags.row_of[each.tag]] = d
        self.level: NDArray[np.int32] = self._levels()
        self.levels = int(self.level.max(initial=-1)) + 1
        pairs = sorted((tags.row_of[name], d) for d, each in enumerate(derivations) for name in each.asked)
        self.is_input: NDArray[np.bool_] = np.zeros(len(tags), dtype=np.bool_)
        self.is_input[[row for row, _ in pairs]] = True
        self.input_rows: NDArray[np.int32] = np.flatnonzero(self.is_input).astype(np.int32)
        self._computed: NDArray[np.int32] = np.array([d for _, d in pairs], dtype=np.int32)
        self._first: NDArray[np.int32] = np.searchsorted(
            np.array([row for row, _ in pairs], dtype=np.int64), np.arange(len(tags) + 1)
        ).astype(np.int32)
        self._known_rows: dict[bytes, Indexes] = {}
        self._known_plans: dict[bytes, Plan] = {}

    def computed_from(self, rows: NDArray[np.int32]) -> Indexes:
        """Give the derived tags that are computed from some tag rows, ascending, each once."""
        key = rows.tobytes() if len(rows) <= SAMPLES_MAX else b""
        found = self._known_rows.get(key)
        if found is None:
            places, _ = spread(self._first, rows[self.is_input[rows]])
            found = np.unique(self._computed[places]).astype(np.int64)
            _remember(self._known_rows, key, found)
        return found

    def plan(self, mine: Indexes) -> "Plan":
        """Give who is computed together with whom, and of what, for some derived tags of one level, ascending."""
        key = mine.tobytes() if len(mine) <= SAMPLES_MAX else b""
        plan = self._known_plans.get(key)
        if plan is None:
            plan = Plan.of(self, mine)
            _remember(self._known_plans, key, plan)
        return plan

    def hanging_on(self, rows: NDArray[np.int32]) -> list[str]:
        """Name the derived tags that are computed from some tag rows, directly or by others."""
        found: set[int] = set()
        while len(rows):
            new = set(self.computed_from(rows).tolist()) - found
            found |= new
            rows = np.array([self.tags.row_of[self.derivations[d].tag] for d in sorted(new)], dtype=np.int32)
        return [self.derivations[d].tag for d in sorted(found)]

    def find(self, tag: str) -> Derivation | None:
        """Give how a tag is computed, or None for a measured one."""
        d = int(self.of_row[self.tags.row_of[tag]])
        return self.derivations[d] if d >= 0 else None

    def empty(self, of_group: Sequence[State], tag: str) -> bool:
        """Set an occupancy to 0; False where the tag is none."""
        d = int(self.of_row[self.tags.row_of[tag]]) if tag in self.tags.row_of else -1
        method = self.groups[int(self.group[d])].method if d >= 0 else None
        if not isinstance(method, Occupancy):
            return False
        method.reset(self.place[d : d + 1].astype(np.int64), of_group[int(self.group[d])])
        return True

    def _levels(self) -> NDArray[np.int32]:
        """Order the chains; the configuration has seen that there is no cycle."""
        level: dict[str, int] = {}
        waiting = list(self.derivations)
        own = {each.tag for each in waiting}
        while waiting:
            ready = [each for each in waiting if all(name in level for name in each.asked if name in own)]
            assert ready, [each.tag for each in waiting]
            for each in ready:
                level[each.tag] = 1 + max((level.get(name, -1) for name in each.asked), default=-1)
            waiting = [each for each in waiting if each.tag not in level]
        return np.array([level[each.tag] for each in self.derivations], dtype=np.int32)

    def __len__(self) -> int:
        return len(self.derivations)


def _group(kind: str, members: Sequence[Derivation], tags: TagTable) -> Group:
    method = METHODS[kind]
    asked = [[tags.row_of[name] for name in each.asked] for each in members]
    width = max(len(rows) for rows in asked)
    return Group(
        kind=kind,
        method=method(members),
        members=tuple(members),
        row=np.array([tags.row_of[each.tag] for each in members], dtype=np.int32),
        factor=np.array([each.scale[0] for each in members], dtype=np.float64),
        offset=np.array([each.scale[1] for each in members], dtype=np.float64),
        roles={role: _role(role, members, tags) for role in method.ROLES},
        newest_of=np.array([rows + rows[:1] * (width - len(rows)) for rows in asked], dtype=np.int32),
    )


def _role(role: str, members: Sequence[Derivation], tags: TagTable) -> Role:
    names = [each.inputs.get(role, ()) for each in members]
    shape = (len(members), max(map(len, names)))
    found = Role(
        row=np.zeros(shape, dtype=np.int32),
        is_there=np.zeros(shape, dtype=np.bool_),
        factor=np.ones(shape),
        offset=np.zeros(shape),
    )
    for n, mine in enumerate(names):
        scales = members[n].scales.get(role, ((1.0, 0.0),) * len(mine))
        for w, (name, (factor, offset)) in enumerate(zip(mine, scales, strict=True)):
            found.row[n, w] = tags.row_of[name]
            found.is_there[n, w] = True
            found.factor[n, w], found.offset[n, w] = factor, offset
    return found
