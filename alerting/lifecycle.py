"""Life cycle of an alarm: one table (design §3; ISA-18.2 states A to D and F).

Flow: changed conditions, commands -> [step] -> new state
Why: everything that moves an alarm's state stands in STEP; a cell that cannot happen is an assertion.
Never: knows about suppression, which is a field of its own.
"""

from enum import StrEnum

from alerting.model.alarm import State


class Turn(StrEnum):
    """What can happen to an alarm."""

    TRIP = "TRIP"
    RISE = "RISE"
    FALL = "FALL"
    CLEAR = "CLEAR"
    ACK = "ACK"
    REALARM = "REALARM"
    RESET = "RESET"


class Refused(Exception):  # noqa: N818  # The answer to a person, not a failure.
    """A command that does not fit the alarm's state, with the sentence to answer, by language."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.sentence = {"en": en, "zh": zh}


NORMAL, UNACK, ACKED, RTN_UNACK, LATCHED = (
    State.NORMAL,
    State.UNACK,
    State.ACKED,
    State.RTN_UNACK,
    State.LATCHED,
)  # fmt: skip

#: (state, turn) -> next state. Cells that need the alarm's latching are in HOME; refused ones in REFUSED;
#: a cell in none of the three cannot happen.
STEP: dict[tuple[State, Turn], State] = {
    (NORMAL, Turn.TRIP): UNACK,
    (NORMAL, Turn.REALARM): NORMAL,
    (UNACK, Turn.RISE): UNACK,
    (UNACK, Turn.FALL): UNACK,
    (UNACK, Turn.CLEAR): RTN_UNACK,
    (UNACK, Turn.ACK): ACKED,
    (UNACK, Turn.REALARM): UNACK,
    (ACKED, Turn.RISE): UNACK,
    (ACKED, Turn.FALL): ACKED,
    (ACKED, Turn.ACK): ACKED,
    (ACKED, Turn.REALARM): UNACK,
    (RTN_UNACK, Turn.TRIP): UNACK,
    (RTN_UNACK, Turn.REALARM): RTN_UNACK,
    (LATCHED, Turn.TRIP): UNACK,
    (LATCHED, Turn.ACK): LATCHED,
    (LATCHED, Turn.REALARM): LATCHED,
    (LATCHED, Turn.RESET): NORMAL,
}

#: Where the way home depends on latching: NORMAL, or LATCHED if latching.
HOME = frozenset({(ACKED, Turn.CLEAR), (RTN_UNACK, Turn.ACK)})

REFUSED: dict[tuple[State, Turn], tuple[str, str]] = {
    (NORMAL, Turn.ACK): ("There is nothing to acknowledge: the alarm is normal.", "报警处于正常状态,无需确认。"),
    (NORMAL, Turn.RESET): ("There is nothing to reset: the alarm is normal.", "报警处于正常状态,无需复位。"),
    (UNACK, Turn.RESET): (
        "Acknowledge the alarm first; its condition is still active.",
        "请先确认报警:报警条件仍然存在。",
    ),
    (ACKED, Turn.RESET): (
        "The condition is still active; an alarm can be reset after it returned to normal.",
        "报警条件仍然存在,恢复正常后方可复位。",
    ),
    (RTN_UNACK, Turn.RESET): ("Acknowledge the alarm before resetting it.", "请先确认报警,再复位。"),
}


def step(state: State, turn: Turn, *, is_latching: bool) -> State:
    """Give the next state.

    Raises:
        Refused: The turn is a person's and does not fit.
    """
    cell = (state, turn)
    if cell in HOME:
        return State.LATCHED if is_latching else State.NORMAL
    if cell in REFUSED:
        raise Refused(*REFUSED[cell])
    assert cell in STEP, f"{turn} cannot happen in {state}: array code reports changes only"
    return STEP[cell]
