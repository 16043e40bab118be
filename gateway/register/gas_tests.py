"""Gas tests in the store: those of a ticket, and the tickets that follow them.

Flow: gas tests that change -> [follow, in their transaction] -> tickets that are to be tested at another time
Never: judges a test; the ledger does.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, select

from alerting.register.field import Values
from alerting.register.ledgers.gas_tests import GAS_TESTS
from alerting.register.ledgers.tickets import TICKETS, tested
from gateway.register.reading import of_codes
from gateway.register.record import Record, as_record
from gateway.store.schema import record, record_reference

CHUNK: Final = 500


def tests_of(connection: Connection, tickets: Iterable[str]) -> dict[str, list[Values]]:
    """Give the values of the gas tests of tickets, by the ticket's code."""
    asked, found = sorted(set(tickets)), defaultdict[str, list[Values]](list)
    for at in range(0, len(asked), CHUNK):
        query = (
            select(record)
            .join(record_reference, record_reference.c.id == record.c.id)
            .where(
                record_reference.c.ledger == TICKETS.id, record_reference.c.code.in_(asked[at : at + CHUNK]),
                record.c.ledger == GAS_TESTS.id, record.c.is_removed.is_(False),
            )
            .order_by(record.c.seq)
        )  # fmt: skip
        for row in connection.execute(query):
            one = as_record(row)
            found[str(one.values["ticket"])].append(one.values)
    return dict(found)


def follow(
    connection: Connection, ledger: str, kept: Sequence[Record], had: Sequence[Record] = ()
) -> list[tuple[Record, Values]]:
    """Give the tickets that gas tests changed something of, with their new values.

    Args:
        kept: The tests as they are now.
        had: The same before, where they were there: one may have named another ticket.
    """
    if ledger != GAS_TESTS.id:
        return []
    touched = sorted({str(one.values["ticket"]) for one in (*kept, *had)})
    rows = tests_of(connection, touched)
    tickets = of_codes(connection, TICKETS.id, touched)
    fresh = ((one, tested(one.values, rows.get(code, ()))) for code, one in sorted(tickets.items()))
    return [(one, values) for one, values in fresh if values != one.values]
