"""Rules that change while the gateway runs: revisions, what they change on top of the files, and who may apply them.

Flow: changes -> [compile aside, compare] -> Prepared -> road -> one transaction with what the swap made ring
Why: a limit is put right at three in the morning without a restart, and the inspector finds who, when and why.
"""
