"""Loop check-out: each tag is proved from the instrument to the alarm, signed, and forgotten when it changes.

Flow: begin (alarms out of service, for a time) -> points (injected beside raw, value, conditions) -> sign -> record
Why: a wrong range or a swapped cable is found before the plant runs, or by an accident after.
"""
