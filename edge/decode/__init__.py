"""From what came over the wire to columns of values and quality. Pure array code.

Flow: collect -> [decode] -> Scan
Never: does I/O, reads a clock, raises for what a device sent: bad input becomes quality or a refusal.
"""
