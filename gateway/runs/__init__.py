"""Runs: stories played for testers in manual time, each in a process of its own, watched and disturbed from the page.

Flow: page -> [keeper] -> process of low priority: [play] -> JSON lines -> page; report and files when it is over
Why: whoever tries a story must never slow the gateway that watches the plant.
Never: touches the running site: a run has a site, a store and an authority of its own.
"""
