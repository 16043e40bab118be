"""When a broker may forget a message: after its tick's commit and the historian's, in order, as design §3 says."""

from dataclasses import dataclass, field

from gateway.acknowledge import HISTORIAN_NS_MAX, Acknowledger, Receipt


@dataclass
class Line:
    """Receipts in order of arrival, and which of them were acknowledged."""

    acknowledger: Acknowledger = field(default_factory=Acknowledger)
    told: list[int] = field(default_factory=list)

    def expect(self, number: int, *, parts: int = 1, at_ns: int = 0, source: str = "mq") -> Receipt:
        receipt = Receipt(
            source=source, received_ns=at_ns, acknowledge=lambda: self.told.append(number), samples=10, parts=parts
        )
        self.acknowledger.expect(receipt)
        return receipt


def test_what_history_has_is_not_acknowledged_before_the_commit() -> None:
    line = Line()
    receipt = line.expect(1)
    line.acknowledger.kept(receipt)
    assert (line.told, line.acknowledger.waiting) == ([], 1), "a kill now would lose its alarm"
    line.acknowledger.committed([receipt])
    assert (line.told, line.acknowledger.waiting, line.acknowledger.acknowledged) == ([1], 0, 1)


def test_what_is_committed_waits_for_every_part_of_its_history() -> None:
    line = Line()
    receipt = line.expect(1, parts=2)
    line.acknowledger.committed([receipt])
    line.acknowledger.kept(receipt)
    assert line.told == []
    line.acknowledger.kept(receipt)
    assert line.told == [1]
    assert line.acknowledger.lost == 0


def test_a_source_is_answered_in_order_and_does_not_wait_for_another() -> None:
    line = Line()
    first, second, other = line.expect(1), line.expect(2, parts=0), line.expect(3, parts=0, source="mq2")
    line.acknowledger.committed([second, other])
    assert line.told == [3]
    line.acknowledger.committed([first])
    line.acknowledger.kept(first)
    assert line.told == [3, 1, 2]


def test_history_that_does_not_answer_costs_two_seconds_and_is_counted_but_a_commit_is_waited_for() -> None:
    line = Line()
    committed, never = line.expect(1, at_ns=0), line.expect(2, at_ns=0)
    line.acknowledger.committed([committed])
    line.acknowledger.hurry(HISTORIAN_NS_MAX - 1)
    assert line.told == []
    line.acknowledger.hurry(HISTORIAN_NS_MAX)
    assert (line.told, line.acknowledger.lost) == ([1], 10)
    line.acknowledger.hurry(100 * HISTORIAN_NS_MAX)
    assert (line.told, line.acknowledger.lost) == ([1], 10)
    assert not never.is_committed
