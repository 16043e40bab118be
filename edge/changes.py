"""Changes: which sources must begin anew when the configuration changes, and which tags go elsewhere.

Flow: sources and tags that run, those that are to run -> [restarted, moved_rows] -> collecting
Why: one changed device must cost the others nothing, at a gateway and at an edge node alike; both ask here.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.config import Source
from edge.model import TagTable


def restarted(old: Sequence[Source], old_tags: TagTable, new: Sequence[Source], new_tags: TagTable) -> frozenset[str]:
    """Give the ids of sources that were there and whose collector begins anew: its way or one of its tags changed."""
    known = {each.id: each for each in old}
    before, after = _asked_of(old_tags), _asked_of(new_tags)
    return frozenset(
        each.id
        for each in new
        if each.id in known
        and (_way(each) != _way(known[each.id]) or after.get(each.id) != before.get(each.id))
    )  # fmt: skip


def moved_rows(old: TagTable, new: TagTable) -> NDArray[np.int32]:
    """Give the row of each old tag in the new table, (old tags,); -1 for those that are no more."""
    return np.array([new.row_of.get(name, -1) for name in old.names], dtype=np.int32)


def _way(source: Source) -> Source:
    """Give a source with all that its collector looks at, and the rest alike."""
    return replace(
        source,
        silent_after_s=source.silent_after_s if source.protocol == "hj212" else 0.0,
        lateness_s=source.lateness_s if source.protocol == "opcua" else 0.0,
    )


def _asked_of(tags: TagTable) -> dict[str, dict[str, str]]:
    """Give all of the tags of each source that its collector looks at."""
    found: dict[str, dict[str, str]] = {}
    for tag in tags:
        asked = (tag.address, tag.range_lo, tag.range_hi, tag.period_s, tag.nature)
        found.setdefault(tag.source, {})[tag.name] = repr(asked)
    return found
