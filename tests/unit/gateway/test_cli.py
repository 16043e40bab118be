"""The command line: a bad option is one sentence and exit 2; who asks by any name is answered."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from alerting.model.alarm import Suppression
from alerting.model.tier import Tier
from gateway.cli import app
from gateway.demo import with_ports
from gateway.store.engine import open_store, store_url
from gateway.store.schema import alarm, event

SITE = """
[site]
id = "plant"
timezone = "UTC"
data = "kept"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"
[[unit]]
id = "TK-1"
"""
NODE = """
[site]
id = "plant"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"
[uplink]
node = "n1"
url = "https://gateway.example"
token_file = "token"
"""
TAGS = "tag,source,unit,register,type,H,HH\nTK-1.level,plc,TK-1,0,float32,8,9\n"
RECORDING = "time,TK-1.level\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:01Z,9.5\n"
PASSWORD = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FENGSUI_DATA", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    (tmp_path / "node.toml").write_text(NODE, "utf-8")
    (tmp_path / "token").write_text("t0ken" * 10, "utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, "utf-8")
    (tmp_path / "rec.csv").write_text(RECORDING, "utf-8")
    (tmp_path / "file").write_text("not a folder", "utf-8")
    return tmp_path


def ask(*arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(app, list(arguments), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run site.toml --port 99999", "--port is 99999; a port is 1 to 65535, or 0 for any free one."),
        ("run site.toml --port -1", "--port is -1"),
        ("demo --port 65536", "--port is 65536"),
        ("demo --seconds -1", "--seconds is -1; it is a time above 0."),
        ("demo --seconds nan", "--seconds is nan"),
        ("demo --seed -1", "--seed is -1"),
        ("demo --data file", "The data folder file cannot be made: File exists."),
        ("demo --data file/in --scenario none", "The data folder file/in cannot be made: Not a directory."),
        ("run site.toml --data file/in", "The data folder file/in cannot be made: Not a directory."),
        ("run site.toml --record .", "--record: . is a folder; give a file."),
        ("run site.toml --events file/x", "--events: file/x cannot be written: "),
        ("run site.toml --record site.toml", "--record: site.toml is what is read here, and would be lost"),
        ("replay site.toml rec.csv --events o --until yesterday", "--until: 'yesterday' is no time. Write a time such"),
        ("replay site.toml rec.csv --events o --until 2026-01-01T00:00:00", "--until: '2026-01-01T00:00:00' has no"),
        ("replay site.toml absent.csv --events o", "The recording absent.csv cannot be read: No such file"),
        ("replay site.toml . --events o", "The recording . is a folder; give a file."),
        ("replay site.toml rec.csv --events rec.csv", "--events: rec.csv is what is read here, and would be lost"),
        ("replay site.toml rec.csv --events .", "--events: . is a folder; give a file."),
        ("backtest site.toml absent.csv", "The recording absent.csv cannot be read: No such file or directory."),
        ("backtest site.toml rec.csv --labels absent", "The table of labels absent cannot be read: No such file"),
        ("backtest site.toml rec.csv --report .", "--report: . is a folder; give a file."),
        ("why x --lang fr", "--lang is fr; it is en or zh."),
        ("why x", "There is no register in var; give the data folder that `fengsui run` has, with --data."),
        ("alarms --data kept", "There is no register in kept"),
        ("verify --data absent", "There is no register in absent"),
        ("user list", "There is no register in var"),
        ("user add li --role boss", "Role 'boss' is unknown; the roles are viewer, operator,"),
        ("user add li --data file", "The data folder file cannot be made: File exists."),
        ("user link li", "There is no register in var"),
        ("user link li --url gateway:8080", "--url is gateway:8080; it is the address of the page, e.g. http://"),
        ("user link li --role boss", "Role 'boss' is unknown"),
        ("edge node.toml --data file/in", "The data folder file/in cannot be made: Not a directory."),
        ("edge node.toml --status absent/status.json", "--status: absent/status.json cannot be written; give a file"),
        ("edge .", "Remedy: Give the site file in it: site.toml."),
        ("node add plc --data file", "The data folder file cannot be made: File exists."),
        ("check .", "Remedy: Give the site file in it: site.toml."),
        ("run .", "Remedy: Give the site file in it: site.toml."),
        ("plan absent.toml", "cannot be read: No such file or directory."),
    ],
)
def test_a_bad_option_is_a_sentence(folder: Path, arguments: str, said: str) -> None:
    result = ask(*arguments.split())
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert (folder / "rec.csv").read_text("utf-8") == RECORDING
    assert (folder / "site.toml").read_text("utf-8") == SITE


def test_a_register_that_is_none_is_a_sentence(folder: Path) -> None:
    (folder / "register.db").write_bytes(b"this was never a database" * 100)
    result = ask("user", "list", "--data", ".")
    assert (result.exit_code, result.output) == (2, "The register in . cannot be opened: file is not a database.\n")


def test_the_version_is_told() -> None:
    result = ask("--version")
    assert (result.exit_code, result.output) == (0, "fengsui 0.1.0\n")


def test_replay_stops_at_a_time(folder: Path) -> None:
    counts = []
    for until in ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"):
        result = ask("replay", "site.toml", "rec.csv", "--events", "out/o.jsonl", "--until", until, "--json")
        assert result.exit_code == 0
        counts.append(json.loads(result.output)["samples"])
    assert counts == [1, 2]
    assert (folder / "out/o.jsonl").stat().st_size


def test_a_data_folder_is_its_owners_alone(folder: Path) -> None:
    ask("user", "add", "li", "--password-stdin", typed=f"{PASSWORD}\n")
    assert (folder / "var").stat().st_mode & 0o777 == 0o700


# ---- users


def test_a_role_is_refused_before_a_password_is_asked_for(folder: Path) -> None:
    for name, role in (("li", "boss"), ("fengsui", "operator")):
        result = ask("user", "add", name, "--role", role, typed=f"{PASSWORD}\n{PASSWORD}\n")
        assert result.exit_code == 2
        assert "Password" not in result.output
    assert not (folder / "var").exists()
    assert ask("user", "add", "li", typed=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    result = ask("user", "add", "li", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 2
    assert result.output == "User 'li' exists already; choose another name or change the password.\n"
    assert ask("user", "password", "lee").output == "There is no user 'lee'.\n"


def test_a_link_is_for_users_that_are_there(folder: Path) -> None:
    assert folder.is_dir()
    ask("user", "add", "chen", "--role", "safety_officer", "--password-stdin", typed=f"{PASSWORD}\n")
    result = ask("user", "link", "chenn")
    assert result.exit_code == 2
    assert "There is no user 'chenn'. Did you mean \"chen\"? Give --role to make a user" in result.output
    assert ask("user", "list").output.split("\t")[:2] == ["chen", "safety_officer"]

    result = ask("user", "link", "chen")
    assert result.exit_code == 0
    assert result.output.startswith("/login/")
    whole = ask("user", "link", "chen", "--url", "https://gateway.example/")
    assert whole.output.startswith("https://gateway.example/login/")
    assert ask("user", "link", "chen", "--role", "viewer").exit_code == 2

    assert ask("user", "link", "wang", "--role", "viewer").exit_code == 0
    assert "wang\tviewer\tactive" in ask("user", "list").output


def test_run_says_how_to_make_the_first_user(folder: Path) -> None:
    with socket.socket() as taken:  # so that the gateway ends before it begins
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        arguments = ("run", "site.toml", "--port", str(taken.getsockname()[1]))
        first = ask(*arguments)
        ask("user", "add", "li", "--data", "kept", "--password-stdin", typed=f"{PASSWORD}\n")
        second = ask(*arguments)
    assert (first.exit_code, second.exit_code) == (2, 2)
    assert "There is no user yet, so nobody can log in. Make one: fengsui user add NAME --data kept\n" in first.output
    assert "no user" not in second.output
    assert (folder / "kept" / "register.db").exists()  # beside the site file, as its `data` says


def test_port_0_is_any_free_one(folder: Path) -> None:
    (folder / "site.toml").write_text(SITE + '[http]\nhost = "192.0.2.77"\n', "utf-8")
    result = ask("run", "site.toml", "--port", "0")
    assert result.exit_code == 2
    assert "The page cannot listen on 192.0.2.77:0: " in result.output


# ---- alarms


@pytest.fixture
def register(folder: Path) -> Iterator[Path]:
    """A register in which one tag has two alarms, another has one that is over, and a third one that is shelved."""
    rows = [
        # id, key, tag, condition, rule, tier, state, what
        ("1" * 32, "k1", "TK-1.level", "H", "TK-1.level.H", Tier.YELLOW, "UNACK", "raised"),
        ("2" * 32, "k1", "TK-1.level", "HH", "TK-1.level.HH", Tier.RED, "UNACK", "escalated"),
        ("3" * 32, "k2", "TK-1.level", "STALE", "TK-1.level.STALE", Tier.BLUE, "UNACK", "raised"),
        ("4" * 32, "k3", "TK-2.level", "H", "TK-2.level.H", Tier.ORANGE, "UNACK", "raised"),
        ("5" * 32, "k4", "TK-1", "L", "TK-1.L", Tier.YELLOW, "UNACK", "raised"),
    ]
    engine = open_store(store_url(folder / "var"))
    with engine.begin() as connection:
        for at, (number, key, tag, condition, rule, tier, state, what) in enumerate(rows):
            ident = f"alarm-of-{key}"
            cause = json.dumps({"rule": rule, "value": 9.5, "scan": "clock"})
            connection.execute(
                insert(event).values(
                    id=number, nature="actual", what=what, time_ns=(at + 1) * 10**18, received_ns=0, unit="TK-1",
                    alarm=ident, alarm_key=key, tag=tag, rule_group="g", condition=condition, tier=int(tier),
                    state=state, value=9.5, setpoint=9.0, suppression="none", is_late=False, cause=cause,
                )
            )  # fmt: skip
        for key, tag, condition, tier, state, suppression in (
            ("k2", "TK-1.level", "STALE", Tier.BLUE, "UNACK", "none"),
            ("k1", "TK-1.level", "HH", Tier.RED, "UNACK", "none"),
            ("k3", "TK-2.level", "H", Tier.ORANGE, "NORMAL", "none"),
            ("k4", "TK-1", "L", Tier.YELLOW, "NORMAL", Suppression.SHELVED.value),
        ):
            connection.execute(
                insert(alarm).values(
                    key=key, id=f"alarm-of-{key}", nature="actual", tag=tag, unit="TK-1", rule_group="g", state=state,
                    tier=int(tier), tier_max=int(tier), condition=condition, rule="", onset_ns=10**18, raised_ns=10**18,
                    changed_ns=10**18, ordinal=1, value=9.5, setpoint=9.0, acked_by="", acked_ns=0, comment="",
                    suppression=suppression, suppressed_until_ns=0, suppressed_by="", suppression_reason="",
                )
            )  # fmt: skip
    engine.dispose()
    yield folder
    shutil.rmtree(folder / "var")


def test_current_alarms_are_listed_the_gravest_first(register: Path) -> None:
    found = json.loads(ask("alarms", "--data", str(register / "var"), "--json").output)
    assert [(one["id"], one["tier"], one["state"], one["tag"], one["condition"]) for one in found] == [
        ("alarm-of-k1", "RED", "UNACK", "TK-1.level", "HH"),
        ("alarm-of-k4", "YELLOW", "NORMAL", "TK-1", "L"),
        ("alarm-of-k2", "BLUE", "UNACK", "TK-1.level", "STALE"),
    ]
    assert (found[0]["value"], found[0]["since"][:10], found[1]["suppression"]) == (9.5, "2001-09-09", "shelved")
    head, first, *_ = ask("alarms").output.splitlines()
    assert head.split() == ["id", "since", "tier", "state", "tag", "condition", "value"]
    assert first.split()[0] == "alarm-of-k1"


def test_without_alarms_that_is_said(folder: Path) -> None:
    open_store(store_url(folder / "var")).dispose()
    assert ask("alarms").output == "There is no current alarm.\n"
    assert json.loads(ask("alarms", "--json").output) == []


@pytest.mark.parametrize(
    ("name", "ident"),
    [
        ("alarm-of-k1", "alarm-of-k1"),
        ("k1", "alarm-of-k1"),
        ("1" * 32, "alarm-of-k1"),
        ("TK-2.level", "alarm-of-k3"),
        ("TK-1.level.HH", "alarm-of-k1"),
        ("TK-1.level.STALE", "alarm-of-k2"),
        ("TK-1", "alarm-of-k4"),
        ("TK-1.L", "alarm-of-k4"),
    ],
)
def test_why_is_asked_by_any_name(register: Path, name: str, ident: str) -> None:
    assert register.is_dir()
    result = ask("why", name, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["facts"]["alarm"] == ident


def test_why_of_an_event_is_that_events_own(register: Path) -> None:
    change = "update event set what = 'returned', tier = 0, cause = json_set(cause, '$.value', 7.5) where id = ?"
    with sqlite3.connect(register / "var" / "register.db") as connection:
        connection.execute(change, ("1" * 32,))
    said = ask("why", "1" * 32, "--lang", "en").output
    assert said.startswith("TK-1.level 7.5, back below H 9 (")
    assert said.endswith("→ NONE\n")


def test_a_tag_with_several_alarms_lists_them(register: Path) -> None:
    assert register.is_dir()
    lines = ask("why", "TK-1.level").output.splitlines()
    assert [line.split()[0] for line in lines] == ["alarm-of-k2", "alarm-of-k1"]
    found = json.loads(ask("why", "TK-1.level", "--json").output)["alarms"]
    assert [one["alarm"] for one in found] == ["alarm-of-k2", "alarm-of-k1"]


@pytest.mark.parametrize("name", ["TK-3.level", "TK-1.level.H.x", "TK_1.L", "level", "%"])
def test_a_name_that_never_rang_is_a_finding(register: Path, name: str) -> None:
    assert register.is_dir()
    result = ask("why", name)
    assert result.exit_code == 1
    assert f"Nothing rang by the name of {name!r}" in result.output


@pytest.mark.parametrize(
    ("environ", "is_chinese"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, False),
    ],
)
def test_the_language_is_the_locales(
    register: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], *, is_chinese: bool
) -> None:
    assert register.is_dir()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert ("预警" in ask("why", "TK-2.level").output) == is_chinese
    assert "预警" in ask("why", "TK-2.level", "--lang", "zh").output
    assert "预警" not in ask("why", "TK-2.level", "--lang", "en").output


def test_why_takes_the_folder_of_the_site_file(register: Path) -> None:
    (register / "site.toml").write_text(SITE.replace('"kept"', '"var"'), "utf-8")
    (register / "sub").mkdir()
    assert ask("why", "TK-2.level", "--config", str(register / "site.toml")).exit_code == 0


# ---- help, and the demonstration's copy of its site


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run", "site file"),
        ("replay", "docs/backtest.md"),
        ("backtest", "docs/backtest.md"),
        ("why", "the same that `run` has"),
        ("verify", "the same that `run` has"),
        ("check", "docs/configuration.md"),
    ],
)
def test_help_says_where_more_is(command: str, words: str) -> None:
    said = " ".join(part.strip("│ ") for part in ask(command, "--help").output.splitlines())
    assert words in " ".join(said.split())


def test_ports_are_put_in_place_but_not_into_comments() -> None:
    text = "# puts free ports in place of 502 and 8080\nport = 8080 # not 502\nurl = 'http://h:502/8'\n"
    given = {"502": "40001", "8080": "0"}
    assert with_ports(text, given) == text.replace("port = 8080", "port = 0").replace(":502/", ":40001/")


def test_a_site_that_lost_a_port_is_not_played() -> None:
    with pytest.raises(AssertionError, match="lost a port"):
        with_ports("port = 8080 # 502\n", {"502": "1", "8080": "2"})
