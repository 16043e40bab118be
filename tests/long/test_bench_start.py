"""The start that ``fengsui bench core`` measures: a warm cache spares a process what a cold one makes it compile."""

from gateway.bench.core.start import measure_start


def test_a_warm_start_compiles_nothing() -> None:
    cold, warm = measure_start(1_000)
    assert (cold["case"], warm["case"]) == ("start, cold cache", "start, warm cache")
    assert warm["kernels_s"] < cold["kernels_s"] / 3
    assert all(row["rss_mb"] > 0 and row["second_tick_s"] < row["import_s"] for row in (cold, warm))
