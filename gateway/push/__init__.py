"""Push: notices out of the outbox to the authorities, at least once, in order within a chain.

Flow: commit -> outbox -> [worker -> channel] -> receipt in the outbox
"""
