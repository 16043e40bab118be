"""Every cell of the alarm state table of the design, both ways of latching."""

import pytest

from alerting.lifecycle import Refused, Turn, step
from alerting.model.alarm import State

#: Copied by hand from the design; "home" is NORMAL, or LATCHED if latching; "refused" is answered with a sentence;
#: "!" cannot happen. The design's dash (nothing to announce) is "same".
TABLE = """
state      TRIP    RISE    FALL    CLEAR      ACK      REALARM    RESET
NORMAL     UNACK   !       !       !          refused  same       refused
UNACK      !       UNACK   UNACK   RTN_UNACK  ACKED    UNACK      refused
ACKED      !       UNACK   ACKED   home       same     UNACK      refused
RTN_UNACK  UNACK   !       !       !          home     RTN_UNACK  refused
LATCHED    UNACK   !       !       !          same     same       NORMAL
"""
HEAD, *LINES = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(line[0], turn, cell) for line in LINES for turn, cell in zip(HEAD[1:], line[1:], strict=True)]


def test_the_table_is_whole() -> None:
    assert {(state, turn) for state, turn, _ in CELLS} == {(s.value, t.value) for s in State for t in Turn}


@pytest.mark.parametrize("is_latching", [False, True])
@pytest.mark.parametrize(("state", "turn", "cell"), CELLS)
def test_cell(state: str, turn: str, cell: str, is_latching: bool) -> None:
    def do() -> State:
        return step(State(state), Turn(turn), is_latching=is_latching)

    match cell:
        case "refused":
            with pytest.raises(Refused) as refusal:
                do()
            assert set(refusal.value.sentence) == {"en", "zh"}
            assert refusal.value.sentence["en"].endswith(".")
            assert refusal.value.sentence["zh"].endswith("。")
        case "!":
            with pytest.raises(AssertionError, match="cannot happen"):
                do()
        case "same":
            assert do() == state
        case "home":
            assert do() == ("LATCHED" if is_latching else "NORMAL")
        case _:
            assert do() == cell


def test_a_refusal_says_what_to_do_first() -> None:
    with pytest.raises(Refused, match="Acknowledge the alarm first"):
        step(State.UNACK, Turn.RESET, is_latching=True)
