"""Derived tags: samples computed from other tags' judged samples, within the tick.

Flow: judged scan -> [is any of it an input?] -> compute, level by level -> derived scan -> judged like any other
"""

from alerting.core.derived.follow import by_clock, follow, next_by_clock_ns
from alerting.core.derived.state import DerivedState
from alerting.core.derived.table import DerivedTable

__all__ = ["DerivedState", "DerivedTable", "by_clock", "follow", "next_by_clock_ns"]
