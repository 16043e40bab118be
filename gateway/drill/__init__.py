"""Drill: a story played beside the running gateway, on a shadow of its site, as nature ``exercise``.

Flow: story -> [stories: may it be played here] -> [lead: start, pause, end] -> [shadow: intake, core, commit] -> record
Why: people must be drilled on the desk that they will use, with the rules, notices and authorities of their own site.
Never: changes anything actual; goes on while a real ORANGE or RED rings; goes on over a restart.
"""
