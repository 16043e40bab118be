"""Ledger: a kind of record of the hazard register, declared; how a row becomes a record, and an act changes one.

Flow: row of a form or a sheet -> [read: cell by cell, then across] -> values, or everything that is wrong with it
      act of a person -> [is it meant in this state, is all there that it needs] -> values and state, or what is wrong
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong, codes_in, read_cell, show

#: Field that holds the state of a record whose ledger has acts.
STATE: Final = "state"

Check = Callable[[Values, Surroundings], list[Wrong]]


Derive = Callable[[Values, Surroundings], Values]


def _nothing(_: Values, __: Surroundings) -> list[Wrong]:
    return []


def _none(_: Values, __: Surroundings) -> Values:
    return {}


def _no_field(_: Values) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One step of a closed loop.

    Attributes:
        begins: States in which it is meant.
        ends: State after it; empty where it stays what it was.
        fields: What the person fills in; those of ``needed`` must be.
        signs: Field that takes the name of who does it; empty for none.
        dates: Field that takes the day on which it is done; empty for none.
        empties: Fields that it empties: what was true of an earlier turn of the loop.
        permission: Who may do it, a name of the doors' own list.
        unless: Flag of the record that takes the act away, because another record decides; empty for none.
        check: What must hold beside; gets the record before the act, and what was given.
        moves: Gives what else changes, e.g. the next day of what comes again; gets the record after the act.
        opens: Gives records of other ledgers that it brings about, in the same transaction; gets the record after it.
    """

    id: str
    title: Words
    begins: frozenset[str]
    ends: str
    fields: Sequence[str] = ()
    needed: frozenset[str] = frozenset()
    signs: str = ""
    dates: str = ""
    empties: Sequence[str] = ()
    permission: str = "register"
    unless: str = ""
    check: "ActCheck | None" = None
    moves: "Moves | None" = None
    opens: "Opens | None" = None


