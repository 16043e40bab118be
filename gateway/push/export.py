"""Export of the ledger: one file that an inspector can verify on a machine of his own.

Flow: ledger -> [export] -> ZIP with the list (CSV, XLSX), every notice word for word, the chain of answers, a signed
    manifest -> `fengsui ledger verify`
Why: a table can be edited. The manifest names the digest of each file and the last hash of the chain of answers, and is
    signed by the installation's key, whose public half the plant hands over by another way.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from openpyxl import Workbook
from sqlalchemy import Connection, Row, select

from alerting.model.tier import Tier
from gateway.live import iso
from gateway.push.answers import GENESIS, facts_of
from gateway.push.ledger import Asked, answers_of, chosen
from gateway.store.schema import head, push_answer

ROWS_MAX: Final = 100_000
#: Signs a text: public key and signature, hexadecimal.
Seal = Callable[[bytes], tuple[str, str]]
FILES: Final = ("ledger.csv", "ledger.xlsx", "notices.jsonl", "answers.jsonl", "heads.json")
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"

HEAD: Final = {
    "en": ("Composed", "Destination", "Nature", "Action", "Tier", "Unit", "Tag", "Text", "Reported late", "State",
           "Attempts", "Confirmed", "Status", "Receipt", "Answer", "Key", "SHA-256 of what was sent"),
    "zh": ("生成时间", "接收方", "性质", "动作", "等级", "单元", "位号", "内容", "补报", "状态", "次数", "回执时间",
           "应答码", "回执号", "应答", "幂等键", "发送内容的 SHA-256"),
}  # fmt: skip


def export(connection: Connection, asked: Asked, facts: Mapping[str, Any], lang: str, seal: Seal) -> bytes:
    """Give the ZIP.

    Args:
        facts: Of the manifest: site, who asked, when.
        seal: Signs with the installation's key.
    """
    rows = connection.execute(chosen(asked).limit(ROWS_MAX)).all()
    told = answers_of(connection, [row.key for row in rows])
    table = [cells(row) for row in rows]
    chain, before = _chain(connection, told)
    contents = {
        "ledger.csv": csv_of(table, lang).encode("utf-8-sig"),
        "ledger.xlsx": xlsx_of(table, lang),
        "notices.jsonl": b"".join(orjson.dumps(_notice(row, told[row.key])) + b"\n" for row in rows),
        "answers.jsonl": b"".join(orjson.dumps({**facts_of(row), "hash": row.hash}) + b"\n" for row in chain),
        "heads.json": orjson.dumps(
            [{str(name): value for name, value in row.items()} for row in connection.execute(select(head)).mappings()]
        ),
    }
    manifest = {
        **facts,
        "from": iso(asked.from_ns) if asked.from_ns else None,
        "to": iso(asked.to_ns) if asked.to_ns else None,
        "notices": len(rows),
        "is_whole": len(rows) < ROWS_MAX,
        "answers": {"before": before, "last": chain[-1].hash if chain else before, "count": len(chain)},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    public, _ = seal(b"")
    text = orjson.dumps({**manifest, "public_key": public}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in {**contents, MANIFEST: text, SIGNATURE: seal(text)[1].encode()}.items():
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def cells(row: Row[Any]) -> tuple[str, ...]:
    """Give one line of the list, in the order of its headings; texts in Chinese, the language of its readers."""
    body = json.loads(row.body)
    receipt = json.loads(row.receipt) if row.receipt else {}
    return (
        iso(row.created_ns) or "",
        row.destination,
        row.nature,
        row.action,
        Tier(row.tier).name,
        str(body.get("unit", {}).get("id", "")),
        str(body.get("tag", "")),
        str(body.get("text", {}).get("zh", "")),
        "yes" if row.is_late else "",
        row.state,
        str(row.attempts),
        iso(row.delivered_ns) or "" if row.delivered_ns else "",
        str(receipt.get("status", "")),
        str(receipt.get("id", "")),
        str(receipt.get("answer", "") or row.last_error),
        row.key,
        digest_of(row),
    )


def digest_of(row: Row[Any]) -> str:
    """Give the SHA-256 of the exact text of a notice, 64 hexadecimal digits."""
    return hashlib.sha256((row.wire or row.body).encode()).hexdigest()


def csv_of(table: Sequence[Sequence[str]], lang: str) -> str:
    """Write the list as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD[lang])
    writer.writerows([_safe(cell) for cell in line] for line in table)
    return out.getvalue()


def xlsx_of(table: Sequence[Sequence[str]], lang: str) -> bytes:
    """Write the list as a workbook."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("ledger")
    sheet.append(list(HEAD[lang]))
    for line in table:
        sheet.append([_printable(_safe(cell)) for cell in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _safe(cell: str) -> str:
    """Keep a spreadsheet from taking an authority's answer for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _printable(cell: str) -> str:
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in cell)[:32_000]


def _notice(row: Row[Any], told: Sequence[Row[Any]]) -> dict[str, Any]:
    return {
        "key": row.key,
        "destination": row.destination,
        "chain": row.chain,
        "state": row.state,
        "created_ns": row.created_ns,
        "delivered_ns": row.delivered_ns,
        "sent": row.wire or row.body,
        "sha256": digest_of(row),
        "body": json.loads(row.body),
        "receipt": json.loads(row.receipt) if row.receipt else None,
        "answers": [one.number for one in told],
    }


def _chain(connection: Connection, told: Mapping[str, Sequence[Row[Any]]]) -> tuple[list[Row[Any]], str]:
    """Give the answers from the first to the last that matter, without a gap, and the hash before the first."""
    numbers = [one.number for each in told.values() for one in each]
    if not numbers:
        return [], GENESIS
    table = push_answer
    first, last = min(numbers), max(numbers)
    before = connection.scalar(select(table.c.hash).where(table.c.number == first - 1)) or GENESIS
    query = select(table).where(table.c.number >= first, table.c.number <= last).order_by(table.c.number)
    return list(connection.execute(query)), before
