"""Sentences about what was done to an alarm."""

from typing import Literal

import pytest

from alerting.alarm_book import RETURNED
from alerting.push.act_words import act_sentence

FACTS = {"tag": "T.level", "kind": "H", "value": 4.31, "setpoint": 4.2, "eu": "m", "tier": "YELLOW"}
SHELF = {**FACTS, "what": "shelved", "who": "Li", "reason": "valve", "time_ns": 0, "until_ns": 60_000_000_000}


@pytest.mark.parametrize(
    ("lang", "timed", "one_shot", "ended"),
    [
        (
            "en",
            "for 60 s: valve → YELLOW",
            "until it returns to normal, for at most 60 s: valve → YELLOW",
            "it returned to normal",
        ),
        ("zh", ",时长 60 秒,原因:valve→ 黄色预警", ",至恢复正常,最长 60 秒,原因:valve→ 黄色预警", "报警已恢复正常"),
    ],
)
def test_a_shelf_says_how_it_ends(lang: Literal["en", "zh"], timed: str, one_shot: str, ended: str) -> None:
    assert act_sentence(SHELF, lang).endswith(timed)
    assert act_sentence({**SHELF, "one_shot": True}, lang).endswith(one_shot)
    over = {**FACTS, "what": "unshelved", "who": "fengsui", "reason": RETURNED}
    assert ended in act_sentence(over, lang)
