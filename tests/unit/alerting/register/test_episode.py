"""Register entries: what joins one in a tick, in order, once; and that a thousand alarms at once cost a thousand."""

from time import process_time

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


def test_all_tags_of_a_large_unit_at_once_cost_as_much_each_as_a_few() -> None:
    """Eight times as many took 64 times as long; here at most three times of what they should."""

    def cost_s(count: int) -> float:
        began = process_time()
        (entry,) = join(EntryBook("site"), [ringing(str(n)) for n in range(count)]).values()
        assert len(entry.alarms) == count
        return process_time() - began

    few = min(cost_s(2_000) for _ in range(3))
    assert cost_s(16_000) < 24 * few
