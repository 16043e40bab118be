"""Push: what is told to an authority about an event, and the words for it.

Flow: events -> [compose] -> outbox -> push
Never: does I/O.
"""
