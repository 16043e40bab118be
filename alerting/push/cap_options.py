"""What a profile says of its CAP messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Scope: TypeAlias = Literal["Public", "Restricted", "Private"]
SCOPES: Final = ("Public", "Restricted", "Private")
#: CAP 1.2, §3.2.2, ``category``.
CATEGORIES: Final = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
#: ``key``: our idempotency key; ``gb``: 31 characters, area, institution, sub-unit, extension, entry time, serial.
IDENTIFIERS: Final = ("key", "gb")
LANGUAGE_OF: Final = {"zh": "zh-CN", "en": "en-US"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapArea:
    """Where a unit is, WGS 84.

    Attributes:
        polygon: Pairs ``lat,lon`` parted by spaces, at least four, the first again at the end.
        circle: ``lat,lon radius``, the radius in km.
        geocode: Code of the administrative area by GB/T 2260.
    """

    title: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    polygon: str = ""
    circle: str = ""
    geocode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapOptions:
    """What a profile says of its CAP messages.

    Attributes:
        sender: Guaranteed unique by its owner; no spaces, commas, ``<`` or ``&`` (CAP 1.2, §3.2.1).
        mandate: By which authority's order a Public message may leave this house; statutory public warnings are
            the government's alone (突发事件应对法, art. 63 and 64).
        prefix: The 14 digits before the time in an identifier of kind ``gb``.
        note: Said of every exercise; the standard asks for one (§3.2.1, ``note``).
        expires_s: How long a message holds, s.
        areas: By hazard unit.
    """

    sender: str
    sender_name: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""
    scope: Scope = "Restricted"
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    mandate: str = ""
    identifier: Literal["key", "gb"] = "key"
    prefix: str = ""
    languages: tuple[str, ...] = ("zh", "en")
    category: tuple[str, ...] = ("Safety",)
    event: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    contact: str = ""
    web: str = ""
    note: str = ""
    code: tuple[str, ...] = ()
    expires_s: float = 86_400.0
    geocode: str = ""
    areas: Mapping[str, CapArea] = field(default_factory=lambda: MappingProxyType({}))
