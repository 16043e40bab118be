"""Hazard unit: the regulated installation or area."""

from dataclasses import dataclass, field

#: Kinds known to the page's pictures; a site may use any other word.
KINDS = (
    "tank", "line", "zone", "warehouse", "production unit", "room", "gallery", "area", "gateway",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLink:
    """Where a person can see a unit, e.g. a camera's still or stream. Shown, never fetched.

    Attributes:
        title: What is seen there, by language.
        url: ``http``, ``https``, ``rtsp`` or ``rtsps``, without user and password.
    """

    title: dict[str, str]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardUnit:
    """One hazard unit.

    Attributes:
        id: Unique in the site, e.g. ``TK-101``.
        title: What people call it, by language (``en``, ``zh``).
        kind: What it is; data, not a class.
        grade: Legal grade 1 to 4 of a major hazard source by GB 18218-2018, or 0 for none.
        parent: Unit that it is a part of; empty for none.
        area: Group on the overview page; ``area_title`` is its name by language where it has one.
        links: Where people can see it.
    """

    id: str
    title: dict[str, str] = field(default_factory=dict)
    kind: str = "area"
    grade: int = 0
    area: str = ""
    area_title: dict[str, str] = field(default_factory=dict)
    links: tuple[UnitLink, ...] = ()
    parent: str = ""
