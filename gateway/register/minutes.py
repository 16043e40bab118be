"""Minutes: moments as the ledgers keep them, day and minute by the site's clock, and back."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

NS: Final = 10**9


def minute(at_ns: int, zone: ZoneInfo) -> str:
    """Write a moment, ns since 1970-01-01 UTC, as the ledger keeps it: ``2026-01-01T08:00``."""
    return datetime.fromtimestamp(at_ns // NS, zone).strftime("%Y-%m-%dT%H:%M")


def next_minute_ns(at_ns: int) -> int:
    """Give when the next minute begins, ns since 1970-01-01 UTC; zones differ by whole minutes."""
    return (at_ns // (60 * NS) + 1) * 60 * NS


def moment(text: str, zone: ZoneInfo) -> int:
    """Give when a minute of the ledger begins, ns since 1970-01-01 UTC; of one that a clock shows twice the first."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS
