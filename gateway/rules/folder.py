"""Folder: the overlay that a gateway's data folder keeps, read without the store's libraries.

Why: ``fengsui check`` runs where only an edge node is installed, and judges what a start would meet.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gateway.load.overlay import NOTHING, Overlay

NEWEST = "SELECT overlay FROM rule_revision ORDER BY number DESC LIMIT 1"


def overlay_of(data: Path) -> Overlay:
    """Give what a data folder keeps of rules changed while its gateway ran; nothing where there is none."""
    path = data / "register.db"
    if not path.exists():
        return NOTHING
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            row = connection.execute(NEWEST).fetchone()
    except sqlite3.DatabaseError:  # A register of an earlier version has no such table; one that is broken is told
        return NOTHING  # by the start, which opens it for good.
    return NOTHING if row is None else Overlay(json.loads(row[0]))
