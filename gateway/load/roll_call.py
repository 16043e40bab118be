"""Roll-call: what ``[roll_call]`` and ``[[assembly_point]]`` say of where people gather, and when one is missing."""

from typing import Final

from alerting.model.roll_call import ACCESS_STALE_S, OVERDUE_S, AssemblyPoint, RollPolicy
from alerting.model.site_plan import Corner
from alerting.register.coordinates import NoOutline, read_place
from edge.load.entry import Entry, Span
from edge.load.mistake import show
from edge.load.words import ID_RULE, is_id, keys_of

POINTS_MOST: Final = 50
STALE_MIN: Final = Span(least=1, most=240)
OVERDUE_MIN: Final = Span(least=1, most=240)


def read_roll_call(root: Entry) -> RollPolicy:
    """Read both; without a point people say in words where they are."""
    section = root.section("roll_call")
    section.who = "Roll-call"
    section.refuse_unknown(keys_of("roll_call"))
    found: dict[str, AssemblyPoint] = {}
    entries = root.sections("assembly_point", "Assembly point")
    if len(entries) > POINTS_MOST:
        en = f"there are {len(entries)} assembly points; a site has {POINTS_MOST} at most."
        entries[POINTS_MOST].wrong("id", en, "Keep those that have a sign.")
    for entry in entries:
        entry.refuse_unknown(keys_of("assembly_point"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each assembly point its own id.")
        point = AssemblyPoint(id=name, title=entry.titles("title", name), place=_place(entry))
        found.setdefault(name, point)
    return RollPolicy(
        points=tuple(one for name, one in found.items() if name),
        access_stale_s=60 * section.number("access_stale_minutes", ACCESS_STALE_S / 60, STALE_MIN),
        overdue_s=60 * section.number("overdue_minutes", OVERDUE_S / 60, OVERDUE_MIN),
    )


def _place(entry: Entry) -> Corner | None:
    text = entry.text("place")
    if not text:
        return None
    try:
        return read_place(text)
    except NoOutline:
        en = f"place is {show(text)}; it is longitude and latitude."
        entry.wrong("place", en, 'Write e.g. place = "120.7000 31.3000"; GCJ-02 or BD-09 before it is converted.')
    return None
