"""Method: what each kind of derived tag gives to the framework.

Why: all instances of a kind are computed together, from columns; a kind knows nothing of tags, scans or natures.
Never: reads a clock. Time is the inputs' own.

Letters: m instances computed now, w inputs of one role (the widest instance's; shorter ones are filled up).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerting.model.derivation import Derivation
from edge.few import every, some
from edge.model import Quality, Reason
from edge.model.quality import encode

Indexes: TypeAlias = NDArray[np.int64]
State: TypeAlias = dict[str, NDArray[Any]]

GOOD = np.uint8(Quality.GOOD)
BAD_INPUT = np.uint8(encode(Quality.BAD, Reason.INPUT))
BAD_INCOMPLETE = np.uint8(encode(Quality.BAD, Reason.INCOMPLETE))
BAD_RANGE = np.uint8(encode(Quality.BAD, Reason.RANGE))
UNCERTAIN_INPUT = np.uint8(encode(Quality.UNCERTAIN, Reason.INPUT))
UNCERTAIN_INCOMPLETE = np.uint8(encode(Quality.UNCERTAIN, Reason.INCOMPLETE))


@dataclass(slots=True)
class Column:
    """The inputs of one role.

    Attributes:
        value: In the kind's unit, float64 (m, w); NaN where it cannot be used.
        is_there: False where the instance has fewer inputs of this role, bool (m, w).
        is_usable: The last sample was judged (neither BAD nor retained) and is not stale, bool (m, w).
        is_uncertain: It is usable and UNCERTAIN, bool (m, w).
        time_ns: Time of the last sample, int64 (m, w).
    """

    value: NDArray[np.float64]
    is_there: NDArray[np.bool_]
    is_usable: NDArray[np.bool_]
    is_uncertain: NDArray[np.bool_]
    time_ns: NDArray[np.int64]

    @property
    def is_whole(self) -> NDArray[np.bool_]:
        """Tell which instances can use all of theirs, bool (m,)."""
        return np.asarray((self.is_usable | ~self.is_there).all(axis=1), dtype=np.bool_)

    @property
    def total(self) -> NDArray[np.float64]:
        """Give the sum of each instance's, float64 (m,); NaN where one cannot be used."""
        return np.asarray(np.where(self.is_there, self.value, 0.0).sum(axis=1), dtype=np.float64)


@dataclass(slots=True)
class Given:
    """What a method computes from.

    Attributes:
        now_ns: Time of each result: its newest input's, int64 (m,).
        roles: Inputs by role; a role that no instance fills has w = 0.
    """

    now_ns: NDArray[np.int64]
    roles: Mapping[str, Column]

    def first(self, role: str) -> NDArray[np.float64]:
        """Give the value of a role with one input, float64 (m,); NaN where it is not there or cannot be used."""
        column = self.roles[role]
        return column.value[:, 0] if column.value.shape[1] else np.full(len(self.now_ns), np.nan)

    def has(self, role: str) -> NDArray[np.bool_]:
        """Tell which instances have an input of a role, bool (m,)."""
        column = self.roles[role]
        return column.is_there[:, 0] if column.is_there.shape[1] else np.zeros(len(self.now_ns), dtype=np.bool_)

    @property
    def worst(self) -> NDArray[np.uint8]:
        """Give the worst quality of all inputs, uint8 (m,): BAD, UNCERTAIN or GOOD."""
        columns = self.roles.values()
        if all(every(column.is_usable) and not some(column.is_uncertain) for column in columns):  # As nearly always.
            return np.full(len(self.now_ns), GOOD)
        is_whole = np.ones(len(self.now_ns), dtype=np.bool_)
        is_uncertain = np.zeros(len(self.now_ns), dtype=np.bool_)
        for column in columns:
            is_whole &= column.is_whole
            is_uncertain |= column.is_uncertain.any(axis=1)
        return np.where(~is_whole, BAD_INPUT, np.where(is_uncertain, UNCERTAIN_INPUT, GOOD)).astype(np.uint8)


@dataclass(slots=True)
class Made:
    """What came of it.

    Attributes:
        value: In the kind's unit, float64 (m,); whatever where the quality is BAD.
        quality: uint8 (m,).
    """

    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


class Method(Protocol):
    """One kind with all its instances.

    Attributes:
        ROLES: Names of the roles that inputs fill, in the order in which people are told.
    """

    ROLES: ClassVar[tuple[str, ...]]

    def __init__(self, members: Sequence[Derivation]) -> None: ...

    def fresh(self) -> State:
        """Give the memory of all instances before the first sample: columns whose first axis is the instance."""
        ...

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Compute some instances; also those with BAD inputs, so that a method knows of its gaps.

        Args:
            at: Which instances, int64 (m,), ascending.
            state: Memory of all instances; updated in place.
        """
        ...

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Give what an event's cause says of one instance beside its inputs, as JSON values."""
        ...


class Stateless:
    """A method that remembers nothing."""

    def fresh(self) -> State:
        """Nothing to remember."""
        return {}

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Nothing to add."""
        del place, state
        return {}


def numbers(members: Sequence[Derivation], name: str, default: float = np.nan) -> NDArray[np.float64]:
    """Give a parameter of all instances as a column, float64 (n,)."""
    return np.array([each.numbers.get(name, default) for each in members], dtype=np.float64)
