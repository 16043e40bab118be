"""A value that is back inside its limit is never said to be beyond it."""

import pytest

from alerting.push.words import clause

FACTS = {
    "tag": "GD-311.lel",
    "kind": "H",
    "value": 6.9,
    "eu": "%LEL",
    "setpoint": 25.0,
    "on_delay_s": 2.0,
    "decimals": 1,
}


@pytest.mark.parametrize(
    ("facts", "en", "zh"),
    [
        (
            {**FACTS, "off_delay_s": 10.0},
            "GD-311.lel 6.9 %LEL, back below H 25.0 %LEL, clears 10 s after it is past the deadband",
            "GD-311.lel 6.9 %LEL,已低于高报设定值 25.0 %LEL,越过死区 10 秒后恢复",
        ),
        (
            FACTS,
            "GD-311.lel 6.9 %LEL, back below H 25.0 %LEL, still within the deadband",
            "GD-311.lel 6.9 %LEL,已低于高报设定值 25.0 %LEL,仍在死区内",
        ),
        (
            {**FACTS, "value": 26.0},
            "GD-311.lel 26.0 %LEL ≥ H 25.0 %LEL for 2 s",
            "GD-311.lel 26.0 %LEL ≥ 高报设定值 25.0 %LEL,持续 2 秒",
        ),
        (
            {**FACTS, "kind": "LL", "value": 30.0},
            "GD-311.lel 30.0 %LEL, back above LL 25.0 %LEL, still within the deadband",
            "GD-311.lel 30.0 %LEL,已高于低低报设定值 25.0 %LEL,仍在死区内",
        ),
    ],
)
def test_clause(facts: dict[str, object], en: str, zh: str) -> None:
    assert (clause(facts, "en"), clause(facts, "zh")) == (en, zh)
