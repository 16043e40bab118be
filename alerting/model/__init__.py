"""Words and types of judging: hazard unit, tier, rule, alarm, event, command.

Flow: evaluate -> [Event] -> commit -> push
Never: does I/O, reads a clock.
"""
