"""Register entries: what joins one in a tick, in order, once; and that a thousand alarms at once cost a thousand."""

from alerting.model.alarm import Alarm, State
from alerting.model.tier import Tier
from alerting.register.episode import Entry, EntryBook
from edge.model import Nature

WHERE = (Nature.ACTUAL, "U")


def ringing(name: str, state: State = State.UNACK) -> Alarm:
    return Alarm(key=name, id=f"{name}.1", nature=Nature.ACTUAL, tag=name, unit="U", group="high", state=state)


def join(book: EntryBook, alarms: list[Alarm], tier: Tier = Tier.RED) -> dict[str, Entry]:
    """One tick: each alarm, then the end."""
    entries: dict[str, Entry] = {}
    for alarm in alarms:
        entry = book.follow(WHERE, tier, alarm, alarm.id, 5, has_alarms=tier is not Tier.NONE)
        assert entry is not None
        entries[entry.id] = entry
    book.fill(entries)
    return entries


def test_alarms_join_in_order_and_once_over_ticks_and_a_restart() -> None:
    book = EntryBook("site")
    join(book, [ringing("b"), ringing("a"), ringing("b")])
    (entry,) = join(book, [ringing("c"), ringing("a")]).values()
    assert entry.alarms == ("b.1", "a.1", "c.1")
    assert book.open[WHERE] is entry
    after = EntryBook("site")
    after.adopt([entry])
    (later,) = join(after, [ringing("d"), ringing("c")]).values()
    assert (later.id, later.alarms) == (entry.id, ("b.1", "a.1", "c.1", "d.1"))


def test_an_entry_that_closes_in_the_tick_in_which_alarms_joined_it_has_them() -> None:
    book = EntryBook("site")
    entries: dict[str, Entry] = {}
    first = book.follow(WHERE, Tier.RED, ringing("a"), "a.1", 5, has_alarms=True)
    last = book.follow(WHERE, Tier.NONE, ringing("a", State.NORMAL), "a.2", 6, has_alarms=False)
    again = book.follow(WHERE, Tier.RED, ringing("b"), "b.1", 7, has_alarms=True)
    for entry in (first, last, again):
        assert entry is not None
        entries[entry.id] = entry
    book.fill(entries)
    assert [(entry.closed_ns, entry.alarms) for entry in entries.values()] == [(6, ("a.1",)), (0, ("b.1",))]
    assert list(book.open.values()) == [list(entries.values())[1]]


def test_no_alarm_of_a_tick_writes_anew_what_joined_before_it() -> None:
    """An entry that grew with each alarm took 64 times as long for eight times as many; it grows once, at the end."""
    book = EntryBook("site")
    (entry,) = join(book, [ringing(str(n)) for n in range(100)]).values()
    entries: dict[str, Entry] = {}
    for n in range(100, 300):
        now = book.follow(WHERE, Tier.RED, ringing(str(n)), f"{n}.1", 6, has_alarms=True)
        assert now is not None
        assert now.alarms is entry.alarms
        entries[now.id] = now
    book.fill(entries)
    assert book.open[WHERE].alarms == tuple(f"{n}.1" for n in range(300))
