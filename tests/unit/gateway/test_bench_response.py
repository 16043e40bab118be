"""A few units through the whole gateway: each has its one incident, all is counted; times are noise here."""

from gateway.bench.response import measure, render


def test_each_unit_that_rises_has_its_one_incident_and_the_books_balance() -> None:
    result = measure(units=6, alone=2)
    assert (result["rises"], result["opened"], result["noted"]) == (12, 6, 6)
    assert (result["tasks"], result["twice"], result["refused"], result["balanced"]) == (48, 0, 0, True)
    assert 0 <= result["alone_p50_s"] <= result["alone_worst_s"]
    assert result["flood_from_tick_p50_s"] > 0
    assert 0 < result["one_ms"] <= result["fifty_ms"]
    assert "asked for: 1 s" in render(result)
    assert "asked for: 100 ms" in render(result)
