"""Scenarios: what happens to a plant and its instruments, and what a gateway must say about it, and when.

Flow: file -> [read] -> scenario -> whoever plays it -> what was seen -> [judge] -> a verdict for each expectation
Never: runs anything, knows the gateway's code; it knows tags, conditions and tiers by name.
"""

from simulators.scenario.judge import Event, First, FloodSeen, Listed, Notice, Seen, Standing, Verdict, judge, stand
from simulators.scenario.model import Expectation, Flooding, Known, Scenario, See, Tripping
from simulators.scenario.read import find_scenario, read_scenario

__all__ = [
    "Event",
    "Expectation",
    "First",
    "FloodSeen",
    "Flooding",
    "Known",
    "Listed",
    "Notice",
    "Scenario",
    "See",
    "Seen",
    "Standing",
    "Tripping",
    "Verdict",
    "find_scenario",
    "judge",
    "read_scenario",
    "stand",
]
