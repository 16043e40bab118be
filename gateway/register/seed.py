"""Seed: the ledgers that lie beside a demonstration's site file go into its empty register, whole or not at all.

Flow: ``register/<ledger>.csv`` beside the site file -> [seed_register] -> records, a line in the audit chain
Why: plans, units and crowd zones are records; a story that opens no plan because nobody typed it in shows nothing.
Never: touches a ledger that has records already.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from alerting.register.ledgers import LEDGERS
from edge.load.mistake import ConfigError, Mistake
from gateway.config import Site
from gateway.register.around import around, today_of
from gateway.register.reading import page
from gateway.register.record import By
from gateway.register.sheets import SheetMistake, lines_of, look, take
from gateway.store.acts import Hand, note

#: Folder beside the site file.
FOLDER: Final = "register"
#: A day in such a list, counted from the one on which it is entered.
DAY: Final = re.compile(rb"\{today([+-]\d{1,4})\}")


def seed_register(folder: Path, site: Site, engine: Engine, by: By) -> int:
    """Enter the lists of a folder, those of ledgers that have no record yet; gives how many records were made.

    Args:
        folder: That of the site file; without a folder ``register`` in it nothing is done.

    Raises:
        ConfigError: Lists have mistakes; all of them, and nothing was entered.
    """
    lists = {ledger: folder / FOLDER / f"{ledger.id}.csv" for ledger in LEDGERS.values()}
    lists = {ledger: path for ledger, path in lists.items() if path.exists()}
    if not lists:
        return 0
    today, made, wrong = today_of(site, by.time_ns), 0, list[Mistake]()
    with engine.begin() as connection:
        for ledger, path in lists.items():
            if page(connection, ledger.id, limit=1):
                continue
            content = dated(path.read_bytes(), today)
            here = around(site, by.time_ns)
            found = look(connection, ledger, lines_of(content, path.name), here)
            if found.mistakes:
                wrong += _told(path, found.mistakes)
                continue
            take(connection, ledger, found, replace(by, here=here))
            made += len(found.new)
        if wrong:
            raise ConfigError(wrong)
        if made:
            note(connection, Hand(who=by.who, time_ns=by.time_ns), "records_imported", made=made, reason=by.reason)
    return made


def dated(content: bytes, today: date) -> bytes:
    """Write days in place of ``{today-30}``: what was sampled a month ago is so whenever the demonstration starts."""
    return DAY.sub(lambda found: (today + timedelta(days=int(found[1]))).isoformat().encode(), content)


def _told(path: Path, mistakes: Sequence[SheetMistake]) -> list[Mistake]:
    return [
        Mistake(
            file=str(path), line=max(1, each.row), path=each.column,
            sentence=f"{each.value!r}: {each.rule.en}." if each.value else f"{each.rule.en}.", remedy=each.remedy.en,
        )
        for each in mistakes
    ]  # fmt: skip
