"""A regulator made of code: an HTTP server that checks signatures and keeps what it received.

Flow: notice -> [signature, mode, ledger] -> receipt
Why: it shares nothing with the sender. Signature, ledger and answers are written a second time, from the published
    specification, so that a mistake of ours cannot agree with itself.
"""
