"""Instruments and what goes wrong with them: from the plant's true values to what a source sends.

Flow: true values -> [bank: lag, noise, resolution] -> [fault: what it becomes] -> [line: what the source does]
Why: each fault is a thing of its own with its time, dice and label, so any mix of them is a test with an answer.
Never: touches the plant; what is true stays true.
"""

from simulators.instrument.bank import Bank, Instrument
from simulators.instrument.fault import LINE_KINDS, VALUE_KINDS, Fault, Faults
from simulators.instrument.line import Delivery, SourceLine

__all__ = ["LINE_KINDS", "VALUE_KINDS", "Bank", "Delivery", "Fault", "Faults", "Instrument", "SourceLine"]
