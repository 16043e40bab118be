"""The core: which rules changed, as array code. Pure: no I/O, clock, dice or globals.

Flow: intake -> [evaluate, expire] -> alarm state
Never: knows about alarms, people or databases; reads a clock.
"""

from alerting.core.evaluate import evaluate, expire, next_due_ns
from alerting.core.memory import Changes, Memory

__all__ = ["Changes", "Memory", "evaluate", "expire", "next_due_ns"]
