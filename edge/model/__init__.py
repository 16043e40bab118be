"""Words and types of the field side: tag, sample, scan, quality, nature.

Flow: collect -> decode -> [Scan] -> intake
Never: does I/O, reads a clock.
"""

from edge.model.nature import Nature
from edge.model.quality import Quality, Reason
from edge.model.scan import Link, Scan
from edge.model.tag import Tag, TagTable

__all__ = ["Link", "Nature", "Quality", "Reason", "Scan", "Tag", "TagTable"]
