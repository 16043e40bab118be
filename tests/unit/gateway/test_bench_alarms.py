"""A small flood through the whole gateway: all is registered, told and listed; times are noise here."""

from gateway.bench.alarms import measure, render


def test_a_small_flood_is_registered_told_and_listed() -> None:
    result = measure(tags=1_000, units=10, seconds=1)
    assert result["registered"] == result["expected"] == {"ORANGE": 50, "RED": 10}
    assert (result["told"], result["reds_of_last_tenth"], result["listed"]) == (1, 1, 100)
    assert (result["refused"], result["balanced"]) == (0, True)
    assert result["receipts"] >= 1
    assert "asked for: 1 s" in render(result)
