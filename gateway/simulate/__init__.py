"""Simulate: a plant made of code and the whole gateway, in manual time, judged by the scenario's own expectations.

Flow: scenario -> [known: may it be met] -> [play: plant, faults, gateway, authority] -> [judge] -> [report]
Why: scans enter at intake and everything from there on is the product, transactions as live; only time is handed in.
Never: opens a socket, waits in real time, takes a verdict from whoever played.
"""
