"""Roster: what ``[calendar]``, ``[[shift]]`` and ``[[post]]`` say of who must be on duty when.

Why: an escalation that calls a post which nobody can fill rings nowhere, and that would be found out at night.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

from alerting.roster.plan import DAY_S, Calendar, On, Post, RosterPlan, Shift
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from gateway.load.schedule import read_clock

COUNTRIES: Final = ("CN",)
LENGTH_S_LEAST: Final = 900
YEARS: Final = range(2000, 2101)


def read_roster(root: Entry, units: Collection[str]) -> RosterPlan:
    """Read the shifts, the posts and the calendar.

    Args:
        root: The site file.
        units: Ids of the hazard units.
    """
    shifts = _shifts(root.sections("shift", "Shift"))
    posts = _posts(root.sections("post", "Post"), shifts, units)
    for entry, shift in shifts.values():
        if shift is not None and not any(shift.id in post.shifts for post in posts):
            entry.warn("id", "no post is manned in this shift.", "Name it in the shifts of a post, or remove it.")
    return RosterPlan(
        calendar=_calendar(root), shifts=tuple(shift for _, shift in shifts.values() if shift), posts=tuple(posts)
    )


def _calendar(root: Entry) -> Calendar:
    section = root.section("calendar")
    section.who = "Calendar"
    section.refuse_unknown(keys_of("calendar"))
    country = section.text("country")
    if country and country not in COUNTRIES:
        section.wrong(
            "country",
            f"country is {show(country)}; calendars are known of {', '.join(COUNTRIES)}.",
            "Leave it out to count weekdays, and write the plant's own days into rest and work.",
        )
        country = ""
    rest, work = _days(section, "rest"), _days(section, "work")
    for on in sorted(set(rest) & set(work)):
        section.wrong("work", f"{on} is in rest and in work.", "Remove it from one of the two.")
    return Calendar(country=country, rest=rest, work=work)


def _days(section: Entry, key: str) -> tuple[date, ...]:
    value = section.values.get(key, [])
    found: list[date] = []
    if not isinstance(value, list):
        section.wrong(key, f"{key} is {show(value)}; it must be a list of days.", f'Write {key} = ["2026-10-01"].')
        return ()
    for place, item in enumerate(value):
        on = item if type(item) is date else None
        if isinstance(item, str):
            try:
                on = date.fromisoformat(item.strip())
            except ValueError:
                on = None
        if on is None or on.year not in YEARS:
            section.wrong((key, place), f"{key} has {show(item)}; a day is written 2026-10-01.", "Write such a day.")
        elif on in found:
            section.wrong((key, place), f"{on} stands twice.", "Write each day once.")
        else:
            found.append(on)
    return tuple(found)


def _shifts(entries: list[Entry]) -> dict[str, tuple[Entry, Shift | None]]:
    """Read the shifts; one that is wrong is there all the same for the posts that name it."""
    found: dict[str, tuple[Entry, Shift | None]] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("shift"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each shift its own id.")
        on = entry.choice("on", tuple(On), On.ALL)
        begin, end = read_clock(entry, "from"), read_clock(entry, "to")
        shift = None
        if begin == DAY_S:
            entry.wrong("from", 'from is "24:00"; a day begins at 00:00.', 'Write from = "00:00" of the next day.')
        elif begin is not None and end is not None:
            length_s = end - begin if end > begin else end + DAY_S - begin
            if length_s < LENGTH_S_LEAST:
                entry.wrong("to", "the shift is shorter than 15 minutes.", "Write a later time of day.")
            else:
                title = entry.titles("title", name)
                shift = Shift(id=name, title=title, from_s=begin, to_s=end, on=On(on))
        if name:
            found.setdefault(name, (entry, shift))
    return found


def _posts(
    entries: list[Entry], shifts: dict[str, tuple[Entry, Shift | None]], units: Collection[str]
) -> list[Post]:  # fmt: skip
    found: dict[str, Post] = {}
    for entry in entries:
        entry.refuse_unknown(keys_of("post"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each post its own id.")
        named = entry.texts("shifts")
        if not named:
            entry.wrong("shifts", "no shift is named; nobody would ever be on duty here.", "Add shifts, a list of ids.")
        for place, shift in enumerate(named):
            if shift not in shifts:
                entry.wrong(("shifts", place), f"shift {show(shift)} does not exist.", meant(shift, tuple(shifts)))
        of = entry.texts("units")
        for place, unit in enumerate(of):
            if unit not in units:
                entry.wrong(("units", place), f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        post = Post(
            id=name,
            title=entry.titles("title", name),
            shifts=tuple(dict.fromkeys(named)),
            units=tuple(dict.fromkeys(of)),
            is_leader=entry.flag("leader", default=False),
            roster=_of_events(entry),
            instead_of=entry.text("instead_of"),
        )
        found.setdefault(name, post)
    _check_instead(entries)
    return [post for name, post in found.items() if name]


def _of_events(entry: Entry) -> str:
    """Read the roster of large events that a post belongs to; empty for one that is always manned."""
    if entry.has("roster"):
        return entry.required("roster", ID_RULE, is_id)
    if entry.has("instead_of"):
        en = "instead_of is given without roster; only a post of a large event stands instead of another."
        entry.wrong("instead_of", en, "Add roster, or remove instead_of.")
    return ""


def _check_instead(entries: list[Entry]) -> None:
    """Refuse a post that stands instead of one that is not there, or is of an event itself."""
    usual = [entry.text("id") for entry in entries if not entry.has("roster")]
    for entry in entries:
        name = entry.text("instead_of")
        if name and name not in usual:
            en = f"instead_of is {show(name)}; there is no such post that is always manned."
            entry.wrong("instead_of", en, meant(name, [post for post in usual if post and post != entry.text("id")]))
