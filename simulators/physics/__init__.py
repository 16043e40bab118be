"""Physics: what a plant does by itself, as formulas and as units that move; pure, SI inside.

Flow: acts of a story -> [units: tank, vessel, line, cloud, gallery, slope, crowd] -> true values -> instruments
Why: noise and faults belong to instruments, so a balance of the plant closes to the last digit and can be tested.
Never: does I/O, reads a clock, throws dice that were not handed in; claims to be a model for decisions about people.

Formulas: ``leak``, ``dispersion``, ``pedestrian``. What they need: ``substance``, ``shape``, ``weather``, ``noise``.
The other files are one unit each. ``docs/simulators.md`` shows each with its source.
"""
