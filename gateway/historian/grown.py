"""Grown: the tag table that a historian keeps for itself; it only ever grows.

Why: what waits to be committed names its tags by row, and rows of the site change with every edit of the configuration.
    A row of the historian's own stays what it is while the process lives, also of a tag that was removed: its series
    stay, and what was handed over before still finds its place.
"""

import numpy as np

from edge.model import TagTable
from edge.model.scan import Rows


def grow(own: TagTable, tags: TagTable) -> tuple[TagTable, Rows]:
    """Give the table with room for all tags of a site, and where each of these stands in it, int32 (tags,).

    Args:
        own: The table so far; its rows stay.
        tags: Of the site; a tag that is there already gives the present resolution, period and nature.
    """
    known = [tags[tags.row_of[tag.name]] if tag.name in tags.row_of else tag for tag in own]
    grown = TagTable([*known, *(tag for tag in tags if tag.name not in own.row_of)])
    return grown, np.array([grown.row_of[name] for name in tags.names], dtype=np.int32)
