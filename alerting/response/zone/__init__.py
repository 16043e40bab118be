"""Consequence zones: how far a release may harm, as a screening and never as a prediction.

Flow: source -> [release: how much comes out, how much of it into the air] -> [weather: which cases] ->
    [heavy or disperse: concentration along the wind] -> [contour: outline of each level] -> zone with its assumptions
Why: the simulated plants have formulas of their own (``simulators.physics``), which these do not import: a mistake that
    plant and zone shared would be seen by nobody. A test holds the two against each other and a third program.
Never: heat or blast; I/O, clocks, dice.
"""