ActCheck = Callable[[Values, Values, Surroundings], list[Wrong]]
Moves = Callable[[Values, Surroundings], Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A record that an act brings about.

    Attributes:
        values: With the beginning of its code, which is made unique where it is kept. The text ``{ledger}`` of a value
            stands for the code of the record that the same act opened in that ledger before.
    """

    ledger: str
    values: Values


Opens = Callable[[Values, Values, Surroundings], Sequence[Opened]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One ledger.

    Attributes:
        id: In addresses and files.
        about: One sentence for a person who sees it for the first time.
        fields: In the order of form and sheet; the first is the code, unique in the ledger.
        named: The field that a record is called by.
        check: What must hold across fields; called only where each field is right by itself.
        derive: Works out what follows from the others: derived fields, and first values of those that acts fill in;
            called only where all is right, after a form and after an act.
        follows: Tells which fields of a record follow another one; a form or a sheet that changes them is refused.
        acts: Steps of a closed loop; empty for a ledger without one.
        begins: State of a new record; empty without acts.
        stage: Of a ledger without acts: the field, a choice, that its list is filtered by as by a state.
        shut: States in which a form changes nothing any more.
        due: Field with the day by which an open record is to be done; empty for none.
        in_time: States in which what was due is done, though the loop goes on.
        is_tied: Tells whether something beside the register holds on to a record, so that it cannot be removed.
        photos: What its pictures show, e.g. before and after; empty for a ledger without pictures.
    """

    id: str
    title: Words
    about: Words
    fields: Sequence[Field]
    named: str
    check: Check = _nothing
    derive: Derive = _none
    follows: Callable[[Values], frozenset[str]] = _no_field
    acts: Sequence[Act] = ()
    begins: str = ""
    stage: str = ""
    shut: frozenset[str] = frozenset()
    due: str = ""
    in_time: frozenset[str] = frozenset()
    photos: Sequence[Choice] = ()
    is_tied: Callable[[Values], bool] = lambda _: False

    def __post_init__(self) -> None:
        names = [each.name for each in self.fields]
        assert self.fields[0].kind is Kind.CODE, f"{self.id}: the first field is the code"
        assert self.fields[0].is_required, f"{self.id}: a code is never empty"
        assert len(set(names)) == len(names), f"{self.id}: a field stands twice"
        assert self.named in names, f"{self.id}: {self.named} is no field"
        assert bool(self.acts) == bool(self.begins) == (STATE in names), (
            f"{self.id}: acts, a first state, a state field"
        )
        assert not (self.acts and self.stage), f"{self.id}: a state, or a stage"
        states = {choice.code for choice in self.field(STATE).choices} if self.acts else set()
        for act in self.acts:
            assert {*act.begins, act.ends} - {""} <= states, f"{self.id}.{act.id}: an unknown state"
            used = {*act.fields, *act.needed, act.signs, act.dates, *act.empties} - {""}
            assert used <= set(names), f"{self.id}.{act.id}: an unknown field"
            assert act.needed <= set(act.fields), f"{self.id}.{act.id}: needs what it does not ask for"

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

    @property
    def states(self) -> Sequence[Choice]:
        """Give the states that a record may be in; none without acts or a stage."""
        name = STATE if self.acts else self.stage
        return self.field(name).choices if name else ()

    def act(self, name: str) -> Act | None:
        """Give an act by its id."""
        return next((each for each in self.acts if each.id == name), None)

    def is_overdue(self, values: Values, today: str) -> bool:
        """Tell whether an open record is past its day; derived, never stored."""
        is_done = values.get(STATE) in self.shut | self.in_time
        return bool(self.due and values.get(self.due, "9999") < today and not is_done)

    def refers(self, values: Values) -> list[tuple[str, str, str]]:
        """List what a record refers to: field (with a place behind it, of several), ledger, code."""
        one = [
            (each.name, each.ledger, str(values[each.name]))
            for each in self.fields
            if each.kind is Kind.RECORD and values.get(each.name)
        ]
        many = [
            (f"{each.name}:{place}", each.ledger, code)
            for each in self.fields
            if each.kind is Kind.RECORDS
            for place, code in enumerate(codes_in(values.get(each.name, "")))
        ]
        return one + many

    def unit_of(self, values: Values) -> str:
        """Give the hazard unit that a record belongs to; empty for none."""
        return next((str(values[f.name]) for f in self.fields if f.kind is Kind.UNIT and values.get(f.name)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a row came to.

    Attributes:
        values: Right values by field; empty fields are left out.
        opened: What an act brings about beside.
    """

    values: Values
    wrongs: tuple[Wrong, ...] = ()
    opened: tuple[Opened, ...] = ()


def read_row(ledger: Ledger, raw: Mapping[str, object], around: Surroundings, had: Values | None = None) -> Row:
    """Read a row: every cell, and where all are right, what must hold across them.

    Args:
        had: What the record says already, for what only acts fill in; None for a new record.
    """
    values: Values = {}
    wrongs: list[Wrong] = []
    kept = had or ({STATE: ledger.begins} if ledger.acts else {})
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
        if each.is_derived:
            continue
        if each.is_by_act:
            if each.name in kept:
                values[each.name] = kept[each.name]
            continue
        cell = read_cell(each, raw.get(each.name), around)
        if cell.wrong is not None:
            wrongs.append(cell.wrong)
        elif cell.value is not None:
            values[each.name] = cell.value
    if not wrongs:
        wrongs += ledger.check(values, around)
    if not wrongs:
        values |= ledger.derive(values, around)
    wrongs += _by_hand(ledger, raw, values, around)
    wrongs += _followed(ledger, values, had)
    return Row(values=values, wrongs=tuple(wrongs))


def _by_hand(ledger: Ledger, raw: Mapping[str, object], values: Values, around: Surroundings) -> list[Wrong]:
    """Refuse what a form or a sheet says of fields that acts fill in, unless it says what is there."""
    rule = Words("it is filled in by an act, not by hand", "该项由流程操作填写，不能直接填写")
    remedy = Words("Leave it as it is, and use the act.", "请保持原值，通过流程操作修改。")
    return [
        Wrong(field=each.name, rule=rule, remedy=remedy, value=show(raw[each.name]))
        for each in ledger.fields
        if each.is_by_act and raw.get(each.name) not in (None, "") and _is_other(each, raw[each.name], values, around)
    ]


def _followed(ledger: Ledger, values: Values, had: Values | None) -> list[Wrong]:
    """Refuse what changes a field that follows another record."""
    rule = Words("it follows the record that it was made from", "该项随其来源记录变化，不能直接修改")
    remedy = Words("Change it there.", "请在来源记录中修改。")
    return [
        Wrong(field=each.name, rule=rule, remedy=remedy, value=show(values.get(each.name, "")))
        for each in ledger.fields
        if had is not None and each.name in ledger.follows(had) and values.get(each.name) != had.get(each.name)
    ]


def _is_other(of: Field, raw: object, kept: Values, around: Surroundings) -> bool:
    """Tell whether a cell says something else than what is kept; a sheet that came from here says the same."""
    cell = read_cell(of, raw, around)
    return cell.wrong is not None or cell.value != kept.get(of.name)


def do(ledger: Ledger, act: Act, had: Values, given: Mapping[str, object], around: Surroundings) -> Row:
    """Carry out an act on a record.

    Args:
        had: What the record says.
        given: What the person filled in.
        around: With the name of the person.

    Returns:
        All values after the act, or everything that is wrong.
    """
    if had[STATE] not in act.begins:
        now = next(choice.title for choice in ledger.states if choice.code == had[STATE])
        rule = Words(
            f"“{act.title.en}” is not meant while the record is “{now.en}”",
            f"当前状态为“{now.zh}”，不能“{act.title.zh}”",
        )
        remedy = Words("Look at the record again; somebody may have gone on.", "请重新查看该记录，可能他人已处理。")
        return Row(values=had, wrongs=(Wrong(field=STATE, rule=rule, remedy=remedy),))
    wrongs = [
        Wrong(
            field=name[:60],
            rule=Words("this act asks for no such field", "该操作没有此项"),
            remedy=Words("Leave it out.", "请删去。"),
        )
        for name in given
        if name not in act.fields
    ]
    filled: Values = {}
    for name in act.fields:
        of = replace(ledger.field(name), is_required=name in act.needed)
        cell = read_cell(of, given.get(name), around)
        if cell.wrong is not None:
            wrongs.append(cell.wrong)
        elif cell.value is not None:
            filled[name] = cell.value
    if not wrongs and act.check is not None:
        wrongs += act.check(had, filled, around)
    values = (
        {name: value for name, value in had.items() if name not in act.empties}
        | filled
        | {STATE: act.ends or had[STATE]}
    )
    if act.signs:
        values[act.signs] = around.who
    if act.dates:
        values[act.dates] = around.today.isoformat()
    if not wrongs and act.moves is not None:
        values |= act.moves(values, around)
    if not wrongs:
        wrongs += ledger.check(values, around)
    if not wrongs:
        values |= ledger.derive(values, around)
    opened = () if wrongs or act.opens is None else tuple(act.opens(had, values, around))
    return Row(values=values, wrongs=tuple(wrongs), opened=opened)
