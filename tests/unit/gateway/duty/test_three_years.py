"""Three years of duties bring exactly the steps of a table that another program made (tests/oracle/duty_steps.py)."""

import csv
from pathlib import Path

from tests.unit.gateway.duty.duty_house import Town, hazard, ns, text_of

FOLDER = Path(__file__).parents[3] / "golden" / "duties"
#: Records of what has no beginning are there long before they are due.
EARLY = "2023-01-01 00:00"


def rows_of(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def play(town: Town) -> None:
    """Let every case begin and end at its time, and look in between as the watch does."""
    turns: list[tuple[int, int, dict[str, str]]] = []
    for case in rows_of("cases.csv"):
        is_timed = case["kind"] == "alarms.disposal"
        begins = case["begins"] if is_timed else f"{case['begins']} 00:01" if case["begins"] else EARLY
        turns.append((ns(begins), 0, case))
        turns.append((ns(case["done"] if is_timed else f"{case['done']} 12:00"), 1, case))
    kept = {}
    for at_ns, is_done, case in sorted(turns, key=lambda turn: turn[:2]):
        at, name, ends = text_of(at_ns), case["id"], case["ends"]
        town.look_until(at)
        if case["kind"] == "alarms.disposal":
            if is_done:
                town.dispose_done(name, at)
            else:
                town.dispose(name, at, ends)
            town.look(at)
            continue
        ledger = case["kind"].split(".")[0]
        values = {
            "hidden_hazards": lambda n, c: hazard(n, c["begins"], c["ends"]),
            "enterprises": lambda n, c: {"code": n, "name": n, "licence_until": c["ends"]},
            "routines": lambda n, c: {
                "code": n, "title": n, "sort": "drill", "first_due": c["ends"], "due": c["ends"], "state": "open",
            },
        }[ledger](name, case)  # fmt: skip
        if is_done:
            over = {"enterprises": {"licence_until": "2036-01-01"}, "routines": {"state": "finished"}}
            values |= over.get(ledger, {"state": "closed"})
        kept[name] = town.put(ledger, values, at, kept.get(name))
        town.look(at)


def test_three_years_bring_exactly_the_steps_of_the_table() -> None:
    town = Town()
    play(town)

    code_of = {row["id"]: row["code"] for row in town.rows("duty")}
    found = {
        (text_of(row["planned_ns"]), code_of[row["duty"]], row["what"], str(row["number"]), row["said"] == "passed")
        for row in town.rows("duty_step")
    }
    wanted = {(row["time"], row["id"], row["step"], row["number"], False) for row in rows_of("steps.csv")}
    assert found - wanted == set()
    assert wanted - found == set()
    assert len({row["duty"] for row in town.rows("duty_step")}) > 60
    late = [row for row in town.rows("duty_step") if row["time_ns"] - row["planned_ns"] > 1_000_000_000]
    assert late == []
