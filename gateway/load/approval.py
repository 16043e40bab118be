"""Approval: what ``[approval]`` says of whether changes of the configuration wait for a second person.

Why: management of change as ISA-18.2-2016 asks for it (clause 13; from memory, ``unverified``): who changes a limit is
not the one who agrees to it. Off unless a site asks for it: a plant with one engineer would stand still.
"""

from typing import Final

from edge.load.entry import Entry
from edge.load.words import keys_of
from gateway.config import ApprovalPolicy

HOURS: Final = 72
HOURS_MOST: Final = 24 * 31


def read_approval(root: Entry) -> ApprovalPolicy:
    """Read the section.

    Args:
        root: The site file.
    """
    section = root.section("approval")
    section.who = "Approval"
    section.refuse_unknown(keys_of("approval"))
    is_needed = section.flag("required", default=False)
    if section.has("hours") and not is_needed:
        section.wrong(
            "hours", "hours is given, and no change waits for anybody.", "Write required = true, or remove hours."
        )
    return ApprovalPolicy(is_needed=is_needed, hours=section.whole("hours", HOURS, 1, HOURS_MOST))
