"""``fengsui register``: a ledger goes out, comes in elsewhere, and a wrong row is told with its line."""

import json
from datetime import date
from pathlib import Path

from sqlalchemy import select
from typer.testing import CliRunner

from gateway.cli import app
from gateway.register.seed import dated
from gateway.store.engine import open_store, store_url
from gateway.store.schema import act

DEMO = Path("config/demo")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["register", *arguments])
    return done.exit_code, done.output


def test_the_demonstrations_ledgers_come_in_and_go_out(tmp_path: Path) -> None:
    engine = open_store(store_url(tmp_path))
    site, data = str(DEMO / "site.toml"), str(tmp_path)
    for ledger in ("enterprises", "units", "holdings"):
        listed = tmp_path / f"{ledger}.csv"
        listed.write_bytes(dated((DEMO / f"register/{ledger}.csv").read_bytes(), date(2026, 7, 1)))
        code, said = run("import", site, ledger, str(listed), "--reason", "x", "--data", data)
        assert code == 0, said
    code, said = run("export", "holdings", str(tmp_path / "out.xlsx"), "--data", data, "--lang", "zh")
    assert (code, said) == (0, f"6 records were written to {tmp_path}/out.xlsx.\n")
    again = ("import", site, "holdings", str(tmp_path / "out.xlsx"), "--reason", "x", "--data", data, "--json")
    assert json.loads(run(*again)[1]) == {"made": 0, "changed": 0, "unchanged": 6, "mistakes": []}
    with engine.connect() as connection:
        acts = [(row.action, json.loads(row.facts)["ledger"]) for row in connection.execute(select(act))]
    engine.dispose()
    assert acts == [("records_imported", ledger) for ledger in ("enterprises", "units", "holdings")]


def test_a_wrong_row_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    open_store(store_url(tmp_path)).dispose()
    wrong = tmp_path / "a.csv"
    wrong.write_text("编号,企业名称,24小时值班电话\nA,甲,0512-60000000\nB,乙,打电话\n", "utf-8")
    asked = ("import", str(DEMO / "site.toml"), "enterprises", str(wrong), "--reason", "x", "--data", str(tmp_path))
    code, said = run(*asked)
    assert code == 1
    assert "a.csv:3: 24小时值班电话" in said
    assert "0 records were written" in run("export", "enterprises", str(tmp_path / "b.csv"), "--data", str(tmp_path))[1]
    assert (
        run("import", str(DEMO / "site.toml"), "castles", str(wrong), "--reason", "x", "--data", str(tmp_path))[0] == 2
    )
