"""What is said of an instrument on the last day in time, the day after, and while it is bypassed or retired."""

from typing import Any

import pytest

from alerting.register.instrument_notes import notes_of

GAUGE: dict[str, Any] = {
    "code": "LT-1", "state": "in_use", "calibrated_until": "2026-03-01", "proof_due": "2026-03-02",
}  # fmt: skip
BYPASS = {"state": "bypassed", "bypass_on": "2026-03-01", "bypass_until": "2026-03-03"}


@pytest.mark.parametrize(
    ("today", "more", "whats"),
    [
        ("2026-03-01", {}, []),
        ("2026-03-02", {}, ["calibration"]),
        ("2026-03-03", {}, ["calibration", "proof"]),
        ("2026-03-01", BYPASS, ["bypass"]),
        ("2026-03-03", BYPASS, ["calibration", "proof", "bypass"]),
        ("2026-03-04", BYPASS, ["calibration", "proof", "bypass", "bypass_over"]),
        ("2026-03-04", {"state": "retired"}, []),
        ("2026-03-04", {"calibrated_until": "", "proof_due": ""}, []),
    ],
)
def test_notes_of_a_day(today: str, more: dict[str, str], whats: list[str]) -> None:
    assert [note.what for note in notes_of({**GAUGE, **more}, today)] == whats
