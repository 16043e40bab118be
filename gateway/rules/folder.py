"""Folder: the overlay that a gateway's data folder keeps, read without the store's libraries.

Why: ``fengsui check`` runs where only an edge node is installed, and judges what a start would meet.
"""

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gateway.load.overlay import NOTHING, Overlay, Replaced

NEWEST = "SELECT * FROM rule_revision ORDER BY number DESC LIMIT 1"
FILE = "SELECT content FROM config_file WHERE digest = ?"


def overlay_of(data: Path) -> Overlay:
    """Give what a data folder keeps of rules changed while its gateway ran; nothing where there is none."""
    path = data / "register.db"
    if not path.exists():
        return NOTHING
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute(NEWEST).fetchone()
            if row is None:
                return NOTHING
            replaced = json.loads(row["replaced"] or "{}") if "replaced" in row.keys() else {}  # noqa: SIM118 - a Row
            digests = json.loads(row["contents"] or "{}") if replaced else {}
            files = {
                name: Replaced(zlib.decompress(connection.execute(FILE, (digests[name],)).fetchone()[0]), base)
                for name, base in replaced.items()
            }
            return Overlay(json.loads(row["overlay"]), files)
    except sqlite3.DatabaseError:  # A register of an earlier version has no such table; one that is broken is told
        return NOTHING  # by the start, which opens it for good.
