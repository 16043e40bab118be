"""Computed: what the gateway computed from the samples of a run, for its pictures.

Flow: historian -> [curves_of] -> one curve for each derived tag
Why: a leak that no instrument shows is seen in a balance; its picture is the balance.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edge.model.quality import is_bad
from gateway.config import Site
from gateway.historian.port import Historian

NS = 1_000_000_000
POINTS_MOST = 1_000
#: Seconds of the story and values, float64 (n,) each; NaN where there was no value.
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


async def curves_of(historian: Historian, site: Site, begins_ns: int, lasts_s: float) -> Mapping[str, Curve]:
    """Give the curve of each derived tag of a site, at most 1,000 points each.

    Args:
        begins_ns: Second 0 of the story, ns since 1970-01-01 UTC.
        lasts_s: How long the gateway was there, s.
    """
    curves = {}
    for derivation in site.derived:
        row = site.tags.row_of[derivation.tag]
        until_ns = begins_ns + round(lasts_s * NS) + 1
        series = await historian.range(row, begins_ns, until_ns, POINTS_MOST)
        values = np.where(is_bad(series.quality), np.nan, series.values)
        curves[derivation.tag] = ((series.times_ns - begins_ns) / NS, values)
    return curves
