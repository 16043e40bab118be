"""Search over records: words of two signs for Chinese, whole words for the rest, initials of pinyin beside both.

Flow: what a record says -> [tokens] -> record_search;  what a person types -> [asked] -> record_search
Why: the databases' own word breakers take a run of Chinese signs for one word, and a trigram index finds no word of two
    signs, such as 隐患. So the words are ours, and the databases only keep and intersect them: FTS5 on SQLite, GIN on
    PostgreSQL.

The only module that imports pypinyin.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, text

#: Marks that no text begins a word with: initials of pinyin, and the ledger of a record.
PINYIN: Final = "音"
LEDGER: Final = "册"
RUN: Final = re.compile(r"([a-z0-9]+)|([\u3400-\u9fff]+)")
TOKENS_MAX: Final = 2_000
ASKED_MAX: Final = 12  # Words of one question; more than a person types.


def _runs(said: str) -> Iterable[tuple[str, str]]:
    """Part a text into runs of letters and digits, and of Chinese signs."""
    folded = unicodedata.normalize("NFKC", said).casefold()
    for found in RUN.finditer(folded):
        yield found[1] or "", found[2] or ""


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


@lru_cache(maxsize=4096)
def _initials(run: str) -> str:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  # Its dictionary takes 50 MB; who has no register does without.

    letters = lazy_pinyin(run, style=Style.FIRST_LETTER, errors=lambda _: "?")
    return "".join(letter[0] for letter in letters)


def tokens_of(ledger: str, said: Iterable[str]) -> list[str]:
    """Give the words that a record is found by, each once, at most 2,000."""
    found: dict[str, None] = {LEDGER + ledger.replace("_", ""): None}
    for part in said:
        for word, signs in _runs(part):
            if word:
                found[word] = None
                continue
            for token in (*signs, *_pairs(signs), *(PINYIN + pair for pair in _pairs(_initials(signs)))):
                found[token] = None
    return list(found)[:TOKENS_MAX]


def _asked(ledger: str, question: str) -> list[list[tuple[bool, list[str]]]]:
    """Give what must be found: all of these, each one of its ways, each way all of its words.

    Returns:
        For each run of the question its ways; a way is (is a beginning, words).
    """
    wanted: list[list[tuple[bool, list[str]]]] = [[(False, [LEDGER + ledger.replace("_", "")])]]
    for word, signs in list(_runs(question))[:ASKED_MAX]:
        if signs:
            wanted.append([(False, _pairs(signs) or [signs])])
            continue
        ways = [(True, [word])]
        if len(word) > 1 and word.isalpha():
            ways.append((False, [PINYIN + pair for pair in _pairs(word)]))
        wanted.append(ways)
    return wanted


def fts_question(ledger: str, question: str) -> str:
    """Write a question for FTS5. Words are letters, digits and signs alone, so nothing has to be escaped."""
    parts = []
    for ways in _asked(ledger, question):
        said = [
            "(" + " AND ".join(f'"{word}"{"*" if begins else ""}' for word in words) + ")" for begins, words in ways
        ]
        parts.append("(" + " OR ".join(said) + ")")
    return " AND ".join(parts)


def tsquery(ledger: str, question: str) -> str:
    """Write a question for PostgreSQL's tsquery."""
    parts = []
    for ways in _asked(ledger, question):
        said = ["(" + " & ".join(f"'{word}'{':*' if begins else ''}" for word in words) + ")" for begins, words in ways]
        parts.append("(" + " | ".join(said) + ")")
    return " & ".join(parts)


def is_asked(question: str) -> bool:
    """Tell whether a question has a word in it."""
    return next(iter(_runs(question)), None) is not None


def keep(connection: Connection, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Keep the words of records, by their ``seq``; what was kept before is forgotten."""
    if not rows:
        return
    connection.execute(text("DELETE FROM record_search WHERE rowid = :seq"), [{"seq": seq} for seq, _ in rows])
    if connection.dialect.name == "sqlite":
        said = [{"seq": seq, "tokens": " ".join(tokens)} for seq, tokens in rows]
        connection.execute(text("INSERT INTO record_search (rowid, tokens) VALUES (:seq, :tokens)"), said)
    else:
        kept = [{"seq": seq, "tokens": list(tokens)} for seq, tokens in rows]
        statement = (
            "INSERT INTO record_search (rowid, tokens) VALUES (:seq, array_to_tsvector(CAST(:tokens AS text[])))"
        )
        connection.execute(text(statement), kept)


def forget(connection: Connection, seqs: Sequence[int]) -> None:
    """Forget the words of records."""
    if seqs:
        connection.execute(text("DELETE FROM record_search WHERE rowid = :seq"), [{"seq": seq} for seq in seqs])


def found(connection: Connection, ledger: str, question: str, limit: int, below: int | None) -> list[int]:
    """Give the ``seq`` of records that say all that is asked, the last made first.

    Args:
        below: Give those with a smaller ``seq`` only.
    """
    if connection.dialect.name == "sqlite":
        matches, asked = "record_search MATCH :asked", fts_question(ledger, question)
    else:
        matches, asked = "tokens @@ CAST(:asked AS tsquery)", tsquery(ledger, question)
    statement = f"SELECT rowid FROM record_search WHERE {matches} AND rowid < :below ORDER BY rowid DESC LIMIT :most"  # noqa: S608 - both texts stand above
    bound = {"asked": asked, "below": 2**62 if below is None else below, "most": limit}
    return [row[0] for row in connection.execute(text(statement), bound)]
