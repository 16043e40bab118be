"""Hazard units and the response tasks of their kinds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit, UnitLink
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import TagDraft
from edge.load.words import ID_RULE, RESERVED, is_id, keys_of
from gateway.config import TaskTemplate
from gateway.load.draft import TIERS
from gateway.load.rule import DAY_S

GRADES: Final = (1, 4)  # GB 18218-2018 §4.3: I to IV
LINK_SCHEMES: Final = ("http", "https", "rtsp", "rtsps")
LINK_LENGTH_MAX: Final = 1_000
LINKS_MAX: Final = 12
TASK: Final = Span(above=0, most=30 * DAY_S)


def read_units(entries: Sequence[Entry], tags: Iterable[TagDraft], site: Entry) -> list[HazardUnit]:
    """Read the hazard units, and check that every tag's unit is one of them."""
    units: dict[str, HazardUnit] = {}
    placed: dict[str, Entry] = {}
    wrong_names: set[str] = set()  # A unit whose id is wrong is there all the same for the tags that name it.
    for entry in entries:
        entry.refuse_unknown(keys_of("unit"))
        name = entry.required("id", ID_RULE, is_id)
        if name == RESERVED:
            entry.wrong("id", f'id "{RESERVED}" is kept for the gateway itself.', "Give the unit another id.")
        if name in units:
            entry.wrong("id", "id stands twice.", "Give each unit its own id.")
        kind = entry.text("kind", "area")
        if not kind:
            entry.wrong("kind", "kind is empty; it says what the unit is.", 'Write kind = "tank", or leave it out.')
        area_title = entry.titles("area", "") if isinstance(entry.values.get("area"), dict) else {}
        unit = HazardUnit(
            id=name,
            title=entry.titles("title", name),
            kind=kind,
            grade=entry.whole_or_none("grade", *GRADES) or 0,
            area=area_title.get("en", "") if area_title else entry.text("area"),
            area_title=area_title,
            links=_read_links(entry),
            parent=entry.text("parent"),
        )
        placed[name] = entry
        if name:
            units.setdefault(name, unit)
        else:
            wrong_names.add(str(entry.values.get("id", "")).strip())
    _check_parents(units, placed)
    if not entries:
        site.wrong("unit", "the site has no hazard unit.", "Add a [[unit]] with id, title and kind.")
    for draft in tags:
        if units and draft.tag.unit and draft.tag.unit not in units and draft.tag.unit not in wrong_names:
            draft.row.wrong("unit", f"unit {show(draft.tag.unit)} does not exist.", meant(draft.tag.unit, tuple(units)))
    return list(units.values())


def _check_parents(units: Mapping[str, HazardUnit], placed: Mapping[str, Entry]) -> None:
    """Note parents that do not exist, and units that are parts of themselves."""
    for name, unit in units.items():
        if not unit.parent:
            continue
        if unit.parent not in units:
            remedy = meant(unit.parent, tuple(units))
            placed[name].wrong("parent", f"parent {show(unit.parent)} does not exist.", remedy)
            continue
        above, seen = unit.parent, {name}
        while above in units and above not in seen:
            seen.add(above)
            above = units[above].parent
        if above == name:
            placed[name].wrong(
                "parent", f"parent {unit.parent} is a part of {name} itself.", "Remove one parent of the circle."
            )


def _read_links(entry: Entry) -> tuple[UnitLink, ...]:
    """Read where people can see a unit; a link is shown as it is, so it holds no secret and is of a known kind."""
    links: list[UnitLink] = []
    tables = entry.sections("link", f"{entry.who}, link")
    if len(tables) > LINKS_MAX:
        entry.wrong("link", f"{len(tables)} links; a unit has at most {LINKS_MAX}.", "Keep those that help at once.")
    for table in tables[:LINKS_MAX]:
        table.refuse_unknown(keys_of("unit.link"))
        url = table.required("url", "it is where the unit can be seen")
        rule = wrong_link(url) if url and "{" not in url else ""
        if rule:
            table.wrong("url", f"url is no link that is shown; {rule}.", "Write e.g. https://video.example/CAM-7.")
        if url in [link.url for link in links]:
            table.wrong("url", "the same link stands twice.", "Remove one of the two.")
        links.append(UnitLink(title=table.titles("title", url), url=url))
    return tuple(links)


def wrong_link(url: str) -> str:
    """Give the rule that a link breaks, empty where it is right."""
    if len(url) > LINK_LENGTH_MAX or any(not sign.isprintable() or sign.isspace() for sign in url):
        return f"it has at most {LINK_LENGTH_MAX} characters and no space"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme.lower() not in LINK_SCHEMES:
        return f"it begins with one of {', '.join(f'{scheme}://' for scheme in LINK_SCHEMES)}"
    if not host:
        return "it names a host"
    if "@" in parts.netloc:
        return "it holds no user and no password: everybody who sees the page would see them"
    return ""


def read_tasks(entries: Iterable[Entry], units: Iterable[HazardUnit]) -> list[TaskTemplate]:
    """Read the response task templates."""
    kinds = {unit.kind for unit in units} | {"gateway", "*"}
    tasks: list[TaskTemplate] = []
    for entry in entries:
        entry.refuse_unknown(keys_of("task"))
        kind = entry.required("kind", "it is a kind of unit, or * for any")
        if kind and kind not in kinds:
            entry.wrong("kind", f"no unit is of kind {show(kind)}.", meant(kind, sorted(kinds)))
        tier = entry.choice("tier", TIERS, "")
        if not entry.has("title"):
            entry.wrong("title", "title is missing; it says what to do.", "Add title = { en = …, zh = … }.")
        if not entry.has("within_s"):
            entry.wrong("within_s", "within_s is missing; a task has a time.", "Add within_s.")
        task = TaskTemplate(
            kind=kind,
            tier=Tier[tier or "NONE"],
            title=entry.titles("title", ""),
            owner=entry.required("owner", "it is the role or the person who does it"),
            within_s=entry.number_or_none("within_s", TASK) or 0.0,
        )
        if task in tasks:
            entry.wrong("title", "the same task stands twice.", "Remove one of the two.")
        tasks.append(task)
    return tasks
