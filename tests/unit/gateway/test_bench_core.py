"""``fengsui bench core`` measures every case it promises, and its books balance. What it takes is not asserted.

A cold start compiles everything anew: that is a long run.
"""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app

CASES = {
    "machine",
    "road",
    "road, quiet",
    "road, each exception rings",
    "core alone, dense",
    "core alone, dense, quiet",
    "core alone, 10 % change state",
    "core alone, 10 % stand in alarm",
    "core alone, sparse 1%",
    "core alone, sparse 10%",
    "allocation",
    "event-loop lag, ticks in a thread",
    "event-loop lag, idle",
    "baseline: Python loop, four limits",
    "baseline: NumPy, two comparisons",
    "baseline: pandas, four limits",
    "baseline: river, mean and two limits",
    "memory, read",
}


@pytest.mark.slow
def test_every_case_is_there_and_balances() -> None:
    small = ("--tags", "600", "--tags", "1200", "--scans", "2000", "--no-start")
    told = CliRunner().invoke(app, ["bench", "core", "--json", *small])

    assert told.exit_code == 0, told.output
    rows = json.loads(told.stdout)
    assert {row["case"] for row in rows} == CASES
    assert all({"case", "tags", "backend"} <= row.keys() for row in rows)
    measured = [row for row in rows if row["case"].startswith(("road", "core", "baseline"))]
    assert all(row.get("ns_per_sample", row.get("ns_per_tag", 0.0)) > 0 for row in measured)
    assert {row["backend"] for row in rows if row["case"].startswith("core")} == {"numpy", "numba"}
    assert {row["tags"] for row in rows if row["case"] == "core alone, dense"} == {600, 2000}, "whole thousands"
    roads = [row for row in rows if row["case"].startswith("road")]
    for row in roads:
        books = row["books"]
        ways = ("live", "late", "unjudged", "retained", "refused")
        assert books["samples"] == sum(books[way] for way in ways) == row["ticks"] * row["tags"]
    rang = [row["books"]["events"] for row in roads if row["case"] == "road, each exception rings"]
    assert rang[0] == rang[1] > 0, "both backends say the same"
    (allocation,) = (row for row in rows if row["case"] == "allocation")
    assert allocation["net_bytes"] < 500, "nothing grows with the scans"
