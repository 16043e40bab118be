"""What an event's cause says of a derived tag: how it is computed, and from which values.

Flow: DerivedTable, memory -> [told] -> cause of an event -> notice, "why did this ring?"
"""

from typing import Any, Final

import numpy as np

from alerting.core.derived.state import DerivedState
from alerting.core.derived.table import DerivedTable
from alerting.core.memory import Memory
from edge.model.quality import describe

INPUTS_TOLD: Final = 8  # In a cause; a sum over 300 tanks is told by how many there are.


def told(table: DerivedTable, state: DerivedState, memory: Memory, tag: str) -> dict[str, Any]:
    """Give the facts of one tag as it stands; nothing for a measured one."""
    found = table.find(tag)
    if found is None:
        return {}
    d = int(table.of_row[table.tags.row_of[tag]])
    g, place = int(table.group[d]), int(table.place[d])
    inputs = []
    for name in found.asked[:INPUTS_TOLD]:
        row = table.tags.row_of[name]
        value = float(memory.value[row])
        inputs.append(
            {
                "tag": name,
                "value": value if np.isfinite(value) else None,
                "eu": table.tags[row].eu,
                "quality": describe(int(memory.quality[row])) if memory.last_ns[row] else "",
            }
        )
    facts: dict[str, Any] = {"derived": found.kind, "inputs": inputs, "inputs_more": len(found.asked) - len(inputs)}
    extra = table.groups[g].method.explain(place, state.of_group[g])
    return facts | ({"computed": extra} if extra else {})
