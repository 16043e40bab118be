"""Commitment: what ``[commitment]`` says of the daily safety commitment."""

from alerting.model.commitment_policy import BY_S, CommitmentPolicy
from alerting.roster.plan import DAY_S
from edge.load.entry import Entry
from edge.load.words import keys_of
from gateway.load.schedule import read_clock


def read_commitment(root: Entry) -> CommitmentPolicy:
    """Read it; without the section nobody is asked for one."""
    section = root.section("commitment")
    section.who = "Commitment"
    section.refuse_unknown(keys_of("commitment"))
    by_s = read_clock(section, "by") if section.has("by") else BY_S
    if by_s in (0, DAY_S):
        section.wrong("by", "by is midnight; a commitment is signed in the course of its day.", 'Write by = "10:00".')
    signers = section.texts("signers")
    if section.has("signers") and not all(signers):
        section.wrong("signers", "signers has an empty name.", 'Write signers = ["zhang"], or leave it out.')
    return CommitmentPolicy(
        is_asked=root.has("commitment"),
        by_s=by_s or BY_S,
        on="workdays" if section.choice("on", ("all", "workdays"), "all") == "workdays" else "all",
        signers=frozenset(signers),
    )
