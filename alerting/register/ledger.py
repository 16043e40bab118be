"""Ledger: a kind of record of the hazard register, declared; and how a row becomes a record.

Flow: row of a form or a sheet -> [read: cell by cell, then across] -> values, or everything that is wrong with it
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alerting.register.field import Field, Kind, Surroundings, Values, Words, Wrong, read_cell

Check = Callable[[Values, Surroundings], list[Wrong]]


def _nothing(_: Values, __: Surroundings) -> list[Wrong]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One ledger.

    Attributes:
        id: In addresses and files.
        about: One sentence for a person who sees it for the first time.
        fields: In the order of form and sheet; the first is the code, unique in the ledger.
        named: The field that a record is called by.
        check: What must hold across fields; called only where each field is right by itself.
    """

    id: str
    title: Words
    about: Words
    fields: Sequence[Field]
    named: str
    check: Check = _nothing

    def __post_init__(self) -> None:
        names = [each.name for each in self.fields]
        assert self.fields[0].kind is Kind.CODE, f"{self.id}: the first field is the code"
        assert self.fields[0].is_required, f"{self.id}: a code is never empty"
        assert len(set(names)) == len(names), f"{self.id}: a field stands twice"
        assert self.named in names, f"{self.id}: {self.named} is no field"

    @property
    def code(self) -> str:
        """Name of the field that holds the code."""
        return self.fields[0].name

    def field(self, name: str) -> Field:
        """Give a field by name.

        Raises:
            KeyError: There is none.
        """
        return {each.name: each for each in self.fields}[name]

    def refers(self, values: Values) -> list[tuple[str, str, str]]:
        """List what a record refers to: field, ledger, code."""
        return [
            (each.name, each.ledger, str(values[each.name]))
            for each in self.fields
            if each.kind is Kind.RECORD and values.get(each.name)
        ]

    def unit_of(self, values: Values) -> str:
        """Give the hazard unit that a record belongs to; empty for none."""
        return next((str(values[f.name]) for f in self.fields if f.kind is Kind.UNIT and values.get(f.name)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a row came to.

    Attributes:
        values: Right values by field; empty fields are left out.
    """

    values: Values
    wrongs: tuple[Wrong, ...] = ()


def read_row(ledger: Ledger, raw: Mapping[str, object], around: Surroundings) -> Row:
    """Read a row: every cell, and where all are right, what must hold across them."""
    values: Values = {}
    wrongs: list[Wrong] = []
    known = {each.name for each in ledger.fields}
    wrongs += [
        Wrong(
            field=name[:60],
            rule=Words("this ledger has no such field", "该台账没有此项"),
            remedy=Words("Leave it out.", "请删去。"),
        )
        for name in raw
        if name not in known
    ]
    for each in ledger.fields:
        cell = read_cell(each, raw.get(each.name), around)
        if cell.wrong is not None:
            wrongs.append(cell.wrong)
        elif cell.value is not None:
            values[each.name] = cell.value
    if not wrongs:
        wrongs += ledger.check(values, around)
    return Row(values=values, wrongs=tuple(wrongs))
